from odoo import api, models

# In a context: contacts are merged. An object, so that no external caller can pass it.
MERGING = object()


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "sms.ovh.checked.mixin"]

    _sms_ovh_text_fields = ("city", "commercial_company_name")

    @api.model_create_multi
    def create(self, vals_list):
        """Override to link a contact made from a reply to that number's replies."""
        partners = super().create(vals_list)
        reply_id = self.env.context.get("sms_ovh_reply_id")
        if not reply_id:
            return partners
        reply = self.env["sms.ovh.reply"]
        # A context may come from anywhere: accept only replies that the user may read.
        if isinstance(reply_id, int):
            reply = reply.browse(reply_id).exists()._filtered_access("read")
        number = reply and reply._get_number()
        partner = partners.filtered(
            lambda partner: number and partner.phone_sanitized == number
        )[:1]
        if partner:
            # sudo: users may only read replies; creating the contact links them to it.
            reply.sudo().search(
                [
                    ("account_id", "=", reply.account_id.id),
                    ("number", "=", reply.number),
                    ("partner_id", "=", False),
                ],
                order="id",
            )._adopt_partner(partner)
        return partners

    @api.ondelete(at_uninstall=False)
    def _unlink_forget_sms_ovh(self):
        """Erase the data held on these contacts, unless a merge passes it on."""
        if self.env.context.get("sms_ovh_merging") is not MERGING:
            self.env["sms.ovh.privacy"]._forget(self)
