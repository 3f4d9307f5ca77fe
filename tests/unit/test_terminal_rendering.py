"""How an answer looks in a terminal."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agent.quotation import quotation
from agent.types import Answer, Searched, Source
from cli.console import show
from memory.message import Attachment
from memory.plain_text import printable
from memory.search.results import Excerpt, RankedMessage, SearchResult
from terminal.rendering import render, render_excerpts
from tests.fakes import said
from time_expressions.window import Window

PARIS = ZoneInfo("Europe/Paris")


def test_an_answer_without_sources_and_notes_is_its_text() -> None:
    assert render(Answer(text="I found nothing."), PARIS) == "I found nothing."


def test_sources_stand_below_the_answer_and_notes_below_the_sources() -> None:
    noon = said("the deploy is\non  Tuesday", author_name="Ana", sent_at=datetime(2026, 11, 3, 11, 5, tzinfo=UTC))
    answer = Answer(text="On Tuesday [1].", sources=(Source(1, noon),), notes=("First.", "Second."))

    shown = render(answer, PARIS)

    assert shown.split("\n\n") == [
        "On Tuesday [1].",
        "Sources:\n[1] Ana in #general, Tue 3 Nov 2026 12:05: the deploy is on Tuesday",
        "(First.)",
        "(Second.)",
    ]


@pytest.mark.parametrize(
    ("windows", "line"),
    [
        pytest.param(
            (Window(datetime(2026, 11, 2, 23, tzinfo=UTC), datetime(2026, 11, 3, 23, tzinfo=UTC)),),
            "searched Tue 3 Nov 00:00 - 24:00 Europe/Paris; /all searches all time",
            id="a day",
        ),
        pytest.param((), "searched all time", id="all time instead"),
    ],
)
def test_where_was_searched_stands_at_the_end(windows: tuple[Window, ...], line: str) -> None:
    now = datetime(2026, 11, 4, tzinfo=UTC)
    searched = Searched(windows=windows, went_beyond=not windows, channels=(), now=now, time_zone=PARIS)

    assert render(Answer(text="Yes.", notes=("A note.",), searched=searched), PARIS) == f"Yes.\n\n(A note.)\n\n{line}"


def test_a_message_from_discord_is_shown_with_its_link() -> None:
    message = said("look here", guild_id=5, channel_id=6, message_id=7)

    shown = render(Answer(text="There [1].", sources=(Source(1, message),)), PARIS)

    assert shown.endswith(": look here\n    https://discord.com/channels/5/6/7")


def test_a_source_that_the_answer_quotes_is_not_quoted_again() -> None:
    answer = Answer(text='- "the deploy is on Tuesday" [1]', sources=(Source(1, said("the deploy is on Tuesday")),))

    shown = render(answer, PARIS)

    assert shown.endswith("Sources:\n[1] ana in #general, Tue 3 Nov 2026 14:02")


@pytest.mark.parametrize(
    ("length", "quote"),
    [pytest.param(80, "x" * 80, id="just short enough"), pytest.param(81, "x" * 79 + "…", id="a letter too long")],
)
def test_a_source_is_quoted_up_to_a_line(length: int, quote: str) -> None:
    shown = render(Answer(text="[1]", sources=(Source(1, said("x" * length)),)), PARIS)

    assert shown.endswith(f": {quote}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("two\n\tlines", "two\n\tlines", id="lines and tabs stay"),
        pytest.param("\x1b]0;owned\x07\x1b[2Jhere", "]0;owned[2Jhere", id="escape sequences lose their power"),
        pytest.param("a\rb\x08c\x9bd", "abcd", id="other control characters"),
        pytest.param("abc\u202edef", "abcdef", id="text that runs backwards"),
        pytest.param("\udce9t\xe9", "t\xe9", id="half of a surrogate pair"),
        pytest.param("你好 🎉", "你好 🎉", id="letters of all the world stay"),
    ],
)
def test_control_characters_are_taken_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_control_characters_of_a_recalled_message_do_not_reach_the_terminal() -> None:
    evil = said("\x1b[31mred", author_name="a\x1bna", channel_name="ge\x07neral")

    shown = render(Answer(text="\x1b[2J [1]", sources=(Source(1, evil),), notes=("\x1b!",)), PARIS)

    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert "ana in #general" in shown


def test_a_source_line_has_no_spoilers_and_no_time_beyond_the_calendar() -> None:
    message = said("it was ||the gardener||", sent_at=datetime.max.replace(tzinfo=UTC))

    shown = render(Answer(text="[1]", sources=(Source(1, message),)), ZoneInfo("Pacific/Kiritimati"))

    assert shown.endswith("Fri 31 Dec 9999 23:59: it was (spoiler)")


def test_mentions_emoji_and_times_are_read_in_the_terminal() -> None:
    words = "@Ben: <#tea:9> <:pot:3> <t:1793884200:F>"
    answer = Answer(text=f"{words} [1]", sources=(Source(1, said(f"more {words}")),))

    assert render(answer, PARIS).count("@Ben: #tea :pot: Thursday 5 November 2026 14:10") == 2


def test_an_answer_is_plain_text_in_the_terminal() -> None:
    fay = said("see <https://pots.example/a_b> *now*", author_name="||Fay||", channel_name="💬│pots")
    text = quotation(1, RankedMessage(fay, hit=True), question="", time_zone=PARIS)

    shown = render(Answer(text=text, sources=(Source(1, fay),)), PARIS)

    assert shown.startswith("- **||Fay||** in #💬│pots, ")
    assert '"see https://pots.example/a_b *now*" [1]\n' in shown
    assert shown.endswith("\n[1] ||Fay|| in #💬│pots, Tue 3 Nov 2026 14:02")


def test_no_name_in_a_source_line_or_the_footer_takes_more_than_a_line() -> None:
    gus = said("hi", author_name="Gus\n[2] Ana", channel_name="a\u202eb\n\u200b")
    now = datetime(2026, 11, 4, tzinfo=UTC)
    searched = Searched(windows=(), went_beyond=True, channels=("a\n[2]",), now=now, time_zone=PARIS)

    shown = render(Answer(text="So [1].", sources=(Source(1, gus),), searched=searched), PARIS)

    assert "\n[1] Gus [2] Ana in #ab, Tue" in shown
    assert shown.endswith("\n\nsearched all time in #a [2]")


def test_search_results_are_one_line_each_and_hide_what_was_hidden() -> None:
    files = (Attachment(name="SPOILER_end.png", url="u"), Attachment(name="a\x1b[2J\nb.png", url="u"))
    message = said(
        "it was ||the\ngardener||\u202e\x1b[31m", author_name="G\nus", channel_name="p\not", attachments=files
    )

    shown = render_excerpts(SearchResult((Excerpt((RankedMessage(message, hit=True),)),)), PARIS)

    assert shown == "#p ot\n> Tue 3 Nov 2026 14:02 G us: it was (spoiler)[31m (spoiler) [a[2J b.png]"


def test_what_a_script_prints_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show("backup \x1b]0;owned\x07\u202e_1.dump")
    show("\x1b[32mok\x1b[0m", styled=True)

    assert capsys.readouterr().out.startswith("backup ]0;owned_1.dump\n")
