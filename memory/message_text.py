"""Say what a person reads in a Discord message, wherever Discord's JSON keeps the words."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memory.mentions import NameOf, named, names_in, nobody
from memory.message import Part, Reaction, Source, sanitize

SPOILER = "SPOILER_"  # how the name of a file begins that Discord hides until it is clicked on
LONGEST = 16_000
"""Characters that are kept of one message beside its own text: Discord takes 6,000 in cards, and forwards them."""

_VOICE = "voice-message.ogg"  # as Discord's own programs call what is spoken into them
_LONGEST_VOICE = 24 * 3600  # seconds; Discord stops after 20 minutes
_DEEPEST = 8  # components within components, and messages within messages; Discord itself allows three
_MOST_CARDS = 10
_MOST_REACTIONS = 50  # Discord takes 20 different ones
_LONGEST_EMOJI = 40
_HIDDEN = 1 << 3  # a flag of attachments
_TITLES = {4: "changed the title to", 18: "started a thread"}
"""Types of messages that are Discord's own, but whose text somebody wrote: the title of a thread or forum post."""

_SAID = {0, 19, 20, 21, 23, 46}  # types of messages that are somebody's; Discord itself makes all others
_THREAD_BEGINS = 21
_LINK = re.compile(r"https?://", re.IGNORECASE)
_MADE_BY_DISCORD = {"image", "video", "gifv", "article", "link"}
"""Types of the embeds that Discord adds to a message by itself when its text has a link."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a person reads in a message, and where each stretch of it comes from; line ends between parts are of none.

    The parts are in order, do not overlap, and cover the text but for those line ends.
    """

    text: str = ""
    parts: tuple[Part, ...] = ()


def words_of(message: Mapping[str, Any], name_of: NameOf = nobody) -> str:
    """Return the text alone of `read_words`."""
    return read_words(message, name_of).text


def read_words(message: Mapping[str, Any], name_of: NameOf = nobody) -> Words:
    """Return what a person reads in a message, one thing below the other as Discord shows them.

    `message` is a message object of Discord's API, or part of one; what it lacks, or has in an unexpected form, is left
    out. That is its text, what is said of its files, the messages it forwards, its poll, its cards (embeds) and its
    components, the names of its stickers. Buttons and menus are no words, and neither is the preview of a page that a
    person links to: it is not what they said. What is hidden as a spoiler is marked `||as one||`. Mentions get the
    names that the message itself tells, or else those of `name_of`, as `memory.mentions` writes them.
    """
    people = _people(message)

    def name(sign: str, mentioned: int) -> str | None:
        return (people.get(mentioned) if sign == "@" else None) or name_of(sign, mentioned)

    content = message.get("content")
    room = LONGEST + (len(content) if isinstance(content, str) else 0)
    kept = ((source, named(text, name)) for source, text in _cut_to(room, _parts(message, depth=0)))
    return joined((source, sanitize(text)) for source, text in kept)


def joined(texts: Iterable[tuple[Source, str]]) -> Words:
    """Return texts one below the other, each as a part; those that are empty are left out."""
    listed = [(source, text) for source, text in texts if text]
    parts, position = [], 0
    for source, text in listed:
        parts.append(Part(source=source, start=position, end=position + len(text)))
        position += len(text) + 1
    return Words("\n".join(text for _, text in listed), tuple(parts))


def of_system(words: Words) -> Words:
    """Return words as those of Discord itself."""
    return joined([(Source.SYSTEM, words.text)])


def with_more(words: Words, texts: Iterable[tuple[Source, str]]) -> Words:
    """Return words with further texts below them."""
    more = joined(texts)
    if not more.text:
        return words
    shift = len(words.text) + 1 if words.text else 0
    moved = (Part(source=part.source, start=part.start + shift, end=part.end + shift) for part in more.parts)
    return Words(f"{words.text}\n{more.text}" if words.text else more.text, (*words.parts, *moved))


