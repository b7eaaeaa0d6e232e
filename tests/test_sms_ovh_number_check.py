"""Numbers that operators are asked about, at OVHcloud (HLR)."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .. import const
from ..models import sms_ovh_number_check
from .common import KEYS_2, SERVICE_1, SERVICE_2, SimulatorCase, SmsOvhCase

DEAD = "+33612340020"  # see `dev/ovh_simulator/magic.py`
ABSENT = "+33612340024"
SILENT = "+33612340039"
ALIVE = "+33612340010"
LANDLINE = "+33142685300"
HLR = r"/hlr$"


class NumberCheckCase(SmsOvhCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(sms_ovh_number_check, "ABANDONED_AFTER", -1))

    def _add_contacts(self, numbers, name="Clients"):
        mailing_list = self.env["mailing.list"].create({"name": name})
        self.env["mailing.contact"].create(
            [
                {
                    "name": f"Client {index}",
                    "mobile": number,
                    "country_id": self.france.id,
                    "list_ids": mailing_list.ids,
                }
                for index, number in enumerate(numbers)
            ]
        )
        return mailing_list

    def _open(self, records):
        action = records.action_sms_ovh_check_numbers()
        return self.env[action["res_model"]].browse(action["res_id"])

    def _check(self, records, **values):
        request = self._open(records)
        request.write(values)
        action = request.action_confirm()
        self._run_cron("sms_ovh.ir_cron_check_numbers")
        return action

    def _let_time_pass(self, **domain):
        self.env["sms.ovh.number.check"].search([]).write({"next_attempt": False})
        self.account.check_next_attempt = False
        self._run_cron("sms_ovh.ir_cron_check_numbers")

    def _get_checks(self):
        self.env.invalidate_all()
        checks = self.env["sms.ovh.number.check"].search([])
        return {check.number: check for check in checks}

    def _get_results(self):
        return {
            number: (check.state, check.result)
            for number, check in self._get_checks().items()
        }

    def _count_posts(self):
        counts = self.simulator.get_state()["requests"]
        return counts.get("POST /sms/{serviceName}/hlr", 0)

    def _get_asked(self):
        """Return the numbers that OVHcloud was asked for, as often as it was."""
        return self.simulator.get_state()["services"][SERVICE_1]["lookups"]


@tagged("-at_install", "post_install")
class TestSmsOvhNumberCheck(NumberCheckCase):
    def test_what_is_asked_and_what_it_costs(self):
        mailing_list = self._add_contacts(
            [ALIVE, DEAD, ALIVE, LANDLINE, "12", False, "+33612340011", ABSENT]
        )
        contacts = mailing_list.contact_ids.sorted("id")
        contacts[6].subscription_ids.opt_out = True
        self.env["phone.blacklist"]._add([ABSENT])
        request = self._open(mailing_list)
        self.assertEqual(request.account_id, self.account)
        self.assertEqual(request.count, 2)
        self.assertEqual(request.duplicate_count, 1)
        self.assertEqual(request.no_mobile_count, 1)
        self.assertEqual(request.unreadable_count, 1)
        self.assertEqual(request.missing_count, 1)
        self.assertEqual(request.stopped_count, 2)
        self.assertFalse(request.cost_known)
        self.assertIn("says how many only afterwards", request.cost)
        self.assertFalse(self._count_posts())
        before = self.account.credits_left
        request.action_confirm()
        self.assertFalse(self._count_posts(), "nobody waits for OVHcloud")
        self._run_cron("sms_ovh.ir_cron_check_numbers")
        self.assertEqual(self._count_posts(), 1)
        self.assertEqual(
            self._get_results(),
            {ALIVE: ("done", "reachable"), DEAD: ("done", "dead")},
        )
        self.assertEqual(self.account.check_credits, 0.5)
        # The price is known from now on, and nothing is paid for twice.
        contacts[0].copy({"mobile": SILENT, "list_ids": mailing_list.ids})
        request = self._open(mailing_list)
        self.assertEqual((request.count, request.fresh_count), (1, 2))
        self.assertTrue(request.cost_known)
        self.assertIn("0.5", request.cost)
        request.again = True
        self.assertEqual(request.count, 3)
        self.assertIn("1.5", request.cost)
        self.account.action_synchronise()
        self.assertEqual(self.account.credits_left, before - 1)

    def test_results(self):
        for spelling in ("e164", "digits", "zeros"):
            for order in ("receivers", "swapped", "shuffled"):
                for refused in (None, "."):
                    with self.subTest(spelling=spelling, order=order, batch=refused):
                        self.env["sms.ovh.number.check"].search([]).unlink()
                        self.simulator.reset()
                        self.simulator.configure(
                            hlr_spelling=spelling,
                            ids_order=order,
                            batch_refused=refused,
                        )
                        self._check(self._add_contacts([ALIVE, DEAD, ABSENT, SILENT]))
                        self.assertEqual(
                            self._get_results(),
                            {
                                ALIVE: ("done", "reachable"),
                                DEAD: ("done", "dead"),
                                ABSENT: ("done", "absent"),
                                SILENT: ("done", "unknown"),
                            },
                        )
                        self.assertEqual(len(self._get_asked()), 4)

    def test_results_come_later(self):
        self.simulator.configure(hlr_ms=3600 * 1000)
        self._check(self._add_contacts([ALIVE, DEAD]))
        self.assertEqual(set(self._get_results().values()), {("waiting", False)})
        request = self._open(
            self.env["mailing.list"].search([], limit=1, order="id desc")
        )
        self.assertEqual((request.count, request.pending_count), (0, 2))
        with self.assertRaises(UserError):
            request.action_confirm()
        self.simulator._call("POST", "clock", {"advance_s": 4000})
        self._let_time_pass()
        self.assertEqual(
            self._get_results(), {ALIVE: ("done", "reachable"), DEAD: ("done", "dead")}
        )
        self.assertEqual(len(self._get_asked()), 2)

    def test_operators_never_answer(self):
        self.simulator.configure(hlr_ms=10**9)
        self._check(self._add_contacts([ALIVE]))
        for __ in const.CHECK_RESULT_AFTER:
            self._let_time_pass()
        check = self._get_checks()[ALIVE]
        self.assertEqual(check.state, "failed")
        self.assertTrue(check.error)
        self.assertEqual(len(self._get_asked()), 1)
        # It may have been paid for.
        request = self._open(
            self.env["mailing.contact"].search([("mobile", "=", ALIVE)])
        )
        self.assertEqual((request.count, request.fresh_count), (0, 1))

    def test_many_are_asked_for_in_pieces(self):
        numbers = self._numbers(1100)
        self._check(self._add_contacts(numbers))
        self.assertEqual(self._count_posts(), 3)
        self.assertEqual(sorted(self._get_asked()), sorted(numbers))
        requests = self.simulator.get_state()["requests"]
        self.assertLessEqual(
            requests["GET /sms/{serviceName}/hlr/{id}"], 1100 // 50 + 3
        )
        self.assertEqual(set(self._get_results().values()), {("done", "reachable")})

    @mute_logger("odoo.addons.sms_ovh.models.sms_ovh_number_check")
    def test_lost_answers(self):
        for kind in ("cut_after", "timeout", "500", "garbage", "empty"):
            for accepted in (True, False):
                if kind == "cut_after" and not accepted:
                    continue
                with self.subTest(kind=kind, accepted=accepted):
                    self.env["sms.ovh.number.check"].search([]).unlink()
                    self.simulator.reset()
                    fault = {"kind": kind, "method": "POST", "path": HLR}
                    if accepted and kind != "cut_after":
                        fault["accept"] = True
                    self.simulator.order_faults(fault)
                    with patch.object(const, "READ_TIMEOUT", 2):
                        self._check(self._add_contacts([ALIVE, DEAD]))
                    self.assertEqual(self._count_posts(), 1)
                    self.assertEqual(
                        set(self._get_results().values()), {("unknown", False)}
                    )
                    for __ in range(3):
                        self._let_time_pass()
                    self.assertEqual(
                        self._get_results(),
                        {ALIVE: ("done", "reachable"), DEAD: ("done", "dead")},
                    )
                    self.assertEqual(
                        sorted(self._get_asked()), sorted([ALIVE, DEAD]), "paid once"
                    )
                    self.assertEqual(self._count_posts(), 1 if accepted else 2)

    def test_killed_before_and_after_the_call(self):
        mailing_list = self._add_contacts([ALIVE, DEAD])
        for asked in (True, False):
            with self.subTest(asked=asked):
                self.env["sms.ovh.number.check"].search([]).unlink()
                self.simulator.reset()
                self._open(mailing_list).action_confirm()
                taken = self.env["sms.ovh.number.check"]._take(self.account)
                if asked:
                    with self.account._get_client() as client:
                        client.post(
                            self.account._get_path("hlr"),
                            {"receivers": taken.mapped("number")},
                        )
                self._run_cron("sms_ovh.ir_cron_check_numbers")
                for __ in range(2):
                    self._let_time_pass()
                self.assertEqual(
                    self._get_results(),
                    {ALIVE: ("done", "reachable"), DEAD: ("done", "dead")},
                )
                self.assertEqual(sorted(self._get_asked()), sorted([ALIVE, DEAD]))

    def test_what_others_asked_for_is_left_alone(self):
        """In OVHcloud's console, long ago: no result of today's question."""
        with self.account._get_client() as client:
            client.post(self.account._get_path("hlr"), {"receivers": [ALIVE, ABSENT]})
        self.simulator._call("POST", "clock", {"advance_s": 86400})
        self.simulator.order_faults({"kind": "500", "method": "POST", "path": HLR})
        with mute_logger("odoo.addons.sms_ovh.models.sms_ovh_number_check"):
            self._check(self._add_contacts([ALIVE]))
        checks = self.env["sms.ovh.number.check"].search([])
        checks.asked_at = fields.Datetime.now() + timedelta(days=1)
        for __ in range(3):
            self._let_time_pass()
        self.assertEqual(self._get_results(), {ALIVE: ("done", "reachable")})
        self.assertEqual(self._get_asked().count(ALIVE), 2)

    @mute_logger("odoo.addons.sms_ovh.models.sms_ovh_number_check")
    def test_refused(self):
        """Whatever is refused: nothing is paid, sending goes on, one message."""
        words = {"message": "This is not for you"}
        for status in (400, 403, 404, 409, 429, 460):
            with self.subTest(status=status):
                self.env["sms.ovh.number.check"].search([]).unlink()
                self.simulator.reset()
                self.env["sms.ovh.number.check"]._reset_postponed(self.account)
                messages = len(self.account.message_ids)
                self.simulator.order_faults(
                    {
                        "kind": "answer",
                        "method": "POST",
                        "path": HLR,
                        "times": None,
                        "status": status,
                        "content": words,
                    }
                )
                numbers = self._numbers(10)
                self._check(self._add_contacts(numbers))
                self.assertTrue(self.account.check_error)
                self.assertGreater(
                    self.account.check_next_attempt, fields.Datetime.now()
                )
                for __ in range(3):
                    self._let_time_pass()
                self.assertLessEqual(self._count_posts(), 40)
                self.assertFalse(self.account.pause_reason)
                self.assertFalse(self._get_asked())
                self.env.invalidate_all()
                self.assertEqual(
                    len(self.account.message_ids) - messages, 0 if status == 429 else 1
                )
                # No attempt without a wait: the cron leaves it alone.
                posts = self._count_posts()
                self._run_cron("sms_ovh.ir_cron_check_numbers")
                self.assertEqual(self._count_posts(), posts)

    def test_one_number_is_refused(self):
        numbers = self._numbers(20)
        bad = numbers[7]
        original = type(self.account)._get_client

        def get_client(account):
            client = original(account)
            post = client.post

            def refuse(path, data):
                if bad in data.get("receivers", ()):
                    raise sms_ovh_number_check.ovh_client.OvhBadRequest("No mobile")
                return post(path, data)

            client.post = refuse
            return client

        self.patch(type(self.account), "_get_client", get_client)
        self._check(self._add_contacts(numbers))
        results = self._get_results()
        self.assertEqual(results.pop(bad), ("done", "refused"))
        self.assertEqual(set(results.values()), {("done", "reachable")})
        self.assertEqual(sorted(self._get_asked()), sorted(set(numbers) - {bad}))

    @mute_logger("odoo.addons.sms_ovh.models.sms_ovh_number_check")
    def test_too_few_credits(self):
        self.simulator.set_service(SERVICE_1, creditsLeft=0)
        self.account.action_synchronise()
        request = self._open(self._add_contacts([ALIVE]))
        self.assertTrue(request.too_few_credits)
        request.action_confirm()
        self._run_cron("sms_ovh.ir_cron_check_numbers")
        self.assertIn("Not enough SMS", self.account.check_error)
        self.assertFalse(self.account.pause_reason)
        self.assertEqual(self._get_results(), {ALIVE: ("queued", False)})
        self.simulator.set_service(SERVICE_1, creditsLeft=10)
        self._let_time_pass()
        self.assertEqual(self._get_results(), {ALIVE: ("done", "reachable")})
        self.assertFalse(self.account.check_error)

    def test_http2sms(self):
        self.account.write({"auth_method": "http2sms"})
        with self.assertRaisesRegex(UserError, "good for sending only"):
            self._open(self._add_contacts([ALIVE]))

    def test_company_without_ovhcloud(self):
        mailing_list = self._add_contacts([ALIVE])
        self.company.sms_ovh_account_id = False
        with self.assertRaisesRegex(UserError, "does not send with OVHcloud"):
            self._open(mailing_list)

    # ------------------------------------------------------------
    # What becomes of it
    # ------------------------------------------------------------

    def test_dead_numbers_are_left_out(self):
        mailing = self._create_mailing([ALIVE, DEAD, ABSENT])
        self._check(mailing.contact_list_ids)
        mailing.action_sms_ovh_estimate()
        estimate = mailing.sms_ovh_estimate_id
        self.assertEqual((estimate.sent_count, estimate.excluded_count), (2, 1))
        line = estimate.line_ids.filtered(lambda line: line.kind == "excluded")
        self.assertEqual(line.reason, "sms_ovh_dead")
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(
            {sms["receiver"] for sms in self.simulator.get_ledger()}, {ALIVE, ABSENT}
        )
        self.env.invalidate_all()
        trace = mailing.mailing_trace_ids.filtered(
            lambda trace: trace.sms_number == DEAD
        )
        self.assertEqual(trace.trace_status, "cancel")
        self.assertEqual(trace.failure_type, "sms_ovh_dead")

    def test_sent_all_the_same(self):
        mailing = self._create_mailing([ALIVE, DEAD])
        self._check(mailing.contact_list_ids)
        check = self._get_checks()[DEAD]
        check.action_send_anyway()
        mailing.action_sms_ovh_estimate()
        self.assertEqual(mailing.sms_ovh_estimate_id.sent_count, 2)
        check.action_leave_out()
        mailing.action_sms_ovh_estimate()
        self.assertEqual(mailing.sms_ovh_estimate_id.sent_count, 1)
        # A result of long ago is no result: numbers go to somebody else.
        check.checked_at -= timedelta(days=const.CHECK_FRESH_DAYS + 1)
        mailing.action_sms_ovh_estimate()
        self.assertEqual(mailing.sms_ovh_estimate_id.sent_count, 2)

    def test_several_records(self):
        partners = self.env["res.partner"].create(
            [
                {"name": number, "phone": number, "country_id": self.france.id}
                for number in (ALIVE, DEAD)
            ]
        )
        self._check(partners)
        composer = (
            self.env["sms.composer"]
            .with_context(active_ids=partners.ids)
            .create(
                {
                    "composition_mode": "mass",
                    "res_model": "res.partner",
                    "res_ids": repr(partners.ids),
                    "body": "Bonjour",
                }
            )
        )
        sms = composer._action_send_sms_mass()
        self.assertEqual(
            {each.number: each.failure_type for each in sms},
            {ALIVE: False, DEAD: "sms_ovh_dead"},
        )

    def test_on_the_contact(self):
        mailing_list = self._add_contacts([ALIVE, DEAD])
        self._check(mailing_list)
        contacts = mailing_list.contact_ids.sorted("id")
        partner = self.env["res.partner"].create(
            {"name": "Dead", "phone": DEAD, "country_id": self.france.id}
        )
        self.assertEqual(contacts.mapped("sms_ovh_check_result"), ["reachable", "dead"])
        self.assertTrue(all(contacts.mapped("sms_ovh_checked_at")))
        self.assertEqual(partner.sms_ovh_check_result, "dead")
        domain = [("id", "in", contacts.ids)]
        for value, found in (
            (("=", "dead"), contacts[1]),
            (("!=", "dead"), contacts[0]),
            (("=", False), contacts.browse()),
            (("in", ["dead", "reachable"]), contacts),
        ):
            self.assertEqual(
                contacts.search([*domain, ("sms_ovh_check_result", *value)]), found
            )
        # Of another company: nothing.
        other = self.env["res.company"].create({"name": "Autre"})
        self.env.user.company_ids |= other
        self.assertFalse(
            any(contacts.with_company(other).mapped("sms_ovh_check_result"))
        )

    def test_checked_again(self):
        mailing_list = self._add_contacts([DEAD, ALIVE])
        self._check(mailing_list)
        checks = self.env["sms.ovh.number.check"].search([])
        action = checks.action_check_again()
        request = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(request.count, 2)
        request.action_confirm()
        self._run_cron("sms_ovh.ir_cron_check_numbers")
        self.assertEqual(len(self._get_asked()), 4)
        self.assertEqual(len(self._get_checks()), 2)
        self.assertEqual(self._get_results()[DEAD], ("done", "dead"))

    def test_two_ask_at_once(self):
        mailing_list = self._add_contacts([ALIVE, DEAD])
        first, second = self._open(mailing_list), self._open(mailing_list)
        first.action_confirm()
        second.action_confirm()
        self._run_cron("sms_ovh.ir_cron_check_numbers")
        self.assertEqual(sorted(self._get_asked()), sorted([ALIVE, DEAD]))

    # ------------------------------------------------------------
    # Rights and privacy
    # ------------------------------------------------------------

    def test_rights(self):
        mailing_list = self._add_contacts([ALIVE])
        marketing = new_test_user(
            self.env,
            "marketing",
            groups="mass_mailing.group_mass_mailing_user,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        sales = new_test_user(
            self.env,
            "sales",
            groups="base.group_user,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        partner = self.env["res.partner"].create(
            {"name": "Dead", "phone": DEAD, "country_id": self.france.id}
        )
        with self.assertRaises(AccessError):
            partner.with_user(sales).action_sms_ovh_check_numbers()
        self.assertNotIn("sms_ovh_check_result", partner.with_user(sales).fields_get())
        action = mailing_list.with_user(marketing).action_sms_ovh_check_numbers()
        request = (
            self.env[action["res_model"]].with_user(marketing).browse(action["res_id"])
        )
        # What is asked for is nobody's to write.
        for values in ({"numbers": ["+33699999999"]}, {"fresh_numbers": []}):
            with self.assertRaises(AccessError):
                request.write(values)
        other_company = self.env["res.company"].create({"name": "Autre"})
        other = self._create_account(other_company, SERVICE_2, KEYS_2, connect=False)
        with self.assertRaises(AccessError):
            request.write({"account_id": other.id})
        request.action_confirm()
        self._run_cron("sms_ovh.ir_cron_check_numbers")
        check = self._get_checks()[ALIVE]
        self.assertEqual(check.user_id, marketing)
        with self.assertRaises(AccessError):
            check.with_user(marketing).write({"result": "dead"})
        with self.assertRaises(AccessError):
            check.with_user(marketing).send_anyway = True
        check.with_user(marketing).action_send_anyway()
        self.assertTrue(check.send_anyway)

    def test_companies(self):
        """What one company paid for is not another's to know."""
        self._check(self._add_contacts([DEAD]))
        other_company = self.env["res.company"].create(
            {"name": "Autre", "country_id": self.france.id}
        )
        other = self._create_account(other_company, SERVICE_2, KEYS_2)
        Check = self.env["sms.ovh.number.check"]
        self.assertEqual(Check._find_dead(self.company, [DEAD]), {DEAD})
        self.assertFalse(Check._find_dead(other_company, [DEAD]))
        self.assertEqual(Check._split_known(other_company, [DEAD]), (set(), set()))
        self.assertTrue(other)

    def test_forgotten_with_the_contact(self):
        mailing_list = self._add_contacts([ALIVE, DEAD])
        self._check(mailing_list)
        contacts = mailing_list.contact_ids.sorted("id")
        twin = contacts[1].copy()
        contacts.unlink()
        self.assertEqual(list(self._get_checks()), [DEAD], "the other's still")
        twin.unlink()
        self.assertFalse(self._get_checks())

    def test_forgotten_while_asked_for(self):
        self.simulator.configure(hlr_ms=3600 * 1000)
        mailing_list = self._add_contacts([ALIVE, DEAD])
        self._check(mailing_list)
        mailing_list.contact_ids.filtered(lambda each: each.mobile == DEAD).unlink()
        self.simulator._call("POST", "clock", {"advance_s": 4000})
        self._let_time_pass()
        self.assertEqual(self._get_results(), {ALIVE: ("done", "reachable")})

    def test_forgotten_by_age(self):
        self._check(self._add_contacts([ALIVE, DEAD]))
        checks = self._get_checks()
        old = fields.Datetime.now() - timedelta(days=const.KEEP_CHECKS_DAYS + 1)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sms_ovh_number_check SET write_date = %s WHERE id = %s",
            [old, checks[DEAD].id],
        )
        self.env.invalidate_all()
        self.env["sms.ovh.number.check"]._gc_checks()
        self.assertEqual(list(self._get_checks()), [ALIVE])


