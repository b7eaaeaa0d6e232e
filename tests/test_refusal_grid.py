from datetime import timedelta
from itertools import count, pairwise

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import const
from ..models import sms_ovh_job
from .common import SERVICE_1, SmsOvhCase
from .test_refusals import INVALID, LOGGERS, NOT_GRANTED

ATTEMPTS = 3
# What one round may still have to do: attempts, each asked for twice where it is unknown.
ROUNDS = 6 * ATTEMPTS
TIME2CHAT = "+33937123456"
# What is due within this is tried in one round, whenever the seconds change.
TOGETHER = timedelta(seconds=30)


def answer(status, message, **content):
    """Return the fault of an answer with a status and words."""
    return {
        "kind": "answer",
        "status": status,
        "content": {"message": message, **content},
    }


# What jobs of each kind may meet, for as long as they are posted.
LASTING = {
    "403 without words": answer(403, "Forbidden"),
    "403 of the gateway": {"kind": "answer", "status": 403, "content": NOT_GRANTED},
    "403 of a key": {"kind": "answer", "status": 403, "content": INVALID},
    "403 of a sender": answer(403, "Sms sender does not exists"),
    "403 of credits": answer(403, "Not enough credits on this SMS account"),
    "402": answer(402, "Payment required"),
    "404": answer(404, "The requested object does not exist"),
    "400 of the content": answer(400, "[message] Given data is not valid"),
    "400 of a signature": answer(400, "Invalid", errorCode="INVALID_SIGNATURE"),
    "429": {"kind": "429"},
    "500": {"kind": "500"},
    "no report": {"kind": "answer", "content": ["what"]},
    "reset": {"kind": "cut_before"},
}
# What is taken for one of those.
ALIKE = {
    "401": answer(401, "Unauthorized"),
    "409": answer(409, "Conflict"),
    "460": answer(460, "This service is expired"),
    "400 of a sender": answer(400, "This sender is not valid"),
    "400 of the clock": answer(400, "Too late", errorCode="QUERY_TIME_OUT"),
    "429, later": {"kind": "429", "retry_after": 120},
    "502": {"kind": "502_html"},
    "503": answer(503, "Service unavailable"),
    "no JSON": {"kind": "garbage"},
    "nothing": {"kind": "empty"},
}
# Nothing was done, so these are posted once more at once: see `OvhSmsClient`.
TWICE = ("400 of a signature", "400 of the clock")
# What happens once, carried out or not: nothing is sent twice, nor lost.
PASSING = {
    "429": {"kind": "429"},
    "500, accepted": {"kind": "500", "accept": True},
    "reset, accepted": {"kind": "cut_after"},
}
PASSING_ALIKE = {
    "500": {"kind": "500"},
    "no JSON, accepted": {"kind": "garbage", "accept": True},
    "nothing, accepted": {"kind": "empty", "accept": True},
    "reset": {"kind": "cut_before"},
}
WAYS = ("default", "named", "user", "quota", "virtual", "shortcode", "time2chat")


def get_cells(faults, alike):
    """Return pairs of a way to send and the name of a fault that it meets."""
    return [
        *((way, name) for way in WAYS for name in faults),
        *((WAYS[0], name) for name in alike),
    ]


