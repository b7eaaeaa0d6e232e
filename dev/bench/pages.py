#!/usr/bin/env python3
"""How long each page takes until it stands, and whether it fits a phone.

Needs a running demonstration (``./dev/demo``) and a browser; run by the Python of the
demonstration's environment, with ``dev`` on its path. Prints a table: milliseconds from
the address to the last paint, as who has been there before, the requests, the slowest of
them, the pixels that the page is too wide on a phone, and the buttons there that are too
low for a thumb. Exits with 1 where a page takes longer than the target, is too wide, or
complains. The last lines are pages of Odoo alone, to compare.
"""

import json
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pictures.screen import PHONE, Size
from pictures.studio import visit

TARGET_MS = 1000
ROUNDS = 3
DESKTOP = Size(1400, 900)
# What is asked all the time, whatever page is open.
BESIDE = "/websocket|/bus/|/mail/data|/web/image|/mail/inbox"
# Opens a page as a click does, and waits until all that it asked for is drawn.
OPEN = f"""
(async () => {{
    const {{action}} = odoo.__WOWL_DEBUG__.root.env.services;
    const beside = new RegExp({BESIDE!r});
    const start = performance.now();
    await action.doAction(%s, %s);
    let calls = [];
    for (let last = start; performance.now() - last < 400; ) {{
        await new Promise((done) => requestAnimationFrame(done));
        const found = performance.getEntriesByType("resource").filter((entry) =>
            entry.startTime >= start && !beside.test(entry.name) &&
            ["fetch", "xmlhttprequest"].includes(entry.initiatorType));
        if (found.length > calls.length) {{
            last = performance.now();
        }}
        calls = found;
    }}
    const slowest = calls.reduce(
        (most, call) => (call.duration > (most?.duration || 0) ? call : most), null);
    return {{
        ms: Math.max(window.smsOvhDrawn || 0, ...calls.map((call) => call.responseEnd)) -
            start,
        calls: calls.length,
        slowest: slowest ? slowest.duration : 0,
        name: slowest ? new URL(slowest.name).pathname.split("/").slice(-2).join(".") : "",
    }};
}})()
"""
# Notes when the page was changed last.
WATCH = """
new MutationObserver(() => { window.smsOvhDrawn = performance.now(); })
    .observe(document.querySelector(".o_action_manager"), {childList: true, subtree: true})
"""
LOW = """
[...document.querySelectorAll(
    ".o_action_manager :is(.btn, button):not(.o_field_input_buttons *), " +
    ".modal :is(.btn, button):not(.o_field_input_buttons *)"
)].filter((node) => node.checkVisibility() && node.offsetHeight < 40 &&
    (node.name?.startsWith("action_") || node.closest("[class*=o_sms_ovh]")))
.map((node) => `${node.name || node.className.match(/o_sms_ovh\\w+/)?.[0] ||
    node.textContent.trim().slice(0, 20)} ${node.offsetHeight}`)
"""


def get_pages(studio):
    """Return the pages by what they are called.

    :return: of each the XML id of its action, and the record whose form it is: None where
        it is the list, False for a new one
    """

    def first(model, *domain):
        found = studio.search(model, *domain, limit=1)
        return found[0] if found else None

    of_sms = ("mailing_type", "=", "sms")
    draft = first("mailing.mailing", of_sms, ("state", "=", "draft"))
    sent = first("mailing.mailing", of_sms, ("state", "=", "done"))
    sms = "mass_mailing_sms.mailing_mailing_action_sms"
    pages = {
        "campaigns": (sms, None),
        "campaign, new": (sms, False),
        "campaign, draft": (sms, draft),
        "campaign, sent": (sms, sent),
        "dashboard": ("sms_ovh.sms_ovh_dashboard_action", None),
        "analysis": ("sms_ovh.sms_ovh_report_action", None),
        "settings": ("base_setup.action_general_configuration", None),
    }
    for name, model, xml_id in (
        ("account", "sms.ovh.account", "sms_ovh.sms_ovh_account_action"),
        ("sender", "sms.ovh.sender", "sms_ovh.sms_ovh_sender_action"),
        ("API user", "sms.ovh.user", "sms_ovh.sms_ovh_user_action"),
        ("reply", "sms.ovh.reply", "sms_ovh.sms_ovh_reply_action"),
        ("template", "sms.template", "sms_ovh.sms_template_action_marketing"),
        ("job", "sms.ovh.job", "sms_ovh.sms_ovh_job_action"),
        ("delivery report", "sms.ovh.event", "sms_ovh.sms_ovh_event_action"),
    ):
        pages[f"{name}s"] = (xml_id, None)
        found = first(model)
        if found:
            pages[name] = (xml_id, found)
    pages["(Odoo: contacts)"] = ("contacts.action_contacts", None)
    pages["(Odoo: contact)"] = ("contacts.action_contacts", first("res.partner"))
    return pages


def main():
    """Run the benchmark, and return the exit status."""
    missed = 0
    with visit(__doc__.splitlines()[0]) as studio:
        page = studio.page
        print(f"{'page':20} {'ms':>6} {'calls':>5} {'slowest':>7}  {'wide':>4}")
        for name, (xml_id, res_id) in get_pages(studio).items():
            options = {"clearBreadcrumbs": True}
            if res_id is not None:
                options |= {"viewType": "form", "props": {"resId": res_id}}
            script = OPEN % (json.dumps(xml_id), json.dumps(options))
            page.resize(DESKTOP)
            found = []
            for __ in range(ROUNDS + 1):
                studio.open("discuss", ".o_action_manager > *")
                page.evaluate(WATCH)
                found.append(page.evaluate(script))
            # The first one fetches what the browser keeps.
            found = found[1:]
            page.resize(PHONE)
            page.evaluate(script)
            page.rest()
            wide, low = page.overflow(), page.evaluate(LOW)
            ms = statistics.median(one["ms"] for one in found)
            last = found[-1]
            complaints, page.complaints = page.complaints, []
            own = not name.startswith("(")
            bad = ms > TARGET_MS or wide or complaints
            missed += bool(bad and own)
            print(
                f"{name:20} {ms:6.0f} {last['calls']:5} {last['slowest']:7.0f}  {wide:4}"
                f"  {last['name']}",
                *(f"low: {', '.join(low)}" for __ in low[:1]),
                *complaints,
                "MISSED" if bad and own else "",
                flush=True,
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
