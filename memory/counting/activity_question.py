"""Read a question that asks when most was said, or how much when: "which day was busiest?", "how active is Ben?"."""

from dataclasses import replace

from memory.counting.clauses import clause, noun_at, person_in, tail
from memory.counting.request import CountRequest, Wanted
from memory.counting.results import Unit
from memory.counting.words import (
    ANYBODY,
    ARTICLES,
    BE,
    MYSELF,
    PEOPLE,
    PREPOSITIONS,
    Noun,
    Sought,
    Words,
    phrases,
    words,
)

_UNITS = {
    phrase: unit
    for unit, listed in {
        Unit.HOUR: "hour of the day, hours of the day, hour, hours, time of day, time of the day, times of day, time",
        Unit.WEEKDAY: "day of the week, days of the week, day of week, days of week, weekday, weekdays, week day",
        Unit.DAY: "day, days, date, dates",
        Unit.WEEK: "week, weeks",
        Unit.MONTH: "month, months",
    }.items()
    for phrase in phrases(listed)
}
_LONGEST_FIRST = tuple(sorted(_UNITS, key=len, reverse=True))

_HOW_MANY = phrases("how many, the number of, number of, how much, total, count, count all, the amount of, amount of")
_HOW_ACTIVE = phrases("""
    how active, how busy, how lively, how much activity, how much is going on, how much went on, how much was going on
""")
_ACTIVITY = phrases("message activity, chat activity, activity, the activity, activity level")
_EACH = words("per a an each every by")
_BUSIEST = words("busiest liveliest")
_BUSY = words("active busy lively often frequently")
_WITH_MOST = phrases("has, had, have, with, saw, got")
_SUBJECTS = phrases("it, this, this channel, this server, the server, the chat, the channel, things, here, this place")
_MOST_SUBJECTS = words("chat server channel discord")
_HABITS = words("is are do does")
_IN = phrases("on, at, in, during, around")


def read_activity(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Return which activity a question asks for, None when it asks for none."""
    return _how_active(said.copy(), called) or _per_unit(said.copy(), called) or _when_most(said.copy(), called)


def _how_active(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "how active was Ben", "how busy is this channel", "activity of Ana", "activity by weekday"."""
    is_noun = bool(said.take(_ACTIVITY))
    if not is_noun and not said.take(_HOW_ACTIVE):
        return None
    request = CountRequest(wanted=Wanted.ACTIVITY)
    if is_noun and (unit := _take_each(said)):
        request = replace(request, unit=unit)
    if is_noun and said and not said.take(phrases("of, by, from, for")):
        return None
    said.skip(BE | words("has have been there"))
    return _of(said, request, called)


def _per_unit(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "how many messages per day", "messages by weekday", "how many links a month did Ben post"."""
    has_number = bool(said.take(_HOW_MANY))
    said.skip(ARTICLES)
    noun = noun_at(said, called)
    unit = _take_each(said) if noun else None
    at_end = None if unit or noun is None else _unit_at_end(said)
    if noun is None or not (unit or at_end) or not (has_number or noun.sought is Sought.MESSAGES):
        return None
    found = tail(said, noun, CountRequest(wanted=Wanted.ACTIVITY), called)
    return found and replace(found, unit=unit or at_end)


def _unit_at_end(said: Words) -> Unit | None:
    """Drop "per day" from the end of what is left."""
    for at in range(said.at, said.end - 1):
        ahead = said.copy()
        ahead.at = at
        unit = _take_each(ahead)
        if unit is not None and not ahead:
            said.end = at
            return unit
    return None


def _take_each(said: Words) -> Unit | None:
    ahead = said.copy()
    unit = ahead.take(_LONGEST_FIRST) if ahead.take_word(_EACH) else ""
    if not unit:
        return None
    said.at = ahead.at
    return _UNITS[tuple(unit.split())]


def _when_most(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "which day was busiest", "when is Ben most active", "on which weekday do we talk most about glaze"."""
    rest = _without_most(said)
    if rest is None:
        return None
    rest.take(_IN)
    is_when = bool(rest.take_word(words("when")))
    if not is_when:
        rest.take(phrases("what is, what was, what's, what were, which, what"))
        rest.skip(ARTICLES)
    unit = rest.take(_LONGEST_FIRST)
    if not unit and not is_when:
        return None
    rest.take(phrases("of the week, of the day"))
    default = Unit.HOUR if rest.word(0) in _HABITS else Unit.DAY
    request = CountRequest(wanted=Wanted.ACTIVITY, unit=_UNITS[tuple(unit.split())] if unit else default, busiest=True)
    return _done(rest, request, called)


def _without_most(said: Words) -> Words | None:
    """Return a question without its "busiest", "most active" or "most often"; None when it has nothing of the kind."""
    folded = said.folded
    at = next((index for index, word in enumerate(folded) if word in _BUSIEST or word == "most"), None)
    if at is None or (folded[at + 1 : at + 2] and folded[at + 1] in ANYBODY | PEOPLE | words("of")):
        return None
    start = at - (folded[at - 1 : at] == ["the"] and at > 1)
    after = at + 1 + (folded[at] == "most" and folded[at + 1 : at + 2] != [] and folded[at + 1] in _BUSY)
    return said.without(said.at + start, said.at + after)


def _done(said: Words, request: CountRequest, called: frozenset[str]) -> CountRequest | None:
    """Read what is done when most is done: "was", "did Ben write", "has messages", "were links posted"."""
    if said.take(_WITH_MOST):
        return tail(said, noun_at(said, called) or Noun(Sought.MESSAGES), request, called)
    if (noun := noun_at(ahead := said.copy(), called)) is not None:
        return tail(ahead, noun, request, called)
    found = clause(said.copy(), called)
    if found is None and (not said or said.take_word(BE) or said.take(phrases("for, of"))):
        return _of(said, request, called)
    return found and replace(
        found, wanted=request.wanted, unit=request.unit, busiest=True, certain=_is_known(found, called)
    )


def _of(said: Words, request: CountRequest, called: frozenset[str]) -> CountRequest | None:
    """Read whose activity is asked for: everybody's when nobody is named."""
    said.take(_SUBJECTS)
    if not said or (said.folded[-1] in _MOST_SUBJECTS and set(said.folded) <= ARTICLES | _MOST_SUBJECTS):
        return request
    is_somebody = PREPOSITIONS.isdisjoint(said.folded) or not called.isdisjoint(said.folded)
    person = person_in(said, called) if is_somebody else None
    if person is None:
        return None
    return replace(request, by=person.by, by_asker=person.by_asker, certain=_is_known(person, called))


def _is_known(person: CountRequest, called: frozenset[str]) -> bool:
    """Return whether the question can mean nothing else: whoever it names is known to have spoken."""
    named = set(person.by.lower().split())
    return not named or not named.isdisjoint(called | MYSELF | ANYBODY)
