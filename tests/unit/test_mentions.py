"""Mentions keep whom they mean, and have the names that people read."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from memory.index.index_text import search_text, text_to_embed
from memory.mentions import in_discord, named, names_in, people_named, readable
from memory.message_text import words_of
from tests.builders import message

NAMES = {("@", 7): "Ben", ("@&", 5): "Potters", ("#", 9): "help"}
KEPT = "<@Ben:7> and <@&Potters:5>, see <#help:9> <:pot:3>"


def named_here(text: str) -> str:
    return named(text, lambda sign, mentioned: NAMES.get((sign, mentioned)))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("<@7> bring it", "<@Ben:7> bring it", id="a person"),
        pytest.param("<@!7>", "<@!Ben:7>", id="a person by nickname"),
        pytest.param("<@&5>", "<@&Potters:5>", id="a role"),
        pytest.param("in <#9>", "in <#help:9>", id="a channel"),
        pytest.param("<@8> <#10> <@&6>", "<@8> <#10> <@&6>", id="what is not known"),
        pytest.param(KEPT, KEPT, id="what has its name"),
        pytest.param("<@" + "9" * 30 + "> 7 < 9 <@ 7>", "<@" + "9" * 30 + "> 7 < 9 <@ 7>", id="no mention"),
    ],
)
def test_a_mention_gets_a_name_and_keeps_its_id(text: str, kept: str) -> None:
    assert named_here(text) == kept


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("a>b<c", "@a b c", id="brackets that would end the mention"),
        pytest.param("||", "<@7>", id="nothing but bars"),
        pytest.param("x||y|", "@x y", id="bars that would hide words"),
        pytest.param("ben | away", "@ben | away", id="a bar of a name"),
        pytest.param("[x](http://e.org)", "@[x] (http://e.org)", id="what would be a link"),
        pytest.param("two\nlines", "@two lines", id="two lines"),
        pytest.param("\u202eneb", "@neb", id="letters that turn the line around"),
        pytest.param("n" * 5000, "@" + "n" * 100, id="a name that never ends"),
        pytest.param("a:b:9", "@a:b:9", id="colons"),
    ],
)
def test_no_name_changes_what_stands_around_it(name: str, shown: str) -> None:
    assert readable(named("<@7>", lambda *_: name)) == shown


def test_what_is_kept_is_read_with_names() -> None:
    paris = ZoneInfo("Europe/Paris")

    assert readable(KEPT) == "@Ben and @Potters, see #help :pot:"
    assert (
        readable("<a:spin:12345> </chat now:4> <t:1793884200:F>") == ":spin: /chat now Thursday 5 November 2026 13:10"
    )
    assert readable("at <t:1793884200>", paris) == "at Thursday 5 November 2026 14:10"
    assert readable("<t:9999999999999> <t:-9999999999999:R>") == "<t:9999999999999> <t:-9999999999999:R>"


def test_where_discord_renders_only_people_and_roles_are_written_out() -> None:
    assert people_named(KEPT) == "@Ben and @Potters, see <#help:9> <:pot:3>"
    assert in_discord(KEPT) == "@Ben and @Potters, see <#9> <:pot:3>"


def test_both_indexes_know_who_was_mentioned() -> None:
    asked = message(content="<@Ben:7> bring <:pot:3> at <t:1793884200:R>")

    for text in (search_text(asked, ()), text_to_embed(asked)):
        assert "@Ben bring :pot: at Thursday 5 November 2026" in text
        assert "<" not in text
    assert "@Ben" in search_text(message(2, "yes"), [asked])


def test_the_names_of_people_come_with_the_message() -> None:
    users: list[dict[str, Any]] = [
        {"id": "7", "username": "ben7", "global_name": "Benjamin", "member": {"nick": "Ben"}},
        {"id": "8", "username": "cleo", "global_name": None},
        {"id": "x", "username": "junk"},
        {"username": 9},
    ]
    forwarded = {"content": "<@8>", "mentions": users[1:2]}

    assert names_in(users) == {7: "Ben", 8: "cleo"}
    assert words_of({"content": "<@7>", "mentions": users[:1], "message_snapshots": [{"message": forwarded}]}) == (
        "<@Ben:7>\n<@cleo:8>"
    )
    assert words_of({"content": "<@7> <@9>", "mentions": [None, 7, *users]}, lambda *_: "Dora") == "<@Ben:7> <@Dora:9>"
