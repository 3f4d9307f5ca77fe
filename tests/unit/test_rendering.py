"""What an answer looks like in Discord."""

import random
import re
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agent.types import Answer, Searched, Source
from bot.buttons import Reply
from bot.layout import CARD_LIMIT, AnswerStyle, laid_out
from bot.rendering import MESSAGE_LIMIT, neutralised, render, render_text, split_message
from memory.message import Attachment, Message
from tests.discord_markdown import in_clear
from time_expressions.window import Window

PARIS = ZoneInfo("Europe/Paris")
SENT_AT = datetime(2026, 11, 3, 13, 2, tzinfo=UTC)
LINK = "https://discord.com/channels/7/8/9"


def a_message(
    content: str = "first words", *, guild_id: int | None = 7, attachments: tuple[Attachment, ...] = ()
) -> Message:
    return Message(
        message_id=9,
        sent_at=SENT_AT,
        session="s",
        guild_id=guild_id,
        channel_id=8,
        channel_name="DM" if guild_id is None else "general",
        author_name="ana",
        content=content,
        attachments=attachments,
    )


def messages_of(answer: Answer, style: AnswerStyle = AnswerStyle.TEXT, zone: ZoneInfo = PARIS) -> list[str]:
    rendered = render(answer, zone)
    reply = Reply([rendered.text], sources=rendered.sources, notes=rendered.notes)
    return [posting.content for posting in laid_out(reply, style)]


def shown(answer: Answer) -> str:
    (message,) = messages_of(answer)
    return message


# ---- answers


def test_a_mark_links_to_its_message_and_the_source_is_listed_in_the_readers_time_zone() -> None:
    answer = Answer(text="On Tuesday [1].", sources=(Source(1, a_message()),))

    mark = f"[[1]](<{LINK}>)"
    assert shown(answer) == (
        f"On Tuesday {mark}.\n\n**Sources**\n{mark} ana in #general, Tue 3 Nov 2026 14:02: first words"
    )


def test_a_channel_is_named_by_discord_alone_to_those_who_may_see_it() -> None:
    answer = Answer(text="Ask in <#help:12> [1].", sources=(Source(1, a_message("see <#secret:13>")),))

    text = shown(answer)

    assert "Ask in <#12>" in text
    assert "see <#13>" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a [1][1]", f"a [[1]](<{LINK}>)[[1]](<{LINK}>)", id="marks side by side"),
        pytest.param("see [2]", "see [2]", id="a mark without a source"),
        pytest.param("`x[1]` [1]", f"`x[1]` [[1]](<{LINK}>)", id="inline code is left alone"),
        pytest.param("```\nx[1]\n``` [1]", f"```\nx[1]\n``` [[1]](<{LINK}>)", id="a code fence is left alone"),
        pytest.param("[1](http://x)", "1 (<http://x>)", id="a link that looks like a mark"),
        pytest.param(
            "[the docs](https://x/y)", "the docs (<https://x/y>)", id="a link of which one sees the words only"
        ),
        pytest.param("[a](https://x/(y)z)", r"[a\](<https://x/(y)z>)", id="one with brackets in its address"),
        pytest.param("[a\nb](https://x)", "[a\nb\\](<https://x>)", id="one of two lines"),
        pytest.param("`[a](https://x)`", "`[a](https://x)`", id="one in code"),
        pytest.param("See https://x/y.", "See <https://x/y>.", id="an address gets no preview"),
        pytest.param("At https://x/y[1].", f"At <https://x/y>[[1]](<{LINK}>).", id="an address with a mark behind it"),
        pytest.param("<https://x/y>", "<https://x/y>", id="one without a preview stays so"),
        pytest.param("`https://x/y`", "`https://x/y`", id="an address in code"),
        pytest.param("join discord.gg/abc", r"join discord.gg\/abc", id="an invitation"),
        pytest.param("join discord.com/invite/abc", r"join discord.com\/invite/abc", id="an invitation at length"),
        pytest.param("</forget:12>", r"\</forget:12>", id="a command to click on"),
        pytest.param(r"\</forget:12>", r"\</forget:12>", id="a command that is escaped already"),
        pytest.param("<id:customize>", r"\<id:customize>", id="a page of Discord's to click on"),
        pytest.param(r"Gus \[1\] [1]", rf"Gus \[1\] [[1]](<{LINK}>)", id="what somebody wrote like a mark"),
    ],
)
def test_marks_become_links_where_they_stand_for_a_source(text: str, expected: str) -> None:
    assert shown(Answer(text=text, sources=(Source(1, a_message()),))).split("\n\n**Sources**")[0] == expected


