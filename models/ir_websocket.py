import re

from odoo import models

# By this name the browser asks for what is announced of a campaign.
CHANNEL_REGEX = re.compile(r"sms_ovh\.mailing_([1-9][0-9]{0,8})")


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Override of `bus` to add the campaigns that somebody watches and may see."""
        others = []
        ids = []
        for channel in channels:
            match = isinstance(channel, str) and CHANNEL_REGEX.fullmatch(channel)
            if match:
                ids.append(int(match[1]))
            else:
                others.append(channel)
        Mailing = self.env["mailing.mailing"]
        if ids and Mailing.has_access("read"):
            others.extend(Mailing.search([("id", "in", ids)]))
        return super()._build_bus_channel_list(others)
