"""Say in half a sentence why a connection was not made, from the words of libpq, which has no codes for it."""

_NO_ROUTE = "cannot be reached, there is no way to its host: look at the network, or correct the host in .env"
_NO_POSTGRESQL = "is no PostgreSQL server: correct its host and port in .env"
_NO_SUCH_HOST = "has a host whose name is not known here: correct the host in .env, or see that names can be looked up"
_NO_TIME = (
    "did not answer in time: see that its computer runs and that no firewall stands in between, or correct the address "
    "in .env"
)
_NO_SSL = (
    "has no SSL, which its address or PGSSLMODE asks for: switch SSL on there (ssl in postgresql.conf), or write "
    "sslmode=prefer into the address in .env"
)
_OTHER_CERTIFICATE = (
    "shows a certificate that is not trusted here: name its authority's with sslrootcert in the address in .env, or "
    "correct the host"
)
_OTHER_KIND = (
    "is not of the kind that target_session_attrs in its address, or PGTARGETSESSIONATTRS, asks for: correct it, or "
    "name another server"
)
_OTHER_LOGIN = (
    "does not offer the way to log in that require_auth or channel_binding in its address, or PGREQUIREAUTH or "
    "PGCHANNELBINDING, asks for: correct it, or change pg_hba.conf there"
)
_OWN_CERTIFICATE = (
    "is not shown our own certificate, which cannot be read with its key: correct sslcert and sslkey in the address in "
    ".env, and their permissions"
)
_UNKNOWN_SERVICE = "has a service that no file describes: correct service in its address in .env, or PGSERVICE"

_REASONS = (
    ("server does not support SSL", _NO_SSL),
    ("root certificate file", _OTHER_CERTIFICATE),
    ("certificate verify failed", _OTHER_CERTIFICATE),
    ("does not match host name", _OTHER_CERTIFICATE),
    ("certificate file", _OWN_CERTIFICATE),
    ("private key file", _OWN_CERTIFICATE),
    ("failed to resolve host", _NO_SUCH_HOST),
    ("could not translate host name", _NO_SUCH_HOST),
    ("No route to host", _NO_ROUTE),
    ("Network is unreachable", _NO_ROUTE),
    ("Host is down", _NO_ROUTE),
    ("timeout expired", _NO_TIME),
    ("Connection timed out", _NO_TIME),
    ("invalid response to SSL negotiation", _NO_POSTGRESQL),
    ("expected authentication request from server", _NO_POSTGRESQL),
    ("definition of service", _UNKNOWN_SERVICE),
    ("service file", _UNKNOWN_SERVICE),
    ("authentication method requirement", _OTHER_LOGIN),
    ("channel binding", _OTHER_LOGIN),
    ("session is read-only", _OTHER_KIND),
    ("session is not read-only", _OTHER_KIND),
    ("hot standby mode", _OTHER_KIND),
    ("the database system is", "is starting, stopping or recovering from a crash: try again in a moment"),
    ("Permission denied", "has a socket that this account may not use: start Backscroll as another user, or grant it"),
    (
        "server closed the connection unexpectedly",
        "has broken the connection off: look into its log, and at the room on its disk",
    ),
)
_NO_ANSWER = "does not answer: start it, or correct the address in .env"
_BAD_VALUE = "connection is bad: "


def why_unreachable(words: str) -> str:
    """Return the end of a sentence that begins with a database, from what libpq says of a connection to it."""
    for sign, reason in _REASONS:
        if sign in words:
            return reason
    if words.startswith(f"{_BAD_VALUE}invalid "):
        value = words.removeprefix(_BAD_VALUE).splitlines()[0]
        return f"has an address that cannot be used ({value}): correct it in .env"
    return _NO_ANSWER
