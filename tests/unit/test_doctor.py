"""The doctor judges by what it is told, and one failure keeps it from nothing else."""

import asyncio
import io
import re
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import create_autospec

import pytest
from rich.console import Console

from bot.login_check import Registration
from cli.commands.check import last_word, rendered
from errors import ChatModelError, DatabaseSetupError
from ops.checks import database, indexes, models, run, storage
from ops.checks import registration as registration_module
from ops.checks.database import Rights
from ops.checks.models import LanguageModel
from ops.checks.result import Finding, Line, State, exit_status, left_out, ok, warning, wrong
from ops.checks.run import Rounds
from ops.checks.subject import Subject

ALL_STATES = [
    Line("disk", ok("there is room")),
    Line("index", warning("it is old: rebuild it with [REINDEX].")),
    Line("server", wrong("It does not answer: start it.")),
    Line("Discord", left_out("no token")),
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
def test_only_what_is_wrong_keeps_all_from_being_well(lines: list[Line], status: int, words: str) -> None:
    assert (exit_status(lines), last_word(lines)) == (status, words)


def test_a_pipe_gets_one_plain_line_for_each_thing_however_long() -> None:
    long = "a sentence of many words that no terminal shows in one line. " * 10

    shown = rendered([*ALL_STATES, Line("long", ok(long))], Console(file=io.StringIO()))

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

    shown = rendered(ALL_STATES, console)

    assert "\x1b[1;31mwrong" in shown
    assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in shown.splitlines()) <= 40


def test_brackets_in_what_was_found_are_shown_as_they_are() -> None:
    assert "rebuild it with [REINDEX]." in rendered(ALL_STATES, Console(file=io.StringIO()))


async def _raises(error: Exception) -> NoReturn:
    raise error


async def _never_ends() -> Finding:
    await asyncio.Event().wait()
    return ok("it ended")


async def _is_well() -> Finding:
    return ok("it works")


@pytest.mark.parametrize(
    ("look", "words"),
    [
        pytest.param(lambda: _raises(DatabaseSetupError("Start it.")), "Start it.", id="an error with its sentence"),
        pytest.param(lambda: _raises(RuntimeError("pass:word")), "RuntimeError", id="an error that nobody foresaw"),
        pytest.param(_never_ends, "took longer than 0.01 s", id="no end"),
    ],
)
async def test_what_fails_is_wrong_and_the_next_thing_is_looked_at(look: Any, words: str) -> None:
    rounds = Rounds()

    await rounds.see("first", look(), limit=timedelta(milliseconds=10))
    await rounds.see("second", _is_well())

    first, second = rounds.lines
    assert first.finding.state is State.WRONG
    assert words in first.finding.words
    assert "pass:word" not in first.finding.words
    assert second == Line("second", ok("it works"))


async def test_to_stop_the_doctor_is_no_finding() -> None:
    rounds = Rounds()
    looking = asyncio.ensure_future(rounds.see("first", _never_ends()))
    await asyncio.sleep(0)

    looking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await looking
    assert rounds.lines == []


