from io import BytesIO

from odoo import models
from odoo.http import request

from .. import const

# Below it are our routes, and nothing else.
ROOT = "/sms_ovh/"


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    # pylint: disable-next=missing-return
    def _pre_dispatch(cls, rule, args):
        """Override to prepare no page for OVHcloud's callbacks.

        They have no user, language, website or editor, and come once or twice for each
        SMS sent: what addons prepare for pages is a third of what such a call takes.

        On all our routes the one parameter is dropped that makes every route of Odoo
        fail: OVHcloud calls again for each failure of the server.
        """
        if not request.httprequest.path.startswith(ROOT):
            super()._pre_dispatch(rule, args)
            return
        is_callback = rule.endpoint.routing.get("sms_ovh_callback")
        if is_callback:
            request.sms_ovh_too_long = cls._sms_ovh_bound_body()
            if request.sms_ovh_too_long:
                # What was not read must not be taken for the next request.
                request.future_response.headers.set("Connection", "close")
        cls._sms_ovh_drop_self()
        if is_callback:
            request.dispatcher.pre_dispatch(rule, args)
        else:
            super()._pre_dispatch(rule, args)

    @classmethod
    def _sms_ovh_drop_self(cls):
        """Drop the parameter named ``self``, which a method cannot take."""
        for name in ("args", "form", "files"):
            values = getattr(request.httprequest, name)
            if "self" in values:
                kept = [
                    (key, value)
                    for key, value in values.items(multi=True)
                    if key != "self"
                ]
                setattr(request.httprequest, name, type(values)(kept))

    @classmethod
    def _sms_ovh_bound_body(cls):
        """Read the body of a callback as far as one may be long, and no further.

        A body that comes in chunks says nothing of its length.

        :return: whether it is too long; nothing of it is read then
        :rtype: bool
        """
        # Odoo wraps the request that reads: this is a method of that one.
        http_request = request.httprequest.get_data.__self__
        too_long = (http_request.content_length or 0) > const.MAX_CALLBACK_SIZE
        body = b""
        while not too_long and (
            part := http_request.stream.read(const.MAX_CALLBACK_SIZE + 1 - len(body))
        ):
            body += part
            too_long = len(body) > const.MAX_CALLBACK_SIZE
        http_request.stream = BytesIO(b"" if too_long else body)
        return too_long

    @classmethod
    def _serve_fallback(cls):
        """Override: below our routes there is nothing else, so nothing is looked up.

        Looking it up fails where the address has a NUL. Nor is there a page that says
        so: making one takes ten times as long as all else, for any address tried.
        """
        if request.httprequest.path.startswith(ROOT):
            return request.make_response(
                "Not Found", [("Content-Type", "text/plain; charset=utf-8")], status=404
            )
        return super()._serve_fallback()

    def session_info(self):
        """Override to say which of the user's companies send with OVHcloud.

        By it the web client chooses the counter under the text of an SMS.
        """
        result = super().session_info()
        if self.env.user._is_internal():
            # sudo: whether a company has an account, of the user's companies only.
            companies_sudo = self.env.user.company_ids.sudo()
            result["sms_ovh_company_ids"] = companies_sudo.filtered(
                "sms_ovh_account_id"
            ).ids
        return result
