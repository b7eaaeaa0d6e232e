"""The simulator's configuration: what each setting may be, and what it is at first."""

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
)

from . import reference
from .clock import HOURS
from .errors import Refused

#: How a number that was looked up is written: no description says.
HLR_SPELLINGS = {
    "e164": str,
    "digits": lambda number: number.removeprefix("+"),
    "zeros": lambda number: number.replace("+", "00"),
}

Amount = Annotated[int | FiniteFloat, Field(ge=0)]
Share = Annotated[int | float, Field(ge=0, le=1)]


def _check_regex(text):
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


def _check_order(values):
    if values != sorted(values):
        raise ValueError("the smaller number comes first")
    return values


Regex = Annotated[str, AfterValidator(_check_regex)]


class Declared(BaseModel):
    """What a request to the simulator's own routes may hold: each of its type, no other."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @classmethod
    def read(cls, content):
        """Check decoded JSON.

        :raise Refused: with what is wrong.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise Refused(
                "; ".join(
                    f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}"
                    for each in error.errors()
                )
            ) from None


class Config(Declared):
    """The settings."""

    latency_ms: Amount = 0
    callback_mode: Literal["auto", "manual", "off"] = "auto"
    callback_delay_ms: Annotated[
        list[Amount], Field(min_length=2, max_length=2), AfterValidator(_check_order)
    ] = [500, 2000]
    # ``None`` leaves both to the mode.
    callback_duplicate_share: Share | None = None
    callback_shuffle: bool | None = None
    callback_lost_share: Share = 0.0
    callback_headers: dict[str, str] = {}
    undeliverable_share: Share = 0.0
    clock_skew_s: int | float = 0
    deferred_in_outgoing: bool = False
    marketing_hours: Literal[tuple(HOURS)] = "2026"
    account_lists_all: bool = True
    # The paths whose batches are refused.
    batch_refused: Regex | None = None
    # What the ids of an answer to a job follow: nothing promises that it is the receivers.
    ids_order: Literal["receivers", "swapped", "shuffled"] = "receivers"
    hlr_ms: Amount = 0
    hlr_credits: Amount = 0.5
    hlr_spelling: Literal[tuple(HLR_SPELLINGS)] = "e164"
    # Numbers whose SMS stand in no list.
    unlisted: list[str] = []
    names_abroad: dict[
        Literal[tuple(reference.NAME_OPERATORS)], Literal["blocked", "replaced", "kept"]
    ] = {"be": "replaced", "es": "blocked"}
    registered_names: list[str] = []
    # ``#VALUE#`` stands where anything may.
    usa_templates: list[str] = []
    seed: int = 1
