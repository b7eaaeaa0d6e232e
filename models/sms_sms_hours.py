from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL


class SmsSms(models.Model):
    """When an SMS leaves: not before it is wanted, nor in the recipient's quiet hours."""

    _inherit = "sms.sms"

    sms_ovh_send_at = fields.Datetime(
        string="Not Before",
        readonly=True,
        copy=False,
        help="It waits in the queue until then.",
    )
    sms_ovh_wanted_at = fields.Datetime(
        string="Held Since",
        readonly=True,
        copy=False,
        help="When it would have left, had quiet hours not held it.",
    )

    # What of a campaign still waits, and until when, is asked for on its form. Not by
    # the state, which sending changes: see `init` of this model.
    _sms_ovh_mailing_held_idx = models.Index(
        "(mailing_id, sms_ovh_send_at)"
        " WHERE sms_ovh_send_at IS NOT NULL AND mailing_id IS NOT NULL"
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to have the queue run when what waits may leave."""
        records = super().create(vals_list)
        self._sms_ovh_trigger_at(records.mapped("sms_ovh_send_at"))
        return records

    @api.model
    def _hold_sms_ovh_values(self, vals, company):
        """Override to hold what is created in the recipient's quiet hours.

        It is not before the values', else the context's ``sms_ovh_send_at``.
        """
        super()._hold_sms_ovh_values(vals, company)
        now = fields.Datetime.now()
        send_at = fields.Datetime.to_datetime(
            vals.get("sms_ovh_send_at") or self.env.context.get("sms_ovh_send_at")
        )
        if send_at and send_at <= now:
            send_at = False
        vals["sms_ovh_send_at"] = send_at
        queued = vals.get("state", "outgoing") == "outgoing"
        if not queued or vals["sms_ovh_kind"] != "marketing":
            return
        # sudo: the hours of the company that sends, for whoever sends.
        company_sudo = company.sudo()
        if not company_sudo.sms_ovh_quiet_hours:
            return
        wanted_at = send_at or now
        opening = company_sudo._get_sms_ovh_opening(
            wanted_at, company_sudo._get_sms_ovh_country_code(vals.get("number"))
        )
        if opening > wanted_at:
            vals.update(sms_ovh_send_at=opening, sms_ovh_wanted_at=wanted_at)

    @api.model
    def _get_sms_ovh_queue_domain(self):
        """Override to leave out what is not to leave yet."""
        return [
            *super()._get_sms_ovh_queue_domain(),
            "|",
            ("sms_ovh_send_at", "=", False),
            ("sms_ovh_send_at", "<=", fields.Datetime.now()),
        ]

    def _sms_ovh_get_countries(self):
        """Return the country whose hours count for each SMS that keeps quiet hours.

        :return: ISO code by the id of the SMS; nothing of others
        :rtype: dict[int, str|bool]
        """
        countries = {}
        marketing = self.filtered(lambda sms: sms.sms_ovh_kind == "marketing")
        for company, sms in marketing.grouped("record_company_id").items():
            # sudo: the hours of the company that sends, for whoever sends.
            company_sudo = company.sudo()
            if company_sudo.sms_ovh_quiet_hours:
                for record in sms:
                    countries[record.id] = company_sudo._get_sms_ovh_country_code(
                        record.number
                    )
        return countries

    def _sms_ovh_hold(self):
        """Have those of these SMS wait that may not leave now.

        :return: the others
        """
        countries = self._sms_ovh_get_countries()
        held = defaultdict(list)
        now = fields.Datetime.now()
        openings = {}
        for record in self.browse(countries).with_prefetch(self._prefetch_ids):
            key = record.record_company_id, countries[record.id]
            if key not in openings:
                # sudo: as above.
                openings[key] = key[0].sudo()._get_sms_ovh_opening(now, key[1])
            if openings[key] > now:
                held[openings[key]].append(record.id)
        for opening, ids in held.items():
            self.browse(ids).write(
                {"sms_ovh_send_at": opening, "sms_ovh_wanted_at": now}
            )
        self._sms_ovh_trigger_at(held)
        return self - self.browse(id_ for ids in held.values() for id_ in ids)

    @api.model
    def _sms_ovh_trigger_at(self, moments):
        """Have the queue run at these moments, those of them that are to come.

        :param moments: datetimes in UTC, in any number
        """
        now = fields.Datetime.now()
        moments = {moment for moment in moments if moment and moment > now}
        if moments:
            self.env["sms.ovh.job"]._trigger_at(
                "sms.ir_cron_sms_scheduler_action", moments
            )

    @api.model
    def _sms_ovh_release(self, companies):
        """Let what quiet hours hold go by other hours: each piece is looked at again.

        :param companies: `res.company` whose hours changed
        """
        self.flush_model()
        # In SQL, since a campaign may wait.
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE sms_sms
                   SET sms_ovh_send_at = sms_ovh_wanted_at, sms_ovh_wanted_at = NULL
                 WHERE state = 'outgoing' AND sms_ovh_wanted_at IS NOT NULL
                   AND record_company_id = ANY(%s)
             RETURNING sms_ovh_send_at
                """,
                companies.ids,
            )
        )
        self.invalidate_model(["sms_ovh_send_at", "sms_ovh_wanted_at"], flush=False)
        moments = {row[0] for row in rows}
        self._sms_ovh_trigger_at(moments)
        if any(moment <= fields.Datetime.now() for moment in moments):
            # sudo: a scheduled action, for who changes the settings.
            self.env.ref("sms.ir_cron_sms_scheduler_action").sudo()._trigger()
        self.env["sms.ovh.job"]._release(companies)
