from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .. import const
from .common import SERVICE_1, SmsOvhCase


@tagged("-at_install", "post_install")
class TestSmsOvhUser(SmsOvhCase):
    def _user(self, login="marketing"):
        user = self.account.api_user_ids.filtered(lambda user: user.login == login)
        self.assertEqual(len(user), 1)
        return user

    def _get_user(self, login="marketing"):
        """Return an API user as OVHcloud has it, None if it has none."""
        users = self.simulator.get_state()["services"][SERVICE_1]["users"]
        return next((each for each in users if each["login"] == login), None)

    def _create(self, **values):
        action = self.account.action_create_user()
        creation = self.env[action["res_model"]].browse(action["res_id"])
        creation.write(values)
        return creation

    # ------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------

    def test_users_are_read(self):
        user = self._user()
        self.assertTrue(user.quota_active)
        self.assertEqual(user.quota_left, 500)
        self.assertFalse(user.alert_active)
        self.assertFalse(self._user("compta").quota_active)
        with self.account._get_client() as client:
            client.put(
                f"/sms/{SERVICE_1}/users/compta",
                {
                    "alertThresholdInformations": {
                        "alertThreshold": 50,
                        "support": "both",
                        "alertEmail": "a@example.com",
                        "alertNumber": "+33612345678",
                    },
                    "ipRestrictions": ["192.0.2.1"],
                },
            )
        self.account.action_synchronise()
        self.assertRecordValues(
            self._user("compta"),
            [
                {
                    "alert_active": True,
                    "alert_threshold": 50,
                    "alert_support": "both",
                    "alert_email": "a@example.com",
                    "alert_number": "+33612345678",
                    "ip_restrictions": "192.0.2.1",
                }
            ],
        )

    def test_what_ovhcloud_has_is_kept_as_it_is(self):
        """Nothing of it can keep the account from being read."""
        addresses = [f"192.0.2.{index}" for index in range(9)]
        self.env["sms.ovh.user"]._update_from_ovhcloud(
            self.account,
            [
                self.env["sms.ovh.user"]._read_values(values)
                for values in (
                    {
                        "login": "marketing",
                        "quotaInformations": {"quotaStatus": "active", "quotaLeft": -2},
                        "alertThresholdInformations": {
                            "alertThreshold": 5.0,
                            "support": "pigeon",
                            "alertEmail": "nobody",
                        },
                        "ipRestrictions": addresses,
                    },
                    {"login": "compta"},
                )
            ],
        )
        self.env.flush_all()
        self.assertEqual(self._user().quota_left, -2)
        self.assertEqual(self._user().alert_threshold, 5)
        self.assertEqual(len(self._user()._get_ip_restrictions()), 9)
        self.assertFalse(self._user("compta").quota_active)

    def test_user_deleted_at_ovhcloud(self):
        user = self._user()
        self.account.default_api_user_id = user
        jobs = self._create_sms(self._numbers(1))._sms_ovh_claim()
        self.assertEqual(jobs.ovh_user_id, user)
        with self.account._get_client() as client:
            client.delete(f"/sms/{SERVICE_1}/users/marketing")
        self.account.action_synchronise()
        self.assertTrue(user.exists())
        self.assertFalse(user.active)
        self.assertFalse(self.account.default_api_user_id)
        self.assertIn("marketing", self.account.message_ids[:1].body)
        # What waited is sent all the same.
        self.assertFalse(jobs.ovh_user_id)
        # It comes back with its history.
        with self.account._get_client() as client:
            client.post(
                f"/sms/{SERVICE_1}/users",
                {"login": "marketing", "password": "abcd1234"},
            )
        self.account.action_synchronise()
        self.assertEqual(self._user(), user)

    # ------------------------------------------------------------
    # Changing
    # ------------------------------------------------------------

    def test_quota(self):
        with Form(self._user("compta")) as form:
            form.quota_active = True
            form.quota_left = 300
        quota = self._get_user("compta")["quotaInformations"]
        self.assertEqual(quota, {"quotaStatus": "active", "quotaLeft": 300})
        self.assertEqual(self._user("compta").quota_left, 300)
        # Taken out of the account at once.
        self.assertEqual(self.account.credits_left, 1700)
        self._user("compta").quota_active = False
        self.assertEqual(
            self._get_user("compta")["quotaInformations"]["quotaStatus"], "inactive"
        )
        self.assertEqual(self.account.credits_left, 2000)

    def test_quota_refused(self):
        user = self._user()
        with self.assertRaisesRegex(UserError, "more than what is left"):
            with self.env.cr.savepoint():
                user.quota_left = 100000
        self.assertEqual(user.quota_left, 500)
        self.assertEqual(self._get_user()["quotaInformations"]["quotaLeft"], 500)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            user.quota_left = -1
        self.assertEqual(self._get_user()["quotaInformations"]["quotaLeft"], 500)

    def test_change_refused_by_a_failure(self):
        user = self._user()
        self.simulator.order_faults({"kind": "429", "method": "PUT"})
        with self.assertRaisesRegex(UserError, "slow down"), self.env.cr.savepoint():
            user.quota_left = 600
        self.assertEqual(user.quota_left, 500)

    def test_only_what_changes_is_written(self):
        user = self._user()
        with self.account._get_client() as client:
            # Spent meanwhile, unknown here.
            client.put(
                f"/sms/{SERVICE_1}/users/marketing",
                {"quotaInformations": {"quotaLeft": 450}},
            )
        user.ip_restrictions = "192.0.2.1"
        self.assertEqual(self._get_user()["quotaInformations"]["quotaLeft"], 450)
        self.assertEqual(user.quota_left, 450)

    def test_alert(self):
        user = self._user()
        user.write(
            {
                "alert_active": True,
                "alert_threshold": 20,
                "alert_support": "both",
                "alert_email": " Chef@Example.com",
                "alert_number": "06 12 34 56 78",
            }
        )
        self.assertEqual(
            self._get_user()["alertThresholdInformations"],
            {
                "alertThreshold": 20,
                "support": "both",
                "alertEmail": "chef@example.com",
                "alertNumber": "+33612345678",
            },
        )
        self.assertEqual(user.alert_number, "+33612345678")
        user.alert_active = False
        alert = self._get_user()["alertThresholdInformations"]
        self.assertEqual(alert["alertThreshold"], -1)
        self.assertFalse(user.alert_active)

    def test_impossible_values_are_refused_here(self):
        user = self._user()
        alert = {"alert_active": True, "alert_threshold": 5}
        for values, words in [
            ({**alert, "alert_email": "chef"}, "e-mail"),
            ({**alert, "alert_support": "sms", "alert_number": "12"}, "phone number"),
            ({**alert, "alert_threshold": -2, "alert_email": "a@b.fr"}, "below zero"),
            ({"ip_restrictions": "192.0.2.1\nboutique"}, "boutique"),
            ({"ip_restrictions": "\n".join(f"192.0.2.{i}" for i in range(6))}, "most"),
        ]:
            with self.subTest(**values):
                with (
                    self.assertRaisesRegex(ValidationError, words),
                    self.env.cr.savepoint(),
                ):
                    user.write(values)
        self.assertFalse(self._get_user()["ipRestrictions"])

    def test_ip_restrictions(self):
        user = self._user()
        user.ip_restrictions = " 192.0.2.1\n\n2001:db8::/32, 192.0.2.1"
        self.assertEqual(
            self._get_user()["ipRestrictions"], ["192.0.2.1", "2001:db8::/32"]
        )
        self.assertEqual(user.ip_restrictions, "192.0.2.1\n2001:db8::/32")
        user.ip_restrictions = False
        self.assertEqual(self._get_user()["ipRestrictions"], [])

    def test_one_user_at_a_time(self):
        with self.assertRaisesRegex(UserError, "one API user at a time"):
            self.account.api_user_ids.write({"quota_active": False})

    # ------------------------------------------------------------
    # Creating and deleting
    # ------------------------------------------------------------

    def test_create(self):
        creation = self._create(login="boutique")
        password = creation.password
        self.assertRegex(password, "^[A-Za-z0-9]{8}$")
        action = creation.action_create()
        self.assertEqual(self._get_user("boutique")["password"], password)
        self.assertFalse(creation.password)
        self.assertFalse(creation.password_shown)
        shown = creation.with_context(**action["context"])
        self.assertEqual(shown.password_shown, password)
        user = self._user("boutique")
        action = creation.action_done()
        self.assertEqual(action["res_id"], user.id)
        self.assertFalse(creation.exists())
        # Nowhere in the database.
        self.env.flush_all()
        for name, field in user._fields.items():
            if field.store:
                self.assertNotEqual(user[name], password, name)

    def test_capitals_are_advised_against(self):
        self.assertTrue(self._create(login="Boutique").has_capitals)
        self.assertFalse(self._create(login="boutique").has_capitals)

    def test_create_refused(self):
        for values, words in [
            ({"login": "deux mots"}, "“deux mots” cannot be a login"),
            ({"login": False}, "login"),
            ({"login": "boutique", "password": "court"}, "8 letters and digits"),
            ({"login": "boutique", "password": "abcdéf12"}, "8 letters and digits"),
            ({"login": "marketing"}, "“marketing” exists already"),
        ]:
            with self.subTest(**values):
                creation = self._create(**values)
                with self.assertRaisesRegex(UserError, words):
                    creation.action_create()
        self.assertEqual(len(self.account.api_user_ids), 2)

    def test_delete(self):
        user = self._user()
        user.action_delete()
        self.assertIsNone(self._get_user())
        self.assertFalse(user.active)
        # Its quota went back.
        self.assertEqual(self.account.credits_left, 2500)

    def test_delete_who_sends(self):
        user = self._user()
        self.account.default_api_user_id = user
        with self.assertRaisesRegex(UserError, "sends as “marketing”"):
            user.action_delete()
        self.assertTrue(self._get_user())

    # ------------------------------------------------------------
    # Sending as a user
    # ------------------------------------------------------------

    def _send(self, count=2):
        sms = self._create_sms(self._numbers(count))
        jobs = sms._sms_ovh_claim()
        self._post(jobs)
        return sms, jobs

    def _post(self, jobs):
        jobs._dispatch_after_commit()
        self._commit()
        self.env.invalidate_all()

    def test_send_as_a_user(self):
        self.account.default_api_user_id = self._user()
        __, jobs = self._send()
        self.assertEqual(jobs.state, "accepted")
        self.assertEqual(
            {sms["user"] for sms in self.simulator.get_ledger()}, {"marketing"}
        )
        self.account.action_synchronise()
        # Its quota paid, and shows.
        self.assertEqual(self.account.default_api_user_quota_left, 498)
        self.assertEqual(self.account.credits_left, 2000)

    def test_change_of_user_leaves_the_queue_alone(self):
        self.account.default_api_user_id = self._user()
        jobs = self._create_sms(self._numbers(1))._sms_ovh_claim()
        self.account.default_api_user_id = self._user("compta")
        self._post(jobs)
        self.assertEqual(self.simulator.get_ledger()[0]["user"], "marketing")

    def test_virtual_numbers_have_no_user(self):
        self.account.default_api_user_id = self._user()
        self.account.default_sender_id = self._sender(type="virtual")
        __, jobs = self._send(1)
        self.assertEqual(jobs.state, "accepted")
        self.assertFalse(self.simulator.get_ledger()[0]["user"])

    def test_lost_answer_is_found_with_the_user(self):
        self.account.default_api_user_id = self._user()
        self.simulator.order_faults({"kind": "cut_after", "method": "POST"})
        __, jobs = self._send()
        self.assertEqual(jobs.state, "unknown")
        jobs._reconcile()
        self.assertEqual(jobs.state, "accepted")
        self.assertEqual(len(self.simulator.get_ledger()), 2)

    def test_quota_used_up(self):
        user = self._user()
        user.quota_left = 1
        # A recharge fills the account, not the quota.
        with self.account._get_client() as client:
            client.put(f"/sms/{SERVICE_1}", {"automaticRecreditAmount": "100"})
        self.account.action_synchronise()
        self.account.default_api_user_id = user
        before = len(self.account.message_ids)
        __, jobs = self._send(2)
        self.assertEqual(jobs.state, "queued")
        self.assertIn("quota of the API user “marketing”", jobs.error)
        # It is that user's matter alone: all that others pay for leaves.
        self.assertFalse(self.account.pause_reason)
        __, waiting = self._send(2)
        self.assertEqual(waiting.state, "queued")
        self.assertEqual(waiting.attempts, 0)
        self.account.default_api_user_id = self._user("compta")
        __, others = self._send(2)
        self.assertEqual(others.state, "accepted")
        self.account.default_api_user_id = False
        __, others = self._send(2)
        self.assertEqual(others.state, "accepted")
        # Once an hour, however often, one message, and nothing is given up.
        for __ in range(2 * const.MAX_ATTEMPTS):
            user.refused_until = fields.Datetime.now()
            jobs.next_attempt = fields.Datetime.now()
            self._post(jobs)
            self.assertEqual(jobs.state, "queued")
            self.assertGreater(
                jobs.next_attempt, fields.Datetime.now() + timedelta(minutes=50)
            )
            self.assertGreater(waiting.next_attempt, jobs.next_attempt)
        self.assertEqual(len(self.account.message_ids) - before, 1)
        # In the console; those who wait leave once it is known.
        with self.account._get_client() as client:
            client.put(
                f"/sms/{SERVICE_1}/users/marketing",
                {"quotaInformations": {"quotaStatus": "active", "quotaLeft": 10}},
            )
        self._run_cron("sms_ovh.ir_cron_resume")
        self.env.invalidate_all()
        self.assertFalse(user.refused_until)
        self._post(jobs | waiting)
        self.assertEqual(set((jobs | waiting).mapped("state")), {"accepted"})

    def test_user_of_another_account_is_refused(self):
        other = self.env["res.company"].create({"name": "Autre"})
        account = self.env["sms.ovh.account"].create(
            {"company_id": other.id, "service_name": "sms-zz99999-9"}
        )
        user = self.env["sms.ovh.user"].create(
            {"account_id": account.id, "login": "autre"}
        )
        with self.assertRaises(UserError):
            self.account.default_api_user_id = user

    # ------------------------------------------------------------
    # Recharge and credits
    # ------------------------------------------------------------

    def _recharge(self, **values):
        action = self.account.action_set_recharge()
        recharge = self.env[action["res_model"]].browse(action["res_id"])
        recharge.write(values)
        return recharge

    def test_recharge(self):
        recharge = self._recharge(amount="500", threshold=200)
        self.assertIn("500 SMS", recharge.consequence)
        self.assertIn("200", recharge.consequence)
        recharge.action_apply()
        service = self.simulator.get_state()["services"][SERVICE_1]
        self.assertEqual(service["automaticRecreditAmount"], "500")
        self.assertEqual(service["creditThresholdForAutomaticRecredit"], 200)
        self.assertTrue(self.account.auto_recharge)
        self.assertEqual(self.account.recharge_amount, 500)
        self.assertEqual(self.account.recharge_threshold, 200)
        recharge = self._recharge()
        self.assertEqual(recharge.amount, "500")
        recharge.amount = "off"
        self.assertIn("stop and wait", recharge.consequence)
        recharge.action_apply()
        service = self.simulator.get_state()["services"][SERVICE_1]
        self.assertIsNone(service["automaticRecreditAmount"])
        self.assertFalse(self.account.auto_recharge)

    def test_recharge_refused(self):
        with self.assertRaises(UserError):
            self._recharge(amount="100", threshold=0).action_apply()
        self.simulator.order_faults({"kind": "429", "method": "PUT"})
        with self.assertRaisesRegex(UserError, "slow down"):
            self._recharge(amount="100", threshold=10).action_apply()
        self.assertFalse(self.account.auto_recharge)

    def _get_warnings(self):
        return self.account.activity_ids.filtered(
            lambda activity: "Few SMS left" in (activity.summary or "")
        )

    def test_low_credit_warning(self):
        warned = new_test_user(self.env, "warned", groups="base.group_user")
        self.account.write(
            {
                "credit_warning_threshold": 50,
                "credit_warning_user_ids": warned.ids,
            }
        )
        self.simulator.set_service(SERVICE_1, creditsLeft=50)
        self.account.action_synchronise()
        self.assertFalse(self._get_warnings())
        self.simulator.set_service(SERVICE_1, creditsLeft=49)
        for __ in range(3):
            self.account.action_synchronise()
        self.assertEqual(self._get_warnings().user_id, warned)
        self.assertEqual(len(self._get_warnings()), 1)
        # Bought, and used up again.
        self.simulator.set_service(SERVICE_1, creditsLeft=100)
        self.account.action_synchronise()
        self.assertFalse(self._get_warnings())
        self.simulator.set_service(SERVICE_1, creditsLeft=10)
        self.account.action_synchronise()
        self.assertEqual(len(self._get_warnings()), 1)

    def test_no_warning_where_ovhcloud_recharges(self):
        self._recharge(amount="100", threshold=10).action_apply()
        self.simulator.set_service(SERVICE_1, creditsLeft=1)
        self.account.action_synchronise()
        self.assertFalse(self._get_warnings())

    def test_campaign_that_credits_cannot_pay(self):
        self.simulator.set_service(SERVICE_1, creditsLeft=5)
        self.account.action_synchronise()
        mailing = self._create_mailing(self._numbers(3), body="a" * 100)
        self.assertFalse(mailing.sms_ovh_credit_warning)
        mailing.body_plaintext = "a" * 200
        self.assertEqual(mailing.sms_segments, 2)
        self.assertIn("about: 6", mailing.sms_ovh_credit_warning)
        self.assertIn("left: 5", mailing.sms_ovh_credit_warning)
        # A user's quota is what counts where it pays.
        self.account.default_api_user_id = self._user()
        mailing.invalidate_recordset(["sms_ovh_credit_warning"])
        self.assertFalse(mailing.sms_ovh_credit_warning)
        self.account.default_api_user_id = False
        self._recharge(amount="100", threshold=10).action_apply()
        mailing.invalidate_recordset(["sms_ovh_credit_warning"])
        self.assertFalse(mailing.sms_ovh_credit_warning)

    # ------------------------------------------------------------
    # Rights
    # ------------------------------------------------------------

    def test_marketing_users_look_only(self):
        user = new_test_user(
            self.env,
            "marketer_users",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
        )
        ovh_user = self._user().with_user(user)
        self.assertEqual(ovh_user.quota_left, 500)
        account = self.account.with_user(user)
        for change in (
            lambda: ovh_user.write({"quota_left": 1}),
            ovh_user.action_delete,
            account.action_create_user,
            account.action_set_recharge,
            account.action_set_replies,
            account.action_register_callbacks,
        ):
            with self.assertRaises(AccessError):
                change()
        self.assertEqual(self._get_user()["quotaInformations"]["quotaLeft"], 500)

    def test_other_companies_see_nothing(self):
        other = self.env["res.company"].create({"name": "Autre"})
        user = new_test_user(
            self.env,
            "other_users",
            groups="sms_ovh.group_sms_ovh_admin",
            company_id=other.id,
            company_ids=other.ids,
        )
        env = self.env(user=user, context={"allowed_company_ids": other.ids})
        for model in ("sms.ovh.user", "sms.ovh.reply", "sms.ovh.stop"):
            self.assertFalse(env[model].search([]))
        with self.assertRaises(AccessError):
            self._user().with_env(env).write({"quota_left": 1})
