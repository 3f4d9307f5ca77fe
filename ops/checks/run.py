"""Run all checks of a deployment, in the order in which a start needs what they look at."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from db.config import Addresses, Layouts
from db.databases import LONG_TERM, SHORT_TERM, Database, embedded_address, open_database, own_address
from db.embedded import EmbeddedServer
from memory.embedding.config import EmbeddingConfig
from memory.embedding.embedder import Embedder, open_embedder
from ops.checks import database, encryption, indexes, models, storage
from ops.checks.result import CheckReport, CheckResult, Status, left_out, ok, result_of, wrong

USUAL_LIMIT = timedelta(seconds=15)
LOAD_LIMIT = timedelta(minutes=2)
"""How long a model may take to load."""

_START_LIMIT = timedelta(minutes=2)  # of the embedded server, which may have a crash to recover from
_COUNT_LIMIT = timedelta(minutes=1)  # of what reads a whole table
_CONNECT_LIMIT = timedelta(seconds=10)  # of one of the addresses that a name stands for
_REACH_LIMIT = timedelta(seconds=40)
_CONNECTIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What the settings say, as values; secrets stay out of its text."""

    storage_dir: Path
    backup_dir: Path
    addresses: Addresses = field(repr=False)
    layouts: Layouts
    embedding: EmbeddingConfig
    time_zone: ZoneInfo


