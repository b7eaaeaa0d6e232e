import base64
import json
from pathlib import Path
from unittest import SkipTest
from urllib.parse import parse_qsl, urlsplit

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from .. import const
from ..models.sms_ovh_account_answers import parse_credits
from ..sms_api import SmsApiOvh
from ..tools.upload import is_upload_address
from .common import SERVICE_1, SmsOvhCase
from .test_sms_ovh_estimate import EstimateCase

FRENCH, SPANISH, BELGIAN = "+33611111111", "+34612345678", "+32470123456"
REUNION = "+262692123456"
TIME2CHAT = "+33937123456"
DESCRIPTION = Path(__file__).resolve().parents[2] / "shared" / "ovh" / "sms.json"


def read_description():
    """Return OVHcloud's description of its API.

    :raise unittest.SkipTest: where it is not at hand
    """
    if not DESCRIPTION.exists():
        raise SkipTest("OVHcloud's description of its API is not here")
    return json.loads(DESCRIPTION.read_text(encoding="utf-8"))


class CountriesCase(SmsOvhCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.name = cls.account.default_sender_id
        cls.spain = cls.env.ref("base.es")

    def setUp(self):
        super().setUp()
        self.short = self._sender(type="shortcode")
        self.virtual = self._sender(type="virtual")

    def _choose_for(self, country, sender):
        return self.env["sms.ovh.sender.country"].create(
            {
                "account_id": self.account.id,
                "country_id": country.id,
                "sender_id": sender.id,
            }
        )

    def _send_sms(self, numbers, **values):
        sms = self._create_sms(numbers, **values)
        sms.send()
        self._commit()
        self.env.invalidate_all()
        return sms

    def _senders(self):
        return {
            entry["receiver"]: entry["sender"] for entry in self.simulator.get_ledger()
        }


@tagged("-at_install", "post_install")
class TestReach(CountriesCase):
    """Where an SMS cannot arrive, and as whom it is sent then."""

    def test_reach(self):
        for sender, country_code, reaches in (
            (self.name, "ES", True),
            (self.short, "FR", True),
            (self.short, "RE", False),
            (self.short, "BE", False),
            (self.virtual, "FR", True),
            (self.virtual, "ES", False),
            # Nobody knows whose it is: it is tried.
            (self.short, None, True),
        ):
            with self.subTest(sender=sender.name, country=country_code):
                self.assertEqual(sender._reaches(country_code), reaches)

    def test_virtual_number_of_another_country(self):
        belgian = self.virtual.copy({"name": "+32460123456"})
        self.assertTrue(belgian._reaches("BE"))
        self.assertFalse(belgian._reaches("FR"))

    def test_refused_at_the_claim(self):
        for sender in (self.short, self.virtual):
            sms = self._send_sms(
                [FRENCH, SPANISH, REUNION], sms_ovh_sender_id=sender.id
            )
            self.assertEqual(
                sms.mapped("failure_type"),
                [False, "sms_ovh_destination", "sms_ovh_destination"],
            )
            self.assertIn("do not reach", sms[1].sms_ovh_failure_reason)
        self.assertEqual(set(self._senders()), {FRENCH})

    def test_sender_of_the_country(self):
        self._choose_for(self.spain, self.name)
        self._send_sms(
            [FRENCH, SPANISH, BELGIAN],
            sms_ovh_sender_id=self.short.id,
            sms_ovh_kind="marketing",
        )
        ledger = {entry["receiver"]: entry for entry in self.simulator.get_ledger()}
        self.assertEqual(set(ledger), {FRENCH, SPANISH})
        self.assertEqual(ledger[SPANISH]["sender"], "MaBoutique")
        # The clause is that of who sends.
        self.assertIn("STOP", ledger[SPANISH]["text_sent"])
        self.assertNotIn("STOP", ledger[FRENCH]["text_sent"])

    def test_sender_of_the_country_of_what_an_addon_hands_over(self):
        """SMS that Odoo has no record of leave by the same table."""
        self._choose_for(self.spain, self.name)
        numbers = [FRENCH, SPANISH, BELGIAN]
        results = SmsApiOvh(self.env, sender=self.short)._send_sms_batch(
            [
                {
                    "content": "Bonjour",
                    "numbers": [
                        {"uuid": number[1:], "number": number} for number in numbers
                    ],
                }
            ]
        )
        self._commit()
        self.assertEqual(
            {result["uuid"]: result["state"] for result in results},
            {
                FRENCH[1:]: "processing",
                SPANISH[1:]: "processing",
                BELGIAN[1:]: "ovh_destination",
            },
        )
        self.assertEqual(self._senders(), {FRENCH: "38069", SPANISH: "MaBoutique"})

    def test_sender_of_the_country_that_is_no_more(self):
        self._choose_for(self.spain, self.name)
        self.account.default_sender_id = self.short
        self.name.status = "disable"
        self.assertEqual(self.account._get_sender_for("ES", self.short), self.short)

    def test_who_can_be_replied_to_stays(self):
        self._choose_for(self.env.ref("base.fr"), self.name)
        self.assertEqual(self.account._get_sender_for("FR", self.short), self.short)
        self.assertEqual(self.account._get_sender_for("FR", self.name), self.name)

    def test_table(self):
        with (
            self.assertRaisesRegex(ValidationError, "does not reach"),
            self.env.cr.savepoint(),
        ):
            self._choose_for(self.spain, self.short)
        form = Form(self.account)
        with form.sender_country_ids.new() as line:
            line.country_id = self.spain
            line.sender_id = self.name
        form.save()
        self.assertEqual(self.account._get_sender_for("ES", self.short), self.name)

    def test_short_number_of_a_foreign_account(self):
        """OVHcloud offers the short number to French accounts only."""
        self.company.country_id = self.env.ref("base.be")
        # Who sends with it already goes on.
        self.assertTrue(self.account._is_offered_short_number())
        self.short.active = False
        self.account.invalidate_recordset(["sender_ids"])
        self.assertFalse(self.account._is_offered_short_number())
        for code in ("fr", "re"):
            self.company.country_id = self.env.ref(f"base.{code}")
            self.assertTrue(self.account._is_offered_short_number())

    def test_template_that_the_usa_refuse(self):
        report = {"id": "1", "ptt": "1999", "description": "2"}
        sms = self._send_sms(["+12125550123"])
        report["id"] = sms.sms_ovh_id
        self.env["sms.ovh.event"].browse(
            self.env["sms.ovh.event"]._receive_delivery(self.account.id, report)
        )._process()
        self.assertEqual(sms.failure_type, "sms_not_allowed")


@tagged("-at_install", "post_install")
class TestCountriesOfACampaign(CountriesCase, EstimateCase):
    """What the estimate and the preview say of countries, and what is sent."""

    def _country_lines(self, estimate):
        lines = estimate.line_ids.filtered(lambda line: line.kind == "country")
        return {line.country_code: line for line in lines}

    def test_left_out(self):
        mailing = self._create_mailing(
            [FRENCH, SPANISH, REUNION], sms_ovh_sender_id=self.short.id
        )
        estimate = self._estimate(mailing)
        self.assertEqual(self._excluded(estimate), {"sms_ovh_destination": 2})
        self.assertEqual(estimate.sent_count, 1)
        self._send(mailing)
        self.assertEqual(set(self._senders()), {FRENCH})
        self.assertEqual(
            sorted(mailing.mailing_trace_ids.mapped("failure_type"), key=str),
            [False, "sms_ovh_destination", "sms_ovh_destination"],
        )
        self.assertEqual(estimate.credits, 1)

    def test_another_sender(self):
        """The clause makes a text longer where the country's sender carries it."""
        self._choose_for(self.spain, self.name)
        mailing = self._create_mailing(
            [FRENCH, SPANISH], body="x" * 155, sms_ovh_sender_id=self.short.id
        )
        estimate = self._estimate(mailing)
        self.assertFalse(self._excluded(estimate))
        lines = self._country_lines(estimate)
        self.assertEqual(lines["FR"].segment_count, 1)
        self.assertEqual(lines["ES"].segment_count, 2)
        self.assertEqual(lines["ES"].sender_id, self.name)
        self.assertIn("(MaBoutique)", lines["ES"].country_name)
        self.assertNotIn("(", lines["FR"].country_name)
        before = self.simulator.get_state()["services"][SERVICE_1]["creditsLeft"]
        self._send(mailing)
        after = self.simulator.get_state()["services"][SERVICE_1]["creditsLeft"]
        self.assertAlmostEqual(estimate.credits, before - after)
        self.assertEqual(self._senders()[SPANISH], "MaBoutique")

    def test_what_ovhcloud_says(self):
        mailing = self._create_mailing([FRENCH, SPANISH, BELGIAN, "+12125550123"])
        lines = self._country_lines(self._estimate(mailing))
        self.assertFalse(lines["FR"].note)
        self.assertIn("CNMC", lines["ES"].note)
        self.assertIn("Only registered senders", lines["ES"].note)
        self.assertIn("“8850”", lines["BE"].note)
        self.assertIn("templates", lines["US"].note)
        action = mailing.action_sms_ovh_show_estimate()
        send = self.env[action["res_model"]].browse(action["res_id"])
        self.assertIn("CNMC", send.country_notes)
        # Asked once a day for each country.
        route = "GET /sms/{serviceName}/exceptions"
        count = self.simulator.get_state()["requests"][route]
        self.assertEqual(count, 4)
        self._estimate(mailing)
        self.assertEqual(self.simulator.get_state()["requests"][route], count)

    def test_ovhcloud_does_not_say(self):
        for fault in ("500", "garbage", "empty"):
            self.simulator.order_faults(
                {"kind": fault, "path": "/exceptions", "times": 5}
            )
            mailing = self._create_mailing([FRENCH, SPANISH])
            estimate = self._estimate(mailing)
            self.assertEqual(estimate.state, "done")
            self.assertIn("CNMC", self._country_lines(estimate)["ES"].note)

    def _report_all(self, count):
        """Hand over the reports on `count` SMS."""
        Event = self.env["sms.ovh.event"]
        for callback in self.simulator.pop_callbacks(count=2 * count):
            params = dict(parse_qsl(urlsplit(callback["url"]).query))
            Event._receive_delivery(self.account.id, params)
        self._run_cron("sms_ovh.ir_cron_process_events")

    def test_outcome_is_what_was_said(self):
        """In each reading of what Spain, Belgium and the USA do."""
        american, canadian = "+12125550123", "+15145550123"
        numbers = [FRENCH, SPANISH, BELGIAN, american, canadian]
        template = {"usa_templates": ["Bonjour #VALUE#"]}
        kept = {"names_abroad": {}}
        blocked = ("error", "sms_not_delivered", "MaBoutique", "CNMC")
        refused = ("error", "sms_not_allowed", "MaBoutique", "templates")
        for config, expected in (
            ({}, {SPANISH: blocked, american: refused}),
            ({"registered_names": ["MaBoutique"]}, {american: refused}),
            (template, {SPANISH: blocked}),
            (kept, {american: refused}),
            (
                {"names_abroad": {"es": "replaced", "be": "replaced"}},
                {
                    SPANISH: ("sent", False, "+34600000000", "“+34600000000”"),
                    BELGIAN: ("sent", False, "8850", "“8850”"),
                    american: refused,
                },
            ),
        ):
            with self.subTest(**config):
                self.simulator.reset()
                self.simulator.configure(**config)
                self.env["sms.ovh.exception"].search([]).unlink()
                self.account.action_synchronise()
                mailing = self._create_mailing(numbers, "Bonjour à tous")
                estimate = self._estimate(mailing)
                self.assertEqual(estimate.sent_count, 5)
                lines = self._country_lines(estimate)
                before = self.account.credits_left
                self._send(mailing)
                self._report_all(5)
                ledger = {sms["receiver"]: sms for sms in self.simulator.get_ledger()}
                traces = mailing.mailing_trace_ids
                logged = self.env["sms.ovh.log"].search(
                    [("mailing_id", "=", mailing.id)]
                )
                for number, code in zip(
                    numbers, ("FR", "ES", "BE", "US", "CA"), strict=True
                ):
                    state, failure_type, shown, note = expected.get(
                        number, ("sent", False, None, None)
                    )
                    trace = traces.filtered(lambda t, n=number: t.sms_number == n)
                    self.assertEqual(trace.failure_type, failure_type, number)
                    self.assertEqual(trace.trace_status == "sent", state == "sent")
                    log = logged.filtered(lambda each, n=number: each.number == n)
                    self.assertEqual(log.state, state)
                    self.assertEqual(
                        bool(trace.failure_reason), state == "error", number
                    )
                    if shown:
                        self.assertEqual(ledger[number]["shown"], shown)
                        self.assertIn(note, lines[code].note)
                self.assertNotIn("CNMC", lines["FR"].note or "")
                self.assertEqual(
                    "CNMC" in lines["ES"].note, "“" not in lines["ES"].note
                )
                self.account.action_synchronise()
                self.assertAlmostEqual(
                    before - self.account.credits_left, estimate.credits
                )

    def test_spain_by_another_sender(self):
        """What the note advises arrives."""
        self.simulator.set_sender(SERVICE_1, "Enregistre", type="alpha")
        self.simulator.configure(registered_names=["Enregistre"])
        self.account.action_synchronise()
        self._choose_for(self.spain, self._sender(name="Enregistre"))
        mailing = self._create_mailing([FRENCH, SPANISH])
        self._send(mailing)
        self._report_all(2)
        self.assertEqual(
            set(mailing.mailing_trace_ids.mapped("trace_status")), {"sent"}
        )
        self.assertEqual(self._senders(), {FRENCH: "MaBoutique", SPANISH: "Enregistre"})

    def test_preview(self):
        self._choose_for(self.spain, self.name)
        mailing = self._create_mailing(
            [SPANISH, FRENCH], sms_ovh_sender_id=self.short.id
        )
        action = mailing.action_sms_ovh_preview()
        preview = self.env[action["res_model"]].browse(action["res_id"])
        by_number = {}
        for position in (1, 2):
            preview.position = position
            by_number[preview.content["number"]] = preview.content
        self.assertEqual(by_number[SPANISH]["sender"], "MaBoutique")
        self.assertIn("CNMC", by_number[SPANISH]["note"])
        self.assertIn("STOP", "".join(by_number[SPANISH]["parts"]))
        self.assertIn("Short number", by_number[FRENCH]["sender"])
        self.assertEqual(by_number[FRENCH]["note"], "")
        self.assertNotIn("STOP", "".join(by_number[FRENCH]["parts"]))


@tagged("-at_install", "post_install")
class TestOptingOutAbroad(CountriesCase):
    """The clause is a French short number: who is abroad needs the link."""

    def _create(self, numbers, **values):
        mailing = self._create_mailing(numbers, **values)
        return mailing.sms_ovh_sender_warning

    def test_advice(self):
        for numbers, values, advised in (
            ([FRENCH], {}, False),
            ([FRENCH, SPANISH], {}, True),
            ([REUNION], {}, True),
            ([FRENCH, SPANISH], {"sms_allow_unsubscribe": True}, False),
            ([FRENCH, SPANISH], {"sms_ovh_kind": "transactional"}, False),
            ([FRENCH, "nobody"], {}, False),
        ):
            with self.subTest(numbers=numbers, **values):
                warning = self._create(numbers, **values) or ""
                self.assertEqual("outside France" in warning, advised, warning)

    def test_link_is_counted(self):
        mailing = self._create_mailing([SPANISH], body="x" * 140)
        self.assertEqual(mailing.sms_segments, 1)
        mailing.sms_allow_unsubscribe = True
        self.assertEqual(mailing.sms_segments, 2)
        self.assertFalse(mailing.sms_ovh_sender_warning)

    def test_model_without_numbers(self):
        mailing = self._create_mailing([FRENCH])
        mailing.mailing_model_id = self.env["ir.model"]._get_id("res.users")
        mailing.invalidate_recordset(["sms_ovh_sender_warning"])
        self.assertNotIn("outside France", mailing.sms_ovh_sender_warning or "")


@tagged("-at_install", "post_install")
class TestRights(CountriesCase):
    """What is asked for is what is used."""

    def test_consumer_key(self):
        rules = self.account._get_access_rules()
        self.assertNotIn("/sms/estimate", {path for __, path in rules})
        self.assertNotIn("/sms/ptts", {path for __, path in rules})
        self.assertIn(("GET", "/sms/rates/*"), rules)

    def test_policy(self):
        policy = json.loads(self.account.iam_policy)
        self.assertIn("oauth2-CLIENT_ID", policy["identities"][0])
        self.assertIn(SERVICE_1, policy["resources"][0]["urn"])
        actions = {entry["action"] for entry in policy["permissions"]["allow"]}
        self.assertLessEqual(
            {
                "sms:apiovh:jobs/create",
                "sms:apiovh:users/jobs/create",
                "sms:apiovh:exceptions/get",
                "smsVirtualNumbers:apiovh:get",
            },
            actions,
        )
        self.assertFalse([action for action in actions if "estimate" in action])

    def test_actions_exist(self):
        """Each is an action of OVHcloud's description, where that is at hand."""
        description = read_description()
        known = {
            action["name"]
            for api in description["apis"]
            for operation in api["operations"]
            for action in operation.get("iamActions") or ()
        }
        self.assertLessEqual(set(const.IAM_ACTIONS), known)

    def test_reply_costs(self):
        self._send_sms([FRENCH], sms_ovh_sender_id=self.virtual.id)
        self.simulator.forget_callbacks()
        self.simulator._call(
            "POST", f"phones/{FRENCH}/reply", {"service": SERVICE_1, "text": "Oui"}
        )
        self.account._read_answers()
        reply = self.env["sms.ovh.reply"].search([("number", "=", FRENCH)])
        incoming = self.simulator.get_state()["services"][SERVICE_1]["incoming"]
        self.assertEqual(reply.credits, incoming[0]["credits"])
        self.assertGreater(reply.credits, 0)
        for value, expected in (("2.5", 2.5), (None, 0), ("x", 0), ("nan", 0)):
            self.assertEqual(parse_credits(value), expected)


@tagged("-at_install", "post_install")
class TestProofOfASender(CountriesCase):
    """Names that operators replace, and what shows OVHcloud that a name is yours."""

    def _request(self, **values):
        action = self.account.action_request_sender()
        request = self.env[action["res_model"]].browse(action["res_id"])
        request.write({"reason": "Notre marque", **values})
        return request

    def _documents(self):
        return self.simulator.get_state()["services"][SERVICE_1]["documents"]

    def test_generic_names(self):
        for name, generic in (
            ("INFO", True),
            ("Promo", True),
            ("sms2026", True),
            ("MaBoutique", False),
            ("InfoMarais", False),
            (False, False),
        ):
            warning = self._request(name=name).name_warning
            self.assertEqual(bool(warning), generic, name)

    def test_sent_along(self):
        request = self._request(
            name="Neuf", proof=base64.b64encode(b"%PDF Kbis"), proof_name="kbis.pdf"
        )
        action = request.action_request()
        self.assertEqual(action["params"]["type"], "success")
        (document,) = self._documents()
        self.assertEqual(document["sender"], "Neuf")
        self.assertEqual(document["name"], "kbis.pdf")
        self.assertEqual(document["content"], "%PDF Kbis")

    def test_request_stands_where_the_proof_fails(self):
        self.simulator.order_faults(
            {"kind": "500", "method": "POST", "path": "/documents$"}
        )
        request = self._request(
            name="Neuf", proof=base64.b64encode(b"%PDF Kbis"), proof_name="kbis.pdf"
        )
        action = request.action_request()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertIn("from the sender's form", action["params"]["message"])
        sender = self._sender(name="Neuf")
        self.assertEqual(sender.status, "waitingValidation")
        self.assertFalse(self._documents())
        # Later, from there.
        action = sender.action_send_proof()
        self.env[action["res_model"]].with_context(**action["context"]).create(
            {"proof": base64.b64encode(b"Kbis"), "proof_name": "Kbis.PDF"}
        ).action_send()
        self.assertEqual(self._documents()[0]["content"], "Kbis")

    def test_not_sent(self):
        for name, content in (
            ("kbis.exe", b"x"),
            ("kbis.pdf", b""),
            ("kbis.pdf", b"x" * (const.MAX_PROOF_SIZE + 1)),
        ):
            with self.assertRaises(UserError):
                self.env["sms.ovh.sender"]._send_proof(
                    self.account, "Nouveau", name, content
                )
        self.assertFalse(self._documents())

    def test_addresses(self):
        base = "https://eu.api.ovh.com/1.0"
        for url, allowed in (
            ("https://storage.gra.cloud.ovh.net/v1/AUTH_1/a?signature=1", True),
            ("https://s3.gra.io.cloud.ovh.net/bucket/a", True),
            ("http://storage.gra.cloud.ovh.net/v1/a", False),
            ("https://ovh.net.example.com/a", False),
            ("https://evilovh.net/a", False),
            ("https://user@ovh.net/a", False),
            ("https://127.0.0.1/a", False),
            ("https://eu.api.ovh.com:8443/a", False),
            ("file:///etc/passwd", False),
            (None, False),
            ("http://[", False),
        ):
            self.assertEqual(is_upload_address(url, base), allowed, url)
        self.assertTrue(
            is_upload_address("http://127.0.0.1:8900/x", "http://127.0.0.1:8900/1.0")
        )


@tagged("-at_install", "post_install")
class TestTime2Chat(CountriesCase, EstimateCase):
    """A 09 37-39 number: two-way, two credits, France only, and no name."""

    def setUp(self):
        super().setUp()
        self.simulator.set_sender(SERVICE_1, TIME2CHAT, type="time2chat")
        self.account.action_synchronise()
        self.time2chat = self._sender(type="time2chat")

    def test_what_it_is(self):
        self.assertTrue(self.time2chat.can_reply)
        self.assertFalse(self.time2chat.has_stop_clause)
        self.assertTrue(self.time2chat._reaches("FR"))
        self.assertFalse(self.time2chat._reaches("GP"))

    def test_listed_as_a_number_too(self):
        """It stays one sender, of its own kind."""
        with self.account._get_client() as client:
            get = client.get

            def get_both(path, **params):
                answer = get(path, **params)
                return (
                    [*answer, TIME2CHAT] if path.endswith("/virtualNumbers") else answer
                )

            client.get = get_both
            values, __ = self.env["sms.ovh.sender"]._fetch(self.account, client)
        kinds = [value["type"] for value in values if value["name"] == TIME2CHAT]
        self.assertEqual(kinds, ["time2chat"])

    def test_estimate_and_charge(self):
        mailing = self._create_mailing(
            [FRENCH, "+33611111112", SPANISH],
            body="x" * 160,
            sms_ovh_sender_id=self.time2chat.id,
        )
        self.assertFalse(mailing.sms_ovh_stop_clause)
        self.assertEqual(mailing.sms_segments, 1)
        estimate = self._estimate(mailing)
        self.assertEqual(self._excluded(estimate), {"sms_ovh_destination": 1})
        self.assertEqual(estimate.credits, 4)
        self._send(mailing)
        ledger = self.simulator.get_ledger()
        self.assertEqual({entry["sender"] for entry in ledger}, {TIME2CHAT})
        self.assertEqual(sum(entry["credits"] for entry in ledger), 4)
        self.assertNotIn("STOP", ledger[0]["text_sent"])
        job = self.env["sms.ovh.job"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual(job.credits, 4)

    def test_reply(self):
        self._send_sms([FRENCH], sms_ovh_sender_id=self.time2chat.id)
        self.simulator.forget_callbacks()
        self.simulator._call(
            "POST",
            f"phones/{FRENCH}/reply",
            {"service": SERVICE_1, "text": "Merci"},
        )
        self.account._read_answers()
        reply = self.env["sms.ovh.reply"].search([("number", "=", FRENCH)])
        self.assertEqual(reply.body, "Merci")
        self.assertEqual(reply._get_answer_sender(), self.time2chat)
