"""One search as it was asked for: its list is made for each page, and Discord is asked once about what was not read."""

from dataclasses import dataclass, field, replace

from discord import app_commands

from bot.beyond import Beyond, ask_beyond_memory
from bot.caller import Caller
from bot.discord_search import Coverage
from bot.parts import Parts
from bot.services import Services
from memory.question.parse import ParsedQuestion
from overviews.overview import Overview, Viewer
from overviews.search import MessageSearch, Wanted
from overviews.times import windows_in
from time_expressions.find import TimePhrase

Channel = app_commands.AppCommandChannel | app_commands.AppCommandThread


@dataclass(slots=True)
class Asking:
    """A search by somebody, in all channels or in one channel or thread."""

    caller: Caller
    channel: Channel | None
    wanted: Wanted
    search: MessageSearch
    parts: Parts
    _beyond: Beyond | None = field(default=None, init=False)

    async def compose(self, viewer: Viewer) -> Overview:
        """Return what is found for whoever may read this; raise as `MessageSearch.find` does."""
        if self._beyond is None and not self.wanted.is_empty:
            self._beyond = await self._ask_beyond(viewer)
        overview = await self.search.find(viewer, self.wanted)
        beyond = self._beyond or Beyond()
        number = sum(message.message_id in beyond.message_ids for message in overview.messages)
        found = f"{number} of these {'was' if number == 1 else 'were'}" if number else ""
        return replace(overview, notes=(*overview.notes, *beyond.notes(found, is_empty=overview.is_empty)))

    async def _ask_beyond(self, viewer: Viewer) -> Beyond:
        """Ask Discord's search for the same words, people and time, in the channel or in all that may be used."""

        async def parse() -> ParsedQuestion:
            windows = await windows_in(self.wanted.when, viewer)
            return ParsedQuestion(
                self.wanted.text,
                topic=self.wanted.text,
                places=viewer.places,
                times=tuple(TimePhrase(self.wanted.when, window) for window in windows),
                authors=self.wanted.authors,
            )

        return await ask_beyond_memory(
            self.caller,
            places=viewer.places & _places_of(self.channel) if self.channel is not None else viewer.places,
            parse=parse,
            services=self.parts.services,
            coverage=coverage_of(self.parts.services),
        )


def coverage_of(services: Services) -> Coverage | None:
    """Return who knows what memory has not read, if anybody does."""
    return None if services.history is None else services.history.ledger


def _places_of(channel: Channel) -> frozenset[int]:
    """Return the ids by which a channel or thread may be read: a public thread is read by whoever reads its channel."""
    parent_id = channel.parent_id if isinstance(channel, app_commands.AppCommandThread) else None
    return frozenset({channel.id} if parent_id is None else {channel.id, parent_id})
