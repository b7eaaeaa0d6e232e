from odoo import api, fields, models


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    sms_ovh_company_id = fields.Many2one(
        "res.company",
        string="Sending Company",
        default=lambda self: self.env.company,
        help="The company whose SMS account sends this campaign and pays for it.",
    )
    sms_ovh_account_id = fields.Many2one(
        related="sms_ovh_company_id.sms_ovh_account_id",
        string="OVHcloud Account",
        related_sudo=True,
    )
    sms_ovh_sender_id = fields.Many2one(
        related="sms_ovh_account_id.default_sender_id",
        string="Sender",
        related_sudo=True,
    )
    sms_ovh_stop_clause = fields.Boolean(
        string="STOP Clause",
        compute="_compute_sms_ovh_stop_clause",
        store=True,
        readonly=False,
        help="OVHcloud adds a line by which recipients can opt out: 11 characters more."
        " The law asks for it in marketing SMS. With it, OVHcloud holds SMS back at"
        " night and at week-ends.",
    )

    @api.depends("sms_ovh_company_id", "mailing_type")
    def _compute_sms_ovh_stop_clause(self):
        for mailing in self:
            sender = mailing.sudo().sms_ovh_account_id.default_sender_id
            mailing.sms_ovh_stop_clause = (
                mailing.mailing_type == "sms" and sender.has_stop_clause
            )

    @api.depends("sms_ovh_company_id")
    def _compute_sms_has_iap_failure(self):
        """Override of `mass_mailing_sms`: nobody buys Odoo's credits for OVHcloud."""
        ovh_mailings = self.filtered("sms_ovh_account_id")
        ovh_mailings.sms_has_insufficient_credit = False
        ovh_mailings.sms_has_unregistered_account = False
        return super(
            MailingMailing, self - ovh_mailings
        )._compute_sms_has_iap_failure()

    def action_view_sms_ovh_traces(self):
        """Open the list of what became of each recipient's SMS."""
        self.ensure_one()
        action = self._action_view_traces_filtered("sent")
        action.update(
            name=self.env._("SMS of %s", self.subject),
            domain=[("mass_mailing_id", "=", self.id)],
            context={"create": False},
        )
        return action
