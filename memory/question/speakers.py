"""Find the people whose words a question asks for: "what did Ana say?", "everyone but Ana"."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from memory.authors import Authors, kept_name
from memory.names.known import MOST_PARTS, KnownNames, Person
from memory.names.words import NameText, sign_key, whole_key
from time_expressions.folding import FoldedText, Span, folded


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _forms(verb: str) -> Iterator[str]:
    """Yield a regular verb with its endings; one of "!" at its end doubles its last letter."""
    stem, doubled = verb.rstrip("!"), verb.endswith("!")
    yield stem
    if stem.endswith("y") and stem[-2] not in "aeiou":
        yield from (f"{stem[:-1]}ies", f"{stem[:-1]}ied", f"{stem}ing")
    elif stem.endswith("ee"):
        yield from (f"{stem}s", f"{stem}d", f"{stem}ing")
    elif stem.endswith("e"):
        yield from (f"{stem}s", f"{stem}d", f"{stem[:-1]}ing")
    else:
        base = stem + stem[-1] if doubled else stem
        yield from (f"{stem}es" if stem.endswith(("sh", "ch", "s", "x")) else f"{stem}s", f"{base}ed", f"{base}ing")


_REGULAR = """
    reply answer respond ask post mention suggest propose recommend explain share promise agree disagree warn report
    claim argue comment complain decide announce link upload paste state talk discuss chat! believe admit! confirm deny
    insist describe declare note remark offer request remind advise inform notify joke quote pledge assert object
    protest repeat reveal message text type thank apologise apologize invite urge predict estimate react summarise
    summarize debate concede acknowledge rant vent express contribute submit! forward publish whisper scream shout
    point add clarify stress emphasise emphasize conclude remember recall retort counter tweet dm ping vote attach
    communicate disclose list demand wonder question guess hint imply assume
"""
_IRREGULAR = """
    say says said saying tell tells told telling write writes wrote written writing think thinks thought thinking
    send sends sent sending speak speaks spoke spoken speaking mean means meant meaning feel feels felt feeling
    swear swears swore sworn swearing
"""

NOUNS_AS_WELL = frozenset(verb.rstrip("!") for verb in _REGULAR.split())
"""Verbs whose plain form may be a noun, "post" and "talk": they say something only behind "did" or the like."""

HELPING = _words("""
    do does did will would can could should may might must let to
    don doesn didn won wouldn couldn shouldn
""")
"""Verbs that such a plain form follows, contracted ones without their ending."""

SAYING = _words(_IRREGULAR) | frozenset(form for verb in _REGULAR.split() for form in _forms(verb))
"""The verbs by which somebody says, writes or posts something, folded, in all forms."""

WORDS_OF = _words("""
    message messages post posts word words comment comments remark remarks statement statements text texts contribution
    contributions opinion opinions view views viewpoint thought thoughts take takes idea ideas reply replies answer
    answers response responses question questions suggestion suggestions proposal proposals recommendation
    recommendations explanation explanations claim claims argument arguments complaint complaints announcement
    announcements warning warnings promise promises feedback advice reaction reactions stance position perspective
    msg msgs quote quotes objection objections
""")
"""Nouns for what somebody said."""

POSTED = _words("""
    link links url urls photo photos picture pictures pic pics image images file files attachment attachments video
    videos clip clips gif gifs meme memes screenshot screenshots document documents doc docs upload uploads report
    reports news update updates note notes story stories joke jokes tip tips recording recordings
""")
"""Nouns for what somebody posted."""

BRINGING = _words("bring brings brought bringing")
"""Forms of what says something with "up" behind it."""

BE = _words("is are was were am be been being get gets got getting")
"""Forms of the verbs that make a passive."""

CONTRACTED = _words("didn doesn don hasn haven hadn won wouldn couldn shouldn can isn wasn weren aren")
"""The beginnings of negated verbs, before the apostrophe."""

ADVERBS = _words("""
    also just ever actually really last first have had has having recently yesterday today originally then not never
    always already since still usually often once to do does did exactly specifically initially finally even only
    would could should will can might must later earlier previously again explicitly publicly
    himself herself themselves themself
