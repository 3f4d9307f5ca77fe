"""Make true answers out of real messages, as models paraphrase: reported speech, dates resolved, sentences joined."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from types import MappingProxyType
from zoneinfo import ZoneInfo

from memory.mentions import readable
from memory.message import Message

ZONE = ZoneInfo("Europe/Paris")

FEWEST_WORDS, MOST_WORDS = 5, 28
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\W_]+")
_BULLET = re.compile(r"^[\s>*\u2022#-]{1,8}")
_MARKUP = re.compile(r"[*_~]{1,3}|\|\|")
_NOT_TAKEN = re.compile(r"[`<>\[\]]|https?://")
_TO_TEN = "zero one two three four five six seven eight nine ten".split()  # noqa: SIM905
_DAYS = MappingProxyType({"today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1})
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_REPORTED = (
    (re.compile(r"\bI'm\b"), "they are"),
    (re.compile(r"\bI am\b"), "they are"),
    (re.compile(r"\bI was\b"), "they were"),
    (re.compile(r"\bI've\b"), "they have"),
    (re.compile(r"\bI'll\b"), "they will"),
    (re.compile(r"\bI'd\b"), "they would"),
    (re.compile(r"\b(?:I|we|We)\b"), "they"),
    (re.compile(r"\b(?:my|My|our|Our)\b"), "their"),
    (re.compile(r"\b(?:me|us)\b"), "them"),
    (re.compile(r"\b(?:mine|ours)\b"), "theirs"),
)
_SPELT_OUT = (
    (re.compile(r"\bcan't\b"), "cannot"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
)


@dataclass(frozen=True, slots=True)
class TrueAnswer:
    """An answer that its messages support: they are those of the chat in `cited`, and `shown` are some more."""

    text: str
    form: str
    cited: tuple[Message, ...]
    shown: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of a message."""

    message: Message
    text: str


Form = Callable[[Said, Said, Random], str]


def true_answers(messages: Sequence[Message], *, count: int, seed: int) -> list[TrueAnswer]:
    """Return so many true answers about a chat, or fewer where it has too little to say; the same for the same seed."""
    random = Random(seed)  # noqa: S311
    sentences = [said for message in messages for said in sentences_of(message)]
    random.shuffle(sentences)
    forms = tuple(FORMS.items())
    answers: list[TrueAnswer] = []
    for place, said in enumerate(sentences):
        if len(answers) == count:
            break
        other = sentences[(place * 7 + 3) % len(sentences)]
        name, form = forms[place % len(forms)]
        cited = (said.message, other.message) if name in _OF_TWO else (said.message,)
        if name in _OF_TWO and (other.message == said.message or other.text == said.text):
            continue
        around = random.sample(messages, min(12, len(messages)))
        shown = (*cited, *(message for message in around if message not in cited))
        answers.append(TrueAnswer(form(said, other, random), name, cited, shown))
    return answers


def sentences_of(message: Message) -> Iterator[Said]:
    """Yield the sentences of a message that are neither short nor long, and have neither code nor markup."""
    for sentence in _SENTENCE_END.split(readable(_CODE.sub("\n", message.content), ZONE)):
        text = _MARKUP.sub("", _BULLET.sub("", sentence)).strip()
        if FEWEST_WORDS <= len(_WORD.findall(text)) <= MOST_WORDS and not _NOT_TAKEN.search(text):
            yield Said(message, text.rstrip(".!?;:, "))


# ---- forms


def _verbatim(said: Said, _: Said, __: Random) -> str:
    return f"{_capital(said.text)} [1]."


def _reported(said: Said, _: Said, __: Random) -> str:
    return f"{_name(said)} said that {reported(said.text)} [1]."


def _with_copied_words(said: Said, _: Said, random: Random) -> str:
    words = said.text.split()
    start = random.randrange(max(1, len(words) - 8))
    return f'{_name(said)} wrote that {reported(said.text)} [1 "{" ".join(words[start : start + 8])}"].'


def _dated(said: Said, _: Said, __: Random) -> str:
    sent = said.message.sent_at.astimezone(ZONE)
    return f"On {sent.day} {sent:%B %Y} {_name(said)} wrote: {said.text} [1]."


def _with_resolved_dates(said: Said, _: Said, __: Random) -> str:
    """Return a sentence in which "tomorrow" and "on Friday" are days of the calendar."""
    return f"{_name(said)} said {resolved(said.text, said.message.sent_at.astimezone(ZONE).date())} [1]."


