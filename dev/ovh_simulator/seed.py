"""The world when the simulator starts and after each reset.

The names here are those that programs speak of; the services with all that they hold
are in ``data/services.json``.
"""

from . import data

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

#: Consumer key -> application, whose it is, and what became of it.
CREDENTIALS = {
    CONSUMER_KEY_1: (APPLICATION_KEY_1, CUSTOMER_1, "validated"),
    CONSUMER_KEY_2: (APPLICATION_KEY_2, CUSTOMER_2, "validated"),
    CONSUMER_KEY_PENDING: (APPLICATION_KEY_1, None, "pendingValidation"),
    CONSUMER_KEY_REFUSED: (APPLICATION_KEY_1, CUSTOMER_1, "refused"),
    CONSUMER_KEY_EXPIRED: (APPLICATION_KEY_1, CUSTOMER_1, "expired"),
}

#: Name -> what a service holds: its senders as arguments of ``Service.add_sender``, the
#: quotas of its API users (``null``: none), the names known to be its customer's and how.
SERVICES = data.load("services")