""")
"""What may stand between somebody's name and the verb that belongs to it."""


_MAY_BE_NAMES = _words("will may")
NO_NAMES = (
    (ADVERBS - _MAY_BE_NAMES)
    | BE
    | _words("""
    i we you he she it they who what that which people everyone everybody anyone anybody someone somebody thing things
    stuff to and me us nobody noone none else others a an the
""")
)
"""Words that are nobody's name where one would stand."""

_DETERMINERS = _words("""
    a an the these those my our your his her its their some any every each no another other most many few several
""")
_INDEFINITE = _words("""
    everyone everybody everything anyone anybody anything someone somebody something all others who people else folks
    ones them us
""")
_OTHERS = _words("who anyone anybody someone somebody people everyone everybody they we")
_SUBORDINATE = _words("when after before since until once while because if whenever")
_OBJECTS = _words("what where how why whether which of")
_THINK = _words("think thinks thought thinking make makes made")
_ON = _words("to about on with after before against than")
_LATEST = _words("latest newest")
_NO = _words("nobody none nothing")
_TITLES = _words("mr mrs ms miss mx dr prof sir lady lord")
_EXCEPT = _words("except besides excluding barring")
_PAIRS_OF_EXCEPT = frozenset(
    [("other", "than"), ("apart", "from"), ("aside", "from"), ("except", "for"), ("not", "by"), ("not", "from")]
)
_WITHIN = _words("last latest first newest recent previous earlier own original new old two three few many best else")
_AND = frozenset({"and", "or", "&", "/"})
_NO_DECORATION = frozenset(",;:?!.\"'<>@#-/&")
_MOST_SKIPPED = 6  # tokens between a name and the word of saying that belongs to it
_LONGEST_ID = 19  # digits of what PostgreSQL keeps as bigint


@dataclass(frozen=True, slots=True)
class Speakers:
    """The authors whose words a question asks for, None when it names nobody, and how it speaks of them.

    `names` are the words, folded, by which it calls them, and `words` also those by which it says that it asks for what
    they said. `calls` are the people as it calls them, each with all who are called so.
    """

    authors: Authors | None = None
    names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    calls: tuple[tuple[str, frozenset[Person]], ...] = ()

    @property
    def called(self) -> tuple[str, ...]:
        """The people as the question calls them, in the form that `authors_called` takes."""
        leading = EVERYONE_BUT if self.authors is not None and self.authors.excluded else ""
        return tuple(dict.fromkeys(f"{leading}{call}" for call, _ in self.calls))


NOBODY = Speakers()

EVERYONE_BUT = "everyone but "
"""Begins, folded, what stands for all but somebody in a list of names."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A name in a text, from a token to before another, and who is called so."""

    first: int
    after: int
    people: frozenset[Person]
    is_possessive: bool = False
    """Whether it stands with an "s" and no apostrophe: "bens message"."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """Names that follow each other, "Ana, Ben and Cleo"."""

    calls: tuple[_Call, ...]

    @property
    def first(self) -> int:
        return self.calls[0].first

    @property
    def after(self) -> int:
        return self.calls[-1].after

    @property
    def people(self) -> frozenset[Person]:
        return frozenset().union(*(call.people for call in self.calls))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Names whose words are asked for, or left out, and the other tokens that say so."""

    names: _Listed
    tokens: frozenset[int]
    is_sure: bool = True
    excluded: bool = False


def may_name_speakers(text: FoldedText) -> bool:
    """Return whether it is worth looking for speakers in a text: "what did we discuss?" names none."""
    return any(_may_be_said_by_somebody(text, at) for at in range(len(text)))


