"""The channels that a question is confined to are read out of it, and unknown ones are said to be unknown."""

from datetime import UTC, datetime, timedelta

import pytest

from memory.names.known import Index, KnownNames, Named
from memory.question.channels import NamedPlaces, channels_in, may_name_channels
from time_expressions.folding import FoldedText

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)

CHANNELS = {
    1: "general",
    2: "\U0001f6a3\u2502raft-talk",
    3: "help",
    4: "\u300c\U0001f4e2\u300d\u30fbnews",
    5: "help-archive",
    6: "Rudder for the new raft",
    7: "\u2503\uff4d\uff55\uff53\uff49\uff43",
    8: "secret-plans",
    9: "404",
}
READABLE = frozenset(CHANNELS) - {8}


def read(text: str) -> NamedPlaces:
    """Return which channels a text that is asked in #general names; channel 3 was once called "ask-here"."""
    index = Index()
    index.add(Named(3, 3, "ask-here", "", NOW - timedelta(days=9)))
    for place, name in CHANNELS.items():
        index.add(Named(place, place, name, "", NOW))
    if not may_name_channels(text):
        return NamedPlaces()
    return channels_in(FoldedText(text), KnownNames(READABLE, (index,)), here=1)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        pytest.param("what broke in #raft-talk?", {2}, id="without an emoji before it"),
        pytest.param("what broke in #\U0001f6a3\u2502raft-talk?", {2}, id="as it is written"),
        pytest.param("what broke in #Raft-Talk?", {2}, id="in capitals"),
        pytest.param("what broke in #rafttalk?", {2}, id="in one word"),
        pytest.param("what broke in #talk?", {2}, id="by a word"),
        pytest.param("what broke in raft-talk?", {2}, id="without the sign"),
        pytest.param("what broke in raft talk?", {2}, id="in several words"),
        pytest.param("what broke in the raft talk channel?", {2}, id="called a channel"),
        pytest.param("what broke in channel raft-talk?", {2}, id="after the word channel"),
        pytest.param("what was posted in the help channel yesterday", {3}, id="a whole name before a word of one"),
        pytest.param("show me #help", {3}, id="after a verb of showing"),
        pytest.param("what was posted to #help?", {3}, id="posted to it"),
        pytest.param("#help: what broke?", {3}, id="at the beginning"),
        pytest.param("summarise #help", {3}, id="after a verb of reading"),
        pytest.param("what broke in #ask-here?", {3}, id="its name of old"),
        pytest.param("what broke in #news?", {4}, id="between brackets"),
        pytest.param("what broke in #music?", {7}, id="in full width"),
        pytest.param("what broke in #rudder?", {6}, id="a word of the title of a post"),
        pytest.param("what broke in #Rudder for the new raft?", {6}, id="the title of a post"),
        pytest.param("what broke in the rudder thread?", {6}, id="called a thread"),
        pytest.param("how active was #raft-talk?", {2}, id="asked how active it was"),
        pytest.param("which day was #help busiest?", {3}, id="asked when it was busiest"),
        pytest.param("what broke in <#6>?", {6}, id="a mention"),
        pytest.param("what broke in #404?", {9}, id="a number that is a name"),
        pytest.param("what broke in #help, #news and #general?", {1, 3, 4}, id="a list"),
        pytest.param("what broke in this channel?", {1}, id="this channel"),
        pytest.param("what broke on #help and in #news?", {3, 4}, id="each with its own word"),
    ],
)
def test_a_channel_is_named_however_it_is_decorated(text: str, places: set[int]) -> None:
    found = read(text)

    assert (set(found.places), found.unknown) == (places, ())


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        pytest.param("what broke in #nowhere?", ("#nowhere",), id="a channel that is not there"),
        pytest.param("what broke in #secret-plans?", ("#secret-plans",), id="a channel that may not be read"),
        pytest.param("what broke in #raft-talk-old?", ("#raft-talk-old",), id="a longer name"),
        pytest.param("what broke in the channel #nowhere?", ("#nowhere",), id="called a channel"),
        pytest.param("summarise #nowhere", ("#nowhere",), id="after a verb of reading"),
        pytest.param("#nowhere: what broke?", ("#nowhere",), id="at the beginning"),
        pytest.param("what broke in <#8>?", ("<#8>",), id="a mention of a channel that may not be read"),
        pytest.param("what broke in <#88>?", ("<#88>",), id="a mention of a channel that is not there"),
        pytest.param("what broke in #nowhere or #elsewhere?", ("#nowhere", "#elsewhere"), id="two"),
    ],
)
def test_a_channel_that_nobody_knows_is_unknown(text: str, unknown: tuple[str, ...]) -> None:
    found = read(text)

    assert (found.places, found.unknown) == (frozenset(), unknown)
    assert found.spans


def test_a_known_channel_beside_an_unknown_one_is_still_named() -> None:
    assert read("what broke in #help and #nowhere?") == NamedPlaces(((11, 32),), frozenset({3}), ("#nowhere",))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("who fixed issue #123?", id="an issue"),
        pytest.param("what is in #123?", id="an issue that something is in"),
        pytest.param("is C# or F# used in it?", id="languages"),
        pytest.param("what is said in C# about it?", id="a language that something is said in"),
        pytest.param("the #1 priority of #2026", id="numbers"),
        pytest.param("what did we say about #nowhere?", id="a topic"),
        pytest.param("#raftlife is what we live for", id="a hashtag"),
        pytest.param("what is on the channel about?", id="no name"),
        pytest.param("what broke in general?", id="a word"),
        pytest.param("what happened in mid-november?", id="a word with a hyphen"),
        pytest.param("did it break in the same channel?", id="another word"),
    ],
)
def test_no_channel_is_named_by(text: str) -> None:
    assert read(text) == NamedPlaces()
