"""Answer a question with quotations of what was found for it; no language model takes part."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from agent.citations import check_again
from agent.context import Context
from agent.lookup import Recalled
from agent.markdown import NAMELESS, Markdown, block, code_and_words, file_name, has_code_block, inline, quoted, whole
from agent.markdown import line as one_line
from agent.opening import Opening, is_overview
from agent.refusal.judgement import Judgement
from agent.selection import LENGTH, Quote
from agent.spoilers import without_spoilers
from agent.types import Answer, Outcome, Question, Source
from memory.mentions import people_named
from memory.message import Message
from memory.question.parse import ParsedQuestion
from memory.question.topic import Selection, has_topic
from memory.search.results import RankedMessage
from memory.search.terms import stems_in, stems_of
from time_expressions.folding import tokens_of, words_of
from tracing import span

CODE_LENGTH = 800
"""Characters of a quotation with code, which half a block would spoil."""

MOST_FILES = 3
"""Files that are named beside the words of a message."""

ANSWERED_LENGTH = 120
"""Characters of a message that is named beside the answer to it."""


def quotation(
    number: int, line: RankedMessage, *, question: str, time_zone: ZoneInfo, answers: Message | None = None
) -> Markdown:
    """Return one message as a bullet with who said it, where, when (on the clock of `time_zone`), and its mark.

    A message that it `answers` is named beside it. What the person hid as a spoiler stays hidden, and nothing but the
    mark itself can be taken for one.
    """
    message = line.message
    sent_at = message.sent_at.astimezone(time_zone)
    who, where = inline(message.author_name), inline(message.channel_name)
    heading = f"- **{who}** in #{where}, {sent_at:%a} {sent_at.day} {sent_at:%b %Y %H:%M}{_after(answers, message)}"
    text = people_named(message.content).strip()
    if has_code_block(without_spoilers(text)):
        return Markdown(f"{heading} [{number}]:\n{_with_code(text)}")
    files = _files(message)
    words = excerpt(text, question)
    if "\n" in words:
        return Markdown(f"{heading} [{number}]:\n{quoted(words)}" + (f"\n> ({files})" if files else ""))
    if not words:
        return Markdown(f"{heading}: {files or NAMELESS} [{number}]")
    return Markdown(f'{heading}: "{words}"' + (f" ({files})" if files else "") + f" [{number}]")


def _files(message: Message) -> Markdown:
    """Return the names of the files of a message, the first few of many."""
    names = [file_name(file.name) for file in message.attachments[:MOST_FILES]]
    more = len(message.attachments) - len(names)
    return Markdown(", ".join([*names, *([f"and {more} more"] if more else [])]))


def _after(answered: Message | None, message: Message) -> Markdown:
    """Return whose message another one replies to, or comes after, and what that says, on one line."""
    if answered is None:
        return Markdown("")
    how = "replying to" if message.reply_to == answered.message_id else "after"
    words = one_line(without_spoilers(people_named(answered.content)), longest=ANSWERED_LENGTH)
    return Markdown(f', {how} {inline(answered.author_name)}\'s "{words}"')


def excerpt(text: str, question: str) -> Markdown:
    """Return at most about LENGTH characters of a text, around the first word that it shares with the question."""
    if len(text) <= LENGTH:
        return block(text)
    start = max(0, _first_shared_word(text, question) - LENGTH // 3)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    end = start + LENGTH
    if end < len(text):
        end = max(text.rfind(" ", start, end), text.rfind("\n", start, end), whole(text, start + LENGTH // 2))
    return Markdown(f"{'… ' if start else ''}{block(text, start, end).strip()}{' …' if end < len(text) else ''}")


def _first_shared_word(text: str, question: str) -> int:
    words = {word for word in words_of(question) if len(word) > 3}
    return next((token.start for token in tokens_of(text) if token.folded in words), 0)


def _with_code(text: str) -> Markdown:
    """Return a text with code, or its beginning; what it hides is left out, as code cannot hide anything."""
    if len(text) <= CODE_LENGTH:
        return code_and_words(without_spoilers(text))
    end = text.rfind("\n", 0, CODE_LENGTH)
    return Markdown(f"{code_and_words(without_spoilers(text, 0, end if end > 0 else CODE_LENGTH))}\n…")


MEMORY_OUT = "The memory of this chat cannot be reached just now, so I cannot look anything up. Please try again later."
NOTHING_FOUND = "I found nothing about that in the channels that you may read."
NO_MESSAGES = "I found no messages of that kind in the channels that you may read."
NOTHING_FOUND_THEN = (
    "I found nothing {matter}at the time that you named ({time}), in the channels that you may read. "
    "All time can be searched instead."
)
NOTHING_ASKED = (
    "Ask me about something that was said in the channels that you may read, "
    'such as "what did we decide about the database?".'
)
WHERE = "in the channels that you may read"
NEVER_MENTIONED = "Nobody has mentioned {words} {where}."
MAYBE_MEANT = "Did you mean {words}?"
OF_ANOTHER_TIME = "Nothing about that was said at the time that you named; this speaks of it, and is of another time."
AROUND_IT = "This is what was said around the message that you ask about."
NOTHING_FOR = 'I found nothing for "{part}".'
READ_AS = 'I read "{typed}" as "{meant}".'
SELECTED = "These are {shown} of {amount} messages. To read more, ask about one of these matters or a shorter time."

logger = logging.getLogger(__name__)


async def quote(context: Context, opening: Opening) -> Answer:
    """Return the quotations of what was found that answer the question; the same question gets the same answer.

    What was deleted or changed since is left out or quoted as it is now.
    """
    with span("quote"):
        current, notes = await check_again({quote.number: quote.line.message for quote in opening.chosen}, context)
        answer = quote_results(context.question, context.parsed, opening, current=current)
    return replace(
        answer,
        notes=(*context.evidence.notes, *notes, *answer.notes),
        searched=opening.searched,
        shown_places=opening.shown_places,
    )


def quote_results(
    question: Question,
    parsed: ParsedQuestion,
    opening: Opening,
    *,
    current: Mapping[int, Message],
) -> Answer:
    """Return the answer that quotes what was chosen from the search results, or says that nothing was found.

    `current` are the messages, by number, that may still be shown, as they are now.
    """
    found, chosen = opening.found, opening.chosen
    quotes = [
        quote._replace(line=replace(quote.line, message=current[quote.number]))
        for quote in chosen
        if quote.number in current
    ]
    text, sources = _quoted(quotes, found, question)
    if not sources:
        text = _nothing(parsed, found, opening.judgement)
    elif parsed.selection:
        text = f"{_heading(parsed.selection, len(sources))}\n{text}"
    elif is_overview(parsed) and (found.selected_from or len(found.lines) > len(chosen)):
        amount = found.selected_from or len(found.lines)
        text = f"{text}\n\n{SELECTED.format(shown=len(sources), amount=amount)}"
    notes = [OF_ANOTHER_TIME] if found.of_another_time else []
    notes += [NOTHING_FOR.format(part=inline(part, longest=ANSWERED_LENGTH)) for part in opening.unanswered]
    notes += [AROUND_IT] if found.around_it and sources else []
    return Answer(
        text=text,
        outcome=Outcome.QUOTED if sources else Outcome.NOTHING_FOUND,
        sources=sources,
        notes=(*notes, *_spellings(found, [source.message for source in sources])),
    )


def _spellings(found: Recalled, quoted: Sequence[Message]) -> list[str]:
    """Return which words of the question were taken for others that are quoted."""
    stems = frozenset[str]().union(*map(stems_in, quoted))
    read_as = [(inline(typed), inline(meant)) for typed, meant in found.read_as if stems & stems_of(meant)]
    return [READ_AS.format(typed=typed, meant=meant) for typed, meant in read_as]


def _nothing(parsed: ParsedQuestion, found: Recalled, judgement: Judgement | None) -> str:
    """Return the sentence that nothing was found, or that the question asks for nothing."""
    if judgement is not None and judgement.unknown:
        return _unknown(judgement, parsed)
    if found.spoken:
        return NOTHING_FOUND_THEN.format(matter="about that " if parsed.topic else "", time=found.spoken)
    if not parsed.topic and parsed.selection:
        return NO_MESSAGES
    return NOTHING_FOUND if has_topic(parsed.topic or parsed.text) else NOTHING_ASKED


def _unknown(judgement: Judgement, parsed: ParsedQuestion) -> str:
    """Return the sentence that names the words which nobody has said, and those that may be meant."""
    where = f"in {_listed([f'#{inline(name)}' for name in parsed.channels], 'or')}" if parsed.channels else WHERE
    words = _listed([f'"{inline(word)}"' for word in judgement.unknown], "or")
    sentence = NEVER_MENTIONED.format(words=words, where=where)
    near = _listed([f'"{inline(word)}"' for word in judgement.near], "or")
    return f"{sentence} {MAYBE_MEANT.format(words=near)}" if near else sentence


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _heading(selection: Selection, amount: int) -> str:
    """Return the line above messages that were selected by their order."""
    order = "newest" if selection.newest else "first"
    return f"The {order} message:" if amount == 1 else f"The {order} {amount} messages, in the order of time:"


def _quoted(quotes: Sequence[Quote], found: Recalled, question: Question) -> tuple[str, tuple[Source, ...]]:
    """Return the quotations, numbered from 1, and what the numbers stand for.

    A message that cannot be quoted, for whatever reason, costs only itself.
    """
    quotations: list[str] = []
    sources: list[Source] = []
    for _, line, answers in quotes:
        number = len(sources) + 1
        try:
            quotations.append(
                quotation(number, line, question=question.text, time_zone=found.time_zone, answers=answers)
            )
        except Exception:
            logger.exception("message %d cannot be quoted", line.message.message_id)
        else:
            sources.append(Source(number, line.message, answers))
    return "\n".join(quotations), tuple(sources)
