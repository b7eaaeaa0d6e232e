import ipaddress
import logging
import re
import secrets
from datetime import timedelta, timezone
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL
from odoo.tools.urls import urljoin

from .. import const
from ..tools import ovh_client

_logger = logging.getLogger(__name__)

# What OVHcloud's guides and answers show; the letters are those of the customer's code.
SERVICE_NAME_REGEX = re.compile(r"sms-[a-z0-9]+-[0-9]+")
KEY_REGEX = re.compile(r"[A-Za-z0-9]{8,128}")
KEY_FIELDS = ("application_key", "application_secret", "consumer_key")

# A sender that OVHcloud offers to every French account without listing it.
SHORT_NUMBER_NAME = "short"


class SmsOvhAccount(models.Model):
    """One SMS Pro service of OVHcloud, and how one company sends through it."""

    _name = "sms.ovh.account"
    _description = "OVHcloud SMS Account"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _rec_name = "service_name"
    _order = "company_id, service_name"
    _check_company_auto = True

    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    service_name = fields.Char(
        string="Service",
        required=True,
        tracking=True,
        help="Name of the SMS service in OVHcloud's console, like sms-ab12345-1.",
    )
    description = fields.Char(readonly=True, copy=False)

    # Connection
    endpoint = fields.Selection(
        [("ovh-eu", "OVHcloud Europe"), ("custom", "Other Address")],
        string="API",
        required=True,
        default="ovh-eu",
        groups="base.group_system",
    )
    endpoint_url = fields.Char(
        string="API Address",
        groups="base.group_system",
        help="Base address of the API with its version, as https://example.com/1.0."
        " For a simulator or a gateway of your own.",
    )
    application_key = fields.Char(groups="base.group_system", copy=False)
    application_secret = fields.Char(groups="base.group_system", copy=False)
    consumer_key = fields.Char(groups="base.group_system", copy=False)
    state = fields.Selection(
        [
            ("draft", "Not Connected"),
            ("connected", "Connected"),
            ("error", "Connection Failed"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    state_message = fields.Char(readonly=True, copy=False)
    last_sync = fields.Datetime(string="Last Synchronisation", readonly=True, copy=False)

    # What OVHcloud says
    credits_left = fields.Float(
        string="SMS Left",
        digits=(16, 2),
        readonly=True,
        copy=False,
        help="Credits left on the account: one credit is one SMS to France; to other"
        " countries one SMS may cost more than one credit.",
    )
    sender_ids = fields.One2many("sms.ovh.sender", "account_id", readonly=True)
    default_sender_id = fields.Many2one(
        "sms.ovh.sender",
        string="Default Sender",
        domain="[('account_id', '=', id), ('status', '=', 'enable')]",
        check_company=True,
        ondelete="restrict",
        copy=False,
        tracking=True,
        help="Who the SMS come from. Only senders that OVHcloud has enabled can be"
        " chosen. Recipients can reply to the short number.",
    )
    default_sender_can_reply = fields.Boolean(related="default_sender_id.can_reply")

    auto_recharge = fields.Boolean(
        string="Automatic Recharge",
        readonly=True,
        copy=False,
        help="OVHcloud orders a new pack by itself when few SMS are left.",
    )

    # The queue
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        tracking=True,
        help="Who is told when sending stops.",
    )
    pause_reason = fields.Selection(
        [("credit", "No SMS left"), ("keys", "Keys refused")],
        string="Sending Stopped",
        readonly=True,
        copy=False,
        tracking=True,
    )
    pause_message = fields.Char(readonly=True, copy=False)

    # Callbacks
    callback_token = fields.Char(
        groups="base.group_system",
        default=lambda self: secrets.token_urlsafe(32),
        required=True,
        copy=False,
    )
    delivery_url = fields.Char(
        string="Address for Delivery Reports",
        compute="_compute_delivery_url",
        groups="base.group_system",
    )
    delivery_unreachable = fields.Boolean(
        compute="_compute_delivery_unreachable",
        help="OVHcloud cannot reach Odoo's address from the Internet.",
    )
    callback_state = fields.Selection(
        [
            ("none", "Off"),
            ("other", "Sent Elsewhere"),
            ("ok", "Received by Odoo"),
        ],
        string="Delivery Reports",
        default="none",
        required=True,
        readonly=True,
        copy=False,
    )

    _service_name_unique = models.UniqueIndex(
        "(service_name, COALESCE(endpoint_url, '')) WHERE active",
        "Another account uses this service already. A service belongs to one account.",
    )
    _callback_token_unique = models.UniqueIndex("(callback_token)")

    # ------------------------------------------------------------
    # Compute and constraints
    # ------------------------------------------------------------

    @api.depends("service_name", "description")
    def _compute_display_name(self):
        for account in self:
            account.display_name = " – ".join(
                filter(None, [account.service_name, account.description])
            )

    @api.depends("callback_token")
    def _compute_delivery_url(self):
        for account in self:
            account.delivery_url = account.callback_token and urljoin(
                account.get_base_url(),
                f"/sms_ovh/{account.callback_token}/delivery",
            )

    @api.depends("callback_token", "endpoint")
    def _compute_delivery_unreachable(self):
        for account in self:
            # sudo: only whether the address is one of the Internet.
            account_sudo = account.sudo()
            host = urlsplit(account_sudo.delivery_url or "").hostname or ""
            account.delivery_unreachable = (
                account_sudo.endpoint != "custom" and self._is_private_host(host)
            )

    @api.model
    def _is_private_host(self, host):
        """Return whether nobody on the Internet can reach `host`."""
        try:
            return not ipaddress.ip_address(host).is_global
        except ValueError:
            return "." not in host or host.endswith((".local", ".localhost", ".lan"))

    @api.constrains("service_name")
    def _check_service_name(self):
        for account in self:
            if not SERVICE_NAME_REGEX.fullmatch(account.service_name or ""):
                raise ValidationError(
                    self.env._(
                        "“%s” is not an OVHcloud SMS service. Copy its name from"
                        " OVHcloud's console; it looks like sms-ab12345-1.",
                        account.service_name,
                    )
                )

    @api.constrains(*KEY_FIELDS)
    def _check_keys(self):
        for account in self.sudo():
            for name in KEY_FIELDS:
                if account[name] and not KEY_REGEX.fullmatch(account[name]):
                    field_string = account._fields[name]._description_string(self.env)
                    raise ValidationError(
                        self.env._(
                            "This is not an OVHcloud key: %s. Copy it again from"
                            " OVHcloud's page; it has letters and digits only.",
                            field_string,
                        )
                    )

    @api.constrains("endpoint", "endpoint_url")
    def _check_endpoint_url(self):
        for account in self.sudo():
            if account.endpoint != "custom":
                continue
            try:
                url = urlsplit(account.endpoint_url or "")
                valid = url.scheme in ("http", "https") and url.hostname
                valid = valid and not (url.username or url.query or url.fragment)
            except ValueError:
                valid = False
            if not valid:
                raise ValidationError(
                    self.env._(
                        "“%s” is not the address of an API. Enter it with its version,"
                        " as https://example.com/1.0.",
                        account.endpoint_url or "",
                    )
                )

    @api.constrains("default_sender_id")
    def _check_default_sender(self):
        for account in self:
            sender = account.default_sender_id
            if sender and sender.account_id != account:
                raise ValidationError(
                    self.env._(
                        "“%s” is a sender of another account. Choose one of this"
                        " account.",
                        sender.display_name,
                    )
                )
            if sender and sender.status != "enable":
                raise ValidationError(
                    self.env._(
                        "OVHcloud has not enabled the sender “%s”. Choose one that is"
                        " enabled.",
                        sender.display_name,
                    )
                )

    @api.constrains("company_id")
    def _check_company_of_users(self):
        """Refuse to take an account away from the company that sends with it."""
        companies = self.env["res.company"].sudo().search(
            [("sms_ovh_account_id", "in", self.ids)]
        )
        for company in companies:
            if company.sms_ovh_account_id.company_id != company:
                raise ValidationError(
                    self.env._(
                        "%s sends its SMS with this account. Choose another account in"
                        " that company's settings first.",
                        company.name,
                    )
                )

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model
    def _clean_values(self, vals):
        """Return `vals` without what gets copied along with a key or a name."""
        vals = dict(vals)
        for name in ("service_name", "endpoint_url", *KEY_FIELDS):
            if isinstance(vals.get(name), str):
                vals[name] = vals[name].strip()
        if isinstance(vals.get("service_name"), str):
            vals["service_name"] = vals["service_name"].lower()
        if isinstance(vals.get("endpoint_url"), str):
            vals["endpoint_url"] = vals["endpoint_url"].rstrip("/")
        return vals

    @api.model_create_multi
    def create(self, vals_list):
        """Override to clean what was typed."""
        return super().create([self._clean_values(vals) for vals in vals_list])

    def write(self, vals):
        """Override to clean what was typed, and to forget a state it makes untrue."""
        vals = self._clean_values(vals)
        connection = {"service_name", "endpoint", "endpoint_url", *KEY_FIELDS}
        if connection & vals.keys() and "state" not in vals:
            vals.update(state="draft", state_message=False)
        return super().write(vals)

    # ------------------------------------------------------------
    # OVHcloud
    # ------------------------------------------------------------

    def _get_client(self):
        """Return a client for this account's API and keys.

        :rtype: ovh_client.OvhSmsClient
        """
        return ovh_client.OvhSmsClient(*self._get_client_args())

    def _get_client_args(self):
        """Return what a client of this account is made from, as plain values."""
        self.ensure_one()
        # sudo: the keys, which only system administrators may read, stay in the client.
        account_sudo = self.sudo()
        if account_sudo.endpoint == "custom":
            base_url = account_sudo.endpoint_url
        else:
            base_url = const.ENDPOINT_URLS[account_sudo.endpoint]
        return (
            base_url,
            account_sudo.application_key,
            account_sudo.application_secret,
            account_sudo.consumer_key,
            (const.CONNECT_TIMEOUT, const.READ_TIMEOUT),
        )

    def _get_path(self, *segments):
        """Return the API's path of this service, or of something in it."""
        self.ensure_one()
        return "/".join(
            ["/sms", *map(ovh_client.quote_path, (self.service_name, *segments))]
        )

    def _get_error_sentence(self, error):
        """Return a sentence in the user's language: what is wrong and what to do.

        :param ovh_client.OvhError error: what a call raised
        :rtype: str
        """
        self.ensure_one()
        _ = self.env._
        words = error.message
        match error:
            case ovh_client.OvhUnreachable():
                return _(
                    "OVHcloud cannot be reached. Check this server's connection to the"
                    " Internet and try again."
                )
            case ovh_client.OvhUnknownApplication():
                return _(
                    "OVHcloud does not know the application key. Copy it again from"
                    " the page on which it was created."
                )
            case ovh_client.OvhSignatureRefused():
                return _(
                    "OVHcloud refuses the signature: the application secret does not"
                    " belong to the application key. Copy both again."
                )
            case ovh_client.OvhConsumerKeyRefused():
                return _(
                    "OVHcloud refuses the consumer key: it was not approved yet, was"
                    " refused, or has expired. Approve it on OVHcloud's page or create"
                    " a new one."
                )
            case ovh_client.OvhCredentialRefused():
                return _(
                    "The keys are not complete. Enter the application key, its secret"
                    " and the consumer key."
                )
            case ovh_client.OvhClockOff():
                return _(
                    "The clock of this server is off, so OVHcloud refuses its calls."
                    " Have the server's clock set."
                )
            case ovh_client.OvhNotGranted():
                return _(
                    "The consumer key lacks a right (%s). Create one that may GET,"
                    " POST, PUT and DELETE on /sms and /sms/*.",
                    words,
                )
            case ovh_client.OvhNotFound():
                return _(
                    "OVHcloud finds no service %(service)s with these keys"
                    " (%(words)s). Check its name in OVHcloud's console.",
                    service=self.service_name,
                    words=words,
                )
            case ovh_client.OvhOutOfCredit():
                return _(
                    "Not enough SMS are left on %(service)s (%(words)s). Buy a pack or"
                    " turn on the automatic recharge in OVHcloud's console.",
                    service=self.service_name,
                    words=words,
                )
            case ovh_client.OvhThrottled():
                return _("OVHcloud asks to slow down. Try again in a minute.")
            case ovh_client.OvhBadRequest():
                return _("OVHcloud refuses: %s", words)
            case ovh_client.OvhNoAnswer():
                return _(
                    "OVHcloud did not answer (%s). What was asked for may have been"
                    " done: check before you do it again.",
                    words,
                )
            case ovh_client.OvhServerError():
                return _(
                    "OVHcloud has a failure of its own (%s). What was asked for may"
                    " have been done: check before you do it again.",
                    error.status,
                )
            case _unreadable:
                return _(
                    "OVHcloud's answer cannot be read. What was asked for may have"
                    " been done: check before you do it again."
                )

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_test_connection(self):
        """Read the account from OVHcloud and say in one sentence how it went.

        :return: a notification; the form behind it is read again
        :rtype: dict
        """
        self.ensure_one()
        if self._synchronise():
            return self._notify(
                "success",
                self.env._(
                    "Connected to %(service)s: %(credits)s SMS left.",
                    service=self.display_name,
                    credits=f"{self.credits_left:g}",
                ),
            )
        return self._notify("danger", self.state_message)

    def action_synchronise(self):
        """Read service and senders from OVHcloud, and have reports sent to Odoo."""
        for account in self:
            account._synchronise()
        return True

    def action_register_callbacks(self):
        """Have OVHcloud send its delivery reports to Odoo, whatever it does now.

        :raise UserError: where OVHcloud refuses, with what to do
        """
        self.ensure_one()
        try:
            with self._get_client() as client:
                self._register_callbacks(client)
        except ovh_client.OvhError as error:
            raise UserError(self._get_error_sentence(error)) from None
        return self._notify(
            "success", self.env._("OVHcloud now sends its delivery reports to Odoo.")
        )

    def _notify(self, kind, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "sticky": kind == "danger",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # ------------------------------------------------------------
    # Synchronisation
    # ------------------------------------------------------------

    @api.model
    def _cron_synchronise(self):
        """Read every connected account, each in a transaction of its own."""
        accounts = self.search([("state", "!=", "draft")])
        # Accounts that companies send with, even when nobody tested them yet.
        accounts |= self.env["res.company"].search([]).sms_ovh_account_id
        self.env["ir.cron"]._commit_progress(remaining=len(accounts))
        for account in accounts:
            account.with_context(lang=account.company_id.partner_id.lang)._synchronise()
            self.env["ir.cron"]._commit_progress(1)

    def _synchronise(self):
        """Read service and senders from OVHcloud into this account.

        :return: whether OVHcloud answered; if not, the state's message says why
        :rtype: bool
        """
        self.ensure_one()
        # sudo: marketing users refresh what they see, without a right to change it.
        account_sudo = self.sudo()
        try:
            with self._get_client() as client:
                service = client.get(self._get_path())
                senders = self._fetch_senders(client)
                callback = (service or {}).get("callBack")
                if not callback:
                    self._register_callbacks(client)
                    callback = account_sudo.delivery_url
            values = {
                "credits_left": float(service["creditsLeft"]),
                "description": service.get("description") or False,
                "auto_recharge": bool(service.get("automaticRecreditAmount")),
            }
        except ovh_client.OvhError as error:
            account_sudo.write(
                {"state": "error", "state_message": self._get_error_sentence(error)}
            )
            return False
        except (KeyError, TypeError, ValueError, AttributeError):
            error = ovh_client.OvhUnreadableAnswer("Unexpected content")
            account_sudo.write(
                {"state": "error", "state_message": self._get_error_sentence(error)}
            )
            return False
        account_sudo.write(
            {
                **values,
                "state": "connected",
                "state_message": False,
                "last_sync": fields.Datetime.now(),
                "callback_state": (
                    "ok" if callback == account_sudo.delivery_url else "other"
                ),
            }
        )
        account_sudo._update_senders(senders)
        if account_sudo.pause_reason == "keys" or (
            account_sudo.pause_reason
            and (account_sudo.auto_recharge or account_sudo.credits_left > 0)
        ):
            account_sudo.action_resume()
        return True

    # ------------------------------------------------------------
    # What reports missed
    # ------------------------------------------------------------

    def _poll(self, trackers):
        """Ask OVHcloud what became of SMS of which no final report came.

        The lists of delivered and of failed SMS of their time are asked for, which is
        few calls however many they are; what is found goes the way of every report.

        :param trackers: `sms.tracker` of this account
        """
        self.ensure_one()
        Event = self.env["sms.ovh.event"].sudo()
        open_ids = set(trackers.mapped("sms_ovh_id"))
        # An SMS is created at OVHcloud's after its tracker and, held back at night and
        # at week-ends, still lives `VALIDITY_PERIOD` later.
        period = {
            "creationDatetime.from": self._format_datetime(
                min(trackers.mapped("create_date")) - timedelta(days=1)
            ),
            "creationDatetime.to": self._format_datetime(fields.Datetime.now()),
        }
        found = []
        try:
            with self._get_client() as client:
                path = self._get_path("outgoing")
                for dlr, state in const.DLR_TO_STATE.items():
                    if const.STATE_RANK[state] <= const.STATE_RANK["pending"]:
                        continue
                    ids = client.get(path, deliveryReceipt=dlr, **period) or []
                    ids = open_ids.intersection(map(str, ids))
                    if state == "sent":
                        found += [{"id": ovh_id, "dlr": str(dlr)} for ovh_id in ids]
                        continue
                    for ovh_id in sorted(ids)[: const.POLL_FAILURES]:
                        sms = client.get(f"{path}/{ovh_client.quote_path(ovh_id)}")
                        found.append(
                            {"id": ovh_id, "dlr": str(dlr), "ptt": str(sms["ptt"])}
                        )
        except (ovh_client.OvhError, KeyError, TypeError) as error:
            _logger.warning(
                "OVHcloud SMS: account %s cannot be asked for reports: %s",
                self.id,
                type(error).__name__,
            )
        events = Event.browse(
            [Event._receive_delivery(self.id, {**params}) for params in found]
        )
        events._process()
        trackers.filtered("sms_ovh_poll_at")._sms_ovh_postpone_poll()

    @staticmethod
    def _format_datetime(value):
        """Return a naive UTC time as the API takes it."""
        return value.replace(microsecond=0, tzinfo=timezone.utc).isoformat()

    # ------------------------------------------------------------
    # The queue
    # ------------------------------------------------------------

    def _pause(self, reason, message):
        """Send nothing more until it is cured: all that follows would fail alike.

        :param str reason: 'credit' or 'keys'
        :param str message: sentence for whoever is responsible
        """
        for account in self.filtered(lambda account: not account.pause_reason):
            account.write({"pause_reason": reason, "pause_message": message})
            account.activity_schedule(
                "mail.mail_activity_data_warning",
                user_id=account.user_id.id or self.env.uid,
                summary=account.env._("SMS are no longer sent"),
                note=message,
            )

    def action_resume(self):
        """Send what has been waiting since sending was stopped."""
        paused = self.filtered("pause_reason")
        paused.write({"pause_reason": False, "pause_message": False})
        # sudo: the activity is another's, once cured it is done.
        paused.sudo().activity_unlink(["mail.mail_activity_data_warning"])
        if paused:
            self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()
        return True

    @api.model
    def _cron_resume(self):
        """Look whether what stopped accounts has been cured meanwhile."""
        paused = self.search([("pause_reason", "!=", False)])
        for account in paused:
            account.with_context(lang=account.company_id.partner_id.lang)._synchronise()
            self.env["ir.cron"]._commit_progress(1)

    @api.model
    def _find_by_token(self, token):
        """Return (id, token) of the active account that is called with `token`, if any.

        In SQL: the route of delivery reports makes no other query, and the ORM's share
        of such a search would be most of its time.
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT id, callback_token FROM sms_ovh_account"
                " WHERE callback_token = %s AND active",
                token,
            )
        )
        return rows[0] if rows else None

    def _register_callbacks(self, client):
        """Write the address for delivery reports to OVHcloud."""
        account_sudo = self.sudo()
        client.put(self._get_path(), {"callBack": account_sudo.delivery_url})
        account_sudo.callback_state = "ok"

    def _fetch_senders(self, client):
        """Return the values of all senders that OVHcloud knows for this service.

        :rtype: list[dict]
        """
        senders = [
            client.get(self._get_path("senders", name))
            for name in client.get(self._get_path("senders"))
        ]
        values = [
            {
                "name": sender["sender"],
                "type": self._get_selection("type", sender.get("type"), "alpha"),
                "status": self._get_selection("status", sender["status"], "disable"),
                "description": sender.get("description") or False,
                "comment": sender.get("comment") or False,
            }
            for sender in senders
        ]
        known = {(value["type"], value["name"]) for value in values}
        values += [
            {"name": number, "type": "virtual", "status": "enable"}
            for number in client.get(self._get_path("virtualNumbers"))
            if ("virtual", number) not in known
        ]
        if all(value["type"] != "shortcode" for value in values):
            values.append(
                {"name": SHORT_NUMBER_NAME, "type": "shortcode", "status": "enable"}
            )
        return values

    def _get_selection(self, name, value, default):
        """Return `value` if the sender's field `name` knows it, else `default`."""
        known = dict(self.env["sms.ovh.sender"]._fields[name].selection)
        return value if value in known else default

    def _update_senders(self, values_list):
        """Make this account's senders those of `values_list`; archive the others."""
        self.ensure_one()
        Sender = self.env["sms.ovh.sender"]
        existing = {
            (sender.type, sender.name): sender
            for sender in Sender.with_context(active_test=False).search(
                [("account_id", "=", self.id)]
            )
        }
        to_create = []
        kept = Sender
        for values in values_list:
            sender = existing.get((values["type"], values["name"]))
            if sender:
                sender.write({**values, "active": True})
                kept += sender
            else:
                to_create.append({**values, "account_id": self.id})
        created = Sender.create(to_create)
        Sender.union(*existing.values()).filtered("active").__sub__(
            kept
        ).action_archive()
        enabled = (kept + created).filtered(lambda sender: sender.status == "enable")
        if not self.default_sender_id:
            # The first name in use: what most companies have one of.
            self.default_sender_id = enabled.filtered(
                lambda sender: sender.type == "alpha"
            )[:1]
