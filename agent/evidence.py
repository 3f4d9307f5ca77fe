"""Number the messages that one run shows to the model."""

import secrets
from collections.abc import Iterable

from memory.findings import Findings
from memory.messages import Kind, Message, MessageKey

BY_WORDS_ALONE = (
    "The embedding model is still loading, so this was searched by its words alone: ask again in a minute to have "
    "meanings compared as well."
)


class Evidence:
    """The messages that the tools of one run have shown, and which memories did not answer them."""

    def __init__(self, places: frozenset[int]) -> None:
        self.nonce = secrets.token_hex(6)
        """A word that nobody could write into a message beforehand; it is part of the fence."""
        self._places = places
        self._numbers: dict[MessageKey, int] = {}
        self._messages: dict[int, Message] = {}
        self._unreachable: set[str] = set()
        self._by_words_alone = False
        self._answers = 0
        self._failures = 0

    def admits(self, message: Message) -> bool:
        """Tell whether a message may be shown: a second lock, behind the one in memory itself."""
        return message.place_id in self._places and message.deleted_at is None and message.kind != Kind.ANSWER

    def number(self, message: Message) -> int:
        """Return the number of a message, giving it the next one when it is new."""
        number = self._numbers.setdefault(message.key, len(self._numbers) + 1)
        self._messages[number] = message
        return number

    def message(self, number: int) -> Message | None:
        """Return the message that was shown under a number."""
        return self._messages.get(number)

    def messages(self, numbers: Iterable[int]) -> dict[int, Message]:
        """Return the messages of those numbers that were shown."""
        return {number: self._messages[number] for number in numbers if number in self._messages}

    @property
    def contents(self) -> list[str]:
        """What the messages say that have been shown."""
        return [message.content for message in self._messages.values()]

    @property
    def names(self) -> frozenset[str]:
        """What the people and channels are called whose messages have been shown."""
        return frozenset(
            name for message in self._messages.values() for name in (message.author_name, message.channel_name)
        )

    def record(self, findings: Findings) -> None:
        """Remember that memory answered, and which part of it did not."""
        self._answers += 1
        self._unreachable.update(findings.unreachable)
        self._by_words_alone |= findings.by_words_alone

    def record_outage(self) -> None:
        """Remember that no memory answered a call."""
        self._failures += 1

    @property
    def shown_places(self) -> frozenset[int]:
        """The channels and threads of the messages that have been shown."""
        return frozenset(message.place_id for message in self._messages.values())

    @property
    def memory_is_out(self) -> bool:
        """Memory was asked, and never answered."""
        return self._failures > 0 and self._answers == 0

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the person about what could not be reached."""
        notes = [
            f"The {name} memory could not be reached, so messages may be missing here."
            for name in sorted(self._unreachable)
        ]
        if not notes and self._failures:
            notes.append("Memory did not answer every search, so messages may be missing here.")
        if self._by_words_alone:
            notes.append(BY_WORDS_ALONE)
        return tuple(notes)