def rewritten(words: Words, rewrite: Callable[[str], str]) -> Words:
    """Return words of which each part was rewritten by itself; of spans that fit no text none is kept."""
    pieces: list[str] = []
    moved: list[Part] = []
    at = length = 0
    for part in words.parts:
        if not at <= part.start <= part.end <= len(words.text):
            return Words(rewrite(words.text))
        between, own = rewrite(words.text[at : part.start]), rewrite(words.text[part.start : part.end])
        pieces += (between, own)
        start = length + len(between)
        at, length = part.end, start + len(own)
        moved.append(Part(source=part.source, start=start, end=length))
    pieces.append(rewrite(words.text[at:]))
    return Words("".join(pieces), tuple(moved))


def _cut_to(room: int, parts: Iterable[tuple[Source, str]]) -> Iterator[tuple[Source, str]]:
    """Yield texts as long as there is room for them in characters; the last one may be cut."""
    for source, text in parts:
        if not text:
            continue
        if len(text) > room:
            yield source, cut(text, room)
            return
        yield source, text
        room -= len(text) + 1


def _people(message: Mapping[str, Any]) -> dict[int, str]:
    """Return the names of those whom a message, or one that it forwards, mentions."""
    forwarded = [_map(snapshot.get("message")) for snapshot in _maps(message.get("message_snapshots"))]
    return names_in(user for part in (*forwarded, message) for user in _maps(part.get("mentions")))


def reactions_in(message: Mapping[str, Any]) -> tuple[Reaction, ...]:
    """Return how often which emoji was answered with, as an object of Discord's API tells."""
    return tuple(
        Reaction(emoji=emoji, count=count)
        for reaction in _maps(message.get("reactions"))[:_MOST_REACTIONS]
        if (emoji := _emoji(_map(reaction.get("emoji")))) and isinstance(count := reaction.get("count"), int)
    )


def _emoji(emoji: Mapping[str, Any]) -> str:
    """Return an emoji as a text has it; the name of a server's own stands between colons."""
    name = _text(emoji.get("name"))[:_LONGEST_EMOJI]
    return f":{name}:" if name and emoji.get("id") else name


def is_said(kind: object, content: object) -> bool:
    """Return whether somebody wrote a message, by its type in Discord's API and its text: all of it, or a title."""
    return isinstance(kind, int) and (kind in _SAID or (kind in _TITLES and bool(content)))


