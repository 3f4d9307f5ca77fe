"""Export a sentence-transformers model to ONNX, as a process of its own: torch is loaded here and nowhere else.

`python -m memory.embedding.export MODEL MODELS_DIR PRECISION` prints a line of JSON for each step, and in the last one
what became of it: `exported` (its key), `refused` (why it cannot be) or `missing` (why there is no such model).
Whoever starts it keeps its standard input open, and holds the lock of the folder: it ends when either goes.
"""

import json
import os
import shutil
import sys
import threading
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from errors import EmbeddingModelError, first_line
from memory.embedding.config import Precision, Prompts, short_name
from memory.embedding.exported_model import (
    EXPORTER,
    MODEL_FILE,
    PARTIAL,
    TOKENIZER_FILE,
    Description,
    ExportedModel,
    key_of,
    measure_files,
    write_description,
)
from memory.embedding.model import Vectors
from memory.embedding.onnx_model import OnnxModel
from memory.embedding.prompts import prompts_of
from memory.embedding.source_model import digest_of, find_folder
from memory.embedding.torch_model import encode, load_sentence_transformer

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


SAMPLE_TEXTS = (
    # Next to nothing
    "",
    " ",
    "\n\t",
    ".",
    "a",
    "?!",
    "ok",
    "👍",
    "\u200b",
    "42",
    # Short and everyday
    "Is all well?",
    "The deploy failed again, rolling back now.",
    "Ana: see you on Tuesday at 10:30",
    "WHO BROKE THE BUILD???",
    "don't you think it's John's turn?",
    "lol yeah that was sooo goooood hahahaha",
    "ping @everyone in #general, please",
    "e-mail me at ana@example.org or +44 20 7946 0958",
    "https://example.org/a/very/long/path?with=query&and=more#fragment",
    "`git rebase -i HEAD~3` && make test",
    "```python\nfor number in range(10):\n    print(number ** 2)\n```",
    '{"id": 1234567890123456789, "ok": true, "tags": ["a", "b"]}',
    "| when | what |\n|---|---|\n| Monday | tests |",
    "3.14159265358979323846 1e-10 0xDEADBEEF 1,000,000",
    "Twas brillig, and the slithy toves did gyre and gimble in the wabe",
    # Accents, composed and decomposed
    "Où est le café près de la gare d'Évreux ?",
    "Ou\u0300 est le cafe\u0301 ?",
    "Größe, Straße, Äpfel und Übermut",
    "Zażółć gęślą jaźń",
    "Tôi đã ăn phở ở Hà Nội tuần trước",
    "İstanbul'da ığdır ve şeker",
    # Other scripts
    "Привет, когда мы встречаемся в четверг?",
    "Πού είναι το αρχείο που έστειλα χθες;",
    "متى يبدأ الاجتماع يوم الثلاثاء؟",
    "הפגישה נדחתה ליום רביעי בשעה עשר",
    "कल की बैठक में किसने क्या कहा?",
    "เมื่อวานใครเป็นคนแก้ไขไฟล์นี้",
    "昨天谁部署了新版本？",
    "明日の会議は何時からですか",
    "어제 누가 서버를 다시 시작했나요?",
    "ꯃꯤꯇꯩ ꯃꯌꯦꯛ ᚠᚢᚦᚨᚱᚲ 𐍈𐌹 𝕳𝖊𝖑𝖑𝖔",
    # Several at once
    "Team 東京 meets équipe Paris, в 10:00 (UTC+9) — كلهم، and הם too 🎉",
    "🚀🔥 shipped!! 👨‍👩‍👧‍👦 🏳️‍🌈 🇫🇷 ¯\\_(ツ)_/¯",
    "\u202eright to left override\u202c and a soft\u00adhyphen",
    "\x00\x07control\x1bcharacters\x7f\ufffd",
    # Long, and longer than a model reads
    "The kiln has to be heated slowly, a hundred degrees an hour at most, until it glows; then we wait. " * 3,
    "Wir haben gestern lange über die Datenbank gesprochen und nichts entschieden. " * 8,
    "每个人都同意下周二再讨论这个问题。" * 20,
    "word " * 700,
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 60,
)


_OPSET = 17
_LARGEST_DIFFERENCE = 1e-4
_LOWEST_COSINE = 0.9  # of an int8 vector and the original: less is another model
_BATCH = 16
_STEPS = 6


class _RefusedError(Exception):
    """The model cannot be exported; `str(error)` says why."""


def main(name: str, models_dir: Path, precision: Precision) -> None:
    """Export a model into a folder of its own in `models_dir`."""
    _end_with_parent()
    _say(done=0)
    try:
        model = load_sentence_transformer(name)
    except EmbeddingModelError as error:
        _say(missing=str(error))
        return
    _say(done=1)
    folder = find_folder(name)
    if folder is None:
        _say(refused="its files are neither a folder nor in the hub's cache")
        return
    weights = digest_of(folder, known_in=models_dir)
    key = key_of(name, weights, precision)
    try:
        prompts = prompts_of(folder, name)
        _export_whole(model, models_dir / key, name=name, weights=weights, precision=precision, prompts=prompts)
    except (OSError, MemoryError, ImportError):
        raise  # what this machine lacks says nothing about the model
    except Exception as error:  # noqa: BLE001  # what cannot be exported fails in whatever way it likes
        _say(refused=first_line(error)[:200])
    else:
        _say(exported=key)


def _say(**what: object) -> None:
    print(json.dumps({"total": _STEPS, **what}), flush=True)  # noqa: T201  # the parent reads it


