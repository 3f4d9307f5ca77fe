"""Cut the names of files into words."""

import re

from time_expressions.folding import folded

_LETTERS = re.compile(r"[^\W\d_]+")
_SHORTEST_PART = 2  # letters of a part of a name such as "kiln_shelf2.jpg"

PICTURE_ENDINGS = frozenset(["jpg", "jpeg", "png", "gif", "webp", "heic", "heif", "bmp", "avif", "tiff"])

PICTURE = "picture"
"""What stands for all words for pictures, and for the endings of their files."""


def parts_of(name: str) -> list[str]:
    """Return the words that the name of a file is made of: "kiln", "shelf" and "picture" of "kiln_shelf2.jpg"."""
    parts = (part for part in _LETTERS.findall(folded(name)) if len(part) >= _SHORTEST_PART)
    return list(dict.fromkeys(PICTURE if part in PICTURE_ENDINGS else part for part in parts))
