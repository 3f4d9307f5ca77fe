"""Lay out a reply as messages of Discord: as cards, which are made of components, or as plain text."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import discord
from discord.utils import MISSING

from bot.buttons import Buttons, Control, Reply, ReplyCard, ReplyView
from bot.rendering import CUT_NOTE, MESSAGE_LIMIT, NOTHING_TO_SAY, split_message

CARD_LIMIT = 4000  # characters that Discord takes in all texts of one message made of components
ROW_LIMIT = 5  # buttons side by side


class AnswerStyle(StrEnum):
    """What messages of the bot are made of."""

    CARD = "card"  # components: twice the room, and sources and buttons in the same message
    TEXT = "text"  # content, which other bots and Discord's own search read too


@dataclass(frozen=True, slots=True)
class _Form:
    """How much Discord takes: characters in a message, and how many messages one reply may be."""

    limit: int
    most: int
    between: str
    """What stands between two texts of a message where it is read as one."""
    source: str
    """What a line that names a source begins with."""


_FORMS = {
    AnswerStyle.CARD: _Form(limit=CARD_LIMIT, most=3, between="\n", source="-# "),
    AnswerStyle.TEXT: _Form(limit=MESSAGE_LIMIT, most=5, between="\n\n", source=""),
}
SOURCES = "**Sources**"


@dataclass(frozen=True, slots=True)
class Posting:
    """One message of a reply: texts one below the other, and buttons under them.

    With an `accent` the texts of a card stand in a container with a bar of that colour.
    """

    texts: tuple[str, ...]
    controls: tuple[Control, ...] = ()
    style: AnswerStyle = AnswerStyle.CARD
    accent: discord.Colour | None = None

    @property
    def content(self) -> str:
        """What a person reads in it, as one text: that of a card is as Discord's API gives its texts to a reader."""
        return _FORMS[self.style].between.join(self.texts)

    def view(self, buttons: Buttons) -> ReplyView | ReplyCard | None:
        """Return what the message is sent with besides content; `buttons` own what can be pressed."""
        if self.style is AnswerStyle.CARD:
            return ReplyCard(self._items(), self.controls, buttons)
        return ReplyView(self.controls, buttons) if self.controls else None

    def fields(self, view: ReplyView | ReplyCard | None) -> dict[str, Any]:
        """Return what discord.py's `send` and `edit` are called with; nothing in it pings."""
        content = {"content": self.content} if self.style is AnswerStyle.TEXT else {}
        return content | {"view": view or MISSING, "allowed_mentions": discord.AllowedMentions.none()}

    def _items(self) -> Iterator[Control]:
        texts = [discord.ui.TextDisplay[ReplyCard](text) for text in self.texts]
        if self.accent is None:
            yield from texts
        else:
            yield discord.ui.Container[ReplyCard](*texts, accent_colour=self.accent)
        for first in range(0, len(self.controls), ROW_LIMIT):
            yield discord.ui.ActionRow[ReplyCard](*self.controls[first : first + ROW_LIMIT])


def laid_out(reply: Reply, style: AnswerStyle) -> list[Posting]:
    """Return the messages that show a reply, each as Discord takes it; there is at least one.

    A reply that is too long is cut before its sources and notes are: without them nobody could check it. The last
    message has the buttons.
    """
    form = _FORMS[style]
    body = [piece for part in reply.parts for piece in _pieces(part, form)] or [NOTHING_TO_SAY]
    ending = _ending(reply, form)
    messages = [*_alone(body[:-1]), *_closed(body[-1], ending, form)]
    if len(messages) > form.most:
        cut = _pieces("\n".join(filter(None, (CUT_NOTE, ending))), form)[: form.most - 1]
        messages = _alone([*body[: form.most - len(cut)], *cut])
    return [
        Posting(texts, reply.buttons if number == len(messages) else (), style, reply.accent)
        for number, texts in enumerate(messages, 1)
    ]


def _closed(text: str, ending: str, form: _Form) -> list[tuple[str, ...]]:
    """Return the messages of the last text of a reply with what stands under it: one where there is room."""
    if not ending:
        return [(text,)]
    if len(text) + len(form.between) + len(ending) <= form.limit:
        return [(text, ending)]
    return _alone([text, *_pieces(ending, form)])


def _alone(texts: list[str]) -> list[tuple[str, ...]]:
    """Return a message for each text."""
    return [(text,) for text in texts]


def _ending(reply: Reply, form: _Form) -> str:
    lines = [f"{form.source}{line}" for line in (SOURCES, *reply.sources)] if reply.sources else []
    return "\n".join([*lines, *(f"-# {note}" for note in reply.notes)])


def _pieces(text: str, form: _Form) -> list[str]:
    """Split a text into as many pieces as a reply may have, and one more, without blank ones, which Discord refuses."""
    pieces: list[str] = []
    for piece in split_message(text, form.limit):
        if piece.strip():
            pieces.append(piece)
        if len(pieces) > form.most:
            break
    return pieces
