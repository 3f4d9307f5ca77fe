"""Settings: what is wrong is said in one sentence, and secrets are not said at all."""

from datetime import time, timedelta
from pathlib import Path
from typing import get_args

import pytest
from dotenv import dotenv_values
from pydantic import ValidationError

from db.config import Layout, Layouts
from db.shards import ShardRange
from errors import SettingsError
from memory.embedding.config import Backend, Precision
from settings import OF_DOCKER, Settings, read_settings
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
        pytest.param("DISCORD_API_BASE", "http://discord.example.org/api/v10", id="a token that travels in clear"),
        pytest.param("DISCORD_API_BASE", "http://127.0.0.1.example.org", id="another computer with a near name"),
        pytest.param("DISCORD_API_BASE", "wss://discord.example.org", id="a gateway for the API"),
        pytest.param("DISCORD_API_BASE", "https://ana:hunter2@discord.example.org", id="a password in an API address"),
        pytest.param(
            "DISCORD_API_BASE", "https://discord.example.org/{channel_id}", id="an address with a gap to fill"
        ),
        pytest.param("DISCORD_API_BASE", "https://", id="an API without a host"),
        pytest.param("DISCORD_API_BASE", "https://[", id="an API address that cannot be taken apart"),
        pytest.param("DISCORD_API_BASE", "https://h:99999", id="a port beyond the last"),
        pytest.param("DISCORD_API_BASE", "https://h/" + "a" * 5_000, id="an API address of 5,000 letters"),
        pytest.param("DISCORD_GATEWAY_URL", "ws://10.0.0.7", id="a gateway in clear on another computer"),
        pytest.param("DISCORD_GATEWAY_URL", "https://discord.example.org", id="an API for the gateway"),
        pytest.param("DISCORD_GATEWAY_URL", "wss://discord.example.org/?v=6", id="a gateway with a query"),
        pytest.param("DISCORD_SHARDS", "4-7/4", id="shards beyond their count"),
        pytest.param("DISCORD_SHARDS", "8" * 5_000, id="shards of 5,000 digits"),
        pytest.param("RECORD_BOTS", "dyno", id="a bot by its name"),
        pytest.param("RECORD_BOTS", "all,7", id="all bots and one"),
        pytest.param("RECORD_BOTS", "-7", id="a bot with a negative id"),
        pytest.param("CHECK_HISTORY_AT", "25:00", id="an hour beyond the day"),
        pytest.param("CHECK_HISTORY_AT", "at night", id="a time of day in words"),
        pytest.param("SHORT_TERM_DSN", "mysql://ana:hunter2@host/db", id="another kind of database"),
        pytest.param("LONG_TERM_DSN", "hunter2", id="an address that is none"),
        pytest.param("DB_POOL_SIZE", "0", id="no connections"),
        pytest.param("DB_POOL_SIZE", "many", id="connections in words"),
        pytest.param("DB_TIMEOUT", "0", id="no time for the database"),
        pytest.param("DB_TIMEOUT", "soon", id="a time limit in words"),
        pytest.param("EMBEDDING_BATCH_SIZE", "0", id="empty batches"),
        pytest.param("EMBEDDING_QUERY_PROMPT", "x" * 1001, id="a prompt longer than any"),
        pytest.param("EMBEDDING_BACKEND", "tensorflow", id="a backend that we do not know"),
        pytest.param("EMBEDDING_PRECISION", "fp16", id="a precision that we do not know"),
        pytest.param("LLM_TIMEOUT", "-5", id="a negative time limit"),
        pytest.param("LLM_MAX_STEPS", "51", id="too many steps"),
        pytest.param("LLM_MAX_TOKENS", "15", id="too few tokens"),
        pytest.param("LLM_HISTORY_TOKENS", "-1", id="less than no history"),
        pytest.param("LLM_PRICES", "openai:a=cheap", id="a price that is none"),
        pytest.param("LLM_FIRST_TIMEOUT", "PT0S", id="no time to begin"),
        pytest.param("DB_TIMEOUT", "P25D", id="a longer time limit than PostgreSQL takes"),
        pytest.param("DB_TIMEOUT", "9" * 30, id="a time limit of ages"),
        pytest.param("LLM_TIMEOUT", "P999999999D", id="a time limit without end"),
        pytest.param("SHORT_TERM_CHUNK", "P999999D", id="chunks of a thousand years"),
        pytest.param("DISKANN_HOT_ROWS", "9" * 30, id="more rows than can be counted"),
        pytest.param("LLM_MAX_TOKENS", "9" * 5_000, id="a number of 5,000 digits"),
        pytest.param("STORAGE_DIR", "db\nstorage", id="a line break in a path"),
        pytest.param("BACKUP_DIR", "\x1b[2J", id="a path that commands the terminal"),
        pytest.param("EMBEDDED_DIR", "a\x7f", id="a path with an invisible character"),
        pytest.param("DATE_ORDER", "year-first", id="an order of dates that nobody asked for"),
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("DISCORD_API_BASE", "https://discord.example.org/api/v10", id="encrypted"),
        pytest.param("DISCORD_API_BASE", "https://discord.example.org/api/v10/", id="a slash at the end"),
        pytest.param("DISCORD_API_BASE", "http://127.0.0.1:8080", id="this computer"),
        pytest.param("DISCORD_API_BASE", "http://[::1]:8080", id="this computer in IPv6"),
        pytest.param("DISCORD_GATEWAY_URL", "ws://localhost:8080/gateway", id="this computer by name"),
        pytest.param("DISCORD_GATEWAY_URL", "wss://discord.example.org", id="an encrypted gateway"),
    ],
)
def test_discord_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    assert getattr(read_settings(), name.lower()) == value.rstrip("/")