@tagged("-at_install", "post_install")
class TestRefusalGrid(SmsOvhCase):
    """Whatever one way of sending meets, all others leave, and it ends."""

    def setUp(self):
        super().setUp()
        self.env["sms.sms"].search([]).unlink()
        self.simulator.set_sender(SERVICE_1, "Autre", type="alpha")
        self.simulator.set_sender(SERVICE_1, TIME2CHAT, type="time2chat")
        self.account.action_synchronise()
        self.senders = {
            "default": self.account.default_sender_id,
            "named": self._sender(name="Autre"),
            "virtual": self._sender(type="virtual"),
            "shortcode": self._sender(type="shortcode"),
            "time2chat": self._sender(type="time2chat"),
        }
        self.users = {
            "user": self._user("compta"),
            "quota": self._user("marketing"),
        }
        self.cells = count()
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("sms_ovh.threads", 1)
        parameters.set_param("sms_ovh.max_attempts", ATTEMPTS)
        # Without chance, delays double.
        self.patch(sms_ovh_job.random, "uniform", lambda low, high: 1)

    def _user(self, login):
        return self.account.api_user_ids.filtered(lambda user: user.login == login)

    def _run(self):
        with mute_logger(*LOGGERS, "odoo.addons.sms_ovh.tools.ovh_calls"):
            self._run_cron("sms.ir_cron_sms_scheduler_action")
            self._run_cron("sms_ovh.ir_cron_post_jobs")
            self.env.invalidate_all()

    def _queue_by(self, way, body, numbers=1):
        sender = self.senders.get(way) or self.senders["default"]
        return self._create_sms(
            self._numbers(numbers), body, sms_ovh_sender_id=sender.id
        )

    def _others(self, way):
        """Return the ways that share neither sender nor API user with `way`."""
        if way == "virtual":
            return ["default", "named"]
        if way in self.users:
            # All of the account that is not from a virtual number is sent as the user.
            return ["virtual"]
        return ["virtual", "named" if way == "default" else "default"]

    def _let_time_pass(self, jobs):
        """Have what waits be due: as if the clock had been set on to the next of it."""
        now = fields.Datetime.now()
        waiting = jobs.filtered("next_attempt")
        first = min(waiting.mapped("next_attempt"), default=now)
        passed = max(first - now, timedelta()) + TOGETHER
        for job in waiting:
            job.next_attempt -= passed
        for refusable in (*jobs.sender_id, *jobs.ovh_user_id):
            if refusable.refused_until:
                refusable.refused_until -= passed
        return passed

    def _count_told(self):
        """Return how often somebody was told something; what changed is noted besides."""
        messages = self.account.message_ids.filtered("body")
        return len(messages) + len(self.account.activity_ids)

    def _forget(self):
        """Begin anew: no fault, and nothing of what was sent is open."""
        self.simulator._call("DELETE", "faults")
        self.env["sms.sms"].search([]).unlink()
        self.env["sms.ovh.job"].search([]).unlink()
        self.account.action_resume()
        self.account.default_api_user_id = False
        self.account.sender_ids.refused_until = False
        self.account.api_user_ids.refused_until = False

    def _meet(self, way, fault, jobs=2, posts_each=ATTEMPTS, **values):
        """Send two texts by `way`, which meet a fault, among others that do not.

        :return: the SMS and the seconds between the rounds that posted some of them
        """
        self._forget()
        # What is sent now is told by its text.
        self.name = f"{self._testMethodName} {next(self.cells)}"
        self.simulator.order_faults(
            {"method": "POST", "path": "/jobs$", "body": "Grille", **fault, **values}
        )
        self.account.default_api_user_id = self.users.get(way)
        told = self._count_told()
        before = self.simulator.count_jobs()
        sms = self.env["sms.sms"]
        for index in range(jobs):
            sms += self._queue_by(way, f"Grille {index} {self.name}")
        others = self.env["sms.sms"]
        for other in self._others(way):
            others += self._queue_by(other, f"Campagne {other} {self.name}", 3)
        self._run()
        self._run_cron("sms_ovh.ir_cron_resume")
        self.assertEqual(set(others.mapped("state")), {"pending"})
        self.assertFalse(self.account.pause_reason)
        gaps, gap = [], 0
        jobs = sms.sms_ovh_job_id
        known = posts = self.simulator.count_jobs() - before
        for __ in range(ROUNDS):
            open_jobs = jobs.filtered(
                lambda job: job.state in sms_ovh_job.OPEN_STATES or job.open_count
            )
            if not open_jobs:
                break
            gap += self._let_time_pass(open_jobs).total_seconds()
            self._run()
            posts = self.simulator.count_jobs() - before
            if posts > known:
                gaps.append(gap)
                known, gap = posts, 0
        self.assertFalse(self.account.pause_reason)
        self.assertFalse(set(jobs.mapped("state")) & set(sms_ovh_job.OPEN_STATES))
        self.assertLessEqual(posts - len(self._others(way)), posts_each * len(jobs))
        self.assertLessEqual(self._count_told() - told, 1)
        numbers = [
            (entry["message"], entry["receiver"])
            for entry in self.simulator.get_ledger()
            if self.name in entry["message"]
        ]
        self.assertEqual(len(numbers), len(set(numbers)))
        # The next that is sent so leaves at once: nothing is refused for ever.
        self.simulator._call("DELETE", "faults")
        after = self._queue_by(way, f"Retour {self.name}")
        self._run()
        self.assertEqual(after.state, "pending")
        self.account.default_api_user_id = False
        return sms, gaps

    def test_lasting(self):
        faults = LASTING | ALIKE
        for way, name in get_cells(LASTING, ALIKE):
            with self.subTest(way=way, fault=name):
                times = 2 if name in TWICE else 1
                sms, gaps = self._meet(
                    way, faults[name], posts_each=times * ATTEMPTS, times=None
                )
                self.assertEqual(set(sms.mapped("state")), {"error"})
                self.assertTrue(all(sms.mapped("sms_ovh_failure_reason")))
                self.assertFalse(
                    {entry["message"] for entry in self.simulator.get_ledger()}
                    & set(sms.mapped("body"))
                )
                # Less and less often, but for what OVHcloud itself asks for.
                for before, after in pairwise(gaps):
                    self.assertGreater(after, before - TOGETHER.total_seconds() / 3)
                if gaps:
                    self.assertEqual(len(gaps), ATTEMPTS - 1)
                    self.assertGreaterEqual(gaps[0], const.RETRY_BASE)

    def test_passing(self):
        faults = PASSING | PASSING_ALIKE
        for way, name in get_cells(PASSING, PASSING_ALIKE):
            with self.subTest(way=way, fault=name):
                sms, __ = self._meet(way, faults[name], jobs=1)
                self.assertEqual(sms.state, "pending")
                self.assertEqual(len(self.simulator.get_ledger(message=sms.body)), 1)

    def test_time_outs(self):
        """All at once, since each is waited for."""
        self.patch(const, "READ_TIMEOUT", 2)
        self.env["ir.config_parameter"].set_param("sms_ovh.threads", 16)
        faults = {"Jamais": {}, "Toutefois": {"accept": True}}
        sms = self.env["sms.sms"]
        for body, values in faults.items():
            self.simulator.order_faults(
                {
                    **{"kind": "timeout", "path": "/jobs$", "body": body},
                    **{"times": len(WAYS), **values},
                }
            )
            for way in WAYS:
                self.account.default_api_user_id = self.users.get(way)
                sms += self._queue_by(way, f"{body} {way}")
                sms[-1]._sms_ovh_claim()
        others = self._queue_by("virtual", "Campagne", 3)
        self._run()
        self.assertEqual(set(others.mapped("state")), {"pending"})
        self.assertEqual(set(sms.mapped("state")), {"process"})
        self.assertEqual(set(sms.sms_ovh_job_id.mapped("state")), {"unknown"})
        for __ in range(ROUNDS):
            open_jobs = sms.sms_ovh_job_id.filtered(
                lambda job: job.state in sms_ovh_job.OPEN_STATES
            )
            self._let_time_pass(open_jobs)
            self._run()
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        self.assertFalse(self.account.pause_reason)
        texts = [entry["message"] for entry in self.simulator.get_ledger()]
        self.assertEqual(
            sorted(text for text in texts if text != "Campagne"),
            sorted(sms.mapped("body")),
        )

    def test_credits_that_do_not_do(self):
        """What the account cannot pay stops it, told once, until it can."""
        # That few are left is told by itself.
        self.account.credit_warning_threshold = 0
        for way in (way for way in WAYS if way != "quota"):
            with self.subTest(way=way):
                self._forget()
                self.account.default_api_user_id = self.users.get(way)
                self.simulator.set_service(SERVICE_1, creditsLeft=10)
                told, before = self._count_told(), self.simulator.count_jobs()
                sms = self._queue_by(way, f"Crédits {way}", 30)
                self._run()
                for __ in range(3):
                    self._run_cron("sms_ovh.ir_cron_resume")
                    self._run()
                self.assertEqual(self.account.pause_reason, "credit")
                self.assertEqual(self.simulator.count_jobs() - before, 1)
                self.assertEqual(self._count_told() - told, 1)
                self.simulator.set_service(SERVICE_1, creditsLeft=1000)
                self._run_cron("sms_ovh.ir_cron_resume")
                self._run()
                self.assertFalse(self.account.pause_reason)
                self.assertEqual(set(sms.mapped("state")), {"pending"})

    def test_a_quota_that_does_not_do(self):
        """It stops what is sent as the API user alone."""
        self.account.default_api_user_id = user = self.users["quota"]
        user._keep({"quota_left": 5})
        with self.account._get_client() as client:
            client.put(
                f"/sms/{SERVICE_1}/users/{user.login}",
                {"quotaInformations": {"quotaStatus": "active", "quotaLeft": 5}},
            )
        told, before = self._count_told(), self.simulator.count_jobs()
        sms = self._queue_by("quota", "Quota", 30)
        others = self._queue_by("virtual", "Campagne", 3)
        for __ in range(3):
            self._run()
            self._run_cron("sms_ovh.ir_cron_resume")
        self.assertFalse(self.account.pause_reason)
        self.assertEqual(set(others.mapped("state")), {"pending"})
        self.assertEqual(set(sms.mapped("state")), {"process"})
        self.assertEqual(self.simulator.count_jobs() - before, 2)
        self.assertEqual(self._count_told() - told, 1)
