"""Read a question that asks for several things as its parts, each of which is searched for by itself."""

from collections.abc import Sequence
from dataclasses import replace

from agent.follow_ups import Parse, follow_up_of, with_turn_before
from agent.types import Question
from memory.question.clauses import clauses_of
from memory.question.parse import LONGEST_QUESTION, ParsedQuestion
from memory.search.interface import MemoryReader


async def read_parts(
    question: Question, parsed: ParsedQuestion, *, parse: Parse, memory: MemoryReader
) -> ParsedQuestion:
    """Return a question with its parts; as it is when it asks for one thing, or points at something else.

    A part takes over what the one before it names ("who pays for it?"), and the time and channel of the others where it
    names none itself. Raises DatabaseUnavailableError when memory does not answer.
    """
    if question.about or parsed.own_topic is not None or parsed.unknown:
        return parsed
    names = await memory.known_names(places=question.places)
    clauses = clauses_of(parsed.text[:LONGEST_QUESTION], names)
    if len(clauses) < 2:
        return parsed
    parts: list[ParsedQuestion] = []
    for clause in clauses:
        part = await parse(replace(question, text=clause))
        found = follow_up_of(part, names)
        if parts and found is not None:
            part = with_turn_before(part, found, parts[-1], names, places=question.places)
        parts.append(part)
    return replace(parsed, parts=tuple(_in_scope_of_others(part, parts, parsed) for part in parts))


def _in_scope_of_others(part: ParsedQuestion, parts: Sequence[ParsedQuestion], whole: ParsedQuestion) -> ParsedQuestion:
    """Return a part with the time of the others when it names none, and in the channels that the question names."""
    if not part.times:
        timed = next((other for other in parts if other.times), whole)
        part = replace(part, times=timed.times, as_of=timed.as_of)
    if part.channels or not whole.channels:
        return part
    return replace(part, places=whole.places, conversations=whole.conversations, channels=whole.channels)
