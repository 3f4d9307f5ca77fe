"""Write messages as quotations."""

from zoneinfo import ZoneInfo

from agent.escaping import NAMELESS, Markdown, block, code_and_words, file_name, has_code_block, inline, quoted, whole
from agent.escaping import line as one_line
from agent.spoilers import without_spoilers
from memory.findings import Line
from memory.folding import tokens_of, words_of
from memory.mentions import people_named
from memory.messages import Message

LENGTH = 300
"""Characters of a quotation: two or three sentences."""

CODE_LENGTH = 800
"""Characters of a quotation with code, which half a block would spoil."""

MOST_FILES = 3
"""Files that are named beside the words of a message."""

ANSWERED_LENGTH = 120
"""Characters of a message that is named beside the answer to it."""


def quotation(
    number: int, line: Line, *, question: str, time_zone: ZoneInfo, answers: Message | None = None
) -> Markdown:
    """Return one message as a bullet with who said it, where, when (on the clock of `time_zone`), and its mark.

    A message that it `answers` is named beside it. What the person hid as a spoiler stays hidden, and nothing but the
    mark itself can be taken for one.
    """
    message = line.message
    sent_at = message.sent_at.astimezone(time_zone)
    who, where = inline(message.author_name), inline(message.channel_name)
    heading = f"- **{who}** in #{where}, {sent_at:%a} {sent_at.day} {sent_at:%b %Y %H:%M}{_after(answers, message)}"
    text = people_named(message.content).strip()
    if has_code_block(without_spoilers(text)):
        return Markdown(f"{heading} [{number}]:\n{_with_code(text)}")
    files = _files(message)
    said = excerpt(text, question)
    if "\n" in said:
        return Markdown(f"{heading} [{number}]:\n{quoted(said)}" + (f"\n> ({files})" if files else ""))
    if not said:
        return Markdown(f"{heading}: {files or NAMELESS} [{number}]")
    return Markdown(f'{heading}: "{said}"' + (f" ({files})" if files else "") + f" [{number}]")


def _files(message: Message) -> Markdown:
    """Return the names of the files of a message, the first few of many."""
    names = [file_name(file.name) for file in message.attachments[:MOST_FILES]]
    more = len(message.attachments) - len(names)
    return Markdown(", ".join([*names, *([f"and {more} more"] if more else [])]))


def _after(answered: Message | None, message: Message) -> Markdown:
    """Return whose message another one replies to, or comes after, and what that says, on one line."""
    if answered is None:
        return Markdown("")
    how = "replying to" if message.reply_to == answered.message_id else "after"
    words = one_line(without_spoilers(people_named(answered.content)), longest=ANSWERED_LENGTH)
    return Markdown(f', {how} {inline(answered.author_name)}\'s "{words}"')


def excerpt(text: str, question: str) -> Markdown:
    """Return at most about LENGTH characters of a text, around the first word that it shares with the question."""
    if len(text) <= LENGTH:
        return block(text)
    start = max(0, _first_shared_word(text, question) - LENGTH // 3)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    end = start + LENGTH
    if end < len(text):
        end = max(text.rfind(" ", start, end), text.rfind("\n", start, end), whole(text, start + LENGTH // 2))
    return Markdown(f"{'… ' if start else ''}{block(text, start, end).strip()}{' …' if end < len(text) else ''}")


def _first_shared_word(text: str, question: str) -> int:
    words = {word for word in words_of(question) if len(word) > 3}
    return next((token.start for token in tokens_of(text) if token.folded in words), 0)


def _with_code(text: str) -> Markdown:
    """Return a text with code, or its beginning; what it hides is left out, as code cannot hide anything."""
    if len(text) <= CODE_LENGTH:
        return code_and_words(without_spoilers(text))
    end = text.rfind("\n", 0, CODE_LENGTH)
    return Markdown(f"{code_and_words(without_spoilers(text, 0, end if end > 0 else CODE_LENGTH))}\n…")
