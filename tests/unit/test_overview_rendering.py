"""An overview as pages on Discord: links, times, and nothing in a name or a quote that Discord obeys."""

from zoneinfo import ZoneInfo

from bot.overviews import render_overview
from bot.rendering import MESSAGE_LIMIT
from overviews.overview import Line, Overview, Section, Shown
from tests.fakes import said

PARIS = ZoneInfo("Europe/Paris")


def overview(*lines: Line, **fields: str) -> Overview:
    return Overview(title="What happened", sections=(Section(heading="#general", lines=lines, **fields),))


def test_a_line_shows_its_words_then_the_message_with_a_link_for_its_time() -> None:
    message = said("the key is under the pot", guild_id=5)

    [page] = render_overview(overview(Line(words="3 replies", message=message)), PARIS)

    assert page.splitlines() == [
        "**What happened**",
        "",
        "**#general**",
        f"- 3 replies: **ana** in #general, [Tue 3 Nov 2026 14:02](<{message.link}>): the key is under the pot",
    ]


def test_a_line_that_shows_nothing_of_its_message_still_leads_there() -> None:
    message = said("the key", guild_id=5)

    [page] = render_overview(overview(Line(words="3 replies", message=message, shown=Shown.NOTHING)), PARIS)

    assert page.endswith(f"- 3 replies: [open](<{message.link}>)")


def test_names_and_words_are_neither_marks_nor_mentions() -> None:
    message = said("||hush|| @everyone", author_name="**ana** @here", guild_id=5)

    [page] = render_overview(overview(Line(words="`one` @everyone [x](y)", message=message)), PARIS)

    assert "@everyone" not in page
    assert "@here" not in page
    assert "hush" not in page
    assert r"\[x\](y)" in page


def test_titles_headings_and_notes_mention_nobody() -> None:
    sections = (Section(heading="@everyone: 2 messages", lines=(Line(words="x"),), is_more="and @here"),)
    shown = Overview(title="Search for @everyone", sections=sections, notes=("read as @everyone",))
    empty = Overview(title="Who", empty="@here is nobody")

    pages = [*render_overview(shown, PARIS), *render_overview(empty, PARIS)]

    assert not any(mention in page for page in pages for mention in ("@everyone", "@here"))


def test_an_overview_without_lines_says_so_and_what_it_covers() -> None:
    empty = Overview(title="What happened", sections=(Section(heading="#general"),), empty="Nothing.", notes=("all",))

    assert render_overview(empty, PARIS) == ["**What happened**\nNothing.\n-# all"]


def test_a_long_overview_has_pages_that_discord_takes_and_loses_no_line() -> None:
    lines = [Line(words=f"number {number} {'x' * 200}") for number in range(100)]

    pages = render_overview(overview(*lines, is_more="and others"), PARIS)

    assert all(len(page) <= MESSAGE_LIMIT for page in pages)
    assert [f"number {number} " in "\n".join(pages) for number in range(100)] == [True] * 100
    assert "-# and others" in pages[-1]
