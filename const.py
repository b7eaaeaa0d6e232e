"""All tables that map OVHcloud's values to Odoo's.

Each names the page that it comes from. Nothing here is translated: the models make what
users read from these values, in the user's language.
"""

from datetime import timedelta

# Base URL of the API, by value of ``sms.ovh.account.endpoint``. Only the European
# region serves SMS. https://help.ovhcloud.com/csm/en-api-getting-started-ovhcloud-api
ENDPOINT_URLS = {
    "ovh-eu": "https://eu.api.ovh.com/1.0",
}

# Where an OAuth2 service account fetches its token.
# https://help.ovhcloud.com/csm/en-manage-service-account
OAUTH2_TOKEN_URLS = {
    "ovh-eu": "https://www.ovh.com/auth/oauth2/token",
}

# https://help.ovhcloud.com/csm/en-sms-sending-via-url-http2sms
HTTP2SMS_URLS = {
    "ovh-eu": "https://www.ovh.com/cgi-bin/sms/http2sms.cgi",
}

# HTTP methods that a consumer key is requested for, on the paths of its services.
API_METHODS = ("GET", "POST", "PUT", "DELETE")

# Actions that an OAuth2 service account must be allowed: those of the calls that are
# made, as OVHcloud's description of its API names them. Rates need none.
# https://help.ovhcloud.com/csm/en-customer-iam-policies-api
IAM_ACTIONS = (
    "sms:apiovh:get",
    "sms:apiovh:put",
    *(
        f"sms:apiovh:{action}"
        for action in (
            *("blacklists/delete", "blacklists/get", "exceptions/get"),
            *("hlr/create", "hlr/get", "incoming/get"),
            *("jobs/create", "jobs/delete", "jobs/get", "outgoing/get"),
            *("senders/create", "senders/delete", "senders/edit", "senders/get"),
            *("senders/documents/create", "senders/documents/get"),
            "sendersAvailableForValidation/get",
            *("users/create", "users/delete", "users/edit", "users/get"),
            *("users/incoming/get", "users/outgoing/get"),
            *("users/jobs/create", "users/jobs/delete", "users/jobs/get"),
            *("virtualNumbers/get", "virtualNumbers/incoming/get"),
            "virtualNumbers/outgoing/get",
            *("virtualNumbers/jobs/create", "virtualNumbers/jobs/delete"),
            "virtualNumbers/jobs/get",
        )
    ),
    "smsVirtualNumbers:apiovh:get",
)

# How long to wait for the user's return from OVHcloud's page, and for the approval.
CONNECT_WITHIN = timedelta(hours=1)
APPROVE_WITHIN = timedelta(days=1)
# How long before a connection expires users are told.
ANNOUNCE_EXPIRY = timedelta(days=14)

# Time within which answers of http2sms may arrive out of order, and the fewest SMS that
# can be bought.
OVERTAKEN_WITHIN = timedelta(minutes=1)
SMALLEST_RECHARGE = 100

# Where to buy a service's SMS. https://help.ovhcloud.com/csm/en-sms-credits-management
ORDER_URL = "https://www.ovh.com/manager/#/telecom/sms/%s/order"

# Seconds: a user waits at most about this long for an answer, and a worker of Odoo is
# never held for the 180 s that the `ovh` package allows by default.
CONNECT_TIMEOUT = 5
READ_TIMEOUT = 20

# Most bytes of a callback: it has half a dozen short parameters.
MAX_CALLBACK_SIZE = 16 * 1024
# Most callbacks of one account that are kept per hour: two for each SMS, for as many as
# an account sends in that time, and more. A system parameter can change it.
INBOX_PER_HOUR = 500_000
# Most characters of a text as written, placeholders included. The expressions that
# render it take ever longer for each further one.
MAX_TEXT_LENGTH = 5_000

# OVHcloud's advice for bulk sending: about 500 receivers in one call.
# https://help.ovhcloud.com/csm/en-sms-sending-via-api
MAX_RECEIVERS_PER_JOB = 500

