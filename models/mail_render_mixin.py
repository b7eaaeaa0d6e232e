import re
from html import unescape

from odoo import api, models
from odoo.tools.mail import TEXT_URL_REGEX, validate_url

from odoo.addons.link_tracker.models.link_tracker import (
    LINK_TRACKER_MIN_CODE_LENGTH,
    LINK_TRACKER_UNIQUE_FIELDS,
)

# What may not follow a link that is replaced: it would be a longer one then.
LINK_END = r"(?![\w@:%.+&~#=/-])"


def append_visitor(text, base_url, visitor):
    """Return a text whose short links tell which SMS they were clicked in.

    As `_update_body_short_links` of `sms.sms` does once an SMS has an id.

    :param str text: with short links
    :param str base_url: where they begin
    :param str visitor: id of the SMS
    :rtype: str
    """
    for url in set(re.findall(TEXT_URL_REGEX, text or "")):
        if url.startswith(f"{base_url}/r/"):
            end = f"{url}/s/{visitor}"
            text = re.sub(re.escape(url) + LINK_END, lambda _match, end=end: end, text)
    return text


class MailRenderMixin(models.AbstractModel):
    _inherit = "mail.render.mixin"

    @api.model
    def _shorten_links_text(
        self, content, link_tracker_vals, blacklist=None, base_url=None
    ):
        """Override of `link_tracker` to write no trackers for what is only looked at.

        Where the context has ``sms_ovh_links``, a dict in which what a link becomes is
        kept, a link that has a tracker becomes that one's, and any other one of the
        length that a new one gets.
        """
        links = self.env.context.get("sms_ovh_links")
        if links is None or not content:
            return super()._shorten_links_text(
                content, link_tracker_vals, blacklist=blacklist, base_url=base_url
            )
        # sudo: as `link_tracker` reads it.
        config_sudo = self.env["ir.config_parameter"].sudo()
        base_url = base_url or config_sudo.get_param("web.base.url")
        kept = (f"{base_url}/r/", f"{base_url}/sms/")
        for url in set(re.findall(TEXT_URL_REGEX, content)):
            if url.startswith(kept):
                continue
            if url not in links:
                links[url] = self._get_sms_ovh_short_url(url, link_tracker_vals)
            short = links[url]
            content = re.sub(
                re.escape(url) + LINK_END, lambda _match, short=short: short, content
            )
        return content

    @api.model
    def _get_sms_ovh_short_url(self, url, link_tracker_vals):
        """Return the short link that a campaign has for `url`, or one as long."""
        tracker = self.env["link.tracker"]
        values = {**link_tracker_vals, "url": validate_url(unescape(url))}
        domain = [
            ("label", "in", (False, "")) if name == "label" else (name, "=", value)
            for name in LINK_TRACKER_UNIQUE_FIELDS
            for value in (values.get(name) or False,)
        ]
        found = tracker.search(domain, limit=1)
        if found:
            return found.short_url
        code = "x" * LINK_TRACKER_MIN_CODE_LENGTH
        return f"{tracker.get_base_url()}/r/{code}"
