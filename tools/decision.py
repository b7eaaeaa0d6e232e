"""What is settled of an SMS when it leaves, or is not to leave."""

from typing import NamedTuple


class Decision(NamedTuple):
    """By which account an SMS leaves, as whom and as what. Settled at the claim."""

    account_id: int  # of `sms.ovh.account`
    user_id: int | bool  # of the `sms.ovh.user` whose quota pays
    sender_id: int | bool  # of `sms.ovh.sender`
    kind: str  # a key of `const.KINDS`
    stop_clause: bool  # OVHcloud appends the STOP clause


class Alike(NamedTuple):
    """Queued SMS that are decided on together: they differ in text and number only.

    Records are read with all rights, but the SMS.
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

    here: int  # which OVHcloud never got
    asked: (
        int  # which OVHcloud is asked to cancel, now or once it is known to have them
    )
