"""Capabilities beyond /chat, each a package with a thin cog and what it needs."""
