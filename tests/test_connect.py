import logging
import os
import re
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import requests
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import (
    AccessError,
    RedirectWarning,
    UserError,
    ValidationError,
)
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import config, file_open, mute_logger

from ..tools import http2sms, ovh_client
from .common import KEYS_1, SERVICE_1, SERVICE_2, SmsOvhCase

APPLICATION = {name: KEYS_1[name] for name in ("application_key", "application_secret")}
CLIENT = {
    "auth_method": "oauth2",
    "client_id": "EU.demoserviceaccount1",
    "client_secret": "democlientsecret1democlientsecret1",
}
API_USER = {
    "auth_method": "http2sms",
    "http_login": "compta",
    "http_password": "demo1234",
}
MONTH = "2592000"
NUMBER = "+33611111111"


class ConnectCase(SmsOvhCase):
    """An account that is not connected yet, and an administrator to connect it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.env.ref("base.user_admin")
        cls.admin.write(
            {"company_ids": [(4, cls.company.id)], "company_id": cls.company.id}
        )

    def setUp(self):
        super().setUp()
        ovh_client._token_cache.clear()
        self.company.sms_ovh_account_id = False
        self.account.action_archive()
        self.account.flush_recordset()
        self.new = self._create_new(**APPLICATION)

    def _create_new(self, **values):
        return (
            self.env["sms.ovh.account"]
            .with_user(self.admin)
            .create(
                {
                    "company_id": self.company.id,
                    "endpoint": "custom",
                    "endpoint_url": self.simulator.api_url,
                    **values,
                }
            )
        )

    def _answer(self, url, action="approve", validity="0"):
        """Answer OVHcloud's page as its customer.

        :return: where OVHcloud sends the customer back to
        """
        response = requests.post(
            f"{self.simulator.root}/auth/",
            data={
                "credentialToken": parse_qs(urlsplit(url).query)["credentialToken"],
                "login": "ab12345-ovh",
                "password": "demo",
                "validity": validity,
                "action": action,
            },
            allow_redirects=False,
            timeout=30,
        )
        self.assertEqual(response.status_code, 303)
        return response.headers["Location"]

    def _connect(self, account=None, **answer):
        """Go through OVHcloud's page and come back."""
        account = account or self.new
        state = self._answer(account.action_connect()["url"], **answer).split("/")[-1]
        returned = account.browse()._take_returned(state)
        self.assertEqual(returned, account)
        return returned._finish_connection(returned=True)

    @contextmanager
    def _several_services(self):
        """Have OVHcloud know two services of this customer."""
        get = ovh_client.OvhSmsClient.get

        def get_several(client, path, **params):
            if path == "/sms":
                return [SERVICE_2, SERVICE_1]
            if path == f"/sms/{SERVICE_2}":
                return {"creditsLeft": 500.0, "description": "Deuxième société"}
            return get(client, path, **params)

        with patch.object(ovh_client.OvhSmsClient, "get", get_several):
            yield


