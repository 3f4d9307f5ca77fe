"""Examine all that a subject stands on, in the order in which a start needs it."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from db.config import Layout
from db.databases import LONG_TERM, SHORT_TERM, Database, embedded_address, open_database, own_address
from db.embedded import EmbeddedServer
from errors import BackscrollError, DatabaseSetupError
from memory.embedding.embedder import Embedder, open_embedder
from ops.checks import database as database_module
from ops.checks import indexes, models, registration, storage
from ops.checks.database import open_if_made
from ops.checks.result import Finding, Line, State, left_out, ok, wrong
from ops.checks.subject import Subject

logger = logging.getLogger(__name__)

USUAL_LIMIT = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Rounds:
    """The findings so far, in the order in which they were made."""

    lines: list[Line] = field(default_factory=list)

    async def see(self, name: str, look: Coroutine[Any, Any, Finding], *, limit: timedelta = USUAL_LIMIT) -> Finding:
        """Note what a look at one thing finds, whatever happens, and return it."""
        return self.note(name, await _finding(name, look, limit))

    def note(self, name: str, finding: Finding) -> Finding:
        """Note a finding that was made already, and return it."""
        self.lines.append(Line(name, finding))
        logger.info("%s: %s: %s", name, finding.state, finding.words)
        return finding


async def _finding(name: str, look: Coroutine[Any, Any, Finding], limit: timedelta) -> Finding:
    try:
        async with asyncio.timeout(limit.total_seconds()):
            return await look
    except BackscrollError as error:
        return wrong(str(error))
    except TimeoutError:
        return wrong(f"This took longer than {limit.total_seconds():g} s: try again when there is less to do.")
    except Exception as error:  # whatever it is, the other things are looked at
        logger.info("%s could not be looked at", name, exc_info=True)  # the table tells the operator
        return wrong(f"This could not be looked at ({type(error).__name__}): the log in logs/check says more.")


_START_LIMIT = timedelta(minutes=2)  # of the embedded server, which may have a crash to recover from
_LOAD_LIMIT = timedelta(minutes=2)  # of the embedding model
_COUNT_LIMIT = timedelta(minutes=1)  # of what reads a whole table
_CONNECT_LIMIT = timedelta(seconds=10)  # of one of the addresses that a name stands for
_REACH_LIMIT = timedelta(seconds=40)
_CONNECTIONS = 2


async def examine(subject: Subject, rounds: Rounds, *, now: datetime) -> None:
    """Note what is found; nothing is changed, and a bot that runs is not disturbed."""
    try:
        await _examine(subject, rounds, now)
    except asyncio.CancelledError:
        rounds.note("the rest", wrong("This was stopped before all was looked at: run it again."))
        raise


async def _examine(subject: Subject, rounds: Rounds, now: datetime) -> None:
    rounds.note("settings", ok("all of them can be used"))
    rounds.note("time zone", ok(f"{subject.time_zone.key}, where it is {now.astimezone(subject.time_zone):%H:%M} now"))
    await rounds.see("storage folder", asyncio.to_thread(storage.folder, subject.storage_dir))
    await rounds.see("storage disk", asyncio.to_thread(storage.disk, subject.storage_dir))
    choice = replace(subject.embedding, may_export=False)  # which would be a change
    async with open_embedder(choice) as embedder, AsyncExitStack() as stack:
        await _Memories(subject, rounds, embedder, stack).examine()
    await rounds.see("language model", models.language(subject.language_model), limit=_LOAD_LIMIT)
    await rounds.see("Discord", registration.discord(subject.discord_token, subject.discord_server_id))


class _Memories:
    """Both databases with the servers that they are on, opened one after the other and closed together."""

    def __init__(self, subject: Subject, rounds: Rounds, embedder: Embedder, stack: AsyncExitStack) -> None:
        self._subject = subject
        self._rounds = rounds
        self._embedder = embedder
        self._stack = stack
        self._server: EmbeddedServer | None = None
        self._databases: dict[str, Database] = {}

    async def examine(self) -> None:
        """Look at the servers, the embedding model and the databases."""
        addresses, layouts = self._subject.addresses, self._subject.layouts
        embedded = ok("")
        if addresses.short_term is None or addresses.long_term is None:
            embedded = await self._rounds.see("embedded server", self._start_embedded(), limit=_START_LIMIT)
        loaded = await self._rounds.see("embedding model", models.embedding(self._embedder), limit=_LOAD_LIMIT)
        usable = loaded.state is not State.WRONG
        for name, dsn, layout in (
            (SHORT_TERM, addresses.short_term, layouts.short_term),
            (LONG_TERM, addresses.long_term, layouts.long_term),
        ):
            if dsn is None and self._server is None:
                self._rounds.note(f"{name} memory", _without(embedded))
            else:
                await self._examine_database(name, layout, usable=usable)
        await self._examine_together()

    async def _start_embedded(self) -> Finding:
        folder = self._subject.addresses.embedded_dir
        self._server = await self._stack.enter_async_context(open_if_made(folder, start_timeout=_START_LIMIT))
        return database_module.NOT_MADE if self._server is None else ok(f"it can be used, in {self._server.home}")

    async def _examine_database(self, name: str, layout: Layout, *, usable: bool) -> None:
        """Look at one database; what needs a server, tables or a model that are not there is left out."""
        see = self._rounds.see
        if (await see(f"{name} server", self._open(name, layout), limit=_REACH_LIMIT)).state is State.WRONG:
            self._databases.pop(name, None)
            self._rounds.note(f"{name} memory", left_out("it is looked at when the server can be used"))
            return
        database = self._databases[name]
        await see(f"{name} extensions", database_module.extensions(database))
        revision = await see(f"{name} migrations", database_module.migrations(database))
        if revision.state in {State.LEFT_OUT, State.WRONG}:
            del self._databases[name]
            return
        await see(f"{name} messages", database_module.table(database))
        await see(f"{name} roles", database_module.roles(database))
        await see(f"{name} indexes", indexes.validity(database))
        await see(f"{name} words", indexes.words(database), limit=_COUNT_LIMIT)
        if usable:
            await see(f"{name} vectors", models.vectors(database, self._embedder))
        await see(f"{name} missing vectors", indexes.without_vector(database), limit=_COUNT_LIMIT)
        await see(f"{name} recall", indexes.recall(database), limit=_COUNT_LIMIT)
        await see(f"{name} statistics", indexes.statistics(database))

    async def _open(self, name: str, layout: Layout) -> Finding:
        url = own_address(self._subject.addresses, name)
        if url is None and self._server is not None:
            url = embedded_address(self._server, name)
        if url is None:
            raise DatabaseSetupError("The embedded server cannot be used: see above.")
        opening = open_database(url, name=name, pool_size=_CONNECTIONS, timeout=_CONNECT_LIMIT, layout=layout)
        self._databases[name] = await self._stack.enter_async_context(opening)
        return await database_module.server(self._databases[name])

    async def _examine_together(self) -> None:
        """Look at what concerns both databases, or a database and a folder."""
        short_term = self._databases.get(SHORT_TERM)
        if len(self._databases) == 2:  # both could be reached
            both = database_module.one_and_the_other(*self._databases.values())
            await self._rounds.see("two databases", both)
        if short_term is not None:
            await self._rounds.see("session", storage.journal(self._subject.storage_dir, short_term))
        if self._server is not None:
            await self._rounds.see("embedded disk", self._embedded_disk(self._server))

    async def _embedded_disk(self, server: EmbeddedServer) -> Finding:
        addresses = self._subject.addresses
        here = {SHORT_TERM: addresses.short_term is None, LONG_TERM: addresses.long_term is None}
        held = [await database_module.size(database) for name, database in self._databases.items() if here[name]]
        return await asyncio.to_thread(storage.disk, server.home, held=sum(held))


def _without(embedded: Finding) -> Finding:
    """Return what there is to say of a database on an embedded server that is not there."""
    if embedded.state is State.WRONG:
        return left_out("it is looked at when the embedded server can be used")
    return database_module.NOT_MADE
