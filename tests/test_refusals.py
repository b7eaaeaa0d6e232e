from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import const
from ..models import sms_ovh_job
from ..tools import job_pool, ovh_client
from .common import SERVICE_1, SmsOvhCase

LOGGERS = (
    "odoo.addons.sms_ovh.models.sms_ovh_account",
    "odoo.addons.sms_ovh.models.sms_ovh_account_access",
    "odoo.addons.sms_ovh.models.sms_ovh_account_answers",
    "odoo.addons.sms_ovh.models.sms_ovh_job",
    "odoo.addons.sms_ovh.models.sms_ovh_job_reconcile",
    "odoo.addons.sms_ovh.sms_api",
)
VIRTUAL = "+33700000001"
INVALID = {"message": "This credential is not valid", "errorCode": "INVALID_CREDENTIAL"}
NOT_GRANTED = {
    "message": "This call has not been granted",
    "errorCode": "NOT_GRANTED_CALL",
}


@tagged("-at_install", "post_install")
class TestRefusals(SmsOvhCase):
    """A refusal belongs to the smallest thing that it can be about."""

    def setUp(self):
        super().setUp()
        self.env["sms.sms"].search([]).unlink()

    def _run(self):
        with mute_logger(*LOGGERS):
            self._run_cron("sms.ir_cron_sms_scheduler_action")
            self._run_cron("sms_ovh.ir_cron_post_jobs")

    def _queue(self, count, body, **values):
        return self._create_sms(
            [f"+3362{index:07d}" for index in range(count)], body, **values
        )

    def _queue_to_virtual(self, count):
        """Queue SMS of different texts from the virtual number."""
        virtual = self._sender(type="virtual")
        sms = self.env["sms.sms"]
        for index in range(count):
            sms += self._queue(1, f"Virtuel {index}", sms_ovh_sender_id=virtual.id)
        return sms

    def _count_posts(self, path):
        return self.simulator.get_state()["requests"].get(f"POST {path}", 0)

    def _count_messages(self):
        return len(self.account.message_ids)

    def _answer(self, path, status, content, **values):
        self.simulator.order_faults(
            {
                "kind": "answer",
                "path": path,
                "status": status,
                "content": content,
                "times": None,
                **values,
            }
        )

    def _let_time_pass(self, jobs):
        """Have what waits be due, and who tries first be the first."""
        first = min(jobs, key=lambda job: job.next_attempt or fields.Datetime.now())
        for sender in jobs.sender_id:
            sender.refused_until = sender.refused_until and fields.Datetime.now()
        first.next_attempt = fields.Datetime.now()

    def test_a_number_that_is_gone(self):
        """Its jobs try one at a time, less and less often; all others leave."""
        self.simulator.remove_virtual_number(SERVICE_1, VIRTUAL)
        path = "/sms/{serviceName}/virtualNumbers/{number}/jobs"
        self.env["ir.config_parameter"].set_param("sms_ovh.threads", 1)
        self.env["ir.config_parameter"].set_param("sms_ovh.max_attempts", 4)
        refused = self._queue_to_virtual(6)
        campaign = self._queue(100, "Campagne")
        before = self._count_messages()
        self._run()
        self.assertFalse(self.account.pause_reason)
        self.assertEqual(set(campaign.mapped("state")), {"pending"})
        self.assertEqual(self._count_posts(path), 1)
        jobs = refused.sms_ovh_job_id
        self.assertEqual(set(jobs.mapped("state")), {"queued"})
        self.assertTrue(all(job.next_attempt for job in jobs))
        self.assertIn("+33700000001", jobs.filtered("error").error)
        self.assertNotIn("finds no service", jobs.filtered("error").error)
        for attempt in (2, 3):
            self._let_time_pass(jobs)
            self._run()
            self.assertEqual(self._count_posts(path), attempt)
            self.assertEqual(set(jobs.mapped("state")), {"queued"})
        self._let_time_pass(jobs)
        self._run()
        self.assertEqual(self._count_posts(path), 4)
        self.assertEqual(set(jobs.mapped("state")), {"failed"})
        self.assertEqual(set(refused.mapped("failure_type")), {"sms_ovh_sender"})
        # One cause, one message.
        self.assertEqual(self._count_messages() - before, 1)
        for __ in range(2):
            self._run()
            self._run_cron("sms_ovh.ir_cron_resume")
        self.assertEqual(self._count_posts(path), 4)

    def test_a_number_that_comes_back(self):
        self.simulator.order_faults(
            {
                "kind": "answer",
                "status": 404,
                "content": {"message": "The requested object does not exist"},
                "path": "/virtualNumbers/.*/jobs$",
            }
        )
        self.env["ir.config_parameter"].set_param("sms_ovh.threads", 1)
        sms = self._queue_to_virtual(4)
        self._run()
        self.assertEqual(set(sms.mapped("state")), {"process"})
        self._let_time_pass(sms.sms_ovh_job_id)
        self._run()
        self._run()
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        self.assertFalse(self._sender(type="virtual").refused_until)
        self.assertEqual(len(self.simulator.get_ledger()), 4)

    def test_an_api_user_that_is_gone(self):
        """What was to be sent as it is sent by the account, once Odoo knows."""
        user = self.account.api_user_ids.filtered(lambda user: user.login == "compta")
        self.account.default_api_user_id = user
        with self.account._get_client() as client:
            client.delete(f"/sms/{SERVICE_1}/users/compta")
        sms = self._queue(2, "Bonjour")
        self._run()
        self.assertFalse(self.account.pause_reason)
        self.assertTrue(user.refused_until)
        self._run_cron("sms_ovh.ir_cron_synchronise")
        self.assertEqual(self.account.state, "connected")
        self.assertFalse(user.active)
        self._run()
        self.assertEqual(set(sms.mapped("state")), {"pending"})

    def test_words_that_are_not_about_keys(self):
        """Whatever a job is refused with: where the keys read, they are good."""
        for status, content in (
            (403, INVALID),
            (403, NOT_GRANTED),
            (403, {"message": "Forbidden"}),
            (404, {"message": "Not found"}),
            (401, {"message": "Unauthorized"}),
            (400, {"message": "Invalid signature", "errorCode": "INVALID_SIGNATURE"}),
        ):
            with self.subTest(content=content):
                self.simulator.reset()
                self._sender(name="MaBoutique").refused_until = False
                self._answer("/jobs$", status, content)
                sms = self._queue(1, f"Bonjour {status} {content['message']}")
                self._run()
                self.assertFalse(self.account.pause_reason)
                self.assertEqual(sms.sms_ovh_job_id.state, "queued")
                self.assertTrue(sms.sms_ovh_job_id.next_attempt)
                sms.sms_ovh_job_id.state = "cancelled"

    def test_keys(self):
        """A read with the same keys fails, too: nothing is posted until that is cured."""
        self._answer(f"/sms/{SERVICE_1}(/jobs)?$", 403, INVALID)
        self.env["ir.config_parameter"].set_param("sms_ovh.threads", 1)
        sms = self._queue(1, "Un") + self._queue(1, "Deux")
        self._run()
        self.assertEqual(self.account.pause_reason, "keys")
        self.assertEqual(self.simulator.count_jobs(), 1)
        for __ in range(3):
            self._run_cron("sms_ovh.ir_cron_resume")
            self._run()
        self.assertEqual(self.simulator.count_jobs(), 1)
        self.simulator._call("DELETE", "faults")
        self._run_cron("sms_ovh.ir_cron_resume")
        self._run()
        self.assertEqual(set(sms.mapped("state")), {"pending"})

    def test_service(self):
        """Disabled, or gone: said so, and the keys are not blamed."""
        self.simulator.set_service(SERVICE_1, status="disable")
        sms = self._queue(1, "Bonjour")
        self._run()
        self.assertEqual(self.account.pause_reason, "service")
        self.assertIn("disabled", self.account.pause_message)
        with mute_logger(*LOGGERS):
            self._run_cron("sms_ovh.ir_cron_resume")
        self.assertEqual(self.account.pause_reason, "service")
        self.assertEqual(self.account.state, "error")
        self.assertIn("disabled", self.account.state_message)
        self.simulator.set_service(SERVICE_1, status="enable")
        self._run_cron("sms_ovh.ir_cron_resume")
        self.assertEqual(self.account.state, "connected")
        self._run()
        self.assertEqual(sms.state, "pending")

    def test_ovhcloud_cannot_say(self):
        """Refused, and then not there: tried again, nothing is stopped."""
        self._answer("/jobs$", 403, INVALID, times=1)
        self._answer(f"/sms/{SERVICE_1}$", 500, {"message": "failed"}, times=1)
        sms = self._queue(1, "Bonjour")
        self._run()
        self.assertFalse(self.account.pause_reason)
        job = sms.sms_ovh_job_id
        self.assertEqual((job.state, job.attempts), ("queued", 1))
        job.next_attempt = False
        self._run()
        self.assertEqual(sms.state, "pending")

    def test_credits_that_do_not_do(self):
        """Stopped once, and until more is left than what did not do."""
        self.simulator.set_service(SERVICE_1, creditsLeft=10)
        sms = self._queue(30, "Bonjour")
        self._run()
        self.assertEqual(self.account.pause_reason, "credit")
        before = self._count_messages()
        for __ in range(3):
            self._run_cron("sms_ovh.ir_cron_resume")
            self._run()
        self.assertEqual(self.account.pause_reason, "credit")
        self.assertEqual(self.simulator.count_jobs(), 1)
        self.assertEqual(self._count_messages(), before)
        self.simulator.set_service(SERVICE_1, creditsLeft=50)
        self._run_cron("sms_ovh.ir_cron_resume")
        self._run()
        self.assertEqual(set(sms.mapped("state")), {"pending"})

    def test_scope(self):
        """The smallest thing that a refusal can be about, by what the keys then read."""
        post = job_pool.JobPost(1, [], ("url",), f"/sms/{SERVICE_1}/jobs", {}, 0)
        forbidden = ovh_client.OvhNotGranted("no")
        for error, read, scope in (
            (ovh_client.OvhNotFound("no"), {"status": "enable"}, "job"),
            (forbidden, {"status": "enable"}, "job"),
            (forbidden, {"status": "disable"}, "service"),
            (forbidden, {}, "job"),
            (forbidden, ovh_client.OvhNotFound("no"), "service"),
            (forbidden, ovh_client.OvhNotGranted("no"), "service"),
            (
                forbidden,
                ovh_client.OvhNotGranted("no", error_code="NOT_GRANTED_CALL"),
                "keys",
            ),
            (forbidden, ovh_client.OvhConsumerKeyRefused("no"), "keys"),
            (forbidden, ovh_client.OvhServerError("no"), None),
            (forbidden, ovh_client.OvhUnreachable("no"), None),
            (forbidden, ["what"], None),
            (ovh_client.OvhLoginRefused("no"), None, "keys"),
            (ovh_client.OvhOutOfCredit("no"), {"creditsLeft": 2}, "credit"),
            (ovh_client.OvhBadRequest("no"), None, None),
            (ovh_client.OvhThrottled("no"), None, None),
        ):
            answer = job_pool.JobAnswer(post, None, error, read)
            self.assertEqual(answer.scope, scope, (error, read))

    # ------------------------------------------------------------
    # Synchronising
    # ------------------------------------------------------------

    def _synchronise(self):
        with mute_logger(*LOGGERS):
            return self.account._synchronise()

    def test_listed_and_not_there(self):
        """One of a list that answers 404 stays as it was; the others are read."""
        count = len(self.account.sender_ids)
        for refused in (None, "."):
            self.simulator.configure(batch_refused=refused)
            self._answer(f"/{SERVICE_1}/senders/MaBoutique$", 404, {"message": "none"})
            self._answer(f"/{SERVICE_1}/users/compta$", 403, {"message": "none"})
            self._answer(f"/{SERVICE_1}/senders/[^/]*,", 404, {"message": "none"})
            self._answer(f"/{SERVICE_1}/users/[^/]*,", 404, {"message": "none"})
            self.simulator.set_service(SERVICE_1, creditsLeft=77)
            self.assertTrue(self._synchronise())
            self.assertEqual(self.account.state, "connected")
            self.assertEqual(self.account.credits_left, 77)
            self.assertEqual(len(self.account.sender_ids), count)
            self.assertEqual(self.account.default_sender_id.name, "MaBoutique")
            self.assertEqual(len(self.account.api_user_ids), 2)
            self.assertNotIn("finds no service", self.account.state_message or "")
            self.simulator._call("DELETE", "faults")

    def test_content_that_nobody_promised(self):
        self.simulator.order_faults(
            {
                "kind": "change",
                "path": f"/{SERVICE_1}$",
                "method": "GET",
                "times": None,
                "content": {
                    "creditsLeft": "many",
                    "creditsHoldByQuota": None,
                    "automaticRecreditAmount": "auto",
                    "creditThresholdForAutomaticRecredit": "n/a",
                    "unknownProperty": {"of": ["some", "sort"]},
                    "smsResponse": {"responseType": "new", "trackingOptions": ["x"]},
                },
            },
            {
                "kind": "change",
                "path": f"/{SERVICE_1}/senders/",
                "times": None,
                "content": {"status": "new", "type": "new", "unknown": 1},
            },
            {
                "kind": "change",
                "path": f"/{SERVICE_1}/users/",
                "times": None,
                "content": {"quotaInformations": {"quotaLeft": "n/a"}, "unknown": 1},
            },
        )
        left = self.account.credits_left
        self.assertTrue(self._synchronise())
        self.assertEqual(self.account.credits_left, left)
        self.assertEqual(len(self.account.api_user_ids), 2)

    def test_a_part_that_is_refused(self):
        """A list that is refused is said so, and no account is less for it."""
        for part in ("senders", "users"):
            for status in (403, 404, 500):
                self._answer(f"/{SERVICE_1}/{part}$", status, {"message": "none"})
                self.assertTrue(self._synchronise())
                self.assertEqual(self.account.state, "connected")
                self.assertIn("could not be asked", self.account.state_message)
                self.assertTrue(self.account.sender_ids and self.account.api_user_ids)
                self.simulator._call("DELETE", "faults")
        self.assertTrue(self._synchronise())
        self.assertFalse(self.account.state_message)

    def test_words_of_a_read(self):
        """Nothing was asked to be done, so nothing may have been."""
        for kind in ("500", "cut_before", "garbage"):
            self.simulator.order_faults({"kind": kind, "path": f"/{SERVICE_1}$"})
            self.assertFalse(self._synchronise())
            self.assertNotIn("may have been done", self.account.state_message)
            self.assertIn("Try again", self.account.state_message)

    def test_callbacks_of_the_api_user(self):
        """The user as whom the account sends has addresses of its own."""
        user = self.account.api_user_ids.filtered(lambda user: user.login == "compta")
        self.account.default_api_user_id = user
        self._run_cron("sms_ovh.ir_cron_synchronise")
        with self.account._get_client() as client:
            found = client.get(f"/sms/{SERVICE_1}/users/compta")
            other = client.get(f"/sms/{SERVICE_1}/users/marketing")
        self.assertEqual(found["callBack"], self.account._get_callback_url("delivery"))
        self.assertEqual(found["stopCallBack"], self.account._get_callback_url("stop"))
        self.assertFalse(other["callBack"])

    def test_conflicts(self):
        """What another transaction holds is read again, not an hour later."""
        account_model = type(self.account)
        original = account_model._check_credits
        failures = []

        def check_credits(accounts):
            if len(failures) < 2:
                failures.append(True)
                raise sms_ovh_job.transaction.SerializationFailure()
            return original(accounts)

        for xmlid in ("sms_ovh.ir_cron_synchronise", "sms_ovh.ir_cron_resume"):
            failures.clear()
            self.account._pause("credit", "Plus de SMS.")
            self.simulator.set_service(SERVICE_1, creditsLeft=55 + len(xmlid))
            with patch.object(account_model, "_check_credits", check_credits):
                self._run_cron(xmlid)
            self.assertEqual(len(failures), 2)
            self.assertEqual(self.account.credits_left, 55 + len(xmlid))

    def test_delays_grow(self):
        self._answer("/jobs$", 404, {"message": "Not found"})
        sms = self._queue(1, "Bonjour")
        self._run()
        job = sms.sms_ovh_job_id
        delays = []
        for __ in range(4):
            delays.append(job.next_attempt - fields.Datetime.now())
            self._let_time_pass(job)
            self._run()
        self.assertGreater(delays[-1], 2 * delays[0])
        self.assertLess(delays[-1], timedelta(seconds=const.RETRY_MAX))
