"""Files in LoCoMo's format become chats and questions, and other files one sentence."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bench.locomo import read_chats
from bench.retrieval import main
from errors import InputFileError
from memory.index.index_text import said

TURNS = [
    {"speaker": "Ana", "dia_id": "D1:1", "text": "Look at this!", "blip_caption": "a photo of a red kite"},
    {"speaker": "Bruno", "dia_id": "D1:2", "text": "Nice."},
]
LATER = [{"speaker": "Ana", "dia_id": "D10:1", "text": "It flew away."}]


def sample(*questions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    conversation = {
        "speaker_a": "Ana",
        "session_10_date_time": "9:05 pm on 12 March, 2025",
        "session_10": LATER,
        "session_2_date_time": "10:00 am on 1 March, 2025",
        "session_2": TURNS,
        "session_3_date_time": "10:00 am on 2 March, 2025",
    }
    return {"sample_id": "kite", "conversation": {**conversation, **changes}, "qa": list(questions)}


def asking(*evidence: str, category: int = 4) -> dict[str, Any]:
    return {"question": "What flew away?", "answer": "a kite", "evidence": list(evidence), "category": category}


def written(folder: Path, content: object) -> Path:
    path = folder / "chats.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_turns_become_messages_in_the_order_of_their_sessions(tmp_path: Path) -> None:
    (chat,) = read_chats([written(tmp_path, [sample()])], session="bench")

    assert [message.content for message in chat.messages] == ["Look at this!", "Nice.", "It flew away."]
    first, second, third = chat.messages
    assert second.sent_at - first.sent_at == timedelta(minutes=1)
    assert f"{third.sent_at:%Y-%m-%d %H:%M}" == "2025-03-12 21:05"
    assert {message.place_id for message in chat.messages} == {chat.place_id}


def test_what_a_picture_shows_is_part_of_what_is_said(tmp_path: Path) -> None:
    (chat,) = read_chats([written(tmp_path, [sample()])], session="bench")

    assert said(chat.messages[0]) == "Look at this! a photo of a red kite"


@pytest.mark.parametrize(
    ("evidence", "found"),
    [
        pytest.param(["D1:2"], [1], id="one turn"),
        pytest.param(["D1:1; D10:1"], [0, 2], id="two in one entry"),
        pytest.param(["D1:1 D1:2"], [0, 1], id="two with a space"),
        pytest.param(["D9:9", "D10:1"], [2], id="one that is not in the chat"),
    ],
)
def test_evidence_names_turns(tmp_path: Path, evidence: list[str], found: list[int]) -> None:
    (chat,) = read_chats([written(tmp_path, [sample(asking(*evidence))])], session="bench")

    assert [question.evidence for question in chat.questions] == [
        frozenset(chat.messages[place].message_id for place in found)
    ]


def test_a_question_without_evidence_in_the_chat_is_left_out(tmp_path: Path) -> None:
    (chat,) = read_chats([written(tmp_path, [sample(asking(), asking("D9:9"), asking("D1:2"))])], session="bench")

    assert len(chat.questions) == 1


def test_no_two_chats_share_a_channel_or_a_message(tmp_path: Path) -> None:
    path = written(tmp_path, [sample(), sample()])

    chats = read_chats([path, path], session="bench")

    assert len({chat.place_id for chat in chats}) == len(chats) == 4
    assert len({message.message_id for chat in chats for message in chat.messages}) == 12


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({}, id="no list"),
        pytest.param([], id="no samples"),
        pytest.param([1], id="numbers"),
        pytest.param([{"conversation": {}}], id="no questions"),
        pytest.param([{"conversation": {}, "qa": []}], id="no turns"),
        pytest.param([sample(session_2_date_time="yesterday")], id="a time that is none"),
        pytest.param([sample(session_2=[{"speaker": "Ana"}])], id="a turn without an id"),
    ],
)
def test_another_file_is_refused_in_one_sentence(tmp_path: Path, content: object) -> None:
    path = written(tmp_path, content)

    with pytest.raises(InputFileError, match=r"chats\.json .*: give a "):
        read_chats([path], session="bench")


def test_the_command_ends_with_status_2_and_the_sentence(tmp_path: Path) -> None:
    no_json = tmp_path / "notes.txt"
    no_json.write_text("hello", encoding="utf-8")

    app = typer.Typer()
    app.command()(main)

    refused = CliRunner().invoke(app, ["--data", str(no_json)])
    missing = CliRunner().invoke(app, ["--data", str(tmp_path / "nowhere.json")])

    assert (refused.exit_code, missing.exit_code) == (2, 2)
    assert "is not JSON" in refused.output
    assert "nowhere.json cannot be read (No such file or directory): correct the path." in missing.output
