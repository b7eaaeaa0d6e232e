from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from ..tools.sms_segments import STOP_CLAUSE
from .common import SmsOvhCase

LINK = "https://boutique.example.org/promo"


@tagged("-at_install", "post_install")
class TestSmsOvhPreview(SmsOvhCase):
    """A campaign as a phone shows it, and the test that one sends to oneself."""

    def setUp(self):
        super().setUp()
        self.patch(
            self.registry["link.tracker"], "_get_title_from_url", lambda self, url: url
        )

    def _create(self, body, **values):
        mailing = self._create_mailing(self._numbers(3), body=body, **values)
        contacts = mailing.contact_list_ids.contact_ids.sorted("id")
        for contact, name in zip(
            contacts, ("Adèle", "Basile", "<b>Camille</b>"), strict=True
        ):
            contact.name = name
        return mailing

    def _preview(self, mailing):
        action = mailing.action_sms_ovh_preview()
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_from_one_to_the_next(self):
        mailing = self._create("Bonjour {{ object.name }}")
        form = Form(self._preview(mailing))
        self.assertEqual(form.count, 3)
        texts = []
        for position in (1, 2, 3):
            form.position = position
            content = form.content
            texts.append(content["parts"][0])
            self.assertEqual(content["sender"], self.account.default_sender_id.name)
            self.assertEqual(content["segments"], 1)
        self.assertEqual(
            sorted(texts),
            [
                f"Bonjour {name}{STOP_CLAUSE}"
                for name in ("<b>Camille</b>", "Adèle", "Basile")
            ],
        )

    def test_search_one(self):
        mailing = self._create("Bonjour {{ object.name }}")
        contacts = mailing.contact_list_ids.contact_ids
        third = contacts.filtered(lambda contact: contact.name == "Basile")
        form = Form(self._preview(mailing))
        form.resource_ref = f"mailing.contact,{third.id}"
        self.assertIn("Basile", form.content["parts"][0])
        ids = mailing._get_recipients()
        self.assertEqual(form.position, ids.index(third.id) + 1)
        stranger = self.env["mailing.contact"].create(
            {"name": "Zoé", "mobile": "+33600000001"}
        )
        form.resource_ref = f"mailing.contact,{stranger.id}"
        self.assertEqual(form.position, 0)
        self.assertIn("Not a recipient", form.content["reason"])

    def test_parts(self):
        mailing = self._create("x" * 200)
        content = self._preview(mailing).content
        self.assertEqual([len(part) for part in content["parts"]], [153, 58])
        self.assertTrue(content["parts"][1].endswith(STOP_CLAUSE))
        self.assertEqual(content["units"], 211)

    def test_who_gets_none(self):
        mailing = self._create("Bonjour")
        self.env["phone.blacklist"].sudo()._add(self._numbers(3))
        self.assertEqual(self._preview(mailing).content["reason"], "Blacklisted")

    def test_placeholder_that_fails(self):
        mailing = self._create("Bonjour {{ object.name.foo() }}")
        content = self._preview(mailing).content
        self.assertIn("The text fails for", content["error"])

    def test_nobody(self):
        mailing = self._create_mailing([])
        self.assertIn("Nobody", self._preview(mailing).content["error"])

    # ------------------------------------------------------------
    # Test SMS
    # ------------------------------------------------------------

    def _test(self, mailing, name):
        contact = mailing.contact_list_ids.contact_ids.filtered(
            lambda contact: contact.name == name
        )
        form = Form(
            self.env["mailing.sms.test"].with_context(
                **mailing.action_test()["context"]
            )
        )
        form.numbers = "+33699999999"
        form.sms_ovh_resource_ref = f"mailing.contact,{contact.id}"
        form.save().action_send_sms()
        self._commit()
        (entry,) = self.simulator.get_ledger(receiver="+33699999999")
        return entry

    def test_test_is_what_the_recipient_gets(self):
        mailing = self._create(
            f"Bonjour {{{{ object.name }}}}, voir {LINK}", sms_allow_unsubscribe=True
        )
        mailing.sms_ovh_kind = "marketing"
        test = self._test(mailing, "Basile")
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        (sent,) = [
            entry
            for entry in self.simulator.get_ledger()
            if "Basile" in entry["message"] and entry["receiver"] != "+33699999999"
        ]
        for name in ("sender", "segments", "encoding", "credits"):
            self.assertEqual(test[name], sent[name], name)
        # The codes differ, which lead to one SMS each; the lengths don't.
        self.assertEqual(len(test["message"]), len(sent["message"]))
        # The one of whom the test was made gets the campaign as everybody.
        self.assertEqual(len(self.simulator.get_ledger()), 4)
        start = test["message"].index("/s/")
        self.assertEqual(test["message"][:start], sent["message"][:start])
        self.assertIn("STOP", test["message"])

    def test_first_recipient_is_proposed(self):
        mailing = self._create("Bonjour {{ object.name }}")
        form = Form(
            self.env["mailing.sms.test"].with_context(
                **mailing.action_test()["context"]
            )
        )
        first = mailing._get_recipients()[0]
        self.assertEqual(form.sms_ovh_resource_ref, f"mailing.contact,{first}")

    def test_from_the_preview(self):
        mailing = self._create("Bonjour")
        preview = self._preview(mailing)
        preview.position = 2
        action = preview.action_test()
        self.assertEqual(
            action["context"]["default_sms_ovh_resource_ref"],
            f"mailing.contact,{mailing._get_recipients()[1]}",
        )

    def test_test_of_a_text_that_is_empty_or_fails(self):
        mailing = self._create("{{ object.company_name }}")
        with self.assertRaisesRegex(UserError, "empty for Basile"):
            self._test(mailing, "Basile")
        mailing.body_plaintext = "{{ object.name.foo() }}"
        with self.assertRaisesRegex(UserError, "The text fails for Basile"):
            self._test(mailing, "Basile")
