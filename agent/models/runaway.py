"""Notice that a model writes the same words over and over, and say where they begin."""

MOST_PERIOD = 160
"""Characters of what is repeated, at most."""

FEWEST_REPEATS = 5
SHORTEST_LOOP = 160
"""Characters of all repetitions: a rule of dashes or a chorus of a word is shorter."""

_TAIL = MOST_PERIOD * FEWEST_REPEATS


def loop_start(text: str) -> int | None:
    """Return where the second of the same passages begins that a text ends with; None when it ends with no loop.

    The tail of the text is looked at, in time that grows with its length (the failure function of Knuth, Morris and
    Pratt, "Fast pattern matching in strings", 1977, over the tail read backwards).
    """
    period = _period(text[-_TAIL:][::-1])
    if period is None:
        return None
    start = len(text) - period
    while start > 0 and text[start - 1] == text[start - 1 + period]:
        start -= 1
    return start + period


def _period(tail: str) -> int | None:
    """Return the length of what a text begins with again and again, if that is a loop."""
    borders = [0] * len(tail)
    found = None
    for end in range(1, len(tail)):
        border = borders[end - 1]
        while border and tail[border] != tail[end]:
            border = borders[border - 1]
        borders[end] = border + (tail[border] == tail[end])
        length, period = end + 1, end + 1 - borders[end]
        if period <= MOST_PERIOD and length >= max(FEWEST_REPEATS * period, SHORTEST_LOOP):
            found = period
    return found
