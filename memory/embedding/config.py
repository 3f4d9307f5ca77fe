"""Which embedding model is used and how it is run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Backend = Literal["auto", "onnx", "torch"]
"""What runs the model: `auto` is ONNX Runtime, or torch for a model that cannot be exported."""


Precision = Literal["fp32", "int8"]
"""The numbers that ONNX Runtime multiplies; torch always runs in fp32."""


def short_name(name: str) -> str:
    """Return the name under which a model is known in a memory."""
    return name.removeprefix("sentence-transformers/")


@dataclass(frozen=True, slots=True)
class Prompts:
    """What a model reads before a question, before a passage, and before a text of which neither is known.

    Without a prompt they are empty.
    """

    query: str = ""
    passage: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingConfig:
    """A model by its name or folder, how to run it, and where exported models are kept.

    Without `may_export` nothing is written: a model that was not exported before runs on torch. The prompts stand
    before each question and each passage; None leaves them to the model.
    """

    name: str
    models_dir: Path
    backend: Backend = "auto"
    precision: Precision = "fp32"
    batch_size: int = 16
    may_export: bool = True
    query_prompt: str | None = None
    passage_prompt: str | None = None
