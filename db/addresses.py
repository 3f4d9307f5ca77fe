"""Read and write the address of a database in the one way that libpq understands, whatever characters are in it."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL

Keywords = Mapping[str, str]
"""The parameters of a connection under libpq's names: host, port, dbname, user, password and the like."""

_DRIVER = "postgresql+psycopg"
_SECRETS = ("password", "sslpassword")  # an address may carry them behind its question mark


def parse_address(dsn: str) -> URL:
    """Return an address, in either of the forms that libpq reads.

    Raises ValueError or psycopg.ProgrammingError when it is malformed; the words of the latter may repeat it.
    """
    if not dsn.strip():
        raise ValueError("an address is empty")  # which libpq takes for its own defaults
    return address_of({name: str(value) for name, value in conninfo_to_dict(dsn).items()})


def address_of(keywords: Keywords) -> URL:
    """Return keywords as an address; raise ValueError when the port is not a number."""
    rest = dict(keywords)
    user, password, database = (rest.pop(name, "") for name in ("user", "password", "dbname"))
    host, port = rest.get("host", ""), rest.get("port", "")
    if "/" in host or "," in host + port or host.startswith("@"):  # the folder of a socket, or several hosts
        if port and "," not in port:
            rest["port"] = ",".join([port] * (host.count(",") + 1))  # SQLAlchemy wants as many ports as hosts
        host = port = ""
    else:
        rest = {name: value for name, value in rest.items() if name not in {"host", "port"}}
    return URL.create(
        _DRIVER,
        username=user or None,
        password=password or None,
        host=host or None,
        port=int(port) if port else None,
        database=database or None,
        query=rest,
    )


def keywords_of(url: URL) -> dict[str, str]:
    """Return the parameters of an address under libpq's names."""
    known = {
        "user": url.username,
        "password": None if url.password is None else str(url.password),
        "host": url.host,
        "port": None if url.port is None else str(url.port),
        "dbname": url.database,
    }
    return {name: value for name, value in known.items() if value} | _query_of(url)


def with_settings(url: URL, **settings: str) -> URL:
    """Return an address whose connections have PostgreSQL's settings of these names; values are without blanks."""
    options = [_query_of(url).get("options", ""), *(f"-c {name}={value}" for name, value in settings.items())]
    return url.update_query_dict({"options": " ".join(filter(None, options))})


def libpq_address(url: URL) -> str:
    """Return an address that libpq reads as it is meant, password included: never to be logged."""
    password = "" if url.password is None else f":{quote(url.password, safe='')}"
    account = f"{quote(url.username or '', safe='')}{password}"
    host = quote(url.host or "", safe=":")
    host = f"[{host}]" if ":" in host else host  # an address of IPv6
    port = "" if url.port is None else f":{url.port}"
    query = urlencode(_query_of(url), quote_via=quote, safe="")
    path = quote(url.database or "", safe="") + ("?" if query else "") + query
    return f"postgresql://{account}{'@' if account else ''}{host}{port}/{path}"


def shown_address(url: URL) -> str:
    """Return an address for a sentence or a log, without its secrets."""
    public = url.difference_update_query(_SECRETS).set(drivername="postgresql")
    return public.render_as_string(hide_password=True)


def _query_of(url: URL) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
