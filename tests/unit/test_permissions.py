"""Who may see and read a channel, decided from masks, beside discord.py's own permissions."""

import pytest

from bench.audience import DIFFERENT, compare
from bot.permissions import (
    ADMINISTRATOR,
    CONNECT,
    READ,
    READ_MESSAGE_HISTORY,
    READ_VOICE,
    VIEW_CHANNEL,
    ChannelRules,
    GuildRules,
    Overwrite,
    RoleFacts,
    Witness,
)

GUILD, OWNER, ANA = 1, 2, 3
MOD, JAILED, VERIFIED, ADMIN, BOTS = 11, 12, 13, 14, 15
BOTH = VIEW_CHANNEL | READ_MESSAGE_HISTORY


def allow(target: int, permissions: int = BOTH, *, person: bool = False) -> Overwrite:
    return Overwrite(target, not person, permissions, 0)


def deny(target: int, permissions: int = VIEW_CHANNEL, *, person: bool = False) -> Overwrite:
    return Overwrite(target, not person, 0, permissions)


def rules(everyone: int = BOTH) -> GuildRules:
    granted = {MOD: 0, JAILED: 0, VERIFIED: BOTH, ADMIN: ADMINISTRATOR}
    roles = [RoleFacts(GUILD, everyone), *(RoleFacts(*role) for role in granted.items()), RoleFacts(BOTS, BOTH, True)]
    return GuildRules(GUILD, OWNER, roles)


STAFF = (deny(GUILD), allow(MOD))


def test_masks_say_what_discord_py_says_of_every_set_of_roles() -> None:
    counts = compare(seed=20261130, cases=300)

    assert {name: number for name, number in counts.items() if name.startswith(DIFFERENT)} == {}
    assert min(counts["left out"], counts["cases"] - counts["left out"]) > 40
    assert counts["with overwrites of people"] > 50
    assert counts["with restricting roles"] > 50


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
    guild = rules(everyone)

    witness = guild.witness(guild.channel(destination), guild.channel(source), READ)

    assert witness == (None if role_ids is None else Witness(role_ids))


def test_the_chat_of_a_voice_channel_needs_connect_too() -> None:
    guild = rules(BOTH | CONNECT)
    open_to_all, voice = guild.channel(()), guild.channel((deny(JAILED, CONNECT),))

    assert guild.witness(open_to_all, voice, READ_VOICE) == Witness((JAILED,))
    assert guild.witness(open_to_all, voice, READ) is None


# ---- roles that are assumed never to go with access


def witness_with(restricting: set[int], destination: tuple[Overwrite, ...], everyone: int = BOTH) -> Witness | None:
    guild = rules(everyone)
    held = guild.held(restricting)
    return guild.witness(guild.channel(destination), guild.channel((deny(JAILED),)), READ, restricting=held)


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
    guild = rules()
    found = guild.witness_of_unknown(guild.channel(destination), guild.channel(source), READ, person_id=person)
    assert found in {None, Witness(person_id=person, certain=False)}
    return found is not None


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
    guild = rules()
    channel: ChannelRules = guild.channel(closed)

    assert not unknown((), closed, person=OWNER)
    assert guild.may(channel, READ, held=0, person_id=OWNER)
    assert not guild.may(channel, READ, held=0, person_id=ANA)


def test_a_guild_whose_roles_are_not_known_has_no_rules() -> None:
    with pytest.raises(ValueError, match="not known"):
        GuildRules(GUILD, OWNER, [RoleFacts(MOD, BOTH)])
