"""What the two indexes read of a message: for vectors who said it and when, for words what was said before as well.

In a thread or forum post both read its title, which its messages seldom repeat.

A short message ("yes, do that") says nothing by itself: the words of the two before it let it be found. The vector
does without them, or it would stand for the message before as much as for its own. In the words the message's own
count twice, which is how BM25 weighs one field above another (Robertson, Zaragoza and Taylor, "Simple BM25 extension
to multiple weighted fields", 2004).
"""

import re
from collections.abc import Sequence

from memory.file_names import parts_of
from memory.mentions import readable
from memory.message import Kind, Message, sanitize
from memory.names.places import title_of

_MOST_READ = 4000  # characters in which addresses are looked for
_MOST_PARTS = 24  # words of names and addresses
_ADDRESS = re.compile(r"https?://[^/\s]+/(?P<path>[^\s?#]+)")
_LONGEST_CONTEXT = 200  # characters of an earlier message; its own row holds the rest


def said(message: Message) -> str:
    """Return what a message says: its text as read, and the names of its files; nothing for the bot's own answers.

    The words that a file's name and the path of an address are made of stand behind it, for an index takes what is
    written in one piece for one word. Answers are never found, and their words, repeated from others, would bend the
    statistics of the word index.
    """
    if message.kind is Kind.ANSWER:
        return ""
    names = [attachment.name for attachment in message.attachments]
    text = readable(message.content)
    paths = [address["path"] for address in _ADDRESS.finditer(text[:_MOST_READ])]
    parts = dict.fromkeys(part for name in [*names, *paths] if " " not in name for part in parts_of(name))
    return " ".join([text, *names, *list(parts)[:_MOST_PARTS]]).strip()


def text_to_embed(message: Message) -> str:
    """Return the text that a message's vector stands for; empty for a message that says nothing."""
    own = said(message)
    if not own:
        return ""
    sent, title = message.sent_at, title_of(message)
    place = f" in {title}" if title else ""
    return sanitize(f"{message.author_name} ({sent:%A} {sent.day} {sent:%B %Y}){place}: {own}")


def search_text(message: Message, preceding: Sequence[Message]) -> str:
    """Return the text that is indexed word by word; empty for a message that says nothing."""
    own = said(message)
    if not own:
        return ""
    before = [f"{earlier.author_name}: {said(earlier)[:_LONGEST_CONTEXT]}" for earlier in preceding]
    return sanitize("\n".join([*before, text_to_embed(message), own]))
