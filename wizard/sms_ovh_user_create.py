import re
import secrets
import string

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const

ALPHABET = string.ascii_letters + string.digits
# Not of dots only: in the API's paths that would be something else.
LOGIN_REGEX = re.compile(r"(?!\.+$)[A-Za-z0-9._-]{1,32}")


class SmsOvhUserCreate(models.TransientModel):
    """Create an API user; its password is shown once and kept nowhere."""

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
    user_id = fields.Many2one("sms.ovh.user", string="API User", readonly=True)
    # From the context only, so that it is in no table.
    password_shown = fields.Char(
        string="Its Password", compute="_compute_password_shown"
    )

    @api.model
    def _generate_password(self):
        """Return a password by OVHcloud's rule: eight letters and digits, both."""
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
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New API User"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "context": context,
        }

    def action_create(self):
        """Create the API user at OVHcloud and show its password.

        :raise UserError: where the login or the password cannot be, or are refused
        """
        self.ensure_one()
        self.check_access("write")
        account = self.account_id
        login = (self.login or "").strip()
        password = self.password or ""
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
        # Kept no longer than the call that needs it.
        self.password = False
        content = {"login": login, "password": password}
        user = account._change_at_ovhcloud(
            lambda client: client.post(account._get_path("users"), content),
            lambda client: client.get(account._get_path("users", login)),
            login,
        )
        self.user_id = account._adopt_user(
            self.env["sms.ovh.user"]._read_values(user or {"login": login})
        )
        return self._open(sms_ovh_password=password)

    def action_done(self):
        """Go to the new API user, whose password is forgotten here."""
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