async def test_an_examination_that_was_stopped_is_not_taken_for_a_whole_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def stopped(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(run, "_examine", stopped)
    rounds = Rounds()

    with pytest.raises(asyncio.CancelledError):
        await run.examine(create_autospec(Subject), rounds, now=datetime(2026, 11, 21, tzinfo=UTC))

    assert exit_status(rounds.lines) == 2


@pytest.mark.parametrize(
    ("shares", "state"),
    [
        pytest.param([1.0, 0.8], State.OK, id="enough"),
        pytest.param([1.0, 0.79], State.WARNING, id="too few"),
        pytest.param([0.0], State.WARNING, id="none"),
    ],
)
def test_recall_below_nine_tenths_is_worth_a_warning(shares: list[float], state: State) -> None:
    finding = indexes.judged(shares, mend="REINDEX INDEX a;")

    assert finding.state is state
    assert ("REINDEX INDEX a;" in finding.words) == (state is State.WARNING)


@pytest.mark.parametrize(
    ("changed", "rows", "state"),
    [
        pytest.param(9_000, 100, State.OK, id="few in all"),
        pytest.param(150_000, 1_000_000, State.OK, id="few of many"),
        pytest.param(250_000, 1_000_000, State.WARNING, id="many"),
    ],
)
def test_old_statistics_are_told_with_the_way_out(changed: int, rows: int, state: State) -> None:
    finding = indexes.counted(changed=changed, rows=rows)

    assert finding.state is state
    assert ("ANALYZE messages" in finding.words) == (state is State.WARNING)


GIGABYTE = 10**9


@pytest.mark.parametrize(
    ("free", "held", "state"),
    [
        pytest.param(50 * GIGABYTE, 0, State.OK, id="much"),
        pytest.param(50 * GIGABYTE, 60 * GIGABYTE, State.WARNING, id="less than the databases take"),
        pytest.param(GIGABYTE, 0, State.WARNING, id="little"),
        pytest.param(GIGABYTE // 100, 0, State.WRONG, id="next to nothing"),
    ],
)
def test_a_disk_is_judged_by_what_is_free_and_by_what_is_held(free: int, held: int, state: State) -> None:
    assert storage.room(Path("storage"), free=free, held=held).state is state


WRITER = Rights(
    name="memory_writer", is_owner=False, reads_only=False, may_read=True, may_write=True, writable=("messages",)
)
READER = Rights(name="memory_reader", is_owner=False, reads_only=True, may_read=True, may_write=False, writable=())


@pytest.mark.parametrize(
    ("writer", "reader", "state", "words"),
    [
        pytest.param(WRITER, READER, State.OK, "may do no more", id="as it should be"),
        pytest.param(replace(WRITER, may_write=False), READER, State.WRONG, "The bot", id="a bot that cannot write"),
        pytest.param(WRITER, replace(READER, may_read=False), State.WRONG, "GRANT", id="tools that cannot read"),
        pytest.param(WRITER, replace(READER, reads_only=False), State.WRONG, "read-only", id="open transactions"),
        pytest.param(WRITER, replace(READER, writable=("facts",)), State.WRONG, "REVOKE", id="tools that can write"),
        pytest.param(
            WRITER, replace(WRITER, is_owner=True, reads_only=True), State.WARNING, "CREATEROLE", id="no roles"
        ),
    ],
)
def test_what_the_bot_and_the_tools_may_do_is_judged(writer: Rights, reader: Rights, state: State, words: str) -> None:
    finding = database.judged(writer, reader)

    assert finding.state is state
    assert words in finding.words


HELPER = Registration(name="helper", reads_content=True, in_server=True)


@pytest.mark.parametrize(
    ("registration", "state", "words"),
    [
        pytest.param(HELPER, State.OK, "in server 7", id="in its server"),
        pytest.param(replace(HELPER, in_server=None), State.OK, "that of helper", id="in no certain server"),
        pytest.param(replace(HELPER, in_server=False), State.WARNING, "DISCORD_SERVER_ID", id="not in its server"),
        pytest.param(replace(HELPER, reads_content=False), State.WRONG, "Message Content Intent", id="no intent"),
    ],
)
def test_the_registration_with_discord_is_judged(registration: Registration, state: State, words: str) -> None:
    finding = registration_module.registered(registration, 7)

    assert finding.state is state
    assert words in finding.words


def _refuses() -> NoReturn:
    raise ChatModelError("LLM_MODEL is not known.")


def language_model(name: str) -> LanguageModel:
    return LanguageModel(name=name, base_url=None, openai_api_key=None, hf_token=None, create=_refuses)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        pytest.param("extractive", State.OK, id="no model"),
        pytest.param("huggingface:some/model", State.LEFT_OUT, id="a model that is loaded at the start"),
    ],
)
async def test_no_language_model_is_made_where_none_has_to_be(name: str, state: State) -> None:
    assert (await models.language(language_model(name))).state is state


async def test_a_language_model_that_cannot_be_made_is_told_with_its_sentence() -> None:
    rounds = Rounds()
    looking: Coroutine[Any, Any, Finding] = models.language(language_model("gpt:x"))

    assert await rounds.see("language model", looking) == wrong("LLM_MODEL is not known.")


async def test_without_a_token_discord_is_not_asked() -> None:
    assert (await registration_module.discord(None, None)).state is State.LEFT_OUT
