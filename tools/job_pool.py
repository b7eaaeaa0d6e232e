"""Threads that post jobs to OVHcloud, and nothing else: no ORM in here.

The caller passes everything that a call needs as plain values, and processes the
answers in its own thread and transaction.
"""

import threading
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import NamedTuple

from .. import const
from .http2sms import Http2SmsAccess, create_client
from .ovh_client import (
    OvhCredentialRefused,
    OvhError,
    OvhNotFound,
    OvhNotGranted,
    OvhOutOfCredit,
    OvhThrottled,
    OvhUnreachable,
)
from .sms_segments import count_segments

# Seconds after the claim within which a job may be posted. From then on its outcome
# counts as unknown, so it must no longer leave.
POST_WITHIN = 30
# Jobs that may wait for each one under way.
WAITING = 2
# Seconds that an answer waits for others, while several jobs are in the pool.
GATHER = 0.05
# Answers without a 429 after which one more simultaneous call is tried.
ANSWERS_TO_GROW = 20


# Errors that may concern the job alone, its service or the keys: a read tells which.
QUESTIONABLE = (OvhCredentialRefused, OvhNotFound, OvhNotGranted, OvhOutOfCredit)
# The `errorCode` by which OVHcloud's gateway, not the service behind it, refuses keys.
NOT_GRANTED = "NOT_GRANTED_CALL"


def has_quota(answer):
    """Return whether the API user in OVHcloud's answer pays from its own quota."""
    quota = answer.get("quotaInformations") if isinstance(answer, dict) else None
    return isinstance(quota, dict) and quota.get("quotaStatus") == "active"


class JobExpired(OvhUnreachable):
    """The job waited too long in the pool: it was not posted, and nothing failed."""


class JobHeldBack(JobExpired):
    """A job was just refused for a reason that this one shares: it was not posted."""


class JobPost(NamedTuple):
    """One job to post, and what to post it with."""

    job_id: int
    receivers: list  # receivers of the content, as the pool's caller knows them
    client_args: tuple  # of `http2sms.create_client`
    path: str
    content: dict
    deadline: float  # time.monotonic() after which not to post

    @property
    def service_path(self):
        """The API's path of the service."""
        return "/".join(self.path.split("/")[:3])

    @property
    def payer_path(self):
        """The API's path of the payer: the API user that sends it, or the service."""
        return (
            self.path.removesuffix("/jobs")
            if "/users/" in self.path
            else (self.service_path)
        )

    @property
    def most_credits(self):
        """An upper bound of the credits that the job can cost."""
        text, clause = self.content.get("message"), self.content.get("noStopClause")
        parts = (
            len(self.receivers) * count_segments(text or "", clause is False).segments
        )
        return const.MOST_CREDITS * max(1, parts)

    def get_shared(self, scope):
        """Return the key shared by all jobs that are refused like this one.

        :param str scope: a value of :attr:`JobAnswer.scope`
        """
        if scope in ("keys", "service"):
            return self.client_args, self.service_path
        if scope == "credit":
            return self.client_args, self.payer_path, scope
        return self.client_args, self.path, self.content.get("sender")


class JobAnswer(NamedTuple):
    """The outcome of a :class:`JobPost`."""

    post: JobPost
    report: object  # the decoded answer
    error: OvhError | None  # what was raised instead
    # If the job was refused, what the same keys then read of the service, or of the API
    # user whose quota pays. The error if that read fails.
    read: object = None

    @property
    def scope(self):
        """What a refusal concerns, as narrowly as possible.

        ``job``, that is its sender, API user or number; ``credit``; ``service``; or
        ``keys``, only if a read with the same keys is refused, too. None if it is no
        such refusal, or OVHcloud cannot be asked.
        """
        if not isinstance(self.error, QUESTIONABLE):
            return None
        if isinstance(self.error, OvhOutOfCredit):
            # If enough is left, the refusal is about something else.
            enough = self.left is not None and self.left > self.post.most_credits
            return "job" if enough else "credit"
        match self.read:
            case None:  # http2sms cannot read: its message has to suffice
                refused = isinstance(self.error, OvhCredentialRefused)
                return "keys" if refused else "job"
            case OvhCredentialRefused():
                return "keys"
            case OvhNotGranted(error_code=code) if code == NOT_GRANTED:
                return "keys"
            case OvhNotGranted() | OvhNotFound():
                return "service"
            case dict(service):
                return "service" if service.get("status") == "disable" else "job"
        return None

    @property
    def left(self):
        """The payer's credits left, None if OVHcloud was not asked or does not say.

        :rtype: float|None
        """
        if not isinstance(self.read, dict):
            return None
        if has_quota(self.read):
            left = self.read["quotaInformations"].get("quotaLeft")
        else:
            left = self.read.get("creditsLeft")
        return left if isinstance(left, int | float) else None


