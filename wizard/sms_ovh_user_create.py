import re
import secrets
import string

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..tools import ovh_client
from ..tools.client_actions import open_dialog

ALPHABET = string.ascii_letters + string.digits
# Not only dots: in the API's paths those would mean something else.
LOGIN_REGEX = re.compile(r"(?!\.+$)[A-Za-z0-9._-]{1,32}")


class SmsOvhUserCreate(models.TransientModel):
    """Creates an API user; its password is shown once and not stored."""

    _name = "sms.ovh.user.create"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Creation of an OVHcloud API User"

    _sms_ovh_guarded_links = {"account_id": "write"}

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, readonly=True, ondelete="cascade"
    )
    login = fields.Char()
    has_capitals = fields.Boolean(compute="_compute_has_capitals")
    password = fields.Char(
        default=lambda self: self._generate_password(),
        help="Eight letters and digits. Odoo does not need it; other programs that send"
        " as this user do.",
    )
    quota_active = fields.Boolean(
        string="Quota",
        help="This user sends no more SMS than its quota. The quota's SMS are taken"
        " out of those left on the account.",
    )
    quota_left = fields.Float(string="SMS in the Quota", digits=(16, 2))
    alert_active = fields.Boolean(
        string="Alert", help="OVHcloud tells somebody when few SMS are left."
    )
    alert_threshold = fields.Integer(
        string="Alert Limit",
        default=100,
        help="The alert is sent when fewer SMS are left.",
    )
    alert_support = fields.Selection(
        [("mail", "E-mail"), ("sms", "SMS"), ("both", "E-mail and SMS")],
        string="Notification",
        default="mail",
    )
    alert_email = fields.Char(
        string="Alert E-mail", default=lambda self: self.env.user.email
    )
    alert_number = fields.Char(string="Alert Phone Number")
    refusal = fields.Char(readonly=True)
    user_id = fields.Many2one("sms.ovh.user", string="API User", readonly=True)
    # Only from the context, so that it is in no table.
    password_shown = fields.Char(
        string="Its Password", compute="_compute_password_shown"
    )

    @api.model
    def _generate_password(self):
        """Return a password by OVHcloud's rule: eight letters and digits, with both."""
        while True:
            password = "".join(
                secrets.choice(ALPHABET) for __ in range(const.USER_PASSWORD_LENGTH)
            )
            if not password.isalpha() and not password.isdigit():
                return password

    @api.depends("login")
    def _compute_has_capitals(self):
        for creation in self:
            login = creation.login or ""
            creation.has_capitals = login != login.lower()

    @api.depends_context("sms_ovh_password")
    def _compute_password_shown(self):
        self.password_shown = self.env.context.get("sms_ovh_password", False)

    def _open(self, **context):
        self.ensure_one()
        return open_dialog(self.env._("New API User"), self._name, self.id, **context)

    def action_create(self):
        """Create the API user at OVHcloud and show its password.

        :raise UserError: if the login or the password is not valid, or refused
        """
        self.ensure_one()
        self.check_access("write")
        account = self.account_id
        login = (self.login or "").strip()
        password = self.password or ""
        self._check_login(login, password)
        settings = self._prepare_settings(login)
        # Not kept longer than the call that needs it.
        self.password = False
        content = {"login": login, "password": password}
        refused = []

        def change(client):
            client.post(account._get_path("users"), content)
            if settings:
                try:
                    client.put(account._get_path("users", login), settings)
                except ovh_client.OvhError as error:
                    # The user exists, so its password must still be shown.
                    refused.append(error)

        answers = account._change_at_ovhcloud(
            change,
            lambda client: (
                client.get(account._get_path("users", login)),
                client.get(account._get_path()),
            ),
            login,
        )
        user, service = answers or ({"login": login}, None)
        self.user_id = self.env["sms.ovh.user"]._adopt(
            account, self.env["sms.ovh.user"]._read_values(user)
        )
        if service:
            # A quota takes its SMS out of those left on the account.
            account._adopt_service(service)
        if refused:
            self.refusal = account._get_refusal_sentence(refused[0], login)
        return self._open(sms_ovh_password=password)

    def _check_login(self, login, password):
        """Refuse what OVHcloud would refuse.

        :raise UserError: saying what to change
        """
        if not LOGIN_REGEX.fullmatch(login):
            raise UserError(
                self.env._(
                    "“%s” cannot be a login: enter letters, digits, dots, dashes and"
                    " underscores, at most 32.",
                    login,
                )
            )
        if len(password) != const.USER_PASSWORD_LENGTH or not set(password) <= set(
            ALPHABET
        ):
            raise UserError(
                self.env._(
                    "OVHcloud wants a password of exactly %s letters and digits,"
                    " without accents. Change it.",
                    const.USER_PASSWORD_LENGTH,
                )
            )

    def _prepare_settings(self, login):
        """Return OVHcloud's object for quota and alert, empty without either.

        :param str login: login of the new user
        :raise ValidationError: if they are not valid; nothing was created yet
        """
        self.ensure_one()
        user = self.env["sms.ovh.user"].new(
            {
                "account_id": self.account_id.id,
                "login": login,
                **{
                    name: self[name]
                    for name in (
                        "quota_active",
                        "quota_left",
                        "alert_active",
                        "alert_threshold",
                        "alert_support",
                        "alert_email",
                        "alert_number",
                    )
                },
            }
        )
        user._check_quota()
        user._check_alert()
        return user._prepare_parts(
            {
                part
                for part, active in (
                    ("quota", user.quota_active),
                    ("alert", user.alert_active),
                )
                if active
            }
        )

    def action_done(self):
        """Open the new API user, and forget its password."""
        self.ensure_one()
        self.check_access("write")
        user = self.user_id
        self.unlink()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sms.ovh.user",
            "res_id": user.id,
            "view_mode": "form",
        }
