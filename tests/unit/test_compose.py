"""The Docker files promise: nothing open to others, no password of ours, each container looked after and limited."""

import re
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from sqlalchemy import make_url

from settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
TEMPLATE = dotenv_values(ROOT / ".env_template")

yaml: Any = import_module("yaml")  # it has no types
PROJECT: dict[str, Any] = yaml.safe_load(COMPOSE)
SERVICES: dict[str, dict[str, Any]] = PROJECT["services"]
SERVERS = ("short_term_db", "long_term_db")
DATABASES = {"short_term_db": "short_term", "long_term_db": "long_term"}

VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<operator>:[-?])(?P<word>[^}]*)\}")


def variables() -> dict[str, set[str]]:
    """Return what compose.yaml reads from .env, each with the defaults that it gives; a required one has none."""
    found: dict[str, set[str]] = {}
    for match in VARIABLE.finditer(COMPOSE):
        defaults = found.setdefault(match["name"], set())
        if match["operator"] == ":-":
            defaults.add(match["word"])
    return found


def filled_in(value: str, **values: str) -> str:
    """Return a value as Compose reads it when .env sets these names and no others."""
    return VARIABLE.sub(lambda match: values.get(match["name"], match["word"]), value)


def instructions(name: str) -> list[str]:
    """Return what the Dockerfile says after each instruction of a name, continued lines joined."""
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    return [line.removeprefix(f"{name} ").strip() for line in lines if line.startswith(f"{name} ")]


def gets_into_the_image(path: str) -> bool:
    """Tell what .dockerignore does with a file: of the patterns that match it or a folder above, the last one holds."""
    above = [path, *(str(folder) for folder in Path(path).parents if folder != Path())]
    taken = True
    for line in IGNORED:
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = [part for whole in above for part in (whole, Path(whole).name)] if "**/" in line else above
        if line and not line.startswith("#") and any(_matches(part, pattern) for part in parts):
            taken = line.startswith("!")
    return taken


def _matches(path: str, pattern: str) -> bool:
    """Match as Docker does: an asterisk stands for a part of one name."""
    return path.count("/") == pattern.count("/") and fnmatch(path, pattern)


def test_there_are_two_servers_and_the_bot_on_demand() -> None:
    assert SERVICES.keys() == {*SERVERS, "bot"}
    assert {name: service.get("profiles") for name, service in SERVICES.items()} == {
        **dict.fromkeys(SERVERS),
        "bot": ["bot"],
    }


@pytest.mark.parametrize("name", SERVERS)
def test_no_other_computer_reaches_a_server(name: str) -> None:
    assert [filled_in(port).rpartition(":")[0].rpartition(":")[0] for port in SERVICES[name]["ports"]] == ["127.0.0.1"]


def test_the_bot_is_reached_by_nobody() -> None:
    assert "ports" not in SERVICES["bot"]


def test_the_servers_have_ports_of_their_own() -> None:
    assert len({filled_in(port) for name in SERVERS for port in SERVICES[name]["ports"]}) == len(SERVERS)


def test_the_password_has_no_default_and_its_lack_is_told_in_words() -> None:
    asked = [match for match in VARIABLE.finditer(COMPOSE) if "PASSWORD" in match["name"]]

    assert {match["operator"] for match in asked} == {":?"}
    assert all("in .env" in match["word"] for match in asked)
    assert TEMPLATE["DB_PASSWORD"] == ""


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_password_comes_from_the_environment(name: str) -> None:
    passwords = {key: value for key, value in SERVICES[name]["environment"].items() if "PASSWORD" in key}

    assert passwords
    assert all(VARIABLE.fullmatch(value) for value in passwords.values())


@pytest.mark.parametrize("name", SERVERS)
def test_the_image_is_that_of_the_tag_in_the_settings(name: str) -> None:
    assert SERVICES[name]["image"] == "timescale/timescaledb-ha:${TIMESCALE_TAG:-pg17}"


@pytest.mark.parametrize("name", SERVERS)
def test_data_outlives_the_container(name: str) -> None:
    volume = SERVICES[name]["volumes"][0]

    assert volume == f"{DATABASES[name]}:/home/postgres/pgdata/data"
    assert DATABASES[name] in PROJECT["volumes"]


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_is_healthy_once_its_database_takes_connections(name: str) -> None:
    command = SERVICES[name]["healthcheck"]["test"]

    assert command[:2] == ["CMD", "pg_isready"]
    assert {"--host=127.0.0.1", "--username=postgres", f"--dbname={DATABASES[name]}"} <= set(command)
    assert SERVICES[name]["environment"]["POSTGRES_DB"] == DATABASES[name]


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_sends_no_telemetry(name: str) -> None:
    assert SERVICES[name]["environment"]["TIMESCALEDB_TELEMETRY"] == "off"
    assert "-ctimescaledb.telemetry_level=off" in SERVICES[name]["command"]


