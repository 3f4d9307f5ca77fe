"""One channel in a terminal: a plain line is a message, a line that starts with a slash is a command."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from agent.front_end import Asker, Recorder, TimeZones
from agent.markdown import unescaped
from agent.types import Question
from errors import JournalUnavailableError, TemporaryError
from memory.filters import EVERY_GUILD
from memory.message import Kind, Place, authored
from memory.plain_text import printable
from memory.preferences import Owner, OwnerKind, Zone
from memory.question.parse import LONGEST_QUESTION
from overviews.all import Command
from overviews.overview import Viewer
from terminal.rendering import render, render_overview
from time_expressions.conventions import DateOrder

logger = logging.getLogger(__name__)

NOT_LOOKED_UP = "Your time zone cannot be looked up just now, so times are in {}."
_NOT_STORED = "The database does not answer just now, so your time zone has not changed; try again later."
_YOURS = "Your time zone is {}, which you chose yourself."
_DEFAULT = "Your time zone is {}, which TIME_ZONE says; /timezone ZONE chooses another."
_OF_THIS_RUN = "Your time zone is {}, which --time-zone says for this run."
_FROM_THE_NEXT_RUN = "Your choice counts from the next run on; in this one --time-zone says {}."


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerZone:
    """The time zone of one speaker: that of this run when there is one, else their own, else the default."""

    time_zones: TimeZones
    speaker_id: int
    default: ZoneInfo
    of_this_run: ZoneInfo | None
    clock: Callable[[], datetime]

    async def current(self) -> Zone:
        """Return the time zone that counts now."""
        if self.of_this_run is not None:
            return Zone(self.of_this_run)
        return await self.time_zones.of(self.speaker_id, None, self.default)

    async def command(self, text: str) -> str:
        """Choose a time zone by its name, or none again, when there is a text; return one sentence."""
        if text:
            try:
                await self.time_zones.choose(Owner(OwnerKind.PERSON, self.speaker_id), text, at=self.clock())
            except ValueError as error:
                return str(error)
            except TemporaryError as error:
                logger.warning("a time zone was not stored: %r", error)
                return _NOT_STORED
        return self._sentence(await self.current(), chosen=bool(text))

    def _sentence(self, zone: Zone, *, chosen: bool) -> str:
        shown = f"{zone.zone.key} ({self.clock().astimezone(zone.zone):%a %H:%M})"
        if self.of_this_run is not None:
            return (_FROM_THE_NEXT_RUN if chosen else _OF_THIS_RUN).format(shown)
        if not zone.certain:
            return NOT_LOOKED_UP.format(shown)
        return (_YOURS if zone.source is OwnerKind.PERSON else _DEFAULT).format(shown)


CHANNEL_ID = 1  # far below any Discord snowflake
CHANNEL_NAME = "terminal"
_PLACE = Place(guild_id=None, channel_id=CHANNEL_ID, channel_name=CHANNEL_NAME)
BOT_NAME = "Backscroll"

_JOURNAL_LIMIT = timedelta(seconds=2)  # for writing down what somebody waits for, while the disk is full
_SETTLE_LIMIT = timedelta(minutes=10)  # a long piped conversation is embedded before its question is answered
_NO_MEMORY = "Memory cannot be reached just now; what you wrote is kept in the session's CSV. Ask again later."
_NO_JOURNAL = "This cannot be written down just now and is not kept: free some disk space, then say it again."
_UNEXPECTED = "Something went wrong on my side, and it has been logged. Please ask again."
_NOT_SETTLED = "(The newest messages were not stored yet, so this answer may not know them.)"
_TOO_LONG = f"Your question has {{}} characters: ask in {LONGEST_QUESTION} or fewer."
_NOTHING_ASKED = "Ask something with /chat first; /all then looks for it in all time."

HELP = """\
A plain line is a message; it is stored and can be found at once.
/chat TEXT   ask what was said; the answer shows the messages that prove it
/all         ask the last question again, of all time
/search      find messages: /search deploy from:ana in:#ops has:link when:"last week" order:newest
/timeline    what happened in some time, channel by channel: /timeline last week
/who         who knows about a topic: /who knows copper glaze
/decisions   what was decided; /decisions TOPIC what about a topic, /decisions as of last March what counted then
/catchup     what you missed since you were last here; /catchup Monday says since when
/unanswered  questions that nobody has answered for 6 hours; /unanswered 12 #help says for how long, and where
/timezone    the time zone in which dates are read and shown; /timezone Europe/Paris chooses it, /timezone none
             takes the choice back
