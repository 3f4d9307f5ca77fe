"""The words in which an answer says what was counted, whose it was, and where and when it was looked for."""

from collections.abc import Sequence

from agent.citations import MOST_CHANNELS
from agent.context import Context
from agent.markdown import inline
from memory.counting.request import CountRequest, Wanted
from memory.counting.words import Sought
from time_expressions.format import spoken_windows

NOUNS = {
    Sought.MESSAGES: ("message", "messages"),
    Sought.LINKS: ("link", "links"),
    Sought.PICTURES: ("picture", "pictures"),
    Sought.VIDEOS: ("video", "videos"),
    Sought.RECORDINGS: ("recording", "recordings"),
    Sought.PDFS: ("PDF", "PDFs"),
    Sought.FILES: ("file", "files"),
    Sought.POLLS: ("poll", "polls"),
}
"""What is counted, in the singular and the plural."""

NOT_EXACT = (
    "More messages stand in both memories than I compare, so that some of them may have been counted twice: ask about "
    "a shorter time."
)

_LONGEST_TERMS = 200  # characters of the words that are counted


def number_of(number: int, singular: str, plural: str) -> str:
    """Return a number with its noun: "1 message", "2 messages"."""
    return f"{number} {singular if number == 1 else plural}"


def listed(names: Sequence[str], *, more: int = 0) -> str:
    """Return names as one says them: "Ana, Ben and Cleo"."""
    parts = [*names, *([f"{more} more"] if more > 0 else [])]
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def plain_terms(terms: str) -> str:
    """Return the words that were counted as they are shown, without the marks of a phrase."""
    return inline(terms.strip('"'), longest=_LONGEST_TERMS)


def scope_of(context: Context) -> str:
    """Return where it was counted, in parentheses."""
    question, names = context.question, context.parsed.channels
    spoken = spoken_windows(context.searches.windows, time_zone=question.time_zone, now=question.now)
    channels = [f"#{inline(name)}" for name in names[:MOST_CHANNELS]]
    where = (
        f"in {listed(channels, more=len(names) - MOST_CHANNELS)}"
        if channels
        else "in the channels that I may read here"
    )
    return f"({spoken or 'all time'}, {where})"


def described(request: CountRequest, by: str, *, is_one: bool, that: str = "") -> str:
    """Return whose the counted messages are, `by` whom, and which words they have: ' by Ben mention "cobalt"'."""
    attribute = f' for "{plain_terms(request.attribute)}"' if request.attribute else ""
    if not request.terms:
        return f"{attribute}{by}"
    terms = f'"{plain_terms(request.terms)}"'
    if request.sought is not Sought.MESSAGES:
        return f"{attribute}{by} with {terms} beside or in the name"
    if request.wanted in {Wanted.PEOPLE, Wanted.MOST}:
        return f"{by} that mention {terms}"
    return f"{by}{that} {'mentions' if is_one else 'mention'} {terms}"
