"""Take out of an answer what rests on messages that were edited or deleted since, and say so."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from agent.citations import cited_numbers
from agent.quotation import quotation
from agent.sentences import whole_ends
from agent.spoilers import split_code
from agent.types import Answer, Outcome, Source, WebPage
from memory.answers.kept import Kept, KeptAnswer
from memory.message import Message
from memory.search.results import RankedMessage

NOTHING_LEFT = "What this answer said rested on messages that were edited or deleted since, so it is gone."
DELETED_SINCE = "A message that this cites was deleted since; what rested on it is gone."
EDITED_SINCE = "A message that this cites was edited since; what rested on its former words is gone."
READS_ANEW = "A message that this quotes was edited since, and is quoted as it reads now."

_LISTS = {Outcome.QUOTED, Outcome.COUNTED}
_PART_OF_LIST = re.compile(r"(?:\A|(?<=\n))(?:- |\n)")
"""The start of an item of a list, or the blank line before a paragraph."""

_MARK_ALONE = re.compile(r"^- \[(?P<number>[1-9]\d{0,8})\]\n?", re.MULTILINE)
"""Where a quotation stood that is to be written anew."""


def without_changed(answer: KeptAnswer, *, edited: Collection[int], deleted: Collection[int]) -> KeptAnswer:
    """Return an answer without what it says of these messages, by their ids.

    Of an answer by a model, sentences go that cite one of them; of a list its items. A quotation that can be written
    anew, by `as_it_stands`, leaves its mark.
    """
    gone = {number for number, message_id in answer.sources.items() if message_id in deleted}
    changed = answer.numbers_of({*edited, *deleted}) - gone
    return replace(answer, text=_without(answer, gone, changed))


def as_it_stands(
    kept: Kept, found: Mapping[int, Message], *, may_quote: Collection[int], time_zone: ZoneInfo
) -> Answer:
    """Return a kept answer as it may be shown now, after some of what it cites has changed.

    `found` are the messages that it cites, by their ids, as they are now. Those that were edited are quoted as they
    read now, in an answer of quotations, if they are among what one `may_quote`. All else that changed goes.
    """
    if kept.answer is None:
        return Answer(text=NOTHING_LEFT)
    answer = kept.answer
    is_quoted = _can_be_renewed(answer)
    sources: dict[int, Source] = {}
    missing, struck, renewed = set[int](), set[int](), set[int]()
    for number, message_id in answer.sources.items():
        message = found.get(message_id)
        if message is None or message_id in kept.deleted:
            missing.add(number)
        elif message_id in kept.edited and not (is_quoted and message_id in may_quote):
            struck.add(number)
        else:
            sources[number] = Source(number, message, _beside(kept, number, found))
            renewed |= {number} if message_id in kept.edited else set()
    text = _with_quotations(_without(answer, missing | struck, ()), sources, kept.question.text, time_zone)
    cited = cited_numbers(text)
    return Answer(
        text=text if answer.outcome == Outcome.COUNTED or cited else NOTHING_LEFT,
        outcome=Outcome(answer.outcome),
        sources=tuple(source for number, source in sources.items() if number in cited),
        notes=(*answer.notes, *filter(None, [answer.footer]), *_notes(kept, missing, struck, renewed)),
        shown_places=answer.shown_places,
        pages=pages_of(answer),
    )


def pages_of(answer: KeptAnswer) -> tuple[WebPage, ...]:
    """Return the pages of the web that are shown under an answer that was kept."""
    return tuple(WebPage(**page._asdict()) for page in answer.pages)


def _beside(kept: Kept, number: int, found: Mapping[int, Message]) -> Message | None:
    """Return the message that is named beside a source; none that has changed."""
    message_id = None if kept.answer is None else kept.answer.beside.get(number)
    return None if message_id is None or message_id in kept.edited | kept.deleted else found.get(message_id)


def _notes(kept: Kept, missing: Collection[int], struck: Collection[int], renewed: Collection[int]) -> Iterator[str]:
    beside = set() if kept.answer is None else set(kept.answer.beside.values())
    if missing or not kept.deleted.isdisjoint(beside):
        yield DELETED_SINCE
    if struck or not kept.edited.isdisjoint(beside):
        yield EDITED_SINCE
    if renewed:
        yield READS_ANEW


def _without(answer: KeptAnswer, gone: Collection[int], changed: Collection[int]) -> str:
    """Return the text of an answer without what cites these numbers; quotations of the `changed` leave their mark."""
    is_quoted = _can_be_renewed(answer)
    parts = _list_parts(answer.text) if answer.outcome in _LISTS else _proven_parts(answer.text)
    kept: list[str] = []
    for part in parts:
        numbers = set(cited_numbers(part))
        if not numbers.isdisjoint(gone):
            continue
        anew = sorted(numbers.intersection(changed))
        if is_quoted and anew:
            kept.append(f"- [{anew[0]}]\n")
        elif not anew:
            kept.append(part)
    return "".join(kept).lstrip("\n").rstrip()


def _can_be_renewed(answer: KeptAnswer) -> bool:
    """Return whether an answer consists of quotations that say what messages say now."""
    return answer.outcome == Outcome.QUOTED and not answer.former


def _list_parts(text: str) -> Iterator[str]:
    """Yield the items of a list, with the paragraphs before and behind it."""
    plain = "".join("x" * len(part) if is_code else part for is_code, part in split_code(text))
    yield from _cut(text, (start.start() for start in _PART_OF_LIST.finditer(plain)))


def _proven_parts(text: str) -> Iterator[str]:
    """Yield the sentences of an answer, each with those before it that have no mark and lean on its."""
    waiting = last = ""
    for sentence in _cut(text, whole_ends(text)):
        waiting += sentence
        if cited_numbers(sentence):
            yield from filter(None, [last])
            last, waiting = waiting, ""
    yield last + waiting  # what is behind the last mark leans on that


def _cut(text: str, positions: Iterator[int]) -> Iterator[str]:
    """Yield the parts of a text between these positions."""
    start = 0
    for position in positions:
        if position > start:
            yield text[start:position]
            start = position
    yield text[start:]


def _with_quotations(text: str, sources: Mapping[int, Source], question: str, time_zone: ZoneInfo) -> str:
    """Return a text with quotations for the marks that stand alone."""

    def quoted(mark: re.Match[str]) -> str:
        source = sources.get(int(mark["number"]))
        if source is None:
            return ""
        line = RankedMessage(source.message, hit=True)
        words = quotation(source.number, line, question=question, time_zone=time_zone, answers=source.beside)
        return f"{words}\n"

    return _MARK_ALONE.sub(quoted, text).strip("\n")
