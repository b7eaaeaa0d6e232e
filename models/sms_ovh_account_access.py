import contextlib
import hashlib
import hmac
import json
import logging
import os
import re
import secrets
from datetime import datetime
from urllib.parse import urljoin as resolve_url

from markupsafe import escape

from odoo import api, fields, models
from odoo.exceptions import (
    AccessError,
    RedirectWarning,
    UserError,
    ValidationError,
)
from odoo.tools import config
from odoo.tools.urls import urljoin

from .. import const
from ..fields import Secret
from ..tools import error_sentences, http2sms, ovh_calls, ovh_client
from ..tools.client_actions import open_dialog
from ..tools.ovh_times import parse_time
from .sms_ovh_account import LOGIN_FIELDS

_logger = logging.getLogger(__name__)

CLIENT_REGEX = re.compile(r"[A-Za-z0-9._-]{3,128}")
# An API user's login may be an e-mail address.
LOGIN_REGEX = re.compile(r"[!-~]{1,128}")
# Of the configuration file; in upper case, of the environment.
APPLICATION_KEY_OPTION = "sms_ovh_application_key"
APPLICATION_SECRET_OPTION = "sms_ovh_application_secret"
EXPIRY_ACTIVITY = "sms_ovh.mail_activity_type_expiry"
CONNECTION_ACTIVITY = "sms_ovh.mail_activity_type_connection"


