"""Every text of the simulator's pages, in French and English."""

TEXTS = {
    "title": ("Téléphones virtuels", "Virtual phones"),
    "product": ("OVHcloud SMS · simulateur", "OVHcloud SMS · simulator"),
    "help": ("Aide", "Help"),
    "phones": ("Téléphones", "Phones"),
    "search": ("Chercher un numéro ou un texte", "Search for a number or a text"),
    "live": ("En direct", "Live"),
    "offline": ("Connexion perdue, nouvel essai…", "Connection lost, retrying…"),
    "credits": ("crédits", "credits"),
    "sms_count": ("SMS", "SMS"),
    "clock": ("Horloge", "Clock"),
    "clock_open": ("Mardi, 10:00", "Tuesday, 10:00"),
    "clock_hint": (
        "Heure qui compte pour l'envoi des SMS publicitaires",
        "The time that counts for sending marketing SMS",
    ),
    "empty_title": (
        "Aucun téléphone n'a encore reçu de SMS",
        "No phone has received an SMS yet",
    ),
    "empty_1": (
        "Dans Odoo, ouvrez la configuration du compte OVHcloud SMS, choisissez le "
        "point d'accès "
        "personnalisé et donnez-lui l'adresse ci-dessous.",
        "In Odoo, open the settings of the OVHcloud SMS account, choose the custom "
        "endpoint and give it "
        "the address below.",
    ),
    "empty_2": (
        "Recopiez les trois clés de démonstration.",
        "Copy the three demonstration keys.",
    ),
    "empty_3": (
        "Envoyez un SMS à n'importe quel numéro de mobile, par exemple +33 6 12 34 00 01 : "
        "le téléphone apparaît ici aussitôt.",
        "Send an SMS to any mobile number, for instance +33 6 12 34 00 01: the phone "
        "appears here at once.",
    ),
    "empty_found": (
        "Aucun téléphone ne correspond à cette recherche.",
        "No phone matches this search.",
    ),
    "endpoint": ("Adresse de l'API", "Address of the API"),
    "application_key": ("Clé d'application", "Application key"),
    "application_secret": ("Secret d'application", "Application secret"),
    "consumer_key": ("Clé de consommateur", "Consumer key"),
    "service": ("Service", "Service"),
    "power_on": ("Allumé", "On"),
    "power_off": ("Éteint", "Off"),
    "power_label": ("Allumer ou éteindre ce téléphone", "Switch this phone on or off"),
    "off_notice": (
        "Téléphone éteint : les SMS attendent",
        "Phone switched off: SMS are waiting",
    ),
    "reply": ("Répondre…", "Reply…"),
    "no_reply": ("Sans réponse", "No replies"),
    "reply_late": (
        "Trop tard : le numéro court accepte une réponse pendant 48 heures.",
        "Too late: the short number takes an answer for 48 hours.",
    ),
    "send": ("Envoyer", "Send"),
    "stop": ("STOP", "STOP"),
    "stop_label": ("Répondre STOP au dernier SMS", "Answer STOP to the last SMS"),
    "to": ("vers", "to"),
    "part": ("partie", "part"),
    "parts": ("parties", "parts"),
    "encoding_7bits": ("GSM-7", "GSM-7"),
    "encoding_unicode": ("Unicode", "Unicode"),
    "status_pending": ("en attente", "pending"),
    "status_sent": ("en route", "on its way"),
    "status_delivered": ("remis", "delivered"),
    "status_failed": ("échec", "failed"),
    "status_buffered": ("téléphone éteint", "phone off"),
    "status_expired": ("expiré", "expired"),
    "status_cancelled": ("annulé", "cancelled"),
    "no_messages": ("Aucun message", "No messages"),
    "help_intro": (
        "Ce programme imite OVHcloud SMS Pro : même API, mêmes erreurs, mêmes accusés "
        "de réception. "
        "Aucun SMS ne part, aucun crédit n'est dépensé.",
        "This program imitates OVHcloud SMS Pro: same API, same errors, same delivery "
        "reports. "
        "No SMS leaves, no credit is spent.",
    ),
    "help_keys": ("Se connecter", "Connecting"),
    "help_magic": ("Numéros magiques", "Magic numbers"),
    "help_magic_intro": (
        "Ces numéros ont toujours le même sort ; tout autre numéro de mobile reçoit "
        "ses SMS. Ils ne "
        "valent qu'ici : sur un vrai compte OVHcloud, ils pourraient joindre quelqu'un.",
        "These numbers always meet the same fate; any other mobile number receives its "
        "SMS. They are "
        "meant for this place only: on a real OVHcloud account they could reach somebody.",
    ),
    "help_number": ("Numéro", "Number"),
    "help_outcome": ("Sort", "Outcome"),
    "help_routes": ("Commander le simulateur", "Ordering the simulator about"),
    "help_routes_intro": (
        "Ces adresses prennent et rendent du JSON, sans signature.",
        "These addresses take and give JSON, without signature.",
    ),
    "help_route": ("Adresse", "Address"),
    "help_effect": ("Effet", "Effect"),
    "help_clock": ("Horloge", "Clock"),
    "help_clock_text": (
        "Tant que personne ne la règle, les enregistrements portent la vraie date, et "
        "pour les heures "
        "d'envoi il est toujours mardi 10:00. Réglée, elle avance depuis l'instant "
        "donné et compte "
        "pour les deux : la publicité part de 8:00 à 20:00 du lundi au samedi, sauf les "
        "jours fériés, heure de Paris. Le réglage marketing_hours: older donne une page "
        "plus ancienne d'OVHcloud : de 8:00 à 22:00 du lundi au vendredi.",
        "As long as nobody sets it, records carry the real date, and for sending hours "
        "it is always "
        "Tuesday, 10:00. Once set, it runs from the given instant and counts for both: "
        "marketing "
        "leaves from 8:00 to 20:00 on Mondays to Saturdays, not on public holidays, "
        "Paris time. The setting marketing_hours: older is an older page of "
        "OVHcloud: from 8:00 to 22:00 on Mondays to Fridays.",
    ),
    "route_state": (
        "Tout l'état ; ?only=ledger,requests n'en donne qu'une partie",
        "The whole state; ?only=ledger,requests gives a part of it",
    ),
    "route_reset": ("Retour à l'état de départ", "Back to the initial state"),
    "route_config": (
        "Réglages : latency_ms, callback_mode (auto, manual, off), callback_delay_ms, "
        "callback_duplicate_share, callback_lost_share, callback_shuffle, callback_headers, "
        "undeliverable_share, clock_skew_s, deferred_in_outgoing, "
        "marketing_hours (2026, older), account_lists_all, batch_refused, ids_order, "
        "hlr_ms, hlr_credits, hlr_spelling (e164, digits, zeros), unlisted, "
        "names_abroad (es, be : blocked, replaced, kept), registered_names, "
        "usa_templates, seed",
        "Settings: latency_ms, callback_mode (auto, manual, off), callback_delay_ms, "
        "callback_duplicate_share, callback_lost_share, callback_shuffle, callback_headers, "
        "undeliverable_share, clock_skew_s, deferred_in_outgoing, "
        "marketing_hours (2026, older), account_lists_all, batch_refused, ids_order, "
        "hlr_ms, hlr_credits, hlr_spelling (e164, digits, zeros), unlisted, "
        "names_abroad (es, be: blocked, replaced, kept), registered_names, "
        "usa_templates, seed",
    ),
    "route_callbacks": ("Appels en attente", "Callbacks that wait"),
    "route_flush": ("Les faire tous, tout de suite", "Make them all, now"),
    "route_pop": ("Les donner sans les faire", "Hand them out without making them"),
    "route_faults": (
        "Commander des pannes : kind (latency, 429, 500, 502_html, cut_before, "
        "cut_after, timeout, "
        "garbage, empty, answer, change), method, path, body, skip, times, retry_after, "
        "latency_ms, accept, status, content",
        "Order faults: kind (latency, 429, 500, 502_html, cut_before, cut_after, "
        "timeout, garbage, "
        "empty, answer, change), method, path, body, skip, times, retry_after, "
        "latency_ms, accept, status, content",
    ),
    "route_faults_delete": ("Oublier les pannes", "Forget the faults"),
    "route_clock": (
        'Régler l\'horloge : {"now": "2025-06-01T21:59:00+02:00"}, {"now": null} ou '
        '{"advance_s": 3600}',
        'Set the clock: {"now": "2025-06-01T21:59:00+02:00"}, {"now": null} or '
        '{"advance_s": 3600}',
    ),
    "route_reply": (
        'Le destinataire répond : {"text": …}',
        'The recipient replies: {"text": …}',
    ),
    "route_stop": ("Le destinataire répond STOP", "The recipient answers STOP"),
    "route_power": (
        'Allumer ou éteindre le téléphone : {"on": false}',
        'Switch the phone on or off: {"on": false}',
    ),
    "route_credentials": (
        'Décider d\'une clé de consommateur : {"status": "validated"}',
        'Decide about a consumer key: {"status": "validated"}',
    ),
    "route_services": (
        'Changer le compte, même ce que seul OVHcloud change : {"creditsLeft": 3}',
        'Change the account, even what only OVHcloud changes: {"creditsLeft": 3}',
    ),
    "route_senders": (
        'Décider d\'un expéditeur : {"status": "refused", "comment": …}',
        'Decide about a sender: {"status": "refused", "comment": …}',
    ),
    "route_documents": (
        "Déposer une pièce justificative, comme le fait le stockage d'OVHcloud",
        "Take a proof, as OVHcloud's object storage does",
    ),
    "route_blacklists": (
        'Mettre des numéros sur la liste noire : {"numbers": ["+33612340001"]}',
        'Put numbers on the blacklist: {"numbers": ["+33612340001"]}',
    ),
    "route_virtual_number": (
        "Retirer un numéro virtuel : ses appels répondent 404",
        "Take a virtual number away: its calls answer 404",
    ),
    "login_title": ("Autoriser une application", "Authorise an application"),
    "login_ask": (
        "demande l'accès à votre compte OVHcloud :",
        "asks for access to your OVHcloud account:",
    ),
    "login_id": ("Identifiant", "Login"),
    "login_password": ("Mot de passe", "Password"),
    "login_validity": ("Validité", "Validity"),
    "login_hour": ("1 heure", "1 hour"),
    "login_day": ("1 jour", "1 day"),
    "login_month": ("30 jours", "30 days"),
    "login_unlimited": ("Illimitée", "Unlimited"),
    "login_approve": ("Autoriser", "Authorise"),
    "login_refuse": ("Refuser", "Refuse"),
    "login_hint": (
        "Comptes de démonstration : ab12345-ovh et cd67890-ovh, mot de passe « demo ».",
        "Demonstration accounts: ab12345-ovh and cd67890-ovh, password “demo”.",
    ),
    "login_wrong": (
        "Identifiant ou mot de passe incorrect.",
        "Wrong login or password.",
    ),
    "login_unknown": (
        "Cette demande n'existe pas ou a déjà reçu une réponse.",
        "This request does not exist or was answered already.",
    ),
    "login_done": (
        "C'est fait. Vous pouvez fermer cette page.",
        "Done. You can close this page.",
    ),
    "login_refused": (
        "L'accès a été refusé. Vous pouvez fermer cette page.",
        "Access was refused. You can close this page.",
    ),
}

LANGUAGES = ("fr", "en")


def language(accept_language):
    """Choose the language of a page.

    :param str accept_language: the browser's ``Accept-Language`` header.
    :return: ``en`` where the browser prefers English to French, else ``fr``.
    """
    best, best_quality = "fr", 0.0
    for choice in (accept_language or "").split(","):
        tag, _semicolon, parameter = choice.strip().partition(";")
        try:
            quality = (
                float(parameter.strip()[2:])
                if parameter.strip().startswith("q=")
                else 1.0
            )
        except ValueError:
            continue
        primary = tag.strip().lower().split("-")[0]
        if primary in LANGUAGES and quality > best_quality:
            best, best_quality = primary, quality
    return best


def texts(lang):
    """:return: dict of all texts in that language."""
    return {name: pair[LANGUAGES.index(lang)] for name, pair in TEXTS.items()}
