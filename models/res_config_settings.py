from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..mixins.sms_ovh_hours_mixin import HOURS_FIELDS, get_preset_values
from .res_company import RULE_FIELDS


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    sms_ovh_enabled = fields.Boolean(
        string="Send SMS with OVHcloud",
        compute="_compute_sms_ovh_enabled",
        store=True,
        readonly=False,
    )
    sms_ovh_account_id = fields.Many2one(
        related="company_id.sms_ovh_account_id",
        readonly=False,
        domain="[('company_id', '=', company_id), ('service_name', '!=', False)]",
    )

    sms_ovh_campaign_kind = fields.Selection(
        related="company_id.sms_ovh_campaign_kind", readonly=False
    )
    sms_ovh_message_kind = fields.Selection(
        related="company_id.sms_ovh_message_kind", readonly=False
    )

    sms_ovh_gsm7 = fields.Selection(related="company_id.sms_ovh_gsm7", readonly=False)
    sms_ovh_skip_landlines = fields.Boolean(
        related="company_id.sms_ovh_skip_landlines", readonly=False
    )
    sms_ovh_credit_policy = fields.Selection(
        related="company_id.sms_ovh_credit_policy", readonly=False
    )

    sms_ovh_quiet_hours = fields.Boolean(
        string="Quiet Hours",
        compute="_compute_sms_ovh_hours",
        store=True,
        readonly=False,
    )
    sms_ovh_hours_preset = fields.Selection(
        [
            ("ovhcloud", "As OVHcloud"),
            ("charter", "Operators' charter"),
            ("charter_all", "Operators' charter, with Sundays and holidays"),
            ("other", "Other hours"),
        ],
        string="Hours of Marketing SMS",
        compute="_compute_sms_ovh_hours_preset",
        readonly=False,
        help="No law names hours. OVHcloud holds SMS with the STOP clause back outside"
        " its own, French time, whatever is chosen here; the charter is that of the"
        " French operators, of 2026.",
    )
    sms_ovh_hours_country_count = fields.Integer(
        string="Countries With Hours of Their Own",
        compute="_compute_sms_ovh_hours_country_count",
    )
    sms_ovh_open_from = fields.Float(
        string="From", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_to = fields.Float(
        string="To", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_monday = fields.Boolean(
        string="Monday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_tuesday = fields.Boolean(
        string="Tuesday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_wednesday = fields.Boolean(
        string="Wednesday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_thursday = fields.Boolean(
        string="Thursday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_friday = fields.Boolean(
        string="Friday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_saturday = fields.Boolean(
        string="Saturday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_sunday = fields.Boolean(
        string="Sunday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_keep_holidays = fields.Boolean(
        string="Not on Public Holidays",
        compute="_compute_sms_ovh_hours",
        store=True,
        readonly=False,
    )

    @api.depends("company_id")
    def _compute_sms_ovh_enabled(self):
        for settings in self:
            settings.sms_ovh_enabled = bool(settings.company_id.sms_ovh_account_id)

    @api.onchange("sms_ovh_enabled")
    def _onchange_sms_ovh_enabled(self):
        if not self.sms_ovh_enabled:
            self.sms_ovh_account_id = False
        elif not self.sms_ovh_account_id:
            self.sms_ovh_account_id = self.env["sms.ovh.account"].search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("service_name", "!=", False),
                ],
                limit=1,
            )

    @api.depends("company_id")
    def _compute_sms_ovh_hours(self):
        for settings in self:
            for name in RULE_FIELDS:
                settings[name] = settings.company_id[name]

    @api.depends(*HOURS_FIELDS)
    def _compute_sms_ovh_hours_preset(self):
        for settings in self:
            settings.sms_ovh_hours_preset = next(
                (
                    preset
                    for preset in const.HOURS_PRESETS
                    if all(
                        settings[name] == value
                        for name, value in get_preset_values(preset).items()
                    )
                ),
                "other",
            )

    @api.onchange("sms_ovh_hours_preset")
    def _onchange_sms_ovh_hours_preset(self):
        self.update(get_preset_values(self.sms_ovh_hours_preset))

    @api.depends("company_id")
    def _compute_sms_ovh_hours_country_count(self):
        for settings in self:
            settings.sms_ovh_hours_country_count = len(
                settings.company_id.sms_ovh_hours_ids
            )

    def action_sms_ovh_country_hours(self):
        """Open the countries that have hours of their own."""
        self.ensure_one()
        self.check_access("write")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_ovh.sms_ovh_hours_action"
        )
        return {
            **action,
            "domain": [("company_id", "=", self.company_id.id)],
            "context": {"default_company_id": self.company_id.id},
        }

    def set_values(self):
        """Override of `base` to write all hours of the company at once.

        They are checked together. Enabling OVHcloud without an account is refused.
        """
        for settings in self:
            company = settings.company_id
            values = {
                name: settings[name]
                for name in RULE_FIELDS
                if settings[name] != company[name]
            }
            if values:
                company.write(values)
        for settings in self:
            if settings.sms_ovh_enabled and not settings.sms_ovh_account_id:
                raise UserError(
                    self.env._(
                        "To send SMS with OVHcloud, choose the account to send with,"
                        " or create one with “Configure the account”."
                    )
                )
        return super().set_values()

    def action_sms_ovh_configure(self):
        """Open the company's OVHcloud account, or the form of a new one."""
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("OVHcloud account"),
            "res_model": "sms.ovh.account",
            "res_id": self.sms_ovh_account_id.id,
            "view_mode": "form",
            "context": {"default_company_id": self.company_id.id},
        }

    def action_sms_ovh_test_connection(self):
        """Test the chosen account. See :meth:`sms.ovh.account.action_test_connection`.

        :raise UserError: if no account is chosen
        """
        self.ensure_one()
        self.check_access("write")
        if not self.sms_ovh_account_id:
            raise UserError(self.env._("Choose an OVHcloud account first."))
        return self.sms_ovh_account_id.action_test_connection()