def test_the_hour_of_the_nightly_check_is_a_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().check_history_at == time(4)

    monkeypatch.setenv("CHECK_HISTORY_AT", "23:30")

    assert read_settings().check_history_at == time(23, 30)


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


@pytest.mark.parametrize("empty", ["", "  ", "\t"])
def test_an_empty_value_is_the_default(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    defaults = read_settings()
    for name in NAMES:
        monkeypatch.setenv(name, empty)

    assert read_settings() == defaults


@pytest.mark.parametrize(
    ("name", "value", "spelling"),
    [
        pytest.param("DB_TIMEOUT", "15", "DB_TIMEOUT: write PT15S for 15 seconds.", id="a number"),
        pytest.param("LLM_TIMEOUT", "90s", "LLM_TIMEOUT: write PT90S for 90 seconds.", id="seconds"),
        pytest.param("LLM_TIMEOUT", "2 min", "LLM_TIMEOUT: write PT2M for 2 minutes.", id="minutes"),
        pytest.param("DB_TIMEOUT", "1h", "DB_TIMEOUT: write PT1H for 1 hour.", id="hours"),
        pytest.param("SHORT_TERM_CHUNK", "7", "SHORT_TERM_CHUNK: write P7D for 7 days.", id="a number of days"),
        pytest.param("LONG_TERM_CHUNK", "2 Weeks", "LONG_TERM_CHUNK: write P2W for 2 weeks.", id="weeks"),
        pytest.param("DB_TIMEOUT", "soon", "DB_TIMEOUT: a length of time looks like PT15S (15 seconds)", id="words"),
        pytest.param("DB_TIMEOUT", "0", "DB_TIMEOUT: a length of time looks like PT15S (15 seconds)", id="nothing"),
        pytest.param(
            "TIME_ZONE",
            "Europe/Pari",
            "TIME_ZONE: 'Europe/Pari' is not an IANA time zone such as Europe/Paris.",
            id="a zone",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_the_right_spelling(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, spelling: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as caught:
        read_settings()

    assert spelling in str(caught.value)


@pytest.mark.parametrize(("value", "seconds"), [("PT15S", 15), ("PT1M", 60), ("P1D", 86_400), ("00:00:20", 20)])
def test_a_length_of_time_is_read(monkeypatch: pytest.MonkeyPatch, value: str, seconds: int) -> None:
    monkeypatch.setenv("DB_TIMEOUT", value)

    assert read_settings().db_timeout == timedelta(seconds=seconds)


@pytest.mark.parametrize("name", ["europe/paris", "EUROPE/PARIS", "Europe/Paris"])
def test_the_case_of_a_time_zone_is_free(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TIME_ZONE", name)

    assert read_settings().time_zone == "Europe/Paris"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("~", "/home/ana", id="a home"),
        pytest.param("~/my ~files", "/home/ana/my ~files", id="below a home"),
        pytest.param("~root/x", f"{Path('~root').expanduser()}/x", id="somebody else's home"),
        pytest.param("$HOME/x", "/home/ana/x", id="a home by its variable"),
        pytest.param("${HOME}/x", "/home/ana/x", id="a home by its variable in braces"),
        pytest.param("./~/x", "~/x", id="a folder called so"),
        pytest.param("a~/$HOME/~", "a~/$HOME/~", id="elsewhere it is a name"),
        pytest.param("$HOMER/x", "$HOMER/x", id="another variable"),
        pytest.param("~//x", "/home/ana/x", id="two slashes"),
    ],
)
def test_a_home_in_a_path_is_found_once_for_all(monkeypatch: pytest.MonkeyPatch, text: str, path: str) -> None:
    folders = ("STORAGE_DIR", "BACKUP_DIR", "EMBEDDED_DIR", "EMBEDDING_DIR")
    monkeypatch.setenv("HOME", "/home/ana")
    for name in folders:
        monkeypatch.setenv(name, text)

    settings = read_settings()

    assert {getattr(settings, name.lower()) for name in folders} == {Path(path)}


def test_nobody_s_home_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_DIR", "~nobody-at-all/x")

    with pytest.raises(SettingsError, match="STORAGE_DIR: '~nobody-at-all' is nobody's home here"):
        read_settings()


@pytest.mark.parametrize(
    ("value", "sites"),
    [
        pytest.param("off", (), id="off"),
        pytest.param("wikipedia", ("wikipedia",), id="one"),
        pytest.param(" Web, wikipedia,web ", ("web", "wikipedia"), id="both, loosely written"),
    ],
)
def test_what_is_searched_beside_memory_is_chosen(
    monkeypatch: pytest.MonkeyPatch, value: str, sites: tuple[str, ...]
) -> None:
    monkeypatch.setenv("WEB_TOOLS", value)

    assert read_settings().web_sites == sites


@pytest.mark.parametrize(
    ("name", "value"),
    [("WEB_TOOLS", "google"), ("WEB_TOOLS", "off,web"), ("WIKIPEDIA_LANGUAGE", "evil.example/")],
)
def test_nothing_else_is_searched_beside_memory(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=name):
        read_settings()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read_settings().db_pool_size = 9


def test_the_template_lists_every_setting() -> None:
    assert dotenv_values(TEMPLATE).keys() == NAMES | OF_DOCKER


def test_the_template_gives_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = Settings()
    monkeypatch.setitem(Settings.model_config, "env_file", TEMPLATE)

    assert Settings() == defaults


def test_the_layouts_of_the_settings_are_those_that_the_program_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().database.layouts == Layouts()

    monkeypatch.setenv("LONG_TERM_CHUNK", "P365D")
    monkeypatch.setenv("DISKANN_NEIGHBORS", "40")
    changed = read_settings().database.layouts

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

    assert read_settings().embedding.models_dir == Path(folder)


@pytest.mark.parametrize(
    ("written", "prompt"),
    [
        pytest.param('"query: "', "query: ", id="with its blank"),
        pytest.param('"Instruct: find it\\nQuery: "', "Instruct: find it\nQuery: ", id="with a line break"),
        pytest.param("none", "", id="nothing"),
        pytest.param("", None, id="the model's own"),
    ],
)
def test_a_prompt_is_taken_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str, prompt: str | None
) -> None:
    (tmp_path / ".env").write_text(f"EMBEDDING_QUERY_PROMPT={written}\n", encoding="utf-8")
    monkeypatch.setitem(Settings.model_config, "env_file", str(tmp_path / ".env"))

    embedding = read_settings().embedding

    assert (embedding.query_prompt, embedding.passage_prompt) == (prompt, None)


UNREADABLE = [
    pytest.param(b"DISCORD_TOKEN=hunter2\n\nTIME_ZONE=caf\xe9\n", "line 3 is not UTF-8", id="cp1252"),
    pytest.param("DISCORD_TOKEN=hunter2\n".encode("utf-16"), "it is UTF-16, as PowerShell writes it", id="UTF-16"),
    pytest.param(b"\xfe\xff" + "A=hunter2\n".encode("utf-16-be"), "it is UTF-16", id="UTF-16, the other way round"),
    pytest.param("A=hunter2\n".encode("utf-16-le"), "it is UTF-16", id="UTF-16 without a mark"),
    pytest.param(b'A=1\n\n\nDB_PASSWORD="hunter2\n', "the quote in line 4 is not closed", id="an open quote"),
    pytest.param(b"DB_PASSWORD='hunter2\nA=1", "the quote in line 1 is not closed", id="another open quote"),
    pytest.param(
        b'DB_PASSWORD="hunter2\nTIME_ZONE=UTC\nLLM_MODEL="x\n', "the quote in line 1", id="a quote closed by the next"
    ),
    pytest.param(
        b'DB_PASSWORD="hunter2\nTIME_ZONE=UTC\nLLM_MODEL=x"\n',
        "goes on over further settings",
        id="a quote closed late",
    ),
    pytest.param(b"A=1\nhunter2 is my password\n", "line 2 is not of the form NAME=value", id="prose"),
    pytest.param(b'DB_PASSWORD="hunter2" or so\n', "or more follows it", id="more behind a quote"),
    pytest.param(b"DB_PASSWORD: hunter2=x\n", "line 1 is not of the form NAME=value", id="a colon"),
    pytest.param(b"A=1\n=hunter2\n", "line 2 is not of the form NAME=value", id="no name"),
    pytest.param(b"A=1\r\nhunter2\r\n", "line 2 is not of the form NAME=value", id="a value alone"),
    pytest.param(b"A=" + b"hunter2" * 800, "line 1 has more than 5,000 characters", id="a line without end"),
    pytest.param(b"A=hunter2\n" * 7_000, "it is larger than 64 kB", id="a file without end"),
]


@pytest.mark.parametrize(("content", "words"), UNREADABLE)
def test_an_env_file_that_is_damaged_gives_one_sentence_with_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    (tmp_path / ".env").write_bytes(content)
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")

    with pytest.raises(SettingsError) as caught:
        read_settings()

    assert ".env cannot be read" in str(caught.value)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert is_one_sentence(str(caught.value).replace(".env", "the file"))


def test_a_folder_in_place_of_the_env_file_gives_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").mkdir()
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")

    with pytest.raises(SettingsError, match=r"\.env cannot be read \(is a directory\): make it a file"):
        read_settings()


def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, encoding: str = "utf-8") -> Settings:
    """Return the settings of an env file."""
    (tmp_path / ".env").write_text(content, encoding=encoding)
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    return read_settings()


def test_an_env_file_may_be_written_in_several_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = written(
        tmp_path,
        monkeypatch,
        '# a comment\n\nexport TIME_ZONE=Asia/Tokyo  # there\nDB_PASSWORD=\'a#b "c\'\nhf_token = "x y"\r\n'
        'BACKUP_DIR="my backups/#1"\nLLM_MODEL=openai:é#1\nMY_OWN="two\nlines"\n',
        encoding="utf-8-sig",
    )

    assert settings.time_zone == "Asia/Tokyo"
    assert settings.db_password is not None
    assert settings.hf_token is not None
    assert (settings.db_password.get_secret_value(), settings.hf_token.get_secret_value()) == ('a#b "c', "x y")
    assert (settings.backup_dir, settings.llm_model) == (Path("my backups/#1"), "openai:é#1")


def test_the_environment_comes_before_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIME_ZONE", "Asia/Tokyo")
    monkeypatch.setenv("DISCORD_TOKEN", "")

    settings = written(tmp_path, monkeypatch, "TIME_ZONE=Europe/Paris\nDISCORD_TOKEN=hunter2\nDB_POOL_SIZE=7\n")

    assert (settings.time_zone, settings.discord_token, settings.db_pool_size) == ("Asia/Tokyo", None, 7)


@pytest.mark.parametrize("empty", ["", "   ", '""', "'  '", "  # nothing"])
def test_an_empty_value_in_the_env_file_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: str
) -> None:
    defaults = read_settings()

    assert written(tmp_path, monkeypatch, "".join(f"{name}={empty}\n" for name in sorted(NAMES))) == defaults


def test_a_name_that_is_misspelt_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("DISCORD_TOKN", "TIMEZONE", "DB_PASSWD", "SHORT_TERM_PORT", "MY_OWN_THING", "EDITOR")

    written(tmp_path, monkeypatch, "".join(f"{name}=hunter2\n" for name in names))

    assert [record.getMessage() for record in caplog.records] == [
        "DISCORD_TOKN in .env is not a setting and changes nothing: write DISCORD_TOKEN, or remove it.",
        "TIMEZONE in .env is not a setting and changes nothing: write TIME_ZONE, or remove it.",
        "DB_PASSWD in .env is not a setting and changes nothing: write DB_PASSWORD, or remove it.",
    ]


def test_a_path_in_an_env_file_with_a_null_gives_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes(b"STORAGE_DIR=a\0b\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")

    with pytest.raises(SettingsError, match="STORAGE_DIR: a path has no control characters"):
        read_settings()


def test_the_shards_of_a_process_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().discord_shards is None

    monkeypatch.setenv("DISCORD_SHARDS", "0-3/8")

    assert read_settings().discord_shards == ShardRange(0, 3, 8)


def test_shards_that_cannot_be_read_are_refused_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_SHARDS", "four of eight")

    with pytest.raises(SettingsError, match=r"DISCORD_SHARDS: write it as 0-3/8, which are shards 0 to 3 of 8\.$"):
        read_settings()


def test_a_small_model_is_told_of_no_tools_asked_for_no_more_than_the_answer_and_shown_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLM_MODEL", "ollama:qwen2.5:0.5b")
    small = read_settings().agent
    monkeypatch.setenv("LLM_TOOLS", "on")
    told = read_settings().agent

    assert (small.with_tools, small.prompt_tokens, small.follow_up_timeout) == (False, 1200, timedelta(0))
    assert (told.with_tools, told.prompt_tokens, told.follow_up_timeout) == (True, 6000, timedelta(seconds=4))
