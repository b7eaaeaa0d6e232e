from odoo import models


class MailingList(models.Model):
    _inherit = "mailing.list"

    def action_sms_ovh_check_numbers(self):
        """Open the dialog that checks whether these lists' numbers are in service."""
        self.check_access("read")
        return self.env["sms.ovh.number.check.request"]._open_for_lists(self)

    def action_sms_ovh_wrong_numbers(self):
        """Open the contacts of these lists whose number is unreadable or missing."""
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Contacts without a Mobile Number"),
            "res_model": "mailing.contact",
            "views": [(False, "list"), (False, "kanban"), (False, "form")],
            "domain": [("list_ids", "in", self.ids), ("phone_sanitized", "=", False)],
            "context": {"mailing_sms": True, "default_list_ids": self.ids},
        }
