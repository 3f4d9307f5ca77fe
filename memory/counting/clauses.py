"""Read the parts of a question for a number or a list: clauses, nouns, people, and the words that messages have."""

from dataclasses import replace

from memory.counting.request import CountRequest, Wanted
from memory.counting.words import (
    ADJECTIVES,
    ADVERBS,
    ANYBODY,
    ARTICLES,
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
)
from memory.stop_words import FUNCTION_WORDS

_MOST_NAME_WORDS = 6
_MOST_TERMS = 8
_MOST_ATTRIBUTES = 2
_IS_THERE = phrases("""
    are there, were there, is there, was there, have there been, has there been, there are, do we have, did we have
    have we got, exist
""")
_BY = phrases("by, from")
RELATIVE = words("that which who")
EXACTLY = phrases("""
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
_WORD_AS_SUCH = phrases("""
    the word, the words, the term, the terms, the phrase, the name, the topic of, the topic, the subject of, the emoji
    the expression, word, term, phrase
""")


def clause(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "did Ana mention cobalt", "was raku mentioned by Ben", "does raku come up"."""
    auxiliary = said.take_word(AUXILIARIES | BE)
    passive = _passive(said.copy(), called)
    if auxiliary in BE:
        return passive
    return _active(said, called) or passive


def _active(said: Words, called: frozenset[str]) -> CountRequest | None:
    found = said.find(by_length(MENTION_VERBS, POST_VERBS), start=1)
    if found is None or any(said.is_at((word,), found[0] - 1) for word in BE):
        return None
    person = person_in(said.to(found[0]), called)
    done = predicate(said, called) if person else None
    return done and person and replace(done, by=person.by, by_asker=person.by_asker)


def _passive(said: Words, called: frozenset[str]) -> CountRequest | None:
    is_word = any(said.is_at(phrase, said.at) for phrase in _WORD_AS_SUCH) or not said.word(0)[:1].isalnum()
    verbs = by_length(IS_MENTIONED, IS_POSTED, IS_USED if is_word else ())
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
    terms = terms_of(matter)
    return replace(person, terms=terms) if terms else None


def predicate(said: Words, called: frozenset[str]) -> CountRequest | None:
    """Read "mentioned cobalt", "has posted pictures", "talks"."""
    said.skip(AUXILIARIES | ADVERBS | words("been"))
    verb = said.take(by_length(MENTION_VERBS, POST_VERBS))
    if not verb:
        return None
    request = CountRequest(wanted=Wanted.NUMBER)
    is_anything = said.folded in (["something"], ["anything"])
    if tuple(verb.split()) not in POST_VERBS and not is_anything:
        terms = terms_of(said.rest())
        return replace(request, terms=terms) if terms else None
    if not said or is_anything or said.folded == ["messages"]:
        return request
    noun = noun_at(ahead := said.copy(), called)
    if noun and (found := tail(ahead, noun, request, called)):
        return found
    may_be_words = verb.split()[0] in words("write writes wrote written type typed post posted send sent")
    terms = terms_of(said.rest()) if may_be_words and said.word(0) not in PREPOSITIONS else ""
    return replace(request, terms=terms) if terms else None


def by_length(*lists: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Return the phrases of some lists, the longest first."""
    return tuple(sorted((phrase for some in lists for phrase in some), key=len, reverse=True))


def tail(
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
    if said.take(EXACTLY) or said.take(_LOOSELY):
        return _with_terms(said, found, called)
    if found.sought is not Sought.MESSAGES and (leading := said.take(_OF) or said.take(_TO)):
        leads_there = found.sought is Sought.LINKS and leading != "of"
        return (_leading_to if leads_there else _with_terms)(said, found, called)
    if said.take(_BY) or said.take(_OF):
        return _of_somebody(said, found, called)
    return _that_somebody_posted(said, found, called)


def _that_somebody_posted(said: Words, found: CountRequest, called: frozenset[str]) -> CountRequest | None:
    """Read "did Ana post", "that Ben shared"."""
    said.skip(RELATIVE)
    auxiliary = said.take_word(AUXILIARIES)
    verb = said.find(by_length(POST_VERBS, phrases("mention, mentioned")), start=1)
    person = person_in(said.to(verb[0]), called) if verb else None
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
    noun = noun_at(ahead, frozenset()) if ahead.take(_HAVING) else None
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
    ahead.skip(RELATIVE)
    ahead.skip(BE | words("have has had"))
    if not ahead.take(IS_POSTED):
        return False
    said.at = ahead.at
    return True


def _leading_to(said: Words, found: CountRequest, called: frozenset[str]) -> CountRequest | None:
    """Read what a link leads to: one word may be in its address alone."""
    terms = terms_of(said.to(_end_of_matter(said, called)))
    if not terms or " " in terms or found.attribute:
        return replace(found, terms=f"{found.terms} {terms}".strip()) if terms else None
    return replace(found, attribute=terms)


def _of_somebody(said: Words, found: CountRequest, called: frozenset[str]) -> CountRequest | None:
    """Read whose something is; "links from youtube" are nobody's."""
    part = said.to(_end_of_person(said, called))
    if found.sought is Sought.LINKS and len(part) == 1 and part.word(0) not in called | MYSELF | ANYBODY:
        return replace(found, attribute=part.written)
    person = person_in(part, called)
    return person and replace(found, by=person.by, by_asker=person.by_asker)


def _by_somebody(said: Words, called: frozenset[str]) -> CountRequest | None:
    return person_in(said.rest(), called) if said.take(_BY) else None


def _with_terms(said: Words, found: CountRequest, called: frozenset[str]) -> CountRequest | None:
    terms = terms_of(said.to(_end_of_matter(said, called)))
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
    found = said.find(by_length(EXACTLY, _LOOSELY), start=1)
    return min(_end_of_matter(said, called), found[0] if found else said.end)


def person_in(part: Words, called: frozenset[str]) -> CountRequest | None:
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


def noun_at(said: Words, called: frozenset[str]) -> Noun | None:
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
        noun = ahead.take(by_length(tuple(NOUNS)))
        if noun and not any(ahead.is_at(other, ahead.at) for other in NOUNS):
            said.at = ahead.at
            return Noun(NOUNS[tuple(noun.split())], attribute.written, by)
    name = said.take_word(KINDS_OF_FILES)
    return Noun(Sought.FILES, name, by, is_file_name=True) if name else None


def _whole_noun(said: Words, called: frozenset[str]) -> Noun | None:
    noun = noun_at(said, called)
    return None if said else noun


def _is_attribute(word: str) -> bool:
    is_verb = (word,) in POST_VERBS and (word,) not in NOUNS
    return word[:1].isalnum() and word not in FUNCTION_WORDS | PREPOSITIONS | AUXILIARIES and not is_verb


def terms_of(part: Words) -> str:
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
