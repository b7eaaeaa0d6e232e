from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import ovh_client
from ..tools.client_actions import notify
from ..tools.sms_segments import MAX_SEGMENTS, count_segments, is_blank


class SmsOvhReplySettings(models.TransientModel):
    """What OVHcloud does with the replies to an account's SMS."""

    _name = "sms.ovh.reply.settings"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Settings of Replies to OVHcloud SMS"

    _sms_ovh_guarded_links = {"account_id": "write"}

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, readonly=True, ondelete="cascade"
    )
    response_type = fields.Selection(
        [
            ("none", "Nothing"),
            ("text", "Answer Automatically"),
            ("cgi", "Hand Over to Odoo"),
        ],
        string="On a Reply",
        required=True,
        default="none",
    )
    response_text = fields.Text(string="Automatic Answer")
    emails = fields.Text(
        string="Forwarded To", help="E-mail addresses, one a line. Empty: to nobody."
    )
    # Fields that the counter under the text reads.
    sms_ovh_in_use = fields.Boolean(compute="_compute_sms_ovh_in_use")
    sms_ovh_stop_counted = fields.Boolean(compute="_compute_sms_ovh_in_use")
    unreachable = fields.Boolean(
        related="account_id.delivery_unreachable", related_sudo=False
    )

    @api.depends("account_id")
    def _compute_sms_ovh_in_use(self):
        self.sms_ovh_in_use = True
        self.sms_ovh_stop_counted = False

    def action_apply(self):
        """Write the settings to OVHcloud, leaving those of other media as they are.

        :raise UserError: if they are not valid, or OVHcloud refuses them
        """
        self.ensure_one()
        self.check_access("write")
        account = self.account_id
        emails = account._parse_emails(self.emails)
        text = (self.response_text or "").strip()
        if self.response_type == "text":
            if is_blank(text):
                raise UserError(self.env._("Enter the text of the automatic answer."))
            if count_segments(text, False).segments > MAX_SEGMENTS:
                raise UserError(
                    self.env._(
                        "The automatic answer takes more than %s SMS. Shorten it.",
                        MAX_SEGMENTS,
                    )
                )
        path = account._get_path()

        def change(client):
            # Read first: what is not set here, and other media, must stay.
            response = (client.get(path) or {}).get("smsResponse") or {}
            response = self._prepare_response(response, emails, text)
            client.put(path, {"smsResponse": response})

        service = account._change_at_ovhcloud(
            change, lambda client: client.get(path), self.env._("Replies")
        )
        if not service:
            return notify(
                self.env._(
                    "OVHcloud took the settings. They are shown here once OVHcloud can"
                    " be read again."
                ),
                "warning",
            )
        try:
            account._adopt_service(service)
        except (KeyError, TypeError, ValueError):
            error = ovh_client.OvhUnreadableAnswer("Unexpected content")
            raise UserError(account._get_error_sentence(error)) from None
        return notify(self.env._("OVHcloud treats replies as you set it."))

    def _prepare_response(self, response, emails, text):
        """Return the new settings for what OVHcloud does with replies.

        :param dict response: the current settings, `sms.Response` of the API
        :param list emails: addresses to forward replies to
        :param str text: text of the automatic answer
        :rtype: dict
        """
        options = response.get("trackingOptions") or []
        senders = {
            option.get("target"): option.get("sender")
            for option in options
            if option.get("media") == "email"
        }
        response = {
            **response,
            "responseType": self.response_type,
            "trackingOptions": [
                *(option for option in options if option.get("media") != "email"),
                *(
                    {
                        "media": "email",
                        "sender": senders.get(email) or "",
                        "target": email,
                    }
                    for email in emails
                ),
            ],
        }
        if self.response_type == "text":
            response["text"] = text
        elif self.response_type == "cgi":
            response["cgiUrl"] = self.account_id._get_callback_url("reply")
        return response
