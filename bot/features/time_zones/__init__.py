"""Choose a time zone: /timezone and /servertimezone."""
