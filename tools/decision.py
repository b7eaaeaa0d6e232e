"""What is decided about an SMS when it leaves, or when it is stopped."""

from typing import NamedTuple


class Decision(NamedTuple):
    """The account, sender and kind with which an SMS leaves. Settled at the claim."""

    account_id: int  # of `sms.ovh.account`
    user_id: int | bool  # of the `sms.ovh.user` whose quota pays
    sender_id: int | bool  # of `sms.ovh.sender`
    kind: str  # a key of `const.KINDS`
    stop_clause: bool  # OVHcloud appends the STOP clause


class Alike(NamedTuple):
    """Queued SMS that are decided on together: they differ only in text and number.

    All records have superuser rights, except the SMS.
    """

    company: object  # `res.company` that sends them
    mailing: object  # `mailing.mailing` they are of, or empty
    asker: object  # `res.users` who asked for them, or empty
    kind: str | bool
    sender: object  # `sms.ovh.sender`, or empty
    stop_clause: bool
    chosen: str | bool  # which of the last three somebody chose
    sms: object  # `sms.sms`
    decision: Decision | None = None
    country_code: str | bool = False  # whose quiet hours they keep


class Closed(NamedTuple):
    """What became of SMS that were stopped."""

    here: int  # those that OVHcloud never got
    asked: (
        int  # those OVHcloud is asked to cancel, now or once it is known to have them
    )
