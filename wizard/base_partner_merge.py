from odoo import models

from ..models.res_partner import MERGING


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Override of `base` to erase nothing: the contact that stays gets it all.

        Odoo deletes the others, which elsewhere says that their data is to be erased.
        """
        self = self.with_context(sms_ovh_merging=MERGING)
        result = super()._merge(partner_ids, dst_partner, extra_checks)
        partners = self.env["res.partner"].browse(partner_ids)
        kept = partners.exists()
        if len(kept) == 1:
            # sudo: what belonged to contacts that this user may merge.
            self.env["sms.ovh.reply"].sudo().search(
                [
                    ("res_model", "=", partners._name),
                    ("res_id", "in", (partners - kept).ids),
                ]
            ).res_id = kept.id
        return result
