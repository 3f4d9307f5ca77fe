"""The doctor judges by what it is told, and one failure keeps it from nothing else."""

import asyncio
import io
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import create_autospec
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from bench.models import shared_model
from bot.login_check import Registration
from cli.commands.check import check_registration, judge_registration, last_word, render
from db.config import Addresses, Layouts
from errors import ChatModelError, DatabaseSetupError
from memory.embedding.embedder import Embedder
from ops.checks import database, indexes, models, storage
from ops.checks.database import Rights
from ops.checks.models import ModelToCheck
from ops.checks.result import (
    CheckReport,
    CheckResult,
    ReportLine,
    Status,
    exit_status,
    left_out,
    ok,
    result_of,
    warning,
    wrong,
)
from ops.checks.run import CHECKS, LOAD_LIMIT, Check, Deployment, Examination, examine, run_checks

NOW = datetime(2026, 11, 21, tzinfo=UTC)

ALL_STATES = [
    ReportLine("disk", ok("there is room")),
    ReportLine("index", warning("it is old: rebuild it with [REINDEX].")),
    ReportLine("server", wrong("It does not answer: start it.")),
    ReportLine("Discord", left_out("no token")),
]


@pytest.mark.parametrize(
    ("lines", "status", "words"),
    [
        pytest.param(ALL_STATES[:1], 0, "All is well.", id="all well"),
        pytest.param([ALL_STATES[0], ALL_STATES[3]], 0, "All is well.", id="something left out"),
        pytest.param(ALL_STATES[:2], 0, "All is well, with 1 warning.", id="a warning"),
        pytest.param(ALL_STATES, 2, "Not all is well: 1 wrong, 1 warning.", id="something wrong"),
        pytest.param([ALL_STATES[2]] * 2, 2, "Not all is well: 2 wrong.", id="wrong and no warning"),
    ],
)
def test_only_what_is_wrong_keeps_all_from_being_well(lines: list[ReportLine], status: int, words: str) -> None:
    assert (exit_status(lines), last_word(lines)) == (status, words)


def test_a_pipe_gets_one_plain_line_for_each_thing_however_long() -> None:
    long = "a sentence of many words that no terminal shows in one line. " * 10

    shown = render([*ALL_STATES, ReportLine("long", ok(long))], Console(file=io.StringIO()))

    assert "\x1b" not in shown
    assert [line.split()[0] for line in shown.splitlines()[:6]] == [
        "what",
        "disk",
        "index",
        "server",
        "Discord",
        "long",
    ]
    assert shown.splitlines()[5].endswith(long.strip())
    assert shown.endswith("\n\nNot all is well: 1 wrong, 1 warning.")


def test_a_terminal_gets_colours_and_its_own_width() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=40, color_system="standard", no_color=False)

    shown = render(ALL_STATES, console)

    assert "\x1b[1;31mwrong" in shown
    assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in shown.splitlines()) <= 40


def test_brackets_in_what_was_found_are_shown_as_they_are() -> None:
    assert "rebuild it with [REINDEX]." in render(ALL_STATES, Console(file=io.StringIO()))


async def _raises(error: Exception) -> NoReturn:
    raise error


async def _never_ends() -> CheckResult:
    await asyncio.Event().wait()
    return ok("it ended")


async def _is_well() -> CheckResult:
    return ok("it works")


def examination(report: CheckReport) -> Examination:
    """Return an examination for checks that look at nothing."""
    parts = create_autospec(Deployment), create_autospec(Embedder), create_autospec(AsyncExitStack)
    return Examination(deployment=parts[0], now=NOW, embedder=parts[1], report=report, stack=parts[2])


