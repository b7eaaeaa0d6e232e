"""OVHcloud SMS as one of Odoo's SMS providers."""

import logging
from uuid import uuid4

import phonenumbers

from odoo.addons.sms.tools.sms_api import SmsApiBase
from odoo.tools import split_every

from .. import const
from .ovh_client import (
    OvhBadRequest,
    OvhCredentialRefused,
    OvhError,
    OvhNotFound,
    OvhNotGranted,
    OvhOutOfCredit,
    quote_path,
)

_logger = logging.getLogger(__name__)


def normalize_number(number, country_code=None):
    """Return `number` in E.164, or False where nobody can have it.

    A number that ``phonenumbers`` calls possible passes even when it is in no known
    range: ranges open faster than the library is upgraded.

    :param str number: as stored in Odoo, international or national
    :param str|None country_code: ISO code by which a national number is read
    :rtype: str|bool
    """
    try:
        parsed = phonenumbers.parse(number or "", country_code or None)
    except phonenumbers.NumberParseException:
        return False
    if not phonenumbers.is_possible_number(parsed):
        return False
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


class SmsApiOvh(SmsApiBase):
    """Sends batches of SMS through one OVHcloud account.

    :param env: environment; its company is the default sending company
    :param account: `sms.ovh.account` to send with; by default that of the company
    :param bool stop_clause: whether OVHcloud is to append the STOP clause; by default
        as the context's ``sms_ovh_stop_clause`` says, and without that, not
    """

    PROVIDER_TO_SMS_FAILURE_TYPE = (
        SmsApiBase.PROVIDER_TO_SMS_FAILURE_TYPE | const.PROVIDER_TO_SMS_FAILURE_TYPE
    )

    def __init__(self, env, account=None, stop_clause=None):
        super().__init__(env, account=account)
        # sudo: whoever may send an SMS sends it by the company's account, whose keys
        # only system administrators may read.
        self.account_sudo = (account or self.company.sms_ovh_account_id).sudo()
        if account:
            self.company = account.company_id
        if stop_clause is None:
            stop_clause = env.context.get("sms_ovh_stop_clause", False)
        self.stop_clause = stop_clause

    def _set_company(self, company):
        super()._set_company(company)
        self.account_sudo = company.sms_ovh_account_id.sudo()

    def _get_sms_api_error_messages(self):
        env = self.env
        return super()._get_sms_api_error_messages() | {
            "wrong_number_format": env._(
                "The number is not a possible phone number. Correct it and try again."
            ),
            "sms_number_missing": env._("There is no phone number."),
            "blacklisted": env._(
                "This number is on OVHcloud's blacklist: its owner answered STOP."
            ),
            "ovh_sender_refused": env._(
                "OVHcloud refuses the sender. Choose another one on the OVHcloud"
                " account, or wait until OVHcloud has validated it."
            ),
            "ovh_empty": env._("The message is empty. Write a text and send it again."),
            "insufficient_credit": env._(
                "Not enough SMS are left on the OVHcloud account. Buy a pack or turn"
                " on the automatic recharge, then send again."
            ),
            "unregistered": env._(
                "OVHcloud refuses the account's keys. Ask an administrator to check"
                " the OVHcloud account."
            ),
            "server_error": env._(
                "OVHcloud could not be reached, so nothing was sent. Try again in a"
                " few minutes."
            ),
            "ovh_unconfirmed": env._(
                "OVHcloud gave no readable answer: the SMS may have been sent. Check"
                " in OVHcloud's console before you send it again."
            ),
        }

    # ------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------

    def _send_sms_batch(self, messages, delivery_reports_url=False):
        """Send `messages`, one OVHcloud job per text and up to 500 receivers.

        See the parent for the parameters. Nothing is raised: whatever becomes of one
        job is the result of that job's receivers alone.

        :return: one dict per number: ``uuid``, ``state`` ('success' or a key of
            ``PROVIDER_TO_SMS_FAILURE_TYPE``), ``failure_reason`` (a sentence in the
            user's language) and, if accepted, ``sms_ovh_id``
        :rtype: list[dict]
        """
        results = []
        jobs = []
        for message in messages:
            body = message.get("content") or ""
            receivers = []
            for info in message.get("numbers") or []:
                refusal, number = self._check_receiver(body, info["number"])
                if refusal:
                    results.append(self._prepare_result(info["uuid"], refusal))
                else:
                    receivers.append((info["uuid"], number))
            jobs += [(body, chunk) for chunk in self._split_receivers(receivers)]
        if not jobs:
            return results
        with self.account_sudo._get_client() as client:
            for index, (body, chunk) in enumerate(jobs):
                job_results, fatal = self._send_job(client, body, chunk)
                results += job_results
                if fatal:
                    # The same refusal awaits every further job: spare them all.
                    state, reason = fatal
                    results += [
                        self._prepare_result(uuid, state, reason)
                        for __, rest in jobs[index + 1 :]
                        for uuid, __ in rest
                    ]
                    break
        return results

    def _check_receiver(self, body, number):
        """Return (reason to refuse without any call, or None; the number in E.164)."""
        if not body.strip():
            return "ovh_empty", None
        if not number:
            return "sms_number_missing", None
        normalized = normalize_number(number, self.company.country_id.code)
        if not normalized:
            return "wrong_number_format", None
        return None, normalized

    @staticmethod
    def _split_receivers(receivers):
        """Split into jobs: at most 500 receivers, and no number twice in one job.

        OVHcloud does not say what it makes of a number that stands twice in one job,
        and two SMS of the same text to the same number are two SMS.

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
            for chunk in split_every(const.MAX_RECEIVERS_PER_JOB, layer)
        ]

    def _prepare_job(self, body, receivers):
        """Return (path, content) of the call that sends `body`.

        :param str body: text of the SMS
        :param list receivers: (uuid, number) pairs
        """
        account = self.account_sudo
        sender = account.default_sender_id
        path = f"/sms/{quote_path(account.service_name)}"
        content = {
            "message": body,
            "receivers": [number for __, number in receivers],
            "charset": "UTF-8",
            "priority": "high",
            "validityPeriod": const.VALIDITY_PERIOD,
            "tag": self._get_tag(),
        }
        if sender.type == "virtual":
            # A virtual number has neither sender nor clause in its jobs.
            return f"{path}/virtualNumbers/{quote_path(sender.name)}/jobs", content
        content["noStopClause"] = not self.stop_clause
        if sender.type == "shortcode":
            content["senderForResponse"] = True
        else:
            content["sender"] = sender.name
        return f"{path}/jobs", content

    @staticmethod
    def _get_tag():
        """Return a tag that no other job has, by which OVHcloud can be asked for it."""
        return f"odoo{uuid4().hex}"[: const.MAX_TAG_LENGTH]

    def _send_job(self, client, body, receivers):
        """Send one job.

        :return: (results of its receivers, (state, reason) if no other job of this
            account can pass now)
        """
        if not self.account_sudo.default_sender_id:
            reason = self.env._(
                "No sender is chosen. Choose one on the OVHcloud account."
            )
            return self._prepare_results(receivers, "ovh_sender_refused", reason), (
                "ovh_sender_refused",
                reason,
            )
        path, content = self._prepare_job(body, receivers)
        try:
            report = client.post(path, content)
            return self._read_report(client, receivers, report), None
        except OvhError as error:
            state = self._get_error_state(error)
            if state == "ovh_sender_refused":
                reason = self.env._(
                    "OVHcloud refuses the sender “%(sender)s” (%(words)s). Choose"
                    " another one on the OVHcloud account.",
                    sender=self.account_sudo.default_sender_id.display_name,
                    words=error.message,
                )
            else:
                reason = self.account_sudo._get_error_sentence(error)
            _logger.warning(
                "OVHcloud SMS: job %s of %s SMS by account %s: %r",
                content["tag"],
                len(receivers),
                self.account_sudo.id,
                error,
            )
            fatal = state in (
                "insufficient_credit",
                "unregistered",
                "ovh_sender_refused",
            )
            return (
                self._prepare_results(receivers, state, reason),
                (state, reason) if fatal else None,
            )

    @staticmethod
    def _get_error_state(error):
        """Return the state that `error` means for each receiver of the job."""
        refused = isinstance(error, OvhBadRequest | OvhNotFound | OvhNotGranted)
        # Sources disagree on the status of a refused sender; its words name it.
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

    def _read_report(self, client, receivers, report):
        """Give each receiver its part of OVHcloud's answer to a job.

        :param dict report: `sms.SmsSendingReport` of the API
        """
        ids = report.get("ids") if isinstance(report, dict) else None
        valid = report.get("validReceivers") if isinstance(report, dict) else None
        if not isinstance(ids, list) or not isinstance(valid, list):
            _logger.warning(
                "OVHcloud SMS: unreadable report of a job by account %s",
                self.account_sudo.id,
            )
            return self._prepare_results(receivers, "ovh_unconfirmed")
        accepted = self._match_ids(client, valid, ids)
        invalid = {
            normalize_number(number) for number in report.get("invalidReceivers") or []
        }
        blacklist = self._get_blacklist(client) if invalid else set()
        results = []
        for uuid, number in receivers:
            if number in accepted:
                result = self._prepare_result(uuid, "success")
                result["sms_ovh_id"] = accepted[number]
            elif number in blacklist and number in invalid:
                result = self._prepare_result(uuid, "blacklisted")
            elif number in invalid:
                result = self._prepare_result(
                    uuid,
                    "wrong_number_format",
                    self.env._("OVHcloud calls this number invalid. Correct it."),
                )
            else:
                result = self._prepare_result(uuid, "ovh_unconfirmed")
            results.append(result)
        return results

    def _match_ids(self, client, numbers, ids):
        """Return OVHcloud's id of the SMS by number.

        The ids follow the numbers, though nothing promises it: so their position counts
        only where the lengths agree, and otherwise OVHcloud is asked for each.

        :rtype: dict[str, str|bool]
        """
        numbers = [normalize_number(number) for number in numbers]
        if len(numbers) == len(ids):
            return {
                number: str(ovh_id)
                for number, ovh_id in zip(numbers, ids, strict=True)
            }
        _logger.warning(
            "OVHcloud SMS: %s ids for %s receivers by account %s: asking for each",
            len(ids),
            len(numbers),
            self.account_sudo.id,
        )
        accepted = dict.fromkeys(numbers, False)
        service = quote_path(self.account_sudo.service_name)
        for ovh_id in ids:
            try:
                outgoing = client.get(f"/sms/{service}/outgoing/{quote_path(ovh_id)}")
                accepted[normalize_number(outgoing["receiver"])] = str(ovh_id)
            except (OvhError, KeyError, TypeError) as error:
                _logger.warning(
                    "OVHcloud SMS: SMS %s cannot be matched: %s",
                    ovh_id,
                    type(error).__name__,
                )
        return accepted

    def _get_blacklist(self, client):
        """Return the numbers that answered STOP, empty where OVHcloud does not say."""
        service = quote_path(self.account_sudo.service_name)
        try:
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
