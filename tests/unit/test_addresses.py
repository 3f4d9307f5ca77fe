"""The address of a database is understood, or refused without being repeated."""

import pytest

from db.engines import libpq_address, parse_dsn
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
