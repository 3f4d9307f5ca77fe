"""An exported model on disk: the key it is kept under, its description, and whether it is whole."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from memory.embedding.config import Precision, short_name

EXPORTER = 1
"""Raise it when the exporter writes another graph, tokenizer or description: older exports are then left alone."""

PARTIAL = "partial-"
"""How the name of a folder begins that is not whole yet."""

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
_DESCRIPTION_FILE = "description.json"
_TRUTH = ("torch", "transformers", "sentence-transformers")  # what decides which vectors a model makes
_KEPT_NAME = 60  # characters of a model's name that its key shows
_KEPT_HASH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is known of an exported model.

    `weights` is the hash of the files that it was made from, `files` size and SHA-256 of its own, `difference` the
    largest one, in fp32, of a number in its vectors from that of sentence-transformers. `max_length` counts tokens.
    """

    model: str
    weights: str
    precision: Precision
    exporter: int
    dimensions: int
    max_length: int
    prompt: str
    inputs: list[str]
    pad_id: int
    pad_left: bool
    difference: float
    files: dict[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """The folder of an exported model, and its description."""

    folder: Path
    description: Description

    @property
    def model_path(self) -> Path:
        """The graph, which turns tokens into unit vectors."""
        return self.folder / MODEL_FILE

    @property
    def tokenizer_path(self) -> Path:
        """The tokenizer of the package tokenizers."""
        return self.folder / TOKENIZER_FILE

    def is_whole(self) -> bool:
        """Return whether its files hold what they did when they were written."""
        return self.description.files == measure_files(self.folder)


def key_of(name: str, weights: str, precision: Precision) -> str:
    """Return the name of the folder that an export of a model is kept in."""
    made_from = [short_name(name), weights, precision, str(EXPORTER), *(_version(package) for package in _TRUTH)]
    digest = hashlib.sha256("\n".join(made_from).encode()).hexdigest()
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", short_name(name)).strip("._")[-_KEPT_NAME:]
    return f"{readable}-{precision}-{digest[:_KEPT_HASH]}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def measure_files(folder: Path) -> dict[str, tuple[int, str]]:
    """Return size in bytes and SHA-256 of an export's files, of those that are there."""
    measured = {}
    for name in (MODEL_FILE, TOKENIZER_FILE):
        path = folder / name
        if path.is_file():
            with path.open("rb") as file:
                measured[name] = (path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    return measured


def write_description(folder: Path, description: Description) -> None:
    """Write the description into the folder of an export."""
    text = json.dumps(asdict(description), indent=2, ensure_ascii=False)
    (folder / _DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")


def read_export(folder: Path) -> ExportedModel | None:
    """Return the export in a folder; None when there is none, or none with a description that can be read."""
    try:
        known = json.loads((folder / _DESCRIPTION_FILE).read_text(encoding="utf-8"))
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in known.pop("files").items()}
        description = Description(**known, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return ExportedModel(folder, description)


def find_by_name(models_dir: Path, name: str, precision: Precision) -> ExportedModel | None:
    """Return the newest export of a model whose own files are no longer on this machine."""
    folders = sorted(models_dir.glob("*/"), key=lambda folder: -folder.stat().st_mtime)
    for folder in folders:
        export = read_export(folder)
        if export is not None and _is_of(export.description, name, precision):
            return export
    return None


def _is_of(description: Description, name: str, precision: Precision) -> bool:
    return (description.model, description.precision, description.exporter) == (short_name(name), precision, EXPORTER)


def read_refusal(models_dir: Path, key: str) -> str | None:
    """Return why a model cannot be exported, if that was found before."""
    try:
        known = json.loads(_refusal_path(models_dir, key).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(known["reason"]) if isinstance(known, Mapping) and "reason" in known else None


def write_refusal(models_dir: Path, key: str, reason: str) -> None:
    """Remember that a model cannot be exported: without that, each start would try again."""
    _refusal_path(models_dir, key).write_text(json.dumps({"reason": reason}) + "\n", encoding="utf-8")


def _refusal_path(models_dir: Path, key: str) -> Path:
    return models_dir / f"{key}.refused.json"