/about       what this runs on and how much it remembers
/help        this text
/quit        leave (so does Ctrl+D)"""


@dataclass(slots=True, kw_only=True)
class TerminalChannel:
    """The channel of whoever runs the program: they own the memory, so they may read all of it."""

    recorder: Recorder
    session: str
    """The name of the program session."""
    asker: Asker
    overviews: Mapping[str, Command]
    """The commands that show overviews, by their names."""
    about: Callable[[], Awaitable[str]]
    places: Callable[[], Awaitable[frozenset[int]]]
    new_id: Callable[[], int]
    clock: Callable[[], datetime]
    speaker_zone: SpeakerZone
    speaker: str
    show: Callable[[str], None]
    echo: bool = False
    date_order: DateOrder | None = None
    _asked: str = field(default="", init=False)

    async def serve(self, lines: AsyncIterable[str]) -> None:
        """Handle lines until they end or one is /quit, then wait until all of them are searchable."""
        async for line in lines:
            if line.strip() == "/quit":
                break
            await self.handle(line)
        await self.recorder.settle(timeout=_SETTLE_LIMIT)

    async def handle(self, line: str) -> None:
        """Record a message, or record and carry out a command; what raises in carrying it out is answered."""
        if not line.strip():
            return
        try:
            await self._handle(line)
        except JournalUnavailableError as error:
            logger.warning("a line was not journalled: %s", error)
            self.show(_NO_JOURNAL)

    async def _handle(self, line: str) -> None:
        if not line.startswith("/"):
            # A pipe can wait for as long as the disk is full; a person wants to know.
            await self._record(line, Kind.MESSAGE, patience=None if self.echo else _JOURNAL_LIMIT)
            return
        if self.echo:
            self.show(f"> {printable(line)}")
        command_id = await self._record(line, Kind.COMMAND, patience=_JOURNAL_LIMIT)
        try:
            reply = await self._reply(line)
        except Exception:  # one line that cannot be answered must not cost those behind it
            logger.exception("a line was not answered")
            reply = _UNEXPECTED
        self.show(f"{reply}\n" if self.echo else reply)
        try:
            await self._record(reply, Kind.ANSWER, reply_to=command_id, patience=_JOURNAL_LIMIT)
        except JournalUnavailableError as error:
            logger.warning("an answer was shown and not journalled: %s", error)

    async def _reply(self, line: str) -> str:
        command, _, text = line.partition(" ")
        match command, text.strip():
            case "/chat", question:
                return await self._ask(question)
            case "/all", _:
                return await self._chat(self._asked, all_time=True) if self._asked else _NOTHING_ASKED
            case command, rest if command in self.overviews:
                return await self._overview(self.overviews[command], rest)
            case "/timezone", name:
                return printable(await self.speaker_zone.command(name))
            case "/about", _:
                return printable(unescaped(await self.about()))
            case "/help", _:
                return HELP
            case _:
                return f"There is no command {printable(command)}; /help lists them."

    async def _ask(self, question: str) -> str:
        """Answer a question, if it is one, and remember it for /all."""
        if not question:
            return "Ask something, for example: /chat what did we decide about the database?"
        if len(question) > LONGEST_QUESTION:
            return _TOO_LONG.format(len(question))
        self._asked = question
        return await self._chat(question)

    async def _overview(self, command: Command, text: str) -> str:
        settled = await self.recorder.settle(timeout=_SETTLE_LIMIT)
        zone = await self.speaker_zone.current()
        try:
            viewer = Viewer(
                guild=EVERY_GUILD,
                places=await self.places(),
                person_id=speaker_id(self.speaker),
                channel_id=CHANNEL_ID,
                now=self.clock(),
                time_zone=zone.zone,
                date_order=self.date_order,
            )
            rendered = render_overview(await command(viewer, text), zone.zone)
        except ValueError as error:
            return printable(str(error))
        except TemporaryError as error:
            logger.warning("an overview was not made: %r", error)
            return _NO_MEMORY
        return rendered if settled else f"{rendered}\n\n{_NOT_SETTLED}"

    async def _chat(self, text: str, *, all_time: bool = False) -> str:
        try:
            settled = await self.recorder.settle(timeout=_SETTLE_LIMIT)
            zone = await self.speaker_zone.current()
            answer = await self.asker.ask(replace(await self._question(text, zone.zone), all_time=all_time))
        except TemporaryError as error:
            logger.warning("a question was not answered: %r", error)
            return _NO_MEMORY
        notes = [] if zone.certain else [NOT_LOOKED_UP.format(zone.zone.key)]
        rendered = render(replace(answer, notes=(*answer.notes, *notes)), zone.zone)
        return rendered if settled else f"{rendered}\n\n{_NOT_SETTLED}"

    async def _question(self, text: str, time_zone: ZoneInfo) -> Question:
        return Question(
            text=text,
            channel_id=CHANNEL_ID,
            guild=EVERY_GUILD,
            asker_id=speaker_id(self.speaker),
            asker_name=self.speaker,
            places=await self.places(),
            now=self.clock(),
            time_zone=time_zone,
            date_order=self.date_order,
        )

    async def _record(
        self, content: str, kind: Kind, *, reply_to: int | None = None, patience: timedelta | None
    ) -> int:
        answer = kind is Kind.ANSWER
        message_id = await asyncio.to_thread(self.new_id)  # it sleeps when ids run out for this instant
        message = replace(
            _PLACE.message(message_id, sent_at=self.clock(), session=self.session),
            author_id=speaker_id(BOT_NAME if answer else self.speaker),
            author_name=BOT_NAME if answer else self.speaker,
            content=content,
            kind=kind,
            reply_to=reply_to,
            parts=authored(content),
        )
        await self.recorder.record(message, patience=patience)
        return message.message_id


def speaker_id(name: str) -> int:
    """Return the id of somebody who speaks under this name: the same in every run, positive, 63 bits."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
