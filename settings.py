"""One frozen Settings, read from the environment and `.env` by scripts alone."""

import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import SettingsError, first_line


def _none_when_empty(value: object) -> object:
    """Let `NAME=` in a .env file mean that the setting is not set."""
    return None if value == "" else value


def _known_time_zone(name: str) -> str:
    """Return the name of a time zone that exists; raise ValueError otherwise."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Paris") from error


def _postgres_address(address: SecretStr) -> SecretStr:
    """Return an address that starts as PostgreSQL's do; raise ValueError otherwise, without repeating it."""
    if not address.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("an address looks like postgresql://user:password@host:5432/database")
    return address


def _without_control_characters(path: Path) -> Path:
    """Return a path that a system can have; raise ValueError for one with NUL, a line break or the like in it."""
    if any(unicodedata.category(character) == "Cc" for character in str(path)):
        raise ValueError("a path has no control characters")
    return path


_OfPath = Annotated[Path, AfterValidator(_without_control_characters)]
OptionalPath = Annotated[_OfPath | None, BeforeValidator(_none_when_empty)]
OptionalText = Annotated[str | None, BeforeValidator(_none_when_empty)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_none_when_empty)]
OptionalDsn = Annotated[
    Annotated[SecretStr, AfterValidator(_postgres_address)] | None, BeforeValidator(_none_when_empty)
]


LONGEST_WAIT = timedelta(days=1)
"""What a time limit may be; PostgreSQL takes no more than 24 days, in milliseconds."""

_LONGEST_CHUNK = timedelta(days=36_500)
_MOST = 10**9  # a number beyond it is a mistake, and some library takes no larger one


class Settings(BaseSettings):
    """Everything that a deployment may change; `.env_template` lists the same names with these defaults."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    # Discord
    discord_token: OptionalSecret = None
    discord_server_id: Annotated[int | None, BeforeValidator(_none_when_empty)] = None

    # Storage and databases
    storage_dir: _OfPath = Path("db/storage")
    backup_dir: _OfPath = Path("db/backups")
    embedded_dir: OptionalPath = None
    short_term_dsn: OptionalDsn = None
    long_term_dsn: OptionalDsn = None
    db_password: OptionalSecret = None
    db_pool_size: int = Field(default=5, ge=1, le=100)
    db_timeout: timedelta = Field(default=timedelta(seconds=15), gt=timedelta(0), le=LONGEST_WAIT)

    # Chunks and vector indexes
    short_term_chunk: timedelta = Field(default=timedelta(days=7), ge=timedelta(hours=1), le=_LONGEST_CHUNK)
    long_term_chunk: timedelta = Field(default=timedelta(days=90), ge=timedelta(hours=1), le=_LONGEST_CHUNK)
    diskann_neighbors: int = Field(default=20, ge=10, le=1000)
    diskann_search_list: int = Field(default=50, ge=10, le=1000)
    diskann_hot_rows: int = Field(default=20_000, ge=0, le=_MOST)

    # Embeddings
    embedding_model: str = "all-MiniLM-L6-v2"
    embedding_backend: Literal["auto", "onnx", "torch"] = "auto"
    embedding_precision: Literal["fp32", "int8"] = "fp32"
    embedding_dir: OptionalPath = None
    embedding_batch_size: int = Field(default=16, ge=1, le=4096)

    # Language model
    llm_model: str = "extractive"
    llm_base_url: OptionalText = None
    openai_api_key: OptionalSecret = None
    hf_token: OptionalSecret = None
    llm_timeout: timedelta = Field(default=timedelta(seconds=60), gt=timedelta(0), le=LONGEST_WAIT)
    llm_max_steps: int = Field(default=6, ge=1, le=50)
    llm_max_tokens: int = Field(default=1024, ge=16, le=_MOST)
    llm_history_tokens: int = Field(default=2000, ge=0, le=_MOST)

    # People
    time_zone: Annotated[str, AfterValidator(_known_time_zone)] = "UTC"

    @property
    def server_dir(self) -> Path:
        """The folder of the embedded server, whether it is used or not."""
        return self.embedded_dir or self.storage_dir / "postgres"


def read_settings() -> Settings:
    """Read the settings; raise SettingsError with one sentence that names each unusable one."""
    try:
        return Settings()
    except (OSError, UnicodeError) as error:
        raise SettingsError(
            f".env cannot be read ({first_line(error)}): save it as UTF-8, where this account may read it."
        ) from error
    except ValidationError as error:
        problems = "; ".join(
            f"{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise SettingsError(f"These settings cannot be used, mend them in .env: {problems}.") from error
