"""How a reply is laid out as messages of Discord."""

import discord
import pytest

from bot.answer_buttons import Action, AnswerButtons
from bot.buttons import Buttons, Control, Reply
from bot.layout import CARD_LIMIT, AnswerStyle, Posting, laid_out
from bot.rendering import CUT_NOTE, MESSAGE_LIMIT
from bot.running_handlers import RunningHandlers
from tests.discord_markdown import in_clear

SOURCES = tuple(f"[{number}] somebody: something" for number in range(1, 11))


async def press(*_: object) -> None:
    """Do nothing."""


def some_buttons(count: int) -> tuple[Control, ...]:
    return tuple(discord.ui.Button(label=str(number)) for number in range(count))


def components_of(posting: Posting) -> list[dict[str, object]]:
    view = posting.view(Buttons(RunningHandlers()))
    assert view is not None
    return view.to_components()


async def test_a_card_has_the_answer_its_sources_and_rows_of_five_buttons_and_no_container() -> None:
    (posting,) = laid_out(
        Reply(["It is so [1]."], some_buttons(7), sources=SOURCES[:1], notes=("a note",)), AnswerStyle.CARD
    )

    answer, sources, first_row, second_row = components_of(posting)
    assert answer == {"type": 10, "content": "It is so [1]."}
    assert sources == {"type": 10, "content": f"-# **Sources**\n-# {SOURCES[0]}\n-# a note"}
    assert [len(row["components"]) for row in (first_row, second_row)] == [5, 2]  # type: ignore[arg-type]
    assert posting.fields(None).keys() == {"view", "allowed_mentions"}


async def test_only_a_list_that_asks_for_it_stands_in_a_container() -> None:
    reply = Reply(["**Status**\nall is well"], some_buttons(1), notes=("a note",), accent=discord.Colour(0x5865F2))

    container, row = components_of(laid_out(reply, AnswerStyle.CARD)[0])
    assert (container["type"], container["accent_color"]) == (17, 0x5865F2)
    assert len(container["components"]) == 2  # type: ignore[arg-type]
    assert row["type"] == 1
    assert laid_out(reply, AnswerStyle.TEXT)[0].content == "**Status**\nall is well\n\n-# a note"


async def test_text_is_content_with_a_view_for_the_buttons_alone() -> None:
    (posting,) = laid_out(Reply(["It is so."], some_buttons(1), sources=SOURCES[:1]), AnswerStyle.TEXT)

    assert posting.fields(None)["content"] == f"It is so.\n\n**Sources**\n{SOURCES[0]}"
    (row,) = components_of(posting)
    assert row["type"] == 1
    assert laid_out(Reply(["Yes."]), AnswerStyle.TEXT)[0].view(Buttons(RunningHandlers())) is None


@pytest.mark.parametrize(
    ("style", "most", "limit"), [(AnswerStyle.CARD, 3, CARD_LIMIT), (AnswerStyle.TEXT, 5, MESSAGE_LIMIT)]
)
@pytest.mark.parametrize("length", [10, 1900, 3900, 3999, 4001, 9000, 40_000])
def test_an_answer_of_any_length_keeps_its_sources_and_its_buttons_at_its_end(
    length: int, style: AnswerStyle, most: int, limit: int
) -> None:
    reply = Reply([("word " * length)[:length]], some_buttons(3), sources=SOURCES, notes=("the last",))

    postings = laid_out(reply, style)

    assert len(postings) <= most
    assert all(0 < len(posting.content) <= limit for posting in postings)
    assert [len(posting.controls) for posting in postings] == [0] * (len(postings) - 1) + [3]
    whole = "\n".join(posting.content for posting in postings)
    assert all(source in whole for source in SOURCES)
    assert whole.endswith("-# the last")
    assert (CUT_NOTE in whole) == (length == 40_000)


@pytest.mark.parametrize("style", list(AnswerStyle))
def test_code_and_spoilers_survive_splitting_and_cutting(style: AnswerStyle) -> None:
    code = "".join(f"print({number})\n" for number in range(2000))
    hidden = laid_out(Reply([f"So: ||{'QQ ' * 8000}|| then"], sources=SOURCES), style)
    fenced = laid_out(Reply([f"So:\n```py\n{code}```\nDone."], sources=SOURCES), style)

    assert not any("QQ" in in_clear(text) for posting in hidden for text in posting.texts)
    assert all(posting.texts[0].count("```") % 2 == 0 for posting in fenced)
    assert all(posting.texts[0].startswith("```py\n") for posting in fenced[1:-1])


def test_several_parts_are_several_messages() -> None:
    assert [posting.content for posting in laid_out(Reply(["one", "two"]), AnswerStyle.CARD)] == ["one", "two"]


def test_a_reply_without_words_still_has_some() -> None:
    assert laid_out(Reply([]), AnswerStyle.CARD)[0].content == "I have no answer to that."


async def test_lasting_buttons_stand_with_no_others() -> None:
    lasting = AnswerButtons(press).kind(Action.AGAIN, 7)
    (posting,) = laid_out(Reply(["x"], (lasting, *some_buttons(1))), AnswerStyle.CARD)

    with pytest.raises(ValueError, match="all lasting, or none"):
        posting.view(Buttons(RunningHandlers()))
