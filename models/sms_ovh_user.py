import ipaddress

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import email_normalize

from .. import const

# What a user of Odoo changes here, and OVHcloud's object that it is part of.
FIELD_TO_PART = {
    "quota_active": "quota",
    "quota_left": "quota",
    "alert_active": "alert",
    "alert_threshold": "alert",
    "alert_support": "alert",
    "alert_email": "alert",
    "alert_number": "alert",
    "ip_restrictions": "ip",
}


class SmsOvhUser(models.Model):
    """An API user of an OVHcloud account: a login with a quota of its own.

    What is written here is written to OVHcloud, or nowhere: OVHcloud's refusal undoes
    the change in Odoo.
    """

    _name = "sms.ovh.user"
    _description = "OVHcloud API User"
    _order = "account_id, login"
    _rec_name = "login"
    _inherit = ["sms.ovh.guard.mixin"]
    _check_company_auto = True

    account_id = fields.Many2one(
        "sms.ovh.account",
        required=True,
        ondelete="cascade",
        index=True,
        readonly=True,
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    active = fields.Boolean(default=True, readonly=True)
    login = fields.Char(required=True, readonly=True)
    quota_active = fields.Boolean(
        string="Quota",
        help="This user sends no more SMS than its quota. The quota's SMS are taken"
        " out of those left on the account.",
    )
    quota_left = fields.Float(digits=(16, 2))
    alert_active = fields.Boolean(
        string="Alert", help="OVHcloud tells somebody when few SMS are left."
    )
    alert_threshold = fields.Integer(
        string="Alert Limit", help="The alert is sent when fewer SMS are left."
    )
    alert_support = fields.Selection(
        [("mail", "E-mail"), ("sms", "SMS"), ("both", "E-mail and SMS")],
        string="Notification",
        default="mail",
    )
    alert_email = fields.Char(string="Alert E-mail")
    alert_number = fields.Char(string="Alert Phone Number")
    ip_restrictions = fields.Text(
        string="Allowed IP Addresses",
        help="One address or network a line, at most five. OVHcloud refuses this user's"
        " password from elsewhere. Empty: from everywhere.",
    )
    refused_until = fields.Datetime(
        readonly=True,
        copy=False,
        help="OVHcloud refuses what is sent as this one, though it takes what others"
        " send: one job tries again by then, the others wait for it.",
    )

    _account_login_unique = models.Constraint(
        "unique(account_id, login)",
        "This account has an API user of this login already.",
    )

    @api.depends("login")
    @api.depends_context("lang", "uid")
    def _compute_display_name(self):
        """Tell logins to users of the account's company only. See `sms.ovh.account`."""
        for user in self:
            own = user.company_id._sms_ovh_is_own()
            user.display_name = user.login if own else self.env._("API User")

    # ------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------

    # What OVHcloud has is as it is: only what is typed here is checked, see `write`.

    def _check_quota(self):
        for user in self:
            if user.quota_active and user.quota_left < 0:
                raise ValidationError(
                    self.env._("The quota cannot be below zero. Enter 0 or more.")
                )

    def _check_alert(self):
        for user in self.filtered("alert_active"):
            if user.alert_threshold < 0:
                raise ValidationError(
                    self.env._("The alert limit cannot be below zero. Enter 0 or more.")
                )
            by_mail = user.alert_support != "sms"
            if by_mail and not email_normalize(user.alert_email or ""):
                raise ValidationError(
                    self.env._(
                        "“%s” is not an e-mail address. Enter the one that gets the"
                        " alert.",
                        user.alert_email or "",
                    )
                )
            if user.alert_support in ("sms", "both") and not user._get_alert_number():
                raise ValidationError(
                    self.env._(
                        "“%s” is not a phone number. Enter the one that gets the alert"
                        " by SMS.",
                        user.alert_number or "",
                    )
                )

    def _check_ip_restrictions(self):
        for user in self:
            addresses = user._get_ip_restrictions()
            if len(addresses) > const.MAX_IP_RESTRICTIONS:
                raise ValidationError(
                    self.env._(
                        "OVHcloud takes at most %s allowed IP addresses. Remove some.",
                        const.MAX_IP_RESTRICTIONS,
                    )
                )
            for address in addresses:
                try:
                    ipaddress.ip_network(address, strict=False)
                except ValueError:
                    raise ValidationError(
                        self.env._(
                            "“%s” is not an IP address. Enter one a line, such as"
                            " 192.0.2.10 or 192.0.2.0/24.",
                            address,
                        )
                    ) from None

    def _get_ip_restrictions(self):
        """Return the allowed addresses as a list."""
        self.ensure_one()
        lines = (self.ip_restrictions or "").replace(",", "\n").splitlines()
        return list(dict.fromkeys(filter(None, map(str.strip, lines))))

    def _get_alert_number(self):
        """Return the alert's phone number in E.164, or False where it is none."""
        self.ensure_one()
        return self.company_id._sms_ovh_clean_number(self.alert_number).number or False

    # ------------------------------------------------------------
    # Writing to OVHcloud
    # ------------------------------------------------------------

    def write(self, vals):
        """Override to write to OVHcloud too, and to keep what it then says.

        :raise UserError: where OVHcloud refuses; nothing is changed then
        """
        parts = {FIELD_TO_PART[name] for name in vals if name in FIELD_TO_PART}
        if not parts:
            return super().write(vals)
        if len(self) > 1:
            # Of several, one could be refused after another was changed.
            raise UserError(self.env._("Change one API user at a time."))
        result = super().write(vals)
        self._check_quota()
        self._check_alert()
        self._check_ip_restrictions()
        self.flush_recordset()
        for user in self:
            user._push(parts)
        return result

    def _keep(self, values):
        """Keep what OVHcloud says of this user, which is not to be written to it."""
        self.ensure_one()
        user_sudo = self.sudo()  # sudo: only OVHcloud decides on most of it.
        changes = {
            name: value for name, value in values.items() if user_sudo[name] != value
        }
        if not changes:
            return True
        raised = changes.get("quota_left", 0) > user_sudo.quota_left
        raised = raised or changes.get("quota_active") is False
        # `write` of this model would write it to OVHcloud.
        # pylint: disable-next=super-method-mismatch
        result = super(SmsOvhUser, user_sudo).write(changes)
        if raised and user_sudo.refused_until:
            user_sudo._release_refused()
        return result

    def _release_refused(self):
        """Send what waits for this user's quota to be raised."""
        self.ensure_one()
        self.refused_until = False
        self.env["sms.ovh.job"].search(
            [("ovh_user_id", "=", self.id), ("state", "=", "queued")]
        ).next_attempt = False
        self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()

    def _push(self, parts):
        """Write these parts of this user to OVHcloud, then here what it says.

        :param set parts: values of `FIELD_TO_PART`
        :raise UserError: where OVHcloud refuses
        """
        self.ensure_one()
        content = self._prepare_parts(parts)
        account = self.account_id

        def change(client):
            client.put(account._get_path("users", self.login), content)

        def read(client):
            return (
                client.get(account._get_path("users", self.login)),
                client.get(account._get_path()),
            )

        answers = account._change_at_ovhcloud(change, read, self.login)
        if answers:
            user, service = answers
            self._keep(self._read_values(user))
            # A quota takes its SMS out of those left on the account.
            account._adopt_service(service)

    def _prepare_parts(self, parts):
        """Return these parts of this user as OVHcloud takes them.

        :param set parts: values of `FIELD_TO_PART`
        :rtype: dict
        """
        self.ensure_one()
        content = {}
        if "quota" in parts:
            content["quotaInformations"] = {
                "quotaStatus": "active" if self.quota_active else "inactive",
                "quotaLeft": self.quota_left if self.quota_active else 0.0,
            }
        if "alert" in parts:
            content["alertThresholdInformations"] = self._prepare_alert()
        if "ip" in parts:
            content["ipRestrictions"] = self._get_ip_restrictions()
        return content

    def _prepare_alert(self):
        """Return OVHcloud's object of this user's alert."""
        if not self.alert_active:
            return {"alertThreshold": const.ALERT_OFF}
        alert = {
            "alertThreshold": self.alert_threshold,
            "support": self.alert_support or "mail",
        }
        if alert["support"] != "sms":
            alert["alertEmail"] = email_normalize(self.alert_email)
        if alert["support"] != "mail":
            alert["alertNumber"] = self._get_alert_number()
        return alert

    # ------------------------------------------------------------
    # Reading from OVHcloud
    # ------------------------------------------------------------

    @api.model
    def _fetch(self, account, client):
        """Return the values of all API users that OVHcloud knows for a service.

        :param account: `sms.ovh.account` of the service
        :param client: `OvhSmsClient`
        :return: the values, and the logins of those that are listed and cannot be read
        :rtype: tuple[list[dict], set]
        """
        return account._fetch_listed(client, "users", self._read_values)

    @api.model
    def _read_values(self, user):
        """Return the values of one API user as OVHcloud gives it; no password.

        :param dict user: `sms.User` of the API
        """
        quota = user.get("quotaInformations") or {}
        alert = user.get("alertThresholdInformations") or {}
        threshold = alert.get("alertThreshold")
        has_alert = isinstance(threshold, int | float) and threshold >= 0
        support = alert.get("support")
        known = dict(self._fields["alert_support"].selection)
        return {
            "login": user["login"],
            "quota_active": quota.get("quotaStatus") == "active",
            "quota_left": float(quota.get("quotaLeft") or 0),
            "alert_active": has_alert,
            "alert_threshold": int(threshold) if has_alert else 0,
            "alert_support": support if support in known else "mail",
            "alert_email": alert.get("alertEmail") or False,
            "alert_number": alert.get("alertNumber") or False,
            "ip_restrictions": "\n".join(user.get("ipRestrictions") or []) or False,
        }

    @api.model
    def _update_from_ovhcloud(self, account, values_list, unread=()):
        """Make an account's API users those of `values_list`; archive the others.

        :param account: `sms.ovh.account`
        :param list values_list: values of each
        :param unread: logins of those that stay as they are
        """
        User = self.with_context(active_test=False)
        existing = {
            user.login: user for user in User.search([("account_id", "=", account.id)])
        }
        to_create = []
        for values in values_list:
            user = existing.pop(values["login"], None)
            if user:
                user._keep({**values, "active": True})
            else:
                to_create.append({**values, "account_id": account.id})
        User.sudo().create(to_create)  # sudo: only OVHcloud decides who there is.
        gone = User.union(*existing.values()).filtered(
            lambda user: user.active and user.login not in unread
        )
        if gone:
            gone._archive_gone()

    @api.model
    def _adopt(self, account, values):
        """Keep what OVHcloud says of one API user.

        :param account: `sms.ovh.account` whose it is
        :param dict values: see `_read_values`
        :return: the `sms.ovh.user`
        """
        User = self.with_context(active_test=False)
        user = User.search(
            [("account_id", "=", account.id), ("login", "=", values["login"])]
        )
        if user:
            user._keep({**values, "active": True})
            return user
        # sudo: only OVHcloud decides who there is.
        user_sudo = User.sudo().create({**values, "account_id": account.id})
        return user_sudo.with_env(self.env)

    def _archive_gone(self):
        """Archive these API users, which OVHcloud has no more; what they did is kept."""
        users = self.sudo()
        for account in users.account_id:
            own = users.filtered(
                lambda user, account=account: user.account_id == account
            )
            if account.default_api_user_id in own:
                account._tell(
                    account.env._(
                        "OVHcloud deleted the API user “%s”, as which SMS were sent:"
                        " the account itself sends and pays from now on.",
                        account.default_api_user_id.login,
                    )
                )
                account.default_api_user_id = False
        users.action_archive()
        # What still waits would be refused for ever in the name of who is gone.
        # sudo: the outbox is nobody's to write but the gateway's.
        self.env["sms.ovh.job"].sudo().search(
            [("ovh_user_id", "in", users.ids), ("state", "=", "queued")]
        ).write({"ovh_user_id": False, "next_attempt": False})
        users.refused_until = False

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_open(self):
        """Open this user to change it."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }

    def action_delete(self):
        """Delete this user at OVHcloud; here it is archived with its history.

        :raise UserError: where OVHcloud refuses, or the account sends as this user
        """
        self.ensure_one()
        self.check_access("write")
        account = self.account_id
        if account.default_api_user_id == self:
            raise UserError(
                self.env._(
                    "%(account)s sends as “%(user)s”. Choose another API user, or none,"
                    " on the account first.",
                    account=account.display_name,
                    user=self.login,
                )
            )
        account._change_at_ovhcloud(
            lambda client: client.delete(account._get_path("users", self.login)),
            None,
            self.login,
            gone_is_done=True,
        )
        self._archive_gone()
        account._refresh_service()
        return True

    def action_create_user(self):
        """Open the creation of an API user of the company's account."""
        return self.env["sms.ovh.account"]._get_for_action().action_create_user()

    def action_synchronise(self):
        """Read all API users that this user of Odoo sees from OVHcloud again."""
        return self.env["sms.ovh.account"]._get_of_companies().action_read_again()
