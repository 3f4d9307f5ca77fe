"""What a person sees of a message, whether it is made of text or of components."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from discord import ComponentType

from agent.types import Answer
from bot.buttons import Reply
from bot.layout import AnswerStyle, laid_out
from bot.rendering import render


class HasWords(Protocol):
    """A message of discord.py, or of the simulated Discord."""

    @property
    def content(self) -> str:
        """The text of a message that is no card."""

    @property
    def components(self) -> Any:
        """Its components, as objects of discord.py or as Discord's API writes them."""


def seen(message: HasWords | None) -> str:
    """Return all texts of a message, one below the other; no message has none."""
    if message is None:
        return ""
    texts = (str(_field(part, "content")) for part in _all(message.components) if _is(part, ComponentType.text_display))
    return "\n".join(filter(None, (message.content, *texts)))


def buttons(message: HasWords) -> dict[str, bool]:
    """Return the labels of the buttons under a message, or their emoji, each with whether it can be pressed."""
    found = (part for part in _all(message.components) if _is(part, ComponentType.button))
    return {_label(part): not _field(part, "disabled") for part in found}


def _label(button: Any) -> str:
    emoji = _field(button, "emoji")
    return str(_field(button, "label") or (emoji["name"] if isinstance(emoji, Mapping) else emoji))


def _all(components: Iterable[Any]) -> Iterator[Any]:
    for part in components:
        yield part
        yield from _all(_field(part, "components") or _field(part, "children") or ())


def _field(part: Any, name: str) -> Any:
    return part.get(name) if isinstance(part, Mapping) else getattr(part, name, None)


def _is(part: Any, kind: ComponentType) -> bool:
    found = _field(part, "type")
    return bool((found.value if isinstance(found, ComponentType) else found) == kind.value)


def posted(answer: Answer, time_zone: ZoneInfo) -> str:
    """Return all messages that an answer is shown as, as cards and as text."""
    shown = render(answer, time_zone)
    reply = Reply([shown.text], sources=shown.sources, notes=shown.notes)
    return "\n".join(posting.content for style in AnswerStyle for posting in laid_out(reply, style))
