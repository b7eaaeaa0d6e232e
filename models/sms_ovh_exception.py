import logging

from odoo import api, fields, models

from .. import const
from ..tools import ovh_client

_logger = logging.getLogger(__name__)


class SmsOvhException(models.Model):
    """What OVHcloud said lately that a country's operators do to senders."""

    _name = "sms.ovh.exception"
    _description = "OVHcloud Restriction of a Country"
    _order = "id desc"
    _rec_name = "country_code"

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, ondelete="cascade", index=True, readonly=True
    )
    country_code = fields.Char(required=True, readonly=True)
    text = fields.Text(string="OVHcloud's Words", readonly=True)
    substitution = fields.Char(
        string="Sender Shown Instead",
        readonly=True,
        help="What operators show in place of the sender.",
    )
    date = fields.Datetime(
        string="Read On", required=True, default=fields.Datetime.now, readonly=True
    )

    @api.model
    def _get_restrictions(self, account, numbers):
        """Return what OVHcloud says of countries, asking for what is not known.

        :param account: `sms.ovh.account` that sends
        :param dict numbers: a number in E.164 by country's ISO code
        :return: these records by country, empty ones where nothing restricts
        :rtype: dict
        """
        # sudo: kept for everybody who sends with the account, as its rates are.
        exceptions_sudo = self.sudo()
        known = exceptions_sudo.search(
            [
                ("account_id", "=", account.id),
                ("country_code", "in", list(numbers)),
            ]
        )
        latest = {}
        for exception in known:  # the newest of each first
            latest.setdefault(exception.country_code, exception)
        limit = fields.Datetime.now() - const.EXCEPTION_FRESH
        missing = {
            code: number
            for code, number in numbers.items()
            if code not in latest or latest[code].date <= limit
        }
        if missing:
            found = self._read_restrictions(account.sudo(), missing)
            if self.env.cr.readonly:
                # A page is read: what is kept for others is kept by who may write.
                exceptions = [exceptions_sudo.new(values) for values in found]
            else:
                exceptions = exceptions_sudo.create(found)
            for exception in exceptions:
                latest[exception.country_code] = exception
        return latest

    @api.model
    def _read_restrictions(self, account_sudo, numbers):
        """Ask OVHcloud what operators of countries do to senders.

        Nothing depends on it: what cannot be read is left out.

        :return: values of the records
        :rtype: list[dict]
        """
        vals_list = []
        with account_sudo._get_client() as client:
            for code, number in sorted(numbers.items()):
                try:
                    answer = client.get(
                        account_sudo._get_path("exceptions"), receiver=number
                    )
                    texts, substitutions = self._read_answer(answer)
                except (ovh_client.OvhBadRequest, ovh_client.OvhNotFound):
                    texts, substitutions = [], []
                except (AttributeError, TypeError):
                    continue  # an answer that cannot be read
                except ovh_client.OvhError as error:
                    _logger.info("OVHcloud SMS: no restrictions are read: %r", error)
                    break
                vals_list.append(
                    {
                        "account_id": account_sudo.id,
                        "country_code": code,
                        "text": "\n".join(texts),
                        "substitution": ", ".join(substitutions),
                    }
                )
        return vals_list

    @api.model
    def _read_answer(self, answer):
        """Return the sentences and the substitution senders of an answer, each once."""
        texts, substitutions = {}, {}
        for exception in answer or []:
            operators = exception.get("operators") or ""
            for message in exception.get("messages") or []:
                texts[f"{operators}: {message}" if operators else str(message)] = True
            if exception.get("substitution"):
                substitutions[str(exception["substitution"])] = True
        return list(texts), list(substitutions)

    @api.model
    def _get_notes(self, account, senders):
        """Return the sentences on what recipients of countries see, by country.

        :param account: `sms.ovh.account` that sends
        :param dict senders: `sms.ovh.sender` and a number, by country's ISO code
        :rtype: dict[str, str]
        """
        restrictions = self._get_restrictions(
            account, {code: number for code, (__, number) in senders.items()}
        )
        notes = {}
        for code, (sender, __) in senders.items():
            restriction = restrictions.get(code)
            shown = restriction and restriction.substitution
            parts = [sender and sender._get_country_advice(code, bool(shown))]
            if shown:
                parts.append(
                    self.env._(
                        "Recipients may see “%s” as the sender.",
                        shown,
                    )
                )
            if restriction and restriction.text:
                parts.append(self.env._("OVHcloud says: %s", restriction.text))
            notes[code] = " ".join(filter(None, parts))
        return notes

    @api.autovacuum
    def _gc_old(self):
        """Forget what was read so long ago that nobody should go by it."""
        limit = fields.Datetime.now() - 30 * const.EXCEPTION_FRESH
        self.search([("date", "<", limit)], limit=10000).unlink()
