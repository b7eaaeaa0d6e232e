from odoo import models

from ..models.res_partner import MERGING


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Override of `base` to erase no data: the remaining contact gets all of it.

        Odoo deletes the other contacts, and elsewhere that means to erase their data.
        """
        self = self.with_context(sms_ovh_merging=MERGING)
        result = super()._merge(partner_ids, dst_partner, extra_checks)
        partners = self.env["res.partner"].browse(partner_ids)
        kept = partners.exists()
        if len(kept) == 1:
            # sudo: replies of contacts that this user may merge.
            self.env["sms.ovh.reply"].sudo().search(
                [
                    ("res_model", "=", partners._name),
                    ("res_id", "in", (partners - kept).ids),
                ]
            ).res_id = kept.id
        return result
