import re
from pathlib import Path

import polib
import pytz
from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, TransactionCase, new_test_user, tagged

from .common import KEYS_1, KEYS_2, SERVICE_1, SERVICE_2, SmsOvhCase

FOLDER = Path(__file__).resolve().parent.parent
FRENCH_SPACES = re.compile(r"[^\u00a0][!?;»](?!\w)|[ \u202f][:!?;»]|«[^\u00a0]")


@tagged("-at_install", "post_install")
class TestForms(SmsOvhCase):
    """What users meet: no dead end, nothing untrue."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.marketer = new_test_user(
            cls.env,
            "marketer",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=cls.company.id,
        )
        cls.account.user_id = cls.env.ref("base.user_admin")

    def _get_dashboard(self, user=None):
        Dashboard = self.env["sms.ovh.dashboard"].with_user(user or self.env.user)
        return Dashboard.get_figures()

    def _get_activities(self, xmlid):
        return self.account.activity_ids.filtered(
            lambda activity: activity.activity_type_id == self.env.ref(xmlid)
        )

    # ------------------------------------------------------------
    # Accounts
    # ------------------------------------------------------------

    def test_an_account_is_meant(self):
        Account = self.env["sms.ovh.account"]
        action = self.env.ref("sms_ovh.sms_ovh_account_action")
        form = Account.with_context(sms_ovh_form=True)
        self.assertIn("sms_ovh_form", action.context)
        # What the browser sends when a page is left in which nothing was typed.
        with self.assertRaisesRegex(UserError, "Nothing is entered yet"):
            form.web_save({"auth_method": "consumer_key"}, {"id": {}})
        # Who sees no field for keys is not told to fill them in.
        administrator = new_test_user(
            self.env, "sms-administrator", groups="sms_ovh.group_sms_ovh_admin"
        )
        with self.assertRaisesRegex(UserError, "Ask a system administrator"):
            form.with_user(administrator).web_save(
                {"auth_method": "consumer_key"}, {"id": {}}
            )
        for values in (
            {"service_name": "sms-zz99999-1"},
            {"application_key": "a" * 16},
            {"auth_method": "oauth2", "client_id": "EU.abc"},
        ):
            self.assertTrue(form.web_save(values, {"id": {}}))

    def test_who_enters_no_keys_is_offered_no_account(self):
        """Of those who see accounts, only who may enter keys is shown “New”."""
        for name, group, expected in (
            ("marketing", "mass_mailing.group_mass_mailing_user", False),
            ("administrator", "sms_ovh.group_sms_ovh_admin", False),
            ("system", "base.group_system", True),
        ):
            user = new_test_user(self.env, f"new-account-{name}", groups=group)
            Account = self.env["sms.ovh.account"].with_user(user)
            for kind in ("list", "kanban", "form"):
                with self.subTest(user=name, view=kind):
                    root = etree.fromstring(Account.get_view(view_type=kind)["arch"])
                    self.assertEqual(root.get("create") != "False", expected)

    def test_copy(self):
        copy = self.account.copy()
        self.assertFalse(copy.service_name)
        self.assertEqual(copy.state, "draft")

    def test_only_connected_accounts_are_on_the_dashboard(self):
        begun = self.env["sms.ovh.account"].create({"company_id": self.company.id})
        found = self._get_dashboard()
        self.assertEqual([card["id"] for card in found["accounts"]], self.account.ids)
        # What is begun is gone on with.
        self.assertEqual(found["create_action"]["res_id"], begun.id)
        # Once connected an account stays, whatever becomes of its keys.
        self.simulator.set_credential(KEYS_1["consumer_key"], "refused")
        self.account.action_synchronise()
        (card,) = self._get_dashboard()["accounts"]
        self.assertEqual(card["state"], "refused")
        self.assertTrue(card["state_message"])

    def test_refused_keys_are_told_at_once(self):
        xmlid = "sms_ovh.mail_activity_type_connection"
        self.simulator.set_credential(KEYS_1["consumer_key"], "refused")
        for __ in range(2):
            self.account.action_synchronise()
            activity = self._get_activities(xmlid)
            self.assertEqual(len(activity), 1)
        self.assertEqual(activity.user_id, self.account.user_id)
        self.assertIn("Connect with OVHcloud", activity.note)
        self.simulator.set_credential(KEYS_1["consumer_key"], "validated")
        self.account.action_synchronise()
        self.assertEqual(self.account.state, "connected")
        self.assertFalse(self._get_activities(xmlid))

    def test_use(self):
        self.company.sms_ovh_account_id = False
        self.account.invalidate_recordset()
        self.assertFalse(self.account.in_use)
        self.assertIn("use", self._get_dashboard()["steps"])
        with self.assertRaises(AccessError):
            self.account.with_user(self.marketer).action_use()
        self.account.action_use()
        self.assertEqual(self.company.sms_ovh_account_id, self.account)
        self.assertTrue(self.account.in_use)

    def test_address(self):
        action = self.account.action_open_base_url()
        parameter = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(parameter.key, "web.base.url")
        with self.assertRaises(AccessError):
            self.account.with_user(self.marketer).action_open_base_url()

    # ------------------------------------------------------------
    # Dashboard
    # ------------------------------------------------------------

    def test_wishes_obey_rights(self):
        def get_names(user=None):
            return {wish["name"] for wish in self._get_dashboard(user)["wishes"]}

        everybody = {"sms", "campaign", "numbers", "replies", "buy"}
        self.assertEqual(get_names(self.marketer), everybody)
        self.assertEqual(get_names(), everybody | {"sender", "user"})
        wishes = {
            wish["name"]: wish["action"] for wish in self._get_dashboard()["wishes"]
        }
        self.assertIn(SERVICE_1, wishes["buy"]["url"])
        self.assertEqual(wishes["buy"]["target"], "new")
        method = wishes["sender"]["method"]
        action = getattr(self.account, method)()
        self.assertEqual(action["res_model"], "sms.ovh.sender.request")
        with self.assertRaises(AccessError):
            self.account.with_user(self.marketer).action_request_sender()

    def test_steps(self):
        self.env["sms.ovh.log"].sudo().search([]).unlink()
        self.assertEqual(self._get_dashboard()["steps"], ["send"])
        self.account.sender_ids.filtered(
            lambda sender: sender.type != "shortcode"
        ).status = "waitingValidation"
        self.assertEqual(self._get_dashboard()["steps"], ["sender", "send"])

    def test_cost(self):
        tile = self._get_dashboard()["tiles"]["credits"]
        self.assertNotIn("cost", tile)
        self.account.credit_price = 0.065
        self._create_sms(["+33612340001"]).send()
        self._commit()
        tile = self._get_dashboard()["tiles"]["credits"]
        self.assertAlmostEqual(tile["cost"], tile["value"] * 0.065)
        self.assertEqual(tile["currency_id"], self.company.currency_id.id)

    def test_an_sms_to_numbers_that_are_typed(self):
        """What the dashboard's wish opens can be filled in and sent."""
        wish = next(
            wish for wish in self._get_dashboard()["wishes"] if wish["name"] == "sms"
        )
        Composer = self.env["sms.composer"].with_context(**wish["action"]["context"])
        form = Form(Composer, "sms.sms_composer_view_form")
        form.numbers = "+33612340001, 06 12 34 00 02"
        form.body = "Bonjour"
        form.save().action_send_sms()
        self._commit()
        self.assertEqual(
            {sms["receiver"] for sms in self.simulator.get_ledger()},
            {"+33612340001", "+33612340002"},
        )

    def test_a_test_to_oneself(self):
        self.env.user.phone = "+33612340099"
        action = self.account.action_send_test()
        Composer = self.env["sms.composer"].with_context(**action["context"])
        form = Form(Composer, "sms.sms_composer_view_form")
        self.assertEqual(form.numbers, "+33612340099")
        form.save().action_send_sms()
        self._commit()
        (sms,) = self.simulator.get_ledger()
        self.assertEqual(sms["receiver"], "+33612340099")
        self.assertEqual(sms["credits"], 1)

    def test_outside_campaigns_has_a_name(self):
        fields_ = self.env["sms.ovh.report"].fields_get(
            attributes=["falsy_value_label"]
        )
        for name in ("mailing_id", "campaign_id", "ab_version", "failure_type"):
            self.assertTrue(fields_[name]["falsy_value_label"], name)

    # ------------------------------------------------------------
    # Senders, API users
    # ------------------------------------------------------------

    def test_a_refused_sender_is_requested_again(self):
        self.simulator.set_sender(
            SERVICE_1, "Nouveau", status="refused", comment="Not <yours>."
        )
        self.account.action_synchronise()
        activity = self._get_activities("sms_ovh.mail_activity_type_sender")
        self.assertEqual(activity.user_id, self.account.user_id)
        self.assertIn("Nouveau", activity.summary)
        self.assertIn("Not &lt;yours&gt;.", activity.note)
        sender = self._sender(name="Nouveau")
        action = sender.action_request_again()
        request = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(request.name, "Nouveau")
        self.assertEqual(request.refusal, "Not <yours>.")
        with self.assertRaises(AccessError):
            sender.with_user(self.marketer).action_request_again()

    def _create_user(self, **values):
        action = self.account.action_create_user()
        creation = self.env[action["res_model"]].browse(action["res_id"])
        creation.write({"login": "boutique", **values})
        return creation

    def test_an_api_user_with_quota_and_alert(self):
        before = self.account.credits_left
        creation = self._create_user(
            quota_active=True,
            quota_left=200,
            alert_active=True,
            alert_threshold=50,
            alert_email="compta@example.com",
        )
        creation.action_create()
        self.assertFalse(creation.refusal)
        user = creation.user_id
        self.assertTrue(user.quota_active)
        self.assertEqual(user.quota_left, 200)
        self.assertEqual(user.alert_threshold, 50)
        self.assertEqual(user.alert_email, "compta@example.com")
        self.assertEqual(self.account.credits_left, before - 200)

    def test_a_wrong_alert_creates_nobody(self):
        creation = self._create_user(alert_active=True, alert_email="nobody")
        with self.assertRaises(ValidationError):
            creation.action_create()
        users = self.simulator.get_state()["services"][SERVICE_1]["users"]
        self.assertNotIn("boutique", str(users))

    def test_a_refused_quota_keeps_the_password_in_sight(self):
        creation = self._create_user(quota_active=True, quota_left=10**7)
        action = creation.action_create()
        self.assertTrue(creation.user_id)
        self.assertTrue(creation.refusal)
        self.assertTrue(action["context"]["sms_ovh_password"])

    # ------------------------------------------------------------
    # Campaigns
    # ------------------------------------------------------------

    def test_a_missing_stop_is_said_where_it_is_sent(self):
        mailing = self._create_mailing(["+33612340001"])
        mailing.sms_ovh_sender_id = self._sender(type="shortcode")
        for action in (mailing.action_sms_ovh_send, mailing.action_sms_ovh_schedule):
            opened = action()
            send = self.env[opened["res_model"]].browse(opened["res_id"])
            self.assertTrue(send.stop_missing)
            self.assertEqual(send.sender_warning, mailing.sms_ovh_sender_warning)
        send.action_add_stop()
        self.assertIn("STOP", mailing.body_plaintext)
        self.assertFalse(mailing.sms_ovh_sender_warning)
        self.assertFalse(send.stop_missing)
        self.assertFalse(send.stale)
        text = mailing.body_plaintext
        mailing.action_sms_ovh_add_stop()
        self.assertEqual(mailing.body_plaintext, text)

    def test_a_sensible_date_to_schedule(self):
        mailing = self._create_mailing(["+33612340001"]).with_context(tz="Europe/Paris")
        opened = mailing.action_sms_ovh_schedule()
        date = self.env[opened["res_model"]].browse(opened["res_id"]).schedule_date
        local = pytz.utc.localize(date).astimezone(pytz.timezone("Europe/Paris"))
        self.assertEqual((local.hour, local.minute), (10, 0))
        self.assertGreater(date, fields.Datetime.now())
        self.company.sms_ovh_quiet_hours = True
        opened = mailing.action_sms_ovh_schedule()
        date = self.env[opened["res_model"]].browse(opened["res_id"]).schedule_date
        self.assertEqual(self.company._sms_ovh_get_opening(date), date)

    def test_a_test_says_to_whom_it_goes(self):
        mailing = self._create_mailing(["+33612340001"])
        action = mailing.action_sms_ovh_test()
        self.assertEqual(action["name"], "Send a Test SMS")
        wizard = self.env["mailing.sms.test"].create(
            {"mailing_id": mailing.id, "numbers": "+33612340001\nabc"}
        )
        params = wizard.action_send_sms()["params"]
        self.assertIn("+33612340001", params["message"])
        self.assertIn("abc", params["message"])
        self.assertEqual(params["type"], "warning")

    def test_one_line_tells_what_happens(self):
        numbers = ["+33612340001", "+33612340002", "+33142685300"]
        mailing = self._create_mailing(numbers)
        self.assertTrue(mailing.sms_ovh_outlook.startswith("About, until estimated:"))
        self.assertIn("Recipients: 3 ", mailing.sms_ovh_outlook)
        self.assertIn(mailing.sms_ovh_sender_id.display_name, mailing.sms_ovh_outlook)
        self.account.credit_price = 0.065
        mailing.action_sms_ovh_estimate()
        mailing.invalidate_recordset()
        # The landline gets nothing.
        self.assertTrue(mailing.sms_ovh_outlook.startswith("Recipients: 2 "))
        self.assertIn("0.13", mailing.sms_ovh_outlook)
        mailing.body_plaintext = "Bonjour " * 30
        self.assertIn("SMS: 6 ", mailing.sms_ovh_outlook)
        self.assertTrue(mailing.sms_ovh_outlook.startswith("About, until estimated:"))

    def test_a_scheduled_campaign_waits_with_its_estimate(self):
        mailing = self._create_mailing(["+33612340001", "+33142685300"])
        mailing.action_sms_ovh_estimate()
        mailing.action_put_in_queue()
        progress = mailing.sms_ovh_get_progress()
        self.assertEqual(progress["counts"]["waiting"], 1)

    def test_who_replies_has_a_name(self):
        contact = self.env["mailing.contact"].create(
            {"name": "Zoé Martin", "mobile": "+33612340077"}
        )
        values = {"account_id": self.account.id, "number": "+33612340077"}
        replies = self.env["sms.ovh.reply"].create(
            [
                {
                    **values,
                    "ovh_id": "1",
                    "res_model": contact._name,
                    "res_id": contact.id,
                },
                {**values, "ovh_id": "2"},
            ]
        )
        self.assertEqual(replies[0].contact_name, "Zoé Martin")

    def test_two_companies(self):
        """Who may not see an account is offered nothing of it."""
        other = self.env["res.company"].create({"name": "Autre"})
        self._create_account(other, SERVICE_2, KEYS_2)
        found = self._get_dashboard(self.marketer)
        self.assertEqual([card["id"] for card in found["accounts"]], self.account.ids)
        self.assertNotIn(SERVICE_2, str(found))


