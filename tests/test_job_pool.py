import contextlib
from concurrent import futures
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models import sms_ovh_job, sms_ovh_job_reconcile
from ..tools import job_pool, ovh_client, transaction
from .common import SmsOvhCase

LOGGERS = (
    "odoo.addons.sms_ovh.models.sms_ovh_job",
    "odoo.addons.sms_ovh.models.sms_ovh_job_reconcile",
    "odoo.addons.sms_ovh.sms_api",
)


@tagged("-at_install", "post_install")
class TestJobPool(SmsOvhCase):
    """What the crash test found: see `dev/crash_test`."""

    def _claim(self, numbers, body="Bonjour"):
        return self._create_sms(numbers, body)._sms_ovh_claim()

    def _dispatch(self, jobs):
        """Post these jobs in a cursor of its own, as it commits."""
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.env.registry.cursor() as cr:
            jobs = jobs.with_env(self.env(cr=cr))
            jobs._dispatch(jobs)
        self.env.invalidate_all()

    def test_adopting_many_is_quick(self):
        """The receivers of a job are asked for side by side.

        One by one, a worker that lives shorter than 500 calls take would never learn
        what became of a job of 500.
        """
        jobs = self._claim(self._numbers(48))
        self.simulator.order_faults(
            {"kind": "cut_after", "path": "/jobs$", "method": "POST"}
        )
        with mute_logger(*LOGGERS):
            self._dispatch(jobs)
        self.assertEqual(jobs.state, "unknown")
        under_way, most = [], []
        original = ovh_client.OvhSmsClient.get

        def get(client, path, **params):
            under_way.append(path)
            most.append(len(under_way))
            try:
                return original(client, path, **params)
            finally:
                under_way.remove(path)

        self.simulator.configure(latency_ms=50, batch_refused=".")
        with patch.object(ovh_client.OvhSmsClient, "get", get):
            jobs._reconcile()
        self.assertEqual(jobs.state, "accepted")
        self.assertEqual(set(jobs.sms_ids.mapped("state")), {"pending"})
        self.assertGreater(max(most), 4)

    def test_waiting_is_no_attempt(self):
        """What waited for a thread too long was not tried: nothing failed."""
        jobs = self._claim(self._numbers(1))
        Job = self.env["sms.ovh.job"]
        with patch.object(job_pool, "POST_WITHIN", -1), mute_logger(*LOGGERS):
            posts = Job._take(1, jobs)
            with job_pool.JobPool(1) as pool:
                pool.submit(posts[0])
                Job._settle(pool.wait())
        self.assertEqual((jobs.state, jobs.attempts), ("queued", 0))
        self.assertFalse(jobs.next_attempt)
        self._dispatch(jobs)
        self.assertEqual((jobs.state, jobs.attempts), ("accepted", 1))

    def test_refused_before_it_is_known(self):
        """A job taken before another's refusal was written down is held back, too."""
        self.simulator.order_faults(
            {
                "kind": "answer",
                "path": "/jobs$",
                "status": 403,
                "content": {"message": "This sender is refused"},
            }
        )
        first = self._claim(self._numbers(1))
        second = self._claim(self._numbers(1, 1), "Bis")
        third = self._claim(self._numbers(1, 2), "Ter")
        Job = self.env["sms.ovh.job"]
        posts = {jobs: Job._take(1, jobs)[0] for jobs in (first, second, third)}
        with job_pool.JobPool(1) as pool:
            pool.submit(posts[first])
            futures.wait(pool._futures)
            pool.submit(posts[second])
            futures.wait(pool._futures)
            errors = {
                answer.post.job_id: type(answer.error).__name__
                for answer in pool.wait()
            }
            self.assertEqual(
                errors, {first.id: "OvhNotGranted", second.id: "JobHeldBack"}
            )
            # Who hands over this one knows.
            pool.submit(posts[third])
            (answer,) = pool.wait()
        self.assertIsNone(answer.error)

    def test_answers_outlive_conflicts(self):
        """Workers that meet over what to take next do not undo what was answered."""
        jobs = self._claim(self._numbers(1)) + self._claim(self._numbers(1, 1), "Bis")
        take = sms_ovh_job.SmsOvhJob._take
        answered = []

        def conflicting_take(model, room, only=None):
            if model.browse(jobs.ids).filtered(lambda job: job.state == "accepted"):
                answered.append(True)
                raise SerializationFailure
            return take(model, 1, only)

        with (
            patch.object(sms_ovh_job.SmsOvhJob, "_take", conflicting_take),
            patch.object(transaction, "TRIES", 2),
            mute_logger(*LOGGERS),
        ):
            # Not `assertRaises`, which would roll back what was committed.
            with contextlib.suppress(SerializationFailure):
                self._dispatch(jobs)
        self.env.invalidate_all()
        self.assertEqual(len(answered), 2)
        self.assertEqual(jobs.mapped("state").count("accepted"), 1)

    def test_inquiries_come_last(self):
        """What is known to be unsent does not wait for inquiries."""
        order = []
        with (
            patch.object(
                sms_ovh_job.SmsOvhJob,
                "_dispatch",
                lambda job, *args, **kwargs: order.append("dispatch"),
            ),
            patch.object(
                sms_ovh_job_reconcile.SmsOvhJob,
                "_reconcile_due",
                lambda job, *args, **kwargs: order.append("reconcile"),
            ),
        ):
            self._run_cron("sms_ovh.ir_cron_post_jobs")
        self.assertEqual(order, ["dispatch", "reconcile"])
