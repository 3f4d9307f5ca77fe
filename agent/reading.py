"""Read a question as it is asked, and one for a number or a list in another language as its English."""

from dataclasses import replace
from functools import partial

from agent.types import Question
from memory.counting.question import read_request
from memory.counting.translation import in_english
from memory.question.parse import ParsedQuestion, parse_question
from memory.question.plain import plain_question
from memory.search.interface import MemoryReader
from tracing import note


async def read_question(question: Question, *, memory: MemoryReader) -> ParsedQuestion:
    """Return what a question asks for.

    A question in another language that counts or lists is read in English for what it counts, when and whose; its topic
    stays as it was asked, for a search. Raises DatabaseUnavailableError when memory is needed and none answers.
    """
    parse = partial(
        parse_question,
        places=question.places,
        here=question.channel_id,
        now=question.now,
        time_zone=question.time_zone,
        memory=memory,
        conventions=question.conventions,
        all_time=question.all_time,
    )
    parsed = await parse(question.text)
    english = in_english(plain_question(question.text))
    if english is None:
        return parsed
    translated = await parse(english)
    if read_request(translated.rest, called=translated.called) is None:
        return parsed
    note(read_in_english=True)
    return replace(translated, text=parsed.text, topic=parsed.topic)
