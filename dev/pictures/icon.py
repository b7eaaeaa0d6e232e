"""``python -m pictures.icon icon.png``: the icon, a speech bubble and a cloud."""

import sys

from PIL import Image, ImageDraw

SIZE = 128
#: Drawn larger and then reduced, so that its edges are smooth.
SCALE = 8
BACK = (86, 92, 214)
FRONT = (127, 190, 255)
CLOUD = (255, 255, 255)
DOTS = (58, 64, 176)


def _circle(draw, x, y, radius, colour):
    draw.ellipse(
        [value * SCALE for value in (x - radius, y - radius, x + radius, y + radius)],
        fill=colour,
    )


def _cloud(draw, dx, dy, colour):
    for x, y, radius in ((38, 68, 20), (59, 52, 25), (86, 61, 22)):
        _circle(draw, x + dx, y + dy, radius, colour)
    draw.rounded_rectangle(
        [value * SCALE for value in (18 + dx, 58 + dy, 108 + dx, 88 + dy)],
        15 * SCALE,
        fill=colour,
    )


def icon():
    """Draw the icon."""
    image = Image.new("RGBA", (SIZE * SCALE, SIZE * SCALE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(
        [0, 0, SIZE * SCALE - 1, SIZE * SCALE - 1], 26 * SCALE, fill=BACK
    )
    # The bubble's tail, then the bubble; the one behind it says that there are several.
    _cloud(draw, 8, -8, FRONT)
    draw.polygon(
        [(x * SCALE, y * SCALE) for x, y in ((34, 84), (34, 111), (61, 86))], fill=CLOUD
    )
    _cloud(draw, -4, 2, CLOUD)
    for x in (38, 59, 80):
        _circle(draw, x, 68, 6.5, DOTS)
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    icon().save(sys.argv[1], optimize=True)
