"""What the pictures show: each scene is a page or two of the product in use."""

from datetime import datetime, timezone

from .screen import DESKTOP, Size

#: A desktop's layout in a window as wide as a README's text.
WINDOW = Size(860, 760, scale=1.5)

FORM = ".o_form_view"
BODY = "div[name=body_plaintext]"
TEXT = f"{BODY} textarea"
LIST_NAME = "Clients fidèles"

TITLE = "Ventes privées de samedi"
SHORT = (
    "Bonjour, la boutique vous ouvre ses ventes privées samedi dès 9 h : -30 % sur toute "
    "la collection. Ma Boutique"
)
PERSONAL = (
    "Bonjour {{ object.name }}, la boutique vous ouvre ses ventes privées samedi "
    "dès 9 h : -30 % sur toute la collection. Un café vous attend. Ma Boutique"
)
LONGER = SHORT.replace(" Ma Boutique", " Un café vous y attend. Ma Boutique")
UNICODE = (
    "Bonjour, c’est la fête à la boutique : -30 % samedi dès 9 h… Réservez votre créneau, "
    "un cœur en chocolat vous attend !"
)
TOO_LONG = " ".join([SHORT] * 9)


def _draft(studio, title, text, name=LIST_NAME, contacts=()):
    """Have a draft of a campaign to a list, made with its contacts where missing."""
    lists = studio.search("mailing.list", ("name", "=", name)) or [
        studio.create(
            "mailing.list",
            name=name,
            contact_ids=[
                (0, 0, {"name": person, "mobile": number})
                for person, number in contacts
            ],
        )
    ]
    return studio.create_mailing(title, text, contact_list_ids=[(6, 0, lists)])


def writing(studio):
    """The form of a campaign that is being written."""
    draft = _draft(studio, TITLE, SHORT)
    # Typed into a campaign that exists: on a phone, lists are chosen in another way
    # than on a desktop.
    for ending in studio.on_screens():
        studio.open(f"sms-marketing/{draft}", TEXT)
        studio.page.type(TEXT, UNICODE)
        studio.page.wait(".o_sms_ovh_unicode mark")
        studio.take(f"campaign_writing{ending}")


def estimating(studio):
    """What a campaign comes to before it is sent, and what a phone will show."""
    page = studio.page
    name = "Clients d'ici et d'ailleurs"
    draft = _draft(
        studio,
        TITLE,
        PERSONAL,
        name,
        {
            "Agathe Roux": "+33612340041",
            "Bastien Colin": "+33612340042",
            "Capucine Delaunay-Beauregard": "+33612340043",
            "Diane Perrot": "+33612340041",
            "Élise Fabre": "+33142685300",
            "Fabrice Hamon": "+33199",
            "Greet Peeters": "+32470123456",
            "Hélène Schmit": "+352621123456",
            "Íñigo García": "+34612345678",
            "Jeanne Morel": "",
            "Karim Benali": "+33612340044",
            "Léonie Vasseur": "+33612340045",
        }.items(),
    )
    for ending in studio.on_screens():
        for button, picture, mark in (
            ("action_sms_ovh_preview", "preview", ".modal .o_sms_ovh_bubble"),
            ("action_sms_ovh_send", "confirm", ".modal button[name=action_send]"),
        ):
            studio.open(f"sms-marketing/{draft}", TEXT)
            if ending:
                bar = ".o_statusbar_buttons"
                page.click(f"{bar} .dropdown-toggle, {bar} button.o-dropdown")
                page.click(f":is(.o-dropdown--menu, {bar}) button[name={button}]")
            else:
                page.click(f"button[name={button}]")
            page.wait(mark)
            if picture == "preview":
                for __ in range(2):
                    page.click(".modal .o_sms_ovh_next")
            studio.take(f"campaign_{picture}{ending}")


def hours(studio):
    """A campaign that quiet hours hold, and where these hours are set."""
    draft = _draft(studio, TITLE, SHORT)
    company = studio.search("res.company", limit=1)
    week = "monday tuesday wednesday thursday friday saturday sunday".split()
    usual = {f"sms_ovh_open_{day}": day != "sunday" for day in week}
    usual |= {"sms_ovh_quiet_hours": True}
    usual |= {"sms_ovh_open_from": 8, "sms_ovh_open_to": 20}
    # Closed whenever the pictures are made.
    opens, closes = (8, 9) if datetime.now(timezone.utc).hour >= 12 else (18, 20)
    closed = {"sms_ovh_open_from": opens, "sms_ovh_open_to": closes}
    for ending in studio.on_screens():
        studio.rpc("res.company", "write", company, usual | closed)
        studio.open(f"sms-marketing/{draft}", "div[name=sms_ovh_leaves]")
        studio.take(f"campaign_hours{ending}")
        studio.rpc("res.company", "write", company, usual)
        studio.open("settings", "#sms_ovh_quiet_hours")
        studio.take(f"quiet_hours{ending}", "#sms_ovh_quiet_hours", margin=12)
    studio.rpc("res.company", "write", company, {"sms_ovh_quiet_hours": False})


