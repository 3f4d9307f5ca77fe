"""Read a question that asks for a number or a list of what was said: "how often was raku mentioned?", "any links?".

"How many euro is the budget?" asks for what a message says, and is none of them: a question counts only when all of
its words are understood.
"""

from collections.abc import Callable
from dataclasses import replace

from memory.counting.activity_question import read_activity
from memory.counting.clauses import (
    EXACTLY,
    RELATIVE,
    by_length,
    clause,
    noun_at,
    person_in,
    predicate,
    tail,
    terms_of,
)
from memory.counting.request import CountRequest, Wanted
from memory.counting.words import (
    ADVERBS,
    ARTICLES,
    ASK,
    AT_THE_END,
    AUXILIARIES,
    BE,
    PEOPLE,
    POST_VERBS,
    Noun,
    Sought,
    Words,
    phrases,
    words,
    words_in,
)

_MOST_WORDS = 40  # of a question that asks for no more than a number

_HOW_OFTEN = phrases("""
    how many times, how often, how frequently, number of times, the number of times, count how often
    count how many times, count the times, what is the number of times, what's the number of times
""")
_HOW_MANY = phrases("""
    how many, in how many, total, count, count up, count all, tally, number of, the number of, total number of
    the total number of, what is the number of, what's the number of, what is the total number of
    what's the total number of, what was the number of, give me the number of, how many of
""")
_COUNT_OF = phrases("message count of, message count for, message count by, post count of, message count, post count")
_ORDERS = phrases("list, show, show me, show us, give me, give us, find, find me, get, get me, display, see, fetch")
_LISTS_OF = phrases("a list of, the list of, list of, a list with")
_ANY = phrases("""
    have you got, have we got, has anyone got, has anybody got, any, got any, do you have any, do you have
    do we have any, did we have any, are there, were there, is there, was there, have there been, has there been
    do we have, did we have
""")
_WHERE = phrases("""
    where is, where are, where was, where were, where's, wheres, where can i find, where do i find, where did we put
    what is, what's, whats, what was, what were, what are
""")
_WHO = phrases("""
    who, who has, who have, who had, who's, which person, which user, which member, which people, which users
    which members, what person, which of us
""")
_WHO_KNOWS = by_length(
    phrases("""
    who knows about, who knows most about, who knows a lot about, who knows something about, who knows anything about
    who knows much about, who knows best about, who knows the most about, who here knows about, who knows more about
    who is the expert on, who is the expert in, who is the expert for, who is an expert on, who is an expert in
    who is our expert on, who is our expert for, who are the experts on, who are the experts in, who are our experts on
    who's the expert on, who's an expert on, who is knowledgeable about, who is experienced with, who is good at
    who is good with, who has experience with, who has experience in, who has experience of, who can help with
    who can help me with, who can help us with, who could help with, who could help me with, who could help us with
    who should i ask about, who do i ask about, who can i ask about, who could i ask about, whom should i ask about
    whom can i ask about, who should we ask about, who do we ask about, who can we ask about, whom do i ask about
    """)
)
_FIRST, _LAST = words("first earliest"), words("last latest recently")
_MENTION_OF = phrases("mention of, mentions of, mention, mentions")

Form = Callable[[Words, frozenset[str]], CountRequest | None]


def read_request(text: str, *, called: frozenset[str] = frozenset()) -> CountRequest | None:
    """Return the number or the list that a question asks for, None when it asks for something else.

    `text` is the question without its time and its channels; `called` are the words, folded, that name its speakers.
    """
    said = words_in(text)
    said.skip_all(ASK)
    said.drop_last(AT_THE_END)
    if not 0 < len(said) <= _MOST_WORDS:
        return None
    return next((found for form in _FORMS if (found := form(said.copy(), called)) is not None), None)


