import logging

from markupsafe import escape

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..fields import clear_links
from ..tools import ovh_client
from ..tools.client_actions import open_dialog
from ..tools.number_country import get_country_code
from ..tools.phone_number import normalize_number
from ..tools.upload import upload

_logger = logging.getLogger(__name__)

SENDER_ACTIVITY = "sms_ovh.mail_activity_type_sender"
# A sender that OVHcloud offers to every French account without listing it.
SHORT_NUMBER_NAME = "short"


class SmsOvhSender(models.Model):
    """A sender of an OVHcloud account: a name, a short number or a virtual number.

    Read from OVHcloud: who may send under which name is decided there.
    """

    _name = "sms.ovh.sender"
    _description = "OVHcloud SMS Sender"
    _order = "status_sequence, type, name"
    _inherit = ["sms.ovh.guard.mixin"]
    _check_company_auto = True

    _sms_ovh_guarded_links = {"account_id": "write"}

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    active = fields.Boolean(default=True)
    name = fields.Char(required=True, readonly=True)
    type = fields.Selection(
        [
            ("alpha", "Name"),
            ("numeric", "Phone Number"),
            ("shortcode", "Short Number"),
            ("virtual", "Virtual Number"),
            ("time2chat", "Time2Chat"),
        ],
        required=True,
        readonly=True,
    )
    status = fields.Selection(
        [
            ("enable", "Enabled"),
            ("waitingValidation", "Waiting for Validation"),
            ("refused", "Refused"),
            ("disable", "Disabled"),
        ],
        required=True,
        readonly=True,
    )
    # Enabled ones first: a selection sorts by its technical value otherwise.
    status_sequence = fields.Integer(compute="_compute_status_sequence", store=True)
    description = fields.Char(readonly=True)
    comment = fields.Char(
        string="Moderator's Comment",
        readonly=True,
        help="Why OVHcloud refused this sender, in its own words.",
    )
    refused_until = fields.Datetime(
        readonly=True,
        copy=False,
        help="OVHcloud refuses what is sent as this one, though it takes what others"
        " send: one job tries again by then, the others wait for it.",
    )
    can_reply = fields.Boolean(
        string="Recipients Can Reply", compute="_compute_can_reply"
    )
    has_stop_clause = fields.Boolean(
        string="STOP Clause",
        compute="_compute_has_stop_clause",
        help="OVHcloud adds the STOP clause to marketing SMS of this sender.",
    )

    _account_name_unique = models.Constraint(
        "unique(account_id, type, name)",
        "This account has a sender of this name already.",
    )

    @api.depends("name", "type")
    @api.depends_context("lang", "uid")
    def _compute_display_name(self):
        """Tell names to users of the account's company only. See `sms.ovh.account`."""
        for sender in self:
            if not sender.company_id._sms_ovh_is_own():
                sender.display_name = self.env._("Sender")
            elif sender.type == "shortcode":
                sender.display_name = self.env._("Short number (recipients can reply)")
            else:
                sender.display_name = sender.name

    @api.depends("status")
    def _compute_status_sequence(self):
        order = [value for value, __ in self._fields["status"].selection]
        for sender in self:
            sender.status_sequence = order.index(sender.status or "disable")

    @api.depends("type")
    def _compute_can_reply(self):
        for sender in self:
            sender.can_reply = sender.type in const.TWO_WAY_SENDERS

    @api.depends("type")
    def _compute_has_stop_clause(self):
        for sender in self:
            sender.has_stop_clause = sender.type not in const.TWO_WAY_SENDERS

    def _reaches(self, country_code):
        """Tell whether SMS of this sender arrive in a country, as far as is known.

        :param str|None country_code: ISO code; overseas departments are countries
        :rtype: bool
        """
        self.ensure_one()
        only = const.SENDER_COUNTRY.get(self.type)
        if not only or not country_code:
            return True
        if self.type == "virtual":
            only = get_country_code(normalize_number(self.name, only)) or only
        return country_code == only

    def _get_country_advice(self, country_code, is_replaced=False):
        """Return what becomes of this sender in a country, False where it stays.

        Of the rules that OVHcloud's guides name (2026); what it answers for a country
        comes on top, see `sms.ovh.exception`.

        :param str country_code: ISO code
        :param bool is_replaced: whether OVHcloud says what is shown in place of a name
        :rtype: str|bool
        """
        self.ensure_one()
        if country_code in ("US", "PR"):
            return self.env._(
                "Only approved templates reach the USA: have OVHcloud approve the text,"
                " or its operators refuse it (code 1999)."
            )
        if self.type != "alpha" or is_replaced:
            return False
        if country_code == "ES":
            return self.env._(
                "Spain blocks names that are not registered with its regulator CNMC"
                " (since 2026). Choose a registered sender for Spain on the account."
            )
        if country_code == "BE":
            return self.env._("Belgian operators may replace a name by a short code.")
        return False

    def unlink(self):
        """Override to clear what leads here without a foreign key."""
        clear_links(
            self,
            ("sms.ovh.log", "sender_id"),
            ("sms.ovh.figure", "sender_id"),
            ("sms.sms", "sms_ovh_sender_id"),
        )
        return super().unlink()

    # ------------------------------------------------------------
    # Reading from OVHcloud
    # ------------------------------------------------------------

    @api.model
    def _fetch(self, account, client):
        """Return the values of all senders that OVHcloud knows for a service.

        :param account: `sms.ovh.account` of the service
        :param client: `OvhSmsClient`
        :return: the values, and the names of those that are listed and cannot be read
        :rtype: tuple[list[dict], set]
        """
        values, unread = account._fetch_listed(client, "senders", self._read_values)
        # A Time2Chat number is one of the numbers, too, and goes by its own kind.
        known = {("virtual", value["name"]) for value in values}
        values += [
            {"name": number, "type": "virtual", "status": "enable"}
            for number in account._leave_out_unsafe(
                client.get(account._get_path("virtualNumbers"))
            )
            if ("virtual", number) not in known and number not in unread
        ]
        if account._is_offered_short_number() and all(
            value["type"] != "shortcode" for value in values
        ):
            values.append(
                {"name": SHORT_NUMBER_NAME, "type": "shortcode", "status": "enable"}
            )
        return values, unread

    @api.model
    def _read_values(self, sender):
        """Return the values of one sender as OVHcloud gives it.

        :param dict sender: `sms.Sender` of the API
        """

        def get_known(name, value, default):
            known = dict(self._fields[name].selection)
            return value if value in known else default

        return {
            "name": sender["sender"],
            "type": get_known("type", sender.get("type"), "alpha"),
            "status": get_known("status", sender["status"], "disable"),
            "description": sender.get("description") or False,
            "comment": sender.get("comment") or False,
        }

    @api.model
    def _update_from_ovhcloud(self, account, values_list, unread=()):
        """Make an account's senders those of `values_list`; archive the others.

        :param account: `sms.ovh.account`
        :param list values_list: values of each
        :param unread: names of those that stay as they are
        """
        existing = {
            (sender.type, sender.name): sender
            for sender in self.with_context(active_test=False).search(
                [("account_id", "=", account.id)]
            )
        }
        to_create = []
        kept = self.browse()
        for values in values_list:
            sender = existing.get((values["type"], values["name"]))
            if sender:
                if sender.active and sender.status != values["status"]:
                    sender._tell_status(values)
                sender._keep({**values, "active": True})
                kept += sender
            else:
                to_create.append({**values, "account_id": account.id})
        created = self.create(to_create)
        had_default = bool(account.default_sender_id)
        gone = self.union(*existing.values()).filtered("active") - kept
        gone = gone.filtered(lambda sender: sender.name not in unread)
        gone._archive_gone()
        enabled = (kept + created).filtered(lambda sender: sender.status == "enable")
        if not had_default:
            # The first name in use: what most companies have one of. Until there is one,
            # the short number.
            by_type = enabled.grouped("type")
            names = by_type.get("alpha") or by_type.get("shortcode") or enabled[:0]
            account.default_sender_id = names[:1]

    @api.model
    def _adopt(self, account, values):
        """Keep what OVHcloud says of one sender.

        :param account: `sms.ovh.account` whose it is
        :param dict values: see `_read_values`
        :return: the `sms.ovh.sender`
        """
        Sender = self.with_context(active_test=False)
        sender = Sender.search(
            [
                ("account_id", "=", account.id),
                ("type", "=", values["type"]),
                ("name", "=", values["name"]),
            ]
        )
        if sender:
            sender._keep({**values, "active": True})
            return sender
        # sudo: only OVHcloud decides on senders.
        sender_sudo = Sender.sudo().create({**values, "account_id": account.id})
        return sender_sudo.with_env(self.env)

    def _keep(self, values):
        """Keep what OVHcloud says of this sender; what did not change is not written."""
        self.ensure_one()
        sender_sudo = self.sudo()  # sudo: only OVHcloud decides on senders.
        changes = {
            name: value for name, value in values.items() if sender_sudo[name] != value
        }
        if changes:
            sender_sudo.write(changes)

    def _archive_gone(self):
        """Archive these senders, which OVHcloud has no more; what they sent is kept."""
        for account in self.account_id:
            default = account.default_sender_id
            if default in self:
                account._tell(
                    account.env._(
                        "OVHcloud no longer has the sender “%s”, by which SMS were"
                        " sent. Choose another default sender.",
                        default.display_name,
                    )
                )
                account.sudo().default_sender_id = False
        self.sudo().action_archive()

    # ------------------------------------------------------------
    # Who is told
    # ------------------------------------------------------------

    def _tell_status(self, values):
        """Tell the account's followers that OVHcloud changes this sender's status.

        :param dict values: what it becomes
        """
        self.ensure_one()
        # Who reads it need not be who happened to ask OVHcloud.
        sender = self.with_env(self.account_id._in_its_language().env)
        env = sender.env
        labels = dict(sender._fields["status"]._description_selection(env))
        body = env._(
            "Sender “%(sender)s”: %(old)s → %(new)s.",
            sender=sender.display_name,
            old=labels[sender.status],
            new=labels[values["status"]],
        )
        if values["status"] == "refused" and values.get("comment"):
            body = env._(
                "%(news)s OVHcloud's comment: %(comment)s",
                news=body,
                comment=values["comment"],
            )
        self.account_id._tell(body)
        if values["status"] == "refused":
            self._schedule_refused(values.get("comment"))

    def _schedule_refused(self, comment):
        """Ask the responsible user to request again this sender that OVHcloud refused.

        :param str|bool comment: OVHcloud's words
        """
        account = self.account_id
        user = account.user_id or self.env.user
        env = self.with_context(lang=user.lang).env
        advice = env._(
            "Open the sender and press “Request Again”: correct the name or the reason."
        )
        words = comment and env._("OVHcloud's comment: %s", comment)
        # sudo: news from OVHcloud, no matter which user reads it first.
        account.sudo().activity_schedule(
            SENDER_ACTIVITY,
            user_id=user.id,
            summary=env._("OVHcloud refused the sender “%s”", self.name),
            # It holds OVHcloud's words, which are text.
            note=escape(" ".join(filter(None, [words, advice]))),
        )

    # ------------------------------------------------------------
    # Changes at OVHcloud
    # ------------------------------------------------------------

    def action_enable(self):
        """Enable this sender at OVHcloud.

        :raise UserError: where OVHcloud refuses
        """
        return self._set_status("enable")

    def action_disable(self):
        """Disable this sender at OVHcloud.

        :raise UserError: where OVHcloud refuses, or SMS are sent with it
        """
        self.check_access("write")
        self._check_not_default()
        return self._set_status("disable")

    def _set_status(self, status):
        self.ensure_one()
        self.check_access("write")
        account = self.account_id
        sender = account._change_at_ovhcloud(
            lambda client: client.put(
                account._get_path("senders", self.name), {"status": status}
            ),
            lambda client: client.get(account._get_path("senders", self.name)),
            self.display_name,
        )
        if sender:
            values = self._read_values(sender)
            if values["status"] != self.status:
                self._tell_status(values)
            self._adopt(account, values)
        return True

    def action_send_proof(self):
        """Open the form by which a proof of this name is sent to OVHcloud."""
        self.ensure_one()
        self.check_access("write")
        return open_dialog(
            self.env._("Send a Proof"),
            "sms.ovh.sender.proof",
            default_sender_id=self.id,
        )

    @api.model
    def _send_proof(self, account, name, filename, content, description=""):
        """Send OVHcloud a document that shows to whom a sender's name belongs.

        :param account: `sms.ovh.account`
        :param str name: of the sender, which need not be one yet
        :param str filename: name of the document
        :param bytes content: the document
        :param str description: what it is, for the moderator
        :raise UserError: where it is none that OVHcloud takes, or is not taken
        """
        account.ensure_one()
        account.check_access("write")
        if not filename.lower().endswith(const.PROOF_TYPES):
            raise UserError(
                self.env._(
                    "“%s” is no PDF, PNG or JPEG. Choose another file.", filename
                )
            )
        if not content or len(content) > const.MAX_PROOF_SIZE:
            raise UserError(
                self.env._(
                    "“%(name)s” is empty, or larger than %(size)s MB. Choose another"
                    " file.",
                    name=filename,
                    size=const.MAX_PROOF_SIZE // 1024**2,
                )
            )
        # sudo: the address of the API.
        base_url = account.sudo()._get_api_url()
        try:
            with account._get_client() as client:
                document = client.post(
                    account._get_path("senders", name, "documents"),
                    {"name": filename, "description": description},
                )
            url = document.get("putUrl") if isinstance(document, dict) else None
            upload(url, content, base_url)
        except ovh_client.OvhError as error:
            raise UserError(
                self.env._(
                    "OVHcloud did not take the document: %s",
                    account._get_refusal_sentence(error, name),
                )
            ) from None

    def action_delete(self):
        """Delete this sender at OVHcloud; here it is archived with its history.

        :raise UserError: where OVHcloud refuses, or SMS are sent with it
        """
        self.ensure_one()
        self.check_access("write")
        self._check_not_default()
        account = self.account_id
        account._change_at_ovhcloud(
            lambda client: client.delete(account._get_path("senders", self.name)),
            None,
            self.display_name,
            gone_is_done=True,
        )
        self._archive_gone()
        return True

    def _check_not_default(self):
        self.ensure_one()
        if self.account_id.default_sender_id == self:
            raise UserError(
                self.env._(
                    "%(account)s sends with “%(sender)s”. Choose another default sender"
                    " on the account first.",
                    account=self.account_id.display_name,
                    sender=self.display_name,
                )
            )

    def action_request_sender(self):
        """Open the request of a sender for the company's account."""
        return self.env["sms.ovh.account"]._get_for_action().action_request_sender()

    def action_request_again(self):
        """Open the request of a sender that OVHcloud refused, filled in."""
        self.ensure_one()
        self.check_access("write")
        return self._open_request(self.account_id, refused=self)

    @api.model
    def _open_request(self, account, refused=None):
        """Open the request of a sender, with the names that OVHcloud suggests.

        :param account: `sms.ovh.account` that is to have it
        :param refused: `sms.ovh.sender` that was refused, to begin with
        """
        account.ensure_one()
        account.check_access("write")
        try:
            with account._get_client() as client:
                available = client.get(
                    account._get_path("sendersAvailableForValidation")
                )
        except ovh_client.OvhError as error:
            _logger.info("OVHcloud SMS: no suggestions of senders: %r", error)
            available = []
        request = self.env["sms.ovh.sender.request"].create(
            {
                "account_id": account.id,
                **(refused._prepare_request() if refused else {}),
                "suggestion_ids": [
                    fields.Command.create(
                        {
                            "name": sender["sender"],
                            "referer": sender.get("referer"),
                        }
                    )
                    for sender in available or []
                    if sender.get("sender")
                    and sender.get("referer") in ("domain", "nichandle")
                ],
            }
        )
        return request._open()

    def _prepare_request(self):
        """Return what a new request of this sender begins with."""
        self.ensure_one()
        return {
            "name": self.name,
            "description": self.description,
            "refusal": self.comment,
        }

    def action_synchronise(self):
        """Read all accounts that this user sees from OVHcloud again."""
        return self.env["sms.ovh.account"]._get_of_companies().action_read_again()
