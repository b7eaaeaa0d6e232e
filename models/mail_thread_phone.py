from odoo import models

# What people put between the digits of a number, as `phonenumbers` formats it, too.
SEPARATORS = str.maketrans("", "", " \u00a0\u202f.-()/")


class MailThreadPhone(models.AbstractModel):
    _inherit = "mail.thread.phone"

    def _phone_format(
        self,
        fname=False,
        number=False,
        country=False,
        force_format="E164",
        raise_exception=False,
    ):
        """Override of `phone_validation` to read no number twice.

        What a record has in `phone_sanitized` was read and found valid when the record
        was saved. A number that has the same digits, its country's code included, is
        that one: reading it again is a fifth of what composing a campaign takes. Only
        where the context says so, which no computation of `phone_sanitized` itself does.
        """
        if (
            fname
            and not number
            and force_format == "E164"
            and self.env.context.get("sms_ovh_trust_sanitized")
        ):
            self.ensure_one()
            sanitized = self.phone_sanitized
            if sanitized and (self[fname] or "").translate(SEPARATORS) == sanitized:
                return sanitized
        return super()._phone_format(
            fname=fname,
            number=number,
            country=country,
            force_format=force_format,
            raise_exception=raise_exception,
        )