def speakers_in(
    text: FoldedText, names: KnownNames, *, dated: Sequence[Span] = (), channels: Sequence[Span] = ()
) -> Speakers:
    """Return those of the people whose words a text asks for, by any word of any name that they bore.

    A name counts only where a word for saying belongs to it: "did Ana say", "Ana said", "Ana's messages", "according
    to Ana", "posted by Ana", "everyone but Ana". Of names that begin at the same word the longest counts. What stands
    where the text is `dated` and may be a month as well ("messages from April") is no name, nor is one of its
    `channels`.
    """
    named = _asked_in(text, names, dated, channels)
    if not named:
        return NOBODY
    left_out = frozenset[Person]().union(*(part.names.people for part in named if part.excluded))
    people = frozenset[Person]().union(*(part.names.people for part in named if not part.excluded)) - left_out
    of_names = {at for part in named for at in range(part.names.first, part.names.after)}
    of_saying = {at for part in named for at in part.tokens}
    authors = names.authors(people) if people else names.authors(left_out, excluded=True)
    calls = {
        folded(written): (written, call.people)
        for part in named
        for call in part.names.calls
        if part.excluded is not bool(people) and (written := _written(text, call))
    }
    return Speakers(
        authors,
        frozenset(text.word(at) for at in of_names if text.tokens[at].is_word),
        frozenset(text.word(at) for at in of_names | of_saying),
        tuple(calls.values()),
    )


def people_named(text: FoldedText, names: KnownNames) -> Iterator[tuple[Span, frozenset[Person]]]:
    """Yield where a text names people, whether it asks for their words or not, and who may be meant."""
    for listed in _lists(text, names):
        yield from ((_span(text, call), call.people) for call in listed.calls)


def people_surely_in(text: FoldedText, names: KnownNames) -> list[Span]:
    """Return where a text names people whose words it asks for, and can mean nothing else: no month says something."""
    named = _asked_in(text, names, (), ())
    return [_span(text, call) for part in named if part.is_sure for call in part.names.calls]


def _asked_in(text: FoldedText, names: KnownNames, dated: Sequence[Span], channels: Sequence[Span]) -> list[_Asked]:
    listed = [mentioned for mentioned in _lists(text, names) if not _meets(text, mentioned, channels)]
    found = [part for mentioned in listed if (part := _asked(text, mentioned)) is not None]
    return [part for part in found if part.is_sure or not _meets(text, part.names, dated)]


def authors_called(called: Iterable[str], names: KnownNames) -> Authors:
    """Return the authors whom a list of names means, each of which may be a mention or say "everyone but Ana".

    A name that nobody bears adds nobody. Names to leave out count where no other stands beside them.
    """
    people, left_out = set[Person](), set[Person]()
    for name in called:
        text = name.strip()
        (left_out if folded(text).startswith(EVERYONE_BUT) else people).update(_people_called(text, names))
    return names.authors(people - left_out) if people or not left_out else names.authors(left_out, excluded=True)


def _people_called(name: str, names: KnownNames) -> frozenset[Person]:
    text = name[len(EVERYONE_BUT) :].strip() if folded(name).startswith(EVERYONE_BUT) else name
    read = FoldedText(kept_name(text))
    if (mentioned := _mention_at(read, 0)) is not None:
        return mentioned.people
    return names.people(whole_key(kept_name(text)) or sign_key(kept_name(text)))


def _meets(text: FoldedText, names: _Listed, dated: Sequence[Span]) -> bool:
    """Return whether one of the names stands in one of some stretches of a text."""
    spans = [_span(text, call) for call in names.calls]
    return any(first < end and start < last for start, end in spans for first, last in dated)


def _written(text: FoldedText, call: _Call) -> str:
    start, end = _span(text, call)
    return text.text[start:end].removeprefix("@")


def _span(text: FoldedText, call: _Call) -> Span:
    return text.tokens[call.first].start, text.tokens[call.after - 1].end


