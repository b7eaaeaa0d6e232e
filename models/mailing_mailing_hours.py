from odoo import api, fields, models

from .. import const


class MailingMailing(models.Model):
    """When a campaign leaves: quiet hours, pause and resume."""

    _inherit = "mailing.mailing"

    sms_ovh_leaves = fields.Char(
        string="When It Leaves", compute="_compute_sms_ovh_leaves", compute_sudo=True
    )
    sms_ovh_hours_off = fields.Boolean(
        string="Quiet Hours Off", compute="_compute_sms_ovh_leaves", compute_sudo=True
    )

    sms_ovh_paused = fields.Boolean(
        string="Paused",
        readonly=True,
        copy=False,
        help="What OVHcloud does not have yet waits until somebody resumes.",
    )

    # Few are: who sends asks for these, not for all campaigns there ever were.
    _sms_ovh_paused_idx = models.Index("(id) WHERE sms_ovh_paused IS TRUE")

    @api.depends(
        "mailing_type",
        "schedule_date",
        "schedule_type",
        "sms_ovh_company_id.sms_ovh_account_id",
        "sms_ovh_company_id.sms_ovh_quiet_hours",
        "sms_ovh_kind",
        "state",
    )
    @api.depends_context("lang", "tz")
    def _compute_sms_ovh_leaves(self):
        """Say when a campaign goes that quiet hours hold, and whether they are off.

        And what one waits for that should have gone by now.
        """
        self.sms_ovh_leaves = self.sms_ovh_hours_off = False
        now = fields.Datetime.now()
        for mailing in self.filtered("sms_ovh_account_id"):
            company = mailing.sms_ovh_company_id
            if mailing.mailing_type != "sms":
                continue
            mailing.sms_ovh_leaves = mailing._get_sms_ovh_stuck()
            if mailing.sms_ovh_kind != "marketing":
                continue
            if mailing.state in ("draft", "in_queue"):
                mailing.sms_ovh_hours_off = not company.sms_ovh_quiet_hours
                scheduled = mailing.state == "in_queue" or (
                    mailing.schedule_type == "scheduled"
                )
                wanted_at = max(scheduled and mailing.schedule_date or now, now)
                opening = company._get_sms_ovh_opening(wanted_at)
                if opening > wanted_at:
                    mailing.sms_ovh_leaves = mailing._get_sms_ovh_leaves(
                        opening, wanted_at > now or mailing.state == "in_queue"
                    )
            elif mailing.state == "sending":
                rest_leaves = mailing._get_sms_ovh_rest_leaves()
                mailing.sms_ovh_leaves = rest_leaves or mailing.sms_ovh_leaves

    @api.model
    def _get_sms_ovh_late_domain(self):
        """Return the domain of campaigns that should be composed by now, and are not.

        :rtype: list
        """
        late = fields.Datetime.now() - const.WAKE_AFTER
        return [
            ("mailing_type", "=", "sms"),
            ("sms_ovh_company_id.sms_ovh_account_id", "!=", False),
            ("sms_ovh_paused", "=", False),
            ("sms_ovh_cancel_state", "=", False),
            ("write_date", "<", late),
            "|",
            "&",
            ("state", "=", "sending"),
            ("sms_ovh_composing", "=", True),
            "&",
            ("state", "=", "in_queue"),
            "|",
            ("schedule_date", "=", False),
            ("schedule_date", "<", late),
        ]

    def _get_sms_ovh_stuck(self):
        """Return the sentence on what a campaign that is late waits for.

        :return: False where it waits for nothing
        :rtype: str|bool
        """
        self.ensure_one()
        if not self.filtered_domain(self._get_sms_ovh_late_domain()):
            return False
        # sudo: a scheduled action, for who sends campaigns.
        cron_sudo = self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").sudo()
        if not cron_sudo.active:
            return self.env._(
                "Nothing leaves: the scheduled action “%s” is switched off. Ask an"
                " administrator to switch it on again.",
                cron_sudo.name,
            )
        return self.env._(
            "It waits for the scheduled action “%s”, which is busy with other campaigns,"
            " or was stopped and is run again within minutes. If this stays, ask an"
            " administrator whether scheduled actions run.",
            cron_sudo.name,
        )

    def _get_sms_ovh_leaves(self, opening, decided):
        """Return the sentence on when a campaign leaves that nobody composed yet.

        :param datetime opening: in UTC
        :param bool decided: whether its date is known, or it is if sent now
        """
        self.ensure_one()
        values = self.sms_ovh_company_id._describe_sms_ovh_opening(opening)
        if decided:
            return self.env._(
                "Leaves on %(day)s at %(time)s: marketing SMS keep quiet hours.",
                **values,
            )
        return self.env._(
            "If you send it now, it leaves on %(day)s at %(time)s: marketing SMS keep"
            " quiet hours.",
            **values,
        )

    def _get_sms_ovh_rest_leaves(self):
        """Return the sentence on the SMS of a campaign that wait, False where none do."""
        self.ensure_one()
        count, first, last = self._read_sms_ovh_held()
        if not count:
            return False
        company = self.sms_ovh_company_id
        values = company._describe_sms_ovh_opening(first)
        if first == last:
            return self.env._(
                "SMS that leave on %(day)s at %(time)s, since marketing SMS keep quiet"
                " hours: %(count)s.",
                count=count,
                **values,
            )
        last_values = company._describe_sms_ovh_opening(last)
        return self.env._(
            "SMS that wait for the recipients' hours: %(count)s. The first leaves on"
            " %(day)s at %(time)s, the last on %(last_day)s at %(last_time)s.",
            count=count,
            last_day=last_values["day"],
            last_time=last_values["time"],
            **values,
        )

    def _read_sms_ovh_held(self):
        """Return how many SMS of these campaigns wait for an hour, the first and last.

        Those in the queue, and those in the outbox that were still there when the day
        ended.

        :rtype: tuple[int, datetime|bool, datetime|bool]
        """
        now = fields.Datetime.now()
        # sudo: whoever sees the campaign may know.
        ((count, first, last),) = (
            self.env["sms.sms"]
            .sudo()
            ._read_group(
                [
                    ("mailing_id", "in", self.ids),
                    ("state", "=", "outgoing"),
                    ("sms_ovh_send_at", ">", now),
                ],
                [],
                ["__count", "sms_ovh_send_at:min", "sms_ovh_send_at:max"],
            )
        )
        moments = [first, last] if count else []
        groups = (
            self.env["sms.ovh.job"]
            .sudo()
            ._read_group(
                [
                    ("mailing_id", "in", self.ids),
                    ("state", "=", "queued"),
                    ("kind", "=", "marketing"),
                    ("next_attempt", ">", now),
                ],
                ["account_id", "country_code"],
                ["receiver_count:sum", "next_attempt:min", "next_attempt:max"],
            )
        )
        for account, country_code, receivers, job_first, job_last in groups:
            # Others only try again, in a moment.
            if account.company_id._get_sms_ovh_opening(now, country_code) > now:
                count += receivers
                moments += [job_first, job_last]
        if not moments:
            return 0, False, False
        return count, min(moments), max(moments)

    def action_view_sms_ovh_quiet_hours(self):
        """Open the settings where quiet hours are."""
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Settings"),
            "res_model": "res.config.settings",
            "view_mode": "form",
            "target": "current",
            "context": {"module": "general_settings", "bin_size": False},
        }

    def action_sms_ovh_pause(self):
        """Have what is not posted yet wait, what is not composed yet included."""
        self.check_access("write")
        # sudo: nobody writes this by hand.
        self.filtered(
            lambda mailing: (
                mailing._is_by_sms_ovh() and mailing.state in ("in_queue", "sending")
            )
        ).sudo().sms_ovh_paused = True

    def action_sms_ovh_resume(self):
        """Go on where the campaign was when it was paused."""
        self.check_access("write")
        paused = self.filtered("sms_ovh_paused")
        if not paused:
            return
        # sudo: nobody writes this by hand.
        paused.sudo().sms_ovh_paused = False
        paused._trigger_sms_ovh_crons()

    def _trigger_sms_ovh_crons(self):
        """Have all that sends a campaign run: composing, the queue, the outbox."""
        for xmlid in (
            "mass_mailing.ir_cron_mass_mailing_queue",
            "sms.ir_cron_sms_scheduler_action",
            "sms_ovh.ir_cron_post_jobs",
        ):
            # sudo: who sends campaigns need not have rights on scheduled actions.
            self.env.ref(xmlid).sudo()._trigger()

    def _is_sms_ovh_stopped(self):
        """Whether nothing of this campaign is composed or sent for now."""
        self.ensure_one()
        return self.sms_ovh_paused

    def _commit_sms_ovh_slice(self):
        """Override to stop at the next slice when somebody stopped the campaign."""
        return super()._commit_sms_ovh_slice() and not self._is_sms_ovh_stopped()

    def _filter_sms_ovh_waiting(self):
        """Return the campaigns of which composed SMS wait: for an hour, or to go on."""
        mailings = self.filtered(
            lambda mailing: mailing.mailing_type == "sms" and mailing._is_by_sms_ovh()
        )
        return mailings.filtered(
            lambda mailing: mailing.sms_ovh_paused or mailing._read_sms_ovh_held()[0]
        )
