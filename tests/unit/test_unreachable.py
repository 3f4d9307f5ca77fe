"""Each reason for which a database cannot be reached has a sentence of its own."""

import pytest

from db.errors import why_unreachable

AT = 'connection failed: connection to server at "192.0.2.7", port 5432 failed: '
REASONS = [
    pytest.param(
        f"{AT}server does not support SSL, but SSL was required", "has no SSL, which its address", id="no SSL"
    ),
    pytest.param(
        f'{AT}root certificate file "/root/.postgresql/root.crt" does not exist',
        "sslrootcert",
        id="no root certificate",
    ),
    pytest.param(f"{AT}SSL error: certificate verify failed", "is not trusted here", id="another authority"),
    pytest.param(
        f'{AT}server certificate for "db" does not match host name "192.0.2.7"',
        "is not trusted here",
        id="another host",
    ),
    pytest.param(
        f'{AT}could not open certificate file "/x/client.crt": Permission denied', "sslcert", id="our certificate"
    ),
    pytest.param(f'{AT}private key file "/x" has group or world access', "their permissions", id="our key"),
    pytest.param("failed to resolve host 'db': [Errno -2] Name or service not known", "not known here", id="no host"),
    pytest.param(f"{AT}No route to host\n\tIs the server running?", "there is no way to its host", id="no route"),
    pytest.param(f"{AT}Network is unreachable", "there is no way to its host", id="no network"),
    pytest.param("connection timeout expired", "did not answer in time", id="silence"),
    pytest.param(f"{AT}Connection refused\n\tIs the server running?", "does not answer: start it", id="refused"),
    pytest.param(f"{AT}received invalid response to SSL negotiation: H", "is no PostgreSQL server", id="the web"),
    pytest.param('connection is bad: definition of service "x" not found', "no file describes", id="no service"),
    pytest.param(f"{AT}session is read-only", "target_session_attrs", id="a standby"),
    pytest.param(f"{AT}FATAL:  the database system is starting up", "try again in a moment", id="starting"),
    pytest.param(f'{AT}authentication method requirement "md5" failed', "require_auth", id="another way to log in"),
    pytest.param('connection is bad: invalid sslmode value: "sure"', '(invalid sslmode value: "sure")', id="no value"),
    pytest.param("something that nobody foresaw", "does not answer: start it", id="anything else"),
]


@pytest.mark.parametrize(("words", "reason"), REASONS)
def test_the_reason_is_said_and_what_to_do(words: str, reason: str) -> None:
    said = why_unreachable(words)

    assert reason in said
    assert ": " in said
    assert "\n" not in said
