"""One frozen Settings, read from the environment and `.env` by scripts alone."""

import io
import logging
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from agent.config import WEB_SITES, AgentConfig, ModelConfig
from agent.models.setting import models_of
from agent.models.usage import read_prices
from agent.prompt_plan import SHORTEST_PROMPT, PromptPlan, ToolsSetting, prompt_plan
from db.config import Addresses, DatabaseConfig, Layout, Layouts
from db.shards import ShardRange
from errors import SettingsError, first_line
from memory.authors import bots_named
from memory.embedding.config import EmbeddingConfig
from storage.files import expand_path

_LARGEST = 64 * 1024  # bytes
_LONGEST_LINE = 5_000  # characters; what parses a line takes a time that grows with the square of it
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_ASSIGNMENT = re.compile(r"\s{0,20}(?:export\s{1,9})?[A-Za-z_]{1,64}\s{0,9}=")


def read_env_file(path: Path) -> dict[str, str]:
    """Return the values by their names as written; a file that is not there has none.

    Raises SettingsError, with one sentence that names the line, when the file is no text in UTF-8 or is damaged.
    """
    text = _text_of(path)
    if text is None:
        return {}
    from dotenv import dotenv_values  # most deployments in containers have no file

    _check_lines(path, text)
    return {name: value for name, value in dotenv_values(stream=io.StringIO(text)).items() if value is not None}


def _text_of(path: Path) -> str | None:
    """Return what a file holds; None when there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or first_line(error)).lower()
        raise _unreadable(path, reason, "make it a file that this account may read") from error
    if len(content) > _LARGEST:
        raise _unreadable(path, f"it is larger than {_LARGEST // 1024} kB", "keep nothing but settings in it")
    if content.startswith(_WIDE_BOMS) or content.count(0) * 3 > len(content):
        raise _unreadable(path, "it is UTF-16, as PowerShell writes it", "save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, f"a letter in line {line} is not UTF-8", "save it as UTF-8") from None


def _check_lines(path: Path, text: str) -> None:
    """Refuse a line that python-dotenv would pass over, or would take more for than it is."""
    from dotenv.parser import parse_stream

    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _LONGEST_LINE:
            raise _unreadable(path, f"line {number} has more than {_LONGEST_LINE:,} characters", "shorten it")
    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string
        blank = written[: len(written) - len(written.lstrip())]
        number = binding.original.line + blank.count("\n")
        lines = written.strip().splitlines()
        if binding.error and written.partition("=")[2].lstrip().startswith(("'", '"')):
            why = f"the quote in line {number} is not closed, or more follows it"
            raise _unreadable(path, why, "let it close where the value ends, or leave it out")
        if binding.error or (binding.key is not None and binding.value is None):
            raise _unreadable(path, f"line {number} is not of the form NAME=value", "correct it, or begin it with #")
        if any(_ASSIGNMENT.match(line) for line in lines[1:]):
            raise _unreadable(path, f"the quote in line {number} goes on over further settings", "close it there")


def _unreadable(path: Path, why: str, mend: str) -> SettingsError:
    return SettingsError(f"{path.name} cannot be read ({why}): {mend}.")


logger = logging.getLogger(__name__)

OF_DOCKER = frozenset(
    {
        "BOT_MEMORY", "DB_MEMORY", "DB_SHARED_BUFFERS", "LONG_TERM_PORT", "LONG_TERM_SERVERS", "PIP_EXTRA_INDEX_URL",
        "SHORT_TERM_PORT", "TIMESCALE_TAG",
    }
)  # fmt: skip
"""What compose.yaml reads out of the same file."""

_LONGEST_NAME = 64  # characters of a name that is compared with others
_LIKENESS = 0.85  # of 1, from which on a name is taken for a misspelt one
_LONGEST_ADDRESS = 300  # characters
_OF_ADDRESSES = re.compile(r"[A-Za-z0-9.:/@_~\[\]-]{1,300}")  # neither a query nor braces, which discord.py fills in
_LENGTH = re.compile(r"(\d{1,9})\s{0,3}([a-z]{0,7})", re.IGNORECASE)
_UNITS = {
    "S": ("s", "sec", "secs", "second", "seconds"),
    "M": ("m", "min", "mins", "minute", "minutes"),
    "H": ("h", "hr", "hour", "hours"),
    "D": ("d", "day", "days"),
    "W": ("w", "week", "weeks"),
}


def _known_time_zone(name: str) -> str:
    """Return the name of a time zone that exists, whatever its case; raise ValueError otherwise."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        nearest = _nearest_time_zone(name) or "Europe/Paris"
        if nearest.casefold() == name.casefold():
            return nearest
        raise ValueError(f"{name!r} is not an IANA time zone such as {nearest}") from error


