import logging
import math

from odoo import api, fields, models

from .. import const
from ..tools import ovh_client
from ..tools.phone_number import get_main_region

_logger = logging.getLogger(__name__)


class SmsOvhRate(models.Model):
    """What OVHcloud charges for one SMS to a country, as it said lately."""

    _name = "sms.ovh.rate"
    _description = "OVHcloud SMS Rate"
    _order = "id desc"
    _rec_name = "country_code"

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, ondelete="cascade", index=True, readonly=True
    )
    country_code = fields.Char(required=True, readonly=True)
    credits = fields.Float(string="SMS Charged", digits=(16, 2), readonly=True)
    date = fields.Datetime(
        string="Read On", required=True, default=fields.Datetime.now, readonly=True
    )

    @api.model
    def _get_rates(self, account, country_codes):
        """Return what one SMS to each country is charged, asking for what is not known.

        :param account: `sms.ovh.account` that sends
        :param country_codes: ISO codes
        :return: credits by country, those that OVHcloud told; and a sentence on why
            others are missing or old, False where none are
        :rtype: tuple[dict[str, float], str|bool]
        """
        # sudo: rates are kept for everybody who sends with the account.
        rates_sudo = self.sudo()
        fresh, old = {}, {}
        limit = fields.Datetime.now() - const.RATE_FRESH
        known = rates_sudo.search_fetch(
            [
                ("account_id", "=", account.id),
                ("country_code", "in", list(country_codes)),
            ],
            ["country_code", "credits", "date"],
        )
        for rate in known:  # the newest of each first
            old.setdefault(rate.country_code, rate.credits)
            if rate.date > limit:
                fresh.setdefault(rate.country_code, rate.credits)
        missing = sorted(set(country_codes) - set(fresh))
        if not missing:
            return fresh, False
        found, error = self._read_rates(account.sudo(), missing)
        rates_sudo.create(
            [
                {
                    "account_id": account.id,
                    "country_code": code,
                    "credits": found[code],
                }
                for code in found
            ]
        )
        return old | fresh | found, error

    @api.model
    def _read_rates(self, account_sudo, country_codes):
        """Ask OVHcloud what one SMS to each country is charged.

        :return: credits by country, and a sentence on what it did not tell, or False
        """
        params = self._get_billing_params(account_sudo)
        found, refused = {}, []
        with account_sudo._get_client() as client:
            for code in country_codes:
                try:
                    found[code] = self._read_rate(client, code, params)
                except (ovh_client.OvhBadRequest, ovh_client.OvhNotFound):
                    refused.append(code)
                except ovh_client.OvhError as error:
                    _logger.warning("OVHcloud SMS: the rates cannot be read: %r", error)
                    sentence = account_sudo.with_env(self.env)._get_error_sentence(
                        error
                    )
                    return found, self.env._(
                        "What OVHcloud charges could not be read. %s", sentence
                    )
                except (KeyError, TypeError, ValueError):
                    refused.append(code)
        if refused:
            return found, self.env._(
                "OVHcloud does not say what it charges for SMS to %s.",
                ", ".join(refused),
            )
        return found, False

    @api.model
    def _get_billing_params(self, account):
        """Return the parameter that says where the account's credits are bought."""
        billing = (account.company_id.country_id.code or "").lower()
        return {"billingCountry": billing} if billing in const.BILLING_COUNTRIES else {}

    @api.model
    def _fetch_packs(self, account, client):
        """Return what packs of SMS cost, as values of the account.

        Nobody's SMS depend on it: where it cannot be read, all else goes on.

        :param account: `sms.ovh.account`
        :param client: `OvhSmsClient`
        :return: zeros where OVHcloud names no price in the account's currency; nothing
            where it could not be asked, so that the account stays as it was
        :rtype: dict
        """
        country = account.company_id.country_id.code
        packs = []
        if country:
            params = self._get_billing_params(account)
            try:
                answer = client.get(
                    "/sms/rates/packs", country=country.lower(), **params
                )
            except ovh_client.OvhError as error:
                _logger.info("OVHcloud SMS: the packs cannot be read: %r", error)
                return {}
            packs = self._parse_packs(answer, account.currency_id.name)
        smallest, price = min(packs, default=(0, 0))
        cheapest, count = min(((each, start) for start, each in packs), default=(0, 0))
        return {
            "pack_credits": smallest,
            "pack_price": smallest * price,
            "large_pack_credits": count,
            "large_pack_credit_price": cheapest,
        }

    @api.model
    def _parse_packs(self, answer, currency):
        """Return the packs of an answer, without those that nobody can read.

        :param answer: list of `sms.PackDetails` of the API
        :param str currency: code; prices in another one are left out
        :return: of each pack its fewest credits, and the price of one
        :rtype: list[tuple[int, float]]
        """
        packs = []
        for pack in answer if isinstance(answer, list) else ():
            try:
                count = int(pack["creditQuantityMin"])
                price = pack.get("discountCreditPrice") or pack["creditPrice"]
                value = float(price["value"])
                code = price["currencyCode"]
            except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
                _logger.info("OVHcloud SMS: a pack is not as described: %r", pack)
                continue
            known = code == currency and 0 < count < 2**31
            if known and value > 0 and math.isfinite(value):
                packs.append((count, value))
        return packs

    @api.model
    def _read_rate(self, client, country_code, params):
        """Return the credits for one SMS to a country.

        :raise ovh_client.OvhError: where OVHcloud refuses, or is not there
        """
        path = "/sms/rates/destinations"
        try:
            answer = client.get(path, country=country_code.lower(), **params)
        except ovh_client.OvhBadRequest:
            # It knows no Jersey: those numbers are charged as their calling code's.
            main = get_main_region(country_code)
            if main == country_code:
                raise
            answer = client.get(path, country=main.lower(), **params)
        return float(answer["credit"])

    @api.autovacuum
    def _gc_old(self):
        """Forget what was read so long ago that nobody should go by it."""
        limit = fields.Datetime.now() - 30 * const.RATE_FRESH
        self.search([("date", "<", limit)], limit=10000).unlink()
