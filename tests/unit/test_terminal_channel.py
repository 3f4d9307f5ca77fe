"""The terminal channel: what it keeps and shows of each line, and how it reads lines."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.progress import UNWATCHED, Watcher
from agent.types import Answer, Question, Source
from errors import DatabaseUnavailableError, JournalUnavailableError
from memory.message import Kind, Message
from memory.preferences import Owner, OwnerKind
from memory.question.parse import LONGEST_QUESTION
from overviews.all import Command
from overviews.overview import Line, Overview, Section, Viewer
from terminal.channel import CHANNEL_ID, SpeakerZone, TerminalChannel, speaker_id
from terminal.input import piped_lines
from tests.fakes import said
from tests.fakes_time_zones import FakeTimeZones

NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
FOUND = Answer(text="Under the pot [1].", sources=(Source(1, said("the key is under the pot")),))
PATIENCE = 60  # seconds


class Notebook:
    """A recorder that keeps what it is told, in order; `settled` counts how often it was waited for."""

    session = "demo"

    def __init__(self, *, settles: bool = True) -> None:
        self.messages: list[Message] = []
        self.settled = 0
        self._settles = settles

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        self.messages.append(message)

    async def settle(self, *, timeout: timedelta, newest: bool = True) -> bool:
        self.settled += 1
        return self._settles


class Oracle:
    """Gives one answer, or raises one error, to every question."""

    def __init__(self, reply: Answer | Exception = FOUND) -> None:
        self.questions: list[Question] = []
        self._reply = reply

    async def ask(self, question: Question, *, watcher: Watcher = UNWATCHED) -> Answer:
        self.questions.append(question)
        if isinstance(self._reply, Exception):
            raise self._reply
        return self._reply


class Screen(list[str]):
    """What was shown."""


def channel(
    notebook: Notebook,
    screen: Screen,
    oracle: Oracle | None = None,
    *,
    echo: bool = False,
    time_zones: FakeTimeZones | None = None,
    of_this_run: ZoneInfo | None = None,
    overviews: Mapping[str, Command] | None = None,
) -> TerminalChannel:
    """Return a channel in which Ana speaks; ids are 1, 2, 3 and so on."""

    async def about() -> str:
        return "Session \x1b[1mdemo"

    async def places() -> frozenset[int]:
        return frozenset({CHANNEL_ID, 77})

    return TerminalChannel(
        recorder=notebook,
        session=notebook.session,
        asker=oracle or Oracle(),
        overviews=overviews or {},
        about=about,
        places=places,
        new_id=count(1).__next__,
        clock=lambda: NOW,
        speaker_zone=SpeakerZone(
            time_zones=time_zones or FakeTimeZones(),
            speaker_id=speaker_id("ana"),
            default=ZoneInfo("Europe/Paris"),
            of_this_run=of_this_run,
            clock=lambda: NOW,
        ),
        speaker="ana",
        show=screen.append,
        echo=echo,
    )


async def lines(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


async def test_a_question_that_is_too_long_is_refused_and_kept() -> None:
    notebook, screen, oracle = Notebook(), Screen(), Oracle()

    await channel(notebook, screen, oracle).handle("/chat " + "a" * (LONGEST_QUESTION + 1))

    assert oracle.questions == []
    assert screen == ["Your question has 2001 characters: ask in 2000 or fewer."]
    assert [message.kind for message in notebook.messages] == [Kind.COMMAND, Kind.ANSWER]


# ---- lines


async def test_a_plain_line_is_kept_as_a_message_and_answered_with_nothing() -> None:
    notebook, screen = Notebook(), Screen()

    await channel(notebook, screen).handle("  the key is under the pot ")

    (kept,) = notebook.messages
    assert (kept.message_id, kept.sent_at, kept.session) == (1, NOW, "demo")
    assert (kept.kind, kept.content, kept.author_name) == (Kind.MESSAGE, "  the key is under the pot ", "ana")
    assert (kept.channel_id, kept.author_id, kept.guild_id) == (CHANNEL_ID, speaker_id("ana"), None)
    assert screen == []


@pytest.mark.parametrize("line", [pytest.param("", id="empty"), pytest.param(" \t", id="blank")])
async def test_a_line_without_words_is_nothing(line: str) -> None:
    notebook, screen = Notebook(), Screen()

    await channel(notebook, screen).handle(line)

    assert (notebook.messages, screen) == ([], [])


async def test_a_question_is_answered_from_all_places_once_everything_is_stored() -> None:
    notebook, screen, oracle = Notebook(), Screen(), Oracle()

    await channel(notebook, screen, oracle).handle("/chat  where is the key? ")

    (question,) = oracle.questions
    assert (question.text, question.asker_name, question.now) == ("where is the key?", "ana", NOW)
    assert (question.places, question.time_zone.key) == (frozenset({CHANNEL_ID, 77}), "Europe/Paris")
    assert notebook.settled == 1
    (shown,) = screen
    assert shown.startswith("Under the pot [1].\n\nSources:\n[1] ana in #general, ")


async def test_the_last_question_is_asked_again_of_all_time() -> None:
    screen, oracle = Screen(), Oracle()
    asked = channel(Notebook(), screen, oracle)

    for line in ("/chat where was the key?", "/chat where is the key today?", "/about", "/all"):
        await asked.handle(line)

    assert [(question.text, question.all_time) for question in oracle.questions] == [
        ("where was the key?", False),
        ("where is the key today?", False),
        ("where is the key today?", True),
    ]
    assert screen[-1].startswith("Under the pot [1].")


async def test_a_command_and_its_answer_are_kept_as_what_they_are() -> None:
    notebook, screen = Notebook(), Screen()

    await channel(notebook, screen).handle("/chat where is the key?")

    command, answer = notebook.messages
    assert (command.kind, command.content, command.author_name) == (Kind.COMMAND, "/chat where is the key?", "ana")
    assert (answer.kind, answer.content, answer.author_name) == (Kind.ANSWER, screen[0], "Backscroll")
    assert answer.reply_to == command.message_id
    assert answer.author_id != command.author_id


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("/chat", "Ask something, for example: /chat", id="a question without words"),
        pytest.param("/all", "Ask something with /chat first", id="again what was never asked"),
        pytest.param("/about", "Session [1mdemo", id="about, without control characters"),
        pytest.param("/help", "/quit        leave", id="help"),
        pytest.param("/help", "/timezone    the time zone", id="help with the time zone"),
        pytest.param("/dan\x1bce now", "There is no command /dance; /help lists them.", id="unknown"),
    ],
)
async def test_a_command_is_answered(line: str, words: str) -> None:
    notebook, screen, oracle = Notebook(), Screen(), Oracle()

    await channel(notebook, screen, oracle).handle(line)

    assert words in screen[0]
    assert oracle.questions == []
    assert [message.kind for message in notebook.messages] == [Kind.COMMAND, Kind.ANSWER]


async def test_an_answer_says_when_the_newest_messages_may_be_missing() -> None:
    screen = Screen()

    await channel(Notebook(settles=False), screen).handle("/chat where is the key?")

    assert screen[0].startswith("Under the pot [1].")
    assert screen[0].endswith("(The newest messages were not stored yet, so this answer may not know them.)")


async def test_a_memory_that_is_away_is_told_without_its_error() -> None:
    notebook, screen = Notebook(), Screen()

    await channel(notebook, screen, Oracle(DatabaseUnavailableError("db:5432"))).handle("/chat where is the key?")

    assert screen[0].startswith("Memory cannot be reached just now")
    assert "5432" not in screen[0]
    assert notebook.messages[-1].content == screen[0]


# ---- the speaker's time zone

TOKYO = ZoneInfo("Asia/Tokyo")


async def test_a_time_zone_that_is_chosen_counts_for_what_is_asked_and_shown() -> None:
    notebook, screen, oracle = Notebook(), Screen(), Oracle()
    terminal = channel(notebook, screen, oracle)

    await terminal.handle("/timezone tokyo")
    await terminal.handle("/chat where is the key?")

    assert screen[0] == "Your time zone is Asia/Tokyo (Wed 00:00), which you chose yourself."
    assert oracle.questions[0].time_zone == TOKYO
    assert "Tue 3 Nov 2026 22:02" in screen[1]
    assert [message.kind for message in notebook.messages] == [Kind.COMMAND, Kind.ANSWER] * 2


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            "/timezone",
            "Your time zone is Europe/Paris (Tue 16:00), which TIME_ZONE says; /timezone ZONE chooses another.",
            id="shown",
        ),
        pytest.param("/timezone Berln", "There is no time zone 'Berln': write Europe/Berlin.", id="misspelt"),
        pytest.param(
            "/timezone \x1b[2J", r"There is no time zone '\x1b[2J': write a name such as Europe/Paris.", id="hostile"
        ),
    ],
)
async def test_a_time_zone_is_answered_in_a_sentence(line: str, expected: str) -> None:
    screen = Screen()

    await channel(Notebook(), screen).handle(line)

    assert screen == [expected]


async def test_a_choice_that_is_taken_back_leaves_the_default() -> None:
    screen, zones = Screen(), FakeTimeZones({Owner(OwnerKind.PERSON, speaker_id("ana")): TOKYO})

    await channel(Notebook(), screen, time_zones=zones).handle("/timezone none")

    assert screen[0].startswith("Your time zone is Europe/Paris")


async def test_the_time_zone_of_the_run_comes_before_the_one_that_was_chosen() -> None:
    screen, oracle, zones = Screen(), Oracle(), FakeTimeZones()
    terminal = channel(Notebook(), screen, oracle, time_zones=zones, of_this_run=ZoneInfo("America/New_York"))

    for line in ("/timezone", "/timezone Asia/Tokyo", "/chat where is the key?"):
        await terminal.handle(line)

    assert screen[0] == "Your time zone is America/New_York (Tue 10:00), which --time-zone says for this run."
    assert screen[1].startswith(
        "Your choice counts from the next run on; in this one --time-zone says America/New_York"
    )
    assert oracle.questions[0].time_zone.key == "America/New_York"
    assert zones.chosen == {Owner(OwnerKind.PERSON, speaker_id("ana")): TOKYO}


async def test_time_zones_that_cannot_be_reached_stop_no_answer_and_are_told() -> None:
    screen, oracle = Screen(), Oracle()
    terminal = channel(Notebook(), screen, oracle, time_zones=FakeTimeZones(away=True))

    for line in ("/chat where is the key?", "/timezone", "/timezone Asia/Tokyo"):
        await terminal.handle(line)

    assert oracle.questions[0].time_zone.key == "Europe/Paris"
    assert screen[0].endswith("(Your time zone cannot be looked up just now, so times are in Europe/Paris.)")
    assert screen[1].startswith("Your time zone cannot be looked up just now")
    assert screen[2].startswith("The database does not answer just now, so your time zone has not changed")
    assert "5432" not in "".join(screen)


# ---- a pipe and a screen


@pytest.mark.parametrize("echo", [pytest.param(True, id="from a pipe"), pytest.param(False, id="typed")])
async def test_a_command_is_repeated_where_nobody_has_typed_it(echo: bool) -> None:
    screen = Screen()

    await channel(Notebook(), screen, echo=echo).handle("/he\x1b[2Jlp")

    assert (screen[0] == "> /he[2Jlp") == echo


@pytest.mark.parametrize(
    "texts", [pytest.param(("one", "two"), id="their end"), pytest.param(("one", "two", " /quit ", "three"), id="quit")]
)
async def test_lines_are_handled_until_the_end_which_waits_until_all_is_searchable(texts: tuple[str, ...]) -> None:
    notebook = Notebook()

    await channel(notebook, Screen()).serve(lines(*texts))

    assert [message.content for message in notebook.messages] == ["one", "two"]
    assert notebook.settled == 1


def test_a_speaker_has_the_same_id_in_every_run() -> None:
    assert speaker_id("ana") == 1336584522236235038
    assert speaker_id("ana") != speaker_id("ben")
    assert 0 < speaker_id("\udce9") < 2**63


# ---- a pipe


async def read_from_a_pipe(content: bytes) -> list[str]:
    """Return the lines of a pipe that holds this and has been closed."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    try:
        return [line async for line in piped_lines(reading)]
    finally:
        os.close(reading)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"one\ntwo\r\n\nthree", ["one", "two", "", "three"], id="line ends of all kinds, or none"),
        pytest.param("été\n".encode(), ["été"], id="UTF-8"),
        pytest.param(b"caf\xe9 \xff\n", [r"caf\xe9 \xff"], id="bytes that are not UTF-8"),
        pytest.param(b"a\0b\x1b[1m\n", ["a\\x00b\x1b[1m"], id="what no database takes"),
        pytest.param(b"x" * 60_000, ["x" * 60_000], id="a long line"),
    ],
)
async def test_lines_of_a_pipe_come_as_text(content: bytes, expected: list[str]) -> None:
    assert await read_from_a_pipe(content) == expected


