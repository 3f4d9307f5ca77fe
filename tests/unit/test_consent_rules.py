"""What may not be kept: by author, by channel and by time."""

from dataclasses import replace
from typing import Any

import pytest

from memory.consent.pauses import Pause, begin, covered, end, in_force, merged
from memory.consent.rules import NO_RULES, Refusal, Rules, withdrawal
from memory.guild_settings import IGNORED_CHANNELS, PAUSES
from memory.message import Kind, Message
from tests.builders import FULL, deletion, edit, message, minute

GUILD, CHANNEL, THREAD, OTHER = 2, 1, 3, 30
ANA, BEN = 41, 42
LUNCH = Pause(start=minute(10), end=minute(20))


def said(number: float, **changes: Any) -> Message:
    return message(int(number * 10), sent_at=minute(number), **{"guild_id": GUILD, "author_id": BEN, **changes})


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        pytest.param(said(5, author_id=ANA), Refusal.PERSON, id="somebody who opted out"),
        pytest.param(said(1, author_id=ANA), Refusal.PERSON, id="what they said before"),
        pytest.param(said(5, author_id=ANA, kind=Kind.COMMAND), Refusal.PERSON, id="their question"),
        pytest.param(said(5), None, id="somebody else"),
        pytest.param(said(5, author_id=None), None, id="nobody known"),
        pytest.param(said(5, channel_id=OTHER), Refusal.CHANNEL, id="an ignored channel"),
        pytest.param(said(5, channel_id=OTHER, thread_id=THREAD), Refusal.CHANNEL, id="its thread"),
        pytest.param(said(5, channel_id=8, thread_id=OTHER), Refusal.CHANNEL, id="an ignored thread"),
        pytest.param(said(9.9), None, id="before a pause"),
        pytest.param(said(10), Refusal.PAUSE, id="as a pause begins"),
        pytest.param(said(19.9), Refusal.PAUSE, id="as a pause is nearly over"),
        pytest.param(said(20), None, id="as a pause ends"),
        pytest.param(said(15, guild_id=7), None, id="another server meanwhile"),
        pytest.param(said(15, guild_id=None), None, id="a direct message meanwhile"),
        pytest.param(edit(5, "new", at=15, guild_id=GUILD), Refusal.PAUSE, id="an edit in a pause"),
        pytest.param(edit(5, "new", at=25, guild_id=GUILD), None, id="an edit after a pause"),
        pytest.param(deletion(5, at=15, guild_id=GUILD), None, id="a deletion in a pause of what was said before"),
        pytest.param(deletion(15, at=25, guild_id=GUILD), Refusal.PAUSE, id="a deletion of what was said in a pause"),
    ],
)
def test_a_message_is_kept_or_not(state: Message, refusal: Refusal | None) -> None:
    rules = Rules(opted_out={ANA: minute(3)}, ignored={OTHER: minute(3)}, pauses={GUILD: (LUNCH,)})

    assert rules.refusal_of(state) is refusal
    assert NO_RULES.refusal_of(state) is None


def test_a_pause_of_a_channel_covers_its_threads_and_no_other_channel() -> None:
    rules = Rules(pauses={GUILD: (replace(LUNCH, channel_id=CHANNEL),)})

    assert rules.refusal_of(said(15)) is Refusal.PAUSE
    assert rules.refusal_of(said(15, thread_id=THREAD)) is Refusal.PAUSE
    assert rules.refusal_of(said(15, channel_id=OTHER)) is None


def test_who_opted_out_of_being_found_is_kept_but_not_named() -> None:
    rules = Rules(opted_out={ANA: minute(1)}, unlisted=frozenset({BEN}))

    assert rules.refusal_of(said(5)) is None
    assert [rules.names_as_knowing(person) for person in (ANA, BEN, 43)] == [False, False, True]


def test_what_is_asked_is_kept_of_those_whose_words_are() -> None:
    rules = Rules(opted_out={ANA: minute(1)}, ignored={OTHER: minute(1)}, pauses={GUILD: (LUNCH,)})

    assert rules.keeps_from(BEN, GUILD, CHANNEL, at=minute(5))
    assert not rules.keeps_from(ANA, GUILD, CHANNEL, at=minute(5))
    assert not rules.keeps_from(BEN, GUILD, OTHER, at=minute(5))
    assert not rules.keeps_from(BEN, GUILD, CHANNEL, at=minute(15))
    assert rules.keeps_from(BEN, None, CHANNEL, at=minute(15))


def test_a_withdrawal_holds_no_word_and_no_name_of_anybody() -> None:
    withdrawn = withdrawal(replace(FULL, deleted_at=None))

    assert withdrawn.deleted_at == FULL.edited_at
    assert withdrawn.key == FULL.key
    assert (withdrawn.author_id, withdrawn.author_name, withdrawn.content) == (None, "", "")
    assert (withdrawn.attachments, withdrawn.parts, withdrawn.reactions) == ((), (), ())


def test_a_pause_goes_on_until_it_is_ended() -> None:
    pauses = begin((), Pause(start=minute(1)))

    assert covered(pauses, minute(10_000), [CHANNEL])
    ended = end(pauses, at=minute(5), channel_id=None)
    assert ended == (Pause(start=minute(1), end=minute(5)),)
    assert not covered(ended, minute(5), [CHANNEL])


def test_a_new_pause_says_anew_until_when() -> None:
    pauses = begin(begin((), Pause(start=minute(1), end=minute(60))), Pause(start=minute(10), end=minute(20)))

    assert pauses == (Pause(start=minute(1), end=minute(20)),)


def test_to_end_the_pause_of_a_server_leaves_those_of_its_channels() -> None:
    of_channel = Pause(start=minute(1), channel_id=CHANNEL)
    pauses = end((Pause(start=minute(1)), of_channel), at=minute(5), channel_id=None)

    assert in_force(pauses, at=minute(6)) == (of_channel,)


def test_what_was_paused_stays_so_when_another_pause_is_over() -> None:
    pauses = end(begin((LUNCH,), Pause(start=minute(40))), at=minute(50), channel_id=None)

    assert pauses == (LUNCH, Pause(start=minute(40), end=minute(50)))


def test_pauses_that_touch_become_one() -> None:
    assert merged([Pause(start=minute(5), end=minute(9)), LUNCH, Pause(start=minute(20))]) == (
        Pause(start=minute(5), end=minute(9)),
        Pause(start=minute(10)),
    )


@pytest.mark.parametrize(
    "pauses",
    [(), (LUNCH,), (Pause(start=minute(1)), replace(LUNCH, channel_id=9))],
    ids=["none", "one", "of a channel, and one without an end"],
)
def test_pauses_survive_being_stored(pauses: tuple[Pause, ...]) -> None:
    assert PAUSES.load(PAUSES.dump(pauses)) == pauses


def test_ignored_channels_survive_being_stored() -> None:
    ignored = {OTHER: minute(1), CHANNEL: minute(2)}

    assert IGNORED_CHANNELS.load(IGNORED_CHANNELS.dump(ignored)) == ignored
