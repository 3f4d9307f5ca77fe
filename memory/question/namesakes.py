"""Render who shares a name that a question uses, and which channels it names are unknown, as sentences."""

from collections.abc import Sequence

from memory.names.known import KnownNames, Person
from memory.question.speakers import Speakers
from time_expressions.folding import folded

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MOST_LISTED = 5
_MOST_COUNTED = 50  # people; who they are says little then, and takes long to find
_LONGEST = 60  # characters of a name in a sentence


def namesakes(speakers: Speakers, names: KnownNames) -> tuple[str, ...]:
    """Return a sentence for each name of several people: "Two people are called Ana here: Ana and Ana Lima."."""
    return tuple(sentence for call, people in speakers.calls if (sentence := _sentence(call, people, names)))


def no_such_channels(unknown: Sequence[str]) -> str:
    """Return the sentence that channels are unknown, which is the same for those that are there and may not be read."""
    listed = [_short(name) for name in unknown[:_MOST_LISTED]]
    if len(unknown) > _MOST_LISTED:
        listed.append(f"{len(unknown) - _MOST_LISTED} more")
    return f"I know no channel {' or '.join(listed)} that I may show you here."


def _different(people: frozenset[Person], names: KnownNames) -> list[str]:
    """Return the newest name of each, but for somebody without an id whose name one of those with an id bore."""
    ids: list[Person] = [person for person in people if isinstance(person, int)]
    borne = {folded(name) for person in ids for name in names.names_of(person)}
    nameless = [person for person in people if isinstance(person, str) and person not in borne]
    newest = [name for person in [*ids, *nameless] if (name := names.name_of(person)) is not None]
    return sorted(newest, key=lambda name: (folded(name), name))


def _sentence(call: str, people: frozenset[Person], names: KnownNames) -> str:
    """Return who bears a name when several do, and else nothing."""
    if len(people) > _MOST_COUNTED:
        return f"Many people are called {_short(call)} here."
    different = _different(people, names)
    if len(different) <= 1:
        return ""
    count = _NUMBERS[len(different)] if len(different) < len(_NUMBERS) else str(len(different))
    listed = [_short(name) for name in different[:_MOST_LISTED]]
    if len(different) > _MOST_LISTED:
        listed.append(f"{len(different) - _MOST_LISTED} more")
    return f"{count.capitalize()} people are called {_short(call)} here: {', '.join(listed[:-1])} and {listed[-1]}."


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