async def test_more_lines_than_are_read_ahead_come_in_order() -> None:
    numbers = [str(number) for number in range(5000)]

    assert await read_from_a_pipe("\n".join(numbers).encode()) == numbers


async def test_an_input_that_cannot_be_read_is_one_that_has_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert [line async for line in piped_lines(folder)] == []
    finally:
        os.close(folder)

    assert "the input cannot be read any further" in caplog.text


READ_ONE_LINE = """
import asyncio
from contextlib import aclosing
from terminal.input import piped_lines
async def main():
    async with aclosing(piped_lines(0)) as lines:
        print(await anext(lines), flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize(
    "rest", [pytest.param(b"", id="the pipe stays silent"), pytest.param(b"more\n" * 5000, id="the pipe is full")]
)
async def test_a_program_ends_in_peace_while_somebody_still_holds_its_pipe(rest: bytes) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one\n" + rest)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", READ_ONE_LINE), stdin=reading, stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    os.close(reading)
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
    finally:
        os.close(writing)

    assert (process.returncode, out, err) == (0, b"one\n", b"")


# ---- what is shown

SHOW_TWICE = """
import sys
from cli.console import show
show("caf\\xe9 \\u2026 \\udce9")
sys.stdin.readline()
show("nobody reads this")
show("nor this")
"""


async def test_an_output_that_nobody_reads_any_more_stops_nothing() -> None:
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SHOW_TWICE),
        stdin=PIPE,
        stdout=writing,
        stderr=PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    os.close(writing)
    shown = await asyncio.to_thread(os.read, reading, 100)
    os.close(reading)

    async with asyncio.timeout(PATIENCE):
        _, err = await process.communicate(b"go on\n")

    assert shown == b"caf\xe9 \\u2026 \n"
    assert (process.returncode, err) == (0, b"")


class FullNotebook(Notebook):
    """A recorder that writes nothing down for those who do not wait."""

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        if patience is not None:
            raise JournalUnavailableError("demo.csv: No space left on device")
        await super().record(message)


async def test_whoever_types_is_told_that_a_line_cannot_be_written_down() -> None:
    screen, oracle = Screen(), Oracle()
    talk = channel(FullNotebook(), screen, oracle)

    for line in ("a line", "/chat where is the key?"):
        await talk.handle(line)

    assert (
        screen == ["This cannot be written down just now and is not kept: free some disk space, then say it again."] * 2
    )
    assert not oracle.questions


async def test_a_piped_line_waits_until_it_can_be_written_down() -> None:
    notebook, screen = FullNotebook(), Screen()

    await channel(notebook, screen, echo=True).handle("a line")

    assert [message.content for message in notebook.messages] == ["a line"]
    assert not screen


@pytest.mark.parametrize("line", ["/chat what did \u0131rmak say?", "/about"])
async def test_a_line_that_cannot_be_answered_costs_none_of_those_behind_it(
    line: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def overflow() -> str:
        raise OverflowError("date value out of range")

    notebook, screen = Notebook(), Screen()
    asking = channel(notebook, screen, Oracle(KeyError("\u0131rmak")))
    asking.about = overflow

    await asking.serve(lines("first", line, "/help", "last"))

    said_by_people = [message.content for message in notebook.messages if message.kind is not Kind.ANSWER]
    assert said_by_people == ["first", line, "/help", "last"]
    assert screen[0] == "Something went wrong on my side, and it has been logged. Please ask again."
    assert "/chat TEXT" in screen[1]
    assert "Traceback" in caplog.text


async def listed(viewer: Viewer, text: str) -> Overview:
    """Return an overview of what was said about a text."""
    if not text:
        raise ValueError("Say about what.")
    lines = (Line(words=f"{viewer.time_zone.key} knows *{text}*", message=said("the key is under the pot")),)
    return Overview(title="What was said", sections=(Section(heading="By ana", lines=lines, is_more="and 3 more"),))


async def test_an_overview_is_shown_with_its_sections_and_the_words_of_its_messages() -> None:
    screen = Screen()

    await channel(Notebook(), screen, overviews={"/timeline": listed}).handle("/timeline keys")

    assert screen[0].splitlines()[:4] == [
        "What was said",
        "",
        "By ana",
        "- Europe/Paris knows *keys*: ana in #general, Tue 3 Nov 2026 14:02: the key is under the pot",
    ]
    assert "(and 3 more)" in screen[0]


async def test_an_overview_that_cannot_be_made_of_the_text_says_why() -> None:
    screen = Screen()

    await channel(Notebook(), screen, overviews={"/timeline": listed}).handle("/timeline")

    assert screen == ["Say about what."]
