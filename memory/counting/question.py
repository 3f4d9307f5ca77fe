"""Read a question that asks for a number or a list of what was said: "how often was raku mentioned?", "any links?".

"How many euro is the budget?" asks for what a message says, and is none of them: a question counts only when all of
its words are understood.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from memory.counting.words import (
    ADJECTIVES,
    ADVERBS,
    ANYBODY,
    ARTICLES,
    ASK,
    AT_THE_END,
    AUXILIARIES,
    BE,
    IS_MENTIONED,
    IS_POSTED,
    IS_USED,
    KINDS_OF_FILES,
    MENTION_VERBS,
    MODALS,
    MYSELF,
    NOUNS,
    PEOPLE,
    POST_VERBS,
    PREPOSITIONS,
    PRONOUNS,
    Noun,
    Sought,
    Words,
    is_quoted,
    phrases,
    unquoted,
    words,
    words_in,
)
from memory.stop_words import FUNCTION_WORDS


class Wanted(StrEnum):
    """What a question wants to know of the messages, links or files that it is about."""

    NUMBER = "how many there are"
    PEOPLE = "how many people they are by"
    MOST = "who has most of them"
    FIRST = "which was first"
    LAST = "which was last"
    LIST = "each of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRequest:
    """What to count or to list.

    `terms` are words that a message must have, in the form of a web search: all of them, "phrases" as they are.
    `attribute` is a word that a link or the name of a file must have, or the message around it ("youtube links").
    `by` is whose they are, as it is typed, empty for anybody's; `by_asker` when the asker's own are meant. When it is
    not `certain` that a list is wanted, nothing found means that something else was meant.
    """

    wanted: Wanted
    sought: Sought = Sought.MESSAGES
    terms: str = ""
    attribute: str = ""
    by: str = ""
    by_asker: bool = False
    certain: bool = True


_MOST_WORDS = 40  # of a question that asks for no more than a number
_MOST_NAME_WORDS = 6
_MOST_TERMS = 8
_MOST_ATTRIBUTES = 2

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
_IS_THERE = phrases("""
    are there, were there, is there, was there, have there been, has there been, there are, do we have, did we have
    have we got, exist
""")
_ANY = phrases("""
    have you got, have we got, has anyone got, has anybody got, any, got any, do you have any, do you have
    do we have any, did we have any, are there, were there, is there, was there, have there been, has there been
    do we have, did we have
""")
_WHERE = phrases("""
    where is, where are, where was, where were, where's, wheres, where can i find, where do i find, where did we put
    what is, what's, whats, what was, what were, what are
""")
_BY = phrases("by, from")
_RELATIVE = words("that which who")
_EXACTLY = phrases("""
    with the word, with the words, with the phrase, with the term, having the word, have the word, have the words
    has the word, that have the word, containing, containing the word, containing the words, that contain
    that contains, that contain the word, that contain the words, which contain, which contains, contain, contains
    contain the word, contained, mentioning, that mention, that mentions, that mentioned, which mention, which mentions
    mention, mentions, mentioned, saying, that say, which say, that use the word, that used the word, which use the word
""")
_LOOSELY = phrases("""
    about, are about, were about, is about, was about
    regarding, concerning, on, with, including, that talk about, that are about, that were about, on the topic of
    talking about, talk about, named, called, titled
""")
_HAVING = phrases("""
    with, have, has, had, having, that have, that had, which have, including, that include
    contain, contains, containing, that contain, which contain, that contained
""")
_TO = phrases("to, for")
_OF = phrases("of")
_WHO = phrases("""
    who, who has, who have, who had, who's, which person, which user, which member, which people, which users
    which members, what person, which of us
