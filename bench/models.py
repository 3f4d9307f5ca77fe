"""The embedding model of benches and tests: exported once on a machine, since that takes half a minute."""

import os
import sys
import threading
from pathlib import Path

from memory.embedding.config import Backend, EmbeddingConfig, Precision
from memory.embedding.exported_model import find_export, open_export
from util_async import no_progress

MODEL = "all-MiniLM-L6-v2"


def shared_models_dir() -> Path:
    """Return a folder that outlives a run: in the virtual environment, whose packages decide what is exported.

    Where that cannot be written to it is in the user's cache.
    """
    environment = Path(sys.prefix).resolve()
    if os.access(environment, os.W_OK):
        return environment / "backscroll-models"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "backscroll" / "models"


def shared_model(*, backend: Backend = "auto", precision: Precision = "fp32") -> EmbeddingConfig:
    """Return the model that is carried along; whoever needs it first exports it, the others wait for that."""
    return EmbeddingConfig(name=MODEL, models_dir=shared_models_dir(), backend=backend, precision=precision)


def export_shared_model() -> None:
    """Export the model unless that was done before: a test that had to wait for it might take longer than it may."""
    if find_export(shared_model()) is None:
        open_export(shared_model(), report=no_progress, stopped=threading.Event())
