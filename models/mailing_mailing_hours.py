from odoo import fields, models


class MailingMailing(models.Model):
    """When a campaign leaves: pause and resume."""

    _inherit = "mailing.mailing"

    sms_ovh_paused = fields.Boolean(
        string="Paused",
        readonly=True,
        copy=False,
        help="What OVHcloud does not have yet waits until somebody resumes.",
    )

    # Few are: who sends asks for these, not for all campaigns there ever were.
    _sms_ovh_paused_idx = models.Index("(id) WHERE sms_ovh_paused IS TRUE")

    def action_sms_ovh_pause(self):
        """Have what is not posted yet wait, what is not composed yet included."""
        self.filtered(
            lambda mailing: mailing.sms_ovh_account_id
            and mailing.state in ("in_queue", "sending")
        ).sms_ovh_paused = True

    def action_sms_ovh_resume(self):
        """Go on where the campaign was when it was paused."""
        paused = self.filtered("sms_ovh_paused")
        if not paused:
            return
        paused.sms_ovh_paused = False
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

    def action_cancel(self):
        """Override of `mass_mailing`: what is a draft again is not paused."""
        self.sms_ovh_paused = False
        return super().action_cancel()

    def action_send_sms(self, res_ids=None):
        """Override of `mass_mailing_sms` to compose nothing of a stopped campaign."""
        running = self.filtered(lambda mailing: not mailing._is_sms_ovh_stopped())
        return super(MailingMailing, running).action_send_sms(res_ids=res_ids)

    def _commit_sms_ovh_slice(self):
        """Override to stop at the next slice when somebody stopped the campaign."""
        return super()._commit_sms_ovh_slice() and not self._is_sms_ovh_stopped()

    def write(self, vals):
        """Override to call no campaign done of which SMS are still to leave."""
        if vals.get("state") != "done":
            return super().write(vals)
        waiting = self._filter_sms_ovh_waiting()
        if waiting:
            vals_waiting = {
                name: value
                for name, value in vals.items()
                if name not in ("state", "sent_date", "kpi_mail_required")
            }
            super(MailingMailing, waiting).write(vals_waiting)
        return super(MailingMailing, self - waiting).write(vals)

    def _filter_sms_ovh_waiting(self):
        """Return the campaigns of which composed SMS wait: for an hour, or to go on."""
        mailings = self.filtered(
            lambda mailing: mailing.mailing_type == "sms" and mailing.sms_ovh_account_id
        )
        return mailings.filtered("sms_ovh_paused")
