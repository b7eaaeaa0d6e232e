"""What docs/security.rst promises."""

import io
import logging
import traceback
from contextlib import contextmanager

import requests

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, TransactionCase, new_test_user, tagged

from ..tools import http2sms, job_pool, ovh_client
from ..tools.log_filter import HideSecrets
from .common import KEYS_1, SERVICE_1, SmsOvhCase

SECRETS = {
    "application_key": "secretapplicationkey",
    "application_secret": "secretapplicationsecret",
    "consumer_key": "secretconsumerkey",
    "pending_consumer_key": "secretpendingconsumerkey",
    "connect_state": "secretconnectstate",
    "client_id": "secretclientid",
    "client_secret": "secretclientsecret",
    "http_login": "secrethttplogin",
    "http_password": "secrethttppassword",
    "callback_token": "secretcallbacktokensecretcallbacktoken",
}
CLIENT = {
    "client_id": "EU.demoserviceaccount1",
    "client_secret": "democlientsecret1democlientsecret1",
}
LOGIN = {"http_login": "compta", "http_password": "demo1234"}
# What goes wrong with calls to OVHcloud: see `dev/ovh_simulator/faults.py`.
FAULTS = ("cut_before", "500", "garbage", "429")


@tagged("-at_install", "post_install")
class TestSecretFields(TransactionCase):
    """Who is no system administrator reads no secret, in whatever roundabout way."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Ma Boutique"})
        cls.account = cls.env["sms.ovh.account"].create(
            {
                "company_id": cls.company.id,
                "service_name": "sms-security-1",
                **SECRETS,
            }
        )
        cls.company.sms_ovh_account_id = cls.account
        cls.sender = cls.env["sms.ovh.sender"].create(
            {
                "account_id": cls.account.id,
                "name": "Boutique",
                "type": "alpha",
                "status": "enable",
            }
        )
        cls.mailing = cls.env["mailing.mailing"].create(
            {
                "subject": "Soldes",
                "mailing_type": "sms",
                "mailing_model_id": cls.env["ir.model"]._get_id("mailing.list"),
                "sms_ovh_company_id": cls.company.id,
            }
        )
        cls.users = [
            new_test_user(
                cls.env,
                f"security_{name}",
                groups=f"base.group_allow_export,{group}",
                company_id=cls.company.id,
                company_ids=cls.company.ids,
            )
            for name, group in (
                ("marketing", "mass_mailing.group_mass_mailing_user"),
                ("administrator", "sms_ovh.group_sms_ovh_admin"),
            )
        ]
        cls.administrator = cls.users[-1]
        cls.env.flush_all()

    def _for_each(self):
        """Yield an environment of each user with each secret's name and value."""
        for user in self.users:
            for name, value in SECRETS.items():
                with self.subTest(user=user.login, field=name):
                    env = self.env(
                        user=user, context={"allowed_company_ids": self.company.ids}
                    )
                    yield env, name, value

    def _paths(self, name):
        """Return where a domain could reach a secret from: (model, path)."""
        return [
            ("sms.ovh.account", name),
            ("res.company", f"sms_ovh_account_id.{name}"),
            ("res.partner", f"company_id.sms_ovh_account_id.{name}"),
            ("sms.ovh.sender", f"account_id.{name}"),
            ("sms.ovh.user", f"account_id.{name}"),
            ("sms.ovh.reply", f"account_id.{name}"),
            ("sms.ovh.log", f"account_id.{name}"),
            ("mailing.mailing", f"sms_ovh_account_id.{name}"),
            ("mailing.mailing", f"sms_ovh_sender_id.account_id.{name}"),
            (
                "mailing.mailing",
                f"sms_ovh_company_id.sms_ovh_account_id.{name}",
            ),
        ]

    def test_every_hidden_field_of_text_is_known_here(self):
        hidden = {
            name
            for name, field in self.account._fields.items()
            if field.groups and field.store and field.type in ("char", "text")
        }
        self.assertEqual(hidden - {"endpoint_url"}, set(SECRETS))
        for name in hidden:
            self.assertEqual(self.account._fields[name].groups, "base.group_system")
            self.assertFalse(getattr(self.account._fields[name], "tracking", None))

    def test_domains(self):
        for env, name, value in self._for_each():
            for model, path in self._paths(name):
                for operator, guess in (
                    ("=", value),
                    ("!=", False),
                    ("=like", f"{value[:3]}%"),
                    ("in", [value]),
                    (">", value[:3]),
                ):
                    with self.assertRaises(AccessError, msg=(model, path, operator)):
                        env[model].search([(path, operator, guess)])
                with self.assertRaises(AccessError):
                    env[model].search_count([(path, "=like", "s%")])
            for operator in ("any", "not any"):
                with self.assertRaises(AccessError):
                    env["res.company"].search(
                        [("sms_ovh_account_id", operator, [(name, "=like", "s%")])]
                    )

    def test_order_and_groups(self):
        for env, name, __ in self._for_each():
            Account = env["sms.ovh.account"]
            with self.assertRaises(AccessError):
                Account.search([], order=f"{name} desc")
            with self.assertRaises(AccessError):
                Account.formatted_read_group([], [name], ["__count"])
            with self.assertRaises(AccessError):
                Account.formatted_read_group([], ["state"], [f"{name}:array_agg"])
            with self.assertRaises(AccessError):
                Account.web_read_group([], [name], ["__count"])
            with self.assertRaises(AccessError):
                Account._read_group([], [], [f"{name}:max"])

    def test_names(self):
        for env, __, value in self._for_each():
            self.assertFalse(env["sms.ovh.account"].name_search(value))
            self.assertFalse(
                env["sms.ovh.account"].search([("display_name", "ilike", value)])
            )
            self.assertNotIn(value, self.account.with_env(env).display_name)

    def test_reading(self):
        for env, name, __ in self._for_each():
            account = self.account.with_env(env)
            for read in (
                lambda account=account, name=name: account[name],
                lambda account=account, name=name: account.read([name]),
                lambda account=account, name=name: account.web_read({name: {}}),
                lambda account=account, name=name: account.search_read([], [name]),
                lambda account=account, name=name: account.mapped(name),
                lambda account=account, name=name: account.filtered_domain(
                    [(name, "=like", "s%")]
                ),
                lambda env=env, name=name: env.company.web_read(
                    {"sms_ovh_account_id": {"fields": {name: {}}}}
                ),
            ):
                with self.assertRaises(AccessError):
                    read()
            self.assertNotIn(name, account.fields_get())
            self.assertNotIn(name, account.read()[0])

    def test_exports(self):
        for env, name, __ in self._for_each():
            for record, path in (
                (self.account, name),
                (self.company, f"sms_ovh_account_id/{name}"),
                (self.sender, f"account_id/{name}"),
                (self.mailing, f"sms_ovh_account_id/{name}"),
            ):
                with self.assertRaises(UserError):  # or AccessError, one of them
                    record.with_env(env).export_data([path])

    def test_forms(self):
        for env, name, value in self._for_each():
            account = self.account.with_env(env)
            for values, names in (({}, []), ({"service_name": "x"}, ["service_name"])):
                with self.assertRaises(AccessError):
                    account.onchange(values, names, {name: {}})
            defaults = env["sms.ovh.account"].default_get([name])
            self.assertNotIn(value, str(defaults))

    def test_copies_have_no_secret(self):
        copy = self.account.copy({"service_name": "sms-security-2"})
        for name, value in SECRETS.items():
            self.assertNotEqual(copy[name], value)

    def test_chatter(self):
        self.account.write({name: value[::-1] for name, value in SECRETS.items()})
        self.env.flush_all()
        self.env.cr.precommit.run()
        messages = self.account.message_ids
        said = str(
            messages.mapped("body")
            + messages.sudo().tracking_value_ids.mapped("new_value_char")
            + messages.sudo().tracking_value_ids.mapped("old_value_char")
        )
        for value in SECRETS.values():
            self.assertNotIn(value, said)
            self.assertNotIn(value[::-1], said)

    def test_password_of_a_new_api_user(self):
        """What one administrator types is not another's to read."""
        other = new_test_user(
            self.env,
            "security_other",
            groups="sms_ovh.group_sms_ovh_admin",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        creation = (
            self.env["sms.ovh.user.create"]
            .with_user(self.administrator)
            .create({"account_id": self.account.id, "password": "Abcdefg1"})
        )
        self.assertEqual(creation.password, "Abcdefg1")
        with self.assertRaises(AccessError):
            creation.with_user(other).read(["password"])
        self.assertFalse(
            self.env["sms.ovh.user.create"]
            .with_user(other)
            .search([("password", "=like", "A%")])
        )

    # ------------------------------------------------------------
    # Addresses that this server calls
    # ------------------------------------------------------------

    def _as_administrator(self, **context):
        return (
            self.env["sms.ovh.account"]
            .with_user(self.administrator)
            .with_context(allowed_company_ids=self.company.ids, **context)
        )

    def test_no_address_is_written(self):
        account = self.account.with_user(self.administrator)
        for values in (
            {"endpoint": "custom"},
            {"endpoint_url": "http://127.0.0.1/1.0"},
            {"callback_token": "x" * 43},
        ):
            with self.assertRaises(AccessError):
                account.write(values)
            with self.assertRaises(AccessError):
                account.web_save(values, {})
            with self.assertRaises(AccessError):
                self._as_administrator().create(
                    {"service_name": "sms-security-3", **values}
                )
            with self.assertRaises(AccessError):
                self._as_administrator().name_create("sms-security-3") and (
                    self._as_administrator(
                        **{f"default_{name}": value for name, value in values.items()}
                    ).create({"service_name": "sms-security-4"})
                )
            with self.assertRaises(AccessError):
                self.company.with_user(self.administrator).write(
                    {
                        "sms_ovh_account_id": self.account.id,
                        "child_ids": [Command.create(values)],
                    }
                )
            result = self._as_administrator().load(
                ["service_name", *values], [["sms-security-5", *values.values()]]
            )
            self.assertFalse(result["ids"])
        self.assertEqual(self.account.endpoint, "ovh-eu")

    def test_no_address_comes_as_a_default(self):
        """Odoo asks for no right to the field of a default that a user defines."""
        wanted = {
            "endpoint": "custom",
            "endpoint_url": "http://127.0.0.1/1.0",
            "callback_token": "x" * 43,
        }
        for name, value in wanted.items():
            self.env["ir.default"].with_user(self.administrator).set(
                "sms.ovh.account", name, value, user_id=True
            )
        account = self._as_administrator().create({"service_name": "sms-security-6"})
        for name, value in wanted.items():
            self.assertNotEqual(account.sudo()[name], value)
        self.assertEqual(account.sudo().endpoint, "ovh-eu")
        base_url = account._get_client_args().base_url
        self.assertEqual(base_url, "https://eu.api.ovh.com/1.0")

    def test_addresses_of_an_api(self):
        for url in (
            "file:///etc/passwd",
            "gopher://127.0.0.1/1.0",
            "http://user:secret@example.com/1.0",
            "http://example.com/1.0?key=secret",
            "http://[::1",
            "//example.com/1.0",
            "",
        ):
            with self.subTest(url=url), self.assertRaises(ValidationError):
                self.account.write({"endpoint": "custom", "endpoint_url": url})

    # ------------------------------------------------------------
    # Texts from outside
    # ------------------------------------------------------------

    def test_texts_from_outside_are_escaped(self):
        script = "<script>alert(1)</script><img src=x onerror=alert(1)>"
        partner = self.env["res.partner"].create(
            {"name": "Client", "phone": "+33611111111"}
        )
        self.env["sms.ovh.reply"].create(
            {
                "account_id": self.account.id,
                "ovh_id": "1",
                "number": "+33611111111",
                "body": script,
            }
        )
        self.account.user_id = self.administrator
        self.account._pause("credit", script)
        sender = {"name": "Boutique", "type": "alpha", "status": "refused"}
        self.env["sms.ovh.sender"]._update_from_ovhcloud(
            self.account, [{**sender, "comment": script}]
        )
        texts = [
            *partner.message_ids.mapped("body"),
            *self.account.activity_ids.mapped("note"),
            *self.account.message_ids.mapped("body"),
        ]
        said = "".join(filter(None, texts))
        self.assertIn("&lt;script&gt;", said)
        self.assertIn("&lt;img", said)
        self.assertNotIn("<script", said)
        self.assertNotIn("<img", said)


@tagged("-at_install", "post_install")
class TestSecretsInLogs(SmsOvhCase, HttpCase):
    """Nothing that is logged, or shown of an error, holds a secret."""

    @contextmanager
    def _logged(self):
        """Yield a stream of all that is logged meanwhile, at the lowest level."""
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        # Odoo's log of SQL has values by its nature, and is off unless asked for.
        sql = logging.getLogger("odoo.sql_db")
        sql_level = sql.level
        sql.setLevel(logging.WARNING)
        try:
            yield stream
        finally:
            sql.setLevel(sql_level)
            root.setLevel(level)
            root.removeHandler(handler)

    def _connect(self, auth_method):
        """Have the account connect this way, and return its secrets."""
        values = {"consumer_key": KEYS_1, "oauth2": CLIENT, "http2sms": LOGIN}
        secrets = values[auth_method].keys() & SECRETS.keys() - {
            "application_key",
            "client_id",
            "http_login",
        }
        self.account.write({"auth_method": auth_method, **values[auth_method]})
        return [
            self.account.callback_token,
            *(values[auth_method][name] for name in secrets),
        ]

    def test_logs(self):
        for auth_method in ("consumer_key", "oauth2", "http2sms"):
            for fault in (None, *FAULTS):
                with self.subTest(auth_method=auth_method, fault=fault):
                    secrets = self._start(auth_method, fault)
                    with self._logged() as stream:
                        self.account.action_test_connection()
                        sms = self._create_sms(self._numbers(1))
                        sms.send()
                        self._commit()
                        self.account.action_synchronise()
                    self.env.invalidate_all()
                    jobs = sms.sms_ovh_job_id
                    self.assertTrue(jobs.posted_at)
                    shown = stream.getvalue()
                    self.assertIn("127.0.0.1:", shown)
                    shown += f"{jobs.read()} {self.account.state_message}"
                    shown += f"{self.account.pause_message}"
                    for secret in secrets:
                        self.assertNotIn(secret, shown)
                    self.account.action_resume()

    def _start(self, auth_method, fault):
        """Connect anew, to an OVHcloud that fails this way; return the secrets."""
        self.simulator.reset()
        ovh_client._clock_cache.clear()
        ovh_client._token_cache.clear()
        if fault:
            self.simulator.order_faults({"kind": fault, "times": 50, "method": "POST"})
        return self._connect(auth_method)

    def test_errors_with_their_variables(self):
        """Programs that report errors show the variables of each step, as this does."""
        path = self.account._get_path("jobs")
        content = {"message": "Bonjour", "receivers": ["+33611111111"]}
        for auth_method in ("consumer_key", "oauth2", "http2sms"):
            for fault in FAULTS:
                with self.subTest(auth_method=auth_method, fault=fault):
                    secrets = self._start(auth_method, fault)
                    args = self.account._get_client_args()
                    with http2sms.create_client(args) as client:
                        shown = self._raise(client, path, content)
                        self.assertIn("client = ", shown)
                        post = job_pool.JobPost(1, [], args, path, content, 0)
                        shown += f"{client!r} {args!r} {post!r}"
                    for secret in secrets:
                        self.assertNotIn(secret, shown)

    def _raise(self, client, path, content):
        """Return all that can be shown of the error of one call."""
        # Not `assertRaises`, which clears the variables.
        try:
            client.post(path, content)
        except ovh_client.OvhError as error:
            lines = traceback.TracebackException.from_exception(
                error, capture_locals=True
            ).format()
            return "".join([*lines, repr(error)])
        raise AssertionError("no error was raised")

    def test_log_of_requests(self):
        """Odoo's own log of requests hides what stands in the address."""
        token = self.account.callback_token
        with self.assertLogs("werkzeug", logging.INFO) as logs:
            for kind in ("delivery", "stop", "reply"):
                self.url_open(f"/sms_ovh/{token}/{kind}?id=1")
            self.url_open(f"/sms_ovh/connected/{token}")
            with self.allow_requests(all_requests=True):
                requests.get(f"{self.base_url()}/sms_ovh/{token}/none", timeout=30)
        logged = "\n".join(logs.output)
        self.assertEqual(logged.count("/sms_ovh/***/"), 4)
        self.assertIn("/sms_ovh/connected/***", logged)
        self.assertNotIn(token, logged)

    def test_log_filter_lets_everything_else_pass(self):
        record = logging.makeLogRecord(
            {"msg": "%s %d", "args": ("/web/login/" + "x" * 40, 200)}
        )
        self.assertTrue(HideSecrets().filter(record))
        self.assertEqual(record.getMessage(), f"/web/login/{'x' * 40} 200")
        record = logging.makeLogRecord({"msg": ["/sms_ovh/"], "args": {"a": 1}})
        self.assertTrue(HideSecrets().filter(record))

    def test_service_is_named(self):
        """What is no secret stays readable: the service, for whoever looks for it."""
        self.assertIn(SERVICE_1, self.account.display_name)
