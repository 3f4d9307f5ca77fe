"""Read a CSV that any other program has written: its first line names the columns, and so does the operator."""

import re
import reprlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from errors import InputFileError
from memory.capture.message_csv import LARGEST
from memory.message import COLUMNS, Kind
from ops.promotion.records import RawBatch
from ops.promotion.sources.csv_reader import CsvTable, chunks_of, guessed_columns, names_in
from ops.promotion.sources.encodings import encoding_of, open_as_text
from ops.promotion.sources.files import Location, opened, sample_of
from ops.promotion.sources.survey import Survey, survey_file

_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])", re.IGNORECASE)  # as Excel writes it
_LOOKED_AT = 30  # lines from the beginning, among which the header is
_MEANINGS = {"content": "the words", "sent_at": "the time", "author_name": "the author", "message_id": "the id"}
_MEANINGS |= {"author_id": "the author's id"}
_DATES = ("date", "datum", "fecha", "data", "\u0434\u0430\u0442\u0430", "\u65e5\u671f")
_CLOCKS = ("time", "heure", "uhrzeit", "zeit", "hora", "ora", "\u0432\u0440\u0435\u043c\u044f", "\u6642\u523b")
"""Names of columns of which two, a day and a clock, make a time."""


def plain(name: str) -> str:
    """Return the name of a column in small letters and without marks."""
    return re.sub(r"[\W_]", "", name).lower()


