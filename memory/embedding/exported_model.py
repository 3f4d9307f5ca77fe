"""An exported model on disk: find it, or have a process of its own export it, once on a machine.

It is kept under a key of what it was made from, with a description that tells whether it is whole. However many starts
want one at once, one of them exports it and the others wait (`memory.embedding.export` is the process).
"""

import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from errors import EmbeddingModelError
from memory.embedding.config import EmbeddingConfig, Precision, Prompts, short_name
from memory.embedding.source_model import cannot_be_downloaded, cannot_be_loaded, digest_of, find_folder
from util_async import Progress

logger = logging.getLogger(__name__)

EXPORTER = 2
"""Raise it when the exporter writes another graph, tokenizer or description: older exports are then left alone."""

PARTIAL = "partial-"
"""How the name of a folder begins that is not whole yet."""

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
_DESCRIPTION_FILE = "description.json"
_TRUTH = ("torch", "transformers", "sentence-transformers")  # what decides which vectors a model makes
_KEPT_NAME = 60  # characters of a model's name that its key shows
_KEPT_HASH = 16
LONGEST = timedelta(minutes=15)  # a large model is downloaded first
_GLANCE = timedelta(milliseconds=100)
_COMMAND = [sys.executable, "-m", "memory.embedding.export"]
_OUTCOMES = {"exported", "refused", "missing"}
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is known of an exported model.

    `weights` is the hash of the files that it was made from, `files` size and SHA-256 of its own, `difference` the
    largest one, in fp32, of a number in its vectors from that of sentence-transformers. `max_length` counts tokens,
    `prompts` are the model's own.
    """

    model: str
    weights: str
    precision: Precision
    exporter: int
    dimensions: int
    max_length: int
    prompts: Prompts
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
        prompts = known.pop("prompts")
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in known.pop("files").items()}
        description = Description(**known, prompts=Prompts(**prompts), files=files)
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


class NotExportedError(Exception):
    """There is no export of the model that can be used; `str(error)` says why."""


def find_export(choice: EmbeddingConfig) -> ExportedModel | None:
    """Return the export of a model that is there already, its files not looked at yet.

    Raises NotExportedError when it was found before that the model cannot be exported.
    """
    key = _key(choice)
    if key is None:
        return find_by_name(choice.models_dir, choice.name, choice.precision)
    refusal = read_refusal(choice.models_dir, key)
    if refusal is not None:
        raise NotExportedError(refusal)
    return read_export(choice.models_dir / key)


def _key(choice: EmbeddingConfig) -> str | None:
    """Return the key of a model whose files are on this machine."""
    folder = find_folder(choice.name)
    if folder is None:
        return None
    return key_of(choice.name, digest_of(folder, known_in=choice.models_dir), choice.precision)


def open_export(
    choice: EmbeddingConfig, *, report: Progress, stopped: threading.Event, limit: timedelta = LONGEST
) -> ExportedModel:
    """Return a whole export of a model, made now if there is none; it blocks until then, or until it is `stopped`.

    Raises NotExportedError when the model cannot be exported, EmbeddingModelError when there is no such model.
    """
    export = _find_whole(choice)
    if export is not None:
        return export
    if not choice.may_export:
        raise NotExportedError("it was not exported yet, which the next start of the bot does")
    if find_folder(choice.name) is None and cannot_be_downloaded(choice.name):
        raise cannot_be_loaded(choice.name, "it is not on this machine, and may not be downloaded")
    try:
        choice.models_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _lock(choice.models_dir, stopped=stopped, limit=limit):
            return _find_whole(choice) or _export(choice, report=report, stopped=stopped, limit=limit)
    except OSError as error:
        raise NotExportedError(f"{choice.models_dir} cannot be written to ({error.strerror or error})") from error


def _find_whole(choice: EmbeddingConfig) -> ExportedModel | None:
    export = find_export(choice)
    if export is None or export.is_whole():
        return export
    logger.warning("the exported embedding model in %s is damaged, and is exported anew", export.folder)
    return None


@contextmanager
def _lock(folder: Path, *, stopped: threading.Event, limit: timedelta) -> Iterator[None]:
    """Hold the folder's lock: no other process exports a model into it meanwhile."""
    lock = FileLock(folder / "lock")
    ends_at = time.monotonic() + limit.total_seconds()
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_GLANCE.total_seconds())
        except Timeout:
            if stopped.is_set():
                raise _stopped() from None
            if time.monotonic() > ends_at:
                raise NotExportedError("another process has been exporting for too long") from None
    try:
        yield
    finally:
        lock.release()


def _export(choice: EmbeddingConfig, *, report: Progress, stopped: threading.Event, limit: timedelta) -> ExportedModel:
    """Run the export to its end, and remember a refusal; the lock is held."""
    _remove_partial(choice.models_dir)
    logger.info("exporting the embedding model %s, which happens once", choice.name)
    try:
        outcome = _run(choice, report=report, stopped=stopped, limit=limit)
    finally:
        _remove_partial(choice.models_dir)
    if "missing" in outcome:
        raise EmbeddingModelError(str(outcome["missing"]))
    if "refused" in outcome:
        key = _key(choice)
        if key is not None:
            write_refusal(choice.models_dir, key, str(outcome["refused"]))
        raise NotExportedError(str(outcome["refused"]))
    export = read_export(choice.models_dir / str(outcome["exported"]))
    if export is None:
        raise NotExportedError("its export has vanished")
    return export


def _run(choice: EmbeddingConfig, *, report: Progress, stopped: threading.Event, limit: timedelta) -> dict[str, Any]:
    """Run the exporting process and return what it said at last; it never outlives this call."""
    arguments = [choice.name, str(choice.models_dir.resolve()), choice.precision]
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    ends_at = time.monotonic() + limit.total_seconds()
    with tempfile.TemporaryDirectory() as folder:
        said, complained = Path(folder) / "said", Path(folder) / "complained"
        with said.open("wb") as out, complained.open("wb") as err:
            process = subprocess.Popen(
                [*_COMMAND, *arguments],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                env={**os.environ, "PYTHONPATH": path},
            )
        try:
            while process.poll() is None and time.monotonic() < ends_at and not stopped.wait(_GLANCE.total_seconds()):
                _pass_on(_lines(said), report)
            in_time = process.poll() is not None
        finally:
            process.kill()
            process.communicate()
        lines = _lines(said)
        if stopped.is_set():
            raise _stopped()
        if not in_time:
            return {"refused": f"exporting it took longer than {limit}"}
        if not lines or not _OUTCOMES & lines[-1].keys():
            raise NotExportedError(f"exporting it ended with status {process.returncode}: {_last_words(complained)}")
        return lines[-1]


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return what the exporting process has said so far, without a line that it is writing just now."""
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


def _latest(lines: list[dict[str, Any]], name: str) -> Any:
    return next((line[name] for line in reversed(lines) if name in line), None)


def _pass_on(lines: list[dict[str, Any]], report: Progress) -> None:
    done = _latest(lines, "done")
    if done is not None:
        report(int(done), int(_latest(lines, "total")))


def _last_words(path: Path) -> str:
    words = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return words[-1][:200] if words else "it said nothing"


def _stopped() -> EmbeddingModelError:
    return EmbeddingModelError("The program ended before its embedding model was exported: start it again.")


def _remove_partial(models_dir: Path) -> None:
    """Remove what an export that was killed has left."""
    for folder in models_dir.glob(f"{PARTIAL}*"):
        shutil.rmtree(folder, ignore_errors=True)
