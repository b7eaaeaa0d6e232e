from odoo.exceptions import UserError
from odoo.tests import BaseCase, tagged

from ..tools.sms_segments import is_blank
from .common import SmsOvhCase

BLANK = ("\u200b", "\u2060", "\xad", "\u200b\xad\u2060", "\ufeff \u200d\n", "\u3164")


@tagged("-at_install", "post_install")
class TestBlank(BaseCase):
    def test_blank(self):
        for text in (
            None,
            False,
            "",
            " ",
            "\n\t\xa0\u202f",
            "\u2800",
            "\ufe0f",
            *BLANK,
        ):
            self.assertTrue(is_blank(text), ascii(text))
        for text in ("a", "\u200ba", ".", "😀", "é", "\u0301e", "{{ object.name }}"):
            self.assertFalse(is_blank(text), ascii(text))


@tagged("-at_install", "post_install")
class TestEmptyTexts(SmsOvhCase):
    """A text of which nobody could read anything is sent on no road, nor charged."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create(
            {"name": "Zoé", "phone": cls._numbers(1)[0]}
        )

    def _check_nothing_left(self):
        self._commit()
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self._run_cron("sms_ovh.ir_cron_post_jobs")
        self.env.invalidate_all()
        self.assertEqual(self.simulator.get_ledger(), [])
        self.assertEqual(self.simulator.count_jobs(), 0)

    def test_sms(self):
        sms = self.env["sms.sms"].union(
            *(self._create_sms(self._numbers(1), body=text) for text in BLANK)
        )
        self.assertEqual(set(sms.mapped("sms_segments")), {0})
        sms.send(unlink_failed=False, unlink_sent=False)
        self._check_nothing_left()
        self.assertEqual(set(sms.mapped("failure_type")), {"sms_ovh_empty"})

    def test_chatter(self):
        for text in BLANK:
            self.partner._message_sms(text)
        self._check_nothing_left()

    def test_composer(self):
        for values in (
            {"res_model": "res.partner", "res_id": self.partner.id},
            {"composition_mode": "numbers", "numbers": self._numbers(1)[0]},
        ):
            for text in BLANK:
                composer = self.env["sms.composer"].create({**values, "body": text})
                self.assertEqual(composer.sms_segments, 0)
                with self.assertRaisesRegex(UserError, "text is empty"):
                    composer.action_send_sms()
        self._check_nothing_left()

    def test_mass_composer(self):
        composer = self.env["sms.composer"].create(
            {
                "composition_mode": "mass",
                "res_model": "res.partner",
                "res_ids": repr(self.partner.ids),
                "body": "{{ object.website or '\u200b' }}",
            }
        )
        composer.action_send_sms()
        sms = self.env["sms.sms"].search([("partner_id", "=", self.partner.id)])
        self.assertEqual((sms.state, sms.failure_type), ("canceled", "sms_ovh_empty"))
        self._check_nothing_left()

    def test_automation(self):
        template = self.env["sms.template"].create(
            {
                "name": "Vide",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": "\u2060{{ object.website }}",
            }
        )
        self.partner._message_sms_with_template(template)
        self._check_nothing_left()

    def test_campaign(self):
        for text in BLANK:
            mailing = self._create_mailing(
                self._numbers(1), body=text, sms_allow_unsubscribe=True
            )
            self.assertEqual(mailing.sms_segments, 0)
            for action in (
                "action_put_in_queue",
                "action_sms_ovh_estimate",
                "action_sms_ovh_preview",
            ):
                with self.assertRaisesRegex(UserError, "text"):
                    getattr(mailing, action)()
        self._check_nothing_left()

    def test_campaign_whose_placeholder_shows_nothing(self):
        mailing = self._create_mailing(
            self._numbers(1),
            body="{{ object.company_name or '\xad' }}",
            sms_allow_unsubscribe=True,
        )
        mailing.action_sms_ovh_estimate()
        self.assertEqual(mailing.sms_ovh_estimate_id.segment_count, 0)
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._check_nothing_left()
        self.assertEqual(mailing.mailing_trace_ids.failure_type, "sms_ovh_empty")