_SYNONYMS = {
    "content": (
        *("content", "contents", "text", "message", "body", "msg", "messagetext", "messagecontent"),
        *("nachricht", "inhalt", "contenu", "texte", "mensaje", "contenido", "mensagem", "texto", "messaggio", "testo"),
        *(
            "bericht",
            "wiadomo\u015b\u0107",
            "zpr\u00e1va",
            "\u0441\u043e\u043e\u0431\u0449\u0435\u043d\u0438\u0435",
            "\u0442\u0435\u043a\u0441\u0442",
            "\u5185\u5bb9",
            "\u6d88\u606f",
        ),
        *("\u30e1\u30c3\u30bb\u30fc\u30b8", "\ub0b4\uc6a9", "\uba54\uc2dc\uc9c0"),
    ),
    "sent_at": (
        *("sentat", "timestamp", "datetime", "createdat", "time", "date", "when", "ts"),
        *(
            "zeitstempel",
            "datum",
            "fecha",
            "data",
            "\u0434\u0430\u0442\u0430",
            "\u65e5\u671f",
            "\u65e5\u6642",
            "\u65f6\u95f4",
            "\ub0a0\uc9dc",
            *_CLOCKS[1:],
        ),
    ),
    "message_id": ("messageid", "msgid", "id"),
    "author_name": (
        *("authorname", "author", "username", "user", "sender", "displayname", "name", "nick", "from"),
        *("auteur", "autor", "autore", "benutzer", "benutzername", "verfasser", "absender", "utilisateur", "usuario"),
        *(
            "utente",
            "\u0430\u0432\u0442\u043e\u0440",
            "\u4f5c\u8005",
            "\u7528\u6237",
            "\u30e6\u30fc\u30b6\u30fc",
            "\uc791\uc131\uc790",
        ),
    ),
    "author_id": ("authorid", "userid", "senderid"),
    "channel_name": ("channelname", "channel", "room", "conversation"),
    "channel_id": ("channelid", "roomid"),
    "guild_id": ("guildid", "serverid"),
    "reply_to": ("replyto", "replytoid", "inreplyto"),
    "attachments": ("attachments", "attachment", "files"),
    "edited_at": ("editedat", "timestampedited", "editedtimestamp", "edited", "lasteditedat"),
    "deleted_at": ("deletedat", "deletedtimestamp"),
}
SYNONYMS = _SYNONYMS | {name: (plain(name),) for name in COLUMNS if name not in _SYNONYMS}
"""Under which names, in small letters and without marks, others have our columns; the first that is there counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignCsv:
    """A CSV of others, and how it is read."""

    path: Location
    encoding: str
    delimiter: str
    header: Sequence[str]
    columns: Mapping[str, str]
    lines_before: int = 0
    """Lines that stand before the header, or before the first record where there is no header."""
    has_header: bool = True
    added: Mapping[str, str] = field(default_factory=dict)
    me: int | None = None
    surveyed: Survey = field(default_factory=Survey)
    remarks: tuple[str, ...] = ()
    """Sentences for the operator about how it is read."""

    def read(self) -> Generator[RawBatch]:
        """Yield what the file holds; raises InputFileError."""
        with opened(self.path) as (plain, raw), open_as_text(plain, self.encoding) as text:
            for _ in range(self.lines_before):
                text.readline(LARGEST)
            table = CsvTable(
                source=self.path.name,
                header=self.header,
                columns=self.columns,
                delimiter=self.delimiter,
                header_line=text.readline(LARGEST).strip("\r\n\ufeff") if self.has_header else "",
                added=self.added,
            )
            for chunk in chunks_of(text, table, position=raw.tell):
                known = replace(chunk, day_first=self.surveyed.day_first, rounding=self.surveyed.rounding)
                yield with_answers(known, self.me)


def open_csv(path: Location, *, encoding: str | None = None) -> ForeignCsv:
    """Return a CSV with its encoding, delimiter and header; none of its columns is known yet.

    Lines before the header, as titles and `sep=;` are, are passed over. Where the first line is a record already the
    columns are called `column 1` and so on. Raises InputFileError.
    """
    sample = sample_of(path)
    encoding = encoding or encoding_of(sample)
    if b"\0" in sample and not encoding.startswith(("utf-16", "utf-32")):
        raise InputFileError(f"{path} is not text: save it as CSV with a first line that names the columns.")
    with opened(path) as (plain, _), open_as_text(plain, encoding) as text:
        lines = [text.readline(64 * 1024) for _ in range(_LOOKED_AT)]
    found = _Header.of(lines)
    if not any(found.names):
        raise InputFileError(f"{path} does not begin with a line that names its columns: add one.")
    csv = ForeignCsv(
        path=path, encoding=encoding, delimiter=found.delimiter, header=found.names, columns={}, lines_before=found.at
    )
    return _without_header(csv, lines[found.at :])


@dataclass(frozen=True, slots=True)
class _Header:
    """The line that names the columns: where it is, and its names."""

    at: int
    delimiter: str
    names: list[str]

    @classmethod
    def of(cls, lines: Sequence[str]) -> "_Header":
        """Return the first line that names the words and the time, or else the first that says anything."""
        headers = []
        delimiter = ""
        for at, line in enumerate(lines):
            if at == 0 and (found := _SEPARATOR_LINE.fullmatch(line.strip('\r\n\ufeff "'))):
                delimiter = found[1]
            elif line.strip(f'{_DELIMITERS}" \r\n\ufeff'):
                headers.append(cls(at, *_names_and_delimiter(line, delimiter)))
        known = (one for one in headers if _names_enough(one.names))
        return next(known, headers[0] if headers else cls(0, ",", []))


def _names_enough(names: Sequence[str]) -> bool:
    known = {plain(name) for name in names}
    time = {*SYNONYMS["sent_at"], *SYNONYMS["message_id"]}
    return len(names) > 1 and bool(known & set(SYNONYMS["content"])) and bool(known & time)


def _names_and_delimiter(line: str, delimiter: str) -> tuple[str, list[str]]:
    """Return what stands between the names of the columns, which is what makes most names of the line, and these."""
    names = {one: names_in(line, one) for one in delimiter or _DELIMITERS}
    best = max(names, key=lambda one: len(names[one]))
    return best, names[best]


def _without_header(csv: ForeignCsv, lines: Sequence[str]) -> ForeignCsv:
    """Return a CSV with numbered columns, if its first line is a record: it has a time, and no known name."""
    width = len(csv.header)
    if any(plain(name) in synonyms for name in csv.header for synonyms in SYNONYMS.values()):
        return csv
    records = [names_in(line, csv.delimiter) for line in lines]
    columns = guessed_columns([record for record in records if len(record) == width])
    if "sent_at" not in columns.values():
        return csv
    names = [f"column {number}" for number in range(1, width + 1)]
    guessed = ", ".join(f"{names[at]} for {_MEANINGS[ours]}" for at, ours in sorted(columns.items()))
    remark = (
        f"{csv.path} has no line that names its columns: {guessed} is taken; if that is wrong, add such a line, or "
        "say it as in --map author_name=1,sent_at=2,content=3."
    )
    named = {names[at]: ours for at, ours in columns.items()}
    return replace(csv, header=names, columns=named, has_header=False, remarks=(remark,))


def mapped(csv: ForeignCsv, mapping: Mapping[str, str]) -> ForeignCsv:
    """Return a CSV whose columns are known: those of `mapping`, our name to theirs, and those of common names.

    Two columns of theirs, such as `date+time`, make one of ours. Raises InputFileError when the words or the time are
    in no column, and when the mapping names what is not there.
    """
    chosen = {_our_name(ours): _their_columns(csv, theirs) for ours, theirs in mapping.items()}
    taken = {column for columns in chosen.values() for column in columns}
    if not csv.has_header and not mapping:
        chosen = {ours: [theirs] for theirs, ours in csv.columns.items()}
    for ours in SYNONYMS:
        if ours not in chosen and (found := _known_columns(csv, ours, taken)):
            chosen[ours] = found
            taken |= set(found)
    for needed, what in (("content", "the words"), ("sent_at", "the time")):
        if needed not in chosen and not (needed == "sent_at" and "message_id" in chosen):
            raise InputFileError(
                f"{csv.path} has no column that is known to hold {what}, only {_listed(csv.header)}: name yours, as in "
                "--map content=text,sent_at=when,author_name=user."
            )
    columns = {theirs: ours for ours, listed in chosen.items() for theirs in listed}
    if twice := [name for name in columns if csv.header.count(name) > 1]:
        raise InputFileError(f"{csv.path} has several columns that are called {twice[0]!r}: rename all but one.")
    return replace(csv, columns=columns)


def surveyed(csv: ForeignCsv, *, day_first: bool | None = None) -> ForeignCsv:
    """Return a CSV of which is known what its dates and ids mean, after it was read once.

    `day_first` is what the operator says of its dates. Raises InputFileError when they may mean two things.
    """
    return replace(csv, surveyed=survey_file(csv.path, csv.read(), day_first=day_first))


def with_answers(chunk: RawBatch, me: int | None) -> RawBatch:
    """Return a chunk in which what the bot of id `me` said is marked as an answer, which is never evidence."""
    frame = chunk.frame
    if me is None or "author_id" not in frame or "kind" in frame:
        return chunk
    kinds = frame["author_id"].eq(str(me)).map({True: Kind.ANSWER.value, False: ""})
    return replace(chunk, frame=frame.assign(kind=kinds.astype(str)))


def _our_name(name: str) -> str:
    if name in COLUMNS:
        return name
    known = plain(name)
    for ours, synonyms in SYNONYMS.items():
        if known in synonyms:
            return ours
    raise InputFileError(f"--map names {name!r}, which is no column of ours: those are {_listed(COLUMNS)}.")


def _their_columns(csv: ForeignCsv, name: str) -> list[str]:
    """Return the columns that a name of the mapping means: one, or several with a plus sign between them."""
    columns = [name] if name in csv.header else [part.strip() for part in name.split("+")]
    if not csv.has_header:
        columns = [f"column {column}" if column.isdecimal() else column for column in columns]
    for column in columns:
        if column not in csv.header:
            raise InputFileError(
                f"--map names the column {column!r}, which {csv.path} does not have: it has {_listed(csv.header)}."
            )
    return columns


def _known_columns(csv: ForeignCsv, ours: str, taken: set[str]) -> list[str]:
    free = {plain(column): column for column in reversed(csv.header) if column not in taken}
    found = [free[synonym] for synonym in SYNONYMS[ours] if synonym in free]
    if ours == "sent_at" and found and plain(found[0]) in {*_DATES, *_CLOCKS}:
        day = next((free[name] for name in _DATES if name in free), None)
        clock = next((free[name] for name in _CLOCKS if name in free), None)
        return [day, clock] if day and clock else found[:1]
    return found[:1]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(reprlib.repr(name)[1:-1] or "one without a name" for name in names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"
