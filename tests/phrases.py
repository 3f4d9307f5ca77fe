"""Place phrases of time, which tests make up, in a text."""

from dataclasses import replace

from bench.phrases import find_phrases
from time_expressions.find import Times


def in_text(text: str, times: Times) -> Times:
    """Return phrases, which come in the order of the text, with the spans at which it has their words."""
    windows = zip(times.windows, find_phrases(text, [time.phrase for time in times.windows]), strict=True)
    counts = zip(times.discussions, find_phrases(text, [count.phrase for count in times.discussions]), strict=True)
    return Times(
        tuple(replace(time, span=span) for time, span in windows),
        tuple(replace(count, span=span) for count, span in counts),
    )
