import random
import string
from functools import partial
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools.mail import validate_url

from odoo.addons.link_tracker.models.link_tracker import (
    LINK_TRACKER_MIN_CODE_LENGTH,
    LINK_TRACKER_UNIQUE_FIELDS,
)

from .. import const
from ..fields import rendering
from ..tools import gsm7_filling
from ..tools.gsm7_filling import mark_placeholders, unmark, write_gsm7
from ..tools.links import replace_links
from ..tools.sms_segments import is_gsm7

# The characters of which core makes the codes of short links.
CODE_SIGNS = string.ascii_letters + string.digits
# Random codes tried to find a free one, when at least half of them are free.
CODE_TRIES = 40


class ShortLinks(dict):
    """The short links of a campaign, by original link; a context can carry them.

    An environment compares its context with those of others, and outlives what it was
    made for. It must neither look at each link nor keep a copy of them.

    :param bool look_only: if set, no tracker is written
    """

    def __init__(self, look_only=False):
        super().__init__()
        self.look_only = look_only

    __hash__ = object.__hash__
    __eq__ = object.__eq__
    __ne__ = object.__ne__


class RenderedTexts(dict):
    """Texts that are not GSM-7 as each choice writes them; a context can carry them.

    By id of the record, then by choice. See :class:`ShortLinks` on contexts.
    """

    __hash__ = object.__hash__
    __eq__ = object.__eq__
    __ne__ = object.__ne__


class Gsm7Rendering(NamedTuple):
    """How texts are rendered in GSM-7.

    :param str choice: what is written in GSM-7, see :mod:`..tools.gsm7_filling`
    :param bool links_shortened: whether links are shortened afterwards
    """

    choice: str
    links_shortened: bool = False


class MailRenderMixin(models.AbstractModel):
    _inherit = "mail.render.mixin"

    @api.model
    def _render_template(
        self,
        template_src,
        model,
        res_ids,
        engine="inline_template",
        add_context=None,
        options=None,
    ):
        """Override of `mail` to keep secrets out of texts that users write.

        If the context has ``sms_ovh_rendering``, :class:`Gsm7Rendering`, what the
        placeholders fill in, or all of the text, is written in GSM-7. The results of
        the other choices are kept in ``sms_ovh_texts``, :class:`RenderedTexts`.
        """
        gsm7 = self.env.context.get("sms_ovh_rendering")
        render = partial(
            super()._render_template,
            model=model,
            res_ids=res_ids,
            engine=engine,
            add_context=add_context,
            options=options,
        )
        with rendering(self.env):
            if not gsm7 or not template_src or engine != "inline_template":
                return render(template_src)
            try:
                rendered = render(mark_placeholders(str(template_src)))
            except UserError:
                # Core's message shows the template: render again, without the marks.
                return render(template_src)
        texts = self.env.context.get("sms_ovh_texts")
        for res_id, marked in rendered.items():
            text = unmark(marked)
            written = write_gsm7(marked, *gsm7)
            rendered[res_id] = written
            if texts is None:
                continue
            texts.pop(res_id, None)
            if not is_gsm7(text):
                texts[res_id] = {
                    choice: text
                    if choice == gsm7_filling.OFF
                    else write_gsm7(marked, choice, gsm7.links_shortened)
                    for choice, __ in const.GSM7_CHOICES
                }
        return rendered

    @api.model
    def _shorten_links_text(
        self, content, link_tracker_vals, blacklist=None, base_url=None
    ):
        """Override of `link_tracker` to shorten what a phone shows as a link.

        Core ends a link at a comma and at most other signs that links may contain: the
        rest then follows the short link, which leads nowhere. It also reads a text as
        HTML, where ``&copy=1`` is a sign. So if the context has ``sms_ovh_links``,
        :class:`ShortLinks`, links are found by :mod:`..tools.links`.
        """
        links = self.env.context.get("sms_ovh_links")
        if links is None or not content or blacklist:
            return super()._shorten_links_text(
                content, link_tracker_vals, blacklist=blacklist, base_url=base_url
            )
        # sudo: as `link_tracker` reads it.
        config_sudo = self.env["ir.config_parameter"].sudo()
        base_url = base_url or config_sudo.get_param("web.base.url")
        kept = (f"{base_url}/r/", f"{base_url}/sms/")

        def shorten(url):
            if url.startswith(kept):
                return url
            if url not in links:
                # Links copied from a page's source have "&amp;" for "&".
                target = validate_url(url.replace("&amp;", "&"))
                links[url] = (
                    self._sms_ovh_get_short_url(target, link_tracker_vals)
                    if links.look_only
                    else self._sms_ovh_make_short_url(target, link_tracker_vals)
                )
            return links[url] or url

        return replace_links(content, shorten)

    @api.model
    def _sms_ovh_get_short_url(self, url, link_tracker_vals):
        """Return the campaign's short link for `url`, or one of the same length."""
        tracker = self.env["link.tracker"]
        values = {**link_tracker_vals, "url": url}
        domain = [
            ("label", "in", (False, "")) if name == "label" else (name, "=", value)
            for name in LINK_TRACKER_UNIQUE_FIELDS
            for value in (values.get(name) or False,)
        ]
        found = tracker.search(domain, limit=1)
        if found:
            return found.short_url
        code = "x" * self._sms_ovh_get_code_length()
        return f"{tracker.get_base_url()}/r/{code}"

    @api.model
    def _sms_ovh_make_short_url(self, url, link_tracker_vals):
        """Return the campaign's short link for `url`, creating it if there is none.

        Core uses a longer code than expected as soon as a random one already exists. An
        SMS would then be longer than estimated.
        """
        tracker = self.env["link.tracker"].search_or_create(
            [{**link_tracker_vals, "url": url}]
        )
        length = self._sms_ovh_get_code_length()
        if len(tracker.code) != length and tracker.create_date == self.env.cr.now():
            # sudo: as `link_tracker` makes codes.
            codes_sudo = self.env["link.tracker.code"].sudo()
            proposals = {
                "".join(random.choices(CODE_SIGNS, k=length))
                for __ in range(CODE_TRIES)
            }
            known = codes_sudo.search([("code", "in", list(proposals))])
            free = proposals.difference(known.mapped("code"))
            if free:
                codes_sudo.search(
                    [("link_id", "=", tracker.id)], order="id desc", limit=1
                ).code = min(free)
                tracker.invalidate_recordset(["code", "short_url"])
        return tracker.short_url

    @api.model
    def _sms_ovh_get_code_length(self):
        """Return the code length of the next short link: at least half must be free.

        :rtype: int
        """
        # sudo: only counts the codes.
        codes_sudo = self.env["link.tracker.code"].sudo()
        length = LINK_TRACKER_MIN_CODE_LENGTH
        half = len(CODE_SIGNS) ** length // 2
        while codes_sudo.search_count([], limit=half) == half:
            length += 1
            half = len(CODE_SIGNS) ** length // 2
        return length