@pytest.mark.parametrize(
    ("look", "words"),
    [
        pytest.param(lambda: _raises(DatabaseSetupError("Start it.")), "Start it.", id="an error with its sentence"),
        pytest.param(lambda: _raises(RuntimeError("pass:word")), "RuntimeError", id="an error that nobody foresaw"),
        pytest.param(_never_ends, "took longer than 0.01 s", id="no end"),
    ],
)
async def test_what_fails_is_wrong_and_the_next_thing_is_looked_at(look: Any, words: str) -> None:
    report = CheckReport()
    checks = [Check("first", lambda _: look(), limit=timedelta(milliseconds=10)), Check("second", lambda _: _is_well())]

    await run_checks(checks, examination(report))

    first, second = report.lines
    assert first.result.status is Status.WRONG
    assert words in first.result.message
    assert "pass:word" not in first.result.message
    assert second == ReportLine("second", ok("it works"))


@pytest.mark.parametrize(
    ("found", "follows"),
    [
        pytest.param(ok("it works"), True, id="ok"),
        pytest.param(warning("it is old."), True, id="a warning"),
        pytest.param(wrong("it is away."), False, id="wrong"),
        pytest.param(left_out("it is not made."), False, id="left out"),
        pytest.param(None, False, id="nothing to look at"),
    ],
)
async def test_what_needs_another_check_follows_only_where_that_is_passed(
    found: CheckResult | None, follows: bool
) -> None:
    async def first(_: Examination) -> CheckResult | None:
        return found

    report = CheckReport()
    checks = [Check("first", first), Check("second", lambda _: _is_well(), needs=("first",))]

    await run_checks(checks, examination(report))

    assert ("second" in {line.name for line in report.lines}) is follows
    assert [line.result for line in report.lines if line.name == "first"] == ([] if found is None else [found])


def test_every_check_has_a_name_of_its_own_and_needs_an_earlier_one() -> None:
    names = [check.name for check in CHECKS]

    assert len(set(names)) == len(names) > 20
    assert all(names.index(needed) < names.index(check.name) for check in CHECKS for needed in check.needs)


async def test_to_stop_the_doctor_is_no_finding() -> None:
    looking = asyncio.ensure_future(result_of("first", _never_ends(), limit=timedelta(minutes=1)))
    await asyncio.sleep(0)

    looking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await looking


async def test_an_examination_that_was_stopped_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    async def stopped(_: Examination) -> None:
        raise asyncio.CancelledError

    addresses = Addresses(short_term=None, long_term=None, embedded_dir=tmp_path)
    deployment = Deployment(
        storage_dir=tmp_path,
        backup_dir=tmp_path,
        addresses=addresses,
        layouts=Layouts(),
        embedding=shared_model(),
        time_zone=ZoneInfo("UTC"),
    )
    report = CheckReport()

    with pytest.raises(asyncio.CancelledError):
        await examine(deployment, report, now=NOW, checks=[Check("first", stopped)])

    assert [(line.name, line.result.status) for line in report.lines] == [("the rest", Status.WRONG)]
    assert exit_status(report.lines) == 2


@pytest.mark.parametrize(
    ("shares", "state"),
    [
        pytest.param([1.0, 0.8], Status.OK, id="enough"),
        pytest.param([1.0, 0.79], Status.WARNING, id="too few"),
        pytest.param([0.0], Status.WARNING, id="none"),
    ],
)
def test_recall_below_nine_tenths_is_worth_a_warning(shares: list[float], state: Status) -> None:
    finding = indexes.judge_recall(shares, repair="REINDEX INDEX a;")

    assert finding.status is state
    assert ("REINDEX INDEX a;" in finding.message) == (state is Status.WARNING)


@pytest.mark.parametrize(
    ("changed", "rows", "state"),
    [
        pytest.param(9_000, 100, Status.OK, id="few in all"),
        pytest.param(150_000, 1_000_000, Status.OK, id="few of many"),
        pytest.param(250_000, 1_000_000, Status.WARNING, id="many"),
    ],
)
def test_old_statistics_are_told_with_the_way_out(changed: int, rows: int, state: Status) -> None:
    finding = indexes.judge_statistics(changed=changed, rows=rows)

    assert finding.status is state
    assert ("ANALYZE messages" in finding.message) == (state is Status.WARNING)