def counter(studio):
    """What stands under the text in each state."""
    page = studio.page
    draft = _draft(studio, TITLE, SHORT)
    page.resize(WINDOW)
    studio.open(f"sms-marketing/{draft}", TEXT)
    for name, text, mark in (
        ("one_sms", SHORT, ".o_sms_ovh_count"),
        ("near_end", LONGER, ".o_sms_ovh_near_end"),
        ("too_long", TOO_LONG, ".o_sms_ovh_too_long"),
        ("unicode", UNICODE, ".o_sms_ovh_unicode mark"),
    ):
        page.type(TEXT, text)
        page.wait(mark)
        studio.take(f"counter_{name}", BODY, margin=12)
    page.click(".o_sms_ovh_replace")
    page.wait(".o_sms_ovh_undo")
    studio.take("counter_replaced", BODY, margin=12)
    page.resize(DESKTOP)


def _sent(studio, mailing):
    """Wait until a campaign was sent and each of its SMS has come to an end."""

    def condition():
        domain = [("mass_mailing_id", "=", mailing)]
        traces = studio.rpc("mailing.trace", "search_read", domain, ["trace_status"])
        ended = {"sent", "error", "bounce", "cancel"}
        return (
            studio.read("mailing.mailing", mailing, "state") == "done"
            and traces
            and {trace["trace_status"] for trace in traces} <= ended
        )

    studio.wait_until(condition, "the end of a campaign")


def _traces(studio, mailing, name):
    """Open a campaign's SMS by its button."""
    studio.page.resize(DESKTOP)
    studio.open(f"sms-marketing/{mailing}", FORM)
    studio.page.click("button[name=action_view_sms_ovh_traces]")
    studio.page.wait(".o_list_view")
    studio.take(name)


def sent(studio):
    """A campaign that was sent, what became of its SMS, and the phones that got them."""
    page = studio.page
    page.resize(DESKTOP)
    mailing = _draft(studio, TITLE, SHORT)
    studio.open(f"sms-marketing/{mailing}", FORM)
    page.click("button[name=action_sms_ovh_send]")
    page.click(".modal-footer button[name=action_send]")
    _sent(studio, mailing)
    studio.on_both(f"sms-marketing/{mailing}", "campaign_sent", FORM)
    _traces(studio, mailing, "campaign_sms")
    for ending in studio.on_screens():
        page.open(f"{studio.simulator.root}/", ".phone .bubble")
        studio.take(f"phones{ending}")


def failures(studio):
    """What becomes of SMS to numbers whose outcome the simulator fixes."""
    mailing = _draft(
        studio,
        "Nouvelle collection",
        "Bonjour, la nouvelle collection vous attend. Ma Boutique",
        "Clients de passage",
        {
            "Agathe Roux": "+33612340001",
            "Bastien Colin": "+33612340008",
            "Clément Noël": "+33612340020",
            "Diane Perrot": "+33612340023",
            "Élise Fabre": "+33612340024",
            "Fabrice Hamon": "+33612340101",
        }.items(),
    )
    studio.rpc("mailing.mailing", "action_put_in_queue", [mailing])
    _sent(studio, mailing)
    _traces(studio, mailing, "campaign_failures")


def account(studio):
    """The account, its senders, the settings and the records behind them."""
    number = studio.ref("sms_ovh.sms_ovh_account_demo")
    studio.wait_until(
        lambda: studio.read("sms.ovh.account", number, "state") == "connected",
        "the account",
    )
    studio.on_both(f"ovhcloud-sms/{number}", "account", FORM)
    studio.on_both("settings", "settings", "#sms_ovh", show="#sms_ovh")
    for name, xml_id in (
        ("senders", "sms_ovh.sms_ovh_sender_action"),
        ("delivery_reports", "sms_ovh.sms_ovh_event_action"),
        ("outbox", "sms_ovh.sms_ovh_job_action"),
    ):
        studio.open(f"action-{xml_id}", ".o_list_view")
        studio.take(name)


