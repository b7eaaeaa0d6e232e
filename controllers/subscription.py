from odoo.http import request

from odoo.addons.mass_mailing.controllers.main import MassMailController

from ..models.sms_ovh_stop import OPT_OUT_REASON


class SmsOvhSubscriptionController(MassMailController):
    def _fetch_subscription_optouts(self):
        """Override of `mass_mailing` not to offer STOP as a reason on the web page."""
        reason = request.env.ref(OPT_OUT_REASON, raise_if_not_found=False)
        reasons = super()._fetch_subscription_optouts()
        return reasons - reason.sudo() if reason else reasons