@pytest.mark.parametrize("name", SERVERS)
def test_the_image_decides_which_libraries_are_loaded(name: str) -> None:
    assert not any("shared_preload_libraries" in part for part in SERVICES[name]["command"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_container_is_held_within_bounds(name: str) -> None:
    service = SERVICES[name]

    assert service["restart"] == "unless-stopped"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & service.keys()


def test_the_bot_writes_to_its_volumes_only() -> None:
    assert SERVICES["bot"]["read_only"] is True
    assert {volume.partition(":")[2] for volume in SERVICES["bot"]["volumes"]} == {
        "/app/db/storage",
        "/app/db/backups",
        "/models",
    }
    assert {volume.partition(":")[0] for volume in SERVICES["bot"]["volumes"]} <= PROJECT["volumes"].keys()


def test_the_bot_waits_for_healthy_servers() -> None:
    assert {name: wait["condition"] for name, wait in SERVICES["bot"]["depends_on"].items()} == dict.fromkeys(
        SERVERS, "service_healthy"
    )


@pytest.mark.parametrize(
    ("servers", "holder"), [pytest.param("0", "short_term_db", id="none"), pytest.param("1", "long_term_db", id="one")]
)
def test_the_bot_finds_long_term_memory_however_many_servers_that_has(servers: str, holder: str) -> None:
    url = make_url(filled_in(SERVICES["bot"]["environment"]["LONG_TERM_DSN"], LONG_TERM_SERVERS=servers))

    assert url.database == "long_term"
    assert url.password is None
    assert url.host in SERVICES[holder]["networks"]["default"]["aliases"]


def test_the_bot_finds_short_term_memory() -> None:
    url = make_url(SERVICES["bot"]["environment"]["SHORT_TERM_DSN"])

    assert (url.host, url.database, url.password) == ("short_term_db", "short_term", None)


def test_the_template_lists_what_compose_reads() -> None:
    assert variables().keys() <= TEMPLATE.keys()


def test_compose_reads_whatever_else_the_template_lists() -> None:
    settings = {name.upper() for name in Settings.model_fields}

    assert TEMPLATE.keys() - settings <= variables().keys()


def test_the_template_gives_the_defaults_of_compose() -> None:
    defaults = {name: values for name, values in variables().items() if values}

    assert {name: {TEMPLATE[name]} for name in defaults} == defaults


def test_the_image_has_a_version_and_knows_no_package_host() -> None:
    assert [re.fullmatch(r"python:3\.\d+-slim-\w+", image) is not None for image in instructions("FROM")] == [True]
    assert instructions("ARG") == ["PIP_EXTRA_INDEX_URL"]
    assert "://" not in DOCKERFILE


def test_the_bot_is_not_root_and_no_shell_stands_between_it_and_a_signal() -> None:
    uid, _, gid = instructions("USER")[-1].partition(":")

    assert int(uid) > 0
    assert int(gid) > 0
    assert instructions("CMD")[-1].startswith('["python", "main_async.py", ')
    assert instructions("STOPSIGNAL") == ["SIGINT"]


def test_packages_are_installed_before_the_code_is_copied() -> None:
    assert (
        DOCKERFILE.index("COPY requirements.txt") < DOCKERFILE.index("RUN pip install") < DOCKERFILE.index("COPY . .")
    )


def test_the_health_check_looks_at_the_heartbeat_of_the_bot() -> None:
    command = yaml.safe_load(instructions("CMD")[-1])
    check = yaml.safe_load(instructions("HEALTHCHECK")[0].partition(" CMD ")[2])

    assert check[:3] == ["python", "-m", "cli.heartbeat"]
    assert check[3] == command[command.index("--heartbeat") + 1]
    assert any(check[3].startswith(f"{folder}/") for folder in SERVICES["bot"]["tmpfs"])


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".venv/bin/python",
        "agent/__pycache__/agent.pyc",
        "bench/processes.py",
        "db/backups/long_term.dump",
        "db/storage/demo/demo.csv",
        "notes.txt",
        "tests/conftest.py",
    ],
)
def test_it_stays_out_of_the_image(path: str) -> None:
    assert not gets_into_the_image(path)


def test_all_that_the_bot_is_made_of_gets_into_the_image() -> None:
    outside = {"bench", "tests"}
    packages = [path for path in ROOT.glob("*/__init__.py") if path.parent.name not in outside]
    sources = [path for package in packages for path in package.parent.rglob("*.py") if "storage" not in path.parts]
    needed = [*ROOT.glob("*.py"), *sources, *(ROOT / name for name in ("requirements.txt", "constraints.txt"))]

    assert ROOT / "db" / "databases.py" in needed
    assert [path for path in needed if not gets_into_the_image(path.relative_to(ROOT).as_posix())] == []