def _rewritten(said: Said, _: Said, __: Random) -> str:
    return f"According to {_name(said)}, {other_numbers(spelt_out(reported(said.text)))} [1]."


def _in_place(said: Said, _: Said, __: Random) -> str:
    sent = said.message.sent_at.astimezone(ZONE)
    return f"At {sent:%H:%M} on {sent:%A} {_name(said)} mentioned that {reported(said.text)} [1]."


def _item(said: Said, _: Said, __: Random) -> str:
    return f"- **{_name(said)}**: {said.text} [1]"


def _row(said: Said, _: Said, __: Random) -> str:
    return f"| who | what |\n|---|---|\n| {_name(said)} | {said.text.replace('|', '/')} [1] |"


def _joined(said: Said, other: Said, _: Random) -> str:
    return f"{_name(said)} said that {reported(said.text)} [1], and {_name(other)} that {reported(other.text)} [2]."


def _two_at_the_end(said: Said, other: Said, _: Random) -> str:
    return f"{_name(said)} wrote {reported(said.text)}; {_name(other)} wrote {reported(other.text)} [1][2]."


FORMS: MappingProxyType[str, Form] = MappingProxyType(
    {
        "verbatim": _verbatim,
        "reported": _reported,
        "copied words": _with_copied_words,
        "dated": _dated,
        "resolved dates": _with_resolved_dates,
        "numbers rewritten": _rewritten,
        "day and time": _in_place,
        "item": _item,
        "row": _row,
        "joined": _joined,
        "two marks": _two_at_the_end,
    }
)
_OF_TWO = frozenset(["joined", "two marks"])


def reported(text: str) -> str:
    """Return a sentence as somebody else reports it: "I will" becomes "they will"."""
    for pattern, replacement in _REPORTED:
        text = pattern.sub(replacement, text)
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def spelt_out(text: str) -> str:
    """Return a sentence whose negations are not contracted."""
    for pattern, replacement in _SPELT_OUT:
        text = pattern.sub(replacement, text)
    return text


def resolved(text: str, today: date) -> str:
    """Return a sentence in which relative days are days of the calendar."""

    def day(found: re.Match[str]) -> str:
        word = found["day"].lower()
        if word in _DAYS:
            meant = today + timedelta(days=_DAYS[word])
            return f"on {meant.day} {meant:%B}"
        meant = today + timedelta(days=(_WEEKDAYS.index(word) - today.weekday()) % 7 or 7)
        return f"on {meant:%A} {meant.day} {meant:%B}"

    return _RELATIVE.sub(day, text)


_RELATIVE = re.compile(rf"\b(?:on )?(?P<day>{'|'.join((*_DAYS, *_WEEKDAYS))})\b(?!\s\d)(?!'s)", re.IGNORECASE)
_SMALL = re.compile(
    r"(?<![\w.,:/#-])(?P<digits>[2-9]|10)(?![\w.,:/%-]| (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))",
    re.IGNORECASE,
)
_SPELT = re.compile(rf"\b(?P<word>{'|'.join(_TO_TEN[2:])})\b(?!-)")
_THOUSANDS = re.compile(r"(?<![\w.,:/#-])(?P<first>[1-9]\d?)(?P<rest>\d{3})(?![\w.,:/-])")
_AFTERNOON = re.compile(r"(?<![\w:.])(?P<hour>1[3-9]|2[0-3]):(?P<minute>\d\d)(?![\w:])")


def other_numbers(text: str) -> str:
    """Return a sentence whose small numbers are in words, or in digits, thousands separated, and clocks in halves."""
    text = _AFTERNOON.sub(lambda found: f"{int(found['hour']) - 12}:{found['minute']} pm", text)
    if _SPELT.search(text):
        return _SPELT.sub(lambda found: str(_TO_TEN.index(found["word"])), text)
    text = _SMALL.sub(lambda found: _TO_TEN[int(found["digits"])], text)
    return _THOUSANDS.sub(lambda found: found[0] if _is_year(found[0]) else f"{found['first']},{found['rest']}", text)


def _is_year(digits: str) -> bool:
    return "1900" <= digits <= "2199" and len(digits) == len("2026")


def _name(said: Said) -> str:
    return _capital(said.message.author_name)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
