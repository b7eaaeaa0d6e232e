"""Threads that post jobs to OVHcloud, and nothing else: no ORM in here.

Whoever uses the pool hands it everything a call needs as plain values, and does with
the answers what has to be done, in its own thread and transaction.
"""

import random
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import NamedTuple

from .http2sms import create_client
from .ovh_client import (
    OvhCredentialRefused,
    OvhError,
    OvhNotGranted,
    OvhOutOfCredit,
    OvhThrottled,
    OvhUnreachable,
)

# Seconds after which a job that was taken is not posted any more. Whoever finds it
# later takes it for one whose outcome is not known, so it must not leave then.
POST_WITHIN = 30
# Jobs that wait for each that is under way.
WAITING = 2
# Seconds that answers wait for others, while there are more jobs than threads.
GATHER = 0.05
# Answers without a 429 after which one more call at a time is tried.
ANSWERS_TO_GROW = 20


# What one job is refused for, every other of the account would be, too.
REFUSED_FOR_ALL = (OvhCredentialRefused, OvhNotGranted, OvhOutOfCredit)


class JobExpired(OvhUnreachable):
    """The job waited here for too long: it was not posted, and nothing failed."""


class JobHeldBack(JobExpired):
    """Another job of the account was just refused: it was not posted."""


class JobPost(NamedTuple):
    """One job to post, and with what."""

    job_id: int
    receivers: list  # whom the content is for, as whoever hands it over knows them
    client_args: tuple  # of `http2sms.create_client`
    path: str
    content: dict
    outgoing_path: str  # to which the id of an SMS is added to ask for it
    samples: int  # SMS of the answer to ask for, to check whom an id belongs to
    deadline: float  # time.monotonic() after which not to post


class JobAnswer(NamedTuple):
    """What became of a :class:`JobPost`."""

    post: JobPost
    report: object  # the decoded answer
    error: OvhError | None  # what was raised instead
    samples: dict  # receiver by id, as OVHcloud says


class JobPool:
    """At most `size` jobs under way at once, fewer where OVHcloud asks for it.

    Some more may wait in it, so that no thread is idle while the answer that it brought
    is written down.

    :param int size: calls at a time
    """

    def __init__(self, size):
        self.size = size
        self.limit = size
        self._answers_since = 0
        self._futures = set()
        self._clients = []
        self._calls = 0
        self._refused = set()
        self._turn = threading.Condition()
        self._local = threading.local()
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="sms_ovh")

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self._executor.shutdown(wait=True, cancel_futures=True)
        for client in self._clients:
            client.close()

    @property
    def room(self):
        """How many more jobs may be handed over now."""
        return max(0, (1 + WAITING) * self.limit - len(self._futures))

    @property
    def busy(self):
        """Whether any job is under way."""
        return bool(self._futures)

    def submit(self, post):
        """Post a job in a thread of its own, as soon as one is free.

        Whoever hands it over knows what came of those before.
        """
        with self._turn:
            self._refused.discard(post.client_args)
        self._futures.add(self._executor.submit(self._run, post))

    def wait(self, timeout=None):
        """Wait for the next answers, at least one unless `timeout` passes.

        :param float|None timeout: seconds
        :rtype: list[JobAnswer]
        """
        if timeout is None and len(self._futures) > 1:
            # Those that come together are written down together.
            wait(self._futures, return_when=FIRST_COMPLETED)
            enough = min(self.limit, len(self._futures))
            with self._turn:
                self._turn.wait_for(
                    lambda: sum(future.done() for future in self._futures) >= enough,
                    timeout=GATHER,
                )
        done, self._futures = wait(
            self._futures, timeout=timeout, return_when=FIRST_COMPLETED
        )
        return [future.result() for future in done]

    def _adapt(self, answer):
        """Halve the calls at a time on each 429; grow again, one by one, without."""
        if isinstance(answer.error, OvhThrottled):
            self.limit = max(1, self.limit // 2)
            self._answers_since = 0
            return
        self._answers_since += 1
        if self._answers_since >= ANSWERS_TO_GROW and self.limit < self.size:
            self.limit += 1
            self._answers_since = 0

    def _get_client(self, client_args):
        """Return this thread's client for these credentials."""
        clients = self._local.__dict__.setdefault("clients", {})
        if client_args not in clients:
            clients[client_args] = create_client(client_args)
            with self._turn:
                self._clients.append(clients[client_args])
        return clients[client_args]

    def _run(self, post):
        """Post one job when fewer than `limit` are under way; never raises."""
        with self._turn:
            self._turn.wait_for(lambda: self._calls < self.limit)
            self._calls += 1
        answer = None
        try:
            answer = self._post(post)
        finally:
            with self._turn:
                self._calls -= 1
                if answer:
                    self._adapt(answer)
                    if isinstance(answer.error, REFUSED_FOR_ALL):
                        self._refused.add(post.client_args)
                self._turn.notify_all()
        return answer

    def _post(self, post):
        """Post one job; never raises."""
        if time.monotonic() > post.deadline:
            error = JobExpired("The job was taken too long ago")
            return JobAnswer(post, None, error, {})
        if post.client_args in self._refused:
            error = JobHeldBack("Another job was refused")
            return JobAnswer(post, None, error, {})
        client = self._get_client(post.client_args)
        try:
            report = client.post(post.path, post.content)
        except OvhError as error:
            return JobAnswer(post, None, error, {})
        return JobAnswer(post, report, None, self._fetch_samples(client, post, report))

    @staticmethod
    def _fetch_samples(client, post, report):
        """Ask to whom some of the SMS of an answer went."""
        ids = report.get("ids") if isinstance(report, dict) else None
        # With one receiver there is nothing to mix up.
        if not isinstance(ids, list) or len(ids) < 2:
            return {}
        samples = {}
        for ovh_id in random.sample(ids, min(post.samples, len(ids))):
            try:
                outgoing = client.get(f"{post.outgoing_path}/{ovh_id}")
                samples[ovh_id] = outgoing["receiver"]
            except (OvhError, KeyError, TypeError):
                # Not listed yet, most likely: nothing speaks against the match.
                continue
        return samples
