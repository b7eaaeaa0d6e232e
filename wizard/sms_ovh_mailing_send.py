from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.client_actions import open_dialog
from ..tools.credits import format_credits
from ..tools.gsm7_filling import PLACEHOLDERS
from .sms_ovh_number_correction import FAULTS


class SmsOvhMailingSend(models.TransientModel):
    """Shows the estimate of a campaign, to look at or to confirm the sending."""

    _name = "sms.ovh.mailing.send"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Sending of an SMS Campaign"

    _sms_ovh_guarded_links = {"mailing_id": "write"}

    mailing_id = fields.Many2one(
        "mailing.mailing", required=True, readonly=True, ondelete="cascade"
    )
    mode = fields.Selection(
        [
            ("estimate", "Look"),
            ("send", "Send"),
            ("now", "Send in This Instant"),
            ("schedule", "Schedule"),
        ],
        required=True,
        readonly=True,
    )
    schedule_date = fields.Datetime(string="Send On")
    leaves = fields.Char(related="mailing_id.sms_ovh_leaves")
    account_id = fields.Many2one(related="mailing_id.sms_ovh_account_id")
    sender_name = fields.Char(
        string="Sender", related="mailing_id.sms_ovh_sender_id.display_name"
    )
    sender_warning = fields.Char(related="mailing_id.sms_ovh_sender_warning")
    stop_missing = fields.Boolean(related="mailing_id.sms_ovh_stop_missing")
    kind = fields.Selection(related="mailing_id.sms_ovh_kind")
    estimate_id = fields.Many2one(related="mailing_id.sms_ovh_estimate_id")
    stale = fields.Boolean(related="mailing_id.sms_ovh_estimate_stale")
    state = fields.Selection(related="estimate_id.state")
    error = fields.Char(related="estimate_id.error")
    error_res_id = fields.Integer(related="estimate_id.error_res_id")
    rates_error = fields.Char(related="estimate_id.rates_error")
    total = fields.Integer(related="estimate_id.total")
    treated = fields.Integer(related="estimate_id.treated")
    sent_count = fields.Integer(related="estimate_id.sent_count")
    excluded_count = fields.Integer(related="estimate_id.excluded_count")
    segment_count = fields.Integer(related="estimate_id.segment_count")
    credits = fields.Float(related="estimate_id.credits")
    date_done = fields.Datetime(related="estimate_id.date_done")
    excluded_line_ids = fields.Many2many(
        "sms.ovh.estimate.line", compute="_compute_lines", string="Left Out by Reason"
    )
    size_line_ids = fields.Many2many(
        "sms.ovh.estimate.line", compute="_compute_lines", string="SMS by Recipient"
    )
    country_line_ids = fields.Many2many(
        "sms.ovh.estimate.line", compute="_compute_lines", string="By Country"
    )
    several_count = fields.Integer(
        string="Several Numbers in One Field", compute="_compute_lines"
    )
    correctable = fields.Boolean(string="Numbers to Correct", compute="_compute_lines")
    country_notes = fields.Text(compute="_compute_lines")
    longest_name = fields.Char(compute="_compute_longest")
    longest_text = fields.Text(compute="_compute_longest")
    longest_segments = fields.Integer(related="estimate_id.longest_segments")
    gsm7_saved = fields.Char(string="What GSM-7 Saves", compute="_compute_gsm7")
    gsm7_advice = fields.Char(string="What GSM-7 Would Save", compute="_compute_gsm7")
    limited = fields.Boolean(compute="_compute_credits_left")
    credits_left = fields.Float(
        string="SMS Left", digits=(16, 2), compute="_compute_credits_left"
    )
    credits_after = fields.Float(
        string="Left Afterwards", digits=(16, 2), compute="_compute_credits_left"
    )
    credit_warning = fields.Char(compute="_compute_credits_left")
    refused = fields.Boolean(compute="_compute_credits_left")
    # What changed since the user last looked; shown once.
    change_notice = fields.Char(readonly=True)

    @api.depends("estimate_id.line_ids")
    def _compute_lines(self):
        for send in self:
            lines = send.estimate_id.line_ids.grouped("kind")
            none = self.env["sms.ovh.estimate.line"]
            send.excluded_line_ids = lines.get("excluded", none)
            send.size_line_ids = lines.get("size", none)
            send.country_line_ids = lines.get("country", none)
            several = lines.get("several", none)
            send.several_count = sum(several.mapped("count"))
            faults = set(send.excluded_line_ids.mapped("reason")).intersection(FAULTS)
            send.correctable = bool(several or faults)
            send.country_notes = "\n".join(
                f"{line.country_name}: {line.note}"
                for line in send.country_line_ids
                if line.note
            )

    @api.depends("estimate_id.longest_res_id")
    def _compute_longest(self):
        for send in self:
            record = send._get_readable(send.estimate_id.longest_res_id)
            send.longest_name = record.display_name if record else False
            send.longest_text = record and send._render_longest(record)

    def _render_longest(self, record):
        """Return the text that a recipient gets, False if rendering fails by now.

        It is not stored: a record's data is only for users who may read the record.
        """
        mailing = self.mailing_id._sms_ovh_as_sent()
        try:
            (rendered,) = mailing._sms_ovh_render(
                record.ids, sms_id=self.estimate_id.first_sms_id
            )
        except UserError:
            return False
        return rendered.text

    @api.depends("estimate_id.gsm7_saved_segments", "estimate_id.gsm7_better_segments")
    def _compute_gsm7(self):
        """Show what writing in GSM-7 saves, and what it could save."""
        for send in self:
            estimate = send.estimate_id
            send.gsm7_saved = send.gsm7_advice = False
            if estimate.gsm7_saved_segments > 0:
                send.gsm7_saved = self.env._(
                    "Writing in GSM-7 what has an equivalent saves: SMS: %(segments)s,"
                    " credits: %(credits)s.",
                    segments=estimate.gsm7_saved_segments,
                    credits=format_credits(self.env, estimate.gsm7_saved_credits),
                )
            if not estimate.gsm7_better or send.mailing_id.state != "draft":
                continue
            values = {
                "segments": estimate.gsm7_better_segments,
                "credits": format_credits(self.env, estimate.gsm7_better_credits),
            }
            send.gsm7_advice = (
                self.env._(
                    "Some SMS are Unicode for a name or what else placeholders fill"
                    " in. What writing it in GSM-7 (i for ï) would save: SMS:"
                    " %(segments)s, credits: %(credits)s.",
                    **values,
                )
                if estimate.gsm7_better == PLACEHOLDERS
                else self.env._(
                    "Some SMS are Unicode for letters that GSM-7 lacks. What writing"
                    " the text in GSM-7 (e for ê) would save: SMS: %(segments)s,"
                    " credits: %(credits)s.",
                    **values,
                )
            )

    def action_gsm7(self):
        """Apply the GSM-7 choice that saves the most, and estimate again."""
        self.ensure_one()
        self.check_access("write")
        self.mailing_id._sms_ovh_check_not_sent()
        self.mailing_id._sms_ovh_check_estimable()
        if better := self.estimate_id.gsm7_better:
            self.mailing_id.sms_ovh_gsm7 = better
        return self.action_estimate()

    def _get_readable(self, res_id):
        """Return a recipient, empty if it is gone or the user may not read it."""
        model = self.mailing_id.mailing_model_real
        if not model or not res_id:
            return self.env["res.partner"]
        return self.env[model].browse(res_id).exists()._filtered_access("read")

    @api.depends("credits", "account_id.credits_left", "estimate_id.state")
    def _compute_credits_left(self):
        for send in self:
            # sudo: the SMS left of the account that sends, and its company's rule.
            mailing_sudo = send.mailing_id.sudo()
            account_sudo = mailing_sudo.sms_ovh_account_id
            left = account_sudo._get_credits_to_spend() if account_sudo else None
            send.limited = left is not None
            send.credits_left = left or 0
            send.credits_after = (left or 0) - send.credits
            missing = send.state == "done" and left is not None and send.credits > left
            refuse = mailing_sudo.sms_ovh_company_id.sms_ovh_credit_policy == "refuse"
            send.refused = missing and refuse
            send.credit_warning = False
            if send.refused:
                send.credit_warning = self.env._(
                    "Credits that this campaign takes: %(needed)s; left: %(left)s. It"
                    " is not sent: buy a pack at OVHcloud, or write to fewer"
                    " recipients.",
                    needed=format_credits(self.env, send.credits),
                    left=format_credits(self.env, left),
                )
            elif missing:
                send.credit_warning = send.mailing_id._sms_ovh_get_missing_sentence()

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def _open(self):
        self.ensure_one()
        titles = {
            "estimate": self.env._("Estimate of the Campaign"),
            "send": self.env._("Send the Campaign"),
            "now": self.env._("Send the Campaign"),
            "schedule": self.env._("Schedule the Campaign"),
        }
        return open_dialog(titles[self.mode], self._name, self.id, dialog_size="medium")

    def action_estimate(self):
        """Start the estimate again."""
        self.ensure_one()
        self.check_access("write")
        self.mailing_id._sms_ovh_check_estimable()
        self.env["sms.ovh.estimate"]._start(self.mailing_id)
        self.change_notice = False
        return self._open()

    def action_cancel_estimate(self):
        """Stop the estimate."""
        self.ensure_one()
        self.check_access("write")
        self.estimate_id.action_cancel()
        return self._open()

    def action_correct_numbers(self):
        """List the recipients whose numbers need correcting, with proposals."""
        self.ensure_one()
        self.check_access("write")
        self.mailing_id.check_access("read")
        return (
            self.env["sms.ovh.number.correction"]
            ._create_for(self.estimate_id)
            ._open_list()
        )

    def action_add_stop(self):
        """Add to the text how recipients opt out, and estimate again."""
        self.ensure_one()
        self.check_access("write")
        self.mailing_id.action_sms_ovh_add_stop()
        return self.action_estimate()

    def action_open_longest(self):
        """Open the record that gets the longest text."""
        self.ensure_one()
        self.check_access("write")
        return self._open_record(self.estimate_id.longest_res_id)

    def action_open_error(self):
        """Open the record for which the text fails."""
        self.ensure_one()
        self.check_access("write")
        return self._open_record(self.error_res_id)

    def _open_record(self, res_id):
        return {
            "type": "ir.actions.act_window",
            "res_model": self.mailing_id.mailing_model_real,
            "res_id": res_id,
            "views": [(False, "form")],
            "target": "current",
        }

    def action_send(self):
        """Send the campaign, if the estimate's figures still hold.

        :raise UserError: if it cannot be sent, saying what to do
        """
        self.ensure_one()
        self.check_access("write")
        mailing = self.mailing_id
        if self.mode == "estimate":
            raise UserError(self.env._("Press Send in the campaign to send it."))
        # If two users send at once, the second is told here, or by the check below.
        if not mailing.try_lock_for_update():
            raise UserError(
                self.env._(
                    "Somebody else is working on this campaign in this moment. Look at"
                    " it again before you send it."
                )
            )
        mailing.invalidate_recordset(["state", "write_uid"])
        mailing._sms_ovh_check_not_sent()
        mailing._sms_ovh_check_estimable()
        if self.mode == "schedule":
            self._check_schedule_date()
        if changed := self._get_change():
            if not changed[0]:
                raise UserError(changed[1])
            self.env["sms.ovh.estimate"]._start(mailing)
            self.change_notice = changed[1]
            return self._open()
        if self.state != "done":
            raise UserError(
                self.error or self.env._("Wait until the estimate is there, then send.")
            )
        if not self.sent_count:
            raise UserError(
                self.env._("Nobody would get this campaign: look at who is left out.")
            )
        if self.refused:
            raise UserError(self.credit_warning)
        if self.mode == "now":
            mailing.action_send_mail()
        elif self.mode == "schedule":
            mailing.write(
                {"schedule_type": "scheduled", "schedule_date": self.schedule_date}
            )
            mailing.action_schedule()
        else:
            mailing.write({"schedule_type": "now", "schedule_date": False})
            mailing.action_put_in_queue()
        return {"type": "ir.actions.act_window_close"}

    def _check_schedule_date(self):
        """Refuse a missing or past date.

        :raise UserError: saying what to do
        """
        if not self.schedule_date:
            raise UserError(self.env._("Choose when the campaign is to be sent."))
        if self.schedule_date <= fields.Datetime.now():
            raise UserError(self.env._("This date is past. Choose a later one."))

    def _get_change(self):
        """Return the number of recipients and a notice, or None if nothing changed.

        :rtype: tuple[int, str]|None
        """
        mailing = self.mailing_id
        if self.state == "running":
            return None
        count = mailing._sms_ovh_count_recipients()
        if not count:
            return 0, self.env._(
                "The list is empty now: nobody is left to write to. Nothing was sent."
            )
        if not mailing._sms_ovh_has_fresh_estimate() and self.state == "done":
            return count, self.env._(
                "The campaign or its recipients have changed since the estimate: here"
                " are the new figures. Nothing was sent yet."
            )
        return None
