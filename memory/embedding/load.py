"""Load an embedding model: its export on ONNX Runtime, or else the original on torch."""

import logging
import threading
from typing import Any

from errors import EmbeddingModelError, first_line
from memory.embedding.config import EmbeddingConfig
from memory.embedding.exports import NotExportedError, open_export
from memory.embedding.model import RunningModel
from memory.embedding.onnx_model import OnnxModel
from memory.embedding.torch_model import TorchModel
from util_async import Progress

logger = logging.getLogger(__name__)


def load_model(choice: EmbeddingConfig, *, report: Progress, stopped: threading.Event) -> RunningModel[Any]:
    """Return a model that is ready to run; it blocks for a moment, or for as long as an export takes.

    Raises EmbeddingModelError when there is no such model, or none that the chosen backend can run.
    """
    model = _load(choice, report=report, stopped=stopped)
    logger.info("embedding model %s loaded (%s)", choice.name, model.runs_on)
    return model


def _load(choice: EmbeddingConfig, *, report: Progress, stopped: threading.Event) -> RunningModel[Any]:
    if choice.backend == "torch":
        return TorchModel(choice.name, batch_size=choice.batch_size)
    try:
        return _load_export(choice, report=report, stopped=stopped)
    except NotExportedError as error:
        if choice.backend == "onnx" and choice.may_export:
            raise EmbeddingModelError(
                f"The embedding model {choice.name!r} cannot run on ONNX Runtime ({error}): "
                "set EMBEDDING_BACKEND to auto, or choose another EMBEDDING_MODEL."
            ) from error
        level = logging.WARNING if choice.may_export else logging.INFO
        logger.log(level, "the embedding model %s runs on torch, which takes longer: %s", choice.name, error)
        return TorchModel(choice.name, batch_size=choice.batch_size)


def _load_export(choice: EmbeddingConfig, *, report: Progress, stopped: threading.Event) -> OnnxModel:
    export = open_export(choice, report=report, stopped=stopped)
    try:
        return OnnxModel(export, batch_size=choice.batch_size)
    except Exception as error:  # ONNX Runtime has no error of its own that all others are
        raise NotExportedError(f"ONNX Runtime cannot load its export: {first_line(error)[:200]}") from error