@tagged("-at_install", "post_install")
class TestSmsOvhNumberCheckTour(SimulatorCase, HttpCase):
    """From the dashboard to a list whose dead numbers get nothing: in French."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.env["ir.module.module"]._load_module_terms(["sms_ovh"], ["fr_FR"])
        cls.env["mailing.list"].search([]).action_archive()
        admin = cls.env.ref("base.user_admin")
        admin.lang = "fr_FR"
        company = admin.company_id
        company.write(
            {"country_id": cls.env.ref("base.fr").id, "sms_ovh_quiet_hours": False}
        )
        cls.account = cls._create_account(company)
        cls.mailing_list = cls.env["mailing.list"].create(
            {"name": "Clients à vérifier"}
        )
        cls.env["mailing.contact"].create(
            [
                {"name": name, "mobile": number, "list_ids": cls.mailing_list.ids}
                for name, number in (
                    ("En service", ALIVE),
                    ("Hors service", DEAD),
                    ("Fixe", LANDLINE),
                )
            ]
        )

    def _run_cron(self):
        self.env.ref("sms_ovh.ir_cron_check_numbers").with_user(
            self.env.ref("base.user_root")
        ).sudo(False).method_direct_trigger()
        self.env.invalidate_all()

    def test_from_the_dashboard(self):
        self.start_tour("/odoo/ovhcloud", "sms_ovh_check_numbers", login="admin")
        self._run_cron()
        results = {
            contact.name: contact.sms_ovh_check_result
            for contact in self.mailing_list.contact_ids
        }
        self.assertEqual(
            results, {"En service": "reachable", "Hors service": "dead", "Fixe": False}
        )
        self.start_tour(
            "/odoo/ovhcloud-numbers", "sms_ovh_checked_numbers", login="admin"
        )
        check = self.env["sms.ovh.number.check"].search([("number", "=", DEAD)])
        self.assertTrue(check.send_anyway)

    def test_on_a_phone(self):
        self.browser_size = "390x844"
        self.touch_enabled = True
        self.start_tour("/odoo/ovhcloud", "sms_ovh_check_numbers", login="admin")
        self.assertEqual(
            self.env["sms.ovh.number.check"].search_count([("state", "=", "queued")]), 2
        )