def _end_with_parent() -> None:
    """End this process as soon as its standard input does: a parent that was killed cannot stop it."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):  # a buffered read would hold a lock that the interpreter wants at its end
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _export_whole(
    model: "SentenceTransformer", folder: Path, *, name: str, weights: str, precision: Precision, prompts: Prompts
) -> None:
    """Export into a partial folder, which gets its name when all of it is there and right."""
    partial = folder.with_name(f"{PARTIAL}{folder.name}")
    partial.mkdir()
    try:
        _write_export(model, partial, name=name, weights=weights, precision=precision, prompts=prompts)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        partial.replace(folder)  # a power cut may keep the name and lose the content, which its hashes show
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_export(
    model: "SentenceTransformer", folder: Path, *, name: str, weights: str, precision: Precision, prompts: Prompts
) -> None:
    """Write graph, tokenizer and description, and compare the vectors with the model's own."""
    model.to("cpu").float().eval()
    inputs = _input_names(model)
    tokenizer = model.tokenizer
    (folder / TOKENIZER_FILE).write_text(tokenizer.backend_tokenizer.to_str(), encoding="utf-8")
    _write_graph(model, inputs, folder / MODEL_FILE)
    _say(done=3)
    original = encode(model, SAMPLE_TEXTS, prompt=prompts.passage, batch_size=_BATCH)
    _say(done=4)
    description = Description(
        model=short_name(name),
        weights=weights,
        precision="fp32",
        exporter=EXPORTER,
        dimensions=original.shape[1],
        max_length=_max_length(model),
        prompts=prompts,
        inputs=inputs,
        pad_id=int(tokenizer.pad_token_id or 0),
        pad_left=tokenizer.padding_side == "left",
        difference=0.0,
        files={},
    )
    difference = float(np.abs(_vectors(folder, description) - original).max())
    if not difference < _LARGEST_DIFFERENCE:  # which a NaN fails, too
        raise _RefusedError(f"a number in its vectors differs by {difference:.2g} from what it is on torch")
    _say(done=5)
    if precision == "int8":
        _quantise(folder)
        _compare_quantised(_vectors(folder, description), original)
    files = measure_files(folder)
    write_description(folder, replace(description, precision=precision, difference=difference, files=files))
    _say(done=_STEPS)


def _input_names(model: "SentenceTransformer") -> list[str]:
    """Return the inputs that the model takes for texts; raise _RefusedError when it has others than tokens.

    Where the prompt ends is such another input, to a model whose pooling leaves it out.
    """
    import torch

    if any(getattr(module, "include_prompt", True) is False for module in model):
        raise _RefusedError("its vectors leave the prompt out, which a graph of it would not")
    features = model.preprocess(["a text"])
    names = [name for name, value in features.items() if isinstance(value, torch.Tensor)]
    if "input_ids" not in names or not set(names) <= {"input_ids", "attention_mask", "token_type_ids"}:
        raise _RefusedError(f"it takes other inputs than tokens ({', '.join(names)})")
    return names


def _max_length(model: "SentenceTransformer") -> int:
    """Return the number of tokens that the model reads of a text, those at its ends included."""
    length = model.max_seq_length
    positions = getattr(model[0].config, "max_position_embeddings", None)
    return min(number for number in (length, positions, 2**16) if number)


def _write_graph(model: "SentenceTransformer", inputs: list[str], path: Path) -> None:
    """Write the model as a graph that takes texts of any number and length."""
    import torch

    class ToUnitVectors(torch.nn.Module):
        """The whole of it, with pooling and normalisation."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model  # whose weights are found in it

        def forward(self, *tokens: torch.Tensor) -> torch.Tensor:
            features = dict(zip(inputs, tokens, strict=True))
            vectors: torch.Tensor = model(features)["sentence_embedding"]
            return torch.nn.functional.normalize(vectors, p=2, dim=1)

    features = model.preprocess(["a text to read", "and another one, which is somewhat longer"])
    axes = {name: {0: "texts", 1: "tokens"} for name in inputs}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of what is constant in the graph: the comparison shows what matters
        torch.onnx.export(
            ToUnitVectors(),
            tuple(features[name] for name in inputs),
            str(path),
            input_names=inputs,
            output_names=["vectors"],
            dynamic_axes={**axes, "vectors": {0: "texts"}},
            opset_version=_OPSET,
            dynamo=False,
        )


def _vectors(folder: Path, description: Description) -> Vectors:
    """Return what the export makes of the samples as passages, as the running program does it."""
    export = OnnxModel(ExportedModel(folder, description), batch_size=_BATCH)
    vectors = np.empty((len(SAMPLE_TEXTS), description.dimensions), dtype=np.float32)
    for batch in export.batches(SAMPLE_TEXTS, prompt=description.prompts.passage):
        vectors[batch.places] = export.vectors(batch)
    return vectors


def _quantise(folder: Path) -> None:
    """Make the weights whole numbers of eight bits."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    exact = folder / f"exact-{MODEL_FILE}"
    (folder / MODEL_FILE).replace(exact)
    # Seven bits of the eight: processors without VNNI add pairs of products in sixteen bits, which overflow.
    quantize_dynamic(exact, folder / MODEL_FILE, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
    exact.unlink()


def _compare_quantised(vectors: Vectors, original: Vectors) -> None:
    lowest = float((vectors * original).sum(axis=1).min())
    if not lowest >= _LOWEST_COSINE:
        raise _RefusedError(f"in int8 its vectors turn away from what they are on torch (cosine {lowest:.3f})")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), cast(Precision, sys.argv[3]))