def _known_sites(names: str) -> str:
    """Return "off", or names of what can be searched beside memory; raise ValueError for others."""
    chosen = [name.strip().casefold() for name in names.split(",") if name.strip()]
    if chosen == ["off"] or not chosen:
        return "off"
    if not set(chosen) <= set(WEB_SITES):
        raise ValueError(f"{names!r} is neither off nor some of {', '.join(WEB_SITES)}, with commas between them")
    return ",".join(dict.fromkeys(chosen))


def _known_prices(setting: str) -> str:
    """Return a table of prices as it is; raise ValueError when it cannot be read."""
    read_prices(setting)
    return setting


def _nearest_time_zone(name: str) -> str | None:
    from difflib import get_close_matches
    from zoneinfo import available_timezones  # reads hundreds of files

    if len(name) > _LONGEST_NAME:
        return None
    names = {known.casefold(): known for known in available_timezones()}
    found = get_close_matches(name.casefold(), names, n=1)
    return names[found[0]] if found else None


def _length_of_time(unit: str) -> WrapValidator:
    """Return what lets a wrong length of time be refused with the right spelling; a number alone counts units."""

    def validate(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValidationError:
            raise ValueError(_spelling(str(value).strip(), unit)) from None

    return WrapValidator(validate)


def _spelling(text: str, unit: str) -> str:
    """Return how a length of time is written."""
    found = _LENGTH.fullmatch(text)
    meant = (found[2].lower() or _UNITS[unit][0]) if found else ""
    letter = next((letter for letter, names in _UNITS.items() if meant in names), None)
    if found is None or letter is None or int(found[1]) == 0:
        return "a length of time looks like PT15S (15 seconds), PT1M (a minute) or P7D (7 days)"
    number = int(found[1])
    singular, plural = _UNITS[letter][-2:]
    sign = "P" if letter in "DW" else "PT"
    return f"write {sign}{number}{letter} for {number} {singular if number == 1 else plural}"


def _parsed_shards(value: object) -> object:
    """Return the shards of a text; raise ValueError for one that names none."""
    return ShardRange.parse(value) if isinstance(value, str) else value


def _parsed_time_of_day(value: object) -> object:
    """Return the time of day of a text such as "04:00"; raise ValueError for anything else."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.strptime(value.strip(), "%H:%M").time()  # noqa: DTZ007 - a clock shows it, in any zone
    except ValueError as error:
        raise ValueError("write a time of day as hours and minutes, such as 04:00") from error


def _postgres_address(address: SecretStr) -> SecretStr:
    """Return an address that starts as PostgreSQL's do; raise ValueError otherwise, without repeating it."""
    if not address.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("an address looks like postgresql://user:password@host:5432/database")
    return address


def _discord_address(scheme: str, example: str) -> AfterValidator:
    """Return what accepts an address of this scheme; without encryption only on this computer, for the token's sake."""

    def validate(address: str) -> str:
        if not _is_address(address, scheme):
            raise ValueError(
                f"an address looks like {example}; {scheme}:// without encryption is for this computer alone, "
                f"such as {scheme}://127.0.0.1:8080"
            )
        return address.rstrip("/")

    return AfterValidator(validate)


def _collector_address(address: str) -> str:
    """Return the address of an OpenTelemetry collector; raise ValueError for anything else."""
    if not any(_is_address(address, scheme) for scheme in ("https", "http")) and not _is_plain_http(address):
        raise ValueError("a collector's address looks like http://127.0.0.1:4318")
    return address.rstrip("/")


def _is_plain_http(address: str) -> bool:
    """Return whether an address is one of HTTP without encryption, as collectors beside the program have it."""
    return address.startswith("http://") and _is_address(f"https://{address.removeprefix('http://')}", "https")


def _is_address(address: str, scheme: str) -> bool:
    """Return whether an address has nothing but a host, a port and a path, and keeps what is sent there secret."""
    if len(address) > _LONGEST_ADDRESS or not _OF_ADDRESSES.fullmatch(address):
        return False
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or "@" in parts.netloc:
        return False
    return parts.scheme == f"{scheme}s" or (parts.scheme == scheme and _is_this_computer(host))


def _is_this_computer(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listed_bots(text: str) -> str:
    """Return which bots are recorded, as it is written; raise ValueError where that says nothing."""
    bots_named(text)
    return text


def _expanded(value: object) -> object:
    """Return a path with the home that its first part stands for."""
    return expand_path(value) if isinstance(value, str) else value


def _expanded_name(name: str) -> str:
    """Return a name that may be a path, with the home that its first part stands for."""
    return str(expand_path(name)) if name.startswith(("~", "$")) else name


def _prompt(text: str) -> str:
    """Return what stands before a text; `none` is nothing, as an empty setting leaves it to the model."""
    return "" if text.strip().lower() == "none" else text


def _without_control_characters(path: Path) -> Path:
    """Return a path that a system can have; raise ValueError for one with NUL, a line break or the like in it."""
    if any(unicodedata.category(character) == "Cc" for character in str(path)):
        raise ValueError("a path has no control characters")
    return path


_OfPath = Annotated[Path, BeforeValidator(_expanded), AfterValidator(_without_control_characters)]
_Prompt = Annotated[str, Field(max_length=1000), AfterValidator(_prompt)]
_Dsn = Annotated[SecretStr, AfterValidator(_postgres_address)]
_ApiBase = Annotated[str, _discord_address("http", "https://discord.com/api/v10")]
_GatewayUrl = Annotated[str, _discord_address("ws", "wss://gateway.discord.gg")]
_WebPage = Annotated[str, _discord_address("http", "https://example.org/privacy")]
_Collector = Annotated[str, AfterValidator(_collector_address)]
_Seconds = Annotated[timedelta, _length_of_time("S")]
_Days = Annotated[timedelta, _length_of_time("D")]


LONGEST_WAIT = timedelta(days=1)
"""What a time limit may be; PostgreSQL takes no more than 24 days, in milliseconds."""

_LONGEST_CHUNK = timedelta(days=36_500)
_MOST = 10**9  # a number beyond it is a mistake, and some library takes no larger one


class Settings(BaseSettings):
    """Everything that a deployment may change; `.env_template` lists the same names with these defaults."""

    model_config = SettingsConfigDict(env_file=".env", frozen=True, extra="ignore", hide_input_in_errors=True)

    # Discord
    discord_token: SecretStr | None = None
    discord_server_id: int | None = None
    discord_api_base: _ApiBase | None = None
    discord_gateway_url: _GatewayUrl | None = None
    discord_shards: Annotated[ShardRange | None, BeforeValidator(_parsed_shards)] = None
    record_bots: Annotated[str, AfterValidator(_listed_bots)] = "all"
    answer_style: Literal["card", "text"] = "card"
    privacy_url: _WebPage | None = None
    check_history_at: Annotated[time, BeforeValidator(_parsed_time_of_day)] = time(4)

    # Storage and databases
    storage_dir: _OfPath = Path("db/storage")
    backup_dir: _OfPath = Path("db/backups")
    embedded_dir: _OfPath | None = None
    short_term_dsn: _Dsn | None = None
    long_term_dsn: _Dsn | None = None
    db_password: SecretStr | None = None
    db_pool_size: int = Field(default=5, ge=1, le=100)
    db_timeout: _Seconds = Field(default=timedelta(seconds=15), gt=timedelta(0), le=LONGEST_WAIT)

    # Chunks and vector indexes
    short_term_chunk: _Days = Field(default=timedelta(days=7), ge=timedelta(hours=1), le=_LONGEST_CHUNK)
    long_term_chunk: _Days = Field(default=timedelta(days=90), ge=timedelta(hours=1), le=_LONGEST_CHUNK)
    diskann_neighbors: int = Field(default=20, ge=10, le=1000)
    diskann_search_list: int = Field(default=50, ge=10, le=1000)
    diskann_hot_rows: int = Field(default=20_000, ge=0, le=_MOST)

    # Embeddings
    embedding_model: Annotated[str, AfterValidator(_expanded_name)] = "all-MiniLM-L6-v2"
    embedding_backend: Literal["auto", "onnx", "torch"] = "auto"
    embedding_precision: Literal["fp32", "int8"] = "fp32"
    embedding_dir: _OfPath | None = None
    embedding_batch_size: int = Field(default=16, ge=1, le=4096)
    embedding_query_prompt: _Prompt | None = None
    embedding_passage_prompt: _Prompt | None = None

    # Language model
    llm_model: str = "extractive"
    llm_base_url: str | None = None
    openai_api_key: SecretStr | None = None
    hf_token: SecretStr | None = None
    llm_timeout: _Seconds = Field(default=timedelta(seconds=60), gt=timedelta(0), le=LONGEST_WAIT)
    llm_first_timeout: _Seconds | None = Field(default=None, gt=timedelta(0), le=LONGEST_WAIT)
    llm_prices: Annotated[str, AfterValidator(_known_prices)] | None = None
    llm_max_steps: int = Field(default=6, ge=1, le=50)
    llm_max_tokens: int = Field(default=1024, ge=16, le=_MOST)
    llm_history_tokens: int = Field(default=2000, ge=0, le=_MOST)
    llm_follow_up_timeout: _Seconds = Field(default=timedelta(seconds=4), ge=timedelta(0), le=LONGEST_WAIT)
    llm_tools: ToolsSetting = "auto"
    llm_prompt_tokens: int | None = Field(default=None, ge=SHORTEST_PROMPT, le=_MOST)

    # Web
    web_tools: Annotated[str, AfterValidator(_known_sites)] = "off"
    wikipedia_language: str = Field(default="en", pattern=r"^[a-z]{2,12}(?:-[a-z]{2,12})?$")

    # How answers came about
    debug_answers: bool = False
    trace_days: int = Field(default=7, ge=0, le=365)
    trace_texts: bool = False
    otel_exporter_otlp_endpoint: _Collector | None = None

    # People
    time_zone: Annotated[str, AfterValidator(_known_time_zone)] = "UTC"
    date_order: Literal["day-first", "month-first"] | None = None

    def __init__(self, **values: Any) -> None:
        super().__init__(_env_file=None, **values)  # pydantic would read the file itself, and say less of what is wrong

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment, and below it the file as `read_env_file` does; raise SettingsError."""
        path = settings_cls.model_config.get("env_file")
        written = {} if path is None else read_env_file(Path(str(path)))
        for remark in _misspelt(written, {name.upper() for name in cls.model_fields}):
            logger.warning(remark)
        values: dict[str, Any] = {name.lower(): value for name, value in written.items()}
        known = {name: value for name, value in values.items() if name in cls.model_fields}
        return init_settings, env_settings, InitSettingsSource(settings_cls, known)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_empty(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Let `NAME=` mean that a setting has its default."""
        return {name: value for name, value in values.items() if not isinstance(value, str) or value.strip()}

    @property
    def server_dir(self) -> Path:
        """The folder of the embedded server, whether it is used or not."""
        return self.embedded_dir or self.storage_dir / "postgres"

    @property
    def database(self) -> DatabaseConfig:
        """What db needs."""
        short_term, long_term = (
            Layout(
                chunk_interval=interval,
                num_neighbors=self.diskann_neighbors,
                search_list_size=self.diskann_search_list,
                hot_rows=self.diskann_hot_rows,
            )
            for interval in (self.short_term_chunk, self.long_term_chunk)
        )
        addresses = Addresses(
            short_term=secret_value(self.short_term_dsn),
            long_term=secret_value(self.long_term_dsn),
            password=secret_value(self.db_password),
            embedded_dir=self.server_dir,
        )
        return DatabaseConfig(
            addresses=addresses,
            layouts=Layouts(short_term, long_term),
            pool_size=self.db_pool_size,
            timeout=self.db_timeout,
        )

    @property
    def embedding(self) -> EmbeddingConfig:
        """What memory.embedding needs."""
        return EmbeddingConfig(
            name=self.embedding_model,
            models_dir=self.embedding_dir or self.storage_dir / "models",
            backend=self.embedding_backend,
            precision=self.embedding_precision,
            batch_size=self.embedding_batch_size,
            query_prompt=self.embedding_query_prompt,
            passage_prompt=self.embedding_passage_prompt,
        )

    @property
    def agent(self) -> AgentConfig:
        """What agent needs, whatever model writes its answers."""
        plan = self.prompt_plan_of(self.llm_model.partition(",")[0].partition("@http")[0])
        return AgentConfig(
            max_steps=self.llm_max_steps,
            timeout=self.llm_timeout,
            first_timeout=self.llm_first_timeout,
            history_tokens=self.llm_history_tokens,
            follow_up_timeout=self.llm_follow_up_timeout if plan.with_tools else timedelta(0),
            with_tools=plan.with_tools,
            prompt_tokens=plan.tokens,
            trace_texts=self.trace_texts,
            debug_answers=self.debug_answers,
        )

    @property
    def web_sites(self) -> tuple[str, ...]:
        """What may be searched beside memory; none by default."""
        return () if self.web_tools == "off" else tuple(self.web_tools.split(","))

    def prompt_plan_of(self, model: str) -> PromptPlan:
        """Return whether a model of this name is told of tools, and how much it is shown."""
        return prompt_plan(model, tools=self.llm_tools, tokens=self.llm_prompt_tokens)

    @property
    def language_models(self) -> tuple[ModelConfig, ...]:
        """What agent.models needs for each model of the chain; raises ChatModelError when that cannot be meant."""
        every = ModelConfig(
            name=self.llm_model,
            base_url=self.llm_base_url,
            openai_api_key=secret_value(self.openai_api_key),
            hf_token=secret_value(self.hf_token),
            max_tokens=self.llm_max_tokens,
            timeout=self.llm_timeout,
        )
        return models_of(every)


def secret_value(secret: SecretStr | None) -> str | None:
    """Return a secret in clear, for the one call that needs it."""
    return secret.get_secret_value() if secret is not None else None


def _misspelt(written: Mapping[str, str], settings: set[str]) -> Iterator[str]:
    """Yield a sentence for each name in the file that seems to be meant for one of ours."""
    from difflib import get_close_matches

    known = settings | OF_DOCKER
    for name in written:
        if name.upper() in known or len(name) > _LONGEST_NAME:
            continue
        if meant := get_close_matches(name.upper(), sorted(known - {key.upper() for key in written}), 1, _LIKENESS):
            yield f"{name} in .env is not a setting and changes nothing: write {meant[0]}, or remove it."


def read_settings() -> Settings:
    """Read the settings; raise SettingsError with one sentence that names each unusable one."""
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise SettingsError(f"These settings cannot be used, mend them in .env: {problems}.") from error