def test_a_source_from_a_direct_message_has_no_link() -> None:
    answer = Answer(text="So [1].", sources=(Source(1, a_message(guild_id=None)),))

    assert shown(answer) == "So [1].\n\n**Sources**\n[1] ana in DM, Tue 3 Nov 2026 14:02: first words"


@pytest.mark.parametrize(
    ("message", "excerpt"),
    [
        pytest.param(a_message("one\n\ntwo"), "one two", id="lines become one"),
        pytest.param(a_message("w" * 200), "w" * 79 + "…", id="long text is cut"),
        pytest.param(a_message("**a** [x](http://y)"), r"\*\*a\*\* \[x\](<http://y>)", id="markup is shown as typed"),
        pytest.param(a_message("see https://x.y/z"), "see <https://x.y/z>", id="an address gets no preview"),
        pytest.param(a_message("", attachments=(Attachment(name="a.png", url="u"),)), "(a.png)", id="a file alone"),
        pytest.param(a_message("it was ||the *gardener*||!"), "it was (spoiler)!", id="a spoiler"),
        pytest.param(a_message("x" * 72 + " ||" + "secret " * 20 + "||"), "x" * 72 + " (spoil…", id="a cut spoiler"),
        pytest.param(a_message("||one\ntwo|| ||x||"), "(spoiler) (spoiler)", id="a spoiler of two lines"),
        pytest.param(
            a_message("", attachments=(Attachment(name="SPOILER_end.png", url="u"),)), "(spoiler)", id="hidden"
        ),
    ],
)
def test_an_excerpt_is_one_plain_line(message: Message, excerpt: str) -> None:
    answer = Answer(text="So [1].", sources=(Source(1, message),))

    assert shown(answer).endswith(f"14:02: {excerpt}")


def test_notes_are_small_lines_at_the_end() -> None:
    assert shown(Answer(text="Yes.", notes=("the model\nfailed", " "))) == "Yes.\n\n-# the model failed"


def searched(*channels: str) -> Searched:
    day = Window(datetime(2026, 11, 2, 23, tzinfo=UTC), datetime(2026, 11, 3, 23, tzinfo=UTC))
    return Searched(windows=(day,), went_beyond=False, channels=channels, now=SENT_AT, time_zone=PARIS)


def test_where_was_searched_is_the_last_small_line() -> None:
    answer = Answer(text="Yes.", notes=("a note",), searched=searched("general"))

    assert shown(answer) == "Yes.\n\n-# a note\n-# searched Tue 3 Nov 00:00 - 24:00 Europe/Paris in #general"


def test_the_name_of_a_searched_channel_mentions_nobody_and_formats_nothing() -> None:
    answer = Answer(text="Yes.", searched=searched("@everyone", "_news_\n# x"))

    assert shown(answer).endswith(r"in #@" + "\N{ZERO WIDTH SPACE}" + r"everyone, #\_news\_ # x")


def test_where_was_searched_is_told_of_a_text_that_is_cut() -> None:
    messages = messages_of(Answer(text="word " * 4000, searched=searched()))

    assert messages[-1].endswith("\n-# searched Tue 3 Nov 00:00 - 24:00 Europe/Paris")
    assert all(len(message) <= MESSAGE_LIMIT for message in messages)


@pytest.mark.parametrize(
    "mention",
    ["@everyone", "@here", "<@123>", "<@!123>", "<@&123>"],
)
def test_no_mention_is_left_in_text_excerpt_or_note(mention: str) -> None:
    answer = Answer(
        text=f"{mention} `{mention}` [1]", sources=(Source(1, a_message(f"hi {mention}")),), notes=(f"by {mention}",)
    )

    text = shown(answer)

    assert mention not in text
    assert text.count("@\N{ZERO WIDTH SPACE}") == 4


