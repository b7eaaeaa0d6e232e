from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import SmsOvhCase

PATH = "/sms/rates/packs"
FIELDS = (
    "pack_credits",
    "pack_price",
    "large_pack_credits",
    "large_pack_credit_price",
)


@tagged("-at_install", "post_install")
class TestPacks(SmsOvhCase):
    """What SMS cost where they are bought, as OVHcloud tells it."""

    def setUp(self):
        super().setUp()
        self.euro = self.env.ref("base.EUR")
        self.euro.active = True
        self.company.currency_id = self.euro
        self.marketer = new_test_user(
            self.env,
            "sms-packs-marketer",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )

    def _count(self):
        requests = self.simulator.get_state()["requests"]
        return sum(count for call, count in requests.items() if PATH in call)

    def _get_wish(self, user=None):
        Dashboard = self.env["sms.ovh.dashboard"].with_user(user or self.env.user)
        wishes = Dashboard.get_figures(account_id=self.account.id)["wishes"]
        return next(wish for wish in wishes if wish["name"] == "buy")

    def _read(self):
        return tuple(round(self.account[name], 5) for name in FIELDS)

    def _parse(self, answer):
        return self.env["sms.ovh.rate"]._parse_packs(answer, "EUR")

    def test_price_is_told(self):
        self.assertTrue(self.account._synchronise())
        self.assertEqual(self._read(), (100, 6.9, 100000, 0.0483))
        for user in (self.env.user, self.marketer):
            packs = self._get_wish(user)["packs"]
            self.assertAlmostEqual(packs.pop("price"), 6.9)
            self.assertAlmostEqual(packs.pop("large_credit_price"), 0.0483)
            self.assertEqual(
                packs,
                {
                    "credits": 100,
                    "large_credits": 100000,
                    "currency_id": self.euro.id,
                },
            )

    def test_a_failure_fails_nothing_else(self):
        self.account._synchronise()
        before = self._read()
        for kind in ("500", "garbage", "cut_before"):
            with self.subTest(kind):
                self.simulator.order_faults({"kind": kind, "path": PATH, "times": 99})
                self.account.last_sync = False
                self.assertTrue(self.account._synchronise())
                self.assertEqual(self.account.state, "connected")
                self.assertFalse(self.account.state_message)
                self.assertTrue(self.account.last_sync)
                self.assertEqual(self._read(), before)
                self.simulator.reset()

    def test_unknown_country_is_not_asked_for(self):
        self.account._synchronise()
        before = self._count()
        self.assertTrue(before)
        self.company.country_id = False
        self.assertTrue(self.account._synchronise())
        self.assertEqual(self._count(), before)
        self.assertFalse(any(self._read()))
        self.assertFalse(self._get_wish()["packs"])

    def test_another_currency(self):
        """A price in euros is not shown in zlotys."""
        self.company.currency_id = self.env.ref("base.PLN")
        self.assertTrue(self.account._synchronise())
        self.assertFalse(any(self._read()))
        self.assertFalse(self._get_wish()["packs"])

    def test_http2sms_is_not_asked_for(self):
        self.account.write(
            {
                "auth_method": "http2sms",
                "http_login": "demo",
                "http_password": "demodemo",
            }
        )
        before = self._count()
        self.account._synchronise()
        self.assertEqual(self._count(), before)

    def test_answers(self):
        def pack(count, value, **values):
            price = {"currencyCode": "EUR", "text": "", "value": value}
            return {"creditQuantityMin": count, "creditPrice": price, **values}

        promotion = {"currencyCode": "EUR", "text": "", "value": 0.05}
        for answer, expected in (
            ([pack(100, 0.07)], [(100, 0.07)]),
            ([pack(100, 0.07, discountCreditPrice=promotion)], [(100, 0.05)]),
            ([pack(100, 0.07, discountCreditPrice=None)], [(100, 0.07)]),
            (None, []),
            ({"message": "no"}, []),
            ([], []),
            ([None, "a", 1, {}, pack(1000, 0.06)], [(1000, 0.06)]),
            ([pack(None, 0.07), pack("a", 0.07), pack(float("inf"), 0.07)], []),
            ([pack(0, 0.07), pack(-1, 0.07), pack(10**12, 0.07)], []),
            ([pack(100, 0), pack(100, float("nan")), pack(100, "a")], []),
            ([pack(100, 0.07, creditPrice="0.07 €")], []),
        ):
            with self.subTest(answer):
                self.assertEqual(self._parse(answer), expected)

    def test_only_the_gateway_writes_it(self):
        for name in FIELDS:
            with self.subTest(name), self.assertRaises(AccessError):
                self.account.with_user(self.env.ref("base.user_admin")).write({name: 1})
