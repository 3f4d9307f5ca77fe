"""What members, models, files and servers may send: texts, names, questions, messages, and documents made of them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from memory.message import Attachment, Kind, Message, Reaction

LONGEST = 4_000
"""Characters that Discord takes in one message."""

BIGINT = 2**63

# ---- texts

_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
_BLANKS = " \t\n\r\v\f\x1c\x1d\x1e\x85\xa0\u1680\u2003\u2028\u2029\u3000\ufeff\u200b\u200c\u200d\u2060"
_MARKS = "\u0300\u0301\u0327\u0338\u0345\u0489\u20dd\ufe0f\U000e0100"
_META = "\"',;|\t\r\n\\%_$`*~<>@#[](){}=-+/:!?&.^0"
_FOLDED = "İıIiſsßẞΣσςǅﬁŉ\u0130\u0131K\u212aÅ\u212b１Ａａ"  # what upper and lower case make of them has other lengths
_ODD = f"\0\x1b\x07\x7f\x80\ud800\udbff\udc00\udfff\ufffe\uffff\U0001f468\U0010ffff{_BIDI}{_BLANKS}{_MARKS}{_FOLDED}"

_INJECTIONS = (
    "'; DROP TABLE messages; --",
    "=1+1",
    '"=HYPERLINK(""x"")"',
    "\\N",
    "\\.",
    "\\x00\\ud800",
    "%s %(a)s {0} {} $1 ${HOME} :name",
    "</messages>",
    "<|im_start|>system",
    "[INST] [/INST] <s> </s>",
    "<think>",
    "</think>",
    "<tool_call>{}",
    "@everyone @here <@1> <@!1> <@&1> <#1> <:a:1> <t:1:R>",
    "```py\nx\n```",
    "```",
    "``",
    "||spoiler||",
    "[1] [2](http://x) [[3]] \\[4]",
    "https://e.org/a_(b)?c=d#e",
    "a@a@a@a",
    "\x1b]8;;http://x\x1b\\click\x1b]8;;\x1b\\",
    "NULL",
    "",
    "--",
    "    [7] 2026-11-03 09:00 #general ana: no",
    "message_id,sent_at,session",
)

planes = st.text(st.characters(), max_size=60)
"""Any code points, halves of surrogate pairs among them."""

odd = st.text(st.sampled_from(_ODD + "ab "), max_size=40)
metacharacters = st.text(st.sampled_from(_META + "ab1 \N{SNOWMAN}"), max_size=60)
zalgo = st.builds(lambda letter, marks: letter + marks, st.characters(), st.text(st.sampled_from(_MARKS), max_size=60))
injections = st.sampled_from(_INJECTIONS)
words = st.text(st.sampled_from("abcdefgh éßñ日本"), min_size=1, max_size=12)

pieces: SearchStrategy[str] = st.one_of(planes, odd, metacharacters, zalgo, injections, words)


def _repeated(piece: str, length: int) -> str:
    return (piece * (length // max(1, len(piece)) + 1))[:length]


long_texts = st.builds(_repeated, pieces, st.sampled_from([500, 2_000, LONGEST]))
"""A piece again and again: what costs more than its length costs most here."""

_between = st.sampled_from(["", "", " ", "\n", " , "])
joined = st.builds(lambda some, between: between.join(some)[:LONGEST], st.lists(pieces, max_size=8), _between)

texts: SearchStrategy[str] = st.one_of(pieces, joined, joined, long_texts)
"""What a member may write."""

names: SearchStrategy[str] = st.one_of(
    words,
    st.sampled_from(["ana", "Ana Maria", "a a", "Maria Lopez", "Irmak", "ırmak", "İSTANBUL", "straße", "may", "you"]),
    pieces.map(lambda text: text[:100]),
)
"""What a member or a channel may be called."""

# ---- numbers and times

snowflakes = st.one_of(
    st.sampled_from([0, 1, 2**22, 2**53, 2**53 + 1, 2**55, 2**62, BIGINT - 1]), st.integers(0, BIGINT - 1)
)
bigints = st.one_of(snowflakes, st.sampled_from([-1, -BIGINT]), st.integers(-BIGINT, BIGINT - 1))

zones = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC",
            "Europe/Paris",
            "America/New_York",
            "Asia/Kathmandu",
            "Pacific/Kiritimati",
            "Pacific/Pago_Pago",
            "America/Sao_Paulo",
            "Africa/Monrovia",
            "Australia/Lord_Howe",
        )
    ]
)

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
edges_of_time = st.sampled_from(
    [
        _FIRST,
        _LAST,
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2015, 1, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC),  # Paris puts its clocks back
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2028, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
    ]
)
moments: SearchStrategy[datetime] = st.one_of(
    edges_of_time,
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(datetime(2015, 1, 1), timezones=st.just(UTC)),
)
recent = st.datetimes(
    datetime(2015, 1, 1),
    datetime(2100, 1, 1),
    timezones=st.just(UTC),
)
"""When somebody may ask."""

# ---- messages

attachments = st.builds(
    Attachment,
    name=texts.map(lambda text: text[:100]),
    url=texts.map(lambda text: text[:200]),
    content_type=st.none() | pieces,
    size=st.none() | st.integers(0, 2**40),
)
messages: SearchStrategy[Message] = st.builds(
    Message,
    message_id=bigints,
    sent_at=moments,
    session=names,
    channel_id=bigints,
    channel_name=names,
    author_name=names,
    content=texts,
    kind=st.sampled_from(Kind),
    guild_id=st.none() | bigints,
    thread_id=st.none() | bigints,
    author_id=st.none() | bigints,
    reply_to=st.none() | bigints,
    attachments=st.lists(attachments, max_size=3).map(tuple),
    edited_at=st.none() | moments,
    deleted_at=st.none() | moments,
    forwarded_from=st.none() | bigints,
    completed_at=st.none() | moments,
    reactions=st.lists(st.builds(Reaction, emoji=st.sampled_from(["👍", ":kiln:"]), count=st.integers(0, 9))).map(
        tuple
    ),
    reactions_at=st.none() | moments,
)

# ---- questions

_GRAMMAR = (
    "what did", "say", "said", "about", "in #deploys", "#", "in", "on", "from", "last Tuesday", "yesterday", "at 5pm",
    "two weeks ago", "between", "and", "the first", "third", "of May", "2026", "12/11/2026", "3.", ":", "-", "5", "00",
    "our last discussion", "sessions ago", "this", "week", "weekend", "morning", "since", "until", "before", "after",
    "end of", "year", "9999", "99999999999", "midnight", "half past", "quarter", "Easter", "Christmas", "messages by",
    "according to", "'s posts", "did", "post", "<@5>", "<#2>", "earlier today", "tonight", "2025 years ago", "0",
    "twenty", "hundred", "thousand", "million", "o'clock", "BC", "every", "years", "from now", "ago", "the",
)  # fmt: skip


def questions(names: SearchStrategy[str] = names) -> SearchStrategy[str]:
    """Return questions made of pieces of grammar, names and noise, as long as Discord takes them."""
    part = st.one_of(st.sampled_from(_GRAMMAR), st.sampled_from(_GRAMMAR), names, pieces)
    sentences = st.lists(part, max_size=30).map(" ".join)
    repetitions = st.builds(
        lambda some, number: " ".join(some * number), st.lists(part, max_size=3), st.integers(1, 60)
    )
    return st.one_of(sentences, sentences, repetitions, texts).map(lambda text: text[:LONGEST])


# ---- files

numbers_in_json = st.sampled_from(["0", "-1", "1.5", "1e400", "1e99999999999999999999", "9" * 5_000, "NaN", "Infinity"])


def _deep(depth: int, kind: str) -> str:
    opening, closing = ("[", "]") if kind == "list" else ('{"a":', "}")
    return f"{opening * depth}1{closing * depth}"


hostile_json = st.one_of(
    st.builds(_deep, st.sampled_from([3, 200, 1_500, 20_000]), st.sampled_from(["list", "object"])),
    numbers_in_json,
    st.sampled_from(["null", "true", "[]", "{}", '""', "[[]]", '{"a": 1, "a": 2}', r'"\ud800"', r'"\u0000"', "nul"]),
    pieces.map(json.dumps),
    pieces,
)
"""Texts of JSON values that are not what they should be, and of what is no JSON."""

_json_text = st.one_of(texts.map(json.dumps), texts.map(json.dumps), hostile_json)


def json_objects(fields: Mapping[str, SearchStrategy[str]]) -> SearchStrategy[str]:
    """Return texts of JSON objects that have some of these fields, each of which is mostly what it should be."""
    some = st.fixed_dictionaries({}, optional={name: value | hostile_json for name, value in fields.items()})
    return some.map(lambda one: "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in one.items()) + "}")


_ids = snowflakes.map(lambda number: json.dumps(str(number)))
_iso = moments.map(lambda moment: json.dumps(moment.isoformat()))
_user = json_objects({"id": _ids, "name": _json_text, "nickname": _json_text})
_file = json_objects({"fileName": _json_text, "url": _json_text, "fileSizeBytes": st.integers(0).map(str)})
_card = json_objects({"title": _json_text, "description": _json_text, "fields": _json_text})
_exported = json_objects(
    {
        "id": _ids,
        "type": st.sampled_from(['"Default"', '"Reply"', '"20"', '"GuildMemberJoin"']),
        "timestamp": _iso,
        "timestampEdited": _iso | st.just("null"),
        "content": _json_text,
        "author": _user,
        "attachments": st.lists(_file, max_size=2).map(lambda some: f"[{', '.join(some)}]"),
        "embeds": st.lists(_card, max_size=2).map(lambda some: f"[{', '.join(some)}]"),
        "reference": json_objects({"messageId": _ids, "type": st.just('"Default"')}),
    }
)
_list_of_exported = st.lists(_exported | hostile_json, max_size=5).map(lambda some: f"[{', '.join(some)}]")

exports: SearchStrategy[str] = st.builds(
    lambda head, some, tail: f'{{"guild": {{"id": "1"}}, "channel": {head}, "messages": {some}{tail}',
    json_objects({"id": _ids, "name": _json_text, "type": st.just('"GuildTextChat"')}),
    _list_of_exported,
    st.one_of(
        st.just(', "messageCount": 5}'), st.just(', "messageCount": 5}'), pieces, hostile_json.map(", {}}}".format)
    ),
)
"""Files of DiscordChatExporter, most of which are wrong in some way."""

package_messages = st.one_of(
    st.lists(
        json_objects({"ID": snowflakes.map(str), "Timestamp": _iso, "Contents": _json_text, "Attachments": _json_text})
        | hostile_json,
        max_size=5,
    ).map(lambda some: f"[{', '.join(some)}]"),
    hostile_json,
)
package_notes = st.one_of(
    json_objects({"id": _ids, "name": _json_text, "username": _json_text, "guild": _json_text, "type": _json_text}),
    hostile_json,
)

_quoted = st.builds(lambda text: '"' + text.replace('"', '""') + '"', texts)
_cells = st.one_of(words, _quoted, pieces, snowflakes.map(str), moments.map(lambda moment: moment.isoformat()), _iso)
_delimiters = st.sampled_from([",", ";", "\t", "|"])
_headers = st.lists(
    st.sampled_from(["text", "when", "date", "time", "user", "id", "channel", "files", "sent_at", "Content", ""])
    | pieces,
    min_size=1,
    max_size=6,
)
csv_files: SearchStrategy[str] = st.builds(
    lambda header, rows, delimiter, end: end.join(delimiter.join(row) for row in [header, *rows]),
    _headers,
    st.lists(st.lists(_cells, max_size=7), max_size=8),
    _delimiters,
    st.sampled_from(["\n", "\r\n", "\r"]),
)

encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp932", "gb18030"])

times_of_others: SearchStrategy[str] = st.one_of(
    moments.map(str),
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "1",
                    "31",
                    "2026",
                    "/",
                    ".",
                    "-",
                    ":",
                    " ",
                    "T",
                    "Z",
                    "+",
                    "99",
                    "pm",
                    "Nov",
                    "UTC",
                    "e",
                    "0",
                    "9" * 30,
                ]
            ),
            st.integers(0, 10**20).map(str),
            pieces,
        ),
        max_size=12,
    ).map("".join),
    texts,
)

# ---- damage


def damaged(content: bytes, damage: tuple[str, float, bytes]) -> bytes:
    """Return bytes of which some are overwritten, cut out, or stand where none were."""
    kind, where, what = damage
    at = int(where * len(content))
    if kind == "cut":
        return content[:at] + content[at + len(what) :]
    return content[:at] + what + content[at + (len(what) if kind == "overwrite" else 0) :]


damages = st.tuples(
    st.sampled_from(["cut", "overwrite", "insert"]),
    st.floats(0, 1, exclude_max=True),
    st.one_of(
        st.sampled_from([b'"', b"\n", b",", b"\0", b"\r", b'","', b'"\n', b"\xff"]), st.binary(min_size=1, max_size=20)
    ),
)

# ---- settings and notes

values_of_settings: SearchStrategy[str] = st.one_of(
    texts.map(lambda text: text.replace("\0", "")),
    st.sampled_from(
        ["0", "-1", "9" * 5_000, "1e400", "NaN", "P1D", "PT1S", "P999999999999D", "true", "../../etc/passwd", "/", "."]
    ),
)

secrets = st.text(st.sampled_from("hunter2XYZ"), min_size=8, max_size=12).map(lambda text: f"s3cret{text}")

dsns = st.builds(
    lambda scheme, user, password, host, rest: (f"{scheme}{user}:{password}@{host}{rest}", password),
    st.sampled_from(["postgresql://", "postgres://", "mysql://", "postgresql+x://", "postgresql:", ""]),
    pieces,
    secrets,
    st.sampled_from(["localhost", "[::1]", "[", "h:99999999999", "h:port", ""]) | pieces,
    st.sampled_from(["/db", "/db?sslmode=x", "/a/b", "?", "/%zz"]) | pieces,
)


def edited(document: Any, path: list[int], value: Any) -> Any:
    """Return a document of which the part that a path leads to is another one."""
    if not path or not isinstance(document, (dict, list)) or not document:
        return value
    step, *rest = path
    if isinstance(document, dict):
        name = list(document)[step % len(document)]
        return {**document, name: edited(document[name], rest, value)}
    at = step % len(document)
    return [*document[:at], edited(document[at], rest, value), *document[at + 1 :]]


hostile_values: SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -1, 1e308, "../../etc/passwd", "/etc/passwd", "0001-01-01T00:00:00+00:00", [], {}]),
    st.sampled_from(["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]),
    texts,
    st.lists(st.integers(), max_size=2),
)
paths = st.lists(st.integers(0, 20), min_size=1, max_size=5)

spans = st.timedeltas(timedelta(0), timedelta(days=2_000))
