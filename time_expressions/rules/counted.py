"""Rules for discussions that are counted: "in our first session", "two discussions ago", "the last time we talked"."""

from time_expressions.chart import Grammar
from time_expressions.meanings import Reading

GRAMMAR = Grammar()
rule = GRAMMAR.rule

Counted = tuple[int, int]

_ONE = "session|discussion|conversation|chat|talk"
_MANY = "sessions|discussions|conversations|chats|talks"
_ANY = f"{_ONE}|{_MANY}"
_TALKED = "talked|spoke|chatted|met|discussed"
_WHOSE = "our|the|my|your|that"


@rule(
    "discussions",
    f"{_WHOSE} very? <nth> {_ONE}",
    f"<digit nth> {_ONE}",
    f"{_ONE} number? <count>",
    f"{_ONE} # ~<count>",
)
@rule("discussions", f"in|during|of|from <nth> {_ONE}")
def nth(_: Reading, number: int) -> Counted | None:
    """Read "our first session"."""
    return (number, number) if number >= 1 else None


@rule(
    "discussions",
    f"{_MANY} <count> through|to|and|-|until|till|~ <count>",
    f"{_ONE} <count> through|to|-|until <count>",
)
@rule(
    "discussions",
    f"{_MANY} # ~<count> through|to|and|- # ~<count>",
    f"from|between {_ONE} <count> to|and|through|until {_ONE} <count>",
)
@rule("discussions", f"from|between? {_WHOSE}? <nth> {_ANY}? through|to|until|till|and|- {_WHOSE}? <nth> {_ANY}")
@rule("discussions", f"from|between {_ONE} <count> to|and|through|until <count>")
def several(_: Reading, first: int, last: int) -> Counted | None:
    """Read "sessions 1 through 3"."""
    return (first, last) if 1 <= first <= last else None


@rule("discussions", f"{_WHOSE} first <count> {_MANY}")
def first_ones(_: Reading, count: int) -> Counted | None:
    """Read "the first three sessions"."""
    return (1, count) if count else None


@rule(
    "discussions",
    f"{_WHOSE} last|past|latest|previous|recent <count> {_MANY}",
    f"{_WHOSE} last|past [couple|few] of? {_MANY}",
)
def last_ones(_: Reading, count: int | str) -> Counted | None:
    """Read "the last two discussions"."""
    number = {"couple": 2, "few": 3}[count] if isinstance(count, str) else count
    return (-number, -1) if number else None


@rule("discussions", f"<count> {_ANY} ago|back", f"a couple [of]? {_MANY} ago")
def so_many_ago(_: Reading, count: int | str | None) -> Counted | None:
    """Read "two discussions ago": the latest was one ago."""
    number = count if isinstance(count, int) else 2
    return (-number, -number) if number else None


@rule(
    "discussions", f"{_WHOSE}? last|latest|previous|recent {_ONE}", f"{_WHOSE} most recent {_ONE}", f"a|one {_ONE} ago"
)
@rule(
    "discussions",
    f"the? last time we|i|you|they {_TALKED}",
    f"when we|they last {_TALKED}",
    f"{_WHOSE}|this current|present {_ONE}",
)
@rule("discussions", f"the? last time that? we had a {_ONE}")
def latest(_: Reading) -> Counted:
    """Read "the last time we talked"."""
    return (-1, -1)


@rule("last time", "the? last time")
def last_time(_: Reading) -> Counted:
    """Read "last time", said of nothing else."""
    return (-1, -1)


@rule("discussions", f"{_WHOSE}? {_ONE} before last", f"{_WHOSE}? {_ONE} before the last|latest|previous {_ONE}? one?")
@rule(
    "discussions",
    f"{_WHOSE}? time before last",
    f"not {_WHOSE}? last|latest {_ONE} ,? but|rather? the one before that|it?",
)
@rule("discussions", f"{_WHOSE}? {_ONE} before that|this one?", f"{_WHOSE}? second|next to last {_ONE}")
def before_latest(_: Reading) -> Counted:
    """Read "the session before last"."""
    return (-2, -2)


@rule("discussions", f"{_WHOSE}? {_ONE} before the one before last")
def three_ago(_: Reading) -> Counted:
    """Read "the session before the one before last"."""
    return (-3, -3)
