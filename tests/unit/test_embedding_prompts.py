"""What stands before questions and passages is what the settings say, or else the model's own files, or its name."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from memory.embedding.config import EmbeddingConfig, Prompts
from memory.embedding.exported_model import EXPORTER, Description, read_export, write_description
from memory.embedding.prompts import find_prompts, identity, identity_of, known_prompts

E5 = Prompts(query="query: ", passage="passage: ")
DESCRIPTION = Description(
    model="org/gone",
    weights="0",
    precision="fp32",
    exporter=EXPORTER,
    dimensions=3,
    max_length=8,
    prompts=Prompts(query="q: ", passage="p: ", default="d: "),
    inputs=["input_ids"],
    pad_id=0,
    pad_left=False,
    difference=0.0,
    files={},
)


def model(folder: Path, configuration: object) -> EmbeddingConfig:
    """Return a model whose folder holds no more than its configuration."""
    folder.mkdir(exist_ok=True)
    (folder / "config_sentence_transformers.json").write_text(json.dumps(configuration), encoding="utf-8")
    return EmbeddingConfig(name=str(folder), models_dir=folder / "models")


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        pytest.param({"prompts": {"query": "q: ", "document": "d: "}}, Prompts("q: ", "d: "), id="both"),
        pytest.param({"prompts": {"query": "q: ", "passage": "p: "}}, Prompts("q: ", "p: "), id="a passage by name"),
        pytest.param(
            {"prompts": {"document": "d: ", "passage": "p: "}}, Prompts("", "d: "), id="a document comes first"
        ),
        pytest.param({"prompts": {"query": "q: "}}, Prompts("q: "), id="questions alone"),
        pytest.param(
            {"prompts": {"query": "q: ", "all": "a: "}, "default_prompt_name": "all"},
            Prompts("q: ", "a: ", "a: "),
            id="a default for what has none",
        ),
        pytest.param(
            {"prompts": {"query": "q: ", "document": ""}, "default_prompt_name": "query"},
            Prompts("q: ", "", "q: "),
            id="an empty one is one",
        ),
        pytest.param(
            {"prompts": {"query": "", "document": ""}, "default_prompt_name": None}, Prompts(), id="empty ones"
        ),
        pytest.param({"prompts": {"query": 7, "document": ["d"]}}, Prompts(), id="no text"),
        pytest.param({"prompts": "q", "default_prompt_name": 7}, Prompts(), id="no prompts"),
        pytest.param({"prompts": {}, "default_prompt_name": "all"}, Prompts(), id="a default that is not there"),
        pytest.param([1], Prompts(), id="another file"),
    ],
)
def test_a_model_has_the_prompts_of_its_configuration(configuration: object, expected: Prompts, tmp_path: Path) -> None:
    assert find_prompts(model(tmp_path / "model", configuration)) == expected


def test_an_instruction_keeps_its_line_break(tmp_path: Path) -> None:
    instruction = "Instruct: Find the message that answers\nQuery: "

    assert find_prompts(model(tmp_path / "model", {"prompts": {"query": instruction}})).query == instruction


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("intfloat/multilingual-e5-small", E5),
        ("/srv/models/e5-base-v2/", E5),
        ("C:\\models\\E5-Large", E5),
        ("BAAI/bge-small-en-v1.5", Prompts(query="Represent this sentence for searching relevant passages: ")),
        ("BAAI/bge-m3", Prompts()),
        ("thenlper/gte-small", Prompts()),
        ("all-MiniLM-L6-v2", Prompts()),
        ("someone/e5-small-of-mine", Prompts()),
        ("", Prompts()),
    ],
)
def test_a_model_whose_files_say_nothing_is_known_by_its_name(name: str, expected: Prompts) -> None:
    assert known_prompts(name) == expected


def test_an_instructed_model_instructs_for_questions_alone() -> None:
    prompts = known_prompts("intfloat/multilingual-e5-large-instruct")

    assert prompts.query.startswith("Instruct: ")
    assert prompts.query.endswith("\nQuery: ")
    assert prompts.passage == ""


def test_what_the_files_say_counts_more_than_the_name(tmp_path: Path) -> None:
    assert find_prompts(model(tmp_path / "e5-small", {"prompts": {"query": "", "document": ""}})) == E5
    assert find_prompts(model(tmp_path / "e5-small", {"prompts": {"query": "q: "}})) == Prompts(query="q: ")


def test_a_model_whose_files_are_gone_has_the_prompts_of_its_export(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    write_description(tmp_path / "export", DESCRIPTION)
    export = read_export(tmp_path / "export")

    assert export is not None
    assert export.description == DESCRIPTION
    assert find_prompts(EmbeddingConfig(name="org/gone", models_dir=tmp_path)) == DESCRIPTION.prompts


def test_settings_count_more_than_the_model(tmp_path: Path) -> None:
    choice = model(tmp_path / "model", {"prompts": {"query": "q: ", "document": "d: "}})

    assert find_prompts(replace(choice, query_prompt="")) == Prompts("", "d: ")
    assert find_prompts(replace(choice, passage_prompt="note: ")) == Prompts("q: ", "note: ")


def test_a_memory_notes_the_name_alone_of_a_model_that_is_used_as_it_is() -> None:
    assert identity("sentence-transformers/all-MiniLM-L6-v2", Prompts()) == "all-MiniLM-L6-v2"
    assert identity("org/model", Prompts(query="q: ")) == "org/model"
    assert identity("org/model", Prompts(query="q: ", passage="d: ", default="d: ")) == "org/model"


def test_a_memory_notes_what_stood_before_each_passage_on_one_line() -> None:
    prompts = Prompts(query="q: ", passage='say "ü"\n: ')

    assert identity("org/model", prompts) == r'org/model with passages after "say \"\u00fc\"\n: "'


def test_the_settings_of_both_prompts_decide_what_a_memory_notes() -> None:
    choice = EmbeddingConfig(name="all-MiniLM-L6-v2", models_dir=Path("nowhere"))

    assert identity_of(replace(choice, query_prompt="q: ")) == identity_of(choice)
    assert identity_of(replace(choice, passage_prompt="p: ")) != identity_of(choice)
