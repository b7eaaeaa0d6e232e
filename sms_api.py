"""OVHcloud SMS as one of Odoo's SMS providers."""

import logging
from uuid import uuid4

from odoo.tools import split_every

from odoo.addons.sms.tools.sms_api import SmsApiBase

from . import const
from .tools.contact_information import find_contact_information
from .tools.error_sentences import (
    get_failure_sentences,
    get_refused_sender_sentence,
)
from .tools.number_country import get_country_code
from .tools.ovh_client import (
    OvhBadRequest,
    OvhCredentialRefused,
    OvhError,
    OvhNotFound,
    OvhNotGranted,
    OvhOutOfCredit,
    quote_path,
)
from .tools.phone_number import get_kind, normalize_number
from .tools.sms_segments import MAX_SEGMENTS, count_segments, is_blank

_logger = logging.getLogger(__name__)


class SmsApiOvh(SmsApiBase):
    """SMS provider for one OVHcloud account: puts what it is given into the outbox.

    :param env: environment; its company is the default sending company
    :param account: `sms.ovh.account` to send with; by default that of the company
    :param bool stop_clause: whether OVHcloud is to append the STOP clause; by default
        the context's ``sms_ovh_stop_clause``, else False
    :param sender: `sms.ovh.sender` to send as; by default the account's
    """

    PROVIDER_TO_SMS_FAILURE_TYPE = (
        SmsApiBase.PROVIDER_TO_SMS_FAILURE_TYPE | const.PROVIDER_TO_SMS_FAILURE_TYPE
    )

    def __init__(self, env, account=None, stop_clause=None, sender=None):
        super().__init__(env, account=account)
        self._account = account
        if account:
            self.company = account.company_id
        if stop_clause is None:
            stop_clause = env.context.get("sms_ovh_stop_clause", False)
        self.stop_clause = stop_clause
        self.unlink_sent = True  # the argument with which core is called
        self._sender = sender
        self._reached = {}

    # These follow the company, which core sets.

    @property
    def account_sudo(self):
        """`sms.ovh.account` to send with: the given one, or that of the company."""
        # sudo: users who may send SMS send them by the company's account, whose keys
        # only system administrators may read.
        account_sudo = (self._account or self.company.sms_ovh_account_id).sudo()
        if account_sudo.company_id == self.company:
            return account_sudo
        return self.company.sms_ovh_account_id.sudo()

    @property
    def country_code(self):
        """ISO code of the company's country, by which numbers are read."""
        return self.company.country_id.code

    @property
    def sender_sudo(self):
        """`sms.ovh.sender` to send as, empty if none was chosen."""
        # sudo: for the same reason as the account.
        return (self._sender or self.account_sudo.default_sender_id).sudo()

    def _get_sms_api_error_messages(self):
        return super()._get_sms_api_error_messages() | get_failure_sentences(
            self.env, self.sender_sudo.display_name
        )

    # ------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------

    def _send_sms_batch(self, messages, delivery_reports_url=False):
        """Put `messages` into the outbox: they leave after the caller's commit.

        See the parent for the parameters. Nothing is posted here, so that a transaction
        that is rolled back sends no SMS. Account, sender and kind are decided for each
        SMS by its own company, whoever calls.

        :return: one dict per number: ``uuid``, ``state`` ('processing' or a key of
            ``PROVIDER_TO_SMS_FAILURE_TYPE``) and ``failure_reason`` (a sentence); none
            for an SMS that has to wait in Odoo's queue
        :rtype: list[dict]
        """
        return self.env["sms.ovh.job"]._enqueue(self, messages)

    @classmethod
    def get_provider_state(cls, failure_type):
        """Return the provider's state for a failure type of an SMS.

        :param str failure_type: failure type of the SMS
        :rtype: str
        """
        for state, known in cls.PROVIDER_TO_SMS_FAILURE_TYPE.items():
            if known == failure_type:
                return state
        return "unknown"

    def _check_sender(self):
        """Return the reason to refuse if there is no sender, or None."""
        return None if self.sender_sudo else "ovh_sender_missing"

    def _check_text(self, body):
        """Return the reason to refuse a text without any call, or None."""
        if is_blank(body):
            return "ovh_empty"
        if count_segments(body, self._has_stop_clause()).segments > MAX_SEGMENTS:
            return "ovh_too_long"
        if self.sender_sudo.type == "shortcode" and find_contact_information(
            body, self.country_code
        ):
            return "ovh_contact_information"
        return None

    def _check_number(self, number):
        """Return (reason to refuse without any call, or None; the number in E.164).

        :param tools.phone_number.CleanNumber number: as the company reads it
        """
        if number.number:
            if not self._reaches(get_country_code(number.number)):
                return "ovh_destination", None
            return None, number.number
        if number.reason == "missing":
            return "sms_number_missing", None
        return f"ovh_number_{number.reason}", None

    def _reaches(self, country_code):
        """Tell whether the sender's SMS reach a country. Looked up once per country."""
        if country_code not in self._reached:
            sender_sudo = self.sender_sudo
            self._reached[country_code] = not sender_sudo or sender_sudo._reaches(
                country_code
            )
        return self._reached[country_code]

    def _has_stop_clause(self):
        """Tell whether OVHcloud appends the STOP clause: asked for, and possible."""
        return bool(self.stop_clause and self.sender_sudo.has_stop_clause)

    def _split_receivers(self, receivers):
        """Split receivers into jobs, with no number twice in one job.

        A job has at most 500 receivers, or the account's own limit. OVHcloud does not
        document what it does with a number that stands twice in one job, and two SMS of
        the same text to the same number are two SMS.

        :param list receivers: (uuid, number) pairs
        :rtype: list[list[tuple]]
        """
        layers = []
        seen = {}
        for uuid, number in receivers:
            layer = seen.get(number, 0)
            seen[number] = layer + 1
            if layer == len(layers):
                layers.append([])
            layers[layer].append((uuid, number))
        return [
            list(chunk)
            for layer in layers
            for chunk in split_every(self.account_sudo._get_max_receivers(), layer)
        ]

    def _prepare_job(self, body, receivers, sender=None, tag=None, user=None):
        """Return (path, content) of the call that sends `body`.

        :param str body: text of the SMS
        :param list receivers: (uuid, number) pairs
        :param sender: `sms.ovh.sender`, by default the one to send as
        :param str tag: tag by which OVHcloud finds the job, by default a new one
        :param user: `sms.ovh.user` in whose name it is sent; None for the account's
            default, an empty record for none
        """
        account = self.account_sudo
        user = account.default_api_user_id if user is None else user
        sender = sender or self.sender_sudo
        path = f"/sms/{quote_path(account.service_name)}"
        content = {
            "message": body,
            "receivers": [number for __, number in receivers],
            "charset": "UTF-8",
            "priority": "high",
            "validityPeriod": const.VALIDITY_PERIOD,
            "tag": tag or self._get_tag(),
        }
        if sender.type == "virtual":
            # A virtual number has neither sender nor clause in its jobs.
            return f"{path}/virtualNumbers/{quote_path(sender.name)}/jobs", content
        if user:
            path = f"{path}/users/{quote_path(user.login)}"
        content["noStopClause"] = not self.stop_clause
        if sender.type == "shortcode":
            content["senderForResponse"] = True
        else:
            content["sender"] = sender.name
        return f"{path}/jobs", content

    @staticmethod
    def _get_tag():
        """Return a tag that no other job has, by which OVHcloud finds the job."""
        return f"odoo{uuid4().hex}"[: const.MAX_TAG_LENGTH]

    def _get_failure_sentence(self, error):
        """Return in the user's language what `error` means for a job and what to do."""
        if self._get_error_state(error) == "ovh_sender_refused":
            return get_refused_sender_sentence(
                self.env, error, self.sender_sudo.display_name
            )
        return self.account_sudo._get_error_sentence(error)

    @staticmethod
    def _get_error_state(error):
        """Return the state that `error` means for each receiver of the job."""
        refused = isinstance(error, OvhBadRequest | OvhNotFound | OvhNotGranted)
        # Sources disagree on the status for a refused sender; the message names it.
        if refused and "sender" in error.message.lower():
            return "ovh_sender_refused"
        if isinstance(error, OvhOutOfCredit):
            return "insufficient_credit"
        if isinstance(error, OvhCredentialRefused | OvhNotGranted | OvhNotFound):
            return "unregistered"
        if error.may_be_done:
            return "ovh_unconfirmed"
        if isinstance(error, OvhBadRequest):
            return "unknown"
        return "server_error"

    def _match_report(self, report, samples=None):
        """Return OVHcloud's id of the SMS by number, read from the answer to a job.

        The ids are in the order of the valid receivers, though nothing guarantees it.
        So positions count only if the lengths agree and no sample contradicts them.

        :param report: the decoded answer, `sms.SmsSendingReport` of the API
        :param dict samples: number by id, for SMS that OVHcloud was asked about
        :return: None if the answer cannot be trusted to match
        :rtype: dict[str, str]|None
        """
        ids = report.get("ids") if isinstance(report, dict) else None
        valid = report.get("validReceivers") if isinstance(report, dict) else None
        if not isinstance(ids, list) or not isinstance(valid, list):
            _logger.error(
                "OVHcloud SMS: unreadable report of a job by account %s",
                self.account_sudo.id,
            )
            return None
        if len(ids) != len(valid):
            _logger.error(
                "OVHcloud SMS: %s ids for %s receivers by account %s",
                len(ids),
                len(valid),
                self.account_sudo.id,
            )
            return None
        numbers = [normalize_number(number) for number in valid]
        by_id = dict(zip(ids, numbers, strict=True))
        for ovh_id, number in (samples or {}).items():
            if by_id.get(ovh_id) != normalize_number(number):
                _logger.error(
                    "OVHcloud SMS: SMS %s by account %s is not where its position says",
                    ovh_id,
                    self.account_sudo.id,
                )
                return None
        return {number: str(ovh_id) for ovh_id, number in by_id.items()}

    def _read_receivers(self, receivers, accepted, invalid):
        """Give each receiver of a job its own result.

        :param list receivers: (uuid, number) pairs
        :param dict accepted: OVHcloud's id by number
        :param list invalid: numbers that OVHcloud refuses
        """
        invalid = {normalize_number(number) for number in invalid}
        blacklist = self._get_blacklist() if invalid else set()
        results = []
        for uuid, number in receivers:
            if number in accepted:
                result = self._prepare_result(uuid, "success")
                result["sms_ovh_id"] = accepted[number]
            elif number in invalid and number in blacklist:
                result = self._prepare_result(uuid, "blacklisted")
            elif number in invalid:
                kind = get_kind(number)
                result = self._prepare_result(
                    uuid,
                    f"ovh_{kind}"
                    if kind in const.KIND_TO_FAILURE_TYPE
                    else "wrong_number_format",
                    self.env._("OVHcloud calls this number invalid. Correct it."),
                )
            else:
                result = self._prepare_result(uuid, "ovh_unconfirmed")
            results.append(result)
        return results

    def _get_blacklist(self):
        """Return the numbers that answered STOP, empty if OVHcloud cannot be asked."""
        service = quote_path(self.account_sudo.service_name)
        try:
            with self.account_sudo._get_client() as client:
                numbers = client.get(f"/sms/{service}/blacklists")
        except OvhError as error:
            _logger.warning("OVHcloud SMS: the blacklist cannot be read: %r", error)
            return set()
        return {normalize_number(number) for number in numbers or []}

    def _prepare_results(self, receivers, state, reason=None):
        return [self._prepare_result(uuid, state, reason) for uuid, __ in receivers]

    def _prepare_result(self, uuid, state, reason=None):
        if state != "success" and not reason:
            reason = self._get_sms_api_error_messages().get(state)
        return {
            "uuid": uuid,
            "state": state,
            "failure_reason": reason or False,
        }