@pytest.mark.parametrize("text", ["ana@example.org", "@ana", "meet @ noon", "#general"])
def test_what_is_no_mention_stays_as_it_is(text: str) -> None:
    assert neutralised(text) == text


@pytest.mark.parametrize("text", ["", " \n "])
def test_an_empty_answer_still_has_words(text: str) -> None:
    assert shown(Answer(text=text)) == "I have no answer to that."


def test_an_answer_that_is_too_long_is_cut_before_its_sources() -> None:
    sources = tuple(Source(number, a_message()) for number in range(1, 31))

    messages = messages_of(Answer(text="word " * 4000, sources=sources, notes=("a note",)))

    assert len(messages) == 5
    assert messages[-1].startswith("-# The answer is longer than I may post, so it is cut here.\n**Sources**\n")
    assert messages[-1].endswith("-# and 20 more\n-# a note")


def test_a_text_of_many_blank_lines_gives_no_blank_message() -> None:
    messages = laid_out(Reply(render_text("a" + "\n" * 5000 + "b")), AnswerStyle.TEXT)

    assert [message.content.strip() for message in messages] == ["a", "b"]


@pytest.mark.parametrize(
    "moment",
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)],
    ids=["the first day", "the last day"],
)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_a_time_at_the_end_of_the_calendar_is_shown(moment: datetime, zone: str) -> None:
    message = replace(a_message(), sent_at=moment)

    assert messages_of(Answer(text="So [1].", sources=(Source(1, message),)), zone=ZoneInfo(zone))


def test_half_a_character_that_no_stream_takes_is_replaced_or_left_out() -> None:
    answer = Answer(text="a\ud800b [1]", sources=(Source(1, a_message("c\udfffd")),), notes=("e\0f",))

    assert shown(answer).encode().decode().count("\ufffd") == 2
    assert "14:02: cd" in shown(answer)


def test_a_text_without_words_still_gives_words() -> None:
    assert render_text(" \n ") == ["I have no answer to that."]