class JobPool:
    """Runs at most `size` jobs at once, fewer if OVHcloud asks to slow down.

    Some more may wait in it, so that no thread is idle while its last answer is written
    down.

    :param int size: calls at a time
    """

    def __init__(self, size):
        self.size = size
        self.limit = size
        self._answers_since = 0
        self._futures = set()
        self._clients = []
        self._calls = 0
        self._refused = Counter()  # by shared key: refusals whose answers wait here
        self._known = {}  # by shared key: jobs submitted when the refusal was returned
        self._submitted = 0
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
        """How many more jobs may be submitted now."""
        return max(0, (1 + WAITING) * self.limit - len(self._futures))

    @property
    def busy(self):
        """Whether any job is under way."""
        return bool(self._futures)

    def submit(self, post):
        """Post a job in a thread of its own, as soon as one is free.

        The caller knows the answers that :meth:`wait` has returned before.
        """
        self._submitted += 1
        self._futures.add(self._executor.submit(self._run, post, self._submitted))

    def _is_held_back(self, post, number):
        """Return whether a job like this was refused since this one was submitted.

        :param JobPost post: the job
        :param int number: how many jobs were submitted, this one included
        :rtype: bool
        """
        with self._turn:
            return any(
                self._refused[shared] or number <= self._known.get(shared, 0)
                for shared in map(post.get_shared, ("keys", "credit", "job"))
            )

    def wait(self, timeout=None):
        """Wait for the next answers, at least one unless `timeout` passes.

        :param float|None timeout: seconds
        :rtype: list[JobAnswer]
        """
        if timeout is None and len(self._futures) > 1:
            # Answers that come together are written down together.
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
        answers = [future.result() for future in done]
        with self._turn:
            for answer in answers:
                if answer.scope:
                    shared = answer.post.get_shared(answer.scope)
                    self._refused[shared] -= 1
                    self._known[shared] = self._submitted
        return answers

    def _adapt(self, answer):
        """Halve the simultaneous calls on each 429; else grow again, one by one."""
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

    def _run(self, post, number):
        """Post one job when fewer than `limit` are under way; never raises."""
        with self._turn:
            self._turn.wait_for(lambda: self._calls < self.limit)
            self._calls += 1
        answer = None
        try:
            answer = self._post(post, number)
        finally:
            with self._turn:
                self._calls -= 1
                if answer:
                    self._adapt(answer)
                    if answer.scope:
                        self._refused[post.get_shared(answer.scope)] += 1
                self._turn.notify_all()
        return answer

    def _post(self, post, number):
        """Post one job; never raises."""
        if time.monotonic() > post.deadline:
            error = JobExpired("The job was taken too long ago")
            return JobAnswer(post, None, error)
        if self._is_held_back(post, number):
            error = JobHeldBack("Another job was refused")
            return JobAnswer(post, None, error)
        client = self._get_client(post.client_args)
        try:
            report = client.post(post.path, post.content)
        except OvhError as error:
            return JobAnswer(post, None, error, self._read_after(client, post, error))
        return JobAnswer(post, report, None)

    @staticmethod
    def _read_after(client, post, error):
        """Read, with the keys that posted a job, what its refusal may concern.

        :return: OVHcloud's answer or the error; None if there is nothing to ask
        """
        if isinstance(post.client_args, Http2SmsAccess) or not isinstance(
            error, QUESTIONABLE
        ):
            return None
        try:
            if (
                isinstance(error, OvhOutOfCredit)
                and post.payer_path != post.service_path
            ):
                user = client.get(post.payer_path)
                if has_quota(user):
                    return user
            return client.get(post.service_path)
        except OvhError as read_error:
            return read_error
