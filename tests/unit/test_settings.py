"""Settings: what is wrong is said in one sentence, and secrets are not said at all."""

from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from dotenv import dotenv_values
from pydantic import ValidationError

from commands.startup import layouts_of, model_choice
from db.databases import Layouts
from db.layout import Layout
from errors import SettingsError
from memory.embedding.choice import Backend, Precision
from settings import Settings, read_settings
from tests.sentences import is_one_sentence

TEMPLATE = Path(__file__).parents[2] / ".env_template"
NAMES = {name.upper() for name in Settings.model_fields}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the settings of whoever runs the tests."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("DISCORD_SERVER_ID", "my server", id="a server by its name"),
        pytest.param("SHORT_TERM_DSN", "mysql://ana:hunter2@host/db", id="another kind of database"),
        pytest.param("LONG_TERM_DSN", "hunter2", id="an address that is none"),
        pytest.param("DB_POOL_SIZE", "0", id="no connections"),
        pytest.param("DB_POOL_SIZE", "many", id="connections in words"),
        pytest.param("DB_TIMEOUT", "0", id="no time for the database"),
        pytest.param("DB_TIMEOUT", "soon", id="a time limit in words"),
        pytest.param("EMBEDDING_BATCH_SIZE", "0", id="empty batches"),
        pytest.param("EMBEDDING_BACKEND", "tensorflow", id="a backend that we do not know"),
        pytest.param("EMBEDDING_PRECISION", "fp16", id="a precision that we do not know"),
        pytest.param("LLM_TIMEOUT", "-5", id="a negative time limit"),
        pytest.param("LLM_MAX_STEPS", "51", id="too many steps"),
        pytest.param("LLM_MAX_TOKENS", "15", id="too few tokens"),
        pytest.param("LLM_HISTORY_TOKENS", "-1", id="less than no history"),
        pytest.param("DB_TIMEOUT", "P25D", id="a longer time limit than PostgreSQL takes"),
        pytest.param("DB_TIMEOUT", "9" * 30, id="a time limit of ages"),
        pytest.param("LLM_TIMEOUT", "P999999999D", id="a time limit without end"),
        pytest.param("SHORT_TERM_CHUNK", "P999999D", id="chunks of a thousand years"),
        pytest.param("DISKANN_HOT_ROWS", "9" * 30, id="more rows than can be counted"),
        pytest.param("LLM_MAX_TOKENS", "9" * 5_000, id="a number of 5,000 digits"),
        pytest.param("STORAGE_DIR", "db\nstorage", id="a line break in a path"),
        pytest.param("BACKUP_DIR", "\x1b[2J", id="a path that commands the terminal"),
        pytest.param("EMBEDDED_DIR", "a\x7f", id="a path with an invisible character"),
        pytest.param("TIME_ZONE", "a" * 5_000, id="a time zone of 5,000 letters"),
        pytest.param("TIME_ZONE", "Europe", id="a time zone that is a folder"),
        pytest.param("TIME_ZONE", "Mars/Olympus", id="a time zone elsewhere"),
        pytest.param("TIME_ZONE", "../../etc/passwd", id="a time zone that is a path"),
    ],
)
def test_a_bad_value_gives_one_sentence_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as caught:
        read_settings()

    sentence = str(caught.value)
    assert f"{name}: " in sentence
    assert "\n" not in sentence
    assert "hunter2" not in sentence


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_POOL_SIZE", "0")
    monkeypatch.setenv("TIME_ZONE", "nowhere")

    with pytest.raises(SettingsError, match=r"DB_POOL_SIZE: .*; TIME_ZONE: "):
        read_settings()


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DB_PASSWORD", "DISCORD_TOKEN", "OPENAI_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "hunter2")
    for name in ("SHORT_TERM_DSN", "LONG_TERM_DSN"):
        monkeypatch.setenv(name, "postgresql://ana:hunter2@host/db")

    settings = read_settings()

    assert settings.discord_token is not None
    assert settings.discord_token.get_secret_value() == "hunter2"
    assert "hunter2" not in f"{settings!r} {settings}"


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    optional = [name for name, field in Settings.model_fields.items() if field.default is None]
    for name in optional:
        monkeypatch.setenv(name.upper(), "")

    settings = read_settings()

    assert {name: getattr(settings, name) for name in optional} == dict.fromkeys(optional)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read_settings().db_pool_size = 9


def test_the_template_lists_every_setting() -> None:
    assert dotenv_values(TEMPLATE).keys() >= NAMES  # what else it may list, test_compose.py says


def test_the_template_gives_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = Settings()
    monkeypatch.setitem(Settings.model_config, "env_file", TEMPLATE)

    assert Settings() == defaults


def test_the_layouts_of_the_settings_are_those_that_the_program_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert layouts_of(read_settings()) == Layouts()

    monkeypatch.setenv("LONG_TERM_CHUNK", "P365D")
    monkeypatch.setenv("DISKANN_NEIGHBORS", "40")
    changed = layouts_of(read_settings())

    assert changed.long_term == Layout(chunk_interval=timedelta(days=365), num_neighbors=40)
    assert changed.short_term == Layout(chunk_interval=timedelta(days=7), num_neighbors=40)


def test_backends_and_precisions_are_those_that_the_embedder_knows() -> None:
    fields = Settings.model_fields

    assert get_args(fields["embedding_backend"].annotation) == get_args(Backend)
    assert get_args(fields["embedding_precision"].annotation) == get_args(Precision)


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        pytest.param({"STORAGE_DIR": "/srv/bot"}, "/srv/bot/models", id="in the storage folder"),
        pytest.param({"STORAGE_DIR": "/srv/bot", "EMBEDDING_DIR": "/models"}, "/models", id="elsewhere"),
        pytest.param({"STORAGE_DIR": "/srv/bot", "EMBEDDING_DIR": ""}, "/srv/bot/models", id="not set"),
    ],
)
def test_exported_models_have_a_folder(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], folder: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    assert model_choice(read_settings()).models_dir == Path(folder)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"DISCORD_TOKEN=hunter2\nTIME_ZONE=caf\xe9\n", id="no UTF-8"),
        pytest.param("DISCORD_TOKEN=hunter2\n".encode("utf-16"), id="UTF-16"),
    ],
)
def test_an_env_file_that_is_no_text_gives_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (tmp_path / ".env").write_bytes(content)
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")

    with pytest.raises(SettingsError) as caught:
        read_settings()

    assert ".env cannot be read" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert is_one_sentence(str(caught.value).replace(".env", "the file"))


def test_a_path_in_an_env_file_with_a_null_gives_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes(b"STORAGE_DIR=a\0b\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")

    with pytest.raises(SettingsError, match="STORAGE_DIR: a path has no control characters"):
        read_settings()