@tagged("-at_install", "post_install")
class TestTerms(TransactionCase):
    """Every word of the screens can be translated, and is set as French is printed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = polib.pofile(str(FOLDER / "i18n" / "sms_ovh.pot"))
        cls.french = {
            entry.msgid: entry.msgstr
            for entry in polib.pofile(str(FOLDER / "i18n" / "fr.po"))
        }

    def test_terms_of_scripts_are_loaded_by_the_browser(self):
        """The browser gets the terms that the template says come from scripts."""
        exported = {
            entry.msgid
            for entry in self.template
            if any(name.startswith("code:") for name, __ in entry.occurrences)
            and "odoo-javascript" in (entry.comment or "")
        }
        found = set()
        call = re.compile(
            r"""_t\(\s*((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`))""", re.DOTALL
        )
        for path in (FOLDER / "static" / "src").rglob("*.js"):
            for match in call.finditer(path.read_text(encoding="utf-8")):
                found.add(match[1][1:-1].replace('\\"', '"'))
        self.assertGreater(len(found), 50)
        self.assertEqual(sorted(found - exported), [])

    def test_selections_are_translated(self):
        """Those that a function gives, too: their values are no terms of the field."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"]._load_module_terms(
            ["base", "mail", "sms", "mass_mailing", "mass_mailing_sms", "sms_ovh"],
            ["fr_FR"],
        )
        models = (
            self.env["ir.model"]
            .search([])
            .filtered(lambda model: "sms_ovh" in (model.modules or ""))
        )
        count = 0
        for name in models.mapped("model"):
            Model = self.env[name].with_context(lang="fr_FR")
            for field in Model._fields.values():
                if field.type != "selection" or field._module != "sms_ovh":
                    continue
                for __, label in field._description_selection(Model.env):
                    count += 1
                    with self.subTest(model=name, field=field.name, label=label):
                        self.assertEqual(self.french.get(label, label), label)
        self.assertGreater(count, 60)

    def test_french_spaces(self):
        for msgid, msgstr in self.french.items():
            text = re.sub(r"<[^<>]*>|https?://\S+", "", msgstr)
            with self.subTest(msgid=msgid):
                self.assertIsNone(FRENCH_SPACES.search(text), msgstr)

    def test_no_break_spaces_of_templates(self):
        """The browser makes plain spaces of those in its templates: scripts say it."""
        count = 0
        for path in (FOLDER / "i18n").glob("*.po"):
            for entry in polib.pofile(str(path)):
                if any(name.endswith(".xml") for name, __ in entry.occurrences):
                    count += 1
                    with self.subTest(language=path.stem, msgid=entry.msgid):
                        self.assertNotRegex(entry.msgstr, "[\u00a0\u202f]")
        self.assertGreater(count, 50)
