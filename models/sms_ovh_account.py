import ipaddress
import logging
import re
import secrets
from collections import defaultdict
from datetime import timedelta
from functools import partial
from hmac import compare_digest
from urllib.parse import urlsplit

from markupsafe import escape

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import ormcache
from odoo.tools.urls import urljoin

from .. import const
from ..fields import Secret, forget, seal
from ..tools import http2sms, ovh_calls, ovh_client, transaction
from ..tools.credits import format_credits
from .sms_ovh_job import OPEN_STATES

_logger = logging.getLogger(__name__)

# What OVHcloud's guides and answers show; the letters are those of the customer's code.
SERVICE_NAME_REGEX = re.compile(r"sms-[a-z0-9]+-[0-9]+")
KEY_REGEX = re.compile(r"[A-Za-z0-9]{8,128}")
KEY_FIELDS = ("application_key", "application_secret", "consumer_key")
# All that is typed to connect, by any of the ways to.
LOGIN_FIELDS = (
    *KEY_FIELDS,
    *("client_id", "client_secret"),
    *("http_login", "http_password"),
)

INBOX_ACTIVITY = "sms_ovh.mail_activity_type_inbox"
# How often the SMS left are read at most, where sending asks for it.
SYNCHRONISE_EVERY = timedelta(minutes=5)


