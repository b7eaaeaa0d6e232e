from odoo import fields, models
from odoo.tools import SQL, format_amount
from odoo.tools.misc import formatLang

# Countries and senders shown beside a campaign; the analysis has all.
MAX_LINES = 5
SUMS = ("segments", "credits", "cost", "delivered", "clicks", "stops")


class MailingMailing(models.Model):
    """What a campaign brought, and what it cost."""

    _inherit = "mailing.mailing"

    sms_ovh_stop_count = fields.Integer(
        string="STOP", compute="_compute_sms_ovh_answer_counts"
    )
    sms_ovh_reply_count = fields.Integer(
        string="Replies", compute="_compute_sms_ovh_answer_counts"
    )

    # ------------------------------------------------------------
    # What recipients sent back
    # ------------------------------------------------------------

    def _compute_sms_ovh_answer_counts(self):
        for name, model in (
            ("sms_ovh_stop_count", "sms.ovh.stop"),
            ("sms_ovh_reply_count", "sms.ovh.reply"),
        ):
            counts = dict(
                self.env[model]._read_group(
                    [("mailing_id", "in", self.ids)], ["mailing_id"], ["__count"]
                )
            )
            for mailing in self:
                mailing[name] = counts.get(mailing._origin, 0)

    def action_view_sms_ovh_replies(self):
        """Open the replies to these campaigns."""
        return self._view_sms_ovh_answers("sms_ovh.sms_ovh_reply_action")

    def action_view_sms_ovh_stops(self):
        """Open who answered STOP to these campaigns."""
        return self._view_sms_ovh_answers("sms_ovh.sms_ovh_stop_action")

    def _view_sms_ovh_answers(self, xmlid):
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        # Not at the address of all of them.
        action.pop("path", None)
        return {**action, "domain": [("mailing_id", "in", self.ids)]}

    # ------------------------------------------------------------
    # What it came to
    # ------------------------------------------------------------

    def get_sms_ovh_results(self):
        """Return what this campaign came to, as plain data for the browser.

        :return: sums (``taken``, ``segments``, ``credits``, ``cost``, ``delivered``,
            ``clicks``, ``stops``, ``replies``), seconds to deliver (``median``,
            ``slowest_tenth``; False where nothing is known), ``currency_id`` (False
            without a price), ``countries`` and ``senders``, and what can be opened
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        # Once over the campaign's SMS, by what there are few of.
        groups = self.env["sms.ovh.report"]._read_group(
            [("mailing_id", "=", self.id), ("state", "!=", "refused")],
            ["country_id", "sender_id"],
            ["__count", *(f"{name}:sum" for name in SUMS)],
        )
        columns = zip(*(group[2:] for group in groups), strict=True)
        sums = [sum(column) for column in columns]
        taken, segments, charged, cost, delivered, clicks, stops = sums or [0] * 7
        # sudo: the price, for whoever may see what the campaign cost.
        account_sudo = self.sudo().sms_ovh_account_id
        has_price = account_sudo.credit_price > 0
        median, slowest_tenth = self._get_sms_ovh_delivery_seconds()
        return {
            "taken": taken,
            "segments": segments,
            "credits": charged,
            "cost": has_price and cost,
            "currency_id": has_price and account_sudo.currency_id.id,
            "delivered": delivered,
            "clicks": clicks,
            "has_links": bool(self.link_trackers_count),
            "stops": stops,
            "replies": self.sms_ovh_reply_count,
            "median": median,
            "slowest_tenth": slowest_tenth,
            "countries": self._get_sms_ovh_lines(groups, 0),
            "senders": self._get_sms_ovh_lines(groups, 1),
            "ab_test": self._is_sms_ovh_compared(),
        }

    def _get_sms_ovh_lines(self, groups, position):
        """Return the results by country or by sender, the most first.

        :param list groups: rows by country and sender, with how many SMS and `SUMS`
        :param int position: where in a row stands what to tell apart
        :rtype: list[dict]
        """
        lines = {}
        for group in groups:
            record = group[position]
            line = lines.setdefault(
                record,
                {
                    "id": record.id,
                    "name": record.display_name or self.env._("Unknown"),
                    "taken": 0,
                    "delivered": 0,
                    "credits": 0,
                },
            )
            count, __, charged, __, delivered, *__ = group[2:]
            line["taken"] += count
            line["delivered"] += delivered
            line["credits"] += charged
        return sorted(lines.values(), key=lambda line: -line["taken"])[:MAX_LINES]

    def _get_sms_ovh_delivery_seconds(self):
        """Return within how many seconds half of the SMS were delivered, and nine
        tenths: what is behind them says more than an average, which one phone that was
        off for a day spoils.

        :return: (median, 90th percentile), both False where nothing is known
        :rtype: tuple
        """
        self.ensure_one()
        ((median, slowest_tenth),) = self.env.execute_query(
            SQL(
                """
                SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),
                       percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)
                  FROM (SELECT EXTRACT(EPOCH FROM delivered_at - date) AS seconds
                          FROM sms_ovh_log
                         WHERE mailing_id = %s AND delivered_at IS NOT NULL) delivered
                """,
                self.id,
            )
        )
        if median is None:
            return False, False
        return median, slowest_tenth

    def _is_sms_ovh_compared(self):
        """Return whether there are versions of this campaign to compare."""
        self.ensure_one()
        return bool(
            self.ab_testing_enabled
            and self.campaign_id
            and self.ab_testing_mailings_sms_count > 1
        )

    # ------------------------------------------------------------
    # Where the figures come from
    # ------------------------------------------------------------

    def action_view_sms_ovh_report(self, group=None, value=None):
        """Open the analysis of this campaign's SMS.

        :param str|None group: ``country_id`` or ``sender_id``, to look at one of them
        :param int|None value: id of that one; False for those without
        """
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.actions"]._for_xml_id(
            "sms_ovh.sms_ovh_report_action"
        )
        domain = [("mailing_id", "=", self.id)]
        if group in ("country_id", "sender_id"):
            domain.append((group, "=", value))
        return {
            **action,
            "display_name": self.env._("Results of %s", self.subject),
            "domain": domain,
            "context": {
                "pivot_row_groupby": ["country_id", "sender_id"],
                "pivot_column_groupby": [],
                "graph_groupbys": ["country_id"],
            },
        }

    def action_sms_ovh_compare_versions(self):
        """Compare what versions of an SMS came to; of others, as Odoo does."""
        self.ensure_one()
        self.check_access("read")
        if self.mailing_type != "sms" or not self.sms_ovh_account_id:
            return self.action_compare_versions()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "sms_ovh.sms_ovh_report_action"
        )
        name = self.env._("A/B Tests")
        return {
            **action,
            "display_name": name,
            "domain": [
                ("campaign_id", "=", self.campaign_id.id),
                ("ab_version", "!=", False),
            ],
            "context": {
                "pivot_row_groupby": ["ab_version", "mailing_id"],
                "pivot_column_groupby": [],
                "graph_groupbys": ["ab_version"],
                "graph_measure": "clicks",
            },
        }

    # ------------------------------------------------------------
    # The e-mail on results
    # ------------------------------------------------------------

    def _action_send_statistics(self):
        """Override of `mass_mailing` to tell nobody of campaigns that are not theirs.

        Core reads each with the rights of its responsible, and one that may not read it
        would keep all others from being told.
        """
        others = self.filtered(
            lambda mailing: (
                mailing.sms_ovh_account_id
                and mailing.user_id
                and not mailing.with_user(mailing.user_id)
                .with_context(allowed_company_ids=mailing.user_id.company_ids.ids)
                .has_access("read")
            )
        )
        others.kpi_mail_required = False
        return super(MailingMailing, self - others)._action_send_statistics()

    def _prepare_statistics_email_values(self):
        """Override of `mass_mailing_sms` to add what was paid, and what came back."""
        values = super()._prepare_statistics_email_values()
        if self.mailing_type != "sms" or not self.sms_ovh_account_id:
            return values
        results = self.get_sms_ovh_results()
        charged = formatLang(
            self.env, results["credits"], digits=0 if results["credits"] % 1 == 0 else 2
        )
        price = self.env._("SMS CHARGED")
        if results["currency_id"]:
            currency = self.env["res.currency"].browse(results["currency_id"])
            price = self.env._(
                "SMS CHARGED (%s)", format_amount(self.env, results["cost"], currency)
            )
        values["kpi_data"].insert(
            1,
            {
                "kpi_fullname": self.env._("What it cost and what came back"),
                "kpi_col1": {"value": charged, "col_subtitle": price},
                "kpi_col2": {
                    "value": str(results["replies"]),
                    "col_subtitle": self.env._("REPLIES"),
                },
                "kpi_col3": {
                    "value": str(results["stops"]),
                    "col_subtitle": self.env._("STOP"),
                },
                "kpi_action": None,
                "kpi_name": "sms_ovh",
            },
        )
        return values