def _may_be_said_by_somebody(text: FoldedText, at: int) -> bool:
    word = text.word(at)
    if word in WORDS_OF | POSTED | _EXCEPT or word in {"'", "without"}:
        return True
    if (word == "according" and text.word(at + 1) == "to") or (
        word == "but" and text.word(at - 1) in _INDEFINITE | _NO
    ):
        return True
    if (word, text.word(at + 1)) in _PAIRS_OF_EXCEPT or _may_lead_to_somebody(text, at):
        return True
    if word not in SAYING and word not in BRINGING:
        return False
    before = [text.word(back) for back in range(at - 1, max(-1, at - 2 - _MOST_SKIPPED), -1)]
    who = next((word for word in before if word not in (ADVERBS | BE) or word in _MAY_BE_NAMES), "i")
    return text.word(at + 1) == "by" or (text.is_apart(at) and who not in NO_NAMES)


def _may_lead_to_somebody(text: FoldedText, at: int) -> bool:
    word, before = text.word(at), {text.word(at - 1), text.word(at - 2)}
    return word == "by" or (word == "from" and not before.isdisjoint(POSTED | _INDEFINITE | _LATEST | {"not", "t"}))


def _lists(text: FoldedText, names: KnownNames) -> Iterator[_Listed]:
    """Yield the names in a text, those that follow each other as one."""
    parts = NameText(text)
    at = 0
    while at < len(text):
        calls: list[_Call] = []
        after: int | None = at
        while after is not None and (call := _call_at(text, after, parts, names)) is not None:
            calls.append(call)
            after = _after_separator(text, call.after)
        if calls:
            yield _Listed(tuple(calls))
        at = calls[-1].after if calls else at + 1


def _call_at(text: FoldedText, at: int, parts: NameText, names: KnownNames) -> _Call | None:
    """Return the longest name that begins at a token, or behind the "@" there."""
    if (mentioned := _mention_at(text, at)) is not None:
        return mentioned
    first = at + (text.word(at) == "@" and at + 1 < len(text) and not text.is_apart(at + 1))
    if text.word(first - 1) in _DETERMINERS and text.is_apart(first):
        return None
    found = _of_words(text, first, parts, names) or _of_signs(text, first, names)
    if found is not None:
        return _Call(at, found[0], found[1])
    stem = text.word(first).removesuffix("s")
    people = names.people(stem) if stem != text.word(first) and text.word(first + 1) in WORDS_OF else None
    return _Call(at, first + 1, people, is_possessive=True) if people else None


def _of_words(text: FoldedText, at: int, parts: NameText, names: KnownNames) -> tuple[int, frozenset[Person]] | None:
    part = parts.part_at(at)
    if part is None:
        return None
    found = None
    for after, key in parts.keys(part, names.most_parts(parts.parts[part].words[0])):
        is_word_of_english = after == at + 1 and text.word(at) in NO_NAMES
        if not is_word_of_english and (people := names.people(key)):
            found = after, people
    return found


def _of_signs(text: FoldedText, at: int, names: KnownNames) -> tuple[int, frozenset[Person]] | None:
    for after in range(min(len(text), at + names.most_signs(text.word(at))), at, -1):
        if people := names.people(text.key(at, after)):
            return after, people
    return None


def _mention_at(text: FoldedText, at: int) -> _Call | None:
    """Return the person that Discord's "<@123>" or "<@!123>" means; a role's "<@&123>" means nobody."""
    if text.word(at) != "<" or text.word(at + 1) != "@":
        return None
    number = at + 2 + (text.word(at + 2) == "!")
    digits = text.word(number)
    if text.word(number + 1) != ">" or not (digits.isdecimal() and digits.isascii()) or len(digits) > _LONGEST_ID:
        return None
    if any(text.is_apart(index) for index in range(at + 1, number + 2)):
        return None
    return _Call(at, number + 2, frozenset({int(digits)}))


