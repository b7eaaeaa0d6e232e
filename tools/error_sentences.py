"""What an error of OVHcloud means and what to do about it, in the user's language.

All these sentences are here. They read no records: what they say of an account is
passed to them.
"""

import re
from typing import NamedTuple

from . import ovh_client
from .phone_number import get_number_sentences
from .sms_segments import MAX_SEGMENTS

# OVHcloud's prefix that names the parameter that it refuses.
PARAMETER_REGEX = re.compile(r"^\[(?P<name>\w+)\]")


class Access(NamedTuple):
    """How an account connects to OVHcloud, as far as the sentences need it."""

    method: str  # a value of `auth_method` of `sms.ovh.account`
    service: str  # the SMS service's name
    expired: bool  # its consumer key has expired
    has_consumer_key: bool
    has_application: bool  # an application key and its secret


def get_error_sentence(env, error, access):
    """Return a sentence in the user's language: what is wrong and what to do.

    :param env: environment, for the language
    :param ovh_client.OvhError error: what a call raised
    :param Access access: the access with which OVHcloud was called
    :rtype: str
    """
    return (
        get_key_sentence(env, error, access)
        or get_access_sentence(env, error, access)
        or get_answer_sentence(env, error, access)
    )


def get_access_sentence(env, error, access):
    """Return what is wrong with the connection to OVHcloud: network, clock or rights.

    :param env: environment, for the language
    :param ovh_client.OvhError error: what a call raised
    :param Access access: the access with which OVHcloud was called
    :return: None if something else is wrong
    :rtype: str|None
    """
    words = error.message
    match error:
        case ovh_client.OvhUnreachable():
            return env._(
                "OVHcloud cannot be reached. Check this server's connection to the"
                " Internet and try again."
            )
        case ovh_client.OvhClockOff():
            return env._(
                "The clock of this server is off, so OVHcloud refuses its calls."
                " Have the server's clock set."
            )
        case ovh_client.OvhNotGranted() if access.method == "oauth2":
            return env._(
                "The service account lacks a right (%s). Give it a policy in"
                " OVHcloud's console with the actions that the account's page"
                " “Connection” lists.",
                words,
            )
        case ovh_client.OvhNotGranted() if access.method == "http2sms":
            return env._(
                "An API user's login is good for sending only. Connect with"
                " OVHcloud in another way for everything else."
            )
        case ovh_client.OvhNotGranted():
            return env._(
                "The consumer key lacks a right (%s). Create one that may GET,"
                " POST, PUT and DELETE on /sms and /sms/*.",
                words,
            )
    return None


def get_key_sentence(env, error, access):
    """Return which key or login OVHcloud refuses, or is missing.

    :param env: environment, for the language
    :param ovh_client.OvhError error: what a call raised
    :param Access access: the access with which OVHcloud was called
    :return: None if something else is wrong
    :rtype: str|None
    """
    words = error.message
    match error:
        case ovh_client.OvhUnknownApplication():
            return env._(
                "OVHcloud does not know the application key. Copy it again from"
                " the page on which it was created."
            )
        case ovh_client.OvhSignatureRefused():
            return env._(
                "OVHcloud refuses the signature: the application secret does not"
                " belong to the application key. Copy both again."
            )
        case ovh_client.OvhServiceAccountRefused():
            return env._(
                "OVHcloud refuses the service account: the client ID or the client"
                " secret is wrong, or the account was deleted. Copy both again."
            )
        case ovh_client.OvhLoginRefused():
            return env._(
                "OVHcloud refuses the service, the API user or the API user's"
                " password (%s). Compare all three with OVHcloud's console.",
                words,
            )
        case ovh_client.OvhAddressRefused():
            return env._(
                "The API user may not send from this server's address (%s). Allow"
                " the address for that user in OVHcloud's console.",
                words,
            )
        case ovh_client.OvhConsumerKeyRefused() if access.expired:
            return env._(
                "The consumer key has expired. Press “Connect with OVHcloud”, or"
                " create a new key."
            )
        case ovh_client.OvhConsumerKeyRefused():
            return env._(
                "OVHcloud refuses the consumer key: it was not approved yet, was"
                " refused, or has expired. Approve it on OVHcloud's page or create"
                " a new one."
            )
        case ovh_client.OvhCredentialRefused() if access.method == "oauth2":
            return env._("Enter the service account's client ID and client secret.")
        case ovh_client.OvhCredentialRefused() if access.method == "http2sms":
            return env._("Enter the API user's login and password.")
        case ovh_client.OvhCredentialRefused():
            return get_incomplete_sentence(env, access)
    return None


