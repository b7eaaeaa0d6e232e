import logging
import time
from collections import defaultdict
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.tools import SQL, split_every
from odoo.tools.constants import GC_UNLINK_LIMIT

from .. import const
from ..tools import ovh_calls, ovh_client, transaction
from ..tools.ovh_times import parse_time
from ..tools.phone_number import normalize_number

_logger = logging.getLogger(__name__)

# Of which something may still come.
OPEN_STATES = ("queued", "posting", "unknown", "waiting")
# Seconds after which numbers that were being asked for have been left alone.
ABANDONED_AFTER = 2 * (const.CONNECT_TIMEOUT + const.READ_TIMEOUT)
# By how much OVHcloud's time of a question may miss ours.
CLOCK_MARGIN = timedelta(minutes=2)
# Numbers refused one by one after which it is not about them.
MAX_REFUSED = 3


class SmsOvhNumberCheck(models.Model):
    """What operators say of a phone number, asked for at OVHcloud (HLR).

    A question is paid for, so there is one row for each number of an account, which is
    committed before OVHcloud is asked. Of what was asked without an answer, OVHcloud's
    list is read before anything is asked again. What else operators tell, such as
    whether somebody is abroad, is nobody's business and not kept.
    """

    _name = "sms.ovh.number.check"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "OVHcloud Check of a Phone Number"
    _order = "checked_at desc, id desc"
    _rec_name = "number"

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, ondelete="cascade", index=True, readonly=True
    )
    company_id = fields.Many2one(
        related="account_id.company_id", store=True, precompute=True
    )
    number = fields.Char(string="Phone Number", required=True, readonly=True)
    state = fields.Selection(
        [
            ("queued", "To Be Asked For"),
            ("posting", "Being Asked For"),
            ("unknown", "Not Confirmed"),
            ("waiting", "Result Awaited"),
            ("done", "Checked"),
            ("failed", "Failed"),
        ],
        required=True,
        default="queued",
        readonly=True,
    )
    result = fields.Selection(const.CHECK_RESULTS, readonly=True)
    asked_at = fields.Datetime(
        string="Asked On",
        readonly=True,
        help="When OVHcloud was asked: from then on the check is paid.",
    )
    checked_at = fields.Datetime(string="Checked On", readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Asked By", readonly=True, ondelete="set null"
    )
    send_anyway = fields.Boolean(
        readonly=True, help="Campaigns are sent to this number all the same."
    )
    ovh_id = fields.Char(string="OVHcloud's ID", readonly=True)
    looks = fields.Integer(string="Times Looked For", readonly=True)
    next_attempt = fields.Datetime(readonly=True)
    error = fields.Char(string="Failure", readonly=True)

    _account_number_unique = models.UniqueIndex("(account_id, number)")
    _company_number_idx = models.Index("(company_id, number)")
    _open_idx = models.Index(
        "(account_id, next_attempt, id)"
        " WHERE state IN ('queued', 'posting', 'unknown', 'waiting')"
    )

    # ------------------------------------------------------------
    # What is known
    # ------------------------------------------------------------

    @api.model
    def _find_latest(self, company, numbers):
        """Return what is known of numbers, the newest of each.

        In SQL: asked for each SMS of a campaign.

        :param company: `res.company` that had them checked
        :param numbers: in E.164
        :return: id of the check by number, of those that were asked for
        :rtype: dict[str, int]
        """
        numbers = list(set(numbers) - {None, False, ""})
        if not numbers:
            return {}
        self.flush_model()
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT ON (number) number, id
                      FROM sms_ovh_number_check
                     WHERE company_id = %s AND number = ANY(%s)
                  ORDER BY number, checked_at DESC NULLS LAST, id DESC
                    """,
                    company.id,
                    numbers,
                )
            )
        )

    @api.model
    def _find_dead(self, company, numbers):
        """Return which of these numbers nobody has, as far as operators said lately.

        :param company: `res.company` that sends
        :param numbers: in E.164
        :rtype: set[str]
        """
        # sudo: what the company had checked, whoever sends for it.
        checks_sudo = self.sudo().browse(self._find_latest(company, numbers).values())
        checks_sudo.fetch(["number", "result", "send_anyway", "checked_at"])
        limit = fields.Datetime.now() - self._get_lifetime()
        return {
            check.number
            for check in checks_sudo
            if check.result == "dead"
            and not check.send_anyway
            and check.checked_at > limit
        }

    @api.model
    def _get_lifetime(self):
        """Return for how long a result is believed: numbers are given to others."""
        return timedelta(
            days=self._sms_ovh_get_parameter("check_days", const.CHECK_FRESH_DAYS)
        )

    @api.model
    def _split_known(self, company, numbers):
        """Tell which of these numbers need not be asked for.

        :param company: `res.company` that asks
        :param list numbers: in E.164
        :return: those that were asked for lately, and those that are being asked for
        :rtype: tuple[set[str], set[str]]
        """
        # sudo: as above.
        checks_sudo = self.sudo().browse(self._find_latest(company, numbers).values())
        checks_sudo.fetch(["number", "state", "asked_at"])
        limit = fields.Datetime.now() - self._get_lifetime()
        pending = {check.number for check in checks_sudo if check.state in OPEN_STATES}
        fresh = {
            check.number
            for check in checks_sudo
            if check.number not in pending and check.asked_at and check.asked_at > limit
        }
        return fresh, pending

    # ------------------------------------------------------------
    # Asking
    # ------------------------------------------------------------

    @api.model
    def _enqueue(self, account, numbers):
        """Queue the numbers that are not being asked for already.

        In SQL: one statement, however many, in which two users do not ask twice.

        :param account: `sms.ovh.account` that pays
        :param list numbers: in E.164
        :return: how many are asked for
        :rtype: int
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO sms_ovh_number_check AS known (
                    account_id, company_id, number, state, user_id, looks,
                    create_uid, create_date, write_uid, write_date
                )
                SELECT %(account)s, %(company)s, number, 'queued', %(uid)s, 0,
                       %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM unnest(%(numbers)s::varchar[]) AS number
           ON CONFLICT (account_id, number) DO UPDATE
                   SET state = 'queued', user_id = %(uid)s, looks = 0,
                       asked_at = NULL, ovh_id = NULL, next_attempt = NULL,
                       error = NULL, send_anyway = FALSE,
                       write_uid = %(uid)s, write_date = %(now)s
                 WHERE known.state IN ('done', 'failed')
             RETURNING id
                """,
                account=account.id,
                company=account.company_id.id,
                numbers=list(numbers),
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self.invalidate_model(flush=False)
        if rows:
            # sudo: users who may ask have the cron do it.
            self._reset_postponed(account.sudo())
            self._trigger()
        return len(rows)

    @api.model
    def _trigger(self, moment=None):
        # sudo: as above.
        self.env.ref("sms_ovh.ir_cron_check_numbers").sudo()._trigger(moment)

    @api.model
    def _cron_check(self):
        """Ask OVHcloud for numbers and read what operators said, in committed pieces."""
        deadline = time.monotonic() + const.CRON_SECONDS
        now = fields.Datetime.now()
        groups = self._read_group([("state", "in", OPEN_STATES)], ["account_id"])
        accounts = self.env["sms.ovh.account"].union(*(row[0] for row in groups))
        accounts = accounts.filtered(
            lambda account: (
                account.active
                and not account.pause_reason
                and (
                    not account.check_next_attempt or account.check_next_attempt <= now
                )
            )
        )
        self.env["ir.cron"]._commit_progress(remaining=len(accounts))
        for account in accounts:
            account = account._in_its_language()
            checks = self.with_env(account.env)
            try:
                # What may have been paid for already comes first.
                checks._recover(account)
                checks._look_for_lost(account)
                checks._ask_queued(account, deadline)
                checks._read_waiting(account, deadline)
            except ovh_client.OvhError as error:
                _logger.warning("OVHcloud SMS: numbers cannot be checked: %r", error)
                transaction.transact(
                    self.env, partial(checks._postpone, account, error)
                )
            else:
                if account.check_error or account.check_attempts:
                    transaction.transact(
                        self.env, partial(checks._reset_postponed, account)
                    )
            self.env["ir.cron"]._commit_progress(1)

    @api.model
    def _find_due(self, account, state, limit=None):
        """Return the checks of an account in a state that are due, oldest first."""
        return self.search(
            [
                ("account_id", "=", account.id),
                ("state", "=", state),
                "|",
                ("next_attempt", "=", False),
                ("next_attempt", "<=", fields.Datetime.now()),
            ],
            order="id",
            limit=limit,
        )

    @api.model
    def _recover(self, account):
        """Take what was being asked for when somebody ended this for not confirmed."""
        limit = fields.Datetime.now() - timedelta(seconds=ABANDONED_AFTER)

        def recover():
            self.search(
                [
                    ("account_id", "=", account.id),
                    ("state", "=", "posting"),
                    ("asked_at", "<", limit),
                ]
            ).write({"state": "unknown", "next_attempt": False})

        transaction.transact(self.env, recover)
        if self.search_count(
            [("account_id", "=", account.id), ("state", "=", "posting")], limit=1
        ):
            self._trigger(fields.Datetime.now() + timedelta(seconds=ABANDONED_AFTER))

    @api.model
    def _ask_queued(self, account, deadline):
        """Ask for what was never asked for, some hundreds of numbers at a time.

        :param float deadline: `time.monotonic()` after which no more is asked for
        :raise ovh_client.OvhError: where it is not about single numbers
        """
        while True:
            if time.monotonic() > deadline:
                self._trigger()
                return
            taken = transaction.transact(self.env, partial(self._take, account))
            if not taken:
                return
            self._ask(account, taken)

    @api.model
    def _take(self, account):
        """Write down, before OVHcloud is asked, that these are being asked for."""
        due = self._find_due(account, "queued", limit=const.MAX_RECEIVERS_PER_JOB)
        taken = due.try_lock_for_update()
        taken.write({"state": "posting", "asked_at": fields.Datetime.now()})
        return taken

    @api.model
    def _postpone(self, account, error):
        """Check numbers later, longer and longer, or give it up. Sending goes on.

        :param account: `sms.ovh.account`
        :param ovh_client.OvhError error: why not now
        """
        refusals = (
            ovh_client.OvhBadRequest,
            ovh_client.OvhCredentialRefused,
            ovh_client.OvhNotFound,
            ovh_client.OvhNotGranted,
            ovh_client.OvhOutOfCredit,
        )
        sentence = account._get_error_sentence(error)
        if isinstance(error, ovh_client.OvhNotFound):
            # The service is there: SMS are sent with it.
            sentence = account.env._(
                "OVHcloud does not offer it for %(service)s (%(words)s). Ask OVHcloud's"
                " support.",
                service=account.service_name,
                words=error.message,
            )
        attempts = account.check_attempts + 1
        if not account.check_error and isinstance(error, refusals):
            account._tell(
                account.env._(
                    "Phone numbers cannot be checked: %s SMS are sent all the same.",
                    sentence,
                )
            )
        if attempts >= const.MAX_ATTEMPTS and isinstance(error, refusals):
            self.search(
                [
                    ("account_id", "=", account.id),
                    ("state", "in", ("queued", "unknown")),
                ]
            ).write({"state": "failed", "error": sentence, "next_attempt": False})
            attempts, moment = 0, False
        else:
            delay = min(const.RETRY_BASE * 2 ** min(attempts, 10), const.RETRY_MAX)
            moment = fields.Datetime.now() + timedelta(
                seconds=max(delay, error.retry_after or 0)
            )
            self._trigger(moment)
        account.write(
            {
                "check_error": sentence,
                "check_attempts": attempts,
                "check_next_attempt": moment,
            }
        )

    @api.model
    def _reset_postponed(self, account):
        """Check numbers now: what prevented that may be cured."""
        account.write(
            {"check_error": False, "check_attempts": 0, "check_next_attempt": False}
        )

    @api.model
    def _ask(self, account, checks):
        """Ask for numbers, in ever smaller parts where OVHcloud refuses some.

        :param checks: that are being asked for
        :raise ovh_client.OvhError: where it is not about single numbers
        """
        transact = partial(transaction.transact, self.env)
        pieces = [checks]
        refused = 0
        with account._get_client() as client:
            while pieces:
                piece = pieces.pop()
                try:
                    answer = client.post(
                        account._get_path("hlr"),
                        {"receivers": piece.mapped("number")},
                    )
                except ovh_client.OvhError as error:
                    is_refusal = isinstance(error, ovh_client.OvhBadRequest)
                    if is_refusal and len(piece) > 1:
                        half = len(piece) // 2
                        pieces += [piece[half:], piece[:half]]
                        continue
                    refused += 1
                    if is_refusal and refused <= MAX_REFUSED:
                        transact(partial(piece._refuse, error.message))
                        continue
                    transact(partial(piece._give_back, error.may_be_done))
                    for left in pieces:
                        transact(partial(left._give_back, False))
                    raise
                refused = 0
                transact(partial(piece._settle, account, answer))

    def _refuse(self, words):
        """Write down that OVHcloud does not take this number; nothing is paid then."""
        self.exists().write(
            {
                "state": "done",
                "result": "refused",
                "asked_at": False,
                "checked_at": fields.Datetime.now(),
                "error": words,
            }
        )

    def _give_back(self, may_be_done):
        """Put these off, or look for those that may have been asked for."""
        # Some may have been deleted meanwhile, with their contacts.
        if may_be_done:
            check = self._get_check()
            self.exists().write({"state": "unknown", "next_attempt": check})
        else:
            self.exists().write({"state": "queued", "asked_at": False})

    @api.model
    def _get_check(self):
        """Return when to look for what was asked without an answer."""
        seconds = self._sms_ovh_get_parameter("check_delay", const.CHECK_DELAY)
        check = fields.Datetime.now() + timedelta(seconds=seconds)
        self._trigger(check)
        return check

    def _settle(self, account, answer):
        """Adopt OVHcloud's answer to a question for these numbers.

        :param answer: `sms.SmsSendingReport` of the API, decoded
        """
        self = self.exists()
        answer = answer if isinstance(answer, dict) else {}
        ids, valid, invalid = (
            answer.get(name) if isinstance(answer.get(name), list) else []
            for name in ("ids", "validReceivers", "invalidReceivers")
        )
        valid = [normalize_number(str(number)) for number in valid]
        invalid = {normalize_number(str(number)) or number for number in invalid}
        # Which id is whose is seen when they are read: nothing promises an order.
        ids = dict(zip(valid, ids, strict=True)) if len(ids) == len(valid) else {}
        charged = answer.get("totalCreditsRemoved")
        if valid and isinstance(charged, int | float):
            account.check_credits = charged / len(valid)
        accepted = self.filtered(lambda check: check.number in ids)
        for check in accepted:
            check.ovh_id = str(ids[check.number])
        accepted._await_result(0)
        refused = self.filtered(lambda check: check.number in invalid) - accepted
        refused._refuse(False)
        left = self - accepted - refused
        if left:
            left._give_back(may_be_done=True)
        self.env["sms.ovh.account"]._trigger_synchronise()

    def _await_result(self, looks):
        """Schedule the reading of the results, later each time.

        :param int looks: how often that was done
        """
        if not self:
            return
        delays = const.CHECK_RESULT_AFTER
        if looks >= len(delays):
            self.write(
                {
                    "state": "failed",
                    "error": self.env._("Operators did not answer OVHcloud."),
                }
            )
            return
        moment = fields.Datetime.now() + delays[looks]
        self.write({"state": "waiting", "looks": looks, "next_attempt": moment})
        self._trigger(moment)

    # ------------------------------------------------------------
    # Results
    # ------------------------------------------------------------

    @api.model
    def _read_waiting(self, account, deadline):
        """Read what operators said of what OVHcloud was asked for.

        :param float deadline: as of :meth:`_ask_queued`
        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        while due := self._find_due(
            account, "waiting", limit=const.MAX_RECEIVERS_PER_JOB
        ):
            if time.monotonic() > deadline:
                self._trigger()
                return
            answers = self._fetch(account, due.mapped("ovh_id"))
            transaction.transact(self.env, partial(due._read_results, account, answers))

    @api.model
    def _fetch(self, account, ovh_ids):
        """Read questions from OVHcloud.

        :param ovh_ids: OVHcloud's ids
        :return: `sms.HlrLookupNumber` by id, None for what does not exist
        :rtype: dict
        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        ovh_ids = list(dict.fromkeys(ovh_ids))
        answers = ovh_calls.read_many(
            account._get_client_args(), account._get_path("hlr"), ovh_ids, const.THREADS
        )
        return {
            ovh_id: answer if isinstance(answer, dict) else None
            for ovh_id, answer in zip(ovh_ids, answers, strict=True)
        }

    @api.model
    def _read_msisdn(self, account, answer):
        """Return the number of a question in E.164, False where nobody can tell.

        With a plus sign, with zeros or bare: no description says how it is written.
        """
        text = str(answer.get("msisdn") or "")
        digits = "".join(filter(str.isdigit, text))
        if text.startswith("+"):
            return normalize_number(text)
        if digits.startswith("00"):
            return normalize_number(f"+{digits[2:]}")
        if digits.startswith("0"):
            return normalize_number(digits, account.company_id.country_id.code)
        return normalize_number(f"+{digits}")

    def _read_results(self, account, answers):
        """Write down what operators said, each on the number that it is about.

        :param dict answers: of :meth:`_fetch`, of these checks' ids
        """
        self = self.exists()
        by_number = {}
        for ovh_id, answer in answers.items():
            number = answer and self._read_msisdn(account, answer)
            if number:
                by_number[number] = (ovh_id, answer)
        # An answer may name a number that is not among these: its own row gets it.
        named = self.search(
            [
                ("account_id", "=", account.id),
                ("number", "in", list(by_number)),
                ("state", "in", ("posting", "unknown", "waiting")),
            ]
        )
        outcomes = defaultdict(list)
        moved = self.browse()
        for check in named:
            ovh_id, answer = by_number[check.number]
            if check.ovh_id != ovh_id:
                check.ovh_id = ovh_id
                moved |= check
            if result := self._get_result(answer):
                outcomes[result].append(check.id)
            elif check in moved and check not in self:
                check._await_result(0)
        now = fields.Datetime.now()
        ended = self.browse()
        for result, ids in outcomes.items():
            checks = self.browse(ids)
            ended |= checks
            checks.write(
                {
                    "state": "done",
                    "result": result,
                    "checked_at": now,
                    "next_attempt": False,
                    "error": False,
                }
            )
        left = self - ended
        # Whose id turned out to be another's, or nobody's.
        lost = left.filtered(lambda check: check.number not in by_number)
        lost.write(
            {"state": "unknown", "ovh_id": False, "looks": 0, "next_attempt": False}
        )
        if lost:
            self._trigger()
        for looks, checks in (left - lost).grouped("looks").items():
            checks._await_result(looks + 1)

    @api.model
    def _get_result(self, answer):
        """Return what an answer says of its number, None while nothing.

        :param dict answer: `sms.HlrLookupNumber` of the API
        """
        status = answer.get("status")
        if status == "error":
            return "unknown"
        if status != "done":
            return None
        if answer.get("valid") is False:
            return "dead"
        if answer.get("valid") is not True:
            return "unknown"
        return "absent" if answer.get("reachable") is False else "reachable"

    # ------------------------------------------------------------
    # Lost answers
    # ------------------------------------------------------------

    @api.model
    def _look_for_lost(self, account):
        """Look in OVHcloud's list for what was asked for without an answer.

        What is not there, looked for twice with time between, is asked for again.

        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        lost = self._find_due(account, "unknown")
        if not lost:
            return
        since = min(lost.mapped("asked_at")) - CLOCK_MARGIN
        with account._get_client() as client:
            listed = client.get(account._get_path("hlr")) or []
        known = self._find_known_ids(account, listed)
        new = sorted(
            {int(ovh_id) for ovh_id in listed if str(ovh_id) not in known}, reverse=True
        )
        wanted = set(lost.mapped("number"))
        complete = len(new) <= const.CHECK_MAX_LISTED
        for ids in split_every(
            const.MAX_RECEIVERS_PER_JOB, new[: const.CHECK_MAX_LISTED]
        ):
            answers = {
                ovh_id: answer
                for ovh_id, answer in self._fetch(account, map(str, ids)).items()
                if answer and self._is_since(account, answer, since)
            }
            found = {self._read_msisdn(account, each) for each in answers.values()}
            transaction.transact(
                self.env, partial(self.browse()._read_results, account, answers)
            )
            wanted -= found
            if not wanted:
                break
            if not answers:
                # The newest first: all that follows is older.
                complete = True
                break
        transaction.transact(self.env, partial(lost._settle_lost, complete))

    @api.model
    def _find_known_ids(self, account, ovh_ids):
        """Return which of OVHcloud's ids are known to be of a number."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT ovh_id FROM sms_ovh_number_check"
                " WHERE account_id = %s AND ovh_id = ANY(%s)",
                account.id,
                [str(ovh_id) for ovh_id in ovh_ids],
            )
        )
        return {ovh_id for (ovh_id,) in rows}

    @api.model
    def _is_since(self, account, answer, since):
        """Return whether a question was asked after a moment, or nobody can tell."""
        try:
            asked = parse_time(answer.get("datetime"))
        except (TypeError, ValueError):
            return True
        return not asked or asked >= since

    def _settle_lost(self, complete):
        """Say what becomes of these, which OVHcloud's list may not have.

        :param bool complete: whether all of it was read that can have them
        """
        lost = self.exists().filtered(lambda check: check.state == "unknown")
        again = lost.filtered(lambda check: complete and check.looks >= 1)
        again.write(
            {"state": "queued", "asked_at": False, "looks": 0, "next_attempt": False}
        )
        for looks, checks in (lost - again).grouped("looks").items():
            if looks >= const.MAX_ATTEMPTS:
                checks.write(
                    {
                        "state": "failed",
                        "error": self.env._(
                            "OVHcloud did not confirm the question. It may have been"
                            " paid for: check again if you want to."
                        ),
                    }
                )
            else:
                checks.write({"looks": looks + 1, "next_attempt": self._get_check()})
        if again:
            self._trigger()

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_send_anyway(self):
        """Send campaigns to these numbers, whatever operators said."""
        self._check_may_decide()
        # sudo: only the gateway writes all else.
        self.sudo().send_anyway = True

    def action_leave_out(self):
        """Leave these numbers out of campaigns again."""
        self._check_may_decide()
        # sudo: as above.
        self.sudo().send_anyway = False

    def action_check_again(self):
        """Open the question for these numbers, which would be paid for again."""
        self._check_may_decide()
        return self.env["sms.ovh.number.check.request"]._open_for_numbers(
            self.mapped("number"), again=True
        )

    def _check_may_decide(self):
        """Refuse who may not send campaigns for the company."""
        self.check_access("read")
        self.env["sms.ovh.number.check.request"].check_access("create")

    @api.autovacuum
    def _gc_checks(self):
        """Forget what was asked for long ago."""
        days = self._sms_ovh_get_parameter("keep_checks_days", const.KEEP_CHECKS_DAYS)
        limit = fields.Datetime.now() - timedelta(days=days)
        checks = self.search(
            [("state", "in", ("done", "failed")), ("write_date", "<", limit)],
            limit=GC_UNLINK_LIMIT,
        )
        checks.unlink()
        return len(checks), len(checks) == GC_UNLINK_LIMIT
