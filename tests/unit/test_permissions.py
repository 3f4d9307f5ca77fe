"""Who may see and read a channel, decided from masks, beside discord.py's own permissions."""

from collections.abc import Iterable

import pytest

from bench.audience import DIFFERENT, compare
from bot.permissions import (
    ADMINISTRATOR,
    CONNECT,
    READ,
    READ_MESSAGE_HISTORY,
    READ_VOICE,
    VIEW_CHANNEL,
    ChannelFacts,
    GuildRules,
    Overwrite,
    RoleFacts,
    Witness,
)

GUILD, OWNER, ANA = 1, 2, 3
MOD, JAILED, VERIFIED, ADMIN, BOTS = 11, 12, 13, 14, 15
BOTH = VIEW_CHANNEL | READ_MESSAGE_HISTORY


def allow(target: int, permissions: int = BOTH, *, person: bool = False) -> Overwrite:
    return (target, not person, permissions, 0)


def deny(target: int, permissions: int = VIEW_CHANNEL, *, person: bool = False) -> Overwrite:
    return (target, not person, 0, permissions)


DESTINATION, SOURCE = 0, 1


def rules(
    destination: tuple[Overwrite, ...],
    source: tuple[Overwrite, ...],
    *,
    everyone: int = BOTH,
    need: tuple[int, ...] = READ,
) -> GuildRules:
    """Return the rules of two channels."""
    granted = {MOD: 0, JAILED: 0, VERIFIED: BOTH, ADMIN: ADMINISTRATOR}
    roles = [RoleFacts(GUILD, everyone), *(RoleFacts(*role) for role in granted.items()), RoleFacts(BOTS, BOTH, True)]
    return GuildRules(GUILD, OWNER, roles, [ChannelFacts(destination, READ), ChannelFacts(source, need)])


def witness(guild: GuildRules, restricting: Iterable[int] = ()) -> Witness | None:
    """Return who sees the destination and lacks the source; both ways of finding out have to agree."""
    sight, held = guild.sight(DESTINATION), guild.held(restricting)
    found = guild.witness(sight, SOURCE, restricting=held)
    assert bool(guild.closed(sight, restricting=held) >> SOURCE & 1) == (found is not None)
    return found


STAFF = (deny(GUILD), allow(MOD))


def test_masks_say_what_discord_py_says_of_every_set_of_roles() -> None:
    counts = compare(seed=20261130, cases=2000)

    assert {name: number for name, number in counts.items() if name.startswith(DIFFERENT)} == {}
    assert min(counts["left out"], counts["cases"] - counts["left out"]) > 300
    assert counts["with overwrites of people"] > 300
    assert counts["with restricting roles"] > 300


@pytest.mark.parametrize(
    ("everyone", "destination", "source", "role_ids"),
    [
        pytest.param(BOTH, (), STAFF, (), id="anybody sees it, and a role alone reads the source"),
        pytest.param(BOTH, (), (deny(JAILED),), (JAILED,), id="anybody sees it, and a role is denied the source"),
        pytest.param(
            BOTH, STAFF, (deny(JAILED),), (MOD, JAILED), id="a role opens it, and another is denied the source"
        ),
        pytest.param(BOTH, STAFF, (deny(GUILD), allow(VERIFIED)), (MOD,), id="a role opens it, another the source"),
        pytest.param(BOTH, STAFF, STAFF, None, id="the same role opens both"),
        pytest.param(BOTH, (*STAFF, deny(JAILED)), (deny(JAILED),), (MOD, JAILED), id="who opens it wins over denials"),
        pytest.param(BOTH, (deny(JAILED),), (deny(JAILED),), None, id="the same role is denied both"),
        pytest.param(BOTH, STAFF, (), None, id="the source is open to all"),
        pytest.param(BOTH, (), (deny(ADMIN),), None, id="administrators read everything"),
        pytest.param(BOTH, (), (deny(BOTS),), None, id="a bot is no reader"),
        pytest.param(0, (), (deny(VERIFIED, READ_MESSAGE_HISTORY),), (VERIFIED,), id="a role is granted sight"),
        pytest.param(0, (), (), None, id="a role is granted both"),
        pytest.param(0, (deny(VERIFIED),), STAFF, None, id="nobody but administrators sees it"),
        pytest.param(BOTH, (), (deny(99),), (99,), id="a role that is not known may be somebody's"),
        pytest.param(ADMINISTRATOR, (), (deny(GUILD),), None, id="all are administrators"),
    ],
)
def test_the_witness_against_showing_a_source_is(
    everyone: int, destination: tuple[Overwrite, ...], source: tuple[Overwrite, ...], role_ids: tuple[int, ...] | None
) -> None:
    found = witness(rules(destination, source, everyone=everyone))

    assert found == (None if role_ids is None else Witness(role_ids))