def dashboard(studio):
    """What OVHcloud's console shows first, in Odoo."""
    studio.on_both("ovhcloud", "dashboard", ".o_action_manager canvas")


def replies(studio):
    """A recipient who asks something, one who opts out, and what Odoo's users see of it."""
    name, number, other = "Camille Laurent", "+33612345670", "+33612345671"
    partner = studio.create("res.partner", name=name, phone=number)
    short = studio.search("sms.ovh.sender", ("type", "=", "shortcode"))[0]
    mailing = _draft(
        studio,
        "Journées d'essayage",
        "Bonjour, venez essayer la collection d'automne samedi. "
        "Un essayage vous tente ? Répondez OUI.",
        "Clients d'essayage",
        ((name, number), ("Louis Petit", other)),
    )
    studio.rpc("mailing.mailing", "write", [mailing], {"sms_ovh_sender_id": short})
    studio.rpc("mailing.mailing", "action_put_in_queue", [mailing])
    _sent(studio, mailing)
    answer = "Oui, avec plaisir ! À quelle heure ouvrez-vous ?"
    studio.simulator.call("POST", f"phones/{number}/reply", {"text": answer})
    studio.simulator.call("POST", f"phones/{other}/stop", {})
    studio.open("sms-marketing")
    studio.wait_until(
        lambda: (
            studio.search("sms.ovh.reply")
            and studio.search("sms.ovh.stop", ("mailing_id", "=", mailing))
        ),
        "the answers",
    )
    reply = studio.search("sms.ovh.reply")[0]
    studio.on_both("ovhcloud-replies", "replies", ".o_view_controller")
    studio.open(f"ovhcloud-replies/{reply}", FORM)
    studio.page.click("button[name=action_reply]")
    studio.page.wait(".modal textarea")
    studio.page.type(".modal textarea", "Dès 9 h, à samedi !")
    studio.take("reply_answer")
    studio.page.click(".modal-footer button[name=action_send_sms]")
    studio.on_both(
        f"res.partner/{partner}",
        "reply_chatter",
        ".o-mail-Message",
        show=".o-mail-Thread",
    )
    studio.open(f"sms-marketing/{mailing}", FORM)
    studio.take("campaign_answered")


def progress(studio):
    """A campaign that is paused in the middle, its results, and the analysis."""
    page = studio.page
    contacts = {f"Client {index}": f"+3361{index:07d}" for index in range(400)}
    contacts |= {
        "Suzanne": "+41791234567",
        "Diane": "+33612340023",
        "Élise": "+33612340024",
        "Fabrice": "+33612340008",
    }
    mailing = _draft(
        studio,
        "Soldes d'hiver",
        "Bonjour {{ object.name }}, les soldes commencent demain. Ma Boutique",
        "Clients d'hiver",
        contacts.items(),
    )
    # Delivered at any hour: OVHcloud holds back what has a STOP clause at night.
    studio.rpc("mailing.mailing", "write", [mailing], {"sms_ovh_kind": "transactional"})
    accounts = studio.search("sms.ovh.account")
    studio.rpc("sms.ovh.account", "write", accounts, {"credit_price": 0.065})
    # So slow that it can be looked at.
    studio.simulator.configure(latency_ms=500)
    studio.rpc("mailing.mailing", "action_put_in_queue", [mailing])

    def begun():
        found = studio.rpc("mailing.mailing", "sms_ovh_get_progress", [mailing])
        return found["counts"]["accepted"] + found["counts"]["delivered"] > 60

    studio.wait_until(begun, "the beginning of a campaign")
    studio.rpc("mailing.mailing", "action_sms_ovh_pause", [mailing])
    studio.on_both(
        f"sms-marketing/{mailing}", "campaign_progress", ".o_sms_ovh_progress"
    )
    studio.rpc("mailing.mailing", "action_sms_ovh_resume", [mailing])
    _sent(studio, mailing)
    studio.simulator.configure(latency_ms=0)
    results = ".o_sms_ovh_results"
    studio.on_both(
        f"sms-marketing/{mailing}", "campaign_results", results, show=results
    )
    studio.open(f"sms-marketing/{mailing}", results)
    page.click(".o_sms_ovh_analyse")
    page.wait(".o_pivot table")
    studio.take("campaign_analysis")


#: In the order in which they need each other: records show what was sent before.
SCENES = {
    "sent": sent,
    "progress": progress,
    "failures": failures,
    "replies": replies,
    "dashboard": dashboard,
    "account": account,
    "estimating": estimating,
    "writing": writing,
    "hours": hours,
    "counter": counter,
}
