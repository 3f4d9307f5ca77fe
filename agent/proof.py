"""Prove what a model wrote: its marks are checked, and what it repeats of hidden words and odd names does no harm."""

from collections.abc import Mapping

from agent.citations import check_again, cited_numbers, with_sources
from agent.context import Context
from agent.markdown import with_names_escaped
from agent.spoilers import hidden_again
from agent.types import Answer
from memory.message import Message


async def proven(text: str, context: Context) -> Answer | None:
    """Return a model's answer with those of its marks that hold, None when none does."""
    text = harmless(text, context)
    cited, notes = await check_again(context.evidence.messages(cited_numbers(text)), context)
    return with_proof(text, cited, notes, context)


def harmless(text: str, context: Context) -> str:
    """Return what a model wrote with the words hidden that messages hide, and names as they are."""
    evidence = context.evidence
    return with_names_escaped(hidden_again(text, evidence.contents), evidence.names)


def with_proof(text: str, cited: Mapping[int, Message], notes: tuple[str, ...], context: Context) -> Answer | None:
    """Return an answer that cites these messages, by the numbers in its text; None when it cites none of them."""
    text, sources = with_sources(text, cited)
    if not sources:
        return None
    evidence = context.evidence
    return Answer(
        text=text,
        sources=sources,
        notes=(*evidence.notes, *notes),
        searched=context.searched,
        shown_places=evidence.shown_places,
    )
