import logging
import re

from odoo import SUPERUSER_ID
from odoo.http import Controller, request, route

from ..tools.log_filter import hide_secrets

_logger = logging.getLogger(__name__)
hide_secrets()

# What `secrets.token_urlsafe` makes: anything else is no token, and not searched for.
TOKEN_REGEX = re.compile(r"[A-Za-z0-9_-]{32,128}")


class SmsOvhController(Controller):
    _delivery_url = "/sms_ovh/<string:token>/delivery"
    _connected_url = "/sms_ovh/connected/<string:state>"
    _stop_url = "/sms_ovh/<string:token>/stop"
    _reply_url = "/sms_ovh/<string:token>/reply"

    # Neither session nor user: this is called once or twice for each SMS sent, at the
    # rate at which OVHcloud sends them.
    @route(
        _delivery_url,
        type="http",
        auth="none",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        sms_ovh_callback=True,
    )
    def sms_ovh_delivery(self, token, **params):
        """Receive one delivery report from OVHcloud.

        OVHcloud calls again unless the answer is 200, so every call with the right
        token gets a 200, whatever it says.

        :param str token: the account's secret
        :param params: ``id``, ``ptt``, ``date``, ``description`` or ``dlr``,
            ``descriptionDlr``, as query or form
        :raise werkzeug.exceptions.NotFound: if the token is wrong; nothing is written
        """
        # OVHcloud has no user here: the token is its credential.
        env = request.env(user=SUPERUSER_ID)
        account_id = self._get_account_id(env, token)
        if self._is_kept(env, account_id):
            env["sms.ovh.event"]._receive_delivery(account_id, params)
        return request.make_response(
            "OK", headers=[("Content-Type", "text/plain; charset=utf-8")]
        )

    @route(_connected_url, type="http", auth="user", methods=["GET"])
    def sms_ovh_connected(self, state):
        """Receive the user who returns from OVHcloud's page; finish the connection.

        :param str state: the value that the page was given to send back, valid once
        """
        account = request.env["sms.ovh.account"]
        if TOKEN_REGEX.fullmatch(state):
            account = account._take_returned(state)
        if not account:
            _logger.warning(
                "OVHcloud SMS: user %s comes back with an unknown state",
                request.env.uid,
            )
            response = request.render("sms_ovh.connection_refused")
            response.status_code = 403
            return response
        account._finish_connection(returned=True)
        return request.redirect(f"/odoo/ovhcloud-sms/{account.id}")

    @route(
        _stop_url,
        type="http",
        auth="none",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        sms_ovh_callback=True,
    )
    def sms_ovh_stop(self, token, **params):
        """Receive OVHcloud's notice of a STOP answer. See `_receive_signal`."""
        return self._receive_signal(token, "stop", params)

    @route(
        _reply_url,
        type="http",
        auth="none",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        sms_ovh_callback=True,
    )
    def sms_ovh_reply(self, token, **params):
        """Receive OVHcloud's notice of a recipient's reply. See `_receive_signal`."""
        return self._receive_signal(token, "reply", params)

    def _receive_signal(self, token, kind, params):
        """Receive a callback of this kind, by the same rules as delivery reports.

        :raise werkzeug.exceptions.NotFound: if the token is wrong; nothing is written
        """
        # OVHcloud has no user here: the token is its credential.
        env = request.env(user=SUPERUSER_ID)
        account_id = self._get_account_id(env, token)
        if self._is_kept(env, account_id):
            env["sms.ovh.event"]._receive_signal(account_id, kind, params)
        return request.make_response(
            "OK", headers=[("Content-Type", "text/plain; charset=utf-8")]
        )

    @staticmethod
    def _is_kept(env, account_id):
        """Return whether OVHcloud may have made this call, and there is room for it."""
        return (
            # Routes that allow GET allow HEAD, too.
            request.httprequest.method in ("GET", "POST")
            and not request.sms_ovh_too_long
            and env["sms.ovh.event"]._has_room(account_id)
        )

    @staticmethod
    def _get_account_id(env, token):
        """Return the id of the account with this token.

        :raise werkzeug.exceptions.NotFound: if there is none
        """
        account_id = None
        if TOKEN_REGEX.fullmatch(token):
            account_id = env["sms.ovh.account"]._find_by_token(token)
        if not account_id:
            _logger.warning("OVHcloud SMS: callback with a wrong token")
            raise request.not_found()
        return account_id
