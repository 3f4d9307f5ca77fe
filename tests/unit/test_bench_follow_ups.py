"""The dialogues of `bench.follow_ups`, and what is printed of them."""

import csv
from pathlib import Path

import pytest

from bench.follow_ups import DIALOGUES, Dialogue, Kind, Result, read_dialogues, shown
from bench.questions import SAMPLES
from errors import InputFileError


def test_every_dialogue_is_answered_by_messages_of_the_sample() -> None:
    with SAMPLES["sample"].path.open(encoding="utf-8", newline="") as lines:
        known = {int(row["message_id"]) for row in csv.DictReader(lines)}

    for dialogue in read_dialogues(DIALOGUES):
        assert frozenset[int]().union(*dialogue.wanted) <= known, dialogue.turns


def test_there_are_forty_dialogues_that_go_on_and_some_of_each_other_kind() -> None:
    kinds = [dialogue.kind for dialogue in read_dialogues(DIALOGUES)]

    assert kinds.count(Kind.FOLLOW_UP) >= 40
    assert kinds.count(Kind.TWO) >= 15
    assert kinds.count(Kind.AS_OF) >= 12


@pytest.mark.parametrize(
    "row", ["follow-up\t\t\twho? || why?", "nothing\t1\t\twho?", "two\tone\t\twho?", "two\t1 / \t\twho?", "two"]
)
def test_a_list_that_is_none_is_refused_in_a_sentence(tmp_path: Path, row: str) -> None:
    path = tmp_path / "dialogues.tsv"
    path.write_text(f"kind\twanted\tsays\tturns\n{row}\n", encoding="utf-8")

    with pytest.raises(InputFileError, match="correct --dialogues"):
        read_dialogues(path)


def test_the_table_tells_how_much_more_is_found() -> None:
    dialogue = Dialogue(Kind.FOLLOW_UP, (frozenset({1}),), "", ("who?", "why?"))
    results = [
        Result(dialogue, raw=0.0, meant=1.0, raw_quoted=0.0, quoted=1.0, shown="why who"),
        Result(dialogue, raw=1.0, meant=1.0, raw_quoted=0.0, quoted=0.0, shown="why who"),
    ]

    assert shown(results).splitlines()[-1].split() == ["follow-up", "2", "50.0", "100.0", "0.0", "50.0", "2.00"]
