from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import BaseCase, Form, new_test_user, tagged

from .. import const
from ..tools.phone_number import get_main_region
from ..tools.sms_segments import STOP_CLAUSE, count_segments, split_segments
from .common import SERVICE_1, SmsOvhCase

LANDLINE = "+33142685300"
LINK = "https://boutique.example.org/promo?code=ete"


@tagged("-at_install", "post_install")
class TestSegments(BaseCase):
    def test_split_as_counted(self):
        for text in (
            "",
            "Bonjour",
            "a" * 160,
            "a" * 149,
            "a" * 150,
            "a" * 152 + "€" + "a" * 152 + "[" + "a" * 20,
            "é" * 300,
            "ê" * 70,
            "ê" * 66 + "🎉" + "ê" * 66 + "🎉",
        ):
            for clause in (False, True):
                with self.subTest(text=text, clause=clause):
                    parts = split_segments(text, clause)
                    count = count_segments(text, clause)
                    self.assertEqual(len(parts), count.segments)
                    whole = text + STOP_CLAUSE if clause and text else text
                    self.assertEqual("".join(parts), whole)
                    for part in parts:
                        size = count_segments(part)
                        self.assertLessEqual(size.units, count.units_per_segment)


@tagged("-at_install", "post_install")
class TestLandlines(SmsOvhCase):
    def test_main_region(self):
        self.assertEqual(get_main_region("JE"), "GB")

    def _compose_for(self, *numbers):
        partners = self.env["res.partner"].create(
            [{"name": number, "phone": number} for number in numbers]
        )
        composer = self.env["sms.composer"].create(
            {
                "composition_mode": "mass",
                "res_model": "res.partner",
                "res_ids": repr(partners.ids),
                "body": "Bonjour",
            }
        )
        composer.action_send_sms()
        sms = self.env["sms.sms"].search([("partner_id", "in", partners.ids)])
        return {record.number: (record.state, record.failure_type) for record in sms}

    def test_campaign(self):
        mailing = self._create_mailing([LANDLINE, *self._numbers(1)])
        mailing._sms_ovh_compose(mailing._get_remaining_recipients())
        trace = mailing.mailing_trace_ids.filtered(
            lambda trace: trace.sms_number == LANDLINE
        )
        self.assertEqual(trace.trace_status, "cancel")
        self.assertEqual(trace.failure_type, "sms_ovh_landline")
        self.assertEqual(self.env["sms.sms"].search([]).number, self._numbers(1)[0])

    def test_mass_composer(self):
        mobile = self._numbers(1)[0]
        self.assertEqual(
            self._compose_for(LANDLINE, mobile),
            {
                LANDLINE: ("canceled", "sms_ovh_landline"),
                mobile: ("outgoing", False),
            },
        )

    def test_setting(self):
        self.company.sms_ovh_skip_landlines = False
        self.assertEqual(self._compose_for(LANDLINE), {LANDLINE: ("outgoing", False)})

    def test_another_provider(self):
        self.company.sms_ovh_account_id = False
        self.assertEqual(self._compose_for(LANDLINE), {LANDLINE: ("outgoing", False)})

    def test_single_sms_warns(self):
        partner = self.env["res.partner"].create({"name": "Zoé", "phone": LANDLINE})
        composer = Form(
            self.env["sms.composer"].with_context(
                active_model="res.partner", active_id=partner.id
            ),
            "sms.sms_composer_view_form",
        )
        composer.body = "Votre commande est prête."
        self.assertIn("Landline", composer.sms_ovh_number_warning)
        composer.recipient_single_number_itf = "06 12 34 56 78"
        self.assertFalse(composer.sms_ovh_number_warning)
        composer.recipient_single_number_itf = LANDLINE
        composer.save().action_send_sms()
        sms = self.env["sms.sms"].search([("partner_id", "=", partner.id)])
        self.assertEqual((sms.state, sms.number), ("process", LANDLINE))


class EstimateCase(SmsOvhCase):
    def _estimate(self, mailing):
        mailing.action_sms_ovh_estimate()
        return mailing.sms_ovh_estimate_id

    def _excluded(self, estimate):
        lines = estimate.line_ids.filtered(lambda line: line.kind == "excluded")
        return {line.reason: line.count for line in lines}

    def _sizes(self, estimate):
        lines = estimate.line_ids.filtered(lambda line: line.kind == "size")
        return {line.segments: line.count for line in lines}

    def _countries(self, estimate):
        lines = estimate.line_ids.filtered(lambda line: line.kind == "country")
        return {line.country_code: (line.segment_count, line.rate) for line in lines}

    def _send(self, mailing):
        mailing.action_put_in_queue()
        for __ in range(3):
            self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")

    def _create_contacts(self, mailing_list, *values_list):
        return self.env["mailing.contact"].create(
            [{"list_ids": mailing_list.ids, **values} for values in values_list]
        )


