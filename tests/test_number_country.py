from odoo.tests import BaseCase, tagged

from ..tools.number_country import get_country_code


@tagged("-at_install", "post_install")
class TestNumberCountry(BaseCase):
    def test_countries(self):
        for number, code in (
            ("+33612345678", "FR"),
            ("+32470123456", "BE"),
            ("+34612345678", "ES"),
            ("+41791234567", "CH"),
            ("+352621123456", "LU"),
            # Codes that several countries share.
            ("+262692123456", "RE"),
            ("+262639012345", "YT"),
            ("+590690123456", "GP"),
            ("+14155550123", "US"),
            ("+15145550123", "CA"),
            ("+447400123456", "GB"),
            # In no range that is known yet.
            ("+262600000000", "RE"),
        ):
            self.assertEqual(get_country_code(number), code, number)

    def test_unknown(self):
        for number in (None, "", "0612345678", "+", "+abc", "+999123456", "+870123456"):
            self.assertIsNone(get_country_code(number), number)
