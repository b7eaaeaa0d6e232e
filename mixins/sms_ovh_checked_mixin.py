from odoo import api, fields, models

from .. import const


class SmsOvhCheckedMixin(models.AbstractModel):
    """What operators said of a person's phone number. See `sms.ovh.number.check`."""

    _name = "sms.ovh.checked.mixin"
    _description = "Person Whose Phone Number Can Be Checked"

    # Fields with buttons under a text: all users may use them, like Odoo's own.
    _sms_ovh_text_fields = ()

    sms_ovh_check_result = fields.Selection(
        const.CHECK_RESULTS,
        string="Number Check",
        compute="_compute_sms_ovh_check",
        search="_search_sms_ovh_check_result",
        groups="mass_mailing.group_mass_mailing_user",
        help="What operators said of the number when OVHcloud was asked.",
    )
    sms_ovh_checked_at = fields.Datetime(
        string="Number Checked On",
        compute="_compute_sms_ovh_check",
        groups="mass_mailing.group_mass_mailing_user",
    )

    @api.depends("phone_sanitized")
    @api.depends_context("company")
    def _compute_sms_ovh_check(self):
        Check = self.env["sms.ovh.number.check"]
        found = Check._find_latest(self.env.company, self.mapped("phone_sanitized"))
        # sudo: checks of the user's current company.
        checks_sudo = Check.sudo().browse(found.values())
        checks = {check.number: check for check in checks_sudo}
        for record in self:
            check = checks.get(record.phone_sanitized, Check)
            record.sms_ovh_check_result = check.result
            record.sms_ovh_checked_at = check.checked_at

    def _search_sms_ovh_check_result(self, operator, value):
        if operator != "in":
            return NotImplemented
        Check = self.env["sms.ovh.number.check"]
        domain = [("company_id", "=", self.env.company.id)]
        results = [result for result in value if result]
        found = Check._search([*domain, ("result", "in", results)]).subselect("number")
        matching = [("phone_sanitized", "in", found)]
        if len(results) == len(value):
            return matching
        # Records whose number was not checked.
        checked = Check._search([*domain, ("result", "!=", False)]).subselect("number")
        return [
            "|",
            *matching,
            "|",
            ("phone_sanitized", "=", False),
            ("phone_sanitized", "not in", checked),
        ]

    @api.model
    def mail_allowed_qweb_expressions(self):
        """Override of `mail` to let all users write the fields with buttons."""
        return (
            *super().mail_allowed_qweb_expressions(),
            *(f"object.{name}" for name in self._sms_ovh_text_fields),
        )

    def action_sms_ovh_check_numbers(self):
        """Open the dialog that checks whether these persons' numbers are in service."""
        self.check_access("read")
        return self.env["sms.ovh.number.check.request"]._open_for_records(self)