@tagged("-at_install", "post_install")
class TestConnect(ConnectCase):
    # ------------------------------------------------------------
    # Connect with OVHcloud
    # ------------------------------------------------------------

    def test_asks_for_the_least_rights(self):
        action = self.new.action_connect()
        self.assertEqual(action["type"], "ir.actions.act_url")
        self.assertTrue(action["url"].startswith(f"{self.simulator.root}/auth/"))
        self.assertEqual(self.new.state, "pending")
        credentials = self.simulator.get_state()["credentials"]
        credential = credentials[self.new.pending_consumer_key]
        rules = {(rule["method"], rule["path"]) for rule in credential["rules"]}
        self.assertEqual(
            rules,
            {
                ("GET", "/sms"),
                ("GET", "/auth/currentCredential"),
                ("GET", "/sms/*"),
                ("POST", "/sms/*"),
                ("PUT", "/sms/*"),
                ("DELETE", "/sms/*"),
            },
        )
        self.assertRegex(
            credential["redirection"],
            rf"^{re.escape(self.new.get_base_url())}/sms_ovh/connected/[\w-]{{43}}$",
        )
        self.assertNotIn(self.new.connect_state, credential["redirection"])
        # With the service known, no other service's.
        self.new.service_name = SERVICE_1
        rules = set(self.new._get_access_rules())
        self.assertIn(("DELETE", f"/sms/{SERVICE_1}/*"), rules)
        self.assertNotIn(("DELETE", f"/sms/{SERVICE_1}"), rules)
        self.assertNotIn(("GET", "/sms/*"), rules)

    def test_approved(self):
        self.assertTrue(self._connect(validity=MONTH))
        self.assertEqual(self.new.state, "connected")
        self.assertEqual(self.new.service_name, SERVICE_1)
        self.assertEqual(self.new.credits_left, 2000)
        self.assertEqual(len(self.new.sender_ids), 6)
        self.assertEqual(self.new.default_sender_id.name, "MaBoutique")
        self.assertEqual(len(self.new.api_user_ids), 2)
        end = fields.Datetime.now() + timedelta(days=30)
        self.assertAlmostEqual(
            self.new.credential_expiration, end, delta=timedelta(minutes=5)
        )
        self.assertFalse(self.new.pending_consumer_key)
        self.assertFalse(self.new.connect_state)

    def test_approved_for_ever(self):
        self.assertTrue(self._connect())
        self.assertEqual(self.new.state, "connected")
        self.assertFalse(self.new.credential_expiration)

    def test_with_the_service_known_its_rights_are_enough(self):
        self.new.service_name = SERVICE_1
        self.assertTrue(self._connect())
        self.assertEqual(self.new.state, "connected")

    def test_refused(self):
        self.assertFalse(self._connect(action="refuse"))
        self.assertEqual(self.new.state, "refused")
        self.assertIn("not approved", self.new.state_message)
        self.assertTrue(self._connect())
        self.assertFalse(self.new.state_message)

    def test_approved_without_coming_back(self):
        url = self.new.action_connect()["url"]
        action = self.new.action_test_connection()
        self.assertEqual(action["params"]["type"], "danger")
        self.assertIn("not approved yet", action["params"]["message"])
        self.assertEqual(self.new.state, "pending")
        self._answer(url)
        self._run_cron("sms_ovh.ir_cron_synchronise")
        self.assertEqual(self.new.state, "connected")

    def test_never_approved(self):
        self.new.action_connect()
        with freeze_time(fields.Datetime.now() + timedelta(days=2)):
            ovh_client._clock_cache.clear()
            self._run_cron("sms_ovh.ir_cron_synchronise")
        self.assertEqual(self.new.state, "draft")
        self.assertFalse(self.new.pending_consumer_key)

    def test_ovhcloud_fails_on_return(self):
        state = self._answer(self.new.action_connect()["url"]).split("/")[-1]
        self.simulator.order_faults({"kind": "500", "path": "currentCredential"})
        account = self.new._take_returned(state)
        self.assertFalse(account._finish_connection(returned=True))
        self.assertEqual(self.new.state, "error")
        self.assertIn("failure of its own", self.new.state_message)

    def test_renewal_keeps_sending(self):
        self._connect(validity=MONTH)
        first = self.new.consumer_key
        url = self.new.action_connect()["url"]
        self.assertEqual(self.new.state, "connected")
        self.assertEqual(self.new.consumer_key, first)
        state = self._answer(url, action="refuse").split("/")[-1]
        self.new._take_returned(state)._finish_connection(returned=True)
        self.assertEqual(self.new.state, "connected")
        self.assertEqual(self.new.consumer_key, first)
        self.assertIn("still in use", self.new.state_message)
        self._connect()
        self.assertEqual(self.new.state, "connected")
        self.assertNotEqual(self.new.consumer_key, first)
        self.assertFalse(self.new.credential_expiration)
        self.assertFalse(self.new.state_message)

    def test_refusals_of_the_application_are_sentences(self):
        for values, words in [
            ({"application_key": False, "application_secret": False}, "Enter the appl"),
            ({"application_key": "unknownkey"}, "does not know the application key"),
            ({"endpoint_url": "http://127.0.0.1:9/1.0"}, "cannot be reached"),
        ]:
            with self.subTest(**values), self.assertRaisesRegex(UserError, words):
                self._create_new(**{**APPLICATION, **values}).action_connect()

    def test_wrong_secret_is_found_out_on_return(self):
        self.new.application_secret = "wrongsecret"
        self.assertFalse(self._connect())
        self.assertEqual(self.new.state, "error")
        self.assertIn("application secret", self.new.state_message)

    def test_ovhcloud_cannot_send_anywhere(self):
        for url in ("javascript:alert(1)", "data:text/html,x", "//x", None, 3):
            with (
                self.subTest(url=url),
                patch.object(
                    ovh_client.OvhSmsClient,
                    "_send",
                    lambda *args, url=url, **kwargs: {
                        "consumerKey": "x" * 32,
                        "validationUrl": url,
                    },
                ),
                self.assertRaisesRegex(UserError, "cannot be read"),
            ):
                self.new.action_connect()

    def test_refused_address_of_odoo(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "odoo.local")
        with self.assertRaisesRegex(RedirectWarning, r"odoo\.local,") as raised:
            self.new.action_connect()
        # Its own words, and the way to it.
        self.assertNotIn("web.base.url", raised.exception.args[0])
        self.assertEqual(raised.exception.args[1]["res_model"], "ir.config_parameter")

    def test_only_administrators_connect(self):
        user = new_test_user(
            self.env,
            "sms_admin",
            groups="sms_ovh.group_sms_ovh_admin",
            company_id=self.company.id,
        )
        with self.assertRaises(AccessError):
            self.new.with_user(user).action_connect()
        self.assertTrue(self.new.with_user(user).application_available)
        for name in ("client_secret", "http_password", "pending_consumer_key"):
            with self.subTest(field=name), self.assertRaises(AccessError):
                self.new.with_user(user).read([name])

    # ------------------------------------------------------------
    # The return
    # ------------------------------------------------------------

    def test_return_counts_once(self):
        state = self._answer(self.new.action_connect()["url"]).split("/")[-1]
        self.assertFalse(self.new._take_returned("x" * 43))
        self.assertFalse(self.new._take_returned(self.new.connect_state))
        self.assertEqual(self.new._take_returned(state), self.new)
        self.assertFalse(self.new._take_returned(state))

    def test_return_of_an_earlier_attempt(self):
        first = self._answer(self.new.action_connect()["url"]).split("/")[-1]
        second = self._answer(self.new.action_connect()["url"]).split("/")[-1]
        self.assertFalse(self.new._take_returned(first))
        self.assertEqual(self.new._take_returned(second), self.new)

    def test_return_is_bound_to_the_user(self):
        state = self._answer(self.new.action_connect()["url"]).split("/")[-1]
        other = new_test_user(self.env, "other_system", groups="base.group_system")
        self.assertFalse(self.new.with_user(other)._take_returned(state))
        self.assertEqual(self.new._take_returned(state), self.new)

    def test_return_is_too_late(self):
        state = self._answer(self.new.action_connect()["url"]).split("/")[-1]
        with freeze_time(fields.Datetime.now() + timedelta(minutes=61)):
            self.assertFalse(self.new._take_returned(state))
        self.assertFalse(self.new._take_returned(state))

    # ------------------------------------------------------------
    # Several services
    # ------------------------------------------------------------

    def test_several_services(self):
        with self._several_services():
            self.assertFalse(self._connect())
            self.assertFalse(self.new.service_name)
            self.assertEqual(self.new.available_services, f"{SERVICE_1}, {SERVICE_2}")
            self.assertIn("choose one", self.new.state_message)
            action = self.new.action_test_connection()
        self.assertEqual(action["res_model"], "sms.ovh.service.choice")
        choice = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(
            [(line.name, line.credits_left) for line in choice.line_ids],
            [(SERVICE_1, 2000), (SERVICE_2, 500)],
        )
        choice.line_ids[0].action_choose()
        self.assertEqual(self.new.state, "connected")
        self.assertEqual(self.new.service_name, SERVICE_1)
        self.assertFalse(self.new.available_services)

    def test_service_of_another_account_is_not_offered(self):
        self.account.action_unarchive()
        self.assertFalse(self._connect())
        self.assertEqual(self.new.state, "error")
        self.assertIn("no other account uses", self.new.state_message)
        with self._several_services():
            action = self.new.action_choose_service()
        choice = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(choice.line_ids.mapped("name"), [SERVICE_2])

    def test_chosen_service_that_fails(self):
        with self._several_services():
            self._connect()
            action = self.new.action_choose_service()
        choice = self.env[action["res_model"]].browse(action["res_id"])
        with self.assertRaisesRegex(UserError, SERVICE_2):
            choice.line_ids[1].action_choose()

    def test_a_company_needs_the_service(self):
        with self.assertRaisesRegex(ValidationError, "Connect it first"):
            self.company.sms_ovh_account_id = self.new
        self._connect()
        self.company.sms_ovh_account_id = self.new
        with self.assertRaisesRegex(ValidationError, "enter its service"):
            self.new.service_name = False

    def test_new_account_needs_no_service(self):
        form = Form(self.env["sms.ovh.account"])
        self.assertFalse(form.application_available)
        form.application_key = APPLICATION["application_key"]
        form.application_secret = APPLICATION["application_secret"]
        self.assertTrue(form.application_available)
        account = form.save()
        self.assertEqual(account.endpoint, "ovh-eu")
        self.assertEqual(account.state, "draft")
        self.assertEqual(account.display_name, "New OVHcloud account")

    # ------------------------------------------------------------
    # Keys typed by hand
    # ------------------------------------------------------------

    def test_keys_typed_by_hand_read_the_service(self):
        account = self._create_new(**KEYS_1)
        self.assertEqual(account.action_test_connection()["params"]["type"], "success")
        self.assertEqual(account.service_name, SERVICE_1)

    def test_states_of_typed_keys(self):
        for key, state in [
            ("demopending00000000000000000pend", "refused"),
            ("demorefused00000000000000000refu", "refused"),
        ]:
            with self.subTest(key=key):
                self.new.consumer_key = key
                self.assertEqual(self.new.state, "draft")
                self.new._synchronise()
                self.assertEqual(self.new.state, state)

    # ------------------------------------------------------------
    # The end of a connection
    # ------------------------------------------------------------

    def test_expired(self):
        self._connect(validity=MONTH)
        self.simulator.set_credential(self.new.consumer_key, "expired")
        with freeze_time(self.new.credential_expiration + timedelta(hours=1)):
            ovh_client._clock_cache.clear()
            self.assertFalse(self.new._synchronise())
            self.assertEqual(self.new.state, "expired")
            self.assertIn("has expired", self.new.state_message)
        # Withdrawn before its end, it is refused.
        ovh_client._clock_cache.clear()
        self.new._synchronise()
        self.assertEqual(self.new.state, "refused")

    def _expiry_activities(self):
        return self.new.activity_ids.filtered(
            lambda activity: (
                activity.activity_type_id
                == self.env.ref("sms_ovh.mail_activity_type_expiry")
            )
        )

    def test_expiry_is_announced_once(self):
        self._connect(validity=MONTH)
        end = self.new.credential_expiration
        self.assertFalse(self._expiry_activities())
        with freeze_time(end - timedelta(days=15)):
            ovh_client._clock_cache.clear()
            self.new._announce_expiry()
            self.assertFalse(self._expiry_activities())
        with freeze_time(end - timedelta(days=13)):
            for __ in range(2):
                self.new._announce_expiry()
            activity = self._expiry_activities()
            self.assertEqual(len(activity), 1)
            self.assertEqual(activity.user_id, self.new.user_id)
            self.assertEqual(activity.date_deadline, end.date())
            activity.action_done()
            self.new._announce_expiry()
            self.assertFalse(self._expiry_activities())

    def test_expiry_is_announced_by_the_cron_and_renewed(self):
        self._connect(validity="86400")
        self.assertEqual(len(self._expiry_activities()), 1)
        self._run_cron("sms_ovh.ir_cron_synchronise")
        self.assertEqual(len(self._expiry_activities()), 1)
        self._connect(validity=MONTH)
        self.assertFalse(self._expiry_activities())

    # ------------------------------------------------------------
    # The integrator's application
    # ------------------------------------------------------------

    def test_application_of_the_configuration_file(self):
        account = self._create_new()
        self.assertFalse(account.application_available)
        options = {f"sms_ovh_{name}": value for name, value in APPLICATION.items()}
        with patch.dict(config._file_options, options):
            account.invalidate_recordset()
            self.assertTrue(account.application_available)
            self.assertTrue(account.application_from_server)
            self.assertTrue(self._connect(account))
            self.assertFalse(account.application_key)
            self.assertFalse(account.application_secret)

    def test_application_of_the_environment(self):
        account = self._create_new(consumer_key=KEYS_1["consumer_key"])
        environment = {
            f"SMS_OVH_{name.upper()}": value for name, value in APPLICATION.items()
        }
        with patch.dict(os.environ, environment):
            self.assertTrue(account._synchronise())
            # The account's own wins.
            account.application_key = "unknownkey"
            self.assertFalse(account._synchronise())
        self.assertIn("not complete", account.state_message)

    def test_half_an_application_is_none(self):
        account = self._create_new()
        with patch.dict(config._file_options, {"sms_ovh_application_key": "x" * 16}):
            self.assertFalse(account.application_available)

    # ------------------------------------------------------------
    # OAuth2 service account
    # ------------------------------------------------------------

    def test_oauth2_connects_and_sends(self):
        account = self._create_new(**CLIENT)
        self.assertEqual(account.action_test_connection()["params"]["type"], "success")
        self.assertEqual(account.service_name, SERVICE_1)
        self.assertEqual(account.credits_left, 2000)
        self.assertFalse(account.credential_expiration)
        self.company.sms_ovh_account_id = account
        sms = self._create_sms(self._numbers(3))
        sms.send()
        self._commit()
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        self.assertEqual(len(self.simulator.get_ledger()), 3)
        # One token for all of it.
        counts = self.simulator.get_state()["requests"]
        self.assertEqual(counts["POST /auth/oauth2/token"], 1)

    def test_oauth2_refused(self):
        for values in (
            {"client_secret": "wrongsecret"},
            {"client_id": "EU.nobody"},
        ):
            with self.subTest(**values):
                account = self._create_new(**{**CLIENT, **values})
                action = account.action_test_connection()
                self.assertIn("client ID", action["params"]["message"])
                self.assertEqual(account.state, "refused")
                self.assertNotIn("wrongsecret", action["params"]["message"])
        account = self._create_new(auth_method="oauth2", client_id="EU.nobody")
        action = account.action_test_connection()
        self.assertIn("client secret", action["params"]["message"])

    def test_oauth2_failures(self):
        for fault, words in [
            ({"kind": "500"}, "failure of its own"),
            ({"kind": "502_html"}, "failure of its own"),
            ({"kind": "429"}, "slow down"),
            ({"kind": "garbage"}, "cannot be read"),
            ({"kind": "empty"}, "cannot be read"),
            ({"kind": "cut_before"}, "did not answer"),
        ]:
            with self.subTest(**fault):
                ovh_client._token_cache.clear()
                account = self._create_new(**CLIENT)
                self.simulator.order_faults({**fault, "path": "oauth2/token"})
                action = account.action_test_connection()
                self.assertIn(words, action["params"]["message"])
                with account._get_client() as client:
                    ovh_client._token_cache.clear()
                    self.simulator.order_faults({**fault, "path": "oauth2/token"})
                    with self.assertRaises(ovh_client.OvhError) as raised:
                        client.post(f"/sms/{SERVICE_1}/jobs", {"message": "x"})
                # Only a token was asked for: the SMS may be tried again.
                self.assertFalse(raised.exception.may_be_done)

    def test_oauth2_tokens_are_renewed(self):
        account = self._create_new(**CLIENT)
        with account._get_client() as client:
            client.get("/sms")
            # Refused by OVHcloud before its end: a new one repeats the call.
            self.simulator.reset()
            self.assertEqual(client.get("/sms"), [SERVICE_1])
            # Its end has come.
            key = client._service_account._key
            token, __ = ovh_client._token_cache[key]
            ovh_client._token_cache[key] = token, 0
            client.get("/sms")
            self.assertNotEqual(ovh_client._token_cache[key][0], token)

    def test_oauth2_secrets_stay_inside(self):
        account = self._create_new(**CLIENT)
        with self.assertLogs(level=logging.DEBUG) as logs:
            account._synchronise()
            account.client_secret = "wrongsecretwrongsecret"
            account._synchronise()
        logged = "\n".join(logs.output)
        self.assertNotIn(CLIENT["client_secret"], logged)
        self.assertNotIn("wrongsecretwrongsecret", logged)
        self.assertNotIn("Bearer", logged)
        token = next(iter(ovh_client._token_cache.values()))[0]
        self.assertNotIn(token, logged)
        self.assertNotIn("secret", repr(account._get_client()))

    # ------------------------------------------------------------
    # http2sms
    # ------------------------------------------------------------

    def _create_http2sms(self, **values):
        account = self._create_new(
            **API_USER
            | {"service_name": SERVICE_1, "http_sender": "MaBoutique"}
            | values
        )
        self.company.sms_ovh_account_id = account
        return account

    def _send(self, numbers=(NUMBER,), body="Bonjour", **values):
        sms = self._create_sms(numbers, body, **values)
        sms.send()
        self._commit()
        return sms

    def test_http2sms_sends(self):
        account = self._create_http2sms()
        self.assertEqual(account.default_sender_id.name, "MaBoutique")
        with self.assertLogs(level=logging.DEBUG) as logs:
            sms = self._send([NUMBER, "+33622222222"], "Bonjour\nà bientôt, forêt")
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        ledger = self.simulator.get_ledger()
        self.assertEqual(
            dict(zip(sms.mapped("number"), sms.mapped("sms_ovh_id"), strict=True)),
            {entry["receiver"]: str(entry["id"]) for entry in ledger},
        )
        self.assertEqual(ledger[0]["message"], "Bonjour\nà bientôt, forêt")
        self.assertEqual(ledger[0]["sender"], "MaBoutique")
        self.assertEqual(account.credits_left, 1998)
        self.assertEqual(account.state, "connected")
        self.assertTrue(account.last_sync)
        self.assertNotIn("demo1234", "\n".join(logs.output))

    def test_http2sms_with_the_stop_clause(self):
        self._create_http2sms()
        sms = self._create_sms([NUMBER])
        sms.sms_ovh_stop_clause = True
        sms.send()
        self._commit()
        self.assertEqual(
            [job["deferred_minutes"] for job in self.simulator.get_state()["jobs"]], [0]
        )
        self.assertIn("STOP", self.simulator.get_ledger()[0]["text_sent"])

    def test_http2sms_keeps_the_password_out_of_the_url(self):
        account = self._create_http2sms()
        sent = []
        post = requests.Session.post

        def record(session, url, **kwargs):
            sent.append((url, kwargs))
            return post(session, url, **kwargs)

        with patch.object(requests.Session, "post", record):
            self._send()
        (url, kwargs), *others = sent
        self.assertFalse(others)
        self.assertEqual(url, f"{self.simulator.root}/cgi-bin/sms/http2sms.cgi")
        self.assertEqual(kwargs["data"]["password"], "demo1234")
        self.assertEqual(kwargs["data"]["contentType"], "application/json")
        account.endpoint = "ovh-eu"
        self.assertEqual(
            account._get_client().url, "https://www.ovh.com/cgi-bin/sms/http2sms.cgi"
        )
        self.assertNotIn("demo1234", repr(account._get_client()))

    def test_http2sms_refusals_of_the_login(self):
        for values, words in [
            ({"http_password": "wrong123"}, "password"),
            ({"http_login": "nobody"}, "password"),
            ({"service_name": "sms-zz99999-1"}, "password"),
            ({"http_password": False}, "login and password"),
        ]:
            with self.subTest(**values):
                account = self._create_http2sms(**values)
                sms = self._send()
                self.assertEqual(account.pause_reason, "keys")
                self.assertIn(words, account.pause_message)
                self.assertEqual(sms.state, "process")
                self.company.sms_ovh_account_id = False
                account.action_archive()
                account.flush_recordset()

    def test_http2sms_address_refused(self):
        self.account.action_unarchive()
        with self.account._get_client() as client:
            client.put(
                f"/sms/{SERVICE_1}/users/compta", {"ipRestrictions": ["192.0.2.1"]}
            )
        self.account.action_archive()
        self.account.flush_recordset()
        account = self._create_http2sms()
        self._send()
        self.assertIn("this server's address", account.pause_message)

    def test_http2sms_refusals_of_one_sms(self):
        account = self._create_http2sms()
        blacklisted = "+33600000003"
        sms = self._send([NUMBER, blacklisted])
        by_number = {record.number: record for record in sms}
        self.assertEqual(by_number[NUMBER].state, "pending")
        self.assertIn(by_number[blacklisted].state, ("pending", "error"))
        account.http_sender = "Inconnu"
        sms = self._send()
        self.assertEqual(sms.failure_type, "sms_ovh_sender")
        self.assertIn("Inconnu", sms.sms_ovh_failure_reason)

    def test_http2sms_out_of_credit(self):
        self.simulator.set_service(SERVICE_1, creditsLeft=0)
        account = self._create_http2sms()
        self._send()
        self.assertEqual(account.pause_reason, "credit")

    @mute_logger("odoo.addons.sms_ovh.models.sms_ovh_job")
    def test_http2sms_unknown_outcome_is_never_sent_again(self):
        account = self._create_http2sms()
        for kind in ("500", "garbage", "empty", "cut_after"):
            with self.subTest(kind=kind):
                self.simulator.reset()
                fault = {"kind": kind, "path": "http2sms"}
                if kind != "cut_after":
                    fault["accept"] = True
                self.simulator.order_faults(fault)
                sms = self._send()
                job = sms.sms_ovh_job_id
                self.assertEqual(job.state, "unknown")
                job._reconcile()
                self.assertEqual(job.state, "failed")
                self.assertEqual(sms.state, "error")
                self.assertEqual(sms.failure_type, "sms_ovh_unconfirmed")
                self._run_cron("sms_ovh.ir_cron_post_jobs")
                self.assertEqual(len(self.simulator.get_ledger()), 1)
        self.assertFalse(account.pause_reason)

    def test_http2sms_not_sent_is_tried_again(self):
        self._create_http2sms()
        self.simulator.order_faults({"kind": "429", "path": "http2sms"})
        sms = self._send()
        job = sms.sms_ovh_job_id
        self.assertEqual(job.state, "queued")
        job.next_attempt = False
        self._run_cron("sms_ovh.ir_cron_post_jobs")
        self.assertEqual(sms.state, "pending")
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_http2sms_does_nothing_else(self):
        account = self._create_http2sms()
        action = account.action_test_connection()
        self.assertEqual(action["params"]["type"], "info")
        self.assertFalse(account._synchronise())
        self.assertEqual(account.state, "draft")
        with account._get_client() as client:
            for call in (
                lambda: client.get("/sms"),
                lambda: client.put("/sms", {}),
                lambda: client.delete("/sms"),
                lambda: client.post("/sms/estimate", {}),
            ):
                with self.assertRaises(ovh_client.OvhNotGranted) as raised:
                    call()
        sentence = account._get_error_sentence(raised.exception)
        self.assertIn("sending only", sentence)
        trackers = self.env["sms.tracker"]
        trackers._sms_ovh_poll(account)
        self.assertFalse(self.simulator.get_state()["requests"])

    def test_http2sms_sender_is_typed(self):
        account = self._create_http2sms()
        for name in ("Mon Nom", "12345678", "DouzeLettres", "é"):
            with (
                self.subTest(name=name),
                self.assertRaisesRegex(ValidationError, "letters and digits"),
            ):
                account.http_sender = name
        first = account.default_sender_id
        account.http_sender = "Autre"
        self.assertNotEqual(account.default_sender_id, first)
        account.http_sender = "MaBoutique"
        self.assertEqual(account.default_sender_id, first)

    def test_http2sms_is_typed_into_the_form(self):
        with Form(self.new) as form:
            form.auth_method = "http2sms"
            with self.assertRaises(AssertionError):
                form.save()
            form.service_name = SERVICE_1
            form.http_login = " compta\n"
            form.http_password = "demo1234"
            form.http_sender = "MaBoutique"
        self.assertEqual(self.new.http_login, "compta")
        self.assertEqual(self.new.default_sender_id.name, "MaBoutique")
        with self.assertRaisesRegex(ValidationError, "API User's Password"):
            self.new.http_password = "é"

    def test_http2sms_answers(self):
        """What OVHcloud's guide shows, and what it does not."""
        client = http2sms.Http2SmsClient("http://127.0.0.1:9/x", "login", "password")
        data = {"message": "x", "receivers": [NUMBER], "tag": "t", "sender": "S"}
        report = {
            "ids": ["1"],
            "validReceivers": [NUMBER],
            "invalidReceivers": [],
            "totalCreditsRemoved": None,
            "tag": "t",
            "creditsLeft": 1987.5,
        }
        for name in ("SmsIds", "smsIds"):
            answer = {"status": 100, "creditLeft": "1987.5", name: ["1"]}
            with patch.object(client, "_post_form", lambda form, a=answer: a):
                self.assertEqual(client.post("/sms/x/jobs", data), report)
        for answer, error_class in [
            ({"status": 201, "message": "Missing message"}, ovh_client.OvhBadRequest),
            ({"status": 202, "message": "Invalid tag"}, ovh_client.OvhBadRequest),
            ({"status": 401, "message": "IP"}, ovh_client.OvhAddressRefused),
            ({"status": 999}, ovh_client.OvhUnreadableAnswer),
            ({"status": 100}, ovh_client.OvhUnreadableAnswer),
            ({"status": 100, "SmsIds": []}, ovh_client.OvhUnreadableAnswer),
        ]:
            with (
                self.subTest(**answer),
                patch.object(client, "_post_form", lambda form, a=answer: a),
                self.assertRaises(error_class),
            ):
                client.post("/sms/x/jobs", data)
        answer = {"status": 202, "message": "Invalid parameter to"}
        with patch.object(client, "_post_form", lambda form: answer):
            report = client.post("/sms/x/jobs", data)
        self.assertEqual(report["invalidReceivers"], [NUMBER])
        with self.assertRaises(ovh_client.OvhUnreachable):
            client.post("/sms/x/jobs", data)

    def test_http2sms_form(self):
        client = http2sms.Http2SmsClient("http://127.0.0.1:9/x", "login", "password")
        data = {"message": "a\r\nb\nc", "receivers": [NUMBER], "noStopClause": True}
        form = client._prepare_form(SERVICE_1, data)
        self.assertEqual(form["message"], "a\rb\rc")
        self.assertEqual(form["noStop"], "1")
        self.assertNotIn("deferred", form)
        self.assertNotIn("smsCoding", form)
        form = client._prepare_form(
            SERVICE_1,
            {
                "message": "forêt",
                "receivers": [NUMBER],
                "senderForResponse": True,
                "differedPeriod": 60,
            },
        )
        self.assertEqual(form["senderForResponse"], "1")
        self.assertEqual(form["smsCoding"], "2")
        self.assertRegex(form["deferred"], r"^\d{12}$")
        self.assertNotIn("noStop", form)

    # ------------------------------------------------------------
    # Copies of the database
    # ------------------------------------------------------------

    def test_neutralised_copy_is_connected_with_nobody(self):
        self._connect()
        self.new.action_connect()
        self.new.write({**CLIENT, **API_USER})
        self.env.flush_all()
        with file_open("sms_ovh/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        secrets = [*KEYS_1, *CLIENT, *API_USER, "pending_consumer_key", "connect_state"]
        secrets.remove("auth_method")
        secrets.remove("auth_method")
        for name in secrets:
            self.assertFalse(self.new[name], name)

    # ------------------------------------------------------------
    # What OVHcloud says is text
    # ------------------------------------------------------------

    def test_words_of_ovhcloud_are_text(self):
        account = self._create_new(**KEYS_1)
        error = ovh_client.OvhOutOfCredit("<img src=x onerror=alert(1)>")
        account._pause("credit", account._get_error_sentence(error))
        self.assertIn("<img", account.pause_message)
        self.assertIn("&lt;img", account.activity_ids.note)


@tagged("-at_install", "post_install")
class TestConnectPage(ConnectCase, HttpCase):
    """The way through OVHcloud's page and back, as a browser goes it."""

    def test_unknown_state_is_refused(self):
        self.authenticate("admin", "admin")
        for state in ("x" * 43, "..", "a"):
            with self.subTest(state=state):
                response = self.url_open(f"/sms_ovh/connected/{state}")
                self.assertIn(response.status_code, (403, 404))
        self.assertEqual(self.new.state, "draft")

    def test_return_needs_a_login(self):
        url = self._answer(self.new.action_connect()["url"])
        response = self.url_open(url, allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertIn("/web/login", response.headers["Location"])

    def test_return(self):
        url = self._answer(self.new.action_connect()["url"], validity=MONTH)
        self.authenticate("admin", "admin")
        response = self.url_open(url, allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertEqual(
            urlsplit(response.headers["Location"]).path,
            f"/odoo/ovhcloud-sms/{self.new.id}",
        )
        self.env.invalidate_all()
        self.assertEqual(self.new.state, "connected")
        # The same return again is refused, in words.
        response = self.url_open(url, allow_redirects=False)
        self.assertEqual(response.status_code, 403)
        self.assertIn("not valid", response.text)
        self.assertEqual(self.new.state, "connected")

    def test_the_way_of_a_user(self):
        self._take_the_way()

    def test_the_way_of_a_user_by_keyboard(self):
        self._take_the_way("_keyboard")

    def _take_the_way(self, way=""):
        self.env["res.lang"]._activate_lang("en_US")
        self.admin.lang = "en_US"
        path = f"/odoo/ovhcloud-sms/{self.new.id}"
        opened = []
        request_consumer_key = ovh_client.OvhSmsClient.request_consumer_key

        def note(client, rules, redirection):
            answer = request_consumer_key(client, rules, redirection)
            opened.append(answer[1])
            return answer

        with patch.object(ovh_client.OvhSmsClient, "request_consumer_key", note):
            self.start_tour(path, f"sms_ovh_connect{way}", login="admin")
        self.env.invalidate_all()
        self.assertEqual(self.new.state, "pending")
        returned = urlsplit(self._answer(opened[0], validity=MONTH))
        self.assertEqual(returned.netloc, urlsplit(self.base_url()).netloc)
        self.start_tour(returned.path, "sms_ovh_connected", login="admin")
        self.env.invalidate_all()
        self.assertEqual(self.new.state, "connected")

    def test_the_way_of_a_user_with_several_services(self):
        self.env["res.lang"]._activate_lang("en_US")
        self.admin.lang = "en_US"
        url = self._answer(self.new.action_connect()["url"])
        with self._several_services():
            self.start_tour(urlsplit(url).path, "sms_ovh_choose_service", login="admin")
        self.env.invalidate_all()
        self.assertEqual(self.new.service_name, SERVICE_1)
        self.assertEqual(self.new.state, "connected")