@tagged("-at_install", "post_install")
class TestSmsOvhEstimate(EstimateCase):
    """What an estimate says, against what is then sent and charged."""

    def _create_mixed(self, **values):
        """Create a campaign to a list in which everything occurs."""
        mailing = self._create_mailing(self._numbers(20), **values)
        mailing_list = mailing.contact_list_ids
        mailing_list.contact_ids.sorted("id")[4].subscription_ids.opt_out = True
        self.env["phone.blacklist"].sudo()._add([self._numbers(20)[5]])
        belgium, spain = self.env.ref("base.be"), self.env.ref("base.es")
        self._create_contacts(
            mailing_list,
            {"name": "Anneke", "mobile": "0470 12 34 56", "country_id": belgium.id},
            {"name": "Núria " * 20, "mobile": "612 345 678", "country_id": spain.id},
            {"name": "Guernesey", "mobile": "+447781123456"},
            {"name": "Réunion", "mobile": "+262692123456"},
            {"name": "Sans pays", "mobile": "06 99 99 99 99"},
            {"name": "Deux fois", "mobile": self._numbers(20)[1]},
            {"name": "Fixe", "mobile": LANDLINE},
            {"name": "Personne", "mobile": "nobody"},
            {"name": "Rien"},
        )
        return mailing

    def _check_against_sending(self, mailing):
        estimate = self._estimate(mailing)
        self.assertEqual(estimate.state, "done", estimate.error)
        self.assertFalse(estimate.rates_error)
        before = self.simulator.get_state()["services"][SERVICE_1]["creditsLeft"]
        self._send(mailing)
        ledger = self.simulator.get_ledger()
        after = self.simulator.get_state()["services"][SERVICE_1]["creditsLeft"]
        self.assertTrue(ledger)
        self.assertEqual(estimate.sent_count, len(ledger))
        self.assertEqual(
            estimate.segment_count, sum(entry["segments"] for entry in ledger)
        )
        self.assertAlmostEqual(
            estimate.credits, sum(entry["credits"] for entry in ledger)
        )
        self.assertAlmostEqual(estimate.credits, before - after)
        sizes = {}
        for entry in ledger:
            sizes[entry["segments"]] = sizes.get(entry["segments"], 0) + 1
        self.assertEqual(self._sizes(estimate), sizes)
        left_out = {}
        for trace in mailing.mailing_trace_ids:
            if trace.trace_status == "cancel":
                left_out[trace.failure_type] = left_out.get(trace.failure_type, 0) + 1
        self.assertEqual(self._excluded(estimate), left_out)
        return estimate

    def test_as_sent(self):
        mailing = self._create_mixed(body="Bonjour {{ object.name }}, " + "à " * 68)
        estimate = self._check_against_sending(mailing)
        self.assertEqual(
            self._excluded(estimate),
            {
                "sms_blacklist": 1,
                "sms_optout": 1,
                "sms_duplicate": 1,
                "sms_number_missing": 1,
                "sms_number_format": 1,
                "sms_ovh_landline": 1,
            },
        )
        self.assertEqual(estimate.total, 29)
        self.assertLessEqual(
            {"FR", "BE", "ES", "RE", "GG"}, set(self._countries(estimate))
        )
        self.assertGreater(estimate.longest_segments, 1)
        (rendered,) = mailing._sms_ovh_as_sent()._sms_ovh_render(
            [estimate.longest_res_id]
        )
        self.assertIn("Núria", rendered.text)

    def test_as_sent_with_links(self):
        mailing = self._create_mixed(
            body=f"Bonjour {{{{ object.name }}}}, voir {LINK} ou {LINK}2. " + "x" * 40,
            sms_allow_unsubscribe=True,
            sms_ovh_kind="transactional",
        )
        with patch.object(
            type(self.env["link.tracker"]), "_get_title_from_url", lambda self, url: url
        ):
            self._check_against_sending(mailing)
            # The links exist now: their own lengths count.
            again = self._estimate(mailing.copy())
        self.assertEqual(again.state, "done")

    def test_exactly_at_the_edge(self):
        """Links are as long in the estimate as they are on sending, to the character."""
        mailing = self._create_mailing(self._numbers(2), body=f"Voir {LINK} ")
        rendered = mailing._sms_ovh_as_sent()._sms_ovh_render(
            mailing._get_recipients()
        )[0]
        units = count_segments(rendered.text, True).units
        for more, segments in ((160 - units, 1), (161 - units, 2)):
            copy = mailing.copy({"body_plaintext": f"Voir {LINK} " + "x" * more})
            copy.contact_list_ids = mailing.contact_list_ids
            estimate = self._estimate(copy)
            self.assertEqual(self._sizes(estimate), {segments: 2})

    def test_writes_nothing(self):
        mailing = self._create_mailing(
            self._numbers(3), body=f"Voir {LINK}", sms_allow_unsubscribe=True
        )
        models = ("link.tracker", "mailing.trace", "sms.sms", "sms.tracker")
        before = [self.env[model].search_count([]) for model in models]
        self._estimate(mailing)
        mailing.action_sms_ovh_preview()
        self.assertEqual([self.env[model].search_count([]) for model in models], before)

    def test_lists_of_those_left_out(self):
        mailing = self._create_mixed()
        estimate = self._estimate(mailing)
        for line in estimate.line_ids.filtered(lambda line: line.kind == "excluded"):
            action = line.action_open()
            records = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(action["res_model"], "mailing.contact")
            self.assertEqual(len(records), line.count)
        landline = estimate.line_ids.filtered(
            lambda line: line.reason == "sms_ovh_landline"
        )
        action = landline.action_open()
        self.assertEqual(action["name"], "Landline")
        self.assertEqual(
            self.env["mailing.contact"].search(action["domain"]).name, "Fixe"
        )

    def test_long_lists_of_those_left_out_are_bounded(self):
        mailing = self._create_mailing([LANDLINE, LANDLINE, LANDLINE])
        with patch.object(const, "ESTIMATE_KEPT_IDS", 1):
            estimate = self._estimate(mailing)
            duplicates = estimate.line_ids.filtered(
                lambda line: line.reason == "sms_duplicate"
            )
        self.assertEqual(duplicates.count, 2)
        action = duplicates.action_open()
        self.assertIn("the first 1", action["name"])
        self.assertEqual(len(action["domain"][0][2]), 1)

    def test_empty_texts_are_left_out(self):
        mailing = self._create_mailing(
            self._numbers(2), body="{{ object.company_name }}"
        )
        contact = mailing.contact_list_ids.contact_ids[0]
        contact.company_name = "Bonjour"
        mailing.sms_allow_unsubscribe = True
        estimate = self._check_against_sending(mailing)
        self.assertEqual(self._excluded(estimate), {"sms_ovh_empty": 1})
        self.assertEqual(estimate.sent_count, 1)

    def test_too_long_for_some(self):
        mailing = self._create_mailing(
            self._numbers(2), body="Bonjour {{ object.company_name }}"
        )
        mailing.contact_list_ids.contact_ids[0].company_name = "x" * 1000
        estimate = self._estimate(mailing)
        self.assertEqual(self._excluded(estimate), {"sms_ovh_too_long": 1})
        self._send(mailing)
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_already_got_it(self):
        mailing = self._create_mailing(self._numbers(5))
        mailing._sms_ovh_compose(mailing._get_remaining_recipients()[:2])
        estimate = self._estimate(mailing)
        self.assertEqual(self._excluded(estimate), {"already": 2})
        self.assertEqual((estimate.total, estimate.sent_count), (5, 3))

    def test_share_of_an_ab_test(self):
        mailing = self._create_mailing(
            self._numbers(40), body="Bonjour {{ object.name }}"
        )
        mailing.write({"ab_testing_enabled": True, "ab_testing_pc": 25})
        other = mailing.copy({"body_plaintext": "Salut"})
        other.contact_list_ids = mailing.contact_list_ids
        estimate = self._estimate(mailing)
        self.assertEqual(estimate.sent_count, 10)
        self.assertEqual(self._excluded(estimate), {"not_sampled": 30})
        drawn = set(mailing._get_recipients())
        self._send(mailing)
        self.assertEqual(len(self.simulator.get_ledger()), 10)
        self.assertEqual(mailing.state, "done")
        self.assertEqual(set(mailing.mailing_trace_ids.mapped("res_id")), drawn)
        estimate = self._estimate(other)
        self.assertEqual(estimate.sent_count, 10)
        self.assertEqual(self._excluded(estimate), {"already": 10, "not_sampled": 20})
        self._send(other)
        self.assertEqual(len(self.simulator.get_ledger()), 20)

    def test_other_models(self):
        partners = self.env["res.partner"].create(
            [{"name": number, "phone": number} for number in self._numbers(3)]
        )
        mailing = self._create_mailing(
            [],
            body="Bonjour {{ object.name }}",
            mailing_model_id=self.env["ir.model"]._get_id("res.partner"),
            mailing_domain=repr([("id", "in", partners.ids)]),
        )
        self._check_against_sending(mailing)

    # ------------------------------------------------------------
    # Rates
    # ------------------------------------------------------------

    def test_rates_are_read_once_a_day(self):
        mailing = self._create_mailing(self._numbers(1))

        def count():
            requests = self.simulator.get_state()["requests"]
            return sum(
                number for name, number in requests.items() if "rates/dest" in name
            )

        self._estimate(mailing)
        self.assertEqual(count(), 1)
        self._estimate(mailing)
        self.assertEqual(count(), 1)
        self.env["sms.ovh.rate"].search([]).date = (
            fields.Datetime.now() - 2 * const.RATE_FRESH
        )
        self._estimate(mailing)
        self.assertEqual(count(), 2)

    def test_rates_cannot_be_read(self):
        mailing = self._create_mailing(self._numbers(2))
        self.simulator.order_faults({"kind": "500", "path": "/sms/rates", "times": 99})
        with self.assertLogs("odoo.addons.sms_ovh", "WARNING"):
            estimate = self._estimate(mailing)
        self.assertEqual(estimate.state, "done")
        self.assertIn("could not be read", estimate.rates_error)
        self.assertEqual((estimate.sent_count, estimate.credits), (2, 0))
        line = estimate.line_ids.filtered(lambda line: line.kind == "country")
        self.assertFalse(line.rate_known)

    # ------------------------------------------------------------
    # Large lists
    # ------------------------------------------------------------

    def test_in_the_background(self):
        with (
            patch.object(const, "ESTIMATE_AT_ONCE", 5),
            patch.object(const, "ESTIMATE_SLICE", 7),
        ):
            mailing = self._create_mixed(body="Bonjour {{ object.name }}")
            estimate = self._estimate(mailing)
            self.assertEqual(estimate.state, "running")
            self.assertIn("0 of 29", mailing.sms_ovh_estimate_summary)
            self._run_cron("sms_ovh.ir_cron_estimate")
            self.assertEqual(estimate.state, "done", estimate.error)
            self.assertFalse(estimate.sudo().slice_ids)
            background = (
                estimate.sent_count,
                estimate.segment_count,
                estimate.credits,
                self._excluded(estimate),
                self._countries(estimate),
            )
        at_once = self._estimate(mailing)
        self.assertEqual(
            background,
            (
                at_once.sent_count,
                at_once.segment_count,
                at_once.credits,
                self._excluded(at_once),
                self._countries(at_once),
            ),
        )

    def test_killed_between_slices(self):
        mailing = self._create_mixed()
        with (
            patch.object(const, "ESTIMATE_AT_ONCE", 5),
            patch.object(const, "ESTIMATE_SLICE", 7),
        ):
            estimate = self._estimate(mailing)
            estimate.sudo()._step()
            estimate.sudo()._step()
            self.assertEqual((estimate.state, estimate.treated), ("running", 14))
            self.env.invalidate_all()
            self._run_cron("sms_ovh.ir_cron_estimate")
        self.assertEqual(estimate.state, "done")
        self.assertEqual(estimate.treated, 29)
        self.assertEqual(self._excluded(estimate)["sms_duplicate"], 1)

    def test_stop_and_start_again(self):
        mailing = self._create_mailing(self._numbers(8))
        with patch.object(const, "ESTIMATE_AT_ONCE", 5):
            estimate = self._estimate(mailing)
            estimate.action_cancel()
            self._run_cron("sms_ovh.ir_cron_estimate")
            self.assertEqual((estimate.state, estimate.treated), ("cancelled", 0))
            estimate = self._estimate(mailing)
            self._run_cron("sms_ovh.ir_cron_estimate")
        self.assertEqual((estimate.state, estimate.sent_count), ("done", 8))

    def test_one_that_breaks_keeps_no_other_waiting(self):
        broken = self._create_mailing(self._numbers(8))
        good = self._create_mailing(self._numbers(8))
        original = type(broken)._sms_ovh_render

        def render(mailing, *args):
            if mailing.id == broken.id:
                raise MemoryError()
            return original(mailing, *args)

        with patch.object(const, "ESTIMATE_AT_ONCE", 5):
            estimates = self._estimate(broken) | self._estimate(good)
            with (
                patch.object(type(broken), "_sms_ovh_render", render),
                self.assertLogs("odoo.addons.sms_ovh", "ERROR"),
            ):
                self._run_cron("sms_ovh.ir_cron_estimate")
        self.assertEqual(estimates.mapped("state"), ["failed", "done"])

    # ------------------------------------------------------------
    # Out of date, and out of order
    # ------------------------------------------------------------

    def test_stale(self):
        mailing = self._create_mailing(self._numbers(2))
        mailing.sms_ovh_sender_id = self.account.default_sender_id
        changes = [
            lambda: mailing.write({"body_plaintext": "Bonsoir"}),
            lambda: mailing.write({"sms_allow_unsubscribe": True}),
            lambda: mailing.write({"sms_ovh_kind": "transactional"}),
            lambda: mailing.write(
                {"sms_ovh_sender_id": self._sender(type="shortcode").id}
            ),
            lambda: mailing.write({"use_exclusion_list": False}),
            lambda: self.company.write({"sms_ovh_skip_landlines": False}),
            lambda: self._create_contacts(
                mailing.contact_list_ids, {"name": "Neuf", "mobile": "+33600000099"}
            ),
            lambda: mailing.write({"ab_testing_enabled": True, "ab_testing_pc": 50}),
        ]
        for change in changes:
            self._estimate(mailing)
            self.assertFalse(mailing.sms_ovh_estimate_stale)
            self.assertIn("Recipients: ", mailing.sms_ovh_estimate_summary)
            change()
            mailing.invalidate_recordset()
            self.assertTrue(mailing.sms_ovh_estimate_stale)
            self.assertIn("out of date", mailing.sms_ovh_estimate_summary)
            self.assertFalse(mailing._sms_ovh_has_fresh_estimate())

    def test_stale_while_writing(self):
        mailing = self._create_mailing(self._numbers(2))
        self._estimate(mailing)
        form = Form(mailing, "mass_mailing_sms.mailing_mailing_view_form_sms")
        self.assertFalse(form.sms_ovh_estimate_stale)
        form.body_plaintext = "Bonsoir"
        self.assertTrue(form.sms_ovh_estimate_stale)
        form.body_plaintext = "Bonjour"
        self.assertFalse(form.sms_ovh_estimate_stale)

    def test_placeholder_that_fails(self):
        mailing = self._create_mailing(
            self._numbers(5),
            body="Bonjour {{ object.name[0] if object.company_name else 1 / 0 }}",
        )
        contacts = mailing.contact_list_ids.contact_ids
        contacts.company_name = "Boutique"
        contacts[3].write({"name": "Camille Martin", "company_name": False})
        estimate = self._estimate(mailing)
        self.assertEqual(estimate.state, "failed")
        self.assertIn("The text fails for Camille Martin", estimate.error)
        self.assertEqual(estimate.error_res_id, contacts[3].id)
        self.assertIn("Camille Martin", mailing.sms_ovh_estimate_summary)
        # Nobody asked before sending: the campaign stops, and others leave.
        other = self._create_mailing(self._numbers(1, first=50))
        mailing.action_put_in_queue()
        self._send(other)
        self.assertEqual(mailing.state, "draft")
        bodies = "".join(mailing.message_ids.mapped("body"))
        self.assertIn("The text fails for Camille Martin", bodies)
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_what_cannot_be_estimated(self):
        mailing = self._create_mailing(self._numbers(1))
        mailing.body_plaintext = "  "
        with self.assertRaisesRegex(UserError, "Write the text"):
            mailing.action_sms_ovh_estimate()
        mailing.body_plaintext = "Bonjour"
        self.company.sms_ovh_account_id = False
        with self.assertRaisesRegex(UserError, "not sent with OVHcloud"):
            mailing.action_sms_ovh_estimate()

    def test_by_a_marketing_user(self):
        """Who sends campaigns may do all this, and no more with others' records."""
        user = new_test_user(
            self.env,
            "estimate_marketing",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        mailing = self._create_mixed().with_user(user)
        action = mailing.action_sms_ovh_estimate()
        send = self.env[action["res_model"]].with_user(user).browse(action["res_id"])
        self.assertEqual(send.state, "done")
        self.assertTrue(send.credits)
        mailing.sms_ovh_estimate_id.line_ids[0].action_open()
        mailing.action_sms_ovh_preview()
