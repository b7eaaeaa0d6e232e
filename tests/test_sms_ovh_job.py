from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger, split_every

from .. import const
from ..models import sms_ovh_job
from ..tools import job_pool, ovh_calls, pending_sms
from .common import SERVICE_1, UNREAL_NUMBER, SmsOvhCase, last_night

LOGGERS = (
    "odoo.addons.sms_ovh.models.sms_ovh_job",
    "odoo.addons.sms_ovh.models.sms_ovh_job_reconcile",
    "odoo.addons.sms_ovh.sms_api",
)


@tagged("-at_install", "post_install")
class TestSmsOvhJob(SmsOvhCase):
    def setUp(self):
        super().setUp()
        self.env["sms.sms"].search([]).unlink()
        self.env["ir.config_parameter"].set_param("sms_ovh.check_delay", 0)

    def _queue(self, numbers=("+33611111111",), body="Bonjour"):
        """Queue SMS with what they are tracked by, as the chatter does."""
        partners = self.env["res.partner"].create(
            [{"name": number, "phone": number} for number in numbers]
        )
        for partner in partners:
            partner._message_sms(body, put_in_queue=True)
        return self.env["sms.sms"].search(
            [("mail_message_id", "in", partners.message_ids.ids)], order="id"
        )

    def _statuses(self, sms):
        return sms.mail_message_id.notification_ids.sorted("id").mapped(
            "notification_status"
        )

    def _send_queue(self):
        with mute_logger(*LOGGERS):
            self._run_cron("sms.ir_cron_sms_scheduler_action")

    def _run(self):
        with mute_logger(*LOGGERS):
            self._run_cron("sms_ovh.ir_cron_post_jobs")

    # ------------------------------------------------------------
    # States
    # ------------------------------------------------------------

    def test_transitions(self):
        """A job moves as the table says and not otherwise."""
        Job = self.env["sms.ovh.job"]
        states = [value for value, __ in Job._fields["state"].selection]
        self.assertEqual(set(states), set(sms_ovh_job.TRANSITIONS))
        for old in states:
            for new in states:
                job = Job.create({"account_id": self.account.id, "state": old})
                with self.subTest(old=old, new=new):
                    if new in sms_ovh_job.TRANSITIONS[old]:
                        job.state = new
                        self.assertEqual(job.state, new)
                    else:
                        with self.assertRaises(ValidationError):
                            job.state = new

    def test_tag_is_unique(self):
        jobs = self.env["sms.ovh.job"].create([{"account_id": self.account.id}] * 100)
        self.assertEqual(len(set(jobs.mapped("tag"))), 100)
        self.assertLessEqual(max(map(len, jobs.mapped("tag"))), const.MAX_TAG_LENGTH)

    # ------------------------------------------------------------
    # After the commit
    # ------------------------------------------------------------

    def test_nothing_leaves_before_the_commit(self):
        sms = self._queue()
        sms.send()
        self.assertEqual(sms.state, "process")
        self.assertEqual(self._statuses(sms), ["process"])
        self.assertEqual(self.simulator.count_jobs(), 0)
        self._commit()
        self.assertEqual(self.simulator.count_jobs(), 1)
        self.assertEqual(sms.state, "pending")
        self.assertEqual(self._statuses(sms), ["pending"])

    def test_nothing_leaves_after_a_rollback(self):
        sms = self._queue()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            sms.send()
            raise ZeroDivisionError()
        self._commit()
        self.assertEqual(self.simulator.count_jobs(), 0)
        self.assertEqual(sms.state, "outgoing")

    def test_many_jobs_are_left_to_the_cron(self):
        sms = self.env["sms.sms"]
        for index in range(const.JOBS_AFTER_COMMIT + 1):
            sms += self._create_sms(self._numbers(1, index), body=f"Texte {index}")
        # In several calls, as chatter and reminders send: all of one transaction count.
        for record in sms:
            record.send()
        self._commit()
        self.assertEqual(self.simulator.count_jobs(), const.JOBS_AFTER_COMMIT)
        self._run()
        self.assertEqual(len(self.simulator.get_ledger()), len(sms))

    def test_one_dispatch_for_a_transaction(self):
        """However many sends it has, its commit waits for one round of posting."""
        dispatch = sms_ovh_job.SmsOvhJob._dispatch
        calls = []

        def counting(jobs, *args, **kwargs):
            calls.append(len(jobs))
            return dispatch(jobs, *args, **kwargs)

        with patch.object(sms_ovh_job.SmsOvhJob, "_dispatch", counting):
            for index in range(3):
                self._create_sms(self._numbers(1, index), f"Texte {index}").send()
            self._commit()
        self.assertEqual(calls, [3])
        self.assertEqual(len(self.simulator.get_ledger()), 3)

    def test_refused_without_a_call(self):
        sms = self._create_sms(["+33611111111", "nobody", False])
        sms.send()
        self.assertEqual(sms.mapped("state"), ["process", "error", "error"])
        self.assertEqual(
            sms.mapped("failure_type"),
            [False, "sms_number_format", "sms_number_missing"],
        )
        self.assertEqual(sms[0].sms_ovh_job_id.receiver_count, 1)

    # ------------------------------------------------------------
    # Answers
    # ------------------------------------------------------------

    def test_accepted(self):
        sms = self._queue(self._numbers(3))
        self._send_queue()
        job = sms.sms_ovh_job_id
        self.assertEqual(job.state, "accepted")
        self.assertEqual(job.credits, 3)
        self.assertEqual(job.attempts, 1)
        self.assertEqual(
            {entry["tag"] for entry in self.simulator.get_ledger()}, {job.tag}
        )

    def test_refused_for_good(self):
        self.account.default_sender_id = self._sender(type="shortcode")
        sms = self._queue(body=UNREAL_NUMBER)
        self._send_queue()
        job = sms.sms_ovh_job_id
        self.assertEqual(job.state, "refused")
        self.assertIn("contact information", job.error)
        self.assertEqual((sms.state, sms.failure_type), ("error", "unknown"))
        self.assertEqual(self._statuses(sms), ["exception"])
        self._run()
        self.assertEqual(self.simulator.count_jobs(), 1)

    def test_later(self):
        """What was surely not done is tried again by itself, later and later."""
        self.simulator.order_faults({"kind": "429", "path": "/jobs$", "times": 2})
        sms = self._queue()
        self._send_queue()
        job = sms.sms_ovh_job_id
        delays = []
        for attempts in (1, 2):
            self.assertEqual((job.state, job.attempts), ("queued", attempts))
            self.assertEqual(self._statuses(sms), ["process"])
            delays.append((job.next_attempt - fields.Datetime.now()).total_seconds())
            self._run()  # too early
            self.assertEqual(job.attempts, attempts)
            job.next_attempt = False
            self._run()
        for delay, factor in zip(delays, (1, 2), strict=True):
            self.assertGreater(delay, const.RETRY_BASE * factor * 0.5 - 3)
            self.assertLess(delay, const.RETRY_BASE * factor * 1.5 + 1)
        self.assertEqual((job.state, job.attempts), ("accepted", 3))
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_retry_after_is_honoured(self):
        self.simulator.order_faults(
            {"kind": "429", "path": "/jobs$", "retry_after": 500}
        )
        sms = self._queue()
        self._send_queue()
        delay = sms.sms_ovh_job_id.next_attempt - fields.Datetime.now()
        self.assertGreater(delay, timedelta(seconds=490))

    def test_given_up(self):
        self.env["ir.config_parameter"].set_param("sms_ovh.max_attempts", 2)
        self.simulator.order_faults({"kind": "429", "path": "/jobs$", "times": None})
        sms = self._queue()
        self._send_queue()
        job = sms.sms_ovh_job_id
        job.next_attempt = False
        self._run()
        self.assertEqual((job.state, job.attempts), ("failed", 2))
        self.assertEqual((sms.state, sms.failure_type), ("error", "sms_server"))
        self.assertEqual(self._statuses(sms), ["exception"])
        self.assertEqual(self.simulator.count_jobs(), 2)

    # ------------------------------------------------------------
    # Accounts that can't send
    # ------------------------------------------------------------

    def _assert_paused(self, sms, reason, posts):
        """Sending stopped at once, and who is responsible was told once."""
        self.assertEqual(self.account.pause_reason, reason)
        self.assertTrue(self.account.pause_message)
        self.assertEqual(set(sms.mapped("state")), {"process"})
        self.assertEqual(set(sms.sms_ovh_job_id.mapped("state")), {"queued"})
        self.assertEqual(len(self.account.activity_ids), 1)
        self.assertEqual(self.account.activity_ids.user_id, self.account.user_id)
        self._run()
        self.assertEqual(self.simulator.count_jobs(), posts)

    def _queue_texts(self, count=5):
        """Queue SMS of different texts: a job each."""
        sms = self.env["sms.sms"]
        for index in range(count):
            sms += self._queue(self._numbers(1, index), body=f"Texte {index}")
        return sms

    def test_out_of_credit(self):
        self.env["ir.config_parameter"].set_param("sms_ovh.threads", 1)
        self.simulator.set_service(SERVICE_1, creditsLeft=0)
        sms = self._queue_texts()
        self._send_queue()
        self._assert_paused(sms, "credit", posts=1)
        self._run_cron("sms_ovh.ir_cron_resume")
        self.assertEqual(self.account.pause_reason, "credit")
        self.simulator.set_service(SERVICE_1, creditsLeft=100)
        self._run_cron("sms_ovh.ir_cron_resume")
        self.assertFalse(self.account.pause_reason)
        self.assertFalse(self.account.activity_ids)
        self._run()
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        self.assertEqual(len(self.simulator.get_ledger()), 5)

    def test_out_of_credit_with_automatic_recharge(self):
        """OVHcloud orders a pack by itself: wait for it."""
        with self.account._get_client() as client:
            client.put(
                f"/sms/{SERVICE_1}",
                {
                    "automaticRecreditAmount": "100",
                    "creditThresholdForAutomaticRecredit": 0,
                },
            )
        self.account.action_synchronise()
        self.assertTrue(self.account.auto_recharge)
        self.simulator.order_faults({"kind": "429", "path": "/jobs$"})
        sms = self._queue()
        # The simulator recharges at once; between two packs OVHcloud refuses.
        with patch.object(
            sms_ovh_job.SmsApiOvh,
            "_get_error_state",
            lambda api, error: "insufficient_credit",
        ):
            self._send_queue()
        self.assertFalse(self.account.pause_reason)
        self.assertEqual(sms.sms_ovh_job_id.state, "queued")
        self.assertTrue(sms.sms_ovh_job_id.next_attempt)

    def test_refused_keys(self):
        self.env["ir.config_parameter"].set_param("sms_ovh.threads", 1)
        sms = self._queue_texts()
        self.account.consumer_key = "demoexpired00000000000000000expi"
        self._send_queue()
        self._assert_paused(sms, "keys", posts=1)
        self.account.consumer_key = "democonsumer1democonsumer1democo"
        self.account.action_test_connection()
        self.assertFalse(self.account.pause_reason)
        self._run()
        self.assertEqual(len(self.simulator.get_ledger()), 5)

    def test_button_resumes(self):
        self.account._pause("credit", "Plus de SMS.")
        sms = self._queue()
        self._send_queue()
        self.assertEqual(self.simulator.count_jobs(), 0)
        self.account.action_resume()
        self.assertFalse(self.account.activity_ids)
        self._run()
        self.assertEqual(sms.state, "pending")

    def test_one_account_does_not_stop_another(self):
        other = self.env["res.company"].create({"name": "Autre"})
        account = self._create_account(
            other,
            "sms-cd67890-1",
            {
                "application_key": "demoapplication2",
                "application_secret": "demosecret2demosecret2demosecret2",
                "consumer_key": "democonsumer2democonsumer2democo",
            },
        )
        account._pause("credit", "Plus de SMS.")
        waiting = self._create_sms(["+33611111111"], record_company_id=other.id)
        sent = self._create_sms(["+33622222222"])
        self._send_queue()
        self.assertEqual((waiting.state, sent.state), ("process", "pending"))

    # ------------------------------------------------------------
    # Not known
    # ------------------------------------------------------------

    def test_accepted_but_not_answered(self):
        """OVHcloud took the job, its answer was lost: adopted, not sent again."""
        for kind in ("cut_after", "502_html", "500", "garbage", "empty"):
            with self.subTest(kind=kind):
                self.simulator.reset()
                self.simulator.order_faults(
                    {"kind": kind, "path": "/jobs$", "accept": True}
                )
                sms = self._queue(self._numbers(3))
                self._send_queue()
                job = sms.sms_ovh_job_id
                self.assertEqual(job.state, "unknown")
                self.assertEqual(set(sms.mapped("state")), {"process"})
                self._run()
                self.assertEqual(job.state, "accepted")
                ledger = {
                    entry["receiver"]: entry for entry in self.simulator.get_ledger()
                }
                self.assertEqual(len(ledger), 3)
                self.assertEqual(job.credits, 3)
                for record in sms:
                    self.assertEqual(record.state, "pending")
                    self.assertEqual(
                        record.sms_ovh_id, str(ledger[record.number]["id"])
                    )
                self.assertEqual(self.simulator.count_jobs(), 1)

    def test_neither_accepted_nor_answered(self):
        """OVHcloud never heard of the job: sent again, once, with the same tag."""
        for kind in ("cut_before", "502_html", "garbage"):
            with self.subTest(kind=kind):
                self.simulator.reset()
                self.simulator.order_faults({"kind": kind, "path": "/jobs$"})
                sms = self._queue(self._numbers(3))
                self._send_queue()
                job = sms.sms_ovh_job_id
                tag = job.tag
                self._run()
                self.assertEqual((job.state, job.unknown_checks), ("unknown", 1))
                self.assertFalse(self.simulator.get_ledger())
                self._run()
                self.assertEqual(job.state, "queued")
                job.next_attempt = False
                self._run()
                self.assertEqual(job.state, "accepted")
                ledger = self.simulator.get_ledger()
                self.assertEqual(len(ledger), 3)
                self.assertEqual({entry["tag"] for entry in ledger}, {tag})

    def test_deferred_and_not_answered(self):
        """A job that OVHcloud holds back until morning is found among its pending."""
        self.simulator.set_clock(last_night())
        self.simulator.order_faults(
            {"kind": "502_html", "path": "/jobs$", "accept": True}
        )
        mailing = self._create_mailing(self._numbers(2))
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._send_queue()
        job = self.env["sms.ovh.job"].search([("account_id", "=", self.account.id)])
        self.assertEqual(job.state, "unknown")
        self._run()
        self.assertEqual(job.state, "accepted")
        self.assertEqual(
            set(mailing.mailing_trace_ids.mapped("trace_status")), {"pending"}
        )
        self.assertEqual(self.simulator.count_jobs(), 1)

    def _send_elsewhere(self, numbers, body="Bonjour"):
        """Have OVHcloud take SMS that this Odoo knows nothing of."""
        with self.account._get_client() as client:
            for some in split_every(500, numbers):
                client.post(
                    f"/sms/{SERVICE_1}/jobs",
                    {
                        "message": body,
                        "receivers": list(some),
                        "sender": self.account.default_sender_id.name,
                        "noStopClause": False,
                        "tag": "elsewhere",
                    },
                )

    def _queue_marketing(self, numbers, body="Bonjour"):
        """Queue SMS that OVHcloud holds back at night."""
        return self._create_sms(numbers, body, sms_ovh_kind="marketing")

    def _count_pending_calls(self):
        """Return how often the list of pending SMS was read, and one of them."""
        counts = self.simulator.get_state()["requests"]
        path = "GET /sms/{serviceName}/jobs"
        return counts.get(path, 0), counts.get(f"{path}/{{id}}", 0)

    def test_pending_of_other_jobs_are_not_asked_for(self):
        """Two jobs without an answer, among many held back: one list, their SMS only."""
        self.simulator.set_clock(last_night())
        self._queue_marketing(self._numbers(600))
        self._send_queue()
        self._run()  # checks whose ids are whose
        lists, reads = self._count_pending_calls()
        self.simulator.order_faults(
            {"kind": "502_html", "path": "/jobs$", "accept": True, "times": 2}
        )
        sms = self._queue_marketing(self._numbers(3, 1000), "Un")
        sms += self._queue_marketing(self._numbers(4, 2000), "Deux")
        self._send_queue()
        jobs = sms.sms_ovh_job_id
        self.assertEqual(jobs.mapped("state"), ["unknown", "unknown"])
        self._run()
        self.assertEqual(jobs.mapped("state"), ["accepted", "accepted"])
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        ledger = {
            entry["receiver"]: str(entry["id"]) for entry in self.simulator.get_ledger()
        }
        for record in sms:
            self.assertEqual(record.sms_ovh_id, ledger[record.number])
        self.assertEqual(self._count_pending_calls(), (lists + 1, reads + 1))
        self.assertEqual(len(ledger), 607)

    def test_pending_of_another_time(self):
        """The same text to the same number, sent hours ago from elsewhere, is another
        SMS; and what is older than the job is not read to its end."""
        self.simulator.set_clock(last_night())
        numbers = self._numbers(1000)
        self._send_elsewhere(numbers)
        self.simulator._call("POST", "clock", {"advance_s": 2 * 3600})
        self.simulator.order_faults({"kind": "cut_before", "path": "/jobs$"})
        sms = self._queue_marketing(numbers[:2])
        self._send_queue()
        job = sms.sms_ovh_job_id
        self.assertEqual(job.state, "unknown")
        self._run()
        self.assertEqual((job.state, job.unknown_checks), ("unknown", 1))
        # A slice, and of that fifty in a call.
        calls = pending_sms.SLICE // ovh_calls.BATCH_SIZE
        self.assertEqual(self._count_pending_calls(), (1, calls))
        self._run()
        self.assertEqual(job.state, "queued")
        job.next_attempt = False
        self._run()
        self.assertEqual(job.state, "accepted")
        self.assertEqual(len(self.simulator.get_ledger()), 1002)

    def test_pending_that_are_too_many(self):
        """More than can be asked for: nobody says that the job is not there."""
        self.simulator.set_clock(last_night())
        self.simulator.order_faults(
            {"kind": "502_html", "path": "/jobs$", "accept": True}
        )
        sms = self._queue_marketing(self._numbers(2))
        self._send_queue()
        job = sms.sms_ovh_job_id
        self._send_elsewhere(self._numbers(50, 1000), "Autre")
        with patch.multiple(pending_sms, SLICE=10, LIMIT=30):
            for __ in range(3):
                self._run()
                self.assertEqual((job.state, job.unknown_checks), ("unknown", 0))
        self.assertEqual(self._count_pending_calls(), (3, 9))
        self._run()
        self.assertEqual(job.state, "accepted")
        self.assertEqual(len(self.simulator.get_ledger(message="Bonjour")), 2)

    def test_asked_before_it_is_due(self):
        """The button does not count as one of the two times that come with time
        between."""
        self.env["ir.config_parameter"].set_param("sms_ovh.check_delay", 60)
        self.simulator.order_faults({"kind": "cut_before", "path": "/jobs$"})
        sms = self._queue()
        self._send_queue()
        job = sms.sms_ovh_job_id
        for __ in range(3):
            job.action_reconcile()
        self.assertEqual((job.state, job.unknown_checks), ("unknown", 0))

    def test_invalid_receiver_and_not_answered(self):
        """Receiver by receiver: who is not among what OVHcloud took is not confirmed."""
        self.simulator.order_faults(
            {"kind": "502_html", "path": "/jobs$", "accept": True}
        )
        sms = self._queue(["+33611111111", "+33612340102"])
        self._send_queue()
        self._run()
        self.assertEqual(sms.sms_ovh_job_id.unknown_checks, 1)
        self._run()
        self.assertEqual(sms.mapped("state"), ["pending", "error"])
        self.assertEqual(sms[1].failure_type, "sms_ovh_unconfirmed")

    def test_invalid_receiver_is_a_landline(self):
        """Nothing is wrong with its digits."""
        sms = self._queue(["+33142685300", "+33612340102"])
        self._send_queue()
        self.assertEqual(
            sms.mapped("failure_type"), ["sms_ovh_landline", "sms_number_format"]
        )

    def test_ovhcloud_cannot_be_asked(self):
        self.simulator.order_faults(
            {"kind": "502_html", "path": "/jobs$"},
            {"kind": "500", "path": "/outgoing"},
        )
        sms = self._queue()
        self._send_queue()
        job = sms.sms_ovh_job_id
        self._run()
        self.assertEqual((job.state, job.unknown_checks), ("unknown", 0))

    def test_left_while_being_sent(self):
        """The process that took the job is gone: it is asked for after a while."""
        sms = self._queue(self._numbers(2))
        jobs = sms._sms_ovh_claim()
        posts = self.env["sms.ovh.job"]._take(5, jobs)
        self.assertEqual(len(posts), 1)
        self._run()
        self.assertEqual(jobs.state, "posting")
        jobs.posted_at -= timedelta(seconds=sms_ovh_job.ABANDONED_AFTER + 1)
        self._run()
        self._run()
        self.assertEqual(jobs.state, "queued")
        jobs.next_attempt = False
        self._run()
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        self.assertEqual(len(self.simulator.get_ledger()), 2)

    def test_taken_too_long_ago(self):
        """A thread that comes too late does not post: others may have asked by then."""
        sms = self._queue()
        jobs = sms._sms_ovh_claim()
        with patch.object(job_pool, "POST_WITHIN", -1), mute_logger(*LOGGERS):
            (post,) = self.env["sms.ovh.job"]._take(1, jobs)
        with job_pool.JobPool(1) as pool:
            pool.submit(post)
            (answer,) = pool.wait()
        self.assertFalse(answer.error.may_be_done)
        self.assertEqual(self.simulator.count_jobs(), 0)
        self.assertGreater(
            sms_ovh_job.ABANDONED_AFTER,
            job_pool.POST_WITHIN + const.CONNECT_TIMEOUT + const.READ_TIMEOUT,
        )

    def test_taken_once(self):
        sms = self._queue()
        jobs = sms._sms_ovh_claim()
        Job = self.env["sms.ovh.job"]
        self.assertEqual(len(Job._take(5, jobs)), 1)
        self.assertEqual(len(Job._take(5, jobs)), 0)

    # ------------------------------------------------------------
    # The pool
    # ------------------------------------------------------------

    def test_pool_adapts(self):
        pool = job_pool.JobPool(16)
        self.addCleanup(pool.__exit__)
        throttled = job_pool.JobAnswer(None, None, job_pool.OvhThrottled("slow"))
        fine = job_pool.JobAnswer(None, {}, None)
        for limit in (8, 4, 2, 1, 1):
            pool._adapt(throttled)
            self.assertEqual(pool.limit, limit)
        for __ in range(job_pool.ANSWERS_TO_GROW):
            pool._adapt(fine)
        self.assertEqual(pool.limit, 2)
        for __ in range(100 * job_pool.ANSWERS_TO_GROW):
            pool._adapt(fine)
        self.assertEqual(pool.limit, 16)

    def test_threads_work_at_the_same_time(self):
        self.simulator.configure(latency_ms=200)
        sms = self.env["sms.sms"]
        for index in range(8):
            sms += self._create_sms(self._numbers(1, index), body=f"Texte {index}")
        self._send_queue()
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        entries = self.simulator.get_ledger()
        created = sorted(
            fields.Datetime.to_datetime(entry["created"][:19].replace("T", " "))
            for entry in entries
        )
        self.assertLess(created[-1] - created[0], timedelta(seconds=8 * 0.2))

    def _patch_queue_job(self):
        """Have OCA's `queue_job` installed, as far as anybody asks."""
        job_model = type(self.env["sms.ovh.job"])
        self.patch(job_model, "_has_queue_job", lambda jobs: True)
        return job_model

    def test_queue_job_takes_over(self):
        """Where somebody else posts the jobs, the crons leave them alone."""
        self.patch(self._patch_queue_job(), "_delay", lambda jobs: True)
        sms = self._queue()
        self._send_queue()
        self._run()
        self.assertEqual(self.simulator.count_jobs(), 0)
        with self.enter_registry_test_mode():
            sms.sms_ovh_job_id._queue_job_post()
        self.assertEqual(sms.state, "pending")

    def test_queue_job_does_not_run(self):
        """What somebody else was to post, and did not, leaves by the cron in time."""
        self.patch(self._patch_queue_job(), "_delay", lambda jobs: True)
        sms = self._queue()
        self._send_queue()
        minutes = sms_ovh_job.QUEUE_JOB_MINUTES + 1
        self.env.cr.execute(
            "UPDATE sms_ovh_job SET create_date = create_date - %s * interval '1 minute'",
            [minutes],
        )
        self.env.invalidate_all()
        self._run()
        self.assertEqual(sms.state, "pending")

    def test_queue_job_leaves_retries(self):
        """What could not be posted at once is tried again by the cron."""
        self.patch(self._patch_queue_job(), "_delay", lambda jobs: True)
        self.simulator.order_faults({"kind": "429", "path": "/jobs$", "times": 1})
        sms = self._queue()
        self._send_queue()
        job = sms.sms_ovh_job_id
        with self.enter_registry_test_mode(), mute_logger(*LOGGERS):
            job._queue_job_post()
        self.assertEqual((job.state, job.attempts), ("queued", 1))
        job.next_attempt = fields.Datetime.now() - timedelta(seconds=1)
        self._run()
        self.assertEqual((job.state, job.attempts), ("accepted", 2))

    def test_queue_job(self):
        """Each job becomes a job of OCA's `queue_job`, on our channel."""
        if "queue.job" not in self.env:
            self.skipTest("OCA's queue_job is not installed")
        self._patch_queue_job()
        jobs = self._create_sms(self._numbers(1))._sms_ovh_claim()
        self.assertTrue(jobs._delay())
        queue_job = self.env["queue.job"].search([("model_name", "=", jobs._name)])
        self.assertEqual(queue_job.channel, "root.sms_ovh")
        self.assertEqual(queue_job.method_name, "_queue_job_post")
        self.assertEqual(queue_job.records.ids, jobs.ids)

    def test_time_is_up(self):
        """A run ends before Odoo ends its worker; the next goes on where it was."""
        sms = self._queue_texts(3)
        with patch.object(const, "CRON_SECONDS", -1):
            self._send_queue()
        self.assertEqual(self.simulator.count_jobs(), 0)
        triggered = self.env["ir.cron.trigger"].search([]).cron_id
        for xmlid in ("sms_ovh.ir_cron_post_jobs", "sms.ir_cron_sms_scheduler_action"):
            self.assertIn(self.env.ref(xmlid), triggered)
        # What these triggers run.
        self._send_queue()
        self._run()
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        self.assertEqual(len(self.simulator.get_ledger()), 3)

    # ------------------------------------------------------------
    # Conflicts
    # ------------------------------------------------------------

    def test_another_worker_takes_what_is_fed(self):
        """What waits behind it is made ready and sent all the same."""
        sms = self._queue(self._numbers(2))
        pieces = []

        def feed():
            for piece in range(3):
                pieces.append(piece)
                # Jobs that are not there any more when this one looks for them.
                yield 1000
            sms.with_env(job_model.env)._sms_ovh_claim()
            yield 1

        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            job_model = self.env(cr=cr)["sms.ovh.job"]
            self.assertEqual(job_model._dispatch(feed=feed()), 1)
        self.assertEqual(pieces, [0, 1, 2])
        self.assertEqual(len(self.simulator.get_ledger()), 2)

    def test_conflict_loses_no_answer(self):
        """Another transaction in the way: the answer is written down all the same."""
        sms = self._queue()
        original = type(self.env["sms.ovh.job"])._settle
        failures = []

        def settle(jobs, answer):
            original(jobs, answer)
            if len(failures) < 2:
                failures.append(answer)
                raise SerializationFailure()

        with patch.object(type(self.env["sms.ovh.job"]), "_settle", settle):
            self._send_queue()
        self.assertEqual(len(failures), 2)
        self.assertEqual(sms.state, "pending")
        self.assertEqual(self.simulator.count_jobs(), 1)

    # ------------------------------------------------------------
    # Clean-up
    # ------------------------------------------------------------

    def test_ended_jobs_are_deleted_in_time(self):
        sms = self._queue()
        self._send_queue()
        job = sms.sms_ovh_job_id

        def age(days):
            self.env.cr.execute(
                "UPDATE sms_ovh_job SET create_date = create_date - %s * interval '1 day'",
                [days],
            )
            job.invalidate_recordset()

        self.env["sms.ovh.job"]._gc_jobs()
        self.assertTrue(job.exists())
        age(const.KEEP_JOBS_DAYS + 1)
        self.env["sms.ovh.job"]._gc_jobs()
        self.assertTrue(job.exists(), "its SMS is not final")
        sms.state = "sent"
        self.env["sms.ovh.job"]._gc_jobs()
        self.assertFalse(job.exists())

    def test_budget_of_queries_of_a_campaign(self):
        """Nor do those of a campaign, which has trackers and traces besides."""
        counts = []
        for index, count in enumerate((1, 10, 500)):
            mailing = self._create_mailing(self._numbers(count, 1000 * index))
            mailing.action_send_sms()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self._send_queue()
            counts.append(self.cr.sql_log_count - before)
            self.assertEqual(
                mailing.mailing_trace_ids.mapped("trace_status"), ["pending"] * count
            )
        self.assertLessEqual(max(counts), 120, counts)
        self.assertLessEqual(max(counts[1:]) - counts[0], 10, counts)

    def test_budget_of_queries(self):
        """The queries per SMS do not grow with their number."""
        counts = []
        for count in (1, 10, 500):
            sms = self._create_sms(self._numbers(count), body=f"Pour {count}")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            jobs = sms._sms_ovh_claim()
            self.env.flush_all()
            claimed = self.cr.sql_log_count - before
            self.env.invalidate_all()
            with self.enter_registry_test_mode(), self.registry.cursor() as cr:
                before = self.cr.sql_log_count
                jobs.with_env(self.env(cr=cr))._dispatch(jobs)
                counts.append((claimed, self.cr.sql_log_count - before))
        self.assertLessEqual(max(claimed for claimed, __ in counts), 20)
        self.assertLessEqual(max(posted for __, posted in counts), 45)
        self.assertLessEqual(counts[2][0] - counts[0][0], 3)
        self.assertLessEqual(counts[2][1] - counts[0][1], 8)
