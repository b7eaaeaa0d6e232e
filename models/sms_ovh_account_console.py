"""What OVHcloud's console does with an account, done from Odoo.

API users, senders, automatic recharge, replies and callbacks: written to OVHcloud
first, then to Odoo's records as OVHcloud says them to be.
"""

import contextlib
import logging
import math
import re
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize
from odoo.tools.urls import urljoin

from .. import const
from ..tools import ovh_client, transaction
from ..tools.credits import format_credits

_logger = logging.getLogger(__name__)

# Property of the API -> callback of ours, which the route of the same name receives.
CALLBACKS = {"callBack": "delivery", "stopCallBack": "stop"}
# What OVHcloud puts before or into its words when it refuses one parameter.
PARAMETER_REGEX = re.compile(r"^\[(?P<name>\w+)\]")
CREDIT_ACTIVITY = "sms_ovh.mail_activity_type_credit"

CALLBACK_STATES = [
    ("none", "Off"),
    ("other", "Sent Elsewhere"),
    ("ok", "Received by Odoo"),
]


class SmsOvhAccount(models.Model):
    _inherit = "sms.ovh.account"

    # API users
    user_ids = fields.One2many("sms.ovh.user", "account_id", string="API Users")
    default_user_id = fields.Many2one(
        "sms.ovh.user",
        string="Send as API User",
        domain="[('account_id', '=', id)]",
        check_company=True,
        ondelete="restrict",
        copy=False,
        tracking=True,
        help="SMS are then sent in this user's name, and its quota pays for them.",
    )
    default_user_quota_active = fields.Boolean(related="default_user_id.quota_active")
    default_user_quota_left = fields.Float(
        related="default_user_id.quota_left", string="Quota Left"
    )

    # Credits
    recharge_amount = fields.Integer(string="SMS Recharged", readonly=True, copy=False)
    recharge_threshold = fields.Float(
        string="Recharged Below", digits=(16, 2), readonly=True, copy=False
    )
    credit_warning_threshold = fields.Integer(
        string="Warn Below",
        default=100,
        help="Odoo warns once when fewer SMS are left, unless OVHcloud recharges the"
        " account by itself. 0: never.",
    )
    credit_warning_user_ids = fields.Many2many(
        "res.users",
        relation="sms_ovh_account_credit_warning_user_rel",
        string="Who Is Warned",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="By default the responsible.",
    )
    credit_warned = fields.Boolean(readonly=True, copy=False)

    # Replies
    sms_response_type = fields.Selection(
        [
            ("none", "Nothing"),
            ("text", "Answer Automatically"),
            ("cgi", "Hand Over to Odoo"),
        ],
        string="On a Reply",
        readonly=True,
        copy=False,
        help="What OVHcloud does when a recipient replies.",
    )
    sms_response_text = fields.Text(
        string="Automatic Answer", readonly=True, copy=False
    )
    reply_emails = fields.Text(
        string="Forwarded To",
        readonly=True,
        copy=False,
        help="OVHcloud sends each reply to these e-mail addresses.",
    )
    stop_keywords = fields.Char(
        string="Opt-out Keywords",
        default=const.STOP_KEYWORDS,
        help="Whoever replies one of these words, with or without polite ones, opts out"
        " as by STOP. Separated by commas; case, accents, punctuation and digits do not"
        " matter.",
    )
    start_keywords = fields.Char(
        string="Opt-in Keywords",
        help="Whoever opted out and replies one of these words, and nothing else, gets"
        " SMS again: the number is taken off Odoo's blacklist and OVHcloud's. Separated"
        " by commas; empty: only a user takes a number off.",
    )
    last_reply_at = fields.Datetime(readonly=True, copy=False)
    # The last reply seen in each list of OVHcloud's that knows no time, by its path.
    reply_marks = fields.Json(string="Last Replies Seen", readonly=True, copy=False)
    stops_to_read = fields.Integer(
        string="STOP Still to Take Over",
        readonly=True,
        copy=False,
        help="Numbers on OVHcloud's blacklist that are not on Odoo's yet.",
    )
    answers_read_at = fields.Datetime(
        string="Replies Read On", readonly=True, copy=False
    )
    reply_count = fields.Integer(compute="_compute_reply_count")

    # Callbacks
    stop_callback_state = fields.Selection(
        CALLBACK_STATES,
        string="STOP",
        default="none",
        required=True,
        readonly=True,
        copy=False,
    )
    reply_callback_state = fields.Selection(
        [*CALLBACK_STATES, ("answer", "Answered Automatically")],
        string="Replies",
        default="none",
        required=True,
        readonly=True,
        copy=False,
    )

    def _compute_reply_count(self):
        counts = dict(
            self.env["sms.ovh.reply"]._read_group(
                [("account_id", "in", self.ids)], ["account_id"], ["__count"]
            )
        )
        for account in self:
            account.reply_count = counts.get(account, 0)

    @api.constrains("default_user_id")
    def _check_default_user(self):
        for account in self:
            user = account.default_user_id
            if user and user.account_id != account:
                raise UserError(
                    self.env._(
                        "“%s” is an API user of another account. Choose one of this"
                        " account.",
                        user.display_name,
                    )
                )

    @api.constrains("credit_warning_threshold")
    def _check_credit_warning_threshold(self):
        if any(account.credit_warning_threshold < 0 for account in self):
            raise UserError(
                self.env._("Odoo cannot warn below zero. Enter 0 to be never warned.")
            )

    @api.model
    def _get_for_action(self):
        """Return the account that a button without a record means.

        :raise UserError: where it cannot be told which
        """
        account = self.env.company.sms_ovh_account_id
        account = account or self.search([("company_id", "=", self.env.company.id)])
        if len(account) != 1:
            raise UserError(
                self.env._(
                    "Do this on the account, in Configuration > OVHcloud Settings."
                )
            )
        return account

    @api.model
    def _get_of_companies(self):
        """Return the accounts of all companies that the user works in now."""
        return self.search([("company_id", "in", self.env.companies.ids)])

    # ------------------------------------------------------------
    # Changing things at OVHcloud
    # ------------------------------------------------------------

    def _change_at_ovhcloud(self, change, read, label, gone_is_done=False):
        """Change something at OVHcloud, then read what it is now.

        :param change: makes the call that changes; gets a client
        :param read: makes the calls that read, returns what they answer; None to read
            nothing
        :param str label: of what is changed, for sentences
        :param bool gone_is_done: whether what does not exist is as well
        :return: what `read` returns, None where it failed: the change was made then,
            and the next synchronisation shows it
        :raise UserError: where OVHcloud refuses; nothing was changed
        """
        self.ensure_one()
        # Before the call: OVHcloud knows nothing of Odoo's rights.
        self.check_access("write")
        # What Odoo would refuse it refuses now, not after OVHcloud has changed.
        self.env.flush_all()
        with self._get_client() as client:
            try:
                change(client)
            except ovh_client.OvhNotFound as error:
                if not gone_is_done:
                    raise UserError(self._get_refusal_sentence(error, label)) from None
            except ovh_client.OvhError as error:
                raise UserError(self._get_refusal_sentence(error, label)) from None
            if read is None:
                return None
            try:
                return read(client)
            except ovh_client.OvhError as error:
                _logger.warning(
                    "OVHcloud SMS: account %s was changed, but cannot be read: %r",
                    self.id,
                    error,
                )
                self.env.ref("sms_ovh.ir_cron_synchronise").sudo()._trigger()
                return None

    def _get_refusal_sentence(self, error, label):
        """Return what a refused change means: which field, and what to do.

        :param ovh_client.OvhError error: what the call raised
        :param str label: of what was to be changed
        :rtype: str
        """
        words = error.message
        if isinstance(error, ovh_client.OvhNotFound):
            return self.env._(
                "“%(label)s” no longer exists at OVHcloud (%(words)s). Synchronise the"
                " account.",
                label=label,
                words=words,
            )
        if isinstance(error, ovh_client.OvhOutOfCredit):
            return self.env._(
                "The quota is more than what is left on the account: %s. Enter less,"
                " or buy a pack first.",
                words,
            )
        if error.status == 409:
            return self.env._(
                "“%(label)s” exists already at OVHcloud (%(words)s). Choose another"
                " name.",
                label=label,
                words=words,
            )
        if isinstance(error, ovh_client.OvhNotGranted) and not error.error_code:
            return self.env._(
                "OVHcloud does not allow this for “%(label)s”: %(words)s",
                label=label,
                words=words,
            )
        if isinstance(error, ovh_client.OvhBadRequest):
            field = self._get_parameter_label(words)
            if field:
                return self.env._(
                    "OVHcloud refuses the field “%(field)s” (%(words)s). Correct it"
                    " and try again.",
                    field=field,
                    words=words,
                )
        return self._get_error_sentence(error)

    def _get_parameter_label(self, words):
        """Return the user's word for the parameter that OVHcloud refuses, if any."""
        labels = {
            "login": self.env._("Login"),
            "password": self.env._("Password"),
            "quotaLeft": self.env._("Quota Left"),
            "alertThreshold": self.env._("Alert Limit"),
            "alertEmail": self.env._("Alert E-mail"),
            "alertNumber": self.env._("Alert Phone Number"),
            "support": self.env._("Notification"),
            "ipRestrictions": self.env._("Allowed IP Addresses"),
            "sender": self.env._("Sender"),
            "description": self.env._("Description"),
            "reason": self.env._("Reason"),
            "automaticRecreditAmount": self.env._("SMS Recharged"),
            "creditThresholdForAutomaticRecredit": self.env._("Recharged Below"),
            "smsResponse": self.env._("On a Reply"),
            "cgiUrl": self.env._("Address of Odoo"),
            "callBack": self.env._("Address of Odoo"),
            "stopCallBack": self.env._("Address of Odoo"),
            "trackingOptions": self.env._("Forwarded To"),
            "target": self.env._("Forwarded To"),
            "text": self.env._("Automatic Answer"),
        }
        match = PARAMETER_REGEX.match(words)
        if match and match["name"] in labels:
            return labels[match["name"]]
        for name, label in labels.items():
            if re.search(rf"\b{name}\b", words, re.IGNORECASE):
                return label
        return None

    # ------------------------------------------------------------
    # The service
    # ------------------------------------------------------------

    def _get_callback_url(self, kind):
        """Return the address that OVHcloud calls for callbacks of this kind."""
        self.ensure_one()
        # sudo: the token in it is for system administrators and OVHcloud only.
        token = self.sudo().callback_token
        return urljoin(self.get_base_url(), f"/sms_ovh/{token}/{kind}")

    def _read_service(self, service):
        """Return this account's values as the service at OVHcloud has them.

        What is no number or text where one should be leaves all else as it is.

        :param dict service: `sms.Account` of the API
        """
        self.ensure_one()
        response = service.get("smsResponse")
        response = response if isinstance(response, dict) else {}
        amount = int(self._read_number(service, "automaticRecreditAmount") or 0)
        threshold = self._read_number(service, "creditThresholdForAutomaticRecredit")
        credits_left = self._read_number(service, "creditsLeft")
        options = response.get("trackingOptions")
        response_type = response.get("responseType")
        if response_type not in dict(self._fields["sms_response_type"].selection):
            response_type = "none"
        emails = [
            option["target"]
            for option in (options if isinstance(options, list) else [])
            if isinstance(option, dict)
            and option.get("media") == "email"
            and isinstance(option.get("target"), str)
        ]
        values = {
            "credits_left": (
                self.credits_left if credits_left is None else credits_left
            ),
            "credits_held_by_quota": (
                self._read_number(service, "creditsHoldByQuota") or 0
            ),
            "description": service.get("description") or False,
            "auto_recharge": bool(amount),
            "recharge_amount": amount,
            "recharge_threshold": threshold or 0,
            "sms_response_type": response_type,
            "sms_response_text": response.get("text") or False,
            "reply_emails": "\n".join(emails) or False,
            "callback_state": self._get_callback_state(
                service.get("callBack"), "delivery"
            ),
            "stop_callback_state": self._get_callback_state(
                service.get("stopCallBack"), "stop"
            ),
        }
        if response_type == "cgi":
            values["reply_callback_state"] = self._get_callback_state(
                response.get("cgiUrl"), "reply"
            )
        else:
            values["reply_callback_state"] = (
                "answer" if response_type == "text" else "none"
            )
        return values

    def _read_number(self, service, name):
        """Return a property as a number, None where it is none.

        :rtype: float|None
        """
        value = service.get(name)
        if value is None:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if math.isfinite(number):
            return number
        _logger.warning("OVHcloud SMS: account %s: its %s is no number", self.id, name)
        return None

    def _get_callback_state(self, url, kind):
        if not url:
            return "none"
        return "ok" if url == self._get_callback_url(kind) else "other"

    def _adopt_service(self, service):
        """Keep what OVHcloud says of the service."""
        # sudo: values that only OVHcloud decides on.
        self.sudo().write(self._read_service(service))
        self._check_credits()

    def _change_service(self, values):
        """Change properties of the service at OVHcloud, then here.

        :param dict values: properties of `sms.Account`
        :return: whether OVHcloud could be read afterwards
        :rtype: bool
        :raise UserError: where OVHcloud refuses; nothing is changed then
        """
        path = self._get_path()
        service = self._change_at_ovhcloud(
            lambda client: client.put(path, values),
            lambda client: client.get(path),
            self.service_name,
        )
        if service:
            self._adopt_service(service)
        return bool(service)

    def _refresh_service(self):
        """Read the service again, where that is possible: the credits left moved."""
        self.ensure_one()
        try:
            with self._get_client() as client:
                self._adopt_service(client.get(self._get_path()))
        except (ovh_client.OvhError, KeyError, TypeError, ValueError) as error:
            _logger.info(
                "OVHcloud SMS: account %s cannot be read again: %s",
                self.id,
                type(error).__name__,
            )

    def action_read_again(self):
        """Read these accounts from OVHcloud, and say how that went."""
        self.check_access("read")
        failed = self.filtered(lambda account: not account._synchronise())
        if failed:
            return failed[0]._notify(
                "danger",
                "\n".join(
                    f"{account.service_name}: {account.state_message}"
                    for account in failed
                ),
            )
        return self[:1]._notify("success", self.env._("Read from OVHcloud."))

    # ------------------------------------------------------------
    # Callbacks
    # ------------------------------------------------------------

    def _prepare_missing_callbacks(self, service):
        """Return the callbacks of the service that nobody receives, set to ours.

        Replies of which OVHcloud does nothing only at first: later that may be a wish.
        """
        values = {
            name: self._get_callback_url(kind)
            for name, kind in CALLBACKS.items()
            if not service.get(name)
        }
        response = service.get("smsResponse") or {}
        if not self.last_sync and response.get("responseType", "none") == "none":
            values["smsResponse"] = {
                **response,
                "responseType": "cgi",
                "cgiUrl": self._get_callback_url("reply"),
            }
        return values

    def _complete_callbacks(self, client, service):
        """Have the callbacks that nobody receives come to Odoo.

        Those of the API user as whom SMS are sent, too: its own come before the
        account's.

        :param client: `OvhSmsClient`
        :param dict service: `sms.Account` of the API
        :return: the service as it is now
        :rtype: dict
        :raise ovh_client.OvhError: where OVHcloud refuses
        """
        missing = self._prepare_missing_callbacks(service)
        if missing:
            client.put(self._get_path(), missing)
            service = client.get(self._get_path())
        if self.default_user_id:
            path = self._get_path("users", self.default_user_id.login)
            # One that is not listed any more is archived with this reading.
            with contextlib.suppress(ovh_client.OvhNotFound):
                user = client.get(path)
                own = {
                    name: self._get_callback_url(kind)
                    for name, kind in CALLBACKS.items()
                    if not user.get(name)
                }
                if own:
                    client.put(path, own)
        return service

    def _prepare_callbacks(self, service):
        """Return the properties by which all callbacks come to Odoo.

        An automatic answer is left on: OVHcloud either answers or hands over.
        """
        values = {
            name: self._get_callback_url(kind) for name, kind in CALLBACKS.items()
        }
        response = service.get("smsResponse") or {}
        if response.get("responseType") != "text":
            values["smsResponse"] = {
                **response,
                "responseType": "cgi",
                "cgiUrl": self._get_callback_url("reply"),
            }
        return values

    def _write_callbacks(self):
        """Write all callbacks to OVHcloud and read them back.

        :return: labels of those that OVHcloud did not take over
        :rtype: list[str]
        :raise UserError: where OVHcloud refuses
        """
        self.ensure_one()
        path = self._get_path()
        user = self.default_user_id

        def change(client):
            client.put(path, self._prepare_callbacks(client.get(path)))
            if user:
                # A user's own addresses come before the account's.
                client.put(
                    self._get_path("users", user.login),
                    {
                        name: self._get_callback_url(kind)
                        for name, kind in CALLBACKS.items()
                    },
                )

        service = self._change_at_ovhcloud(
            change, lambda client: client.get(path), self.service_name
        )
        if not service:
            raise UserError(
                self.env._(
                    "OVHcloud took the addresses, but cannot be asked whether they are"
                    " right. Test the connection in a minute."
                )
            )
        self._adopt_service(service)
        right = {
            "callback_state": ("ok",),
            "stop_callback_state": ("ok",),
            "reply_callback_state": ("ok", "answer"),
        }
        return [
            self._fields[name]._description_string(self.env)
            for name, states in right.items()
            if self[name] not in states
        ]

    # ------------------------------------------------------------
    # Senders
    # ------------------------------------------------------------

    def _tell(self, body):
        """Post a sentence, as text, to the account's followers."""
        # sudo: news of OVHcloud, whoever happens to read them first.
        self.sudo().message_post(body=body, subtype_xmlid="mail.mt_comment")

    def action_request_sender(self):
        """Open the request of a sender, with the names that OVHcloud suggests."""
        self.ensure_one()
        return self.env["sms.ovh.sender"]._open_request(self)

    # ------------------------------------------------------------
    # API users
    # ------------------------------------------------------------

    def action_create_user(self):
        """Open the creation of an API user."""
        self.ensure_one()
        self.check_access("write")
        return self.env["sms.ovh.user.create"].create({"account_id": self.id})._open()

    def _can_pay(self):
        """Tell whether more is left than what did not do when sending was stopped.

        What an API user's quota pays for waits apart: see `sms.ovh.job`.
        """
        self.ensure_one()
        above = self.pause_credits if self.pause_reason == "credit" else 0
        return self.auto_recharge or self.credits_left > above

    def _get_credits_to_spend(self):
        """Return the SMS left to whom this account sends as; None without a limit."""
        self.ensure_one()
        if self.default_user_id.quota_active:
            return self.default_user_id.quota_left
        return None if self.auto_recharge else self.credits_left

    # ------------------------------------------------------------
    # Credits
    # ------------------------------------------------------------

    def action_set_recharge(self):
        """Open the settings of the automatic recharge."""
        self.ensure_one()
        self.check_access("write")
        amount = str(self.recharge_amount)
        recharge = self.env["sms.ovh.recharge"].create(
            {
                "account_id": self.id,
                "amount": amount if amount in const.RECHARGE_AMOUNTS else "off",
                "threshold": self.recharge_threshold or 100,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Automatic Recharge"),
            "res_model": recharge._name,
            "res_id": recharge.id,
            "view_mode": "form",
            "target": "new",
        }

    def _check_credits(self):
        """Warn once when the SMS left fall below what is asked for."""
        for account in self.sudo():
            low = (
                not account.auto_recharge
                and account.credits_left < account.credit_warning_threshold
            )
            if not low:
                if account.credit_warned:
                    account.credit_warned = False
                    account.activity_unlink([CREDIT_ACTIVITY])
                continue
            if account.credit_warned:
                continue
            account.credit_warned = True
            users = account.credit_warning_user_ids or account.user_id
            if not users:
                account._tell(
                    account.env._(
                        "SMS left on %(service)s: %(credits)s.",
                        credits=format_credits(self.env, account.credits_left),
                        service=account.service_name,
                    )
                )
            for user in users:
                lang_account = account.with_context(lang=user.lang)
                lang_account.activity_schedule(
                    CREDIT_ACTIVITY,
                    user_id=user.id,
                    summary=lang_account.env._("Few SMS left at OVHcloud"),
                    note=lang_account.env._(
                        "SMS left on %(service)s: %(credits)s. Buy a pack, or turn on"
                        " the automatic recharge: without, SMS wait once none is left.",
                        credits=format_credits(lang_account.env, account.credits_left),
                        service=account.service_name,
                    ),
                )

    # ------------------------------------------------------------
    # Replies and STOP
    # ------------------------------------------------------------

    def action_set_replies(self):
        """Open the settings of replies."""
        self.ensure_one()
        self.check_access("write")
        settings = self.env["sms.ovh.reply.settings"].create(
            {
                "account_id": self.id,
                "response_type": self.sms_response_type or "none",
                "response_text": self.sms_response_text,
                "emails": self.reply_emails,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Replies"),
            "res_model": settings._name,
            "res_id": settings.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_view_replies(self):
        """Open the replies to this account's SMS."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_ovh.sms_ovh_reply_action"
        )
        return {**action, "domain": [("account_id", "=", self.id)]}

    def _read_answers(self, run=None):
        """Read what was replied, then who answered STOP: the latter may be many.

        :param run: calls a function, and may commit what it did; by default nothing is
            committed
        :return: whether OVHcloud answered
        :rtype: bool
        """
        self.ensure_one()
        # sudo: runs for whoever triggers it, on records of the account.
        account = self.sudo()
        run = run or (lambda function: function())
        complete = True
        with account._get_client() as client:
            for read in (
                lambda: run(partial(account._read_replies, client)),
                partial(account._read_stops, client, run),
            ):
                try:
                    read()
                except (
                    ovh_client.OvhError,
                    AttributeError,
                    KeyError,
                    TypeError,
                    ValueError,
                ) as error:
                    _logger.warning(
                        "OVHcloud SMS: replies of account %s cannot be read: %s",
                        account.id,
                        type(error).__name__,
                    )
                    complete = False
        return complete

    @api.model
    def _cron_read_answers(self):
        """Read replies and STOP: where OVHcloud said there are some, and regularly."""
        Event = self.env["sms.ovh.event"]
        signals = Event.search([("kind", "!=", "delivery"), ("state", "=", "new")])
        signals = signals._leave_out_orphans()
        accounts = signals.account_id
        accounts |= self.search(
            [("state", "=", "connected"), ("auth_method", "!=", "http2sms")]
        )
        self.env["ir.cron"]._commit_progress(remaining=len(accounts))
        for account in accounts:
            # Only what came before the reading is known to be in it.
            own = signals.filtered(
                lambda signal, account=account: signal.account_id == account
            )
            account = account._in_its_language()

            # Sending and reports write on the same traces.
            run = partial(transaction.transact, self.env)
            if account._read_answers(run):
                run(partial(account._set_answers_read, own))
            self.env["ir.cron"]._commit_progress(1)

    def _set_answers_read(self, signals):
        """Write down that replies and STOP were read.

        :param signals: `sms.ovh.event` that said that there were some
        """
        self.answers_read_at = fields.Datetime.now()
        signals.state = "done"

    @api.model
    def _parse_emails(self, text):
        """Return the e-mail addresses in `text`, separated by commas, spaces or lines.

        :raise UserError: for what is no address
        """
        emails = []
        for part in re.split(r"[\s,;]+", text or ""):
            if not part:
                continue
            email = email_normalize(part)
            if not email:
                raise UserError(
                    self.env._(
                        "“%s” is not an e-mail address. Correct it, one address a"
                        " line.",
                        part,
                    )
                )
            if email not in emails:
                emails.append(email)
        return emails
