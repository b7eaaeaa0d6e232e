from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged

from ..tools.stop_keywords import is_keyword
from .answers_common import OTHER_PHONE, PHONE, AnswersCase
from .common import KEYS_2, SERVICE_1, SERVICE_2

CONSENT = "Il l'a demandé à la caisse le 3 mars"


@tagged("-at_install", "post_install")
class TestOptIn(AnswersCase):
    """A number that answered STOP gets SMS again, where its owner wants them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(
            cls.env,
            "coming_back",
            # Odoo lets nobody else change its blacklist.
            groups="base.group_system",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )

    def _stop(self, number=PHONE):
        """Have a number answer STOP to a campaign, and Odoo know it."""
        mailing = self._send_mailing([number, OTHER_PHONE])
        self._answer("stop", number)
        self.account._read_answers()
        return mailing

    def _at_ovhcloud(self, service=SERVICE_1):
        entries = self.simulator.get_state()["services"][service]["blacklists"]
        return {entry["number"] for entry in entries}

    def _blacklist(self, number=PHONE):
        # What is tracked is written when the transaction ends.
        self.env.flush_all()
        self.env.cr.precommit.run()
        return (
            self.env["phone.blacklist"]
            .with_context(active_test=False)
            .search([("number", "=", number)])
        )

    def _open(self, number=PHONE):
        return Form(
            self.env["phone.blacklist.remove"]
            .with_user(self.user)
            .with_context(default_phone=number)
        )

    def _reaches(self, number=PHONE):
        """Whether a campaign to the number arrives."""
        before = len(self.simulator.get_ledger(receiver=number))
        mailing = self._create_mailing([number, "+33612345670"])
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        return len(self.simulator.get_ledger(receiver=number)) > before

    def test_told_and_not_done(self):
        """Taken off here alone, OVHcloud goes on refusing: that is said before and after."""
        self._stop()
        form = self._open()
        self.assertIn(f"OVHcloud still refuses SMS to {PHONE}", form.sms_ovh_refusal)
        self.assertIn(SERVICE_1, form.sms_ovh_refusal)
        self.assertFalse(form.sms_ovh_take_off)
        form.save().action_unblacklist_apply()
        blacklist = self._blacklist()
        self.assertFalse(blacklist.active)
        self.assertIn("still refuses", blacklist.sms_ovh_refusal)
        self.assertIn(PHONE, self._at_ovhcloud())
        self.assertFalse(self._reaches())

    def test_done(self):
        mailing = self._stop()
        subscription = mailing.contact_list_ids.contact_ids.filtered(
            lambda contact: contact.phone_sanitized == PHONE
        ).subscription_ids
        self.assertTrue(subscription.opt_out)
        form = self._open()
        form.sms_ovh_take_off = True
        form.sms_ovh_consent = CONSENT
        form.save().action_unblacklist_apply()
        blacklist = self._blacklist()
        self.assertFalse(blacklist.active)
        self.assertFalse(blacklist.sms_ovh_refusal)
        self.assertNotIn(PHONE, self._at_ovhcloud())
        note = blacklist.message_ids.filtered(lambda message: CONSENT in message.body)
        self.assertIn(SERVICE_1, note.body)
        self.assertEqual(note.author_id, self.user.partner_id)
        self.assertFalse(subscription.opt_out)
        self.assertTrue(self._reaches())
        # The next STOP is one.
        self._answer("stop")
        self.account._read_answers()
        self.assertTrue(blacklist.active)

    def test_no_consent(self):
        self._stop()
        wizard = (
            self.env["phone.blacklist.remove"]
            .with_user(self.user)
            .create({"phone": PHONE, "sms_ovh_take_off": True, "sms_ovh_consent": " "})
        )
        with self.assertRaisesRegex(UserError, "how and when"):
            wizard.action_unblacklist_apply()
        self.assertTrue(self._blacklist().active)
        self.assertIn(PHONE, self._at_ovhcloud())

    def test_ovhcloud_fails(self):
        """Nothing is changed then, and it can be tried again."""
        self._stop()
        wizard = (
            self.env["phone.blacklist.remove"]
            .with_user(self.user)
            .create(
                {"phone": PHONE, "sms_ovh_take_off": True, "sms_ovh_consent": CONSENT}
            )
        )
        self.simulator.order_faults(
            {"kind": "500", "method": "DELETE", "path": "/blacklists"}
        )
        with self.assertRaises(UserError), self.env.cr.savepoint():
            wizard.action_unblacklist_apply()
        self.assertTrue(self._blacklist().active)
        # Taken off there meanwhile: that is what was wanted.
        with self.account._get_client() as client:
            client.delete(f"/sms/{SERVICE_1}/blacklists/{PHONE}")
        wizard.action_unblacklist_apply()
        self.assertFalse(self._blacklist().active)

    def test_from_the_archived_number(self):
        self._stop()
        blacklist = self._blacklist()
        blacklist.action_archive()
        self.assertTrue(blacklist.sms_ovh_refusal)
        action = blacklist.phone_action_blacklist_remove()
        form = Form(
            self.env[action["res_model"]]
            .with_user(self.user)
            .with_context(default_phone=PHONE, default_sms_ovh_take_off=True)
        )
        form.sms_ovh_consent = CONSENT
        form.save().action_unblacklist_apply()
        blacklist.invalidate_recordset(["sms_ovh_refusal"])
        self.assertFalse(blacklist.sms_ovh_refusal)
        self.assertNotIn(PHONE, self._at_ovhcloud())

    def test_no_stop_at_ovhcloud(self):
        """Who was blacklisted in Odoo only: as without the addon."""
        self.env["phone.blacklist"].sudo()._add([PHONE])
        form = self._open()
        self.assertFalse(form.sms_ovh_refusal)
        form.save().action_unblacklist_apply()
        self.assertFalse(self._blacklist().active)
        self.assertFalse(self._blacklist().sms_ovh_refusal)

    # ------------------------------------------------------------
    # START
    # ------------------------------------------------------------

    def test_keywords(self):
        for text, expected in (
            ("START", True),
            (" start !", True),
            ("Repartir à zéro", True),
            ("Start bientôt ?", False),
            ("", False),
            (None, False),
        ):
            self.assertEqual(is_keyword(text, "Start; repartir a zero"), expected, text)
        self.assertFalse(is_keyword("", ""))
        self.assertFalse(is_keyword("start", False))

    def _start(self, text="Start !", number=PHONE):
        self._send_to(number)
        self._answer("reply", number, text=text)
        self.account._read_answers()
        return self.env["sms.ovh.reply"].search([("number", "=", number)], limit=1)

    def _stop_and_write(self, text="Start !"):
        """Answer STOP to an SMS that can be replied to, then write something."""
        self._send_to()
        self._answer("stop")
        self.account._read_answers()
        self.assertTrue(self._blacklist().active)
        self._answer("reply", text=text)
        self.account._read_answers()
        return self.env["sms.ovh.reply"].search([("number", "=", PHONE)], limit=1)

    def test_start(self):
        self.account.start_keywords = "START"
        reply = self._stop_and_write()
        self.assertEqual(reply.state, "start")
        self.assertFalse(self._blacklist().active)
        self.assertIn("Start !", " ".join(self._blacklist().message_ids.mapped("body")))
        self.assertNotIn(PHONE, self._at_ovhcloud())
        self.assertFalse(self.env["sms.ovh.stop"].search([("number", "=", PHONE)]))
        self.account.default_sender_id = self._sender(name="MaBoutique")
        self.assertTrue(self._reaches())

    def test_start_where_no_keyword_is_set(self):
        reply = self._stop_and_write()
        self.assertEqual(reply.state, "new")
        self.assertTrue(self._blacklist().active)

    def test_start_after_a_keyword_of_odoo_alone(self):
        self.account.start_keywords = "START"
        self._send_to()
        self._answer("reply", text="Arrêt")
        self.account._read_answers()
        self.assertTrue(self._blacklist().active)
        self._answer("reply", text="start")
        self.account._read_answers()
        self.assertFalse(self._blacklist().active)

    def test_start_is_not_the_last_word(self):
        """Read at once: who wrote STOP after START has stopped."""
        self.account.start_keywords = "START"
        self._send_to()
        self._answer("stop")
        self.account._read_answers()
        self._answer("reply", text="start")
        self.simulator._call("POST", "clock", {"advance_s": 60})
        self._answer("reply", text="arret")
        self.account._read_answers()
        self.assertTrue(self._blacklist().active)
        self.assertIn(PHONE, self._at_ovhcloud())

    def test_stop_at_ovhcloud_after_start(self):
        """A STOP that Odoo has not read yet is not undone by what was written before."""
        self.account.start_keywords = "START"
        self.env["phone.blacklist"].sudo()._add([PHONE])
        self._send_to()
        self._answer("reply", text="start")
        self.simulator._call("POST", "clock", {"advance_s": 60})
        self._answer("stop")
        self.account._read_answers()
        self.assertIn(PHONE, self._at_ovhcloud())
        self.assertTrue(self._blacklist().active)

    def test_start_that_ovhcloud_does_not_take(self):
        """It is a reply that somebody looks at, then."""
        self.account.start_keywords = "START"
        self.simulator.order_faults(
            {"kind": "500", "method": "DELETE", "path": "/blacklists"}
        )
        reply = self._stop_and_write()
        self.assertEqual(reply.state, "new")
        self.assertTrue(self._blacklist().active)

    def test_start_and_another_account(self):
        """Odoo has one blacklist: who stopped another company stays on it."""
        company = self.env["res.company"].create({"name": "Autre"})
        other = self._create_account(company, SERVICE_2, KEYS_2)
        self.env["sms.ovh.stop"].create(
            {
                "account_id": other.id,
                "number": PHONE,
                "received_at": "2026-01-01 00:00:00",
            }
        )
        self.account.start_keywords = "START"
        reply = self._stop_and_write()
        self.assertEqual(reply.state, "new")
        self.assertTrue(self._blacklist().active)
