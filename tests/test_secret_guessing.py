"""Nobody learns a secret by guessing it, letter by letter, through what users write."""

from contextlib import contextmanager

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import KEYS_2, SERVICE_2, SmsOvhCase

OWN_SECRETS = (
    "application_key",
    "application_secret",
    "consumer_key",
    "callback_token",
    "client_id",
    "client_secret",
    "http_login",
    "http_password",
    "pending_consumer_key",
    "connect_state",
)
# What of another company's account is none of a user's business, besides.
OTHERS_SECRETS = ("service_name", "credits_left", "state_message")
REFUSED = "refused"


@tagged("-at_install", "post_install")
class TestSecretGuessing(SmsOvhCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.write(
            {
                "client_id": "EU.client",
                "client_secret": "clientsecret",
                "http_login": "compta",
                "http_password": "demo1234",
                "pending_consumer_key": "pendingkey",
                "connect_state": "connectstate",
            }
        )
        cls.account.action_synchronise()
        cls.other_company = cls.env["res.company"].create(
            {"name": "Voisine", "country_id": cls.france.id}
        )
        cls.other_account = cls._create_account(cls.other_company, SERVICE_2, KEYS_2)
        cls.other_account.state_message = "Un message"
        cls.user = new_test_user(
            cls.env,
            "guess_marketing",
            groups="mass_mailing.group_mass_mailing_user,base.group_partner_manager",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        cls.list = cls.env["mailing.list"].create({"name": "Clients"})
        cls.contact = cls.env["mailing.contact"].create(
            {
                "name": "Cible",
                "mobile": "+33611111111",
                "country_id": cls.france.id,
                "list_ids": cls.list.ids,
            }
        )
        cls.contact_model = cls.env["ir.model"]._get_id("mailing.contact")
        # Each reaches both accounts by who created the contact.
        cls.env.user.company_id = cls.company

    def _as_user(self, records):
        return records.with_user(self.user).with_context(
            allowed_company_ids=self.company.ids
        )

    def _write_mailing(self, domain=None, **values):
        return self._as_user(self.env["mailing.mailing"]).create(
            {
                "subject": "Devine",
                "mailing_type": "sms",
                "mailing_model_id": self.contact_model,
                "mailing_domain": repr(domain or []),
                "body_plaintext": "Bonjour",
                "sms_ovh_company_id": self.company.id,
                "sms_ovh_kind": "transactional",
                **values,
            }
        )

    @contextmanager
    def _undone(self):
        """Undo what is done inside, so that guesses do not help each other."""
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            yield
        finally:
            self.env.cr.postcommit.clear()
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    # ------------------------------------------------------------
    # Ways, each of which returns what a user can see
    # ------------------------------------------------------------

    def _see_preview(self, mailing):
        preview = self._as_user(self.env["sms.ovh.preview"]).create(
            {"mailing_id": mailing.id}
        )
        return preview.count, preview.resource_ref, preview.content

    def _see_preview_form(self, mailing):
        result = self._as_user(self.env["sms.ovh.preview"]).onchange(
            {"mailing_id": mailing.id, "position": 1},
            [],
            {"count": {}, "resource_ref": {}, "content": {}},
        )
        return repr(result)

    def _see_estimate(self, mailing):
        mailing.action_sms_ovh_estimate()
        estimate = mailing.sms_ovh_estimate_id
        return estimate.total, estimate.sent_count, estimate.error

    def _see_sending(self, mailing):
        action = mailing.action_sms_ovh_send()
        send = self._as_user(self.env[action["res_model"]]).browse(action["res_id"])
        send.action_send()
        return send.total

    def _see_form(self, mailing):
        return [
            mailing[name]
            for name in (
                "sms_ovh_credit_warning",
                "sms_ovh_estimate_stale",
                "sms_ovh_sender_warning",
                "sms_segments",
            )
        ]

    def _see_test(self, mailing):
        test = self._as_user(self.env["mailing.sms.test"]).create(
            {"mailing_id": mailing.id, "numbers": "+33622222222"}
        )
        test.action_send_sms()
        return test.sms_ovh_resource_ref

    def _see_cron(self, mailing):
        """What the scheduled action sends: by a write that no button checks."""
        mailing.write({"state": "in_queue"})
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        mailing.invalidate_recordset()
        progress = mailing.sms_ovh_get_progress()
        return mailing.state, progress["total"], mailing.expected

    def _see_send_now(self, mailing):
        mailing.action_send_mail()
        return mailing.sms_ovh_get_progress()["total"]

    def _see_cancel(self, mailing):
        mailing.write({"state": "in_queue"})
        mailing.action_sms_ovh_cancel()
        return mailing.sms_ovh_cancel_left, mailing.sms_ovh_cancel_summary

    def _ways(self):
        return [
            self._see_preview,
            self._see_preview_form,
            self._see_estimate,
            self._see_sending,
            self._see_form,
            self._see_test,
            self._see_cron,
            self._see_send_now,
            self._see_cancel,
        ]

    def _look(self, way, *args, **values):
        """Return what a way shows of a campaign, as nothing but itself decides it."""
        with self._undone():
            try:
                return repr(way(self._write_mailing(*args, **values)))
            except UserError:
                return REFUSED

    # ------------------------------------------------------------
    # Domains
    # ------------------------------------------------------------

    def test_each_way_shows_whom_a_domain_finds(self):
        """Without this, the tests below could not fail."""
        for way in self._ways():
            with self.subTest(way=way.__name__):
                right = self._look(way, [("name", "=", "Cible")])
                self.assertNotEqual(right, REFUSED)
                if way != self._see_form:
                    self.assertNotEqual(right, self._look(way, [("name", "=", "x")]))

    def _guess(self, path, value):
        """Return two domains: with the right first letter, and a wrong one."""
        if isinstance(value, float):
            return [(path, ">", value - 1)], [(path, ">", value + 1)]
        return [(path, "=like", f"{value[0]}%")], [(path, "=like", "~%")]

    def test_domains(self):
        for account, names in (
            (self.account, OWN_SECRETS),
            (self.other_account, OWN_SECRETS[:4] + OTHERS_SECRETS),
        ):
            self.env.user.company_id = account.company_id
            self.env.flush_all()
            for name in names:
                if not account[name]:
                    continue
                path = f"create_uid.company_id.sms_ovh_account_id.{name}"
                right, wrong = self._guess(path, account[name])
                # They do tell, for who may ask.
                Contact = self.env["mailing.contact"]
                self.assertTrue(Contact.search_count(right))
                self.assertFalse(Contact.search_count(wrong))
                # Each field by the quick ways, one field by all of them.
                ways = self._ways()
                if name not in ("application_secret", "credits_left"):
                    ways = [self._see_preview, self._see_estimate]
                for way in ways:
                    with self.subTest(way=way.__name__, field=name):
                        self.assertEqual(self._look(way, right), self._look(way, wrong))
        self.assertFalse(self.simulator.get_ledger())

    def test_filters(self):
        path = "create_uid.company_id.sms_ovh_account_id.application_secret"
        for way in self._ways():
            shown = set()
            for domain in self._guess(path, self.account.application_secret):
                with self._undone():
                    try:
                        mailing_filter = self._as_user(
                            self.env["mailing.filter"]
                        ).create(
                            {
                                "name": "Devine",
                                "mailing_model_id": self.contact_model,
                                "mailing_domain": repr(domain),
                            }
                        )
                        mailing = self._write_mailing()
                        mailing.mailing_filter_id = mailing_filter
                        shown.add(repr(way(mailing)))
                    except UserError:
                        shown.add(REFUSED)
            with self.subTest(way=way.__name__):
                self.assertEqual(len(shown), 1)

    def test_who_sends_a_colleague_s_campaign_lends_no_rights(self):
        """Nor does Odoo itself: what a user wrote is that user's, whoever sends it."""
        path = "create_uid.company_id.sms_ovh_account_id.application_secret"
        right, wrong = self._guess(path, self.account.application_secret)
        for domain in (right, wrong):
            mailing = self._write_mailing(domain).with_user(self.env.user)
            with self.assertRaises(AccessError):
                mailing.action_put_in_queue()
            with self.assertRaises(AccessError):
                mailing.action_send_mail()
            with self.assertRaises(AccessError):
                mailing._get_recipients()
            copy = mailing.copy()
            with self.assertRaises(AccessError):
                copy._get_recipients()

    def test_campaigns_from_before(self):
        """Of one whose author was not kept yet, it is who created it."""
        path = "create_uid.company_id.sms_ovh_account_id.application_secret"
        domain, __ = self._guess(path, self.account.application_secret)
        mailing = self._write_mailing(domain).with_user(self.env.user)
        mailing.sms_ovh_author_id = False
        with self.assertRaises(AccessError):
            mailing._get_recipients()

    def test_nobody_says_who_wrote_it(self):
        mailing = self._write_mailing()
        for name in ("sms_ovh_author_id", "sms_ovh_asker_id"):
            with self.assertRaises(AccessError):
                mailing.write({name: self.env.uid})
            with self.assertRaises(AccessError):
                mailing.read([name])

    # ------------------------------------------------------------
    # Placeholders
    # ------------------------------------------------------------

    def _texts(self, name):
        path = "object.create_uid.company_id.sms_ovh_account_id"
        secret = f"{path}.sudo().{name}"
        return (
            f"{{{{ {path}.{name} }}}}",
            f"{{{{ {secret} }}}}",
            f"{{{{ {path}.sudo()['{name}'] }}}}",
            f"{{{{ {path}.sudo().read(['{name}']) }}}}",
            f"{{{{ {path}.sudo().mapped('{name}') }}}}",
            f"{{{{ {path}.sudo().export_data(['{name}']) }}}}",
            f"{{{{ {path}.sudo().search_count([('{name}', '!=', False)]) }}}}",
            f"{{{{ {path}.sudo().search_read([], ['{name}']) }}}}",
            f"{{{{ {path}.sudo()._read_group([], ['{name}']) }}}}",
            f"{{{{ {path}.sudo().search([], order='{name}') }}}}",
            f"{{{{ {path}.sudo()._get_client_args() }}}}",
            f"{{{{ {path}.sudo().filtered('{name}') }}}}",
            f"{{{{ {path}.sudo().delivery_url }}}}",
            f"{{{{ {path}.sudo()._get_callback_url('stop') }}}}",
            f"{{{{ {path}.sudo()._get_callback_tokens()[0][0](object.env) }}}}",
            f"{{{{ object.env['sms.ovh.account'].sudo().search([]).mapped('{name}') }}}}",
            f"{{{{ {path}.sudo().mapped(lambda account: account.{name}) }}}}",
            f"{{{{ object.env['sms.ovh.account'].sudo().search([]).sorted('{name}') }}}}",
            f"{{{{ {path}.sudo().grouped('{name}') }}}}",
            f"{{{{ {path}.sudo().filtered_domain([('{name}', '!=', False)]) }}}}",
            f"{{{{ {path}.sudo().filtered_domain([('{name}', '=like', '%')]) }}}}",
            f"{{{{ {path}.sudo()._read_format(['{name}']) }}}}",
            f"{{{{ {path}.sudo().web_read({{'{name}': {{}}}}) }}}}",
            f"{{{{ {path}.sudo().web_search_read([], {{'{name}': {{}}}}) }}}}",
            f"{{{{ {path}.sudo().formatted_read_group([], ['{name}']) }}}}",
            f"{{{{ {path}.sudo().with_user(2).{name} }}}}",
            f"{{{{ {path}.sudo()._fields['{name}']._get_cache(object.env) }}}}",
            f"{{{{ {path}._fields['{name}'].convert_to_export(1, {path}.sudo()) }}}}",
            f"{{{{ object.env.transaction.field_data[{path}._fields['{name}']] }}}}",
            "{{ [*object.env.transaction.field_data.values()] }}",
            f"{{{{ object.env.cache.get({path}.sudo(), {path}._fields['{name}']) }}}}",
        )

    def test_placeholders(self):
        """Also of who may render as somebody else, and as the superuser."""
        renderers = {
            "user": self._as_user(self.env["mail.render.mixin"]),
            "superuser": self.env["mail.render.mixin"],
            "template": self.env["sms.template"],
        }
        for name in OWN_SECRETS:
            value = self.account[name]
            if not value:
                continue
            # In the cache, as it is after the gateway used it.
            self.assertTrue(self.account.read([name]))
            # Each secret plainly, one of them in every way.
            texts = self._texts(name)
            texts = texts if name == "application_secret" else texts[:3]
            for text in texts:
                for renderer, model in renderers.items():
                    with (
                        self.subTest(field=name, text=text, renderer=renderer),
                        mute_logger("odoo.addons.mail.models.mail_render_mixin"),
                    ):
                        try:
                            with self._undone():
                                shown = model._render_template(
                                    text, "mailing.contact", self.contact.ids
                                )[self.contact.id]
                        except UserError:
                            continue
                        self.assertNotIn(value, shown)
                        self.assertNotIn("http", shown)
                        self.assertNotIn("sms.ovh.account", shown)

    def test_placeholders_in_each_way(self):
        for name in ("application_secret", "callback_token"):
            value = self.account[name]
            for text in self._texts(name)[1:3]:
                for way in self._ways():
                    with (
                        self.subTest(way=way.__name__, text=text),
                        mute_logger("odoo.addons.mail.models.mail_render_mixin"),
                    ):
                        shown = self._look(way, body_plaintext=text)
                        self.assertNotIn(value, shown)
        self.assertFalse(self.simulator.get_ledger())

    def test_mail_templates(self):
        for engine, text in (
            ("qweb", '<p t-out="object.sms_ovh_account_id.sudo().consumer_key"/>'),
            (
                "qweb",
                "<p t-out=\"object.sms_ovh_account_id.sudo()['consumer_key']\"/>",
            ),
            ("inline_template", "{{ object.sms_ovh_account_id.consumer_key }}"),
        ):
            # An AccessError is one, too.
            with self.subTest(text), self.assertRaises(UserError):
                self.env["mail.template"]._render_template(
                    text, "res.company", self.company.ids, engine=engine
                )

    def test_the_gateway_reads_its_keys_after_a_rendering(self):
        self.env["mail.render.mixin"]._render_template(
            "{{ object.name }}", "mailing.contact", self.contact.ids
        )
        self.assertTrue(self.account.action_synchronise())
        self.assertEqual(self.account.state, "connected")