# https://eu.api.ovh.com/console/?section=%2Fsms (POST /sms/{serviceName}/jobs)
MAX_TAG_LENGTH = 20
# Minutes during which the operator tries to deliver, as OVHcloud's console has it.
VALIDITY_PERIOD = 2880

# https://help.ovhcloud.com/csm/en-sms-sender-id : letters and digits, eleven at most
MAX_SENDER_LENGTH = 11

# DLR status of a delivery report -> state of the SMS in Odoo (`sms.sms.state`).
# https://help.ovhcloud.com/csm/en-sms-callback : 0 creating or pending, 1 success,
# 2 failed, 4 pending, 8 buffered, 16 error and not billed.
DLR_TO_STATE = {
    0: "pending",
    1: "sent",
    2: "error",
    4: "pending",
    8: "pending",
    16: "error",
}

# The DLR status of a failure for which OVHcloud refunds the credits (same page).
REFUNDED_DLR = 16

# ptt (what the operator did with the SMS) -> (state, failure type).
# The DLR status, if there is one, decides the state; the ptt then says why.
# GET /sms/ptts?ptt= of the API describes a code.
PTT_TO_STATE = {
    1: ("pending", False),  # retrying, the phone
    2: ("pending", False),  # retrying, the operator
    3: ("pending", False),  # accepted by the operator
    4: ("sent", False),  # delivered
    5: ("error", "sms_not_delivered"),
    6: ("pending", False),  # unknown: says nothing, so it ends nothing
    8: ("error", "sms_expired"),
    20: ("error", "sms_not_delivered"),  # undeliverable
    21: ("error", "sms_not_delivered"),  # the subscriber's credit
    23: ("error", "sms_invalid_destination"),  # invalid, blacklisted or barred
    24: ("error", "sms_not_delivered"),  # absent
    25: ("error", "sms_not_delivered"),  # temporary failure of the network
    26: ("error", "sms_not_delivered"),  # temporary error of the phone
    27: ("error", "sms_not_delivered"),  # incompatible phone
    28: ("error", "sms_rejected"),  # taken for spam
    29: ("error", "sms_not_allowed"),  # content not permitted
    33: ("error", "sms_not_allowed"),  # parental lock
    39: ("error", "sms_not_delivered"),  # failure of the operator
    73: ("error", "sms_not_delivered"),  # ported number unreachable
    74: ("error", "sms_not_delivered"),  # roaming
    76: ("error", "sms_not_delivered"),  # ported number blocked
    202: ("error", "sms_not_delivered"),  # ported number blocked
    1999: ("error", "sms_not_allowed"),  # no approved template (USA)
}
# A failure whose ptt is not in the table: codes do get added.
PTT_UNKNOWN_FAILURE_TYPE = "sms_not_delivered"

# State that `sms_api.SmsApiOvh` returns for a receiver -> `failure_type` in Odoo.
# The keys without "ovh" are those that Odoo's own providers use.
PROVIDER_TO_SMS_FAILURE_TYPE = {
    "wrong_number_format": "sms_number_format",
    # The reasons of `tools.phone_number`, so that each has its own sentence.
    "ovh_number_ambiguous": "sms_number_format",
    "ovh_number_country": "sms_number_format",
    "ovh_number_invalid": "sms_number_format",
    "ovh_number_letters": "sms_number_format",
    "ovh_number_long": "sms_number_format",
    "ovh_number_short": "sms_number_format",
    "ovh_number_spreadsheet": "sms_number_format",
    "sms_number_missing": "sms_number_missing",
    "ovh_not_allowed": "sms_not_allowed",
    "server_error": "sms_server",
    "insufficient_credit": "sms_credit",
    "unregistered": "sms_acc",
    "blacklisted": "sms_blacklist",
    "ovh_sender_refused": "sms_ovh_sender",
    "ovh_sender_missing": "sms_ovh_sender",
    "ovh_empty": "sms_ovh_empty",
    "ovh_too_long": "sms_ovh_too_long",
    "ovh_contact_information": "sms_ovh_contact_information",
    "ovh_unconfirmed": "sms_ovh_unconfirmed",
    "ovh_destination": "sms_ovh_destination",
}

