"""The screens that pages are shown on."""

from typing import NamedTuple


class Size(NamedTuple):
    """A screen: its width and height in CSS pixels, and device pixels of each.

    ``phone`` says whether it is touched with fingers.
    """

    width: int
    height: int
    scale: float = 1
    phone: bool = False


DESKTOP = Size(1280, 800)
PHONE = Size(390, 844, scale=2, phone=True)