def files_of(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the files of a message, and of those that it forwards, as Discord's API tells of them."""
    forwarded = (_map(snapshot.get("message")) for snapshot in _maps(message.get("message_snapshots")))
    for part in (message, *forwarded):
        yield from _maps(part.get("attachments"))


def hidden_name(name: str) -> str:
    """Return the name of a file that is hidden until it is clicked on, also where only a flag of Discord's says so."""
    return name if name.startswith(SPOILER) else SPOILER + name


def is_spoiler(file: Mapping[str, Any]) -> bool:
    """Tell whether a file is hidden: by its name, or since 2026 by a flag."""
    flags = file.get("flags")
    return _text(file.get("filename")).startswith(SPOILER) or (isinstance(flags, int) and bool(flags & _HIDDEN))


def _parts(message: Mapping[str, Any], *, depth: int) -> Iterator[tuple[Source, str]]:
    """Yield the parts of a message that have words, from top to bottom, and where each comes from."""
    yield from _own_text(message, depth=depth)
    for file in _maps(message.get("attachments")):
        yield from _file(file, hidden=is_spoiler(file))
    yield from _forwarded(message, depth=depth)
    yield Source.POLL, "\n".join(_poll(_map(message.get("poll"))))
    for card in _maps(message.get("embeds"))[:_MOST_CARDS]:
        if not _is_preview(card, message):
            source = Source.POLL if card.get("type") == "poll_result" else Source.CARD
            yield source, "\n".join(_card(card))
    yield Source.COMPONENT, "\n".join(_components(message.get("components"), depth=depth))
    names = (_text(sticker.get("name")) for sticker in _maps(message.get("sticker_items")))
    yield from ((Source.STICKER, f"(sticker: {name})") for name in names if name)
    yield from _of_thread(message)


def _own_text(message: Mapping[str, Any], *, depth: int) -> Iterator[tuple[Source, str]]:
    """Yield the text of a message, or in a thread that of the message that it began with."""
    content, kind = message.get("content"), message.get("type")
    if not isinstance(content, str) or not content:
        if kind == _THREAD_BEGINS and depth < _DEEPEST:
            yield from _beginning(message, depth=depth)
    elif isinstance(kind, int) and kind in _TITLES:
        yield Source.TITLE, f"{_TITLES[kind]}: {content}"
    else:
        yield Source.AUTHORED, content


def _forwarded(message: Mapping[str, Any], *, depth: int) -> Iterator[tuple[Source, str]]:
    """Yield each message that one forwards, with all that is in it."""
    if depth < _DEEPEST:
        for snapshot in _maps(message.get("message_snapshots")):
            yield Source.FORWARD, joined(_parts(_map(snapshot.get("message")), depth=depth + 1)).text


def _of_thread(message: Mapping[str, Any]) -> Iterator[tuple[Source, str]]:
    """Yield the title of the thread that hangs on a message, and the tags of the forum post that begins with it."""
    if title := _text(_map(message.get("thread")).get("name")):
        yield Source.TITLE, f"(thread: {title})"
    if tags := ", ".join(_only_words(*(tag.get("name") for tag in _maps(message.get("applied_tags"))))):
        yield Source.TITLE, f"(tags: {tags})"


def _beginning(message: Mapping[str, Any], *, depth: int) -> Iterator[tuple[Source, str]]:
    """Yield what a thread began with, if it is said to be of the same person as the message that shows it there."""
    first = _map(message.get("referenced_message"))
    authors = [_map(one.get("author")).get("id") for one in (message, first)]
    if authors[0] is not None and str(authors[0]) == str(authors[1]):
        yield from _parts({**first, "type": 0}, depth=depth + 1)


def _is_preview(card: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    """Tell whether a card shows what a message links to, and was not made by whoever sent it.

    Persons cannot make cards; applications and webhooks can. A forwarded message has no author: there the links tell.
    Without a link there is nothing to preview.
    """
    content, kind = _text(message.get("content")), _text(card.get("type")) or "rich"
    if not content or kind in _MADE_BY_DISCORD:
        return bool(content)
    if kind != "rich":
        return False
    author, address = _map(message.get("author")), _text(card.get("url"))
    if not author:
        return bool(address) and address in content
    return not author.get("bot") and not message.get("webhook_id") and bool(_LINK.search(content))


def _card(card: Mapping[str, Any]) -> Iterator[str]:
    """Yield the words of an embed; two types have fields for programs instead of readers."""
    fields = [(_text(field.get("name")), _text(field.get("value"))) for field in _maps(card.get("fields"))]
    match card.get("type"):
        case "poll_result":
            yield from _result(dict(fields))
        case "auto_moderation_message":
            yield from _blocked(card, dict(fields))
        case _:
            yield from _only_words(_map(card.get("author")).get("name"), card.get("title"), card.get("description"))
            for name, value in fields:
                yield from _only_words(f"{name}: {value}" if name and value else name or value)
            yield from _only_words(_map(card.get("footer")).get("text"))


def _poll(poll: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a poll asks, its answers, and how many votes each has: in all, once it has closed, or so far."""
    question = _text(_map(poll.get("question")).get("text"))
    results = _map(poll.get("results"))
    votes = {str(count.get("id")): count.get("count") for count in _maps(results.get("answer_counts"))}
    is_closed = results.get("is_finalized") is True
    answers = [(_media(_map(answer.get("poll_media"))), answer) for answer in _maps(poll.get("answers"))]
    if question or any(text for text, _ in answers):
        yield f"Poll: {question}"
        for text, answer in answers:
            if text:
                yield f"- {text}{_votes(votes.get(str(answer.get('answer_id'))), is_closed=is_closed)}"
        if is_closed:
            yield "(the poll has closed)"


def _votes(count: object, *, is_closed: bool) -> str:
    """Return how many votes an answer has; nothing where that is not said, and of an open poll also where it is 0."""
    if not isinstance(count, int) or count < 0 or not (count or is_closed):
        return ""
    votes = f"{count} vote" if count == 1 else f"{count} votes"
    return f" ({votes})" if is_closed else f" ({votes} so far)"


def _media(media: Mapping[str, Any]) -> str:
    """Return an answer of a poll: an emoji, a text, or both."""
    return " ".join(_only_words(_map(media.get("emoji")).get("name"), media.get("text")))


def _result(fields: Mapping[str, str]) -> Iterator[str]:
    """Yield how a poll has ended; it has no victor when nobody voted or two answers got as many votes."""
    yield f"The poll has closed: {fields.get('poll_question_text', '')}".rstrip(": ")
    victor = " ".join(_only_words(fields.get("victor_answer_emoji_name"), fields.get("victor_answer_text")))
    total = fields.get("total_votes") or "0"
    if victor:
        yield f"Winner: {victor} ({fields.get('victor_answer_votes') or '?'} of {total} votes)"
    else:
        yield f"No winner ({total} votes)"


def _blocked(card: Mapping[str, Any], fields: Mapping[str, str]) -> Iterator[str]:
    """Yield what AutoMod tells moderators: which rule was broken, and by which words."""
    if rule := fields.get("rule_name"):
        yield f"AutoMod rule: {rule}"
    yield from _only_words(card.get("description"))


def _components(components: object, *, depth: int) -> Iterator[str]:
    """Yield the texts of components, and of those within them; buttons and menus have labels, but no texts."""
    if depth > _DEEPEST:
        return
    for component in _maps(components):
        hidden = component.get("spoiler") is True
        words = [*_only_words(component.get("content")), *_components(component.get("components"), depth=depth + 1)]
        for picture in (component, *_maps(component.get("items")), _map(component.get("accessory"))):
            words += _picture(picture, hidden=picture.get("spoiler") is True and picture is not component)
        yield from (hidden_text(text) if hidden else text for text in words)


def _file(file: Mapping[str, Any], *, hidden: bool) -> Iterator[tuple[Source, str]]:
    """Yield that a file is a recorded voice, what it is called where its name cannot say so, and what it shows."""
    name, title = _text(file.get("filename")).removeprefix(SPOILER), _text(file.get("title"))
    if name == _VOICE or _text(file.get("waveform")):
        yield Source.VOICE, f"(voice message{_length(file.get('duration_secs'))})"
    elif title and title not in (name, name.rpartition(".")[0]):
        yield Source.FILE, hidden_text(f"(file: {title})") if hidden else f"(file: {title})"
    yield from ((Source.PICTURE, text) for text in _picture(file, hidden=hidden))


def _length(seconds: object) -> str:
    """Return how long a voice speaks, behind a comma; nothing where that is no number."""
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or not 0 <= seconds < _LONGEST_VOICE:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f", {minutes} min {rest} s" if minutes else f", {rest} s"


def _picture(picture: Mapping[str, Any], *, hidden: bool) -> Iterator[str]:
    """Yield what somebody wrote about a picture for those who do not see it."""
    for text in _only_words(picture.get("description")):
        yield hidden_text(f"(picture: {text})") if hidden else f"(picture: {text})"


def hidden_text(text: str) -> str:
    """Return a text as a spoiler, whole: bars of its own would end it."""
    return f"||{text.replace('||', '')}||"


def cut(text: str, room: int) -> str:
    """Return the beginning of a text, in at most `room` characters; no spoiler is left open."""
    beginning = f"{text[: max(0, room - 3)]}…"
    return (f"{beginning}||" if beginning.count("||") % 2 else beginning)[: max(0, room)]


def _only_words(*texts: object) -> Iterator[str]:
    """Yield those that are texts, without the space around them."""
    return (text for text in map(_text, texts) if text)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Sequence) else []