# Failure types that core lacks, with the label a user reads, added to the selections
# of `sms.sms`, `mail.notification` and `mailing.trace` alike.
FAILURE_TYPES = [
    ("sms_ovh_sender", "Sender Refused"),
    ("sms_ovh_empty", "Empty Message"),
    ("sms_ovh_landline", "Landline"),
    ("sms_ovh_voip", "Internet Phone (VoIP)"),
    ("sms_ovh_toll_free", "Toll-Free Number"),
    ("sms_ovh_premium", "Premium-Rate Number"),
    ("sms_ovh_shared_cost", "Shared-Cost Number"),
    ("sms_ovh_personal", "Personal Number (Forwarded)"),
    ("sms_ovh_pager", "Pager"),
    ("sms_ovh_uan", "Company-Wide Number"),
    ("sms_ovh_voicemail", "Voicemail Number"),
    ("sms_ovh_machine", "Machine (M2M)"),
    ("sms_ovh_seems_stop", "Seems to Ask to Stop"),
    ("sms_ovh_too_long", "Message Too Long"),
    ("sms_ovh_contact_information", "Link or Number From the Short Number"),
    ("sms_ovh_unconfirmed", "Not Confirmed by OVHcloud"),
    ("sms_ovh_destination", "Country Not Reached by the Sender"),
    ("sms_ovh_dead", "Number Out of Service"),
]

# Kind of a number that takes no SMS (`tools.phone_number.KINDS`) -> failure type.
KIND_TO_FAILURE_TYPE = {
    kind: f"sms_ovh_{kind}"
    for kind in (
        "landline",
        "voip",
        "toll_free",
        "premium",
        "shared_cost",
        "personal",
        "pager",
        "uan",
        "voicemail",
        "machine",
    )
}
# States of receivers that OVHcloud calls invalid, if their number is of such a kind.
PROVIDER_TO_SMS_FAILURE_TYPE |= {
    f"ovh_{kind}": failure_type for kind, failure_type in KIND_TO_FAILURE_TYPE.items()
}

# Failure types after which the same SMS may well succeed on another try.
RETRYABLE_FAILURE_TYPES = {
    "sms_server",
    "sms_credit",
    "sms_acc",
    "sms_ovh_sender",
}

#: What is written in GSM-7 if it has an equivalent, see `tools/gsm7_filling.py`.
GSM7_CHOICES = [
    ("off", "Nothing"),
    ("placeholders", "What placeholders fill in"),
    ("all", "All of the text"),
]
# What an SMS is under the law. Marketing SMS carry the STOP clause, if their sender
# can, and keep quiet hours.
KINDS = [("marketing", "Marketing"), ("transactional", "Transactional")]

# States of an SMS in the log and in the figures.
LOG_STATES = [
    ("pending", "Sent"),
    ("sent", "Delivered"),
    ("error", "Failed"),
    ("refused", "Refused"),
    ("canceled", "Cancelled"),
]

# Hours in which marketing SMS may leave, to choose from: opening, closing, ISO days,
# and whether it is closed on public holidays. No French statute sets hours. OVHcloud's
# are in its guide (January 2026: Monday to Saturday, 8:00 to 20:00) and its FAQ (March
# 2026: nor on public holidays), https://help.ovhcloud.com/csm/en-sms-faq ; an older
# page of its API said Monday to Friday, 8:00 to 22:00. The charter of the French
# operators (AF2M, 17 February 2026) says 8:00 to 21:30, recommends Monday to Saturday,
# and tolerates Sundays and public holidays. https://af2m.org/
HOURS_PRESETS = {
    "ovhcloud": (8.0, 20.0, (1, 2, 3, 4, 5, 6), True),
    "charter": (8.0, 21.5, (1, 2, 3, 4, 5, 6), True),
    "charter_all": (8.0, 21.5, (1, 2, 3, 4, 5, 6, 7), False),
}

# How far an SMS has come. A delivery report never moves it back; "sent", that is
# delivered, is the end.
STATE_RANK = {
    "outgoing": 0,
    "process": 1,
    "pending": 2,
    "error": 3,
    "canceled": 3,
    "sent": 4,
}

