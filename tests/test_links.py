"""Tests of links, from the text that a user writes to the page that a phone opens.

The cases are those of ``static/tests/links_vectors.js``, which drive the tests of the
JavaScript twin too. What follows ``export default`` in that file is JSON: a list of
objects with

- ``name``: what the case is about, unique;
- ``text``: null or a text;
- ``links``: the links in it, in order.
"""

import re
import secrets
import time
from urllib.parse import parse_qsl, unquote, urlsplit

from odoo.tests import BaseCase, Form, HttpCase, tagged

from ..models import mail_render_mixin
from ..tools.links import append_visitor, find_links, replace_links
from ..tools.sms_segments import count_segments
from .common import SmsOvhCase
from .test_sms_segments import read_vectors

SHOP = "https://www.example.com/shop/"
# As phones do: all up to white space, without the signs that end it.
PHONE_LINK = re.compile(r"https?://[^\s\"<>«»“”]+?(?=[^\w/=&#+-]*(?:[\s\"<>«»“”]|$))")
LINKS = (
    f"{SHOP}chaise,bleue",
    f"{SHOP}chaise;bleue",
    f"{SHOP}chaise'bleue",
    f"{SHOP}chaise*bleue",
    f"{SHOP}chaise!bleue",
    f"{SHOP}chaise$bleue",
    f"{SHOP}plan#a=3,4",
    f"{SHOP}chaise(bleue)",
    f"{SHOP}?f[]=1&f[]=2&vide=",
    f"{SHOP}chaise’bleue",
    f"{SHOP}Déjà-vu/été",
    f"{SHOP}?a=1&b=2&copy=3&region=fr",
    f"{SHOP}?q=a,b;c|d#e,f",
    "https://fr.wikipedia.org/wiki/Mercure_(planète)",
    "HTTPS://WWW.EXAMPLE.COM/A,B",
    "http://example.com",
    "https://user:secret@example.com:8443/a,b",
)
FRAMES = (
    "Voir {} merci",
    "Voir {}.",
    "Voir ({}).",
    "« {} » merci",
    "«{}»",
    '"{}", merci',
    "'{}'",
    "{}, merci",
    "{} !",
    "{}!",
    "{}\nMerci",
    "{}\u00a0: merci",
    "👉{}👈",
    "Voir [{}]… merci",
    "*{}*",
)


@tagged("-at_install", "post_install")
class TestLinks(BaseCase):
    def test_vectors(self):
        cases = read_vectors("links_vectors.js")
        self.assertEqual(len({case["name"] for case in cases}), len(cases))
        self.assertGreater(len(cases), 100)
        for case in cases:
            with self.subTest(case["name"]):
                text = case["text"]
                found = [text[start:end] for start, end in find_links(text)]
                self.assertEqual(found, case["links"])

    def test_replace(self):
        self.assertEqual(replace_links(None, str.upper), "")
        self.assertEqual(
            replace_links("a https://b.fr/c, www.d.fr.", str.upper),
            "a HTTPS://B.FR/C, WWW.D.FR.",
        )

    def test_append_visitor(self):
        base_url = "https://b.fr"
        for text, expected in (
            ("", ""),
            ("Voir https://b.fr/r/xec.", "Voir https://b.fr/r/xec/s/17."),
            ("(https://b.fr/r/xec), ok", "(https://b.fr/r/xec/s/17), ok"),
            ("https://b.fr/r/xec/s/5", "https://b.fr/r/xec/s/5"),
            ("https://b.fr/r/xec?a=1", "https://b.fr/r/xec?a=1"),
            ("https://c.fr/r/xec", "https://c.fr/r/xec"),
            ("https://b.fr/sms/1/abc", "https://b.fr/sms/1/abc"),
        ):
            self.assertEqual(append_visitor(text, base_url, 17), expected)

    def test_long_texts_take_no_time(self):
        start = time.monotonic()
        for piece in ("{{", ")", "www.", "https://", "{{a", "(www.a"):
            find_links("https://a.fr/" + piece * 20000)
        self.assertLess(time.monotonic() - start, 5)


