"""What the doctor is asked to look at."""

from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from db.config import Addresses, Layouts
from memory.embedding.config import EmbeddingConfig
from ops.checks.models import LanguageModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the settings say, as values; secrets stay out of its text."""

    storage_dir: Path
    addresses: Addresses = field(repr=False)
    layouts: Layouts
    embedding: EmbeddingConfig
    language_model: LanguageModel
    time_zone: ZoneInfo
    discord_token: str | None = field(repr=False)
    discord_server_id: int | None