def _how_often(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "how often did Ana mention cobalt", "how many times was raku mentioned"."""
    return clause(said, called) if said.take(_HOW_OFTEN) else None


def _how_many(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "how many links did Ben post", "number of messages from Cleo", "how many people talked about glaze"."""
    if said.take(_COUNT_OF):
        by = person_in(said.rest(), called) if said else CountRequest(wanted=Wanted.NUMBER)
        return by and replace(by, wanted=Wanted.NUMBER)
    if not said.take(_HOW_MANY):
        return None
    said.skip(ARTICLES | words("different distinct unique total"))
    if said.take_word(PEOPLE):
        if said.take(phrases("were active, are active, was active, have been active, active")):
            return None if said else CountRequest(wanted=Wanted.PEOPLE)
        said.skip(RELATIVE | words("of us you"))
        found = predicate(said, called)
        return found and replace(found, wanted=Wanted.PEOPLE)
    if said.take(phrases("mentions of, mentions")):
        return _mentions_of(said, called)
    noun = noun_at(said, called)
    return tail(said, noun, CountRequest(wanted=Wanted.NUMBER), called) if noun else None


def _mentions_of(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "cobalt by Ben are there" behind "how many mentions of"."""
    return tail(said, Noun(Sought.MESSAGES), CountRequest(wanted=Wanted.NUMBER), called, about=True)


def _who_most(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "who mentioned cobalt most often", "who has written the most messages"."""
    at = next((index for index, word in enumerate(said.folded) if word == "most"), None)
    if at is None:
        active = said.take(phrases("top posters, the top posters, who are the top posters, top chatters"))
        return CountRequest(wanted=Wanted.MOST) if active and not said else None
    if said.folded[at + 1 : at + 2] == ["recently"]:
        return None
    after = at + 1 + (said.folded[at + 1 : at + 2] in (["often"], ["frequently"], ["of"]))
    start = at - (said.folded[at - 1 : at] == ["the"])
    rest = said.without(said.at + start, said.at + after)
    asks_who = rest.take(_WHO)
    if rest.take(phrases("active, is active, are active, was active, were active")):
        rest.take_word(PEOPLE)
        return None if rest else CountRequest(wanted=Wanted.MOST)
    found = predicate(rest, called) if asks_who else None
    return found and replace(found, wanted=Wanted.MOST)


def _who_knows(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "who knows most about glaze", "who can help me with docker"."""
    terms = terms_of(said.rest()) if said.take(_WHO_KNOWS) else ""
    return CountRequest(wanted=Wanted.KNOWERS, terms=terms, certain=False) if terms else None


def _first_or_last(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "when was raku last mentioned", "who was the first to mention cobalt"."""
    folded = said.folded
    at = next((index for index, word in enumerate(folded) if word in _FIRST | _LAST), None)
    if at is None or said.word(0) not in words("who when which what whose the first last latest earliest"):
        return None
    if (both := _both_ends(said, at, called)) is not None:
        return both
    wanted = Wanted.FIRST if folded[at] in _FIRST else Wanted.LAST
    start = at - (folded[at - 1 : at] in (["the"], ["most"], ["very"]))
    start -= folded[start - 1 : start] == ["for"]
    after = at + 1
    is_time = folded[after : after + 1] == ["time"]
    after += folded[after : after + 1] in (["time"], ["person"], ["one"], ["member"], ["user"])
    after += is_time and folded[after : after + 1] == ["that"]
    rest = said.without(said.at + start, said.at + after)
    found = _first_or_last_of(rest.copy(), called) or (clause(rest, called) if is_time else None)
    return found and replace(found, wanted=wanted)


def _both_ends(said: Words, at: int, called: frozenset[str]) -> CountRequest | None:
    """Read "when was raku first and last mentioned", "first and last message of Ben"."""
    folded = said.folded
    after = at + 2 + (folded[at + 2 : at + 3] == ["the"])
    is_both = {*folded[at : at + 1], *folded[after : after + 1]} in ({"first", "last"}, {"earliest", "latest"})
    if not is_both or folded[at + 1] not in {"and", "or", "/", "&"}:
        return None
    rest = said.without(said.at + at - (folded[at - 1 : at] == ["the"]), said.at + after + 1)
    noun = noun_at(ahead := rest.copy(), called)
    found = tail(ahead, noun, CountRequest(wanted=Wanted.ENDS), called) if noun else None
    found = found or _first_or_last_of(rest, called)
    return found and replace(found, wanted=Wanted.ENDS)


def _first_or_last_of(rest: Words, called: frozenset[str]) -> CountRequest | None:
    mention = rest.copy()
    mention.take(phrases("when was, what was, who was, when is, where was, which was"))
    if mention.take(_MENTION_OF):
        return _mentions_of(mention, called)
    if rest.take(phrases("who was to, who is to, who to, who was the to")):
        return predicate(rest, called)
    if rest.take(_WHO):
        return predicate(rest, called)
    if (by := _was_active(rest.copy(), called)) is not None:
        return by
    if not rest.take_word(words("when")):
        rest.take(phrases("what was, what is, which was, which is"))
        return _single(rest, called)
    return clause(rest.copy(), called) or (clause(rest, called) if rest.take_word(words("was is")) else None)


def _was_active(rest: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "when was Ben active", "when was Ana here"."""
    if not rest.take(phrases("when was, when were, when is")):
        return None
    before = len(rest)
    rest.drop_last(phrases("active, seen, online, around, here, heard from, heard of"))
    return person_in(rest, called) if len(rest) < before else None


def _single(rest: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "picture that Ben posted" behind "the last"; of "the last pictures" there are several.

    The last message of all is no matter of counting.
    """
    noun = noun_at(rest, called)
    if noun is None or noun.is_file_name or rest.before.endswith("s"):
        return None
    found = tail(rest, noun, CountRequest(wanted=Wanted.LIST), called)
    return found if found and (found.terms or found.sought is not Sought.MESSAGES) else None


def _order(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "list all links", "show me the pictures"."""
    said.take(phrases("can i, could i, can we, could we, i want to, let me"))
    if not said.take(_ORDERS) and not said.is_at(("list", "of"), said.at) and not said.is_at(("a", "list"), said.at):
        return None
    said.take(_LISTS_OF)
    return _listed(said, called)


def _which(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "which links did Ben post", "what files were shared"."""
    return _listed(said, called) if said.take_word(words("which what")) else None


def _any(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "any YouTube links", "are there pictures of the kiln"."""
    return _listed(said, called) if said.take(_ANY) else None


def _did(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "did anyone post a picture", "were any files shared"."""
    ahead = said.copy()
    if ahead.take_word(BE | AUXILIARIES) and (listed := _listed(ahead, called)):
        return listed
    if not said.take_word(AUXILIARIES):
        return None
    found = said.find(
        phrases("post, posted, send, sent, share, shared, upload, uploaded, attach, attached, link, drop")
    )
    person = person_in(said.to(found[0]), called) if found else None
    if found is None or person is None:
        return None
    said.at += found[1]
    listed = _listed(said, called)
    return listed and (listed if listed.by else replace(listed, by=person.by, by_asker=person.by_asker))


def _who_posted(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "who posted that link to the tracker"; of "who posted pictures" the people are wanted."""
    if not said.take(phrases("who was it that, who was it who")) and not said.take(_WHO):
        return None
    said.skip(AUXILIARIES | ADVERBS)
    noun = noun_at(said, called) if said.take(POST_VERBS) else None
    if noun is None or noun.sought is Sought.MESSAGES:
        return None
    is_many = said.before.endswith("s")
    found = tail(said, noun, CountRequest(wanted=Wanted.LIST, certain=False), called)
    if found and is_many and not (found.terms or found.attribute or found.by):
        return replace(found, wanted=Wanted.PEOPLE, certain=True)
    return found


def _where(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "where is the link to the recipe"; it may mean something else."""
    return _listed(said, called, certain=False) if said.take(_WHERE) else None


def _bare(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "screenshots", "the PDF Ana posted", "mentions of raku"; it may mean something else."""
    if said.take(phrases("mentions of, all mentions of, every mention of")):
        found = _mentions_of(said, called)
        return found and replace(found, wanted=Wanted.LIST, certain=False)
    found = _listed(said, called, certain=False)
    is_noun_alone = found is not None and not (found.terms or found.attribute or found.by)
    return replace(found, certain=True) if found and is_noun_alone else found


def _listed(said: Words, called: frozenset[str], *, certain: bool = True) -> CountRequest | None:
    """Read what to list; messages are listed only when it is said which words they have."""
    noun = noun_at(said, called)
    if noun is None:
        return None
    exact = said.find(EXACTLY) is not None
    found = tail(said, noun, CountRequest(wanted=Wanted.LIST, certain=certain and not noun.is_file_name), called)
    if found and found.sought is Sought.MESSAGES and not (certain and exact and found.terms):
        return None
    return found


_FORMS: tuple[Form, ...] = (
    read_activity,
    _how_often,
    _how_many,
    _who_knows,
    _who_most,
    _first_or_last,
    _order,
    _which,
    _any,
    _did,
    _who_posted,
    _where,
    _bare,
)
