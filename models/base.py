from odoo import SUPERUSER_ID, models


class Base(models.AbstractModel):
    _inherit = "base"

    def _get_sms_ovh_companies(self):
        """Return which company sends the SMS about each of these records.

        The record's, as core has it for messages. Where it has none, the company that
        the user works in; for a cron, which works in none, that of the record's
        responsible.

        :rtype: dict[int, res.company]
        """
        companies = self._mail_get_companies()
        user_field = self._fields.get("user_id")
        by_user = (
            self.env.uid == SUPERUSER_ID
            and user_field is not None
            and user_field.comodel_name == "res.users"
        )
        for record in self:
            if companies[record.id]:
                continue
            company = self.env.company
            if by_user:
                # sudo: whoever it is.
                company = record.sudo().user_id.company_id or company
            companies[record.id] = company.with_env(self.env)
        return companies
