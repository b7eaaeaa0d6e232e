from odoo import fields, models
from odoo.tools import SQL, LazyTranslate

from .. import const

_lt = LazyTranslate(__name__)

# Names in pivots, graphs and groups for SMS without a value.
NO_MAILING = _lt("Outside campaigns")
NO_CAMPAIGN = _lt("Outside marketing campaigns")
NO_VERSION = _lt("Outside A/B tests")
NO_COUNTRY = _lt("Unknown country")
NO_FAILURE = _lt("No failure")
NO_SENDER = _lt("Unknown sender")


class SmsOvhReport(models.Model):
    """Results of campaigns and messages: the log, with figures to add up.

    Nothing is stored twice. Other tables are joined by their keys, so that queries that
    do not need them do not pay for them.
    """

    _name = "sms.ovh.report"
    _description = "OVHcloud SMS Analysis"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "number"
    _depends = {
        "sms.ovh.log": [
            "account_id",
            "sender_id",
            "mailing_id",
            "kind",
            "date",
            "delivered_at",
            "number",
            "country_code",
            "state",
            "failure_type",
            "segments",
            "credits",
            "clicked",
            "stopped",
        ],
        "sms.ovh.account": ["company_id", "credit_price"],
        "mailing.mailing": ["campaign_id", "ab_testing_enabled"],
        "utm.campaign": ["ab_testing_winner_mailing_id"],
        "res.country": ["code"],
        "res.company": ["currency_id"],
    }

    account_id = fields.Many2one(
        "sms.ovh.account", string="OVHcloud Account", readonly=True
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    sender_id = fields.Many2one(
        "sms.ovh.sender", readonly=True, falsy_value_label=NO_SENDER
    )
    mailing_id = fields.Many2one(
        "mailing.mailing", readonly=True, falsy_value_label=NO_MAILING
    )
    campaign_id = fields.Many2one(
        "utm.campaign",
        string="Marketing Campaign",
        readonly=True,
        falsy_value_label=NO_CAMPAIGN,
    )
    ab_version = fields.Char(
        string="A/B Version",
        readonly=True,
        falsy_value_label=NO_VERSION,
        help="A, B… in the order in which the versions were made.",
    )
    kind = fields.Selection(const.KINDS, readonly=True)
    country_id = fields.Many2one(
        "res.country", readonly=True, falsy_value_label=NO_COUNTRY
    )
    date = fields.Datetime(string="Sent On", readonly=True)
    number = fields.Char(readonly=True)
    state = fields.Selection(const.LOG_STATES, readonly=True)
    failure_type = fields.Selection(
        lambda self: self.env["sms.ovh.log"]._get_failure_types(),
        readonly=True,
        falsy_value_label=NO_FAILURE,
    )
    sms_count = fields.Integer(
        string="Recipients",
        readonly=True,
        help="One for each SMS handed to OVHcloud, however long its text is.",
    )
    segments = fields.Integer(
        string="SMS",
        readonly=True,
        help="SMS that OVHcloud took: a long text takes several for each recipient.",
    )
    credits = fields.Float(string="SMS Charged", readonly=True)
    cost = fields.Monetary(
        string="Cost, If the Price Is Known",
        readonly=True,
        help="Credits at the price of one that is set on the OVHcloud account.",
    )
    delivered = fields.Integer(readonly=True)
    failed = fields.Integer(
        readonly=True, help="Not delivered, or refused by OVHcloud."
    )
    clicks = fields.Integer(readonly=True, help="Recipients who followed a link.")
    stops = fields.Integer(string="STOP", readonly=True)
    delivery_minutes = fields.Float(
        string="Minutes to Deliver",
        readonly=True,
        aggregator="avg",
        help="From OVHcloud taking the SMS to the phone receiving it, on average.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT log.id, log.account_id, account.company_id, company.currency_id,
                   log.sender_id, log.mailing_id, mailing.campaign_id,
                   version.ab_version, log.kind, country.id AS country_id, log.date,
                   log.number, log.state, log.failure_type,
                   1 AS sms_count,
                   CASE WHEN log.state = 'refused' THEN 0 ELSE log.segments END
                       AS segments,
                   log.credits,
                   (log.credits * NULLIF(account.credit_price, 0))::numeric AS cost,
                   (log.state = 'sent')::int AS delivered,
                   (log.state IN ('error', 'refused'))::int AS failed,
                   (log.clicked IS TRUE)::int AS clicks,
                   (log.stopped IS TRUE)::int AS stops,
                   EXTRACT(EPOCH FROM log.delivered_at - log.date) / 60
                       AS delivery_minutes
              FROM sms_ovh_log log
         LEFT JOIN sms_ovh_account account ON account.id = log.account_id
         LEFT JOIN res_company company ON company.id = account.company_id
         LEFT JOIN mailing_mailing mailing ON mailing.id = log.mailing_id
         LEFT JOIN res_country country ON country.code = log.country_code
         LEFT JOIN (%s) version ON version.mailing_id = log.mailing_id
            """,
            self._get_version_query(),
        )

    def _get_version_query(self):
        """Return the A/B versions of campaigns, without the final sending."""
        return SQL(
            """
            SELECT tested.id AS mailing_id,
                   chr(64 + LEAST(26, row_number() OVER (
                       PARTITION BY tested.campaign_id ORDER BY tested.id
                   ))::int) AS ab_version
              FROM mailing_mailing tested
              JOIN utm_campaign campaign ON campaign.id = tested.campaign_id
             WHERE tested.ab_testing_enabled AND tested.mailing_type = 'sms'
               AND campaign.ab_testing_winner_mailing_id IS DISTINCT FROM tested.id
            """
        )