class SmsOvhAccount(models.Model):
    """How an account reaches OVHcloud: its keys, its calls, and how it is connected."""

    _inherit = "sms.ovh.account"

    auth_method = fields.Selection(
        [
            ("consumer_key", "OVHcloud's page, or three keys"),
            ("oauth2", "OAuth2 service account"),
            ("http2sms", "API user's login (http2sms): sends only"),
        ],
        string="Connect With",
        default="consumer_key",
        required=True,
    )
    client_id = Secret(string="Client ID", groups="base.group_system", copy=False)
    iam_policy = fields.Text(
        string="Policy",
        compute="_compute_iam_policy",
        groups="base.group_system",
        help="For OVHcloud's call POST /v2/iam/policy, or to read in its console which"
        " actions are needed. In place of CUSTOMER your customer code.",
    )
    client_secret = Secret(groups="base.group_system", copy=False)
    http_login = Secret(
        string="API User",
        groups="base.group_system",
        copy=False,
        help="Login of an API user of this service, from OVHcloud's console.",
    )
    http_password = Secret(
        string="API User's Password", groups="base.group_system", copy=False
    )
    http_sender = fields.Char(
        string="Sender's Name",
        compute="_compute_http_sender",
        inverse="_inverse_http_sender",
        help="A sender that OVHcloud has enabled: letters and digits, eleven at most.",
    )
    in_use = fields.Boolean(
        string="Used by a Company", compute="_compute_in_use", compute_sudo=True
    )
    guide_step = fields.Selection(
        [
            ("keys", "Enter the Keys"),
            ("approve", "Approve"),
            ("service", "Choose the Service"),
            ("sender", "Request a Sender"),
            ("use", "Send with This Account"),
            ("test", "Send a Test"),
            ("done", "Done"),
        ],
        string="Next Step",
        compute="_compute_guide_step",
    )
    needs_sender = fields.Boolean(
        string="No Sender Enabled", compute="_compute_needs_sender"
    )
    application_available = fields.Boolean(compute="_compute_application_available")
    application_from_server = fields.Boolean(
        compute="_compute_application_available",
        help="The application key and its secret come from Odoo's configuration file"
        " or environment.",
    )

    # What waits for the owner's approval
    pending_consumer_key = Secret(groups="base.group_system", readonly=True, copy=False)
    connect_state = Secret(
        groups="base.group_system",
        readonly=True,
        copy=False,
        help="Hash of what OVHcloud's page sends back once.",
    )
    connect_state_end = fields.Datetime(
        groups="base.group_system", readonly=True, copy=False
    )
    connect_user_id = fields.Many2one(
        "res.users", groups="base.group_system", readonly=True, copy=False
    )
    available_services = fields.Char(readonly=True, copy=False)

    # What was approved
    credential_expiration = fields.Datetime(
        string="Connected Until", readonly=True, copy=False, tracking=True
    )
    expiry_announced = fields.Datetime(readonly=True, copy=False)

    # ------------------------------------------------------------
    # Compute and constraints
    # ------------------------------------------------------------

    @api.depends("application_key", "application_secret")
    def _compute_application_available(self):
        for account in self:
            # sudo: only whether there are any.
            account_sudo = account.sudo()
            account.application_available = all(account_sudo._get_application())
            account.application_from_server = (
                account.application_available and not account_sudo.application_key
            )

    @api.depends("company_id.sms_ovh_account_id")
    def _compute_in_use(self):
        """Tell whether the account's company sends with it."""
        for account in self:
            account.in_use = account.company_id.sms_ovh_account_id == account._origin

    @api.depends("sender_ids.status", "sender_ids.type")
    def _compute_needs_sender(self):
        """Tell whether nothing but the short number can be sent from."""
        for account in self:
            account.needs_sender = not account.sender_ids.filtered(
                lambda sender: sender.status == "enable" and sender.type != "shortcode"
            )

    @api.depends(
        *("state", "last_sync", "auth_method", "available_services"),
        *("application_available", "needs_sender", "in_use"),
    )
    def _compute_guide_step(self):
        """Tell how far the way is gone that leads from nothing to a first SMS.

        Other ways of connecting have their own page; what was sent with an account
        proves that it needs no guide any more.
        """
        sent = self.env["sms.ovh.figure"]._read_group(
            [("account_id", "in", self._origin.ids)], ["account_id"]
        )
        sent = {account.id for (account,) in sent}
        for account in self:
            if account.auth_method != "consumer_key" or account._origin.id in sent:
                step = "done"
            elif account.available_services and not account.service_name:
                step = "service"
            elif not account.last_sync:
                step = "approve" if account.application_available else "keys"
            elif account.state != "connected":
                step = "done"
            elif account.needs_sender:
                step = "sender"
            else:
                step = "test" if account.in_use else "use"
            account.guide_step = step

    @api.depends("default_sender_id")
    def _compute_http_sender(self):
        for account in self:
            account.http_sender = account.default_sender_id.name

    def _inverse_http_sender(self):
        """Make the sender that was typed: http2sms lists none."""
        for account in self:
            name = (account.http_sender or "").strip()
            unchanged = name == account.default_sender_id.name
            if account.auth_method != "http2sms" or unchanged:
                continue
            if name and (
                not re.fullmatch(rf"[A-Za-z0-9]{{1,{const.MAX_SENDER_LENGTH}}}", name)
                or name.isdigit()
            ):
                raise ValidationError(
                    self.env._(
                        "“%(name)s” cannot be a sender. A sender has letters and"
                        " digits, %(max)s at most, and not digits only.",
                        name=name,
                        max=const.MAX_SENDER_LENGTH,
                    )
                )
            # sudo: with http2sms nobody else says which senders there are.
            Sender = self.env["sms.ovh.sender"].sudo().with_context(active_test=False)
            sender = Sender.search(
                [
                    ("account_id", "=", account.id),
                    ("type", "=", "alpha"),
                    ("name", "=", name),
                ]
            )
            if sender:
                sender.write({"active": True, "status": "enable"})
            elif name:
                sender = Sender.create(
                    {
                        "account_id": account.id,
                        "name": name,
                        "type": "alpha",
                        "status": "enable",
                    }
                )
            account.default_sender_id = sender.with_env(account.env)

    @api.constrains("client_id", "client_secret", "http_login", "http_password")
    def _check_logins(self):
        # sudo: what the administrator just typed.
        for account in self.sudo():
            for name, regex in (
                ("client_id", CLIENT_REGEX),
                ("client_secret", CLIENT_REGEX),
                ("http_login", LOGIN_REGEX),
                ("http_password", LOGIN_REGEX),
            ):
                if account[name] and not regex.fullmatch(account[name]):
                    raise ValidationError(
                        self.env._(
                            "%s: this has characters that OVHcloud never uses there."
                            " Copy it again from OVHcloud's page.",
                            account._fields[name]._description_string(self.env),
                        )
                    )

    # ------------------------------------------------------------
    # The way to OVHcloud
    # ------------------------------------------------------------

    def _get_application(self):
        """Return (application key, its secret), empty where there are none.

        This account's own come first, then those of the integrator: of Odoo's
        configuration file, then of the environment.
        """
        # sudo: the keys, which only system administrators may read, stay in the client.
        account_sudo = self.sudo()
        if account_sudo.application_key or account_sudo.application_secret:
            return (
                account_sudo.application_key or "",
                account_sudo.application_secret or "",
            )
        for read in (config.get, lambda option: os.environ.get(option.upper())):
            key = str(read(APPLICATION_KEY_OPTION) or "").strip()
            secret = str(read(APPLICATION_SECRET_OPTION) or "").strip()
            if key and secret:
                return key, secret
        return "", ""

    def _get_api_url(self):
        """Return the base address of the API."""
        return const.ENDPOINT_URLS.get(self.endpoint, self.endpoint_url)

    def _get_client_args(self, consumer_key=None):
        """Return what a client of this account is made from, as plain values.

        :param str consumer_key: another one than the account's
        :rtype: http2sms.OvhSmsAccess|http2sms.Http2SmsAccess
        """
        self.ensure_one()
        # sudo: the keys, which only system administrators may read, stay in the client.
        account_sudo = self.sudo()
        account_sudo.fetch(LOGIN_FIELDS)
        timeout = (const.CONNECT_TIMEOUT, const.READ_TIMEOUT)
        base_url = account_sudo._get_api_url()
        if account_sudo.endpoint == "custom":
            token_url = resolve_url(base_url, "./auth/oauth2/token")
            http2sms_url = resolve_url(base_url, "./cgi-bin/sms/http2sms.cgi")
        else:
            token_url = const.OAUTH2_TOKEN_URLS[account_sudo.endpoint]
            http2sms_url = const.HTTP2SMS_URLS[account_sudo.endpoint]
        if account_sudo.auth_method == "http2sms":
            return http2sms.Http2SmsAccess(
                http2sms_url,
                account_sudo.http_login,
                account_sudo.http_password,
                timeout,
            )
        if account_sudo.auth_method == "oauth2":
            service_account = (account_sudo.client_id, account_sudo.client_secret)
            return http2sms.OvhSmsAccess(
                base_url, "", "", "", timeout, *service_account, token_url
            )
        consumer_key = consumer_key or account_sudo.consumer_key
        return http2sms.OvhSmsAccess(
            base_url, *account_sudo._get_application(), consumer_key, timeout
        )

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

    def _get_error_sentence(self, error):
        """Return a sentence in the user's language: what is wrong and what to do.

        :param ovh_client.OvhError error: what a call raised
        :rtype: str
        """
        return error_sentences.get_error_sentence(self.env, error, self._get_access())

    def _get_refusal_sentence(self, error, label):
        """Return what a refused change means: which field, and what to do.

        :param ovh_client.OvhError error: what the call raised
        :param str label: of what was to be changed
        :rtype: str
        """
        return error_sentences.get_refusal_sentence(
            self.env, error, label, self._get_access()
        )

    def _get_access(self):
        """Return what sentences on errors tell of this account.

        :rtype: error_sentences.Access
        """
        self.ensure_one()
        return error_sentences.Access(
            method=self.auth_method,
            service=self.service_name,
            expired=self._is_expired(),
            # sudo: only whether there is one.
            has_consumer_key=bool(self.sudo().consumer_key),
            has_application=self.application_available,
        )

    # ------------------------------------------------------------
    # Connect with OVHcloud
    # ------------------------------------------------------------

    def action_connect(self):
        """Ask OVHcloud for a consumer key, and open the page where it is approved.

        A key in use stays in use until the new one is approved.

        :return: the action that leaves Odoo for OVHcloud's page
        :rtype: dict
        :raise UserError: where OVHcloud refuses, with what to do
        """
        self.ensure_one()
        self._check_may_connect()
        self.check_access("write")
        if not all(self._get_application()):
            raise UserError(
                self.env._(
                    "Enter the application key and its secret first: OVHcloud's page"
                    " makes them (step 2)."
                )
            )
        state = secrets.token_urlsafe(32)
        redirection = urljoin(self.get_base_url(), f"/sms_ovh/connected/{state}")
        try:
            with self._get_client() as client:
                consumer_key, url = client.request_consumer_key(
                    self._get_access_rules(), redirection
                )
        except ovh_client.OvhBadRequest as error:
            raise RedirectWarning(
                self.env._(
                    "OVHcloud refuses to send you back to %(address)s, which Odoo takes"
                    " for its own address (%(words)s). Correct the address of your"
                    " Odoo, then press “Connect with OVHcloud” again.",
                    address=self.get_base_url(),
                    words=error.message,
                ),
                self.action_open_base_url(),
                self.env._("Correct the Address"),
            ) from None
        except ovh_client.OvhError as error:
            raise UserError(self._get_error_sentence(error)) from None
        values = {
            "pending_consumer_key": consumer_key,
            "connect_state": self._hash_state(state),
            "connect_state_end": fields.Datetime.now() + const.CONNECT_WITHIN,
            "connect_user_id": self.env.uid,
        }
        if self.state != "connected":
            values.update(state="pending", state_message=False)
        # sudo: nobody writes these by hand.
        self.sudo().write(values)
        return {"type": "ir.actions.act_url", "url": url, "target": "self"}

    def action_open_base_url(self):
        """Open the address by which others reach this Odoo, to be corrected.

        :raise AccessError: for all but system administrators
        """
        self.check_access("write")
        Parameter = self.env["ir.config_parameter"]
        Parameter.check_access("write")
        parameter = Parameter.search([("key", "=", "web.base.url")], limit=1)
        return open_dialog(
            self.env._("The Address of Your Odoo"), Parameter._name, parameter.id
        )

    def action_use(self):
        """Make this account the one that its company sends with.

        :raise AccessError: for who may not change the company's settings
        """
        self.ensure_one()
        self.check_access("write")
        self.company_id.write({"sms_ovh_account_id": self.id})
        return True

    def action_send_test(self):
        """Open an SMS to the user's own number, ready to be sent.

        :raise UserError: where the company sends with another account, or with none
        """
        self.ensure_one()
        self.check_access("read")
        if not self.in_use:
            raise UserError(
                self.env._(
                    "No company sends with this account yet: a system administrator"
                    " chooses it in the settings."
                )
            )
        return open_dialog(
            self.env._("Send Me a Test SMS"),
            "sms.composer",
            allowed_company_ids=self.company_id.ids,
            default_composition_mode="numbers",
            default_mass_force_send=True,
            default_numbers=self.env.user.phone or "",
            default_body=self.env._(
                "This is a test SMS from Odoo (%s).", self.company_id.name
            ),
        )

    def _check_may_connect(self):
        """Refuse users who may not see keys.

        :raise AccessError: always for them
        """
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(
                self.env._(
                    "Only a system administrator connects an account with OVHcloud."
                )
            )

    def _get_access_rules(self):
        """Return the least that the addon needs, as (method, path) pairs."""
        path = self._get_path() if self.service_name else None
        rules = [("GET", "/sms"), ("GET", "/auth/currentCredential")]
        if path:
            rules += [(method, path) for method in ("GET", "PUT")]
            rules += [(method, f"{path}/*") for method in const.API_METHODS]
            rules.append(("GET", "/sms/rates/*"))
        else:
            rules += [(method, "/sms/*") for method in const.API_METHODS]
        return rules

    @api.depends("service_name")
    def _compute_iam_policy(self):
        """Write down the policy that an OAuth2 service account needs at OVHcloud."""
        for account in self:
            policy = {
                "name": "odoo-sms",
                "identities": [
                    "urn:v1:eu:identity:credential:CUSTOMER/oauth2-CLIENT_ID"
                ],
                "resources": [
                    {"urn": f"urn:v1:eu:resource:sms:{account.service_name or '*'}"},
                    {"urn": "urn:v1:eu:resource:smsVirtualNumbers:*"},
                ],
                "permissions": {
                    "allow": [{"action": action} for action in const.IAM_ACTIONS]
                },
            }
            account.iam_policy = json.dumps(policy, indent=2)

    @staticmethod
    def _hash_state(state):
        return hashlib.sha256(state.encode()).hexdigest()

    @api.model
    def _take_returned(self, state):
        """Return the account that this return from OVHcloud's page belongs to.

        It is valid once, for an hour, and for the user who started only.

        :param str state: what the address of the return ends with
        :return: the account, none where the state is not known any more
        """
        digest = self._hash_state(state)
        # sudo: what is compared here is hidden from everybody.
        account_sudo = self.sudo().search([("connect_state", "=", digest)], limit=1)
        if (
            not hmac.compare_digest(account_sudo.connect_state or "", digest)
            or account_sudo.connect_user_id != self.env.user
            or not self.env.user.has_group("base.group_system")
        ):
            return self.browse()
        in_time = account_sudo.connect_state_end >= fields.Datetime.now()
        account_sudo.write({"connect_state": False, "connect_state_end": False})
        # Written first: of two returns at once the second then finds none.
        account_sudo.flush_recordset()
        return account_sudo.sudo(False) if in_time else self.browse()

    def _finish_connection(self, returned=False):
        """Take over the consumer key that waits for approval, if it was approved.

        :param bool returned: whether its owner comes from OVHcloud's page
        :return: whether the account is connected now
        :rtype: bool
        """
        self.ensure_one()
        # sudo: the keys, which only system administrators may read, stay in here.
        account_sudo = self.sudo()
        consumer_key = account_sudo.pending_consumer_key
        if not consumer_key or account_sudo.auth_method != "consumer_key":
            if account_sudo.state == "pending":
                account_sudo.state = "draft"
            return False
        connected = account_sudo.state == "connected"
        client_args = self._get_client_args(consumer_key=consumer_key)
        try:
            # Not granted: approved, though not for this.
            with (
                contextlib.suppress(ovh_client.OvhNotGranted),
                http2sms.create_client(client_args) as client,
            ):
                client.get("/auth/currentCredential")
        except ovh_client.OvhConsumerKeyRefused:
            account_sudo._give_up_connection(returned)
            return False
        except ovh_client.OvhError as error:
            values = {"state_message": self._get_error_sentence(error)}
            if returned and not connected:
                values["state"] = "error"
            account_sudo.write(values)
            return False
        account_sudo.write(
            {
                "consumer_key": consumer_key,
                "pending_consumer_key": False,
                "connect_state": False,
                "state": "connected" if connected else "draft",
                "state_message": False,
            }
        )
        return self._synchronise()

    def _give_up_connection(self, returned):
        """Write down that the key that waits was not approved: yet, or never.

        :param bool returned: see :meth:`_finish_connection`
        """
        self.ensure_one()
        connected = self.state == "connected"
        if not returned:
            # Not approved yet, or never.
            limit = fields.Datetime.now() - const.APPROVE_WITHIN
            if not connected and self.write_date < limit:
                self.write({"state": "draft", "pending_consumer_key": False})
            return
        values = {"pending_consumer_key": False}
        if connected:
            values["state_message"] = self.env._(
                "The new connection was not approved on OVHcloud's page. The one"
                " before it is still in use."
            )
        else:
            values["state"] = "refused"
            values["state_message"] = self.env._(
                "The connection was not approved on OVHcloud's page. Press “Connect"
                " with OVHcloud” and approve it there."
            )
        self.write(values)

    # ------------------------------------------------------------
    # Which service
    # ------------------------------------------------------------

    def _fetch_services(self, client):
        """Return the names of the services that this account could be.

        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        names = client.get("/sms")
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise ovh_client.OvhUnreadableAnswer("No list of services")
        # sudo: a service belongs to one account, whoever's that is.
        account_sudo = self.sudo()
        others = account_sudo.search(
            [
                ("service_name", "in", names),
                ("endpoint_url", "=", account_sudo.endpoint_url),
                ("id", "!=", self.id),
            ]
        )
        return sorted(set(names) - set(others.mapped("service_name")))

    def _find_service(self, client):
        """Give this account the only service there is, or have the user choose.

        :return: whether the service is known now
        :rtype: bool
        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        names = self._fetch_services(client)
        if len(names) == 1:
            self.write({"service_name": names[0]})
            return True
        if names:
            message = self.env._(
                "OVHcloud knows several SMS services of yours: choose one."
            )
        else:
            message = self.env._(
                "OVHcloud knows no SMS service of yours that no other account uses."
                " Order one in OVHcloud's console, then test the connection."
            )
        self.write(
            {
                "state": "draft" if names else "error",
                "state_message": message,
                "available_services": ", ".join(names),
            }
        )
        return False

    def action_choose_service(self):
        """Open the list of services to choose from.

        :raise UserError: where OVHcloud refuses, with what to do
        """
        self.ensure_one()
        self.check_access("write")
        try:
            with self._get_client() as client:
                services = {
                    name: client.get(f"/sms/{ovh_client.quote_path(name)}")
                    for name in self._fetch_services(client)
                }
            lines = [
                {
                    "name": name,
                    "description": service.get("description"),
                    "credits_left": float(service["creditsLeft"]),
                }
                for name, service in services.items()
            ]
        except ovh_client.OvhError as error:
            raise UserError(self._get_error_sentence(error)) from None
        except (AttributeError, KeyError, TypeError, ValueError):
            error = ovh_client.OvhUnreadableAnswer("Unexpected content")
            raise UserError(self._get_error_sentence(error)) from None
        choice = self.env["sms.ovh.service.choice"].create(
            {
                "account_id": self.id,
                "line_ids": [fields.Command.create(line) for line in lines],
            }
        )
        return open_dialog(
            self.env._("Choose the SMS Service"), "sms.ovh.service.choice", choice.id
        )

    # ------------------------------------------------------------
    # How long it lasts
    # ------------------------------------------------------------

    def _fetch_expiration(self, client):
        """Return when the consumer key ends, False if it does not or nobody says.

        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        if self.auth_method != "consumer_key":
            return False
        try:
            credential = client.get("/auth/currentCredential")
        except (ovh_client.OvhNotGranted, ovh_client.OvhNotFound):
            return False
        expiration = parse_time(credential.get("expiration"))
        return expiration and expiration.replace(microsecond=0)

    def _is_expired(self):
        """Return whether the consumer key has come to its end."""
        end = self.credential_expiration
        return bool(end and end <= fields.Datetime.now())

    def _get_failure_values(self, error):
        """Return the state that `error` puts this account in.

        :param ovh_client.OvhError error: what a call raised
        :rtype: dict
        """
        state = "error"
        if isinstance(error, ovh_client.OvhConsumerKeyRefused):
            state = "expired" if self._is_expired() else "refused"
        elif isinstance(error, ovh_client.OvhServiceAccountRefused):
            state = "refused"
        return {"state": state, "state_message": self._get_error_sentence(error)}

    def _announce_state(self, before):
        """Tell the responsible user at once when OVHcloud refuses what it took before.

        :param dict before: state of these accounts by id, as it was
        """
        for account in self:
            if account.state == "connected":
                account._unlink_connection_activity()
            elif (
                account.state in ("refused", "expired")
                and before.get(account.id) != account.state
            ):
                account._schedule_connection_activity()

    def _unlink_connection_activity(self):
        """Take back what the responsible user was asked: it is connected again."""
        # sudo: the activity is another's.
        self.sudo().activity_unlink([CONNECTION_ACTIVITY])

    def _schedule_connection_activity(self):
        """Ask the responsible user to connect this account again."""
        self.ensure_one()
        self._unlink_connection_activity()
        user = self.user_id or self.env.user
        env = self.with_context(lang=user.lang).env
        # sudo: news from OVHcloud, no matter which user reads it first.
        self.sudo().activity_schedule(
            CONNECTION_ACTIVITY,
            user_id=user.id,
            summary=env._("OVHcloud refuses the connection")
            if self.state == "refused"
            else env._("The connection with OVHcloud has expired"),
            # It holds OVHcloud's words, which are text.
            note=escape(self.with_context(lang=user.lang)._get_connection_advice()),
        )

    def _get_connection_advice(self):
        """Return what is wrong and how it is cured, in one text."""
        self.ensure_one()
        advice = self.env._(
            "No SMS is sent until then. Open the account and press “Connect with"
            " OVHcloud”."
        )
        if self.auth_method != "consumer_key":
            advice = self.env._(
                "No SMS is sent until then. Open the account, correct what it connects"
                " with, and press “Test Connection”."
            )
        return " ".join(filter(None, [self.state_message, advice]))

    def _announce_expiry(self):
        """Tell the responsible user, once, that the connection ends soon."""
        self.ensure_one()
        end = self.credential_expiration
        if not end or end > fields.Datetime.now() + const.ANNOUNCE_EXPIRY:
            self.activity_unlink([EXPIRY_ACTIVITY])
            return
        if self.expiry_announced == end:
            return
        self.sudo().expiry_announced = end  # sudo: nobody writes it by hand.
        self.activity_unlink([EXPIRY_ACTIVITY])
        user = self.user_id or self.env.user
        env = self.with_context(lang=user.lang).env
        self.activity_schedule(
            EXPIRY_ACTIVITY,
            date_deadline=end.date(),
            user_id=user.id,
            summary=env._("The connection with OVHcloud ends soon"),
            note=env._(
                "After that no SMS is sent. Open the account and press “Renew the"
                " Connection”: sending goes on meanwhile."
            ),
        )

    # ------------------------------------------------------------
    # http2sms
    # ------------------------------------------------------------

    def _get_max_receivers(self):
        """Return how many receivers one job of this account takes."""
        if self.auth_method == "http2sms":
            return 1
        return const.MAX_RECEIVERS_PER_JOB

    def _read_report(self, report):
        """Keep what http2sms says besides the SMS it took: the credits left.

        :param report: the decoded answer to a job
        """
        self.ensure_one()
        if self.auth_method != "http2sms" or not isinstance(report, dict):
            return
        # sudo: whoever sends.
        account_sudo = self.sudo()
        values = {"state": "connected"}
        credits_left = report.get("creditsLeft")
        # Answers overtake each other: a little more than just now is what was before.
        risen = (credits_left or 0) - account_sudo.credits_left
        last_answer = account_sudo.last_sync or datetime.min
        recent = last_answer > fields.Datetime.now() - const.OVERTAKEN_WITHIN
        if credits_left is not None and not (
            recent and 0 < risen < const.SMALLEST_RECHARGE
        ):
            values["credits_left"] = credits_left
        values = {name: v for name, v in values.items() if account_sudo[name] != v}
        if values:
            account_sudo.write(
                {**values, "state_message": False, "last_sync": fields.Datetime.now()}
            )
            account_sudo._check_credits()
