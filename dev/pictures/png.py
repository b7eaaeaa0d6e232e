"""PNG files of a size that a README can carry."""

import io

from PIL import Image

#: Bytes that a picture may have.
LARGEST = 150 * 1024
#: Colours kept, from the best looking on.
COLOURS = (256, 128, 64)


def small(data):
    """Return a PNG with fewer colours, as far as its size asks for."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    for colours in COLOURS:
        out = io.BytesIO()
        # Without dithering: its noise would cost more than the colours save.
        image.quantize(
            colours,
            method=Image.Quantize.MAXCOVERAGE,
            kmeans=3,
            dither=Image.Dither.NONE,
        ).save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST:
            return out.getvalue()
    raise ValueError(f"{out.tell() // 1024} KiB, more than {LARGEST // 1024}")