def get_incomplete_sentence(env, access):
    """Return which keys are missing: two suffice, OVHcloud's page provides the third.

    :rtype: str
    """
    if access.has_consumer_key:
        return env._(
            "The keys are not complete. Enter the application key, its secret and"
            " the consumer key."
        )
    if access.has_application:
        return env._(
            "The keys are not complete. Press “Connect with OVHcloud” and approve"
            " on OVHcloud's page."
        )
    return env._(
        "The keys are not complete. Enter the application key and its secret, then"
        " press “Connect with OVHcloud”."
    )


def get_answer_sentence(env, error, access):
    """Return what is wrong with the request, or with OVHcloud's answer.

    :param env: environment, for the language
    :param ovh_client.OvhError error: what a call raised
    :param Access access: the access with which OVHcloud was called
    :rtype: str
    """
    words = error.message
    match error:
        case ovh_client.OvhNotFound():
            return env._(
                "OVHcloud finds no service %(service)s with these keys"
                " (%(words)s). Check its name in OVHcloud's console.",
                service=access.service,
                words=words,
            )
        case ovh_client.OvhOutOfCredit():
            return env._(
                "Not enough SMS are left on %(service)s (%(words)s). Buy a pack or"
                " turn on the automatic recharge in OVHcloud's console.",
                service=access.service,
                words=words,
            )
        case ovh_client.OvhThrottled():
            return env._("OVHcloud asks to slow down. Try again in a minute.")
        case ovh_client.OvhBadRequest():
            return env._("OVHcloud refuses: %s", words)
        case ovh_client.OvhNoAnswer() if error.reading:
            return env._("OVHcloud did not answer (%s). Try again in a minute.", words)
        case ovh_client.OvhServerError() if error.reading:
            return env._(
                "OVHcloud has a failure of its own (%s). Try again in a minute.",
                error.status,
            )
        case _unreadable if error.reading:
            return env._("OVHcloud's answer cannot be read. Try again in a minute.")
        case ovh_client.OvhNoAnswer():
            return env._(
                "OVHcloud did not answer (%s). What was asked for may have been"
                " done: check before you do it again.",
                words,
            )
        case ovh_client.OvhServerError():
            return env._(
                "OVHcloud has a failure of its own (%s). What was asked for may"
                " have been done: check before you do it again.",
                error.status,
            )
        case _unreadable:
            return env._(
                "OVHcloud's answer cannot be read. What was asked for may have"
                " been done: check before you do it again."
            )


def get_disabled_sentence(env, service):
    """Return the sentence for a service that OVHcloud has disabled, and what to do."""
    return env._(
        "OVHcloud has disabled the service %s. Ask OVHcloud's support why.",
        service,
    )


def get_refusal_sentence(env, error, label, access):
    """Return what a refused change means: which field, and what to do.

    :param env: environment, for the language
    :param ovh_client.OvhError error: what the call raised
    :param Access access: the access with which OVHcloud was called
    :param str label: name of what was to be changed
    :rtype: str
    """
    words = error.message
    if isinstance(error, ovh_client.OvhNotFound):
        return env._(
            "“%(label)s” no longer exists at OVHcloud (%(words)s). Synchronise the"
            " account.",
            label=label,
            words=words,
        )
    if isinstance(error, ovh_client.OvhOutOfCredit):
        return env._(
            "The quota is more than what is left on the account: %s. Enter less,"
            " or buy a pack first.",
            words,
        )
    if error.status == 409:
        return env._(
            "“%(label)s” exists already at OVHcloud (%(words)s). Choose another name.",
            label=label,
            words=words,
        )
    if isinstance(error, ovh_client.OvhNotGranted) and not error.error_code:
        return env._(
            "OVHcloud does not allow this for “%(label)s”: %(words)s",
            label=label,
            words=words,
        )
    if isinstance(error, ovh_client.OvhBadRequest):
        field = get_parameter_label(env, words)
        if field:
            return env._(
                "OVHcloud refuses the field “%(field)s” (%(words)s). Correct it"
                " and try again.",
                field=field,
                words=words,
            )
    return get_error_sentence(env, error, access)


