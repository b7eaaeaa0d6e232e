#!/usr/bin/env python3
"""How long each page takes until it stands, and whether it fits a phone.

Needs a running demonstration (``./dev/demo``) and a browser; run by the Python of the
demonstration's environment, with ``dev`` on its path. Prints a table: milliseconds from
the address to the last paint, as who has been there before, the requests, the slowest of
them, the pixels that the page is too wide on a phone, and the buttons there that are too
low for a thumb. Exits with 1 where a page takes longer than the target, is too wide, or
complains. The last line is a page of Odoo alone, to compare.
"""

import argparse
import shutil
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from screenshots_.browser import PHONE, Size, running
from screenshots_.studio import Studio

TARGET_MS = 1000
ROUNDS = 3
DESKTOP = Size(1400, 900)
# What is asked all the time, whatever page is open.
BESIDE = "/websocket|/bus/|/mail/data|/web/image|/mail/inbox"
MEASURE = f"""
(async () => {{
    const paints = await new Promise((done) => {{
        new PerformanceObserver((list) => done(list.getEntries()))
            .observe({{type: "largest-contentful-paint", buffered: true}});
        setTimeout(() => done([]), 1000);
    }});
    const calls = performance.getEntriesByType("resource").filter(
        (entry) => ["fetch", "xmlhttprequest"].includes(entry.initiatorType) &&
            !new RegExp({BESIDE!r}).test(entry.name)
    );
    const slowest = calls.reduce(
        (most, call) => (call.duration > (most?.duration || 0) ? call : most), null);
    return {{
        ms: Math.max(...paints.map((paint) => paint.startTime),
            ...calls.map((call) => call.responseEnd)),
        calls: calls.length,
        slowest: slowest ? slowest.duration : 0,
        name: slowest ? new URL(slowest.name).pathname.split("/").slice(-2).join(".") : "",
    }};
}})()
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
    """Return the addresses of the pages, by what they are called."""

    def first(model, *domain):
        found = studio.rpc(model, "search", list(domain), limit=1)
        return found[0] if found else None

    draft = first(
        "mailing.mailing", ("mailing_type", "=", "sms"), ("state", "=", "draft")
    )
    sent = first(
        "mailing.mailing", ("mailing_type", "=", "sms"), ("state", "=", "done")
    )
    pages = {
        "campaigns": "sms-marketing",
        "campaign, new": "sms-marketing/new",
        "campaign, draft": draft and f"sms-marketing/{draft}",
        "campaign, sent": sent and f"sms-marketing/{sent}",
        "dashboard": "ovhcloud",
        "accounts": "ovhcloud-sms",
        "senders": "action-sms_ovh.sms_ovh_sender_action",
        "API users": "ovhcloud-api-users",
        "replies": "ovhcloud-replies",
        "templates": "sms-templates",
        "template, new": "sms-templates/new",
        "jobs": "action-sms_ovh.sms_ovh_job_action",
        "delivery reports": "action-sms_ovh.sms_ovh_event_action",
        "analysis": "action-sms_ovh.sms_ovh_report_action",
        "settings": "settings",
    }
    for name, model, path in (
        ("account", "sms.ovh.account", "ovhcloud-sms"),
        ("sender", "sms.ovh.sender", "action-sms_ovh.sms_ovh_sender_action"),
        ("API user", "sms.ovh.user", "ovhcloud-api-users"),
        ("template", "sms.template", "sms-templates"),
    ):
        found = first(model)
        pages[name] = found and f"{path}/{found}"
    pages["(Odoo: contacts)"] = "action-contacts.action_contacts"
    return {name: path for name, path in pages.items() if path}


def main():
    """Run the benchmark.

    :return: exit status
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--odoo", default="http://localhost:8069", metavar="URL")
    parser.add_argument("--browser", default=None, metavar="PROGRAM")
    options = parser.parse_args()
    browser = options.browser or shutil.which("chromium") or shutil.which("chrome")
    missed = 0
    with running(browser) as page:
        studio = Studio(page, options.odoo, None, None)
        studio.log_in()
        print(f"{'page':20} {'ms':>6} {'calls':>5} {'slowest':>7}  {'wide':>4}")
        for name, path in get_pages(studio).items():
            page.resize(DESKTOP)
            studio.open(path, ".o_action_manager > *")
            found = []
            for __ in range(ROUNDS):
                studio.open(path, ".o_action_manager > *")
                found.append(page.evaluate(MEASURE))
            page.resize(PHONE)
            studio.open(path, ".o_action_manager > *")
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
