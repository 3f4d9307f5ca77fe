#!/bin/sh
# On a new short-term server: make room for long-term memory when that has no server of its own.
if [ "${LONG_TERM_SERVERS:-1}" = 0 ]; then
  # From template0: TimescaleDB's workers may be looking at template1. The migration adds the extension.
  createdb --username="$POSTGRES_USER" --template=template0 long_term
fi
