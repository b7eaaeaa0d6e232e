"""Encoding and parts."""

import pytest
from ovh_simulator import gsm


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", ("7bits", 0, 1, 160)),
        ("a" * 160, ("7bits", 160, 1, 160)),
        ("a" * 161, ("7bits", 161, 2, 153)),
        ("a" * 306, ("7bits", 306, 2, 153)),
        ("a" * 307, ("7bits", 307, 3, 153)),
        ("€" * 80, ("7bits", 160, 1, 160)),
        ("€" * 81, ("7bits", 162, 2, 153)),
        ("\f" * 80, ("7bits", 160, 1, 160)),
        ("\f" * 81, ("7bits", 162, 2, 153)),
        # 153 is odd: the escape that would be cut moves to the next part
        ("€" * 152, ("7bits", 304, 2, 153)),
        ("€" * 153, ("7bits", 306, 3, 153)),
        ("a" * 152 + "€" + "a" * 152, ("7bits", 306, 3, 153)),
        ("éèùìòÇàÉ\r\n", ("7bits", 10, 1, 160)),
        ("ê", ("unicode", 1, 1, 70)),
        ("\x1b", ("unicode", 1, 1, 70)),
        ("ê" * 70, ("unicode", 70, 1, 70)),
        ("ê" * 71, ("unicode", 71, 2, 67)),
        ("ê" * 134, ("unicode", 134, 2, 67)),
        ("ê" * 135, ("unicode", 135, 3, 67)),
        ("😀" * 35, ("unicode", 70, 1, 70)),
        ("😀" * 66, ("unicode", 132, 2, 67)),
        # 67 is odd: no surrogate pair is cut
        ("😀" * 67, ("unicode", 134, 3, 67)),
        ("€" * 70, ("7bits", 140, 1, 160)),
        ("€" * 70 + "ê", ("unicode", 71, 2, 67)),
    ],
)
def test_measure(text, expected):
    assert tuple(gsm.measure(text)) == expected
    parts = gsm.split(text)
    assert "".join(parts) == text and len(parts) == expected[2]
    if len(parts) > 1:
        assert all(
            0 < gsm.measure(part).units <= gsm.LIMITS[expected[0]][1]
            or expected[0] == "unicode"
            for part in parts
        )
        assert all(
            len(part.encode("utf-16-le")) // 2 <= 67
            for part in parts
            if expected[0] == "unicode"
        )


def test_the_alphabet_has_its_size():
    assert len(gsm._BASIC) == 127 and len(gsm._EXTENDED) == 10
    assert not gsm._BASIC & gsm._EXTENDED