@tagged("-at_install", "post_install")
class TestLinksOfCampaigns(SmsOvhCase, HttpCase):
    """What is clicked on a phone leads where the text said."""

    def setUp(self):
        super().setUp()
        self.patch(
            self.registry["link.tracker"], "_get_title_from_url", lambda self, url: url
        )
        self.env["ir.config_parameter"].set_param("web.base.url", self.base_url())

    def _create(self, texts, body="{{ object.name }}", **values):
        """Create a campaign that sends each of these texts to one contact."""
        mailing = self._create_mailing(self._numbers(len(texts)), body=body, **values)
        contacts = mailing.contact_list_ids.contact_ids.sorted("mobile")
        for contact, text in zip(contacts, texts, strict=True):
            contact.name = text
        return mailing

    def _send(self, mailing):
        """Send a campaign, and return what phones show, by number."""
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.env.invalidate_all()
        return {sms["receiver"]: sms for sms in self.simulator.get_ledger()}

    def _check_leads_to(self, link, target):
        """Open a short link as a phone does, and compare where it leads."""
        self.assertTrue(link.startswith(f"{self.base_url()}/r/"), link)
        self.assertRegex(link, r"/r/\w+/s/\d+$")
        response = self.url_open(link, allow_redirects=False)
        self.assertEqual(response.status_code, 301, link)
        found = urlsplit(response.headers["Location"])
        wanted = urlsplit(target if "://" in target else f"http://{target}")
        for name in ("scheme", "username", "port"):
            self.assertEqual(getattr(found, name), getattr(wanted, name), target)
        self.assertEqual(found.hostname, wanted.hostname, target)
        self.assertEqual(unquote(found.path), unquote(wanted.path), target)
        self.assertEqual(unquote(found.fragment), unquote(wanted.fragment), target)
        query = parse_qsl(found.query, keep_blank_values=True)
        self.assertEqual(
            [(name, value) for name, value in query if not name.startswith("utm_")],
            parse_qsl(wanted.query, keep_blank_values=True),
            target,
        )
        self.assertIn("utm_source", dict(query))

    def test_each_leads_to_its_target(self):
        pairs = [(FRAMES[0], link) for link in LINKS]
        pairs += [(frame, LINKS[0]) for frame in FRAMES[1:]]
        pairs += [("Sur {}, merci", "www.example.com/a,b?c=1")]
        mailing = self._create([frame.format(link) for frame, link in pairs])
        sent = self._send(mailing)
        for number, (frame, link) in zip(self._numbers(len(pairs)), pairs, strict=True):
            with self.subTest(frame.format(link)):
                message = sent[number]["message"]
                (short,) = PHONE_LINK.findall(message)
                self._check_leads_to(short, link)
                # What is around the link is as it was written.
                self.assertEqual(message.replace(short, link), frame.format(link))

    def test_several_in_a_text(self):
        text = f"{SHOP}a, {SHOP}a,b et {SHOP}a."
        sent = self._send(self._create([text]))
        (sms,) = sent.values()
        links = PHONE_LINK.findall(sms["message"])
        self.assertEqual(len(links), 3)
        for link, target in zip(
            links, (f"{SHOP}a", f"{SHOP}a,b", f"{SHOP}a"), strict=True
        ):
            self._check_leads_to(link, target)
        self.assertEqual(links[0], links[2])

    def test_short_and_opt_out_links_are_left_alone(self):
        tracker = self.env["link.tracker"].create({"url": LINKS[0]})
        mailing = self._create(["Zoé"], body=f"{tracker.short_url}. À bientôt")
        mailing.sms_allow_unsubscribe = True
        self.assertIn("/s/", mailing._sms_ovh_get_texts()[mailing.id])
        (sms,) = self._send(mailing).values()
        short, opt_out = PHONE_LINK.findall(sms["message"])
        self.assertRegex(short, re.escape(tracker.short_url) + r"/s/\d+$")
        response = self.url_open(short, allow_redirects=False)
        self.assertEqual(response.headers["Location"], LINKS[0])
        self.assertEqual(self.url_open(opt_out).status_code, 200)
        self.assertIn(f"/sms/{mailing.id}/", opt_out)

    def test_click_is_that_recipients(self):
        mailing = self._create(["Zoé", "Ada"], body=f"Voir {LINKS[0]}, merci")
        sent = self._send(mailing)
        number = self._numbers(2)[1]
        (short,) = PHONE_LINK.findall(sent[number]["message"])
        self.url_open(short, allow_redirects=False)
        click = self.env["link.tracker.click"].search(
            [("mass_mailing_id", "=", mailing.id)]
        )
        self.assertEqual(click.mailing_trace_id.sms_number, number)

    def test_others_get_what_core_makes(self):
        self.company.sms_ovh_account_id = False
        mailing = self._create(["Zoé"], body=f"Voir {LINKS[0]}")
        composer = mailing._sms_ovh_prepare_composer(
            mailing.contact_list_ids.contact_ids.ids
        )
        (body,) = composer._prepare_body_values(composer._get_records()).values()
        self.assertRegex(body, r"/r/\w+,bleue$")

    # ------------------------------------------------------------
    # Figures
    # ------------------------------------------------------------

    def _estimate(self, mailing):
        mailing.action_sms_ovh_estimate()
        estimate = mailing.sms_ovh_estimate_id
        self.assertEqual(estimate.state, "done")
        return estimate

    def _count_as_the_form(self, mailing):
        """Return units and SMS as the counter has them, of the first and last link."""
        found = []
        placeholders = mailing.get_sms_link_replacements_placeholders()
        for link in (placeholders["link"], mailing.sms_ovh_last_link):
            text = replace_links(mailing.body_plaintext, lambda url, link=link: link)
            found.append(count_segments(text, mailing.sms_ovh_stop_counted))
        return found

    def test_figures_agree(self):
        """The form, the estimate, the preview and the ledger say the same."""
        self.env["sms.sms"].create({"body": "a", "number": "+33612345678"}).unlink()
        next_id = self.env["mailing.mailing"]._sms_ovh_get_next_id()
        short = f"{self.base_url()}/r/xxx/s/{next_id}"
        fits = 149 - len(short) - 1
        for link in (LINKS[0], LINKS[8], LINKS[10], LINKS[13]):
            for length, segments in ((fits, 1), (fits + 1, 2)):
                with self.subTest(link=link, length=length):
                    mailing = self._create(
                        ["Zoé"], body=f"{'a' * length} {link}", sms_ovh_kind="marketing"
                    )
                    first, last = self._count_as_the_form(mailing)
                    self.assertEqual(first.segments, segments)
                    self.assertEqual(last.segments, segments)
                    form = Form(
                        mailing, "mass_mailing_sms.mailing_mailing_view_form_sms"
                    )
                    self.assertEqual(form.sms_segments, segments)
                    estimate = self._estimate(mailing)
                    self.assertEqual(estimate.segment_count, segments)
                    preview = self.env["sms.ovh.preview"].create(
                        {"mailing_id": mailing.id}
                    )
                    self.assertEqual(preview.content["segments"], segments)
                    self.assertEqual(preview.content["units"], first.units)
        self.simulator.reset()
        (sms,) = self._send(mailing).values()
        self.assertEqual(sms["segments"], segments)

    def test_codes_are_as_long_as_announced(self):
        """Core takes a longer one where chance brings what there is already."""
        codes = type(self.env["link.tracker.code"])
        self.patch(
            codes,
            "_get_random_code_strings",
            lambda model, n=1: [f"{secrets.token_hex(8)}" for __ in range(n)],
        )
        mailing = self._create(["Zoé"], body=f"{LINKS[0]} {LINKS[1]}")
        estimate = self._estimate(mailing)
        preview = self.env["sms.ovh.preview"].create({"mailing_id": mailing.id})
        units = preview.content["units"]
        (sms,) = self._send(mailing).values()
        links = PHONE_LINK.findall(sms["message"])
        for link, target in zip(links, LINKS[:2], strict=True):
            self.assertRegex(link, r"/r/\w{3}/s/\d+$")
            self._check_leads_to(link, target)
        clause = mailing.sms_ovh_stop_counted
        self.assertEqual(units, count_segments(sms["message"], clause).units)
        self.assertEqual(estimate.segment_count, sms["segments"])

    def test_codes_grow_when_half_are_taken(self):
        self.patch(mail_render_mixin, "CODE_SIGNS", "ab")
        render = self.env["mail.render.mixin"]
        tracker = self.env["link.tracker"]
        count = self.env["link.tracker.code"].search_count([])
        for index in range(6):
            tracker.create({"url": f"{SHOP}{index}"})
            length = render._sms_ovh_get_code_length()
            total = count + index + 1
            self.assertGreaterEqual(2**length // 2, 4)
            self.assertGreater(2**length // 2, total)
            self.assertTrue(length == 3 or 2 ** (length - 1) // 2 <= total)

    def test_ids_that_grow_while_it_is_sent(self):
        """The counter gives a range where the last recipients' links are longer."""
        self.env.cr.execute("SELECT setval('sms_sms_id_seq', 99997)")
        short = f"{self.base_url()}/r/xxx/s/99998"
        length = 149 - len(short) - 1
        mailing = self._create(
            ["A", "B", "C", "D"],
            body=f"{'a' * length} {LINKS[0]}",
            sms_ovh_kind="marketing",
        )
        first, last = self._count_as_the_form(mailing)
        self.assertEqual((first.segments, last.segments), (1, 2))
        estimate = self._estimate(mailing)
        sizes = estimate.line_ids.filtered(lambda line: line.kind == "size")
        self.assertEqual({line.segments: line.count for line in sizes}, {1: 2, 2: 2})
        self.assertEqual(
            sorted(sms["segments"] for sms in self._send(mailing).values()),
            [1, 1, 2, 2],
        )
