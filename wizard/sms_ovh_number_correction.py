import phonenumbers

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..tools.phone_number import get_number_sentences, propose_number

# Reasons for which an estimate leaves numbers out that can be corrected.
FAULTS = ("sms_number_format", *const.KIND_TO_FAILURE_TYPE.values())
# Most recipients listed. If there are more, users correct some, then estimate again.
MAX_LISTED = 1000


class SmsOvhNumberCorrection(models.TransientModel):
    """A recipient whose number cannot be used, or not as it stands, with a proposal.

    The record keeps what was typed until a user accepts the proposal.
    """

    _name = "sms.ovh.number.correction"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Correction of a Phone Number"
    _order = "id"
    _rec_name = "record_name"

    _sms_ovh_guarded_links = {"mailing_id": "write"}

    mailing_id = fields.Many2one(
        "mailing.mailing", required=True, readonly=True, ondelete="cascade"
    )
    res_model = fields.Char(
        string="Model of the Document", required=True, readonly=True
    )
    res_id = fields.Many2oneReference(
        string="Document's ID", model_field="res_model", required=True, readonly=True
    )
    field_name = fields.Char(string="Field of the Number", required=True, readonly=True)
    record_name = fields.Char(string="Contact", readonly=True)
    typed = fields.Char(string="As Typed", readonly=True)
    proposal = fields.Char(help="Change it as you like, then accept it.")
    reason = fields.Char(string="Why", readonly=True)
    state = fields.Selection(
        [("open", "To Decide"), ("accepted", "Accepted")],
        default="open",
        required=True,
        readonly=True,
    )

    @api.model
    def _create_for(self, estimate):
        """List the recipients of an estimate with unusable or several numbers.

        :param estimate: `sms.ovh.estimate` that is done
        :return: one correction for each record that the user may read
        """
        mailing = estimate.mailing_id
        lines = estimate.line_ids.filtered(
            lambda line: line.kind == "several" or line.reason in FAULTS
        )
        # sudo: the user's rights on the records are checked below.
        ids = [res_id for line in lines.sudo() for res_id in line.res_ids or []]
        company = mailing.sms_ovh_company_id or self.env.company
        records = self.env[mailing.mailing_model_real].browse(ids[:MAX_LISTED])
        records = records.exists()._filtered_access("read")
        # sudo: numbers are read as for the campaign, in the company that sends.
        infos = records.sudo().with_company(company)._sms_get_recipients_info()
        return self.create(
            [
                self._prepare_values(mailing, company, record, infos[record.id])
                for record in records
            ]
        )

    @api.model
    def _prepare_values(self, mailing, company, record, info):
        """Return the values of one recipient's correction.

        :param dict info: core's result for the record, see `_sms_get_recipients_info`
        """
        target = info["partner"] if info["partner_store"] else record.sudo()
        country = target._phone_get_country().get(target.id) if target else None
        country_code = country.code if country else None
        typed = info["number"] or ""
        found = company._sms_ovh_clean_number(typed, country_code)
        if found.reason:
            reason = get_number_sentences(self.env)[found.reason]
            number = propose_number(typed, country_code, company.country_id.code)
        elif found.takes_sms:
            reason = self.env._("Several numbers: the first mobile gets the SMS.")
            number = found.number
        else:
            labels = dict(
                self.env["sms.sms"]
                ._fields["failure_type"]
                ._description_selection(self.env)
            )
            reason = self.env._(
                "No mobile: %s. Nobody can read an SMS there.",
                labels[const.KIND_TO_FAILURE_TYPE[found.kind]],
            )
            number = None
        return {
            "mailing_id": mailing.id,
            "res_model": target._name,
            "res_id": target.id,
            "field_name": info["field_store"],
            "record_name": record.display_name,
            "typed": typed,
            "proposal": self._format(number) if number else False,
            "reason": reason,
        }

    @api.model
    def _format(self, number):
        """Return a number in E.164 in the format that Odoo writes on contacts."""
        return phonenumbers.format_number(
            phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL
        )

    def _open_list(self):
        """Return the action that lists these corrections."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Correct the Numbers"),
            "res_model": self._name,
            "view_mode": "list,kanban",
            # Phones show the kanban view.
            "views": [(False, "list"), (False, "kanban")],
            "domain": [("id", "in", self.ids)],
            "target": "current",
            "context": {"sms_ovh_mailing_id": self.mailing_id[:1].id},
        }

    def action_accept(self):
        """Write these proposals on their records.

        :raise UserError: if a proposal is not a number that SMS can be sent to
        """
        self.check_access("write")
        for correction in self.filtered(lambda correction: correction.state == "open"):
            if correction.proposal:
                correction._accept()
        # Estimates made with the previous numbers no longer hold.
        # sudo: users may not write estimates.
        self.mailing_id.sudo().sms_ovh_estimate_ids.fingerprint = False
        return True

    def action_accept_all(self):
        """Write all proposals of the current list."""
        self.search(
            [
                ("mailing_id", "=", self.env.context.get("sms_ovh_mailing_id")),
                ("create_uid", "=", self.env.uid),
                ("state", "=", "open"),
                ("proposal", "!=", False),
            ]
        ).action_accept()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _accept(self):
        self.ensure_one()
        model = self.env.get(self.res_model, self.env["mailing.contact"])
        record = model.browse(self.res_id)
        record.check_access("write")
        if model._name != self.res_model or (
            self.field_name not in getattr(record, "_phone_get_number_fields", list)()
        ):
            raise UserError(
                self.env._(
                    "“%s” is no field for phone numbers. Open the list of numbers from"
                    " the estimate again.",
                    self.field_name,
                )
            )
        company = self.mailing_id.sms_ovh_company_id or self.env.company
        country = record._phone_get_country().get(record.id)
        found = company._sms_ovh_clean_number(
            self.proposal, country.code if country else None
        )
        if not found.takes_sms:
            sentences = get_number_sentences(self.env)
            raise UserError(
                self.env._(
                    "“%(number)s” for %(name)s: %(reason)s",
                    number=self.proposal,
                    name=self.record_name,
                    reason=sentences.get(
                        found.reason, self.env._("Enter a mobile number.")
                    ),
                )
            )
        number = self._format(found.number)
        record[self.field_name] = number
        if self.typed and hasattr(record, "_message_log"):
            record._message_log(
                body=self.env._(
                    "Phone number corrected: %(typed)s became %(number)s.",
                    typed=self.typed,
                    number=number,
                )
            )
        self.write({"state": "accepted", "proposal": number})

    def action_open(self):
        """Open the record."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }
