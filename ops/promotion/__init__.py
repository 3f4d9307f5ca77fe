"""Bring sessions and the exports of others into long-term memory, and take them out again."""
