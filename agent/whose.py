"""Find whose messages a question or a model wants counted, also when a name is misspelt."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.context import Context
from agent.markdown import inline
from agent.quotation import READ_AS
from agent.transcript import neutralise
from memory.authors import Authors, kept_name
from memory.counting.request import CountRequest
from memory.names.known import KnownNames
from memory.names.words import whole_key
from memory.question.speakers import authors_called

_AND = re.compile(r" (?:and|or) |, ?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose messages are meant, None for everybody's; `notes` say which names were read as others."""

    authors: Authors | None
    notes: tuple[str, ...] = ()

    @property
    def is_nobody(self) -> bool:
        """Whether a name was given that nobody bears in the places that may be read."""
        return self.authors == Authors()

    def noted(self, text: str) -> str:
        """Return a text for a model behind the notes."""
        return "\n".join([*map(neutralise, self.notes), text])


async def whose_of(request: CountRequest, context: Context) -> Whose:
    """Return whose messages a request is about; raise DatabaseUnavailableError when no memory answers."""
    question, parsed = context.question, context.parsed
    if request.by_asker:
        return Whose(Authors(frozenset({question.asker_id}), frozenset({kept_name(question.asker_name)})))
    if not request.by or parsed.authors is not None:
        return Whose(parsed.authors if request.by else None)
    names = await context.memory.known_names(places=parsed.places)
    whole = authors_called([request.by], names)
    return await whose_called(_AND.split(request.by), names) if whole == Authors() else Whose(whole)


async def whose_called(called: Sequence[str], names: KnownNames) -> Whose:
    """Return whose messages a list of names means; a name of nobody is read as the only one that it is near."""
    found = authors_called(called, names)
    if found != Authors() or not names.complete:
        return Whose(found)
    near = [(name, await asyncio.to_thread(names.near_person, whole_key(name))) for name in called]
    read_as = [(name, meant) for name, meant in near if meant is not None]
    notes = [READ_AS.format(typed=inline(name), meant=inline(meant)) for name, meant in read_as]
    return Whose(authors_called([meant for _, meant in read_as], names) if read_as else Authors(), tuple(notes))
