"""JSON columns are read as the library reads them, each value a new one."""

import json

import pytest

from db.connections import read_json


@pytest.mark.parametrize("text", [b"[]", b"[ ]", b"{}", b'[{"name": "a.png"}]', b"null", "[]"])
def test_json_is_read_as_the_library_reads_it(text: bytes | str) -> None:
    first, second = read_json(text), read_json(text)

    assert first == json.loads(text)
    assert first is None or first is not second


def test_an_empty_list_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("json.loads", None)

    assert read_json(b"[]") == []