class SmsOvhAccount(models.Model):
    """One SMS Pro service of OVHcloud, and how one company sends through it."""

    _name = "sms.ovh.account"
    _description = "OVHcloud SMS Account"
    _inherit = ["mail.thread", "mail.activity.mixin", "sms.ovh.guard.mixin"]
    _rec_name = "service_name"
    _order = "company_id, service_name"
    _check_company_auto = True

    _sms_ovh_guarded_links = {
        "company_id": "read",
        "default_sender_id": "read",
        "default_user_id": "read",
    }

    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    service_name = fields.Char(
        string="Service",
        # A service belongs to one account.
        copy=False,
        tracking=True,
        help="Name of the SMS service in OVHcloud's console, like sms-ab12345-1. Left"
        " empty, it is read from OVHcloud with the connection.",
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
    application_key = Secret(
        groups="base.group_system",
        copy=False,
        help="Left empty, it is sms_ovh_application_key of Odoo's configuration file,"
        " or SMS_OVH_APPLICATION_KEY of the environment.",
    )
    application_secret = Secret(
        groups="base.group_system",
        copy=False,
        help="Left empty, it is sms_ovh_application_secret of Odoo's configuration"
        " file, or SMS_OVH_APPLICATION_SECRET of the environment.",
    )
    consumer_key = Secret(groups="base.group_system", copy=False)
    state = fields.Selection(
        [
            ("draft", "Not Connected"),
            ("pending", "Waiting for Approval"),
            ("connected", "Connected"),
            ("expired", "Expired"),
            ("refused", "Refused"),
            ("error", "Connection Failed"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    state_message = fields.Char(readonly=True, copy=False)
    last_sync = fields.Datetime(
        string="Last Synchronisation", readonly=True, copy=False
    )

    # What OVHcloud says
    # OVHcloud's price depends on the pack, so only its owner knows.
    currency_id = fields.Many2one(related="company_id.currency_id")
    credit_price = fields.Float(
        string="Price of an SMS",
        digits=(16, 5),
        help="What one SMS of your pack costs you, without tax: results of campaigns"
        " are then shown in your currency too. Without a price they are shown in SMS"
        " only.",
    )
    credits_left = fields.Float(
        string="SMS Left",
        digits=(16, 2),
        readonly=True,
        copy=False,
        help="Credits left on the account: one credit is one SMS to France; to other"
        " countries one SMS may cost more than one credit.",
    )
    credits_held_by_quota = fields.Float(
        string="SMS Held by Quotas",
        digits=(16, 2),
        readonly=True,
        copy=False,
        help="SMS set aside at OVHcloud for its API users with a quota.",
    )
    sender_ids = fields.One2many("sms.ovh.sender", "account_id", readonly=True)
    default_sender_id = fields.Many2one(
        "sms.ovh.sender",
        domain="[('account_id', '=', id), ('status', '=', 'enable')]",
        check_company=True,
        ondelete="restrict",
        copy=False,
        tracking=True,
        help="Who the SMS come from. Only senders that OVHcloud has enabled can be"
        " chosen. Recipients can reply to the short number.",
    )
    sender_country_ids = fields.One2many(
        "sms.ovh.sender.country",
        "account_id",
        string="Senders by Country",
        copy=False,
        help="As whom SMS to these countries are sent, whichever name is chosen: for"
        " where the name is not registered, or the sender does not reach.",
    )
    default_sender_type = fields.Selection(related="default_sender_id.type")
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
        [
            ("credit", "No SMS left"),
            ("keys", "Keys refused"),
            ("service", "Service refused"),
        ],
        string="Sending Stopped",
        readonly=True,
        copy=False,
        tracking=True,
    )
    pause_message = fields.Char(readonly=True, copy=False)
    # What did not do: with no more than that, sending would be stopped again.
    pause_credits = fields.Float(
        string="SMS Left When Stopped", digits=(16, 2), readonly=True, copy=False
    )

    # Checks of numbers
    check_credits = fields.Float(
        string="SMS Charged per Number",
        digits=(16, 4),
        readonly=True,
        copy=False,
        help="What OVHcloud charged for each number in the last check.",
    )
    check_error = fields.Char(
        string="Numbers Cannot Be Checked", readonly=True, copy=False
    )
    check_attempts = fields.Integer(readonly=True, copy=False)
    check_next_attempt = fields.Datetime(readonly=True, copy=False)

    # Callbacks
    callback_token = Secret(
        groups="base.group_system",
        default=lambda self: secrets.token_urlsafe(32),
        required=True,
        copy=False,
    )
    delivery_url = Secret(
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

    inbox_dropped = fields.Integer(
        string="Calls Not Kept",
        readonly=True,
        copy=False,
        help="Calls of the addresses above in an hour that had too many of them.",
    )

    # Figures
    month_sent = fields.Integer(
        string="Sent This Month", compute="_compute_month_figures"
    )

    month_failed = fields.Integer(
        string="Failed This Month", compute="_compute_month_figures"
    )

    month_credits = fields.Float(
        string="SMS Charged This Month",
        digits=(16, 2),
        compute="_compute_month_figures",
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
    @api.depends_context("lang", "uid")
    def _compute_display_name(self):
        """Tell names to users of the account's company only.

        Odoo shows the name of whatever a link leads to, with all rights.
        """
        for account in self:
            if not account.company_id._is_sms_ovh_own():
                account.display_name = self.env._("OVHcloud account")
                continue
            account.display_name = " – ".join(
                filter(None, [account.service_name, account.description])
            ) or self.env._("New OVHcloud account")

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

    @api.depends_context("tz", "uid")
    def _compute_month_figures(self):
        figures = defaultdict(lambda: defaultdict(float))
        Log = self.env["sms.ovh.log"]
        for account, state, count, charged in Log._read_group(
            Log._get_sent_domain(self, Log._get_month_start()),
            ["account_id", "state"],
            ["__count", "credits:sum"],
        ):
            figures[account.id][state] += count
            figures[account.id]["credits"] += charged
        for account in self:
            found = figures[account.id]
            account.month_sent = found["pending"] + found["sent"] + found["error"]
            account.month_failed = found["error"] + found["refused"]
            account.month_credits = found["credits"]

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
            if not account.service_name:
                account._check_service_not_needed()
            elif not SERVICE_NAME_REGEX.fullmatch(account.service_name):
                raise ValidationError(
                    self.env._(
                        "“%s” is not an OVHcloud SMS service. Copy its name from"
                        " OVHcloud's console; it looks like sms-ab12345-1.",
                        account.service_name,
                    )
                )

    def _check_service_not_needed(self):
        """Refuse to forget the service of an account that a company sends with."""
        # sudo: a company that the user may not see sends with it all the same.
        if (
            self.env["res.company"]
            .sudo()
            .search_count([("sms_ovh_account_id", "=", self.id)], limit=1)
        ):
            raise ValidationError(
                self.env._("A company sends with this account: enter its service.")
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
        companies = (
            self.env["res.company"]
            .sudo()
            .search([("sms_ovh_account_id", "in", self.ids)])
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
        for name in ("service_name", "endpoint_url", *LOGIN_FIELDS):
            if isinstance(vals.get(name), str):
                vals[name] = vals[name].strip()
        if isinstance(vals.get("service_name"), str):
            vals["service_name"] = vals["service_name"].lower()
        if isinstance(vals.get("endpoint_url"), str):
            vals["endpoint_url"] = vals["endpoint_url"].rstrip("/")
        return vals

    @api.model
    def default_get(self, fields_list):
        """Override to let nobody set a default for what he may not write.

        Odoo takes the defaults that users define for themselves (`ir.default`) without
        asking for a right to the field. With the API's address, they would have this
        server call whatever address they like.
        """
        hidden = {
            name: self._fields[name]
            for name in fields_list
            if name in self._fields
            and not self._has_field_access(self._fields[name], "write")
        }
        defaults = super().default_get(
            [name for name in fields_list if name not in hidden]
        )
        for name, field in hidden.items():
            if field.default:
                defaults[name] = field.default(self)
        return defaults

    @api.model_create_multi
    def create(self, vals_list):
        """Override to clean what was typed."""
        if self.env.context.get("sms_ovh_form"):
            self._check_meant(vals_list)
        accounts = super().create([self._clean_values(vals) for vals in vals_list])
        self.env.registry.clear_cache()  # see `_get_callback_tokens`
        return accounts

    def unlink(self):
        """Override to delete what hangs on these accounts without a foreign key."""
        self._check_not_used()
        for account in self:
            account._give_up_open()
        # sudo: whoever may delete the account deletes what was sent with it.
        self.env["sms.ovh.job"].sudo().search([("account_id", "in", self.ids)]).unlink()
        self.env["sms.ovh.log"].sudo()._delete_of(self)
        self.env["sms.ovh.event"].sudo()._delete_of(self)
        forget(
            self,
            ("sms.sms", "sms_ovh_account_id"),
            ("sms.tracker", "sms_ovh_account_id"),
        )
        forget(
            self.with_context(active_test=False).sender_ids,
            ("sms.sms", "sms_ovh_sender_id"),
        )
        self.env.registry.clear_cache()  # see `_get_callback_tokens`
        return super().unlink()

    def write(self, vals):
        """Override to clean what was typed, and to forget a state it makes untrue."""
        vals = self._clean_values(vals)
        before = {account.id: account.state for account in self}
        result = super().write(vals)
        connection = {"service_name", "endpoint", "endpoint_url", "auth_method"}
        if connection.union(LOGIN_FIELDS) & vals.keys() and "state" not in vals:
            # sudo: nobody writes the state by hand.
            super(SmsOvhAccount, self.sudo()).write(
                {
                    "state": "draft",
                    "state_message": False,
                    "available_services": False,
                    "credential_expiration": False,
                }
            )
        if "active" in vals and not vals["active"]:
            self._check_not_used()
        if vals.keys() & {"active", "callback_token"}:
            self.env.registry.clear_cache()  # see `_get_callback_tokens`
        if "state" in vals:
            self._announce_state(before)
        return result

    def copy_data(self, default=None):
        """Override to copy what the user may write: another service, not connected."""
        self.check_access("read")
        return [
            {
                name: value
                for name, value in vals.items()
                if self._has_field_access(self._fields[name], "write")
            }
            # sudo: what the user may not read is not copied.
            for vals in super(SmsOvhAccount, self.sudo()).copy_data(default)
        ]

    def _check_not_used(self):
        """Refuse to take an account away from a company that sends with it.

        :raise UserError: with what to do first
        """
        # sudo: a company that the user may not see sends with it all the same.
        companies_sudo = (
            self.env["res.company"]
            .sudo()
            .search([("sms_ovh_account_id", "in", self.ids)])
        )
        if companies_sudo:
            raise UserError(
                self.env._(
                    "%(company)s sends its SMS with %(account)s. Choose another account"
                    " in that company's settings first, or stop sending with OVHcloud.",
                    company=companies_sudo[0].name,
                    account=companies_sudo[0].sms_ovh_account_id.display_name,
                )
            )

    def _give_up_open(self):
        """End all that waits for this account, which is deleted.

        What was not posted is cancelled. Of the rest nobody can be asked any more.
        """
        self.ensure_one()
        # sudo: whoever may delete the account ends what was sent with it.
        jobs_sudo = (
            self.env["sms.ovh.job"]
            .sudo()
            .search([("account_id", "=", self.id), ("state", "in", OPEN_STATES)])
        )
        Sms = self.env["sms.sms"].sudo()
        uuids = [uuid for job in jobs_sudo for uuid, __ in job.receivers]
        closed = Sms.search([("uuid", "in", uuids)])._sms_ovh_close(recall=False)
        Sms._sms_ovh_tell_closed(closed, len(uuids))
        for job in jobs_sudo.filtered(lambda job: job.state in ("posting", "unknown")):
            job._apply(
                job._get_api()._prepare_results(job.receivers, "ovh_unconfirmed")
            )
        # sudo: trackers are technical records without access of their own.
        self.env["sms.tracker"].sudo().search(
            [("sms_ovh_account_id", "=", self.id), ("sms_ovh_poll_at", "!=", False)]
        ).write({"sms_ovh_poll_at": False, "sms_ovh_no_report": True})

    def _in_its_language(self):
        """Return this account in the language of those who read what crons write.

        The company's; or the responsible's, where nobody set one for the company: Odoo
        gives each English.
        """
        self.ensure_one()
        # sudo: languages of a company and a user.
        account_sudo = self.sudo()
        lang = account_sudo.company_id.partner_id.lang
        if not lang or lang == "en_US":
            lang = account_sudo.user_id.lang or lang
        return self.with_context(lang=lang)

    def _filter_shown(self):
        """Return those of these accounts that have been connected, or are sent with.

        What somebody has only begun to enter has no figures, and is in the list of
        accounts.
        """
        # sudo: which account a company sends with.
        used = self.company_id.sudo().sms_ovh_account_id
        return self.filtered(
            lambda account: (
                account.last_sync or account.state == "connected" or account in used
            )
        )

    @api.model
    def _check_meant(self, vals_list):
        """Refuse an account that nobody meant: a form that is left saves what it has.

        :param list vals_list: values of new accounts
        :raise UserError: where nothing was entered that an account could be
        """
        if not all(map(self._is_meant, vals_list)):
            raise UserError(
                self.env._(
                    "Nothing is entered yet. Enter the application key and its secret,"
                    " then press “Connect with OVHcloud”."
                )
            )

    @api.model
    def _is_meant(self, vals):
        """Return whether somebody entered something to connect with.

        :param dict vals: values of a new account
        """
        entered = ("service_name", "endpoint_url", *LOGIN_FIELDS)
        return any(vals.get(name) for name in entered) or (
            # Where the server has them there is nothing to enter.
            all(self.browse()._get_application())
            and vals.get("auth_method", "consumer_key") == "consumer_key"
        )

    # ------------------------------------------------------------
    # OVHcloud
    # ------------------------------------------------------------

    def _get_client(self):
        """Return a client for this account's API and keys.

        :rtype: ovh_client.OvhSmsClient|http2sms.Http2SmsClient
        """
        return http2sms.create_client(self._get_client_args())

    def _get_path(self, *segments):
        """Return the API's path of this service, or of something in it."""
        self.ensure_one()
        return "/".join(
            ["/sms", *map(ovh_client.quote_path, (self.service_name, *segments))]
        )

    def _leave_out_unsafe(self, names):
        """Return the names of a list that can stand in a path; others are logged."""
        safe = [name for name in names if ovh_client.is_safe_name(name)]
        if len(safe) < len(names):
            _logger.warning(
                "OVHcloud SMS: account %s: %s names that cannot be OVHcloud's are left"
                " out",
                self.id,
                len(names) - len(safe),
            )
        return safe

    def _get_error_sentence(self, error):
        """Return a sentence in the user's language: what is wrong and what to do.

        :param ovh_client.OvhError error: what a call raised
        :rtype: str
        """
        self.ensure_one()
        return self._get_access_sentence(error) or self._get_answer_sentence(error)

    def _get_access_sentence(self, error):
        """Return what is wrong with the way to OVHcloud, keys and rights included.

        :param ovh_client.OvhError error: what a call raised
        :return: None where it is something else
        :rtype: str|None
        """
        words = error.message
        match error:
            case ovh_client.OvhUnreachable():
                return self.env._(
                    "OVHcloud cannot be reached. Check this server's connection to the"
                    " Internet and try again."
                )
            case ovh_client.OvhUnknownApplication():
                return self.env._(
                    "OVHcloud does not know the application key. Copy it again from"
                    " the page on which it was created."
                )
            case ovh_client.OvhSignatureRefused():
                return self.env._(
                    "OVHcloud refuses the signature: the application secret does not"
                    " belong to the application key. Copy both again."
                )
            case ovh_client.OvhServiceAccountRefused():
                return self.env._(
                    "OVHcloud refuses the service account: the client ID or the client"
                    " secret is wrong, or the account was deleted. Copy both again."
                )
            case ovh_client.OvhLoginRefused():
                return self.env._(
                    "OVHcloud refuses the service, the API user or the API user's"
                    " password (%s). Compare all three with OVHcloud's console.",
                    words,
                )
            case ovh_client.OvhAddressRefused():
                return self.env._(
                    "The API user may not send from this server's address (%s). Allow"
                    " the address for that user in OVHcloud's console.",
                    words,
                )
            case ovh_client.OvhConsumerKeyRefused() if self._is_expired():
                return self.env._(
                    "The consumer key has expired. Press “Connect with OVHcloud”, or"
                    " create a new key."
                )
            case ovh_client.OvhConsumerKeyRefused():
                return self.env._(
                    "OVHcloud refuses the consumer key: it was not approved yet, was"
                    " refused, or has expired. Approve it on OVHcloud's page or create"
                    " a new one."
                )
            case ovh_client.OvhCredentialRefused() if self.auth_method == "oauth2":
                return self.env._(
                    "Enter the service account's client ID and client secret."
                )
            case ovh_client.OvhCredentialRefused() if self.auth_method == "http2sms":
                return self.env._("Enter the API user's login and password.")
            case ovh_client.OvhCredentialRefused():
                return self._get_incomplete_sentence()
            case ovh_client.OvhClockOff():
                return self.env._(
                    "The clock of this server is off, so OVHcloud refuses its calls."
                    " Have the server's clock set."
                )
            case ovh_client.OvhNotGranted() if self.auth_method == "oauth2":
                return self.env._(
                    "The service account lacks a right (%s). Give it a policy in"
                    " OVHcloud's console with the actions that the account's page"
                    " “Connection” lists.",
                    words,
                )
            case ovh_client.OvhNotGranted() if self.auth_method == "http2sms":
                return self.env._(
                    "An API user's login is good for sending only. Connect with"
                    " OVHcloud in another way for everything else."
                )
            case ovh_client.OvhNotGranted():
                return self.env._(
                    "The consumer key lacks a right (%s). Create one that may GET,"
                    " POST, PUT and DELETE on /sms and /sms/*.",
                    words,
                )
        return None

    def _get_incomplete_sentence(self):
        """Return which keys are missing: two are enough, OVHcloud's page gives the third.

        :rtype: str
        """
        # sudo: only whether there is one.
        if self.sudo().consumer_key:
            return self.env._(
                "The keys are not complete. Enter the application key, its secret and"
                " the consumer key."
            )
        if self.application_available:
            return self.env._(
                "The keys are not complete. Press “Connect with OVHcloud” and approve"
                " on OVHcloud's page."
            )
        return self.env._(
            "The keys are not complete. Enter the application key and its secret, then"
            " press “Connect with OVHcloud”."
        )

    def _get_answer_sentence(self, error):
        """Return what is wrong with what was asked for, or with OVHcloud's answer.

        :param ovh_client.OvhError error: what a call raised
        :rtype: str
        """
        words = error.message
        match error:
            case ovh_client.OvhNotFound():
                return self.env._(
                    "OVHcloud finds no service %(service)s with these keys"
                    " (%(words)s). Check its name in OVHcloud's console.",
                    service=self.service_name,
                    words=words,
                )
            case ovh_client.OvhOutOfCredit():
                return self.env._(
                    "Not enough SMS are left on %(service)s (%(words)s). Buy a pack or"
                    " turn on the automatic recharge in OVHcloud's console.",
                    service=self.service_name,
                    words=words,
                )
            case ovh_client.OvhThrottled():
                return self.env._("OVHcloud asks to slow down. Try again in a minute.")
            case ovh_client.OvhBadRequest():
                return self.env._("OVHcloud refuses: %s", words)
            case ovh_client.OvhNoAnswer() if error.reading:
                return self.env._(
                    "OVHcloud did not answer (%s). Try again in a minute.", words
                )
            case ovh_client.OvhServerError() if error.reading:
                return self.env._(
                    "OVHcloud has a failure of its own (%s). Try again in a minute.",
                    error.status,
                )
            case _unreadable if error.reading:
                return self.env._(
                    "OVHcloud's answer cannot be read. Try again in a minute."
                )
            case ovh_client.OvhNoAnswer():
                return self.env._(
                    "OVHcloud did not answer (%s). What was asked for may have been"
                    " done: check before you do it again.",
                    words,
                )
            case ovh_client.OvhServerError():
                return self.env._(
                    "OVHcloud has a failure of its own (%s). What was asked for may"
                    " have been done: check before you do it again.",
                    error.status,
                )
            case _unreadable:
                return self.env._(
                    "OVHcloud's answer cannot be read. What was asked for may have"
                    " been done: check before you do it again."
                )

    def _get_disabled_sentence(self):
        """Return that OVHcloud has switched the service off, and what to do."""
        return self.env._(
            "OVHcloud has disabled the service %s. Ask OVHcloud's support why.",
            self.service_name,
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
        self.check_access("write")
        if self.auth_method == "http2sms":
            return self._notify(
                "info",
                self.env._(
                    "An API user's login can only be tested by sending an SMS: send one"
                    " to yourself. SMS left are shown after that."
                ),
            )
        connected = self._synchronise()
        if self.available_services and not self.service_name:
            return self.action_choose_service()
        if connected:
            return self._notify(
                "success",
                self.env._(
                    "Connected to %(service)s: %(credits)s SMS left.",
                    service=self.display_name,
                    credits=format_credits(self.env, self.credits_left),
                ),
            )
        return self._notify(
            "danger",
            self.state_message
            or self.env._(
                "The connection is not approved yet. Press “Connect with OVHcloud” and"
                " approve it on OVHcloud's page."
            ),
        )

    def action_synchronise(self):
        """Read service and senders from OVHcloud, and have reports sent to Odoo."""
        self.check_access("read")
        for account in self:
            account._synchronise()
        return True

    def action_register_callbacks(self):
        """Have OVHcloud send reports, STOP and replies to Odoo, and check that it does.

        :raise UserError: where OVHcloud refuses, with what to do
        """
        self.ensure_one()
        self.check_access("write")
        wrong = self._write_callbacks()
        if wrong:
            return self._notify(
                "danger",
                self.env._(
                    "OVHcloud did not take over: %s. Try again, or set it in OVHcloud's"
                    " console.",
                    ", ".join(wrong),
                ),
            )
        if self.delivery_unreachable:
            return self._notify(
                "warning",
                self.env._(
                    "OVHcloud has the addresses, but cannot reach this Odoo from the"
                    " Internet: Odoo asks for reports, STOP and replies instead."
                ),
            )
        return self._notify(
            "success",
            self.env._("OVHcloud now sends reports, STOP and replies to Odoo."),
        )

    def action_open_dashboard(self):
        """Open the dashboard with the figures of this account."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.actions"]._for_xml_id(
            "sms_ovh.sms_ovh_dashboard_action"
        )
        return {**action, "params": {"account_id": self.id}}

    def action_diagnose(self):
        """Open the diagnosis, to be read and copied.

        :rtype: dict
        """
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Diagnosis"),
            "res_model": "sms.ovh.diagnosis",
            "view_mode": "form",
            "target": "new",
            "context": {"default_account_id": self.id, "dialog_size": "medium"},
        }

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
        accounts |= (
            self.env["res.company"]
            .search([("sms_ovh_account_id", "!=", False)])
            .sms_ovh_account_id
        )
        self.env["ir.cron"]._commit_progress(remaining=len(accounts))
        accounts._synchronise_each()

    def _synchronise_each(self):
        """Read these accounts, each committed.

        Sending and reports write on them meanwhile: what conflicts is read again.
        """
        for account in self:
            transaction.transact(self.env, account._in_its_language()._synchronise)
            self.env["ir.cron"]._commit_progress(1)

    @api.model
    def _trigger_synchronise(self):
        """Have the SMS left read again soon, once however many ask for it."""
        now = fields.Datetime.now()
        soon = now.replace(second=0, microsecond=0) + SYNCHRONISE_EVERY
        soon -= timedelta(minutes=soon.minute % (SYNCHRONISE_EVERY.seconds // 60))
        self.env["sms.ovh.job"]._trigger_at("sms_ovh.ir_cron_synchronise", [soon])

    def _synchronise(self):
        """Read service and senders from OVHcloud into this account.

        :return: whether OVHcloud answered; if not, the state's message says why
        :rtype: bool
        """
        self.ensure_one()
        # sudo: marketing users refresh what they see, without a right to change it.
        account_sudo = self.sudo()
        if account_sudo.state == "pending":
            return account_sudo._finish_connection()
        if account_sudo.auth_method == "http2sms":
            return False
        try:
            with self._get_client() as client:
                if not self.service_name and not account_sudo._find_service(client):
                    return False
                service = client.get(self._get_path())
                if not isinstance(service, dict) or "creditsLeft" not in service:
                    error = ovh_client.OvhUnreadableAnswer("Unexpected content")
                    error.reading = True
                    raise error
                unread = []
                read = partial(account_sudo._read_part, unread)
                senders = read(
                    self.env._("the senders"),
                    partial(self.env["sms.ovh.sender"]._fetch, self, client),
                )
                users = read(
                    self.env._("the API users"),
                    partial(self.env["sms.ovh.user"]._fetch, self, client),
                )
                expiration = read(
                    self.env._("the end of the connection"),
                    partial(account_sudo._fetch_expiration, client),
                )
                service = (
                    read(
                        self.env._("the addresses for callbacks"),
                        partial(account_sudo._complete_callbacks, client, service),
                    )
                    or service
                )
        except ovh_client.OvhError as error:
            account_sudo.write(self._get_failure_values(error))
            return False
        disabled = service.get("status") == "disable"
        message = False
        if disabled:
            message = self._get_disabled_sentence()
        elif unread:
            message = self.env._(
                "OVHcloud could not be asked for %s: that is as it was before.",
                ", ".join(unread),
            )
        account_sudo.write(
            {
                **account_sudo._read_service(service),
                "state": "error" if disabled else "connected",
                "state_message": message,
                "last_sync": fields.Datetime.now(),
                "available_services": False,
                **({} if expiration is None else {"credential_expiration": expiration}),
            }
        )
        account_sudo._announce_expiry()
        if senders is not None:
            self.env["sms.ovh.sender"].sudo()._update_from_ovhcloud(
                account_sudo, *senders
            )
        if users is not None:
            self.env["sms.ovh.user"].sudo()._update_from_ovhcloud(account_sudo, *users)
        account_sudo._check_credits()
        if disabled:
            return False
        if account_sudo.pause_reason in ("keys", "service") or (
            account_sudo.pause_reason and account_sudo._can_pay()
        ):
            account_sudo.action_resume()
        return True

    def _read_part(self, unread, label, fetch):
        """Read what hangs on the service: one part less is no account less.

        :param list unread: gets the labels of what could not be read
        :param str label: of the part, for a sentence
        :param fetch: function that makes the calls
        :return: what `fetch` returns, None where OVHcloud refuses this part
        :raise ovh_client.OvhError: where the whole way to OVHcloud is closed
        """
        try:
            return fetch()
        except (
            ovh_client.OvhBadRequest,
            ovh_client.OvhNotFound,
            ovh_client.OvhNotGranted,
            ovh_client.OvhServerError,
            ovh_client.OvhUnreadableAnswer,
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            _logger.warning(
                "OVHcloud SMS: account %s: a part cannot be read: %r", self.id, error
            )
            unread.append(label)
            return None

    # ------------------------------------------------------------
    # What reports missed
    # ------------------------------------------------------------

    def _announce_full_inbox(self):
        """Tell whoever is responsible, once, that calls are not kept any more."""
        self.ensure_one()
        if self.activity_search([INBOX_ACTIVITY]):
            return
        user = self.user_id or self.env.user
        env = self.with_context(lang=user.lang).env
        self.activity_schedule(
            INBOX_ACTIVITY,
            user_id=user.id,
            summary=env._("Too many calls of the addresses for OVHcloud"),
            note=env._(
                "More delivery reports came within an hour than OVHcloud can have sent:"
                " the rest is only counted. If nobody sends that many SMS, somebody"
                " knows the address: have a new one made, and register it again."
            ),
        )

    # ------------------------------------------------------------
    # The queue
    # ------------------------------------------------------------

    def _pause(self, reason, message, left=None):
        """Send nothing more until it is cured: all that follows would fail alike.

        :param str reason: 'credit', 'keys' or 'service'
        :param str message: sentence for whoever is responsible
        :param float|None left: credits left that did not do, where OVHcloud says
        """
        for account in self.filtered(lambda account: not account.pause_reason):
            # sudo: nobody writes the state by hand.
            account.sudo().write(
                {
                    "pause_reason": reason,
                    "pause_message": message,
                    "pause_credits": left or 0,
                }
            )
            reader_sudo = (account.user_id or self.env.user).sudo()
            account.activity_schedule(
                "mail.mail_activity_data_warning",
                user_id=reader_sudo.id,
                summary=account.with_context(lang=reader_sudo.lang).env._(
                    "SMS are no longer sent"
                ),
                # It holds OVHcloud's words, which are text.
                note=escape(message),
            )

    def action_resume(self):
        """Send what has been waiting since sending was stopped."""
        self.check_access("write")
        # sudo: nobody writes the state by hand; and the activity is another's, once
        # cured it is done.
        paused = self.filtered("pause_reason").sudo()
        paused.write(
            {
                "pause_reason": False,
                "pause_message": False,
                "pause_credits": 0,
            }
        )
        paused.activity_unlink(["mail.mail_activity_data_warning"])
        if paused:
            self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()
        return True

    def _tell_refused(self, refusable, message):
        """Tell, once, that OVHcloud refuses what is sent as one sender or API user.

        :param refusable: `sms.ovh.sender` or `sms.ovh.user`
        :param str message: sentence that says what to do
        """
        self.ensure_one()
        _logger.warning("OVHcloud SMS: %s is refused", refusable)
        self._tell(
            self.env._(
                "%s Its SMS are tried again, less and less often; all others leave.",
                message,
            )
        )

    @api.model
    def _cron_resume(self):
        """Look whether what stopped accounts has been cured meanwhile."""
        self.search(
            [
                "|",
                ("pause_reason", "!=", False),
                # A quota may have been raised in OVHcloud's console.
                ("user_ids.refused_until", "!=", False),
            ]
        )._synchronise_each()

    @api.model
    @ormcache()
    def _get_callback_tokens(self):
        """Return the pairs of a token and the account that is called with it.

        Kept, so that a delivery report costs no query but the one that writes it; sealed,
        see :func:`~odoo.addons.sms_ovh.fields.seal`.

        :rtype: tuple[tuple[function, int]]
        """
        # sudo: whoever calls has no user, the token is its credential.
        accounts_sudo = self.sudo().search(
            [("callback_token", "!=", False), ("active", "=", True)]
        )
        return tuple(
            (seal(account.callback_token.encode()), account.id)
            for account in accounts_sudo
        )

    @api.model
    def _find_by_token(self, token):
        """Return the id of the active account that is called with `token`.

        Compared with each account's as a whole and in constant time, so that nobody
        learns from the time of an answer how much of a token is right.

        :param str token: what stands in an address
        :rtype: int|None
        """
        token = token.encode()
        found = None
        for unseal, account_id in self._get_callback_tokens():
            if compare_digest(unseal(self.env), token):
                found = account_id
        return found

    def _fetch_listed(self, client, part, read):
        """Return what OVHcloud says of each in one of the service's lists.

        :param client: `OvhSmsClient`
        :param str part: the list's name in the API
        :param read: function from what OVHcloud answers to values of a record
        :return: the values, and the names of those that are listed and cannot be read
        :rtype: tuple[list[dict], set]
        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        names = self._leave_out_unsafe(client.get(self._get_path(part)))
        answers = ovh_calls.read_many(
            self._get_client_args(), self._get_path(part), names, const.THREADS
        )
        values, unread = [], set()
        for name, answer in zip(names, answers, strict=True):
            try:
                values.append(read(answer))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                _logger.warning(
                    "OVHcloud SMS: account %s: one of its %s cannot be read: %s",
                    self.id,
                    part,
                    type(error).__name__,
                )
                unread.add(name)
        return values, unread

    def _is_offered_short_number(self):
        """Tell whether OVHcloud offers this account the short number: French ones only.

        Which account is French OVHcloud does not say: the company's country tells, and
        who sends with the short number already.
        """
        self.ensure_one()
        return self.company_id.country_id.code in (
            False,
            *const.FRENCH_COUNTRIES,
        ) or "shortcode" in self.sender_ids.mapped("type")

    def _get_sender_for(self, country_code, sender):
        """Return as whom an SMS to a country is sent: by its own sender, or the chosen.

        One that was chosen since recipients can reply to it stays where it reaches.

        :param str|None country_code: ISO code
        :param sender: `sms.ovh.sender` that was chosen, or empty
        :rtype: sms.ovh.sender
        """
        if not self.sender_country_ids:
            return sender
        if sender.can_reply and sender._reaches(country_code):
            return sender
        lines = self.sender_country_ids.filtered(
            lambda line: (
                line.country_id.code == country_code
                and line.sender_id.active
                and line.sender_id.status == "enable"
            )
        )
        return lines.sender_id[:1] or sender
