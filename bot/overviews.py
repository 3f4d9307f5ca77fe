"""Show an overview on Discord: as pages of text, made from what may be read where it is shown."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agent.markdown import inline
from bot.audience import Audience, Readers, audience_of
from bot.buttons import Reply
from bot.caller import Caller
from bot.moderators import refusal_to_answer
from bot.rendering import MESSAGE_LIMIT, day_and_time, excerpt, neutralised, render_text
from bot.renewal import MOST_RENEWALS, renewed_when
from bot.services import NOT_LOOKED_UP, Services
from memory.message import Message
from memory.preferences import Zone
from overviews.overview import Line, Overview, Section, Shown, Viewer
from time_expressions.conventions import date_order

LONGEST_WORDS = 300  # characters of the words of a line

RIGHTS_CHANGED = "Who may read what has changed here while I was looking, more than once, so I show nothing. Try again."
PRIVATE_HERE = "I cannot see this channel, so I do not know who reads here: ask for it without `public: True`."

Compose = Callable[[Viewer], Awaitable[Overview]]


def render_overview(overview: Overview, time_zone: ZoneInfo) -> list[str]:
    """Return the pages that show an overview, each of them a text that Discord takes; there is at least one."""
    pages: list[str] = []
    page = ""
    for line in _lines(overview, time_zone):
        if page and len(page) + len(line) + 1 > MESSAGE_LIMIT:
            pages.append(page)
            page = ""
        page = f"{page}\n{line}" if page else line.lstrip("\n")
    return [*pages, page]


def _lines(overview: Overview, time_zone: ZoneInfo) -> Iterator[str]:
    """Yield the lines of an overview, none of which is longer than a message."""
    yield f"**{_words(overview.title)}**"
    if overview.is_empty:
        yield _words(overview.empty)
    for section in overview.sections:
        yield from _section(section, time_zone)
    for note in overview.notes:
        yield f"-# {_words(note)}"


def _section(section: Section, time_zone: ZoneInfo) -> Iterator[str]:
    if not section.lines and not section.is_more:
        return
    if section.heading:
        yield f"\n**{_words(section.heading)}**"
    for line in section.lines:
        yield f"- {_line(line, time_zone)}"
    if section.is_more:
        yield f"-# {_words(section.is_more)}"


def _line(line: Line, time_zone: ZoneInfo) -> str:
    shown = [_words(line.words)] if line.words else []
    if line.message is not None:
        shown.append(_message(line.message, line.shown, time_zone))
    return neutralised(": ".join(filter(None, shown)))


def _message(message: Message, shown: Shown, time_zone: ZoneInfo) -> str:
    """Return what is shown of a message; its time, or else a word, is the link that opens it."""
    who = f"**{inline(message.author_name)}**" if Shown.AUTHOR in shown else ""
    where = (
        f"in {'' if message.guild_id is None else '#'}{inline(message.channel_name)}" if Shown.PLACE in shown else ""
    )
    when = day_and_time(message.sent_at, time_zone) if Shown.TIME in shown else "open"
    if message.link is not None:
        when = f"[{when}](<{message.link}>)"
    elif Shown.TIME not in shown:
        when = ""
    heading = ", ".join(filter(None, (" ".join(filter(None, (who, where))), when)))
    quote = excerpt(message) if Shown.QUOTE in shown else ""
    return ": ".join(filter(None, (heading, quote)))


def _words(text: str) -> str:
    return neutralised(inline(text, longest=LONGEST_WORDS))


class Viewing(NamedTuple):
    """Who asks for an overview with what it may be made from by now, and on whose clock that is."""

    viewer: Viewer
    must_be_private: bool
    """Whether it cannot be known who else would see it."""
    zone: Zone


async def viewing_of(caller: Caller, *, private: bool, services: Services, readers: Readers) -> Viewing:
    """Return who asks for an overview, and what it may be made from by now."""
    audience = await audience_of(caller, private=private, readers=readers)
    zone = await services.zone_of(caller.user.id, caller.guild_id)
    viewer = Viewer(
        guild=caller.guild_id,
        places=_usable(audience, private=private),
        person_id=caller.user.id,
        channel_id=caller.channel_id or 0,
        now=services.clock(),
        time_zone=zone.zone,
        date_order=date_order(
            locale=caller.locale and caller.locale.value, time_zone=zone.zone, setting=services.date_order
        ),
        private=private,
    )
    return Viewing(viewer, audience.must_be_private, zone)


def _usable(audience: Audience, *, private: bool) -> frozenset[int]:
    """Return the places that an overview may be made from: none where nobody knows who would see it."""
    return frozenset() if audience.must_be_private and not private else audience.places


async def overview_reply(
    caller: Caller,
    *,
    private: bool,
    compose: Compose,
    services: Services,
    readers: Readers,
    tries: int = MOST_RENEWALS,
) -> Reply:
    """Return the overview that `compose` makes for whoever asks; a ValueError of it is a sentence for them.

    It is made anew, so often at most, when somebody may not read any more what it was made from before it is shown.
    """
    if refusal := await refusal_to_answer(caller, services, private=private):
        return Reply(render_text(refusal))
    viewer, must_be_private, zone = await viewing_of(caller, private=private, services=services, readers=readers)
    if must_be_private and not private:
        return Reply(render_text(PRIVATE_HERE))
    try:
        overview = await compose(viewer)
    except ValueError as error:
        return Reply(render_text(inline(str(error), longest=LONGEST_WORDS)))
    if not zone.certain:
        overview = replace(overview, notes=(*overview.notes, NOT_LOOKED_UP.format(zone.zone.key)))

    async def is_outdated() -> bool:
        audience = await audience_of(caller, private=private, readers=readers)
        return not _usable(audience, private=private) >= viewer.places

    async def again(left: int) -> Reply:
        return await overview_reply(
            caller, private=private, compose=compose, services=services, readers=readers, tries=left
        )

    renew = renewed_when(is_outdated, again, tries=tries, otherwise=RIGHTS_CHANGED, command_id=caller.id)
    return Reply(render_overview(overview, viewer.time_zone), renew=renew)