def _after_separator(text: FoldedText, at: int) -> int | None:
    """Return where another name may follow one that ends at a token: behind a comma, "and", or before an "@"."""
    at = _after_decoration(text, at)
    possessive = at + 1 + (text.word(at + 1) == "s")
    if text.word(at) == "'" and text.word(possessive) in _AND | {","}:
        at = possessive
    comma = text.word(at) == ","
    at += comma
    linked = text.word(at) in _AND and (text.is_apart(at) or text.word(at) == "/")
    for _ in range(3):  # "and/or"
        at += text.word(at) in _AND
    if comma or linked or text.word(at) in {"@", "<"}:
        return at + (text.word(at) in {"but", "not"} and text.word(at + 1) in {"by", "from"})
    return None


def _after_decoration(text: FoldedText, at: int) -> int:
    """Return the token behind the signs that a name ends in: an emoji, a bracket."""
    for _ in range(MOST_PARTS):
        if not (at < len(text) and not text.tokens[at].is_word and text.word(at) not in _NO_DECORATION):
            break
        at += 1
    return at


def _before_decoration(text: FoldedText, at: int) -> int:
    """Return the last token before the signs or the title that a name begins with; -1 when there is none."""
    before = at - 1
    for _ in range(MOST_PARTS):
        if not (before >= 0 and not text.tokens[before].is_word and text.word(before) not in _NO_DECORATION):
            break
        before -= 1
    title = before - (text.word(before) == ".")
    return title - 1 if text.word(title) in _TITLES else before


def _asked(text: FoldedText, names: _Listed) -> _Asked | None:
    """Return what a text says of the words of these people; None when it only speaks of them."""
    after, before = _after_decoration(text, names.after), _before_decoration(text, names.first)
    if (tokens := _left_out(text, before, after)) is not None:
        return _Asked(names, tokens, excluded=not _is_none(text, min(tokens) - 1))
    if (tokens := _saying_after(text, before, after)) is not None:
        return None if _is_clause(text, before) else _Asked(names, tokens)
    tokens = frozenset({after}) if names.calls[-1].is_possessive else _words_after(text, after)
    if tokens is not None:
        return None if _is_matter(text, before) else _Asked(names, tokens)
    if (tokens := _said_before(text, before)) is not None:
        return _Asked(names, tokens, excluded=_is_denied(text, min(tokens)))
    tokens = _posted_before(text, before)
    return None if tokens is None else _Asked(names, tokens, is_sure=False, excluded=_is_denied(text, min(tokens)))


def _is_clause(text: FoldedText, before: int) -> bool:
    """Return whether what somebody said only tells when, or of what: "who answered when Ana asked"."""
    if text.word(before) in _SUBORDINATE and text.word(before - 1) not in {"", ","}:
        return True
    return text.word(before) not in _OBJECTS and not _is_helped(text, before) and _others_act(text, before)


def _is_matter(text: FoldedText, before: int) -> bool:
    """Return whether others speak of somebody's words: "who answered Ana's question", "comments on Ana's post"."""
    word, leading = text.word(before), text.word(before - 1)
    if (word in _ON and leading != "according") or (word == "of" and leading in _THINK):
        return True
    return _others_act(text, before + 1)


def _others_act(text: FoldedText, at: int) -> bool:
    """Return whether a question that ends before a token asks what others do."""
    return any(text.word(back) in _OTHERS for back in range(at - 1, at - _MOST_SKIPPED - 1, -1))


def _is_denied(text: FoldedText, at: int) -> bool:
    """Return whether "not" or "hasn't been" stands before a token."""
    return any(_is_negation(text, back) for back in range(at - 1, at - 4, -1))


def _left_out(text: FoldedText, before: int, after: int) -> frozenset[int] | None:
    """Return the tokens that leave the names behind them out: "except", "everyone but", "without Ana's messages"."""
    word, leading = text.word(before), text.word(before - 1)
    if word in _EXCEPT or (word == "but" and (leading in _INDEFINITE or _is_none(text, before - 1))):
        return frozenset({before})
    if word == "but" and leading in WORDS_OF and text.word(after) in {"'", "?", ".", ""}:
        return frozenset({before})
    if (leading, word) in _PAIRS_OF_EXCEPT or (word in {"by", "from"} and _is_negation(text, before - 1)):
        return frozenset({before, before - 1})
    if word == "without" and leading in {"", ","}:
        return frozenset({before})
    if word == "without" and (tokens := _words_after(text, after)) is not None:
        return tokens | {before}
    return None


