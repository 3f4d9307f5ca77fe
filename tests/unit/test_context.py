"""What the indexes read of a message: who said it, when, what, and what was said before."""

from typing import Any

import pytest

from memory.index.index_text import search_text, text_to_embed
from memory.message import Attachment, Message
from tests.builders import deletion, message

FILE = Attachment(name="minutes.pdf", url="https://example.org/minutes.pdf")


def test_a_message_stands_with_its_author_and_date() -> None:
    assert text_to_embed(message(content="We ship on Friday")) == "ana (Tuesday 3 November 2026): We ship on Friday"


def test_words_said_before_come_first_and_with_their_author() -> None:
    before = [message(1, "When do we ship?", author_name="bruno"), message(2, "Soon?", author_name="chloe")]

    lines = search_text(message(3, "On Friday"), before).splitlines()

    assert lines[:2] == ["bruno: When do we ship?", "chloe: Soon?"]
    assert "On Friday" in lines[2]


def test_the_vector_does_without_what_was_said_before() -> None:
    assert "ship" not in text_to_embed(message(3, "On Friday"))


def test_a_long_message_before_does_not_drown_the_short_one() -> None:
    text = search_text(message(2, "Yes, do that"), [message(1, "word " * 1000)])

    assert text.count("word") == 40


def test_the_names_of_files_are_found() -> None:
    only_a_file = message(content="", attachments=(FILE,))

    assert "minutes.pdf" in search_text(only_a_file, ())
    assert "minutes.pdf" in text_to_embed(only_a_file)


@pytest.mark.parametrize(
    ("place", "is_found"),
    [
        pytest.param({"channel_name": "help-forum › Thermostat reset", "thread_id": 9}, True, id="a thread"),
        pytest.param({"channel_name": "help-forum › Thermostat reset"}, True, id="a thread known by its name alone"),
        pytest.param({"channel_name": "Thermostat reset", "channel_id": 9, "thread_id": 9}, True, id="no known parent"),
        pytest.param({"channel_name": "thermostat-reset"}, False, id="a channel"),
        pytest.param({"channel_name": "thermostat-reset", "thread_id": 9}, False, id="a thread of it without a title"),
    ],
)
def test_the_title_of_a_thread_is_indexed_with_what_is_said_in_it(place: dict[str, Any], is_found: bool) -> None:
    inside = message(content="It blinks twice", **place)

    assert ("Thermostat reset" in search_text(inside, ())) is is_found
    assert ("Thermostat reset" in text_to_embed(inside)) is is_found
    assert "thermostat-reset" not in search_text(inside, ())
    assert search_text(message(content="", **place), ()) == ""


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(
            message(content="", attachments=(Attachment(name="kiln_shelf-2.JPG", url="https://example.org/"),)),
            id="a picture",
        ),
        pytest.param(message(content="see <https://example.org/papers/kiln-shelf_picture.pdf?page=2>"), id="a link"),
    ],
)
def test_files_and_links_are_found_by_the_words_of_their_names(shown: Message) -> None:
    assert {"kiln", "shelf", "picture"} <= set(search_text(shown, ()).split())


@pytest.mark.parametrize(
    "silent",
    [
        pytest.param(message(content=""), id="no text"),
        pytest.param(message(content="\n "), id="only spaces"),
        pytest.param(deletion(1, at=2), id="a deletion"),
    ],
)
def test_a_message_that_says_nothing_is_not_indexed(silent: Message) -> None:
    assert search_text(silent, [message(2, "before")]) == ""
    assert text_to_embed(silent) == ""


def test_what_no_database_takes_is_replaced() -> None:
    text = search_text(message(content="a\ud800b", author_name="c\0d"), ())

    assert "a\ufffdb" in text
    assert "c\ufffdd" in text
