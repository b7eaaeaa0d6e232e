"""What is settled of an SMS when it leaves, or is not to leave."""

from typing import NamedTuple


class Decision(NamedTuple):
    """By which account an SMS leaves, as whom and as what. Settled at the claim."""

    account_id: int  # of `sms.ovh.account`
    user_id: int | bool  # of the `sms.ovh.user` whose quota pays
    sender_id: int | bool  # of `sms.ovh.sender`
    kind: str  # a key of `const.KINDS`
    stop_clause: bool  # OVHcloud appends the STOP clause


class Closed(NamedTuple):
    """What became of SMS that were stopped."""

    here: int  # which OVHcloud never got
    asked: (
        int  # which OVHcloud is asked to cancel, now or once it is known to have them
    )
