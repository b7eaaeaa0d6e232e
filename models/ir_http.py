from io import BytesIO

from odoo import models
from odoo.http import request

from .. import const

# All routes below it are ours.
ROOT = "/sms_ovh/"


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    # pylint: disable-next=missing-return
    def _pre_dispatch(cls, rule, args):
        """Override to prepare no page for OVHcloud's callbacks.

        They have no user, language, website or editor, and come once or twice for each
        SMS sent. What addons prepare for pages is a third of the time of such a call.

        On all our routes, drop the one parameter that makes any route of Odoo fail:
        OVHcloud calls again after each failure of the server.
        """
        if not request.httprequest.path.startswith(ROOT):
            super()._pre_dispatch(rule, args)
            return
        is_callback = rule.endpoint.routing.get("sms_ovh_callback")
        if is_callback:
            request.sms_ovh_too_long = cls._sms_ovh_bound_body()
            if request.sms_ovh_too_long:
                # What was not read must not be taken as the next request.
                request.future_response.headers.set("Connection", "close")
        cls._sms_ovh_drop_self()
        if is_callback:
            request.dispatcher.pre_dispatch(rule, args)
        else:
            super()._pre_dispatch(rule, args)

    @classmethod
    def _sms_ovh_drop_self(cls):
        """Drop the parameter ``self``, which a method cannot take."""
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
        """Read the body of a callback up to the maximum length, and no further.

        A body that comes in chunks does not announce its length.

        :return: whether it is too long; it is then replaced by an empty one
        :rtype: bool
        """
        # Odoo wraps the request that reads the body: get it from a bound method.
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
        """Override to look nothing up below our routes, where there is nothing else.

        A look-up fails if the URL has a NUL. The answer is no page, either: making one
        takes ten times as long as the rest, for any URL that somebody tries.
        """
        if request.httprequest.path.startswith(ROOT):
            return request.make_response(
                "Not Found", [("Content-Type", "text/plain; charset=utf-8")], status=404
            )
        return super()._serve_fallback()

    def session_info(self):
        """Override to add which of the user's companies send with OVHcloud.

        From it the web client chooses the counter under the text of an SMS.
        """
        result = super().session_info()
        if self.env.user._is_internal():
            # sudo: whether a company has an account, of the user's companies only.
            companies_sudo = self.env.user.company_ids.sudo()
            result["sms_ovh_company_ids"] = companies_sudo.filtered(
                "sms_ovh_account_id"
            ).ids
        return result