@dataclass(slots=True, kw_only=True)
class Examination:
    """What checks look at, with what the earlier ones have opened for the later ones."""

    deployment: Deployment
    now: datetime
    embedder: Embedder
    report: CheckReport
    stack: AsyncExitStack
    """Closes in the end what the checks have opened."""
    server: EmbeddedServer | None = None
    databases: dict[str, Database] = field(default_factory=dict)

    def is_embedded(self, name: str) -> bool:
        """Return whether SHORT_TERM or LONG_TERM memory is on the embedded server."""
        addresses = self.deployment.addresses
        return (addresses.short_term if name == SHORT_TERM else addresses.long_term) is None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at; `run` returns None where there is nothing to look at, and that stays unsaid."""

    name: str
    run: Callable[[Examination], Awaitable[CheckResult | None]]
    needs: tuple[str, ...] = ()
    """The checks that have to be passed before."""
    limit: timedelta = USUAL_LIMIT


async def _settings(_: Examination) -> CheckResult:
    return ok("all of them can be used")


async def _time_zone(examination: Examination) -> CheckResult:
    zone = examination.deployment.time_zone
    return ok(f"{zone.key}, where it is {examination.now.astimezone(zone):%H:%M} now")


async def _storage_folder(examination: Examination) -> CheckResult:
    return await asyncio.to_thread(storage.folder, examination.deployment.storage_dir)


async def _storage_disk(examination: Examination) -> CheckResult:
    return await asyncio.to_thread(storage.disk, examination.deployment.storage_dir)


async def _encryption(examination: Examination) -> CheckResult:
    deployment = examination.deployment
    folders = [deployment.storage_dir, deployment.backup_dir]
    if examination.is_embedded(SHORT_TERM) or examination.is_embedded(LONG_TERM):
        folders.append(deployment.addresses.embedded_dir)
    return await encryption.volumes(folders)


async def _embedded_server(examination: Examination) -> CheckResult | None:
    if not (examination.is_embedded(SHORT_TERM) or examination.is_embedded(LONG_TERM)):
        return None
    folder = examination.deployment.addresses.embedded_dir
    opening = database.open_if_made(folder, start_timeout=_START_LIMIT)
    examination.server = await examination.stack.enter_async_context(opening)
    return database.NOT_MADE if examination.server is None else ok(f"it can be used, in {examination.server.home}")


async def _embedding_model(examination: Examination) -> CheckResult:
    return await models.embedding(examination.embedder)


async def _two_databases(examination: Examination) -> CheckResult:
    return await database.two_databases(examination.databases[SHORT_TERM], examination.databases[LONG_TERM])


async def _session(examination: Examination) -> CheckResult:
    return await storage.journal(examination.deployment.storage_dir, examination.databases[SHORT_TERM])


async def _embedded_disk(examination: Examination) -> CheckResult | None:
    if examination.server is None:
        return None
    sizes = [
        await database.size(opened)
        for name, opened in examination.databases.items()
        if examination.is_embedded(name) and examination.report.has_passed(_tables_of(name))
    ]
    return await asyncio.to_thread(storage.disk, examination.server.home, databases_size=sum(sizes))


async def _open_memory(name: str, examination: Examination) -> CheckResult | None:
    """Open a memory for the checks that follow; one on an embedded server that is not there is left out."""
    deployment = examination.deployment
    url = own_address(deployment.addresses, name)
    if url is None and examination.server is not None:
        url = embedded_address(examination.server, name)
    if url is None:
        return None
    layout = deployment.layouts.short_term if name == SHORT_TERM else deployment.layouts.long_term
    opening = open_database(url, name=name, pool_size=_CONNECTIONS, timeout=_CONNECT_LIMIT, layout=layout)
    examination.databases[name] = await examination.stack.enter_async_context(opening)
    return await database.server(examination.databases[name])


async def _why_closed(name: str, examination: Examination) -> CheckResult | None:
    """Say of a memory that could not be opened when it is looked at."""
    if examination.report.has_passed(_server_of(name)):
        return None
    if examination.server is not None or not examination.is_embedded(name):
        return left_out("it is looked at when the server can be used")
    if examination.report.status_of("embedded server") is Status.WRONG:
        return left_out("it is looked at when the embedded server can be used")
    return database.NOT_MADE


def _server_of(name: str) -> str:
    return f"{name} server"


def _tables_of(name: str) -> str:
    return f"{name} migrations"


def _checks_of(name: str) -> tuple[Check, ...]:
    """Return the checks of SHORT_TERM or LONG_TERM memory."""
    server, tables = _server_of(name), _tables_of(name)

    def on(check: Callable[[Database], Awaitable[CheckResult]]) -> Callable[[Examination], Awaitable[CheckResult]]:
        return lambda examination: check(examination.databases[name])

    async def vectors(examination: Examination) -> CheckResult:
        return await models.vectors(examination.databases[name], examination.embedder)

    return (
        Check(server, partial(_open_memory, name), limit=_REACH_LIMIT),
        Check(f"{name} memory", partial(_why_closed, name)),
        Check(f"{name} extensions", on(database.extensions), needs=(server,)),
        Check(tables, on(database.migrations), needs=(server,)),
        Check(f"{name} messages", on(database.table), needs=(tables,)),
        Check(f"{name} roles", on(database.roles), needs=(tables,)),
        Check(f"{name} indexes", on(indexes.validity), needs=(tables,)),
        Check(f"{name} words", on(indexes.words), needs=(tables,), limit=_COUNT_LIMIT),
        Check(f"{name} vectors", vectors, needs=(tables, "embedding model")),
        Check(f"{name} missing vectors", on(indexes.without_vector), needs=(tables,), limit=_COUNT_LIMIT),
        Check(f"{name} recall", on(indexes.recall), needs=(tables,), limit=_COUNT_LIMIT),
        Check(f"{name} statistics", on(indexes.statistics), needs=(tables,)),
    )


CHECKS: tuple[Check, ...] = (
    Check("settings", _settings),
    Check("time zone", _time_zone),
    Check("storage folder", _storage_folder),
    Check("storage disk", _storage_disk),
    Check("encryption", _encryption),
    Check("embedded server", _embedded_server, limit=_START_LIMIT),
    Check("embedding model", _embedding_model, limit=LOAD_LIMIT),
    *_checks_of(SHORT_TERM),
    *_checks_of(LONG_TERM),
    Check("two databases", _two_databases, needs=(_tables_of(SHORT_TERM), _tables_of(LONG_TERM))),
    Check("session", _session, needs=(_tables_of(SHORT_TERM),)),
    Check("embedded disk", _embedded_disk),
)
"""All that is checked; whoever runs them may have some more, of what this package does not know."""


async def run_checks(checks: Iterable[Check], examination: Examination) -> None:
    """Run checks in their order; each that lacks nothing it needs adds its result to the report."""
    report = examination.report
    for check in checks:
        if all(report.has_passed(name) for name in check.needs):
            result = await result_of(check.name, check.run(examination), limit=check.limit)
            if result is not None:
                report.add(check.name, result)


async def examine(
    deployment: Deployment, report: CheckReport, *, now: datetime, checks: Iterable[Check] = CHECKS
) -> None:
    """Run checks and report what they find; nothing is changed, and a bot that runs is not disturbed."""
    config = replace(deployment.embedding, may_export=False)  # which would be a change
    try:
        async with open_embedder(config) as embedder, AsyncExitStack() as stack:
            examination = Examination(deployment=deployment, now=now, embedder=embedder, report=report, stack=stack)
            await run_checks(checks, examination)
    except asyncio.CancelledError:
        report.add("the rest", wrong("This was stopped before all was looked at: run it again."))
        raise
