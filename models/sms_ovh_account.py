import logging
import math
import re
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from markupsafe import escape

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import const
from ..fields import Secret, clear_links
from ..tools import error_sentences, ovh_client, transaction
from ..tools.client_actions import notify, open_dialog
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

# How often the SMS left are read at most, where sending asks for it.
SYNCHRONISE_EVERY = timedelta(minutes=5)

CREDIT_ACTIVITY = "sms_ovh.mail_activity_type_credit"


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
        "default_api_user_id": "read",
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

    # API users
    api_user_ids = fields.One2many("sms.ovh.user", "account_id", string="API Users")
    default_api_user_id = fields.Many2one(
        "sms.ovh.user",
        string="Send as API User",
        domain="[('account_id', '=', id)]",
        check_company=True,
        ondelete="restrict",
        copy=False,
        tracking=True,
        help="SMS are then sent in this user's name, and its quota pays for them.",
    )
    default_api_user_quota_active = fields.Boolean(
        related="default_api_user_id.quota_active"
    )
    default_api_user_quota_left = fields.Float(
        related="default_api_user_id.quota_left", string="Quota Left"
    )

    # Credits
    auto_recharge = fields.Boolean(
        string="Automatic Recharge",
        readonly=True,
        copy=False,
        help="OVHcloud orders a new pack by itself when few SMS are left.",
    )
    recharge_amount = fields.Integer(string="SMS Recharged", readonly=True, copy=False)
    recharge_threshold = fields.Float(
        string="Recharged Below", digits=(16, 2), readonly=True, copy=False
    )
    # What OVHcloud asks for packs, in the company's currency; 0: not known.
    pack_credits = fields.Integer(
        string="SMS in the Smallest Pack", readonly=True, copy=False
    )
    pack_price = fields.Float(
        string="Price of the Smallest Pack",
        digits=(16, 2),
        readonly=True,
        copy=False,
    )
    large_pack_credits = fields.Integer(
        string="SMS in the Cheapest Pack",
        readonly=True,
        copy=False,
        help="From this many SMS on one SMS costs the least.",
    )
    large_pack_credit_price = fields.Float(
        string="Price of an SMS in the Cheapest Pack",
        digits=(16, 5),
        readonly=True,
        copy=False,
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
            if not account.company_id._sms_ovh_is_own():
                account.display_name = self.env._("OVHcloud account")
                continue
            account.display_name = " – ".join(
                filter(None, [account.service_name, account.description])
            ) or self.env._("New OVHcloud account")

    @api.depends_context("tz", "uid")
    def _compute_month_figures(self):
        Log = self.env["sms.ovh.log"]
        figures = {
            account.id: sums
            for account, *sums in self.env["sms.ovh.figure"]._read_group(
                Log._get_sent_domain(self, Log._get_month_start()),
                ["account_id"],
                ["pending:sum", "sent:sum", "error:sum", "refused:sum", "credits:sum"],
            )
        }
        for account in self:
            pending, sent, error, refused, charged = figures.get(account.id, [0] * 5)
            account.month_sent = pending + sent + error
            account.month_failed = error + refused
            account.month_credits = charged

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

    @api.constrains("default_api_user_id")
    def _check_default_user(self):
        for account in self:
            user = account.default_api_user_id
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
        # sudo: the right to delete the account extends to what was sent with it.
        self.env["sms.ovh.job"].sudo().search([("account_id", "in", self.ids)]).unlink()
        self.env["sms.ovh.log"].sudo()._delete_of(self)
        self.env["sms.ovh.figure"].sudo()._delete_of(self)
        self.env["sms.ovh.event"].sudo()._delete_of(self)
        clear_links(
            self,
            ("sms.sms", "sms_ovh_account_id"),
            ("sms.tracker", "sms_ovh_account_id"),
        )
        clear_links(
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
        # sudo: the right to delete the account extends to ending what it sends.
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

    def _tell(self, body):
        """Post a sentence, as text, to the account's followers."""
        # sudo: news from OVHcloud, no matter which user reads it first.
        self.sudo().message_post(body=body, subtype_xmlid="mail.mt_comment")

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
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        """Override: the views differ by who may enter keys, see :meth:`_get_view`."""
        key = super()._get_view_cache_key(view_id, view_type, **options)
        return (*key, self.env.user.has_group("base.group_system"))

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Override to offer new accounts to those only who may enter their keys."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if not self.env.user.has_group("base.group_system"):
            arch.set("create", "False")
        return arch, view

    @api.model
    def _check_meant(self, vals_list):
        """Refuse an account that nobody meant: a form that is left saves what it has.

        :param list vals_list: values of new accounts
        :raise UserError: where nothing was entered that an account could be
        """
        if not all(map(self._is_meant, vals_list)):
            if not self.env.user.has_group("base.group_system"):
                raise UserError(
                    self.env._(
                        "Ask a system administrator: nobody else enters the keys of a"
                        " new account."
                    )
                )
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
            return notify(
                self.env._(
                    "An API user's login can only be tested by sending an SMS: send one"
                    " to yourself. SMS left are shown after that."
                ),
                "info",
            )
        connected = self._synchronise()
        if self.available_services and not self.service_name:
            return self.action_choose_service()
        if connected:
            return notify(
                self.env._(
                    "Connected to %(service)s: %(credits)s SMS left.",
                    service=self.display_name,
                    credits=format_credits(self.env, self.credits_left),
                )
            )
        return notify(
            self.state_message
            or self.env._(
                "The connection is not approved yet. Press “Connect with OVHcloud” and"
                " approve it on OVHcloud's page."
            ),
            "danger",
        )

    def action_synchronise(self):
        """Read service and senders from OVHcloud, and have reports sent to Odoo."""
        self.check_access("read")
        for account in self:
            account._synchronise()
        return True

    def action_read_again(self):
        """Read these accounts from OVHcloud, and say how that went."""
        self.check_access("read")
        failed = self.filtered(lambda account: not account._synchronise())
        if failed:
            return notify(
                "\n".join(
                    f"{account.service_name}: {account.state_message}"
                    for account in failed
                ),
                "danger",
            )
        return notify(self.env._("Read from OVHcloud."))

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
        return open_dialog(
            self.env._("Diagnosis"),
            "sms.ovh.diagnosis",
            default_account_id=self.id,
            dialog_size="medium",
        )

    def action_request_sender(self):
        """Open the request of a sender, with the names that OVHcloud suggests."""
        self.ensure_one()
        return self.env["sms.ovh.sender"]._open_request(self)

    def action_create_user(self):
        """Open the creation of an API user."""
        self.ensure_one()
        self.check_access("write")
        return self.env["sms.ovh.user.create"].create({"account_id": self.id})._open()

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
        return open_dialog(
            self.env._("Automatic Recharge"), recharge._name, recharge.id
        )

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
        """Trigger one reading of the SMS left, however many ask for it."""
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
                parts, unread = account_sudo._fetch_parts(client)
        except ovh_client.OvhError as error:
            account_sudo.write(self._get_failure_values(error))
            return False
        service, expiration = parts["service"], parts["expiration"]
        disabled = service.get("status") == "disable"
        message = False
        if disabled:
            message = error_sentences.get_disabled_sentence(self.env, self.service_name)
        elif unread:
            message = self.env._(
                "OVHcloud could not be asked for %s: that is as it was before.",
                ", ".join(unread),
            )
        account_sudo.write(
            {
                **account_sudo._read_service(service),
                **parts["packs"],
                "state": "error" if disabled else "connected",
                "state_message": message,
                "last_sync": fields.Datetime.now(),
                "available_services": False,
                **({} if expiration is None else {"credential_expiration": expiration}),
            }
        )
        account_sudo._announce_expiry()
        for name, model in (("senders", "sms.ovh.sender"), ("users", "sms.ovh.user")):
            if parts[name] is not None:
                account_sudo.env[model]._update_from_ovhcloud(
                    account_sudo, *parts[name]
                )
        account_sudo._check_credits()
        if disabled:
            return False
        if account_sudo.pause_reason in ("keys", "service") or (
            account_sudo.pause_reason and account_sudo._can_pay()
        ):
            account_sudo.action_resume()
        return True

    def _fetch_parts(self, client):
        """Return what OVHcloud says of the service and of what hangs on it.

        :param client: `OvhSmsClient`
        :return: the service, and senders, API users and the connection's end, each None
            where it cannot be read; the labels of those
        :rtype: tuple[dict, list]
        :raise ovh_client.OvhError: where the whole way to OVHcloud is closed
        """
        service = client.get(self._get_path())
        if not isinstance(service, dict) or "creditsLeft" not in service:
            error = ovh_client.OvhUnreadableAnswer("Unexpected content")
            error.reading = True
            raise error
        unread = []
        read = partial(self._read_part, unread)
        parts = {
            "senders": read(
                self.env._("the senders"),
                partial(self.env["sms.ovh.sender"]._fetch, self, client),
            ),
            "users": read(
                self.env._("the API users"),
                partial(self.env["sms.ovh.user"]._fetch, self, client),
            ),
            "expiration": read(
                self.env._("the end of the connection"),
                partial(self._fetch_expiration, client),
            ),
        }
        completed = read(
            self.env._("the addresses for callbacks"),
            partial(self._complete_callbacks, client, service),
        )
        packs = self.env["sms.ovh.rate"]._fetch_packs(self, client)
        return {**parts, "service": completed or service, "packs": packs}, unread

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

    # ------------------------------------------------------------
    # The queue
    # ------------------------------------------------------------

    def _pause(self, reason, message, left=None):
        """Send nothing more until it is cured: all that follows would fail alike.

        :param str reason: 'credit', 'keys' or 'service'
        :param str message: sentence for the responsible user
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
                ("api_user_ids.refused_until", "!=", False),
            ]
        )._synchronise_each()

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

    # ------------------------------------------------------------
    # Credits
    # ------------------------------------------------------------

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
        if self.default_api_user_id.quota_active:
            return self.default_api_user_id.quota_left
        return None if self.auto_recharge else self.credits_left

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
