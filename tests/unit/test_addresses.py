"""The address of a database is understood, or refused without being repeated."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.ext.asyncio import create_async_engine

from db.addresses import keywords_of, libpq_address, shown_address
from db.config import Addresses
from db.databases import SHORT_TERM, own_address
from db.embedded import Account, EmbeddedServer
from db.engines import parse_dsn
from errors import DatabaseSetupError


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("postgresql://ana:hunter2@host\udcff/db", id="a byte that is no UTF-8"),
        pytest.param("postgresql://ana:hunter2\ud83d@host/db", id="half a letter in the password"),
        pytest.param("postgresql://ana:hunter2@host:many/db", id="a port in words"),
        pytest.param("hunter2", id="no address"),
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(DatabaseSetupError, match="SHORT_TERM_DSN is not an address") as caught:
        libpq_address(parse_dsn(address, name="SHORT_TERM_DSN"))

    assert "hunter2" not in str(caught.value)


FOLDERS = [
    pytest.param("/srv/my own projects/socket", id="blanks"),
    pytest.param("/srv/a+b/socket", id="a plus"),
    pytest.param("/srv/50%/%20/socket", id="percent signs"),
    pytest.param("/srv/q?a=b&c#d/socket", id="what separates the parts of an address"),
    pytest.param('/srv/it\'s "quoted" \\ here/socket', id="quotes and backslashes"),
    pytest.param("/srv/été 雪 🔥/socket", id="other scripts"),
    pytest.param("/srv/a:b@c/socket", id="a colon and an at sign"),
    pytest.param("/srv/~/[x]{y}$HOME;|/socket", id="what a shell would read"),
]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_of_a_socket_stays_as_it_is(folder: str) -> None:
    server = EmbeddedServer(Path("/data"), Path(folder), Path("/bin"), Account(0, 0))

    url = parse_dsn(server.dsn("short term/1"), name="SHORT_TERM_DSN")
    again = parse_dsn(libpq_address(url), name="SHORT_TERM_DSN")

    for read in (keywords_of(url), keywords_of(again), conninfo_to_dict(libpq_address(url))):
        assert read == {"user": "postgres", "host": folder, "port": "5432", "dbname": "short term/1"}


@pytest.mark.parametrize(
    ("address", "keywords"),
    [
        pytest.param(
            "postgresql://an%20a:p%2Bss+w%40rd%25@host:6000/a+b",
            {"user": "an a", "password": "p+ss+w@rd%", "host": "host", "port": "6000", "dbname": "a+b"},
            id="a plus is a plus",
        ),
        pytest.param(
            "postgresql://ana@[2001:db8::1]:6000/x",
            {"user": "ana", "host": "2001:db8::1", "port": "6000", "dbname": "x"},
            id="an address of IPv6",
        ),
        pytest.param(
            "postgresql://ana@one:1,two:2/x?target_session_attrs=read-write",
            {"user": "ana", "host": "one,two", "port": "1,2", "dbname": "x", "target_session_attrs": "read-write"},
            id="two hosts",
        ),
        pytest.param(
            "postgresql:///x?host=/run/my+server&user=ana&password=p%20w&options=-c%20search_path%3Da",
            {"user": "ana", "password": "p w", "host": "/run/my+server", "dbname": "x", "options": "-c search_path=a"},
            id="all behind the question mark",
        ),
    ],
)
def test_an_address_means_what_it_means_to_every_client(address: str, keywords: dict[str, str]) -> None:
    url = parse_dsn(address, name="LONG_TERM_DSN")

    assert keywords_of(url) == keywords
    assert conninfo_to_dict(libpq_address(url)) == keywords
    assert create_async_engine(url).dialect.name == "postgresql"


def test_an_address_is_shown_without_its_secrets() -> None:
    url = parse_dsn("postgresql://ana:hunter2@host/db?sslpassword=hunter2&sslmode=require", name="LONG_TERM_DSN")

    assert shown_address(url) == "postgresql://ana:***@host/db?sslmode=require"


def own(dsn: str, password: str | None = None) -> dict[str, str]:
    """Return what libpq is told of a server of somebody's own."""
    url = own_address(Addresses(dsn, None, embedded_dir=Path("unused"), password=password), SHORT_TERM)
    assert url is not None
    return keywords_of(url)


def test_what_an_address_leaves_open_comes_from_the_variables_of_every_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLROOTCERT", "/etc/our ca.pem")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGPASSFILE", "/root/passwords")
    monkeypatch.setenv("PGSERVICE", "memory")
    monkeypatch.setenv("PGPORT", "6543")

    assert own("postgresql://ana@host/x?sslmode=require") == {
        "user": "ana", "host": "host", "port": "6543", "dbname": "x", "sslmode": "require",
        "sslrootcert": "/etc/our ca.pem", "passfile": "/root/passwords", "service": "memory",
    }  # fmt: skip


def test_the_password_of_the_settings_comes_before_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "of the shell")

    assert own("postgresql://ana@host/x")["password"] == "of the shell"
    assert own("postgresql://ana@host/x", "of the settings")["password"] == "of the settings"
    assert own("postgresql://ana:its+own@host/x", "of the settings")["password"] == "its+own"


def test_an_address_with_a_host_goes_to_no_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")

    assert "hostaddr" not in own("postgresql://ana@host/x")
