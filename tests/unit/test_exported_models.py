"""An exported model is found under what it was made from, and is used only as it was written."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.models import MODEL, shared_model
from memory.embedding.config import EmbeddingConfig
from memory.embedding.embedder import Embedder
from memory.embedding.export import SAMPLE_TEXTS
from memory.embedding.exported_model import (
    ExportedModel,
    NotExportedError,
    find_export,
    key_of,
    open_export,
    read_export,
)
from memory.embedding.model import by_length
from memory.embedding.onnx_model import _cut
from memory.embedding.source_model import carried_dimensions, digest_of
from storage.session_names import valid_file_name
from tests.small_models import small_model
from util_async import no_progress


def test_the_key_tells_models_weights_and_precisions_apart() -> None:
    keys = {
        key_of(name, weights, precision)
        for name in ("a", "b")
        for weights in ("0", "1")
        for precision in ("fp32", "int8")
    }

    assert len(keys) == 8
    assert key_of("sentence-transformers/a", "0", "fp32") == key_of("a", "0", "fp32")


@pytest.mark.parametrize("name", ["/srv/models/ours", "../x", "org/model", ".hidden", "a b\\c", "ü" * 300])
def test_the_key_is_the_name_of_one_folder(name: str, tmp_path: Path) -> None:
    key = key_of(name, "0", "fp32")

    assert (tmp_path / key).parent == tmp_path
    assert key.isascii()
    assert not key.startswith(".")
    assert len(key) < 100


def made_model(folder: Path) -> Path:
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "1_Pooling" / "config.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("file", ["model.safetensors", "1_Pooling/config.json"])
def test_another_file_of_the_same_size_is_another_model(file: str, tmp_path: Path) -> None:
    folder = made_model(tmp_path / "model")
    before = digest_of(folder, known_in=tmp_path)

    path = folder / file
    path.write_bytes(bytes(byte + 1 for byte in path.read_bytes()))
    os.utime(path, ns=(1, 1))

    assert digest_of(folder, known_in=tmp_path) != before


def test_what_a_model_is_not_made_from_does_not_count(tmp_path: Path) -> None:
    folder = made_model(tmp_path / "model")
    before = digest_of(folder, known_in=tmp_path)

    (folder / "README.md").write_text("about", encoding="utf-8")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"another export")
    (folder / ".gitattributes").write_text("x", encoding="utf-8")

    assert digest_of(folder, known_in=tmp_path) == before


@pytest.mark.parametrize("known", ["", "[]", "{", '{"a": 1}'])
def test_a_damaged_list_of_digests_is_made_anew(known: str, tmp_path: Path) -> None:
    folder = made_model(tmp_path / "model")
    expected = digest_of(folder, known_in=tmp_path / "nowhere")
    (tmp_path / "digests.json").write_text(known, encoding="utf-8")

    assert [digest_of(folder, known_in=tmp_path) for _ in range(2)] == [expected, expected]


def test_batches_hold_texts_of_similar_length_and_no_more_tokens_than_fit() -> None:
    lengths = [5, 300, 7, 6, 900, 8, 900, 900, 1]

    cut = list(_cut(by_length(lengths), lengths, 3))

    assert cut == [[8, 0, 3], [2, 5], [1], [4, 6], [7]]


def copy_of(choice: EmbeddingConfig, folder: Path) -> ExportedModel:
    """Return a copy of what is exported, in a folder where a test may damage it."""
    embedder = Embedder(choice)
    embedder.begin().result()
    embedder.close()
    whole = find_export(choice)
    assert whole is not None
    target = folder / "models" / whole.folder.name
    shutil.copytree(whole.folder, target)
    copy = read_export(target)
    assert copy is not None
    return copy


@pytest.fixture
def copied(tmp_path: Path) -> ExportedModel:
    """A copy of a small export, for a test to damage."""
    return copy_of(small_model(), tmp_path)


def test_a_copy_is_whole(tmp_path: Path) -> None:
    copied = copy_of(shared_model(), tmp_path)

    assert copied.is_whole()
    assert copied.description.model == MODEL
    assert copied.description.dimensions == carried_dimensions()
    assert 0 <= copied.description.difference < 1e-4


def test_a_bit_that_has_changed_is_noticed(copied: ExportedModel) -> None:
    content = bytearray(copied.model_path.read_bytes())
    content[len(content) // 2] ^= 1
    copied.model_path.write_bytes(content)

    assert not copied.is_whole()


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_that_is_gone_is_noticed(copied: ExportedModel, name: str) -> None:
    (copied.folder / name).unlink()

    assert not copied.is_whole()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"files": {"model.onnx": 5}}', '{"files": {}, "model": 1}'])
def test_a_description_that_cannot_be_read_is_none(copied: ExportedModel, text: str) -> None:
    (copied.folder / "description.json").write_text(text, encoding="utf-8")

    assert read_export(copied.folder) is None


def test_where_nothing_may_be_written_nothing_is_exported(tmp_path: Path) -> None:
    import threading

    choice = replace(shared_model(), models_dir=tmp_path / "models", may_export=False)

    with pytest.raises(NotExportedError, match="not exported yet"):
        open_export(choice, report=no_progress, stopped=threading.Event())

    assert not (tmp_path / "models").exists()


def test_a_session_cannot_take_the_folder_of_the_models() -> None:
    from errors import SessionError

    with pytest.raises(SessionError, match="something else in the storage folder"):
        valid_file_name("Models")


def test_the_samples_are_fifty_and_all_different() -> None:
    assert len(set(SAMPLE_TEXTS)) == len(SAMPLE_TEXTS) == 50
    assert np.ptp([len(text) for text in SAMPLE_TEXTS]) > 3000


def test_a_batch_has_texts_of_about_one_length() -> None:
    lengths = [20, 90, 21, 100, 24, 60, 70, 95]

    cut = list(_cut(by_length(lengths), lengths, 16))

    assert cut == [[0, 2, 4], [5, 6, 1], [7, 3]]
    padded = sum(len(places) * lengths[places[-1]] for places in cut)
    assert padded < 1.2 * sum(lengths)
