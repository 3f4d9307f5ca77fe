"""Real, tiny and untrained embedding models, made in a process of their own: tests do not load torch."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from string import ascii_lowercase, digits

from filelock import FileLock

from bench.models import shared_models_dir
from bench.processes import ROOT
from memory.embedding.config import EmbeddingConfig

WIDTH = 32
QUERY_PROMPT = "question: "
PASSAGE_PROMPT = "note: "


def small_model(*, models_dir: Path | None = None) -> EmbeddingConfig:
    """Return a model that can be exported."""
    return EmbeddingConfig(name=str(_made() / "bert"), models_dir=models_dir or shared_models_dir())


def prompted_model(*, models_dir: Path | None = None) -> EmbeddingConfig:
    """Return the weights of `small_model` with QUERY_PROMPT and PASSAGE_PROMPT in their configuration."""
    return EmbeddingConfig(name=str(_made() / "prompted"), models_dir=models_dir or shared_models_dir())


def model_that_leaves_prompts_out(*, models_dir: Path | None = None) -> EmbeddingConfig:
    """Return `prompted_model` with a pooling that does not count the tokens of the prompt."""
    return EmbeddingConfig(name=str(_made() / "leaving-out"), models_dir=models_dir or shared_models_dir())


def model_without_graph(models_dir: Path) -> EmbeddingConfig:
    """Return a model that takes other inputs than tokens, and cannot be exported."""
    return EmbeddingConfig(name=str(_made() / "static"), models_dir=models_dir)


def _made() -> Path:
    """Return the folder of all models, made once on a machine."""
    folder = shared_models_dir() / "made-for-tests-2"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            subprocess.run([sys.executable, "-m", "tests.small_models", str(folder)], cwd=ROOT, check=True)
    return folder


def _make(folder: Path) -> None:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.manual_seed(0)
    letters = [f"{before}{letter}" for before in ("", "##") for letter in ascii_lowercase + digits]
    vocabulary = {
        token: number for number, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters])
    }
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    partial = folder.with_suffix(".partial")
    BertModel(config).save_pretrained(partial / "parts")
    tokenizer = BertTokenizer(vocab=vocabulary)
    tokenizer.save_pretrained(partial / "parts")
    bert = Transformer(str(partial / "parts"))
    SentenceTransformer(modules=[bert, Pooling(WIDTH)], device="cpu").save(str(partial / "bert"))
    shutil.copytree(partial / "bert", partial / "prompted")
    prompts = {"query": QUERY_PROMPT, "document": PASSAGE_PROMPT}
    _change(partial / "prompted" / "config_sentence_transformers.json", prompts=prompts)
    shutil.copytree(partial / "prompted", partial / "leaving-out")
    _change(partial / "leaving-out" / "1_Pooling" / "config.json", include_prompt=False)
    static = StaticEmbedding(tokenizer.backend_tokenizer, embedding_dim=WIDTH)
    SentenceTransformer(modules=[static], device="cpu").save(str(partial / "static"))
    partial.replace(folder)


def _change(path: Path, **values: object) -> None:
    known = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**known, **values}), encoding="utf-8")


if __name__ == "__main__":
    _make(Path(sys.argv[1]))
