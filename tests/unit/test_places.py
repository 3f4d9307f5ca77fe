"""Places are learnt from what Discord says of them, and nothing is learnt of those that the bot may not see."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from bot.places import Places
from memory.consent.rules import Rules
from memory.places.state import PlaceKind, PlaceState
from tests.fakes_discord import NOW

GUILD, CHANNEL, FORUM, THREAD = 5, 10, 11, 20
SPOILER, OBFUSCATED = 1 << 21, 1 << 17


@dataclass
class FakeLog:
    """Remembers what it was given."""

    states: list[PlaceState] = field(default_factory=list)
    marks: list[tuple[object, ...]] = field(default_factory=list)

    def note(self, state: PlaceState) -> None:
        self.states.append(state)

    def note_guild_gone(self, guild_id: int, *, at: datetime) -> None:
        self.marks.append(("gone", guild_id))

    def note_channels(self, guild_id: int, listed: Collection[int], *, at: datetime) -> None:
        self.marks.append(("channels", guild_id, sorted(listed)))

    def note_active_threads(
        self, guild_id: int, listed: Collection[int], *, parents: Collection[int] | None, at: datetime
    ) -> None:
        self.marks.append(("threads", guild_id, sorted(listed), parents))

    async def private_threads(self, guild_id: int) -> Mapping[int, int]:
        return {}


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def places(log: FakeLog) -> Places:
    return Places(log, clock=lambda: NOW, guild_of=lambda _: None)


def channel(number: int = CHANNEL, **changes: Any) -> dict[str, Any]:
    return {"id": str(number), "guild_id": str(GUILD), "type": 0, "name": "general"} | changes


def thread(number: int = THREAD, **changes: Any) -> dict[str, Any]:
    metadata = {"archived": False, "locked": False}
    fields = {"type": 11, "name": "a title", "parent_id": str(CHANNEL), "thread_metadata": metadata}
    return channel(number, **(fields | changes))


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (0, PlaceKind.TEXT),
        (2, PlaceKind.VOICE),
        (4, PlaceKind.CATEGORY),
        (5, PlaceKind.ANNOUNCEMENT),
        (10, PlaceKind.ANNOUNCEMENT_THREAD),
        (11, PlaceKind.PUBLIC_THREAD),
        (12, PlaceKind.PRIVATE_THREAD),
        (13, PlaceKind.STAGE),
        (15, PlaceKind.FORUM),
        (16, PlaceKind.MEDIA),
        (99, PlaceKind.OTHER),
        ("0", PlaceKind.OTHER),
    ],
)
def test_a_place_is_of_the_kind_that_discord_says(number: object, kind: PlaceKind, places: Places) -> None:
    assert places.note_payload(channel(type=number)).kind is kind


def test_all_that_discord_says_of_a_channel_or_a_post_is_kept(places: Places, log: FakeLog) -> None:
    tags = [{"id": "1", "name": "solved"}, {"id": "2", "name": "bug"}]
    metadata = {"archived": True, "locked": True}

    places.note("CHANNEL_UPDATE", channel(FORUM, type=15, nsfw=True, flags=SPOILER, parent_id="3", available_tags=tags))
    places.note("THREAD_UPDATE", thread(parent_id=str(FORUM), thread_metadata=metadata, applied_tags=["2", "7"]))

    assert log.states == [
        PlaceState(
            place_id=FORUM,
            guild_id=GUILD,
            kind=PlaceKind.FORUM,
            seen_at=NOW,
            parent_id=3,
            name="general",
            age_restricted=True,
            spoiler=True,
            tags=("solved", "bug"),
        ),
        PlaceState(
            place_id=THREAD,
            guild_id=GUILD,
            kind=PlaceKind.PUBLIC_THREAD,
            seen_at=NOW,
            parent_id=FORUM,
            name="a title",
            archived=True,
            locked=True,
            tags=("bug",),
        ),
    ]


@pytest.mark.parametrize(
    "hidden", [{"name": "___hidden___"}, {"name": "secret", "flags": OBFUSCATED}], ids=["by name", "by flag"]
)
def test_a_channel_that_the_bot_may_not_see_is_never_renamed(
    hidden: dict[str, Any], places: Places, log: FakeLog
) -> None:
    places.note("CHANNEL_UPDATE", channel(nsfw=True, parent_id="3", **hidden))

    (state,) = log.states
    assert (state.name, state.hidden_since, state.parent_id, state.age_restricted) == ("", NOW, None, False)


def test_a_guild_tells_all_its_channels_and_its_active_threads(places: Places, log: FakeLog) -> None:
    guild = {"id": str(GUILD), "channels": [channel(guild_id=None), channel(FORUM, type=15)], "threads": [thread()]}

    places.note("GUILD_CREATE", guild)

    assert [(state.place_id, state.guild_id) for state in log.states] == [(10, GUILD), (11, GUILD), (20, GUILD)]
    assert log.marks == [("channels", GUILD, [CHANNEL, FORUM]), ("threads", GUILD, [THREAD], None)]


def test_a_guild_that_is_away_says_nothing_and_one_that_was_left_is_gone(places: Places, log: FakeLog) -> None:
    places.note("GUILD_CREATE", {"id": str(GUILD), "unavailable": True})
    places.note("GUILD_DELETE", {"id": str(GUILD), "unavailable": True})
    assert (log.states, log.marks) == ([], [])

    places.note("GUILD_DELETE", {"id": str(GUILD)})
    assert log.marks == [("gone", GUILD)]


@pytest.mark.parametrize("event", ["CHANNEL_DELETE", "THREAD_DELETE"])
def test_what_was_deleted_is_gone(event: str, places: Places, log: FakeLog) -> None:
    places.note(event, {"id": "20", "guild_id": "5", "parent_id": "10", "type": 11})

    (state,) = log.states
    assert (state.place_id, state.guild_id, state.parent_id, state.gone_at) == (THREAD, GUILD, CHANNEL, NOW)


def test_a_sync_of_threads_tells_which_of_some_channels_are_active(places: Places, log: FakeLog) -> None:
    threads = [thread(guild_id=None)]

    places.note("THREAD_LIST_SYNC", {"guild_id": "5", "channel_ids": ["10", "11"], "threads": threads})

    assert [(state.place_id, state.guild_id) for state in log.states] == [(THREAD, GUILD)]
    assert log.marks == [("threads", GUILD, [THREAD], [CHANNEL, FORUM])]


def test_a_page_names_no_guild_and_needs_none(places: Places) -> None:
    page = {key: value for key, value in thread().items() if key != "guild_id"}

    assert places.note_payload(page, guild_id=GUILD).guild_id == GUILD


@pytest.mark.parametrize("odd", [None, 7, [], {"a": 1}, True, "\ud800\0", 1.5, "9" * 25])
def test_a_field_of_an_unforeseen_form_costs_nothing_but_itself(odd: object, places: Places, log: FakeLog) -> None:
    fields = ("parent_id", "name", "flags", "nsfw", "thread_metadata", "applied_tags", "available_tags", "guild_id")
    for name in fields:
        state = places.note_payload({**thread(), name: odd})

        assert state.place_id == THREAD
        assert (state.name == "a title") is (name != "name")
    places.note("GUILD_CREATE", {"id": "5", "channels": [odd, channel(), {"id": odd}], "threads": odd})
    assert CHANNEL in {state.place_id for state in log.states}


def test_channels_that_are_marked_as_spoilers_are_learnt_and_unlearnt(places: Places) -> None:
    marked = channel(1, flags=SPOILER)

    places.note("GUILD_CREATE", {"id": str(GUILD), "channels": [marked, channel(2)]})
    places.note("CHANNEL_CREATE", channel(3, flags=SPOILER | 1))
    assert [number in places for number in (1, 2, 3)] == [True, False, True]

    places.note("CHANNEL_UPDATE", channel(1, name="___hidden___", flags=OBFUSCATED))
    assert 1 in places

    places.note("CHANNEL_UPDATE", channel(1))
    assert 1 not in places


def test_without_a_log_spoilers_are_known_all_the_same() -> None:
    places = Places(None, clock=lambda: NOW, guild_of=lambda _: None)

    places.note("GUILD_CREATE", {"id": str(GUILD), "channels": [channel(flags=SPOILER)], "threads": [thread()]})
    places.note("GUILD_DELETE", {"id": str(GUILD)})

    assert CHANNEL in places


@pytest.mark.parametrize(
    ("rules", "title"),
    [
        pytest.param(Rules(opted_out={77: NOW}), "", id="its owner has opted out"),
        pytest.param(Rules(ignored={CHANNEL: NOW}), "", id="its channel is ignored"),
        pytest.param(Rules(opted_out={78: NOW}, ignored={FORUM: NOW}), "a title", id="others"),
    ],
)
def test_the_title_of_a_thread_is_kept_where_its_owners_words_are(log: FakeLog, rules: Rules, title: str) -> None:
    places = Places(log, clock=lambda: NOW, guild_of=lambda _: None, rules=lambda: rules)

    places.note("THREAD_CREATE", thread(owner_id="77"))
    places.note("THREAD_LIST_SYNC", {"guild_id": str(GUILD), "threads": [thread(21, owner_id="77")]})
    places.note("CHANNEL_UPDATE", channel(name="general"))

    assert [state.name for state in log.states] == [title, title, "general"]