GIGABYTE = 10**9


@pytest.mark.parametrize(
    ("free", "held", "state"),
    [
        pytest.param(50 * GIGABYTE, 0, Status.OK, id="much"),
        pytest.param(50 * GIGABYTE, 60 * GIGABYTE, Status.WARNING, id="less than the databases take"),
        pytest.param(GIGABYTE, 0, Status.WARNING, id="little"),
        pytest.param(GIGABYTE // 100, 0, Status.WRONG, id="next to nothing"),
    ],
)
def test_a_disk_is_judged_by_what_is_free_and_by_what_is_held(free: int, held: int, state: Status) -> None:
    assert storage.judge_room(Path("storage"), free=free, databases_size=held).status is state


WRITER = Rights(
    name="memory_writer", is_owner=False, reads_only=False, may_read=True, may_write=True, writable=("messages",)
)
READER = Rights(name="memory_reader", is_owner=False, reads_only=True, may_read=True, may_write=False, writable=())


@pytest.mark.parametrize(
    ("writer", "reader", "state", "words"),
    [
        pytest.param(WRITER, READER, Status.OK, "may do no more", id="as it should be"),
        pytest.param(replace(WRITER, may_write=False), READER, Status.WRONG, "The bot", id="a bot that cannot write"),
        pytest.param(WRITER, replace(READER, may_read=False), Status.WRONG, "GRANT", id="tools that cannot read"),
        pytest.param(WRITER, replace(READER, reads_only=False), Status.WRONG, "read-only", id="open transactions"),
        pytest.param(WRITER, replace(READER, writable=("facts",)), Status.WRONG, "REVOKE", id="tools that can write"),
        pytest.param(
            WRITER, replace(WRITER, is_owner=True, reads_only=True), Status.WARNING, "CREATEROLE", id="no roles"
        ),
    ],
)
def test_what_the_bot_and_the_tools_may_do_is_judged(writer: Rights, reader: Rights, state: Status, words: str) -> None:
    finding = database.judge_rights(writer, reader)

    assert finding.status is state
    assert words in finding.message


HELPER = Registration(name="helper", reads_content=True, in_server=True)


@pytest.mark.parametrize(
    ("registration", "state", "words"),
    [
        pytest.param(HELPER, Status.OK, "in server 7", id="in its server"),
        pytest.param(replace(HELPER, in_server=None), Status.OK, "that of helper", id="in no certain server"),
        pytest.param(replace(HELPER, in_server=False), Status.WARNING, "DISCORD_SERVER_ID", id="not in its server"),
        pytest.param(replace(HELPER, reads_content=False), Status.WRONG, "Message Content Intent", id="no intent"),
    ],
)
def test_the_registration_with_discord_is_judged(registration: Registration, state: Status, words: str) -> None:
    finding = judge_registration(registration, 7)

    assert finding.status is state
    assert words in finding.message


def _refuses() -> NoReturn:
    raise ChatModelError("LLM_MODEL is not known.")


def language_model(name: str) -> ModelToCheck:
    return ModelToCheck(name=name, base_url=None, openai_api_key=None, hf_token=None, create=_refuses)


async def test_a_language_model_that_is_loaded_at_the_start_is_not_made_to_be_looked_at() -> None:
    assert (await models.language(language_model("huggingface:some/model"))).status is Status.LEFT_OUT


async def test_a_language_model_that_cannot_be_made_is_told_with_its_sentence() -> None:
    looking = models.language(language_model("gpt:x"))

    assert await result_of("language model", looking, limit=LOAD_LIMIT) == wrong("LLM_MODEL is not known.")


async def test_without_a_token_discord_is_not_asked() -> None:
    assert (await check_registration(None, None)).status is Status.LEFT_OUT
