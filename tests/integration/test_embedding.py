"""Vectors are those of sentence-transformers, made without torch; a model that cannot be exported runs all the same."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bench.models import shared_model, shared_models_dir
from bench.processes import ROOT
from errors import EmbeddingModelError
from memory.embedding import exported_model
from memory.embedding.config import EmbeddingConfig
from memory.embedding.embedder import Embedder, open_embedder
from memory.embedding.export import SAMPLE_TEXTS
from memory.embedding.exported_model import ExportedModel, NotExportedError, find_export, open_export
from memory.embedding.model import Vectors
from memory.embedding.source_model import carried_folder
from tests.small_models import WIDTH, model_without_graph, small_model
from util_async import no_progress

pytestmark = pytest.mark.timeout(600)  # on a busy machine a process needs a minute to import torch

HEAVY = {"torch", "transformers", "sentence_transformers", "sklearn", "scipy", "pandas", "onnx"}
SOON = timedelta(seconds=1)
COPYING = ROOT / "tests" / "copying_export.py"

ORIGINAL = """
import sys
import numpy as np
from memory.embedding.export import SAMPLE_TEXTS
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
np.save(sys.argv[2], model.encode(list(SAMPLE_TEXTS), normalize_embeddings=True))
"""

EMBEDDING = """
import asyncio, json, logging, sys
from pathlib import Path
from memory.embedding.embedder import open_embedder
from memory.embedding import exported_model
from memory.embedding.config import EmbeddingConfig

async def main():
    choice = EmbeddingConfig(name=sys.argv[1], models_dir=Path(sys.argv[2]))
    async with open_embedder(choice) as embedder:
        vectors = await embedder.embed(["one", "and another"])
        return {
            "shape": vectors.shape,
            "lengths": [float(vector @ vector) for vector in vectors],
            "dimensions": await embedder.dimensions(),
            "runs_on": embedder.runs_on,
            "modules": sorted({name.partition(".")[0] for name in sys.modules}),
        }