def test_the_chat_of_a_voice_channel_needs_connect_too() -> None:
    no_connect = (deny(JAILED, CONNECT),)

    assert witness(rules((), no_connect, everyone=BOTH | CONNECT, need=READ_VOICE)) == Witness((JAILED,))
    assert witness(rules((), no_connect, everyone=BOTH | CONNECT)) is None


# ---- roles that are assumed never to go with access


def witness_with(restricting: set[int], destination: tuple[Overwrite, ...]) -> Witness | None:
    return witness(rules(destination, (deny(JAILED),)), restricting)


def test_a_restricting_role_is_taken_never_to_go_with_a_role_that_opens_the_destination() -> None:
    assert witness_with(set(), STAFF) == Witness((MOD, JAILED))
    assert witness_with({VERIFIED}, STAFF) == Witness((MOD, JAILED))
    assert witness_with({JAILED}, STAFF) is None


def test_a_restricting_role_that_opens_the_destination_itself_is_still_a_witness() -> None:
    assert witness_with({JAILED}, (deny(GUILD), allow(MOD), allow(JAILED))) == Witness((JAILED,))


def test_nothing_is_taken_of_a_restricting_role_where_everyone_sees_the_destination() -> None:
    assert witness_with({JAILED}, ()) == Witness((JAILED,))


# ---- people with an overwrite of their own


def unknown(destination: tuple[Overwrite, ...], source: tuple[Overwrite, ...], person: int = ANA) -> bool:
    guild = rules(destination, source)
    return bool(guild.closed_to_unknown(person, DESTINATION) >> SOURCE & 1)


@pytest.mark.parametrize(
    ("destination", "source", "may_violate"),
    [
        pytest.param((*STAFF, allow(ANA, person=True)), STAFF, True, id="sees it, and may not have the role"),
        pytest.param((*STAFF, allow(ANA, person=True)), (), False, id="sees it, as all read the source"),
        pytest.param(
            (*STAFF, allow(ANA, person=True)), (*STAFF, allow(ANA, person=True)), False, id="sees and reads by name"
        ),
        pytest.param((), (deny(ANA, person=True),), True, id="is denied the source by name"),
        pytest.param(STAFF, (deny(ANA, person=True),), True, id="is denied the source, and might see it by a role"),
        pytest.param((*STAFF, deny(ANA, person=True)), (deny(ANA, person=True),), False, id="is denied both by name"),
        pytest.param((deny(GUILD),), (deny(ANA, person=True),), False, id="is denied the source, and nobody sees it"),
    ],
)
def test_a_person_whose_roles_are_not_known(
    destination: tuple[Overwrite, ...], source: tuple[Overwrite, ...], may_violate: bool
) -> None:
    assert unknown(destination, source) is may_violate


def test_the_owner_reads_everything() -> None:
    closed = (deny(OWNER, person=True), deny(GUILD))
    guild = rules((), closed)

    assert not unknown((), closed, person=OWNER)
    assert guild.readable(0, OWNER) >> SOURCE & 1
    assert not guild.readable(0, ANA) >> SOURCE & 1


def test_a_guild_whose_roles_are_not_known_has_no_rules() -> None:
    with pytest.raises(ValueError, match="not known"):
        GuildRules(GUILD, OWNER, [RoleFacts(MOD, BOTH)], [])
