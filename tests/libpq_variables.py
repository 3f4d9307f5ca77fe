"""What a shell may have set for other clients of PostgreSQL."""

VARIABLES = {
    "PGCHANNELBINDING": "require", "PGCLIENTENCODING": "LATIN1", "PGCONNECT_TIMEOUT": "soon", "PGDATABASE": "none",
    "PGDATA": "/nowhere", "PGDATESTYLE": "German", "PGGEQO": "perhaps", "PGGSSENCMODE": "require",
    "PGHOST": "nowhere.invalid", "PGHOSTADDR": "127.0.0.1", "PGLOADBALANCEHOSTS": "random", "PGMAXPROTOCOLVERSION": "9",
    "PGMINPROTOCOLVERSION": "3.2", "PGOPTIONS": "-c statement_timeout=1 -c search_path=nowhere", "PGPASSWORD": "x",
    "PGPASSFILE": "/nowhere", "PGPORT": "1", "PGREQUIREAUTH": "scram-sha-256", "PGREQUIREPEER": "nobody-at-all",
    "PGSERVICE": "nosuch", "PGSSLCERTMODE": "perhaps", "PGSSLMINPROTOCOLVERSION": "SSLv2", "PGSSLMODE": "verify-full",
    "PGSSLNEGOTIATION": "direct", "PGSSLROOTCERT": "/nowhere", "PGTARGETSESSIONATTRS": "standby", "PGTZ": "Foo/Bar",
    "PGUSER": "nobody",
}  # fmt: skip
"""Values that end or change a connection to which they get."""
