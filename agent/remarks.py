"""Say beside an answer how its question was read, and as of when it holds."""

from dataclasses import replace

from agent.markdown import inline
from agent.quotation import READ_AS
from agent.types import Answer, Question
from memory.question.namesakes import no_such_channels
from memory.question.parse import ParsedQuestion
from time_expressions.format import spoken_end

AS_OF = (
    "This is as of {moment}: what was said later is left out, and what was edited later is shown as it was, or left "
    "out where its author took something out of it or its former words are not known."
)
BEFORE_EDITS = (
    "Edited messages are shown as they were sent, or left out where their author took something out of them or their "
    "former words are not known."
)
NOT_COUNTED = "Messages that were edited later are not counted where words, links or files are."
HALF_READ = (
    "Memory did not answer in time when the question was read, so a channel, a person or a discussion that it names "
    "may not have been found."
)
_LONGEST_SENTENCE = 1000  # characters; it may list names


def with_names_explained(answer: Answer, parsed: ParsedQuestion) -> Answer:
    """Return an answer that says first which of several channels is unknown, and last who was meant by a name."""
    if parsed.unknown and parsed.places:
        answer = replace(answer, text=f"{sentence(no_such_channels(parsed.unknown))}\n\n{answer.text}")
    read_as = (READ_AS.format(typed=name.typed, meant=name.meant) for name in parsed.read_as)
    return replace(answer, notes=(*map(sentence, (*read_as, *parsed.namesakes)), *answer.notes))


def sentence(words: str) -> str:
    """Return a sentence with names in it, as Markdown."""
    return inline(words, longest=_LONGEST_SENTENCE)


def version_notes(question: Question, parsed: ParsedQuestion) -> tuple[str, ...]:
    """Return what to say of an answer that is made from messages as they were."""
    if parsed.as_of is not None:
        spoken = spoken_end(parsed.as_of, time_zone=question.time_zone, now=question.now)
        return (AS_OF.format(moment=spoken),)
    return (BEFORE_EDITS,) if parsed.before_edits else ()


def with_notes(answer: Answer, *notes: str) -> Answer:
    """Return an answer with more notes behind those that it has."""
    return replace(answer, notes=(*answer.notes, *notes))
