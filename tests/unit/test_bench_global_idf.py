"""The bench of global idf loads chats into as many chunks as it says, and searches them without it when it says so."""

from datetime import timedelta
from typing import Any

import pytest

from bench.global_idf import Figures, chunk_interval, ranked_by_each_chunk, render
from bench.locomo import Chat
from bench.retrieval import DEPTHS, Recalls
from db.chunks import Chunk
from memory.search import keywords
from tests.builders import message, minute


def chunk(name: str) -> Chunk:
    return Chunk(
        table=name,
        schema="s",
        name=name,
        start=None,
        end=None,
        rows=10,
        indexed=False,
        word_index=name,
        is_newest=False,
    )


class NoSession:
    """Fails whoever asks the database how rare words are."""

    def __getattr__(self, name: str) -> None:
        raise AssertionError(f"a chunk was asked how rare the words are, with {name}")


def chat(*minutes: int) -> Chat:
    return Chat("kite", tuple(message(number, "hi", sent_at=minute(number)) for number in minutes), (), ())


def test_the_chunks_of_a_chat_hold_its_whole_time() -> None:
    assert chunk_interval(chat(0, 14_400, 1200), 10) == timedelta(minutes=1440)


def test_a_chat_of_a_moment_has_chunks_of_some_length() -> None:
    assert chunk_interval(chat(5), 10) > timedelta(0)


async def test_every_chunk_gets_the_words_as_they_are_while_each_ranks_by_itself() -> None:
    chunks, session = [chunk("a"), chunk("b"), chunk("c")], NoSession()
    arguments: dict[str, Any] = {"chunks": chunks, "largest_chunks": chunks}

    with ranked_by_each_chunk():
        first, *others = await keywords.global_idf_queries(session, "hot kiln", **arguments)  # type: ignore[arg-type]

    assert others == [first, first]
    assert first.split().count("kiln") == first.split().count("hot") == keywords.WEIGHT
    with pytest.raises(AssertionError, match="how rare"):
        await keywords.global_idf_queries(session, "hot kiln", **arguments)  # type: ignore[arg-type]


def test_each_way_has_a_line_of_its_own() -> None:
    figures = [Figures("near", Recalls(7, dict.fromkeys(DEPTHS, 50.0), {}), 11, 1.5)]

    assert render(figures).splitlines()[1].split() == ["near", "7", "11", *["50.0"] * len(DEPTHS), "1.5"]