@pytest.mark.parametrize(
    "piece",
    [
        "```a```",
        "```",
        "`",
        "``",
        "[1]",
        "@everyone",
        "||",
        "||a||",
        "\\",
        "* _ ~ >",
        "<https://x.y/",
        "(",
        "\u0301",
        " ",
        "\n",
    ],
)
@pytest.mark.parametrize(
    ("style", "most", "limit"), [(AnswerStyle.TEXT, 5, MESSAGE_LIMIT), (AnswerStyle.CARD, 3, CARD_LIMIT)]
)
def test_an_answer_of_any_length_is_shown_in_a_few_messages(
    piece: str, style: AnswerStyle, most: int, limit: int
) -> None:
    """A quadratic step takes minutes here, and the run ends at the time limit of all tests."""
    text = (piece * (400_000 // len(piece)))[:400_000]
    source = Source(1, a_message(text[:16_000]))

    messages = messages_of(Answer(text=text, sources=(source,), notes=(text[:4000],)), style)

    assert 1 <= len(messages) <= most
    assert all(0 < len(message) <= limit for message in messages)


# ---- splitting


def without_added_fences(parts: list[str], text: str) -> str:
    """Undo what `split_message` adds: of each part, keep the most that the text goes on with."""
    rebuilt = ""
    for part in parts:
        beginnings = (part, re.sub(r"^```[\w+.#-]*\n", "", part))
        candidates = [begun.removesuffix(ending) for begun in beginnings for ending in ("", "```", "\n```")]
        rebuilt += max((found for found in candidates if text.startswith(found, len(rebuilt))), key=len, default="")
    return rebuilt


def random_text(chance: random.Random) -> str:
    """Return prose, long words, blank lines and code fences in any order."""
    pieces = {
        "line": lambda: " ".join("w" * chance.randint(1, 12) for _ in range(chance.randint(1, 15))) + "\n",
        "word": lambda: chance.choice("abc€😀") * chance.randint(1, 300),
        "blank": lambda: "\n" * chance.randint(1, 4),
        "fence": lambda: (
            f"```{chance.choice(['', 'py', 'c++'])}\n"
            + "".join(f"{chance.choice(' xy')}code {n}\n" for n in range(chance.randint(1, 40)))
            + "```"
        ),
        "unclosed line in a fence": lambda: "```" + "z" * chance.randint(1, 300) + "```\n",
    }
    return "".join(pieces[chance.choice(list(pieces))]() for _ in range(chance.randint(1, 12)))


@pytest.mark.parametrize("limit", [64, 80, 200, 2000])
def test_splitting_any_text_keeps_every_character_every_limit_and_every_fence(limit: int) -> None:
    chance = random.Random(limit)  # noqa: S311 - the same cases every time
    for _ in range(150):
        text = random_text(chance)

        parts = list(split_message(text, limit))

        assert all(0 < len(part) <= limit for part in parts)
        assert all(part.count("```") % 2 == 0 for part in parts)
        assert without_added_fences(parts, text) == text


def test_a_text_without_fences_is_split_at_line_ends_and_joins_to_itself() -> None:
    text = "".join(f"line {n} {'x' * 50}\n" for n in range(100))

    parts = list(split_message(text))

    assert "".join(parts) == text
    assert all(part.endswith("\n") for part in parts)
    assert len(parts) == 3


def test_a_line_that_is_too_long_is_cut_at_a_space() -> None:
    parts = list(split_message("word " * 100, 64))

    assert "".join(parts) == "word " * 100
    assert all(part.endswith("word ") for part in parts)


def test_a_word_that_is_too_long_is_cut_anywhere() -> None:
    assert list(split_message("x" * 150, 64)) == ["x" * 64, "x" * 64, "x" * 22]


def test_a_fence_is_closed_and_opened_again_with_its_language() -> None:
    code = "".join(f"print({n})\n" for n in range(12))

    parts = list(split_message(f"Look:\n```py\n{code}```\nDone", 64))

    assert parts[0] == "Look:\n```py\nprint(0)\nprint(1)\nprint(2)\nprint(3)\nprint(4)\n```"
    assert parts[1].startswith("```py\nprint(5)\n")
    assert parts[-1].endswith("print(11)\n```\nDone")


def test_a_line_of_code_that_is_too_long_is_closed_on_a_line_of_its_own() -> None:
    parts = list(split_message(f"```\n{'x' * 100}\n```", 64))

    assert parts == ["```\n" + "x" * 56 + "\n```", "```\n" + "x" * 44 + "\n```"]


@pytest.mark.parametrize(
    "text", [pytest.param("x" * 2000, id="just short enough"), pytest.param("```py\nx\n```", id="a fence")]
)
def test_a_text_that_fits_is_left_whole(text: str) -> None:
    assert list(split_message(text)) == [text]


@pytest.mark.parametrize("before", range(0, 70, 3))
def test_a_spoiler_that_is_cut_stays_hidden(before: int) -> None:
    parts = list(split_message(f"{'w' * before} ||{'QQ ' * 60}|| then", 64))

    assert all("Q" not in in_clear(part) for part in parts)
    assert "".join(parts).count("Q") == 120
    assert all(0 < len(part) <= 64 for part in parts)


@pytest.mark.parametrize(
    "whole",
    [
        f"[[1]](<{LINK}>)",
        "<https://pots.example/a_b_c>",
        "<:pot:123456789012345678>",
        "<t:1793884200:F>",
        "`a b c`",
        "``a ` b``",
        "\\*",
    ],
)
@pytest.mark.parametrize("before", [20, 40, 50, 60, 61, 62, 63])
def test_links_emoji_times_and_code_within_a_line_are_not_cut(whole: str, before: int) -> None:
    text = f"{'w' * before}{whole}{'w' * 40}"

    parts = list(split_message(text, 64))

    assert "".join(parts) == text
    assert any(whole in part for part in parts)


def test_no_text_gives_no_message() -> None:
    assert list(split_message("")) == []
