"""Run an exported embedding model on ONNX Runtime."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memory.embedding.exported_model import ExportedModel
from memory.embedding.model import TextBatch, Vectors, by_length, usable_cores

if TYPE_CHECKING:
    from tokenizers import Encoding

_LARGEST_BATCH = 2048  # tokens with padding: what attention and feed-forward need at once stays below 50 MB

_MOST_PADDED = 1.4
"""How many times longer than the shortest text of a batch its longest may be: what is padded is computed as well."""

_UNEVEN = 8  # tokens that a batch may always be uneven by: a batch has a cost of its own

_NO_SPINNING = ("session.intra_op.allow_spinning", "0")  # a thread that waits for work leaves its core to the server
_ERRORS_ONLY = 3

Tokens = list["Encoding"]


class OnnxModel:
    """A session of ONNX Runtime with its tokenizer; it may be used by several threads at once."""

    is_reentrant = True

    def __init__(self, export: ExportedModel, *, batch_size: int) -> None:
        from onnxruntime import InferenceSession, SessionOptions
        from tokenizers import Tokenizer

        self._description = export.description
        self._batch_size = batch_size
        self._tokenizer = Tokenizer.from_file(str(export.tokenizer_path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self._description.max_length)
        options = SessionOptions()
        options.intra_op_num_threads = max(1, usable_cores() - 1)
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        options.add_session_config_entry(*_NO_SPINNING)
        self._session = InferenceSession(str(export.model_path), options, providers=["CPUExecutionProvider"])
        self.dimensions = self._description.dimensions
        self.runs_on = f"ONNX Runtime, {self._description.precision}"

    def batches(self, texts: Sequence[str], *, prompt: str) -> list[TextBatch[Tokens]]:
        """Cut texts into batches of similar length; each is read after the prompt, which counts to what is read."""
        encodings = self._tokenizer.encode_batch_fast([f"{prompt}{text}" for text in texts])
        lengths = [len(encoding) for encoding in encodings]
        cut = _cut(by_length(lengths), lengths, self._batch_size)
        return [TextBatch(places, [encodings[place] for place in places]) for places in cut]

    def vectors(self, batch: TextBatch[Tokens]) -> Vectors:
        """Return a unit vector for each text of a batch, float32 of shape (len(batch.places), dimensions)."""
        inputs = {name: self._padded(name, batch.content) for name in self._description.inputs}
        (vectors,) = self._session.run(None, inputs)
        return np.asarray(vectors, dtype=np.float32)

    def _padded(self, name: str, encodings: Tokens) -> NDArray[np.int64]:
        """Return an input of the model for each text, as wide as the longest."""
        longest = max(len(encoding) for encoding in encodings)
        fill = self._description.pad_id if name == "input_ids" else 0
        padded = np.full((len(encodings), longest), fill, dtype=np.int64)
        for row, encoding in zip(padded, encodings, strict=True):
            start = longest - len(encoding) if self._description.pad_left else 0
            row[start : start + len(encoding)] = _values(name, encoding)
        return padded


def _values(name: str, encoding: "Encoding") -> list[int]:
    if name == "input_ids":
        return encoding.ids
    return encoding.attention_mask if name == "attention_mask" else encoding.type_ids


def _cut(order: Sequence[int], lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield places in that order, no more than the size of a batch, of about one length, that fit together."""
    places: list[int] = []
    for place in order:  # the last one is the longest of its batch
        too_many_tokens = (len(places) + 1) * lengths[place] > _LARGEST_BATCH
        too_uneven = bool(places) and lengths[place] > _MOST_PADDED * lengths[places[0]] + _UNEVEN
        if places and (len(places) == batch_size or too_many_tokens or too_uneven):
            yield places
            places = []
        places.append(place)
    if places:
        yield places
