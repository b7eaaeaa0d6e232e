"""The world when the simulator starts and after each reset: plain data, no import."""

APPLICATION_KEY_1 = "demoapplication1"
APPLICATION_SECRET_1 = "demosecret1demosecret1demosecret1"
CONSUMER_KEY_1 = "democonsumer1democonsumer1democo"
SERVICE_1 = "sms-ab12345-1"

APPLICATION_KEY_2 = "demoapplication2"
APPLICATION_SECRET_2 = "demosecret2demosecret2demosecret2"
CONSUMER_KEY_2 = "democonsumer2democonsumer2democo"
SERVICE_2 = "sms-cd67890-1"

CONSUMER_KEY_PENDING = "demopending00000000000000000pend"
CONSUMER_KEY_REFUSED = "demorefused00000000000000000refu"
CONSUMER_KEY_EXPIRED = "demoexpired00000000000000000expi"

#: OAuth2 service accounts (client credentials flow).
CLIENT_ID_1 = "EU.demoserviceaccount1"
CLIENT_SECRET_1 = "democlientsecret1democlientsecret1"
CLIENT_ID_2 = "EU.demoserviceaccount2"
CLIENT_SECRET_2 = "democlientsecret2democlientsecret2"

CUSTOMER_1 = "ab12345-ovh"
CUSTOMER_2 = "cd67890-ovh"
CUSTOMER_PASSWORD = "demo"

SENDER_ENABLED = "MaBoutique"
SENDER_WAITING = "Nouveau"
SENDER_REFUSED = "Refuse"
SENDER_DISABLED = "Ancien"
SENDER_SHORT = "short"
SENDER_COMPANY_2 = "Societe2"
VIRTUAL_NUMBER = "+33700000001"
USER_WITH_QUOTA = "marketing"
USER_WITHOUT_QUOTA = "compta"
USER_PASSWORD = "demo1234"

#: What a phone shows as the origin of an SMS sent from the short number, and where STOP
#: is answered to.
SHORT_NUMBER = "38069"
STOP_NUMBER = "36111"

#: Ids start here at the lowest; they only ever grow until the next reset.
FIRST_SMS_ID = 100000001
FIRST_INCOMING_ID = 50000001

APPLICATIONS = {
    APPLICATION_KEY_1: {
        "secret": APPLICATION_SECRET_1,
        "id": 10001,
        "name": "Odoo (démonstration)",
    },
    APPLICATION_KEY_2: {
        "secret": APPLICATION_SECRET_2,
        "id": 10002,
        "name": "Odoo (deuxième société)",
    },
}

CUSTOMERS = {
    CUSTOMER_1: {"password": CUSTOMER_PASSWORD, "services": [SERVICE_1]},
    CUSTOMER_2: {"password": CUSTOMER_PASSWORD, "services": [SERVICE_2]},
}

SERVICE_ACCOUNTS = {
    CLIENT_ID_1: {"secret": CLIENT_SECRET_1, "customer": CUSTOMER_1},
    CLIENT_ID_2: {"secret": CLIENT_SECRET_2, "customer": CUSTOMER_2},
}

CREDENTIALS = {
    CONSUMER_KEY_1: {
        "application": APPLICATION_KEY_1,
        "customer": CUSTOMER_1,
        "status": "validated",
    },
    CONSUMER_KEY_2: {
        "application": APPLICATION_KEY_2,
        "customer": CUSTOMER_2,
        "status": "validated",
    },
    CONSUMER_KEY_PENDING: {
        "application": APPLICATION_KEY_1,
        "customer": None,
        "status": "pendingValidation",
    },
    CONSUMER_KEY_REFUSED: {
        "application": APPLICATION_KEY_1,
        "customer": CUSTOMER_1,
        "status": "refused",
    },
    CONSUMER_KEY_EXPIRED: {
        "application": APPLICATION_KEY_1,
        "customer": CUSTOMER_1,
        "status": "expired",
    },
}

SERVICES = {
    SERVICE_1: {
        "description": "Démonstration",
        "credits": 2000.0,
        "channel": "both",
        "senders": [
            {
                "sender": SENDER_ENABLED,
                "type": "alpha",
                "status": "enable",
                "description": "Notre boutique",
            },
            {
                "sender": SENDER_WAITING,
                "type": "alpha",
                "status": "waitingValidation",
                "description": "Nouvelle marque",
            },
            {
                "sender": SENDER_REFUSED,
                "type": "alpha",
                "status": "refused",
                "description": "Essai",
                "comment": (
                    "Ce nom ne correspond ni à votre société ni à une marque que vous "
                    "détenez."
                ),
            },
            {
                "sender": SENDER_DISABLED,
                "type": "alpha",
                "status": "disable",
                "description": "Ancienne marque",
            },
            {
                "sender": SENDER_SHORT,
                "type": "shortcode",
                "status": "enable",
                "description": "Numéro court",
            },
            {
                "sender": VIRTUAL_NUMBER,
                "type": "virtual",
                "status": "enable",
                "description": "Numéro virtuel",
            },
        ],
        "users": [
            {"login": USER_WITH_QUOTA, "quota": 500.0},
            {"login": USER_WITHOUT_QUOTA, "quota": None},
        ],
        "available_senders": [
            {"sender": "DemoBoutik", "referer": "domain"},
            {"sender": "SocieteDemo", "referer": "nichandle"},
        ],
    },
    SERVICE_2: {
        "description": "Deuxième société",
        "credits": 500.0,
        "channel": "both",
        "senders": [
            {
                "sender": SENDER_COMPANY_2,
                "type": "alpha",
                "status": "enable",
                "description": "Deuxième société",
            },
            {
                "sender": SENDER_SHORT,
                "type": "shortcode",
                "status": "enable",
                "description": "Numéro court",
            },
        ],
        "users": [],
        "available_senders": [],
    },
}
