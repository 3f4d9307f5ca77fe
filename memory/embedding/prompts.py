"""What stands before a question and before a passage when a model embeds them, as it was trained to read them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from memory.embedding.config import EmbeddingConfig, Prompts, short_name
from memory.embedding.exported_model import find_by_name
from memory.embedding.source_model import find_folder

_CONFIGURATION = "config_sentence_transformers.json"
_OF_QUERIES = ("query",)
_OF_PASSAGES = ("document", "passage", "corpus")
"""The names that sentence-transformers gives prompts, the first that a model has counts."""


_E5 = Prompts(query="query: ", passage="passage: ")
_INSTRUCTED_E5 = Prompts(
    query="Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "
)
_BGE = Prompts(query="Represent this sentence for searching relevant passages: ")

_KNOWN: Mapping[str, Prompts] = {
    **{f"e5-{size}{version}": _E5 for size in ("small", "base", "large") for version in ("", "-v2")},
    **{f"multilingual-e5-{size}": _E5 for size in ("small", "base", "large")},
    "multilingual-e5-large-instruct": _INSTRUCTED_E5,
    "e5-mistral-7b-instruct": _INSTRUCTED_E5,
    **{f"bge-{size}-en{version}": _BGE for size in ("small", "base", "large") for version in ("", "-v1.5")},
}
"""Models that were trained with prompts and whose files do not say so, with those of their descriptions.

The GTE models, bge-m3 and the models of sentence-transformers itself were trained without.
"""


def find_prompts(choice: EmbeddingConfig) -> Prompts:
    """Return the prompts that a model is used with: those of the settings, or else its own.

    It reads small files. Of a model that is neither on this machine nor exported only the name is known.
    """
    own = _own_prompts(choice)
    return replace(
        own,
        query=own.query if choice.query_prompt is None else choice.query_prompt,
        passage=own.passage if choice.passage_prompt is None else choice.passage_prompt,
    )


def _own_prompts(choice: EmbeddingConfig) -> Prompts:
    folder = find_folder(choice.name)
    if folder is not None:
        return prompts_of(folder, choice.name)
    export = find_by_name(choice.models_dir, choice.name, choice.precision)
    return known_prompts(choice.name) if export is None else export.description.prompts


def prompts_of(folder: Path, name: str) -> Prompts:
    """Return the prompts in the configuration of a model's files; those known of its name where it has none."""
    try:
        configuration = json.loads((folder / _CONFIGURATION).read_text(encoding="utf-8"))
        named, default_name = configuration.get("prompts"), configuration.get("default_prompt_name")
    except (OSError, ValueError, AttributeError):  # what is damaged the model itself will not load with
        return known_prompts(name)
    named = {key: text for key, text in named.items() if isinstance(text, str)} if isinstance(named, dict) else {}
    default = named.get(default_name, "") if isinstance(default_name, str) else ""
    own = Prompts(_first(named, _OF_QUERIES, default), _first(named, _OF_PASSAGES, default), default)
    return known_prompts(name) if own == Prompts() else own  # sentence-transformers writes empty ones of its own accord


def _first(named: Mapping[str, Any], names: tuple[str, ...], default: str) -> str:
    """Return the first prompt that a model has, even an empty one, as its `encode_query` and `encode_document` do."""
    return next((named[name] for name in names if name in named), default)


def known_prompts(name: str) -> Prompts:
    """Return the prompts of a model that is known by the last part of its name or folder."""
    return _KNOWN.get(name.replace("\\", "/").rstrip("/").rpartition("/")[2].lower(), Prompts())


def identity(name: str, prompts: Prompts) -> str:
    """Return what a memory notes of the model of its vectors: its name, and what stood before each passage.

    The name is enough where that is the model's default. What stands before questions leaves vectors as they are.
    """
    plain = prompts.passage == prompts.default
    return short_name(name) if plain else f"{short_name(name)} with passages after {json.dumps(prompts.passage)}"


def identity_of(choice: EmbeddingConfig) -> str:
    """Return what a memory that is embedded with a model notes of it, as far as that is known without loading it."""
    return identity(choice.name, find_prompts(choice))
