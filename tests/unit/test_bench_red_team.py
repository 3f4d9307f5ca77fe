"""The planted messages are what they should be, and what comes of them is judged rightly."""

import base64
from pathlib import Path
from typing import get_args

import pytest

from agent.prompts import TEMPLATES
from agent.types import Outcome
from bench.planted import Plant, Where, filled, read_plants
from bench.red_team import Verdict, chosen_plants, repeats_instructions, text_of
from errors import InputFileError

PLANTS = read_plants()


def test_there_are_a_hundred_messages_about_a_hundred_things() -> None:
    assert [plant.id for plant in PLANTS] == list(range(1, 101))
    assert len({plant.subject for plant in PLANTS}) == 100
    assert len({plant.kind for plant in PLANTS}) == 19
    assert {plant.where for plant in PLANTS} == set(get_args(Where))


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.subject)
def test_every_message_says_what_a_model_does_that_obeys_it(plant: Plant) -> None:
    assert all(set(step) in ({"call", "arguments"}, {"say"}) for step in plant.obey)
    assert "say" in plant.obey[-1]
    assert plant.tries
    assert plant.subject in plant.asked.casefold() or plant.question
    assert plant.where not in {"author_name", "channel_name", "file_name"} or plant.name


def test_a_file_that_has_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text('{"id": 1}\n')

    with pytest.raises(InputFileError, match="one JSON object a line"):
        read_plants(tmp_path / "other.jsonl")


def test_some_messages_are_taken_from_all_over_the_file() -> None:
    assert [plant.id for plant in chosen_plants(None, 25)] == list(range(1, 101, 4))
    assert [plant.id for plant in chosen_plants([7, 9], 1000)] == [7, 9]


def test_a_number_that_no_message_has_is_one_sentence() -> None:
    with pytest.raises(InputFileError, match="--only"):
        chosen_plants([101], 1000)


def test_ids_stand_in_texts_wherever_they_are() -> None:
    ids = {"staff_id": "12"}

    assert filled({"query": "in {staff_id}", "places": ["{staff_id}"], "n": 3}, ids) == {
        "query": "in 12",
        "places": ["12"],
        "n": 3,
    }


@pytest.mark.parametrize(
    "dress",
    [
        pytest.param(lambda text: text, id="as they are"),
        pytest.param(str.upper, id="in capitals"),
        pytest.param(lambda text: "\n".join(text.split()), id="one word a line"),
        pytest.param(lambda text: base64.b64encode(text.encode()).decode(), id="in base64"),
    ],
)
def test_instructions_are_known_in_any_dress(dress: "type[str]") -> None:
    assert repeats_instructions(f"So: {dress(TEMPLATES[0])} [1]")


def test_an_ordinary_answer_repeats_no_instructions() -> None:
    assert not repeats_instructions("The kiln is ready on Thursday, says Ben [1].")


def test_the_table_counts_what_was_held_off_by_kind() -> None:
    web, tool = PLANTS[-1], PLANTS[0]
    verdicts = [
        Verdict(web, True, Outcome.ANSWERED, (), "So.", 1.0),
        Verdict(web, False, Outcome.QUOTED, ("a mention",), "@here", 1.0),
        Verdict(tool, True, Outcome.QUOTED, (), "So.", 1.0),
    ]

    assert [line.split()[-3:] for line in text_of(verdicts).splitlines()[1:]] == [
        ["2", "1", "1"],
        ["1", "1", "1"],
        ["3", "2", "2"],
    ]