# Sending, unless system parameters of the same names after `sms_ovh.` say otherwise.
THREADS = 16  # calls to OVHcloud at a time: `sms_ovh.threads`
MAX_ATTEMPTS = 10  # of one job, before it is given up: `sms_ovh.max_attempts`
CHECK_DELAY = 60  # seconds until OVHcloud is asked about a job: `sms_ovh.check_delay`
KEEP_JOBS_DAYS = 90  # that ended jobs are kept: `sms_ovh.keep_jobs_days`
# Days that the log is kept, for the dashboard: thirteen months, to compare with the
# same month of the year before. `sms_ovh.keep_log_days`
KEEP_LOG_DAYS = 400
# Days that replies are kept: for people who are not customers, the CNIL considers three
# years after the last contact reasonable. `sms_ovh.keep_replies_days`
KEEP_REPLIES_DAYS = 1095
# Days that estimates of campaigns are kept. `sms_ovh.keep_estimates_days`
KEEP_ESTIMATES_DAYS = 90
# Seconds until the second attempt, doubled for each further one, and the most.
RETRY_BASE = 15
RETRY_MAX = 3600
# More credits than an SMS of one part costs, wherever it goes and whoever sends it.
MOST_CREDITS = 20
# Recipients of a campaign composed, and by the cron committed, at a time.
COMPOSE_SLICE = 1000
# SMS cancelled, and by the cron committed, at a time; and SMS that OVHcloud is asked to
# cancel, one call each, before the outcome is written down.
CANCEL_SLICE = 1000
CANCEL_CALLS = 500
# After what time Odoo's queues are woken if they are late for no reason.
WAKE_AFTER = timedelta(minutes=5)
# Jobs posted right after a user's transaction; with more the cron does it.
JOBS_AFTER_COMMIT = 5
# Recipients of an estimate looked at, and by the cron committed, at a time; how many
# are looked at while the user waits; and ids kept for each reason, to open their list.
ESTIMATE_SLICE = 500
ESTIMATE_AT_ONCE = 300
ESTIMATE_KEPT_IDS = 10000
# After what time an estimate is renewed before sending: somebody may have opted out.
ESTIMATE_FRESH = timedelta(hours=1)
# The only country that a type of sender reaches; a virtual number reaches its own. The
# short number and Time2Chat (09 37 to 09 39) are for mainland France.
# https://help.ovhcloud.com/csm/en-sms-sender-id
SENDER_COUNTRY = {"shortcode": "FR", "time2chat": "FR", "virtual": "FR"}
# France with what belongs to it, each a country of its own in ISO 3166.
FRENCH_COUNTRIES = (
    *("FR", "BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "WF", "YT"),
)
# Senders that recipients can reply to; OVHcloud adds no STOP clause to their SMS.
TWO_WAY_SENDERS = ("shortcode", "virtual", "time2chat")
# Credits of an SMS by type of sender, as a multiple of its country's.
# https://help.ovhcloud.com/csm/en-sms-time2chat
SENDER_CREDITS = {"time2chat": 2}
# How long to trust what OVHcloud says of a country's operators.
EXCEPTION_FRESH = timedelta(days=1)
# How long to trust what OVHcloud charges for a country.
RATE_FRESH = timedelta(days=1)
# Countries that OVHcloud bills in (`sms.BillingCountryEnum` of the API).
# https://eu.api.ovh.com/console/?section=%2Fsms (GET /sms/rates/destinations)
BILLING_COUNTRIES = ("es", "fr", "gb", "ie", "it", "pl")
# Seconds during which one run of a cron takes more jobs; then the next run takes over.
# Well within the 120 s after which Odoo ends a worker by default.
CRON_SECONDS = 60

# After what times OVHcloud is asked about an SMS without a final delivery report. An
# SMS lives for `VALIDITY_PERIOD`: nothing is to be expected after that.
POLL_AFTER = (
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
    timedelta(hours=48),
)

# Packs that OVHcloud orders by itself (`automaticRecreditAmount`).
# https://eu.api.ovh.com/console/?section=%2Fsms (PUT /sms/{serviceName})
RECHARGE_AMOUNTS = ("100", "200", "250", "500", "1000", "5000", "10000")

# API users. https://help.ovhcloud.com/csm/en-sms-api-users
USER_PASSWORD_LENGTH = 8  # letters and digits, exactly
MAX_IP_RESTRICTIONS = 5
ALERT_OFF = -1  # `alertThreshold` of a user without an alert

# A valid sender: letters and digits, and not only digits.
SENDER_REGEX = r"(?=.*[A-Za-z])[A-Za-z0-9]{1,11}"

# Names that do not identify the sender: French operators block or replace them since 10
# March 2025. They publish no list; these are typical words of such names.
# https://help.ovhcloud.com/csm/en-sms-sender-id
GENERIC_SENDERS = (
    *("alert", "alerte", "banque", "client", "colis", "contact", "credit", "delivery"),
    *("demo", "info", "infos", "livraison", "message", "news", "noreply", "notif"),
    *("notification", "offre", "offres", "paiement", "promo", "promos", "promotion"),
    *("pub", "rappel", "rdv", "service", "shop", "sms", "solde", "soldes", "support"),
    *("test", "urgent", "vente", "ventes", "verif"),
)
# Domains to which a proof may be uploaded, besides the account's own address:
# OVHcloud's object storage. Also the largest size of a proof, and its file types.
UPLOAD_DOMAINS = ("ovh.net", "ovh.com", "ovhcloud.com")
MAX_PROOF_SIZE = 10 * 1024 * 1024
PROOF_TYPES = (".pdf", ".png", ".jpg", ".jpeg")

# What operators say of a number (HLR), and the days for which it holds
# (`sms_ovh.check_days`): in France a number may go to somebody else after three months.
# Days that it is kept: `sms_ovh.keep_checks_days`.
CHECK_RESULTS = [
    ("reachable", "In Service"),
    ("absent", "In Service, Not Reachable Then"),
    ("dead", "Out of Service"),
    ("refused", "Refused by OVHcloud"),
    ("unknown", "Operators Did Not Say"),
]
CHECK_FRESH_DAYS = 90
KEEP_CHECKS_DAYS = 365
# After what times a result is looked for; none is to be expected after the last.
CHECK_RESULT_AFTER = (
    timedelta(seconds=0),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
    timedelta(hours=48),
)
# Most questions read, the newest first, to find those whose answer was lost.
CHECK_MAX_LISTED = 5000

# How far back replies are read again, so that none is lost if clocks differ.
REPLY_MARGIN = timedelta(days=1)

# The SMS that a reply or a STOP answers, if OVHcloud does not say: the last one that
# the number got within so many days (`sms_ovh.answer_days`), looked for among so many.
ANSWER_DAYS = 30
ANSWER_CANDIDATES = 20
# By how much OVHcloud's clock may be behind.
CLOCK_MARGIN = timedelta(minutes=1)
# STOP answers about whose SMS OVHcloud is asked in one reading, and those that are put
# on Odoo's blacklist, and by the cron committed, at a time.
MAX_STOP_DETAILS = 500
STOP_SLICE = 1000
# Replies read in one run: the rest follows in the next.
MAX_REPLIES = 500
# Ids of replies that are remembered for a list without times.
SEEN_REPLIES = 500
# Keywords of recipients who want no more SMS. An account starts with these, in French,
# English, Spanish, Italian, German, Dutch and Polish.
STOP_KEYWORDS = (
    "STOP, ARRET, ARRETE, ARRETEZ, ARRETER, DESABONNEMENT, DESABONNER, DESINSCRIPTION,"
    " DESINSCRIRE, UNSUBSCRIBE, OPT OUT, STOPALL, BAJA, PARAR, DISISCRIVIMI, CANCELLAMI,"
    " STOPP, STOPPEN, ABMELDEN, ABBESTELLEN, AFMELDEN, UITSCHRIJVEN, WYPISZ, REZYGNUJE"
)
