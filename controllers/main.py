import logging
import re
from hmac import compare_digest

from odoo.http import Controller, request, route

_logger = logging.getLogger(__name__)

# A callback has half a dozen short parameters; more than this is none of OVHcloud's.
MAX_BODY_SIZE = 16 * 1024
# What `secrets.token_urlsafe` makes: anything else is no token, and never searched for.
TOKEN_REGEX = re.compile(r"[A-Za-z0-9_-]{32,128}")


class SmsOvhController(Controller):
    _delivery_url = "/sms_ovh/<string:token>/delivery"

    @route(
        _delivery_url,
        type="http",
        auth="public",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
    )
    def sms_ovh_delivery(self, token, **params):
        """Receive one delivery report of OVHcloud.

        OVHcloud calls again what does not answer 200, so everything that carries the
        right token gets one, whatever it says.

        :param str token: the account's secret
        :param params: ``id``, ``ptt``, ``date``, ``description`` or ``dlr``,
            ``descriptionDlr``, as query or form
        :raise werkzeug.exceptions.NotFound: wrong token; nothing is written
        """
        account_sudo = self._get_account(token)
        if (request.httprequest.content_length or 0) <= MAX_BODY_SIZE:
            # sudo: OVHcloud has no user here; the token is its credential.
            request.env["sms.ovh.event"].sudo()._receive_delivery(account_sudo, params)
        return request.make_response(
            "OK", headers=[("Content-Type", "text/plain; charset=utf-8")]
        )

    @staticmethod
    def _get_account(token):
        """Return the account whose token this is, with sudo.

        :raise werkzeug.exceptions.NotFound: there is none
        """
        # sudo: the token is what is checked here.
        account_sudo = request.env["sms.ovh.account"].sudo()
        if TOKEN_REGEX.fullmatch(token):
            account_sudo = account_sudo.search(
                [("callback_token", "=", token)], limit=1
            )
        expected = account_sudo.callback_token or ""
        if not expected or not compare_digest(expected.encode(), token.encode()):
            _logger.warning("OVHcloud SMS: callback with a wrong token")
            raise request.not_found()
        return account_sudo
