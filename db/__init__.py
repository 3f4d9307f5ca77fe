"""Databases: engines, tables, migrations and the embedded server."""