def _is_negation(text: FoldedText, at: int) -> bool:
    """Return whether "not", "never" or the end of "hasn't" stands at a token."""
    return text.word(at) in {"not", "never"} or (text.word(at) == "t" and text.word(at - 1) == "'")


def _is_none(text: FoldedText, at: int) -> bool:
    """Return whether "nobody" or "no one" ends at a token."""
    return text.word(at) in _NO or (text.word(at - 1) == "no" and text.word(at) in {"one", "body"})


def _saying_after(text: FoldedText, before: int, at: int) -> frozenset[int] | None:
    """Return the verb when "said" or "has ever said" stands there, and not "was told"."""
    is_passive = text.word(before) in BE
    has_helping = _is_helped(text, before)
    for _ in range(_MOST_SKIPPED):
        word = text.word(at)
        if not text.is_apart(at):
            return None
        if word in SAYING or (word in BRINGING and text.word(at + 1) == "up"):
            is_noun = word in NOUNS_AS_WELL and not has_helping
            return None if is_noun or (is_passive and not word.endswith("ing")) else frozenset({at})
        has_helping = has_helping or word in HELPING
        is_passive = is_passive or word in BE
        if word in CONTRACTED and text.word(at + 1) == "'":
            at += 3
        elif word in ADVERBS or word in BE:
            at += 1
        else:
            return None
    return None


def _is_helped(text: FoldedText, before: int) -> bool:
    """Return whether "did", "doesn't" or "will also" ends at a token."""
    for _ in range(_MOST_SKIPPED):
        if text.word(before) in HELPING:
            return True
        if text.word(before) not in ADVERBS and text.word(before) not in {"t", "'"}:
            return False
        before -= 1
    return False


def _words_after(text: FoldedText, at: int) -> frozenset[int] | None:
    """Return the noun when "'s messages" or "'s last messages" stands there."""
    if text.word(at) != "'":
        return None
    at += 1
    at += text.word(at) == "s" and not text.is_apart(at)
    for skipped in range(3):
        if not text.is_apart(at) or not text.tokens[at].is_word:
            return None
        if text.word(at) in WORDS_OF or text.word(at) in POSTED:
            return frozenset({at})
        if skipped and text.word(at) not in _WITHIN:
            return None
        at += 1
    return None


def _said_before(text: FoldedText, before: int) -> frozenset[int] | None:
    """Return the tokens of "according to" or "posted by" when one of them ends there."""
    word, leading = text.word(before), text.word(before - 1)
    if word == "to" and leading == "according":
        return frozenset({before, before - 1})
    return frozenset({before, before - 1}) if word == "by" and leading in SAYING and leading not in POSTED else None


def _posted_before(text: FoldedText, before: int) -> frozenset[int] | None:
    """Return the tokens when "messages from", "a link by" or "posted here by" ends there."""
    word = text.word(before)
    leading = before - 1
    if word in {"by", "from", "of"} and text.word(leading) in WORDS_OF:
        return frozenset({before, leading})
    if word in {"by", "from"} and text.word(leading) in (POSTED | _INDEFINITE | _LATEST):
        return frozenset({before, leading})
    if word in {"by", "from"} and text.word(leading - 1) in _INDEFINITE and text.word(leading) in _WITHIN:
        return frozenset({before, leading, leading - 1})
    if word != "by":
        return None
    found = (at for at in range(leading, leading - _MOST_SKIPPED, -1) if text.word(at) in (SAYING | WORDS_OF | POSTED))
    at = next(found, None)
    return None if at is None else frozenset({before, at})