def get_parameter_label(env, words):
    """Return the user's word for the parameter that OVHcloud refuses, if any."""
    labels = {
        "login": env._("Login"),
        "password": env._("Password"),
        "quotaLeft": env._("Quota Left"),
        "alertThreshold": env._("Alert Limit"),
        "alertEmail": env._("Alert E-mail"),
        "alertNumber": env._("Alert Phone Number"),
        "support": env._("Notification"),
        "ipRestrictions": env._("Allowed IP Addresses"),
        "sender": env._("Sender"),
        "description": env._("Description"),
        "reason": env._("Reason"),
        "automaticRecreditAmount": env._("SMS Recharged"),
        "creditThresholdForAutomaticRecredit": env._("Recharged Below"),
        "smsResponse": env._("On a Reply"),
        "cgiUrl": env._("Address of Odoo"),
        "callBack": env._("Address of Odoo"),
        "stopCallBack": env._("Address of Odoo"),
        "trackingOptions": env._("Forwarded To"),
        "target": env._("Forwarded To"),
        "text": env._("Automatic Answer"),
    }
    match = PARAMETER_REGEX.match(words)
    if match and match["name"] in labels:
        return labels[match["name"]]
    for name, label in labels.items():
        if re.search(rf"\b{name}\b", words, re.IGNORECASE):
            return label
    return None


def get_refused_sender_sentence(env, error, sender):
    """Return the sentence for a job whose sender is refused, and what to do.

    :param env: environment, for the language
    :param ovh_client.OvhError error: what the call raised
    :param str sender: name of the sender
    :rtype: str
    """
    return env._(
        "OVHcloud refuses the sender “%(sender)s” (%(words)s). Choose another"
        " one on the OVHcloud account.",
        sender=sender,
        words=error.message,
    )


def get_failure_sentences(env, sender):
    """Return why a single SMS is refused, by the state of Odoo's SMS providers.

    :param env: environment, for the language
    :param str sender: name of the sender
    :rtype: dict[str, str]
    """
    return {
        "wrong_number_format": env._(
            "The number is not a possible phone number. Correct it and try again."
        ),
        **{
            f"ovh_number_{reason}": sentence
            for reason, sentence in get_number_sentences(env).items()
        },
        "sms_number_missing": env._("There is no phone number."),
        "blacklisted": env._(
            "This number is on OVHcloud's blacklist: its owner answered STOP."
        ),
        "ovh_sender_refused": env._(
            "OVHcloud refuses the sender. Choose another one on the OVHcloud"
            " account, or wait until OVHcloud has validated it."
        ),
        "ovh_sender_missing": env._(
            "No sender is chosen. Choose one on the OVHcloud account."
        ),
        "ovh_destination": env._(
            "SMS of “%s” do not reach this country. Choose another sender, or a"
            " sender for this country on the OVHcloud account.",
            sender,
        ),
        "ovh_empty": env._("The message is empty. Write a text and send it again."),
        "ovh_too_long": env._(
            "The message takes more than %s SMS, the most that OVHcloud sends at a"
            " time. Shorten it and send it again.",
            MAX_SEGMENTS,
        ),
        "ovh_contact_information": env._(
            "OVHcloud takes no link and no phone number from the short number. Take"
            " them out, or send as another sender."
        ),
        "insufficient_credit": env._(
            "Not enough SMS are left on the OVHcloud account. Buy a pack or turn"
            " on the automatic recharge, then send again."
        ),
        "unregistered": env._(
            "OVHcloud refuses the account's keys. Ask an administrator to check"
            " the OVHcloud account."
        ),
        "server_error": env._(
            "OVHcloud could not be reached, so nothing was sent. Try again in a"
            " few minutes."
        ),
        "ovh_unconfirmed": env._(
            "OVHcloud gave no readable answer: the SMS may have been sent. Check"
            " in OVHcloud's console before you send it again."
        ),
    }
