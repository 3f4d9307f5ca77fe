"""Name a thread or forum post after the channel that it belongs to and its title: "help-forum › Thermostat reset"."""

from memory.message import Message

_BETWEEN = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
"""Stands between both. Channels that have threads have no blanks in their names, so that the first one is it."""


def thread_name(channel: str, title: str) -> str:
    """Return the name of a thread, as far as both parts of it are known."""
    return _BETWEEN.join(part for part in (channel, title) if part)


def channel_of(name: str) -> str:
    """Return the channel that a place belongs to, which is the place itself where it is no thread."""
    return name.partition(_BETWEEN)[0]


def title_in(name: str) -> str:
    """Return the title in the name of a thread; empty where the name has none."""
    return name.partition(_BETWEEN)[2]


def title_of(message: Message) -> str:
    """Return the title of the thread that a message was sent in; empty outside of threads, or where it is not known."""
    _, is_thread, title = message.channel_name.partition(_BETWEEN)
    if is_thread:
        return title
    return message.channel_name if message.thread_id == message.channel_id else ""