""")
_MOST_ACTIVE = (
    *phrases("who is active, who are active, who was active, who's active, who were active, active, top posters"),
    *phrases("who is the active, who are the active, who was the active, the top posters, the active, top chatters"),
    *phrases("who are the top posters, who is the top poster, top poster, most active"),
)
_FIRST, _LAST = words("first earliest"), words("last latest recently")
_MENTION_OF = phrases("mention of, mentions of, mention, mentions")
_WORD_AS_SUCH = phrases("""
    the word, the words, the term, the terms, the phrase, the name, the topic of, the topic, the subject of, the emoji
    the expression, word, term, phrase
""")

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
    return _clause(said, called) if said.take(_HOW_OFTEN) else None


def _how_many(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "how many links did Ben post", "number of messages from Cleo", "how many people talked about glaze"."""
    if said.take(_COUNT_OF):
        by = _person(said.rest(), called) if said else CountRequest(wanted=Wanted.NUMBER)
        return by and replace(by, wanted=Wanted.NUMBER)
    if not said.take(_HOW_MANY):
        return None
    said.skip(ARTICLES | words("different distinct unique total"))
    if said.take_word(PEOPLE):
        if said.take(phrases("were active, are active, was active, have been active, active")):
            return None if said else CountRequest(wanted=Wanted.PEOPLE)
        said.skip(_RELATIVE | words("of us you"))
        found = _predicate(said, called)
        return found and replace(found, wanted=Wanted.PEOPLE)
    if said.take(phrases("mentions of, mentions")):
        return _mentions_of(said, called)
    noun = _noun(said, called)
    return _tail(said, noun, CountRequest(wanted=Wanted.NUMBER), called) if noun else None


