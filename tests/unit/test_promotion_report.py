"""What became of the records of a source is counted once and told in a few lines."""

from collections import Counter
from dataclasses import replace

from memory.message import Message
from ops.promotion.compare import ComparedMessage, Verdict
from ops.promotion.records import CleanBatch, FileOfSource, MessageSource, Reject
from ops.promotion.report import OTHER_REASONS, RecordTally, describe
from ops.promotion.sources.files import OF_NO_KIND, Skipped
from tests.builders import message
from tests.sources import source_of


def cleaned(*messages: Message, refused: int = 0, reason: str = "has no time") -> CleanBatch:
    return CleanBatch(
        messages=list(messages),
        revisions=[],
        vectors={},
        rejects=[Reject(number, f"record\n{number}", reason) for number in range(1, refused + 1)],
        merged=2,
        duplicates=1,
        empty=1,
        notes=Counter({"names mended": 3}),
    )


def compared(number: int, verdict: Verdict) -> ComparedMessage:
    return ComparedMessage(number=number, message=message(number), verdict=verdict, changes=True, brings_text=True)


def test_every_way_that_a_record_can_go_is_told() -> None:
    tally = RecordTally()
    tally.add_cleaned(cleaned(message(1), message(2), message(3), refused=2), "a.csv")
    tally.add_compared([compared(1, Verdict.NEW), compared(2, Verdict.THERE), compared(3, Verdict.FURTHER)], "a.csv")

    told = describe(tally, "session demo").splitlines()

    assert [line.strip() for line in told] == [
        "session demo: 9 records",
        "1  new",
        "0  changed: edited or deleted since",
        "1  already there",
        "3  other states of these messages, brought together",
        "1  repetitions",
        "1  without any words or files, left out",
        "2  refused",
        "2  has no time",
        "such as record 1 of a.csv: record 1",
        "such as record 2 of a.csv: record 2",
        "cleaned:",
        "3  names mended",
    ]


def test_a_message_that_the_database_refuses_is_counted_as_refused_alone() -> None:
    tally = RecordTally()
    tally.add_compared([compared(1, Verdict.NEW)], "a.csv")

    tally.take_back(Verdict.NEW, "too long")

    assert tally.records == 1
    assert tally.refused == {"too long": 1}
    assert not tally.has_effect


def test_reasons_without_end_are_counted_together() -> None:
    tally = RecordTally()

    for number in range(1500):
        tally.add_cleaned(cleaned(refused=1, reason=f"{number} is no time"), "a.csv")

    assert len(tally.refused) == 1001
    assert tally.refused[OTHER_REASONS] == 500
    assert "more reasons" in describe(tally, "a.csv")


def test_a_long_record_is_shortened() -> None:
    tally = RecordTally()
    chunk = cleaned()
    chunk.rejects.append(Reject(7, "x" * 1000, "has no time"))

    tally.add_cleaned(chunk, "a.csv")

    assert max(len(line) for line in describe(tally, "a.csv").splitlines()) < 160


def test_each_file_is_named_with_what_became_of_it() -> None:
    files = tuple(FileOfSource(f"{name}.csv", "CSV", "cp1251") for name in "abc")
    tally = RecordTally()
    tally.add_cleaned(cleaned(message(1), message(2), refused=1), "a.csv")
    tally.add_compared([compared(1, Verdict.NEW), compared(2, Verdict.THERE)], "a.csv")
    tally.add_damage("c.csv is cut off: export it again.", "c.csv")

    told = describe(tally, "folder all", source_with(files, [Skipped("settings.json", "It is no export.")]))

    assert told.splitlines()[-7:] == [
        "files:",
        "  c.csv  CSV, cp1251: no messages",
        "         not all of it can be read: c.csv is cut off: export it again.",
        "  a.csv  CSV, cp1251: 1 new, 1 known already, 1 refused, 4 left out or brought together",
        "  b.csv  CSV, cp1251: no messages",
        "not read:",
        "  settings.json: It is no export.",
    ]


def test_files_without_end_are_counted() -> None:
    files = tuple(FileOfSource(f"{number}.csv", "CSV") for number in range(500))
    skipped = [Skipped(f"{number}.json", "no export") for number in range(500)]
    pictures = [Skipped(f"{number}.png", OF_NO_KIND) for number in range(500)]

    told = describe(RecordTally(), "folder all", source_with(files, [*skipped, *pictures]))

    assert len(told.splitlines()) < 60
    assert told.count("and 480 more files") == 2
    assert "passed over: 500 files" in told


def test_the_name_of_a_file_cannot_command_the_terminal() -> None:
    files = (FileOfSource(f"\x1b[2J{'x' * 300}\n.csv", "CSV"),)

    told = describe(RecordTally(), "folder all", source_with(files, []))

    assert "\x1b" not in told
    assert max(map(len, told.splitlines())) < 100


def source_with(files: tuple[FileOfSource, ...], skipped: list[Skipped]) -> MessageSource:
    return replace(source_of([message(1)]), files=files, skipped=tuple(skipped))


def test_no_name_can_pass_for_a_line_of_the_report() -> None:
    tally = RecordTally()
    tally.add_cleaned(cleaned(refused=1), "a\n        9  new.csv")
    tally.add_command_bots({(7, "Quill\n        9  new"): 2})

    told = describe(tally, "demo\n        9  new\x1b[2J").splitlines()

    assert [line for line in told if line.strip() == "9  new" or line.strip().startswith("9 ")] == []
    assert told[0].startswith("demo\ufffd")
