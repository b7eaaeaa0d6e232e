"""Threads that post jobs to OVHcloud, and nothing else: no ORM in here.

Its user hands it everything a call needs as plain values, and treats the answers in a
thread and a transaction of its own.
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

# Seconds after which a job that was taken is not posted any more. From then on it
# counts as one whose outcome is not known, so it must not leave then.
POST_WITHIN = 30
# Jobs that wait for each that is under way.
WAITING = 2
# Seconds that answers wait for others, while there are more jobs than threads.
GATHER = 0.05
# Answers without a 429 after which one more call at a time is tried.
ANSWERS_TO_GROW = 20


# What may be about the job alone, its service or the keys: a read tells which.
QUESTIONABLE = (OvhCredentialRefused, OvhNotFound, OvhNotGranted, OvhOutOfCredit)
# Of `errorCode`: what OVHcloud's gateway, not the service behind it, says of keys.
NOT_GRANTED = "NOT_GRANTED_CALL"


def has_quota(answer):
    """Return whether the API user that OVHcloud answered pays by a quota of its own."""
    quota = answer.get("quotaInformations") if isinstance(answer, dict) else None
    return isinstance(quota, dict) and quota.get("quotaStatus") == "active"


class JobExpired(OvhUnreachable):
    """The job waited here for too long: it was not posted, and nothing failed."""


class JobHeldBack(JobExpired):
    """Another job was just refused for what is this one's, too: it was not posted."""


class JobPost(NamedTuple):
    """One job to post, and with what."""

    job_id: int
    receivers: list  # whom the content is for, as the pool's user knows them
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
        """The API's path of who pays: the API user as whom it is sent, or the service."""
        return (
            self.path.removesuffix("/jobs")
            if "/users/" in self.path
            else (self.service_path)
        )

    @property
    def most_credits(self):
        """More credits than it can cost."""
        text, clause = self.content.get("message"), self.content.get("noStopClause")
        parts = (
            len(self.receivers) * count_segments(text or "", clause is False).segments
        )
        return const.MOST_CREDITS * max(1, parts)

    def get_shared(self, scope):
        """Return what all jobs have that are refused like this one.

        :param str scope: of :attr:`JobAnswer.scope`
        """
        if scope in ("keys", "service"):
            return self.client_args, self.service_path
        if scope == "credit":
            return self.client_args, self.payer_path, scope
        return self.client_args, self.path, self.content.get("sender")


class JobAnswer(NamedTuple):
    """What became of a :class:`JobPost`."""

    post: JobPost
    report: object  # the decoded answer
    error: OvhError | None  # what was raised instead
    # Where the job was refused, what the same keys then read: of the service, or of the
    # API user whose quota pays. The error where they do not.
    read: object = None

    @property
    def scope(self):
        """What a refusal is about, the smallest thing that it can be.

        ``job``, that is its sender, API user or number; ``credit``; ``service``; or
        ``keys``, only where a read with the same keys is refused too. None where it is
        no such refusal, or OVHcloud cannot be asked.
        """
        if not isinstance(self.error, QUESTIONABLE):
            return None
        if isinstance(self.error, OvhOutOfCredit):
            # Where enough is left, it is something else that was not paid.
            enough = self.left is not None and self.left > self.post.most_credits
            return "job" if enough else "credit"
        match self.read:
            case None:  # http2sms reads nothing: its words have to do
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
        """The credits left to who pays, None where OVHcloud was not asked or tells none.

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
        self._refused = Counter()  # by what they share: whose answers wait here
        self._known = {}  # by what they share: how many were handed over before
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
        """How many more jobs may be handed over now."""
        return max(0, (1 + WAITING) * self.limit - len(self._futures))

    @property
    def busy(self):
        """Whether any job is under way."""
        return bool(self._futures)

    def submit(self, post):
        """Post a job in a thread of its own, as soon as one is free.

        Its user knows what :meth:`wait` brought before.
        """
        self._submitted += 1
        self._futures.add(self._executor.submit(self._run, post, self._submitted))

    def _is_held_back(self, post, number):
        """Return whether a job like this was refused since this one was taken.

        :param JobPost post: the job
        :param int number: how many were handed over with it
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
        answers = [future.result() for future in done]
        with self._turn:
            for answer in answers:
                if answer.scope:
                    shared = answer.post.get_shared(answer.scope)
                    self._refused[shared] -= 1
                    self._known[shared] = self._submitted
        return answers

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
        """Read, with the keys that posted a job, what its refusal may be about.

        :return: what OVHcloud answers or the error; None where there is nothing to ask
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