def _mentions_of(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "cobalt by Ben are there" behind "how many mentions of"."""
    return _tail(said, Noun(Sought.MESSAGES), CountRequest(wanted=Wanted.NUMBER), called, about=True)


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
    found = _predicate(rest, called) if asks_who else None
    return found and replace(found, wanted=Wanted.MOST)


def _first_or_last(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "when was raku last mentioned", "who was the first to mention cobalt"."""
    folded = said.folded
    at = next((index for index, word in enumerate(folded) if word in _FIRST | _LAST), None)
    if at is None or said.word(0) not in words("who when which what whose the first last latest earliest"):
        return None
    wanted = Wanted.FIRST if folded[at] in _FIRST else Wanted.LAST
    start = at - (folded[at - 1 : at] in (["the"], ["most"], ["very"]))
    start -= folded[start - 1 : start] == ["for"]
    after = at + 1
    is_time = folded[after : after + 1] == ["time"]
    after += folded[after : after + 1] in (["time"], ["person"], ["one"], ["member"], ["user"])
    after += is_time and folded[after : after + 1] == ["that"]
    rest = said.without(said.at + start, said.at + after)
    found = _first_or_last_of(rest.copy(), called) or (_clause(rest, called) if is_time else None)
    return found and replace(found, wanted=wanted)


def _first_or_last_of(rest: Words, called: frozenset[str]) -> CountRequest | None:
    mention = rest.copy()
    mention.take(phrases("when was, what was, who was, when is, where was, which was"))
    if mention.take(_MENTION_OF):
        return _mentions_of(mention, called)
    if rest.take(phrases("who was to, who is to, who to, who was the to")):
        return _predicate(rest, called)
    if rest.take(_WHO):
        return _predicate(rest, called)
    if not rest.take_word(words("when")):
        rest.take(phrases("what was, what is, which was, which is"))
        return _single(rest, called)
    return _clause(rest.copy(), called) or (_clause(rest, called) if rest.take_word(words("was is")) else None)


def _single(rest: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "picture that Ben posted" behind "the last"; of "the last pictures" there are several.

    The last message of all is no matter of counting.
    """
    noun = _noun(rest, called)
    if noun is None or noun.is_file_name or rest.before.endswith("s"):
        return None
    found = _tail(rest, noun, CountRequest(wanted=Wanted.LIST), called)
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
    person = _person(said.to(found[0]), called) if found else None
    if found is None or person is None:
        return None
    said.at += found[1]
    listed = _listed(said, called)
    return listed and (listed if listed.by else replace(listed, by=person.by, by_asker=person.by_asker))


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
    noun = _noun(said, called)
    if noun is None:
        return None
    exact = said.find(_EXACTLY) is not None
    found = _tail(said, noun, CountRequest(wanted=Wanted.LIST, certain=certain and not noun.is_file_name), called)
    if found and found.sought is Sought.MESSAGES and not (certain and exact and found.terms):
        return None
    return found


_FORMS: tuple[Form, ...] = (
    _how_often,
    _how_many,
    _who_most,
    _first_or_last,
    _order,
    _which,
    _any,
    _did,
    _where,
    _bare,
)


def _clause(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "did Ana mention cobalt", "was raku mentioned by Ben", "does raku come up"."""
    auxiliary = said.take_word(AUXILIARIES | BE)
    passive = _passive(said.copy(), called)
    if auxiliary in BE:
        return passive
    return _active(said, called) or passive


def _active(said: Words, called: frozenset[str]) -> CountRequest | None:
    found = said.find(_by_length(MENTION_VERBS, POST_VERBS), start=1)
    if found is None or any(said.is_at((word,), found[0] - 1) for word in BE):
        return None
    person = _person(said.to(found[0]), called)
    predicate = _predicate(said, called) if person else None
    return predicate and person and replace(predicate, by=person.by, by_asker=person.by_asker)


def _passive(said: Words, called: frozenset[str]) -> CountRequest | None:
    is_word = any(said.is_at(phrase, said.at) for phrase in _WORD_AS_SUCH) or not said.word(0)[:1].isalnum()
    verbs = _by_length(IS_MENTIONED, IS_POSTED, IS_USED if is_word else ())
    found = said.find(verbs, start=1)
    if found is None:
        return None
    matter = said.to(found[0])
    matter.drop_last(tuple((word,) for word in ADVERBS | BE | words("have has had to")))
    verb = said.take(verbs)
    person = _by_somebody(said, called) if said else CountRequest(wanted=Wanted.NUMBER)
    noun = _whole_noun(matter.copy(), called)
    if person is None or not matter:
        return None
    if tuple(verb.split()) in IS_POSTED and not is_word:
        return replace(person, sought=noun.sought, attribute=noun.attribute) if noun else None
    terms = _terms(matter)
    return replace(person, terms=terms) if terms else None


def _predicate(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "mentioned cobalt", "has posted pictures", "talks"."""
    said.skip(AUXILIARIES | ADVERBS | words("been"))
    verb = said.take(_by_length(MENTION_VERBS, POST_VERBS))
    if not verb:
        return None
    request = CountRequest(wanted=Wanted.NUMBER)
    if tuple(verb.split()) not in POST_VERBS:
        terms = _terms(said.rest())
        return replace(request, terms=terms) if terms else None
    if not said or said.folded in (["something"], ["anything"], ["messages"]):
        return request
    noun = _noun(ahead := said.copy(), called)
    if noun and (found := _tail(ahead, noun, request, called)):
        return found
    may_be_words = verb.split()[0] in words("write writes wrote written type typed post posted send sent")
    terms = _terms(said.rest()) if may_be_words and said.word(0) not in PREPOSITIONS else ""
    return replace(request, terms=terms) if terms else None


def _by_length(*lists: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted((phrase for some in lists for phrase in some), key=len, reverse=True))


def _tail(
    said: Words, noun: Noun, request: CountRequest, called: frozenset[str], *, about: bool = False
) -> CountRequest | None:
    """Read what is said of a noun up to the end: "about glaze", "from Ana", "were posted", "did Ben share"."""
    found: CountRequest | None = replace(request, sought=noun.sought, attribute=noun.attribute, by=noun.by)
    if about:
        found = _with_terms(said, request, called)
    while said and found is not None:
        before = len(said)
        found = _next_clause(said, found, called)
        if len(said) == before:
            return None
    return found


def _next_clause(said: Words, found: CountRequest, called: frozenset[str]) -> CountRequest | None:
    if said.take(_IS_THERE) or _take_posted(said):
        return found
    if found.sought is Sought.MESSAGES and not found.terms and (other := _of_messages(said, found, called)):
        return other
    if said.take(_EXACTLY) or said.take(_LOOSELY):
        return _with_terms(said, found, called)
    if found.sought is not Sought.MESSAGES and (leading := said.take(_OF) or said.take(_TO)):
        leads_there = found.sought is Sought.LINKS and leading != "of"
        return (_leading_to if leads_there else _with_terms)(said, found, called)
    if said.take(_BY) or said.take(_OF):
        return _of_somebody(said, found, called)
    return _that_somebody_posted(said, found, called)


def _that_somebody_posted(said: Words, found: CountRequest, called: frozenset[str]) -> CountRequest | None:
    """Read "did Ana post", "that Ben shared"."""
    said.skip(_RELATIVE)
    auxiliary = said.take_word(AUXILIARIES)
    verb = said.find(_by_length(POST_VERBS, phrases("mention, mentioned")), start=1)
    person = _person(said.to(verb[0]), called) if verb else None
    if verb is None or person is None or (not auxiliary and not (person.by or person.by_asker)):
        return None
    said.at += verb[1]
    return replace(found, by=person.by or found.by, by_asker=person.by_asker)


def _of_messages(said: Words, found: CountRequest, called: frozenset[str]) -> CountRequest | None:
    """Read "with attachments", "is raku mentioned"; None, and nothing taken, for anything else."""
    if (sought := _having(said, called)) is not None:
        return replace(found, sought=sought)
    clause = _mentioned_there(said, called)
    return replace(found, terms=clause.terms, by=clause.by or found.by) if clause else None


def _having(said: Words, called: frozenset[str]) -> Sought | None:
    """Take "with attachments", "that contain a link"."""
    ahead = said.copy()
    noun = _noun(ahead, frozenset()) if ahead.take(_HAVING) else None
    if noun is None or noun.attribute or noun.sought is Sought.MESSAGES or _end_of_matter(said, called) > ahead.at:
        return None
    said.at = ahead.at
    return noun.sought


def _mentioned_there(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Take all of "is cobalt mentioned" behind "in how many messages"."""
    ahead = said.copy()
    clause = _passive(ahead, called) if ahead.take_word(BE) else None
    if clause is not None:
        said.at = said.end
    return clause if clause and clause.terms else None


def _take_posted(said: Words) -> bool:
    """Take "were posted", "that have been shared"."""
    ahead = said.copy()
    ahead.skip(_RELATIVE)
    ahead.skip(BE | words("have has had"))
    if not ahead.take(IS_POSTED):
        return False
    said.at = ahead.at
    return True


def _leading_to(said: Words, found: CountRequest, called: frozenset[str]) -> CountRequest | None:
    """Read what a link leads to: one word may be in its address alone."""
    terms = _terms(said.to(_end_of_matter(said, called)))
    if not terms or " " in terms or found.attribute:
        return replace(found, terms=f"{found.terms} {terms}".strip()) if terms else None
    return replace(found, attribute=terms)


def _of_somebody(said: Words, found: CountRequest, called: frozenset[str]) -> CountRequest | None:
    """Read whose something is; "links from youtube" are nobody's."""
    part = said.to(_end_of_person(said, called))
    if found.sought is Sought.LINKS and len(part) == 1 and part.word(0) not in called | MYSELF | ANYBODY:
        return replace(found, attribute=part.written)
    person = _person(part, called)
    return person and replace(found, by=person.by, by_asker=person.by_asker)


def _by_somebody(said: Words, called: frozenset[str]) -> CountRequest | None:
    return _person(said.rest(), called) if said.take(_BY) else None


def _with_terms(said: Words, found: CountRequest, called: frozenset[str]) -> CountRequest | None:
    terms = _terms(said.to(_end_of_matter(said, called)))
    return replace(found, terms=f"{found.terms} {terms}".strip()) if terms else None


def _end_of_matter(said: Words, called: frozenset[str]) -> int:
    """Return where the words that something is about end: before "were posted", "did Ana write", "by Ben"."""
    for at in range(said.at + 1, said.end):
        ahead = said.copy()
        ahead.at = at
        if ahead.take(_IS_THERE) or (ahead.word(0) in BE | words("have has that which") and _take_posted(ahead)):
            return at
        if ahead.word(0) in AUXILIARIES and ahead.find(POST_VERBS, start=2):
            return at
        if ahead.take(_BY) and ahead.folded and ahead.folded[0].removesuffix("'s") in called | MYSELF | ANYBODY:
            return at
    return said.end


def _end_of_person(said: Words, called: frozenset[str]) -> int:
    """Return where the words end that say whose something is: before "that mention", "about", "were posted"."""
    found = said.find(_by_length(_EXACTLY, _LOOSELY), start=1)
    return min(_end_of_matter(said, called), found[0] if found else said.end)


def _person(part: Words, called: frozenset[str]) -> CountRequest | None:
    """Return whose words are meant, in a request that asks for nothing else; None when it can be nobody's."""
    folded = [word for word in part.folded if word not in ADVERBS | AUXILIARIES]
    part.skip(ADVERBS | AUXILIARIES)
    part.drop_last(tuple((word,) for word in ADVERBS | AUXILIARIES))
    request = CountRequest(wanted=Wanted.NUMBER)
    if not 0 < len(folded) <= _MOST_NAME_WORDS:
        return None
    if set(folded) <= MYSELF:
        return replace(request, by_asker=True)
    if set(folded) <= ANYBODY | ARTICLES and set(folded) & ANYBODY:
        return request
    if folded[0] in ARTICLES | PRONOUNS | MODALS and not set(folded) & called:
        return None
    return replace(request, by=part.written)


def _noun(said: Words, called: frozenset[str]) -> Noun | None:
    """Take a noun for what is counted, with the words in front of it."""
    said.skip(ARTICLES | ADJECTIVES)
    by = ""
    if said.word(0) == "my":
        return None
    if said.word(0).endswith(("'s", "s'")) and said.word(0).rstrip("s").rstrip("'") in called:
        by = said.to(said.at + 1).written.rstrip("s").rstrip("'\N{RIGHT SINGLE QUOTATION MARK}")
        said.skip(ADJECTIVES)
    for number in range(_MOST_ATTRIBUTES + 1):
        ahead = said.copy()
        attribute = ahead.to(min(ahead.at + number, ahead.end))
        if any(not _is_attribute(word) for word in attribute.folded):
            break
        noun = ahead.take(_by_length(tuple(NOUNS)))
        if noun and not any(ahead.is_at(other, ahead.at) for other in NOUNS):
            said.at = ahead.at
            return Noun(NOUNS[tuple(noun.split())], attribute.written, by)
    name = said.take_word(KINDS_OF_FILES)
    return Noun(Sought.FILES, name, by, is_file_name=True) if name else None


def _whole_noun(said: Words, called: frozenset[str]) -> Noun | None:
    noun = _noun(said, called)
    return None if said else noun


def _is_attribute(word: str) -> bool:
    is_verb = (word,) in POST_VERBS and (word,) not in NOUNS
    return word[:1].isalnum() and word not in FUNCTION_WORDS | PREPOSITIONS | AUXILIARIES and not is_verb


def _terms(part: Words) -> str:
    """Return the words that messages must have, as one searches the web; empty when they say nothing by themselves."""
    part.skip(words("that"))
    part.take(_WORD_AS_SUCH)
    written = part.written
    if is_quoted(written):
        return f'"{unquoted(written)}"'
    part.skip(ARTICLES)
    folded = part.folded
    if not 0 < len(folded) <= _MOST_TERMS or folded[0] in PRONOUNS | PREPOSITIONS:
        return ""
    if not AUXILIARIES.isdisjoint(folded) or "#" in folded:
        return ""
    return part.written