logging.basicConfig(format="%(levelname)s %(message)s")
exported_model._COMMAND = json.loads(sys.argv[3]) or exported_model._COMMAND
print(json.dumps(asyncio.run(main())))
"""

NOTHING_IS_NEAR_ENOUGH = """
import sys
from pathlib import Path
from memory.embedding import export
export._LARGEST_DIFFERENCE = 0.0
export.main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
"""


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of a few lines to its end, among our modules."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def exported(choice: EmbeddingConfig, *, limit: timedelta = timedelta(minutes=2)) -> ExportedModel:
    return open_export(choice, report=no_progress, stopped=threading.Event(), limit=limit)


def largest_difference(some: Vectors, others: Vectors) -> float:
    return float(np.abs(some - others).max())


# ---- vectors


def original_vectors() -> Vectors:
    """Return what sentence-transformers makes of the sample texts: once for each export on a machine."""
    Embedder(shared_model()).begin().result()
    export = find_export(shared_model())
    assert export is not None
    kept = shared_models_dir() / f"{export.folder.name}.original.npy"
    if not kept.exists():
        made = kept.with_name(f"{kept.stem}.{os.getpid()}.npy")
        run_python(ORIGINAL, str(carried_folder()), str(made))
        made.replace(kept)
    vectors: Vectors = np.load(kept)
    return vectors


async def test_vectors_are_those_of_sentence_transformers(embedder: Embedder) -> None:
    original = await asyncio.to_thread(original_vectors)

    vectors = await embedder.embed(SAMPLE_TEXTS)

    assert embedder.runs_on == "ONNX Runtime, fp32"
    assert vectors.dtype == np.float32
    assert largest_difference(vectors, original) < 1e-4


async def test_each_text_gets_its_own_vector_in_the_order_given(embedder: Embedder) -> None:
    texts = [*SAMPLE_TEXTS, "a", *SAMPLE_TEXTS[::-1]]

    together = await embedder.embed(texts)
    alone = [(await embedder.embed([text]))[0] for text in texts]

    assert largest_difference(together, np.array(alone)) < 1e-5
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


async def test_no_texts_have_no_vectors(embedder: Embedder) -> None:
    assert (await embedder.embed([])).shape == (0, await embedder.dimensions())


def test_nothing_heavy_is_imported_to_embed() -> None:
    Embedder(shared_model()).begin().result()

    told = json.loads(run_python(EMBEDDING, shared_model().name, str(shared_models_dir()), "null").stdout)

    assert told["shape"] == [2, 384]
    assert told["runs_on"] == "ONNX Runtime, fp32"
    assert not HEAVY.intersection(told["modules"])
    assert {"onnxruntime", "tokenizers"} <= set(told["modules"])


async def test_a_question_does_not_wait_for_many_texts(embedder: Embedder) -> None:
    await embedder.ready()
    many = asyncio.create_task(embedder.embed([f"{text} {number}" for number in range(6) for text in SAMPLE_TEXTS]))
    await asyncio.sleep(0)

    vector = (await embedder.embed(["who broke the build?"]))[0]

    assert not many.done()
    assert vector.shape == (384,)
    assert (await many).shape == (300, 384)


async def test_callers_with_many_texts_take_turns(embedder: Embedder) -> None:
    await embedder.ready()
    many = asyncio.create_task(embedder.embed([f"{text} {number}" for number in range(6) for text in SAMPLE_TEXTS]))
    await asyncio.sleep(0)

    few = await embedder.embed(["one", "two"])

    assert not many.done()
    assert few.shape == (2, 384)
    many.cancel()
    with pytest.raises(asyncio.CancelledError):
        await many


# ---- loading


async def test_the_width_is_known_before_the_model_is_loaded() -> None:
    async with open_embedder(shared_model(), at_once=False) as embedder:
        assert await embedder.dimensions() == 384
        assert not embedder.loaded


async def test_the_width_of_an_exported_model_is_known_before_it_is_loaded() -> None:
    async with open_embedder(small_model()) as embedder:
        await embedder.ready()
    async with open_embedder(small_model(), at_once=False) as embedder:
        assert await embedder.dimensions() == WIDTH
        assert not embedder.loaded


async def test_a_model_that_fails_to_load_is_not_called_loaded(tmp_path: Path) -> None:
    async with open_embedder(EmbeddingConfig(name=str(tmp_path / "none"), models_dir=tmp_path)) as embedder:
        for _ in range(2):
            with pytest.raises(EmbeddingModelError, match="cannot be loaded"):
                await embedder.ready()
            assert not embedder.loaded
            assert embedder.runs_on == ""


# ---- models that run on torch


def test_a_model_whose_vectors_differ_runs_on_torch_and_is_not_tried_again(tmp_path: Path) -> None:
    command = json.dumps([sys.executable, "-c", NOTHING_IS_NEAR_ENOUGH])
    choice = small_model(models_dir=tmp_path)

    finished = run_python(EMBEDDING, choice.name, str(tmp_path), command)

    told = json.loads(finished.stdout)
    (warning,) = (line for line in finished.stderr.splitlines() if line.startswith("WARNING"))
    assert "runs on torch, which takes longer: a number in its vectors differs by" in warning
    assert told["runs_on"] == "torch on cpu"
    assert told["shape"] == [2, told["dimensions"]] == [2, WIDTH]
    assert np.allclose(told["lengths"], 1, atol=1e-5)
    with pytest.raises(NotExportedError, match="a number in its vectors differs by"):
        find_export(choice)
    assert not [*tmp_path.glob("*/")], "nothing half is left"


async def test_a_model_that_must_not_run_on_torch_is_refused_in_one_sentence() -> None:
    choice = replace(model_without_graph(shared_models_dir()), backend="onnx")  # whose refusal a machine remembers

    async with open_embedder(choice) as embedder:
        with pytest.raises(EmbeddingModelError) as caught:
            await embedder.ready()

    sentence = str(caught.value)
    assert "cannot run on ONNX Runtime (it takes other inputs than tokens (" in sentence
    assert sentence.endswith("set EMBEDDING_BACKEND to auto, or choose another EMBEDDING_MODEL.")
    assert "torch" not in sys.modules


# ---- exports that go wrong


@pytest.fixture
def place(tmp_path: Path) -> EmbeddingConfig:
    """The carried model in a folder where nothing was exported yet."""
    Embedder(shared_model()).begin().result()
    return replace(shared_model(), models_dir=tmp_path / "models")


def copy_instead(monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    """Let exports copy what was exported before, and do something in the end."""
    original = find_export(shared_model())
    assert original is not None
    monkeypatch.setattr(exported_model, "_COMMAND", [sys.executable, str(COPYING), str(original.folder), deed])


def folders(choice: EmbeddingConfig) -> list[str]:
    return sorted(path.name for path in choice.models_dir.iterdir() if path.is_dir())


def test_an_export_that_is_killed_leaves_nothing_and_the_next_one_works(
    place: EmbeddingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_instead(monkeypatch, "die")
    with pytest.raises(NotExportedError, match="status -9"):
        exported(place)
    assert folders(place) == []

    copy_instead(monkeypatch, "finish")

    assert exported(place).is_whole()
    assert len(folders(place)) == 1


def test_a_full_disk_is_not_held_against_the_model(place: EmbeddingConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_instead(monkeypatch, "lack")

    with pytest.raises(NotExportedError, match=r"status 1: OSError.* No space left on device"):
        exported(place)

    assert folders(place) == []
    assert find_export(place) is None


def test_an_export_that_takes_too_long_is_ended_and_remembered(
    place: EmbeddingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_instead(monkeypatch, "hang")

    with pytest.raises(NotExportedError, match="took longer than 0:00:01"):
        exported(place, limit=SOON)

    assert folders(place) == []
    with pytest.raises(NotExportedError, match="took longer than 0:00:01"):
        find_export(place)


async def test_a_program_that_ends_does_not_wait_for_an_export(
    place: EmbeddingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_instead(monkeypatch, "hang")
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def note(*_: int) -> None:
        loop.call_soon_threadsafe(begun.set)

    async with open_embedder(place) as embedder:
        waiting = asyncio.create_task(embedder.ready(note))
        await begun.wait()
    with pytest.raises(EmbeddingModelError, match="ended before its embedding model was exported"):
        await waiting

    assert folders(place) == []
    assert find_export(place) is None, "and the next start tries again"


async def test_two_starts_at_once_export_once(place: EmbeddingConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_instead(monkeypatch, "finish")

    some, others = await asyncio.gather(*(asyncio.to_thread(exported, place) for _ in range(2)))

    assert some == others
    assert (place.models_dir.parent / "runs").read_text(encoding="utf-8") == "run\n"


def test_a_damaged_export_is_noticed_and_made_anew(
    place: EmbeddingConfig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    copy_instead(monkeypatch, "finish")
    export = exported(place)
    with export.model_path.open("r+b") as file:
        file.truncate(1000)

    again = exported(place)

    assert again.is_whole()
    assert f"the exported embedding model in {export.folder} is damaged, and is exported anew" in caplog.messages
    assert len((place.models_dir.parent / "runs").read_text(encoding="utf-8").splitlines()) == 2


def test_other_weights_are_exported_again(
    place: EmbeddingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_instead(monkeypatch, "finish")
    shutil.copytree(carried_folder(), tmp_path / "copy")
    choice = replace(place, name=str(tmp_path / "copy"))
    before = exported(choice)

    (tmp_path / "copy" / "vocab.txt").write_text("other", encoding="utf-8")

    assert find_export(choice) is None
    assert exported(choice).folder != before.folder


def test_the_exporting_process_ends_with_the_one_that_started_it(
    place: EmbeddingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_instead(monkeypatch, "hang")
    place.models_dir.mkdir()
    command: Sequence[str] = exported_model._COMMAND
    process = subprocess.Popen(
        [*command, place.name, str(place.models_dir), "fp32"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline()

    process.communicate(timeout=60)  # closes its standard input

    assert process.returncode == 1


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    choice = replace(shared_model(), models_dir=tmp_path / "file" / "models")

    with pytest.raises(NotExportedError, match=r"file/models cannot be written to \(Not a directory\)"):
        exported(choice)
