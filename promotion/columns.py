"""Guess what the columns of a table without a header hold, from its first records."""

import re
from collections.abc import Sequence
from statistics import fmean
from zoneinfo import ZoneInfo

from promotion.times import read_time

_DISCORD_ID = re.compile(r"\d{17,20}", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?\d{1,8}", re.ASCII)
_LONGEST_NAME = 40  # characters, on average
_ZONE = ZoneInfo("UTC")  # any will do: whether it is a time does not depend on it


def guessed_columns(records: Sequence[Sequence[str]]) -> dict[int, str]:
    """Return our names of columns by their positions; empty when it is not plain which holds the time and the words."""
    if not records:
        return {}
    columns = {at: [record[at].strip() for record in records] for at in range(len(records[0]))}
    times = [at for at, texts in columns.items() if all(map(_is_time, texts))]
    ids = [at for at, texts in columns.items() if all(map(_DISCORD_ID.fullmatch, texts))]
    words = [at for at, texts in columns.items() if at not in {*times, *ids} and not all(map(_is_number, texts))]
    if len(times) != 1 or not words:
        return {}
    found = {times[0]: "sent_at", **_of_ids(columns, ids)}
    by_length = sorted(words, key=lambda at: fmean(map(len, columns[at])))
    found[by_length[-1] if len(by_length) != 2 else _likelier_words(columns, words)] = "content"
    names = [at for at in by_length if at not in found and fmean(map(len, columns[at])) <= _LONGEST_NAME]
    if names:
        found[min(names, key=lambda at: len(set(columns[at])))] = "author_name"
    return found


def _of_ids(columns: dict[int, list[str]], ids: Sequence[int]) -> dict[int, str]:
    """Return which column holds the messages' ids, all different, and which the authors'."""
    different = [at for at in ids if len(set(columns[at])) == len(columns[at])]
    found = {different[0]: "message_id"} if different else {}
    rest = [at for at in ids if at not in found]
    return found | ({rest[0]: "author_id"} if len(rest) == 1 else {})


def _likelier_words(columns: dict[int, list[str]], both: Sequence[int]) -> int:
    """Return which of two columns holds the words and not the names: that with more blanks, or else the last."""
    blanks = {at: sum(" " in text for text in columns[at]) for at in both}
    first, last = both
    return first if blanks[first] > blanks[last] else last


def _is_time(text: str) -> bool:
    if _DISCORD_ID.fullmatch(text) or _PLAIN_NUMBER.fullmatch(text):
        return False
    try:
        read_time(text, zone=_ZONE, day_first=True)
    except ValueError:
        try:
            read_time(text, zone=_ZONE, day_first=False)
        except ValueError:
            return False
    return True


def _is_number(text: str) -> bool:
    return bool(_PLAIN_NUMBER.fullmatch(text))
