import logging

from odoo.tests import TransactionCase, tagged

from .core_pins import CorePins, read_pins

_logger = logging.getLogger(__name__)


@tagged("-at_install", "post_install")
class TestCorePins(TransactionCase):
    """Core is what it was when our overrides of it were written."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.found = CorePins(cls.env)
        cls.pins = read_pins()

    def test_core_is_as_pinned(self):
        found = self.found.hashes
        pinned = self.pins["hashes"]
        self.assertGreater(len(found), 20)
        changed = [
            name
            for name in sorted(found)
            if pinned.get(name) not in (None, found[name])
        ]
        self.assertFalse(
            changed,
            "Odoo changed what this addon overrides or relies upon. Read each in Odoo's"
            " history, bring our side in line where that is needed, then run"
            f" ./dev/pins and commit: {', '.join(changed)}",
        )

    def test_each_is_pinned(self):
        differing = sorted(self.found.hashes.keys() ^ self.pins["hashes"].keys())
        self.assertFalse(
            differing,
            "Pinned without being overridden or relied upon any more, or the other way"
            f" round. Run ./dev/pins and commit: {', '.join(differing)}",
        )

    def test_overrides_become_fewer(self):
        count = len(self.found.overrides)
        _logger.info("%s definitions of core are overridden", count)
        self.assertLessEqual(
            count,
            self.pins["overridden"],
            "More definitions of core are overridden than before. Find a seam of core,"
            " or say why in the commit that renews the pins by ./dev/pins:"
            f" {sorted(self.found.overrides)}",
        )

    def test_methods_are_found(self):
        """What finds the overrides finds those that are known to be there."""
        names = self.found.hashes
        self.assertIn("sms.models.sms_sms:SmsSms._send_with_api", names)
        self.assertIn(
            "sms/static/src/components/sms_widget/fields_sms_widget.js", names
        )
        self.assertTrue(
            any(name.endswith("SmsApiBase._send_sms_batch") for name in names)
        )
