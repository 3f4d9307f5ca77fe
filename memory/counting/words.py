"""The words in which people ask for numbers and lists, and a cursor that reads them one by one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from time_expressions.folding import FoldedText, Token


class Sought(StrEnum):
    """What is counted or listed: messages, or what stands in them or came with them."""

    MESSAGES = "messages"
    LINKS = "links"
    PICTURES = "pictures"
    VIDEOS = "videos"
    RECORDINGS = "recordings"
    PDFS = "PDFs"
    FILES = "files"
    POLLS = "polls"


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


def phrases(text: str) -> tuple[tuple[str, ...], ...]:
    """Return phrases that stand on lines of their own or behind commas, the longest first."""
    found = (tuple(phrase.split()) for line in text.splitlines() for phrase in line.split(","))
    return tuple(sorted((phrase for phrase in found if phrase), key=len, reverse=True))


_NAMES: dict[Sought, str] = {
    Sought.MESSAGES: "message, messages, msg, msgs, post, posts, comment, comments, chat messages",
    Sought.LINKS: """
        link, links, url, urls, hyperlink, hyperlinks, web link, web links, web address, web addresses
    """,
    Sought.PICTURES: """
        picture, pictures, pic, pics, photo, photos, photograph, photographs, image, images, img, imgs, gif, gifs
        screenshot, screenshots, snapshot, snapshots, screen shot, screen shots, meme, memes, image file, image files
    """,
    Sought.VIDEOS: "video, videos, clip, clips, video clip, video clips, video file, video files, vid, vids",
    Sought.RECORDINGS: """
        recording, recordings, voice message, voice messages, voice note, voice notes, voice memo, voice memos
        audio message, audio messages, audio file, audio files, audio, audios, audio recording, audio recordings
    """,
    Sought.PDFS: "pdf, pdfs, pdf file, pdf files, pdf document, pdf documents",
    Sought.FILES: "file, files, attachment, attachments, upload, uploads, document, documents",
    Sought.POLLS: "poll, polls",
}

NOUNS: dict[tuple[str, ...], Sought] = {phrase: sought for sought, names in _NAMES.items() for phrase in phrases(names)}
"""The nouns for what is counted or listed."""

KINDS_OF_FILES = words(
    "invoice invoices receipt receipts spreadsheet spreadsheets presentation presentations slides slideshow"
)
"""Nouns for files that are known by their names alone."""

SITES = words("""
    youtube yt github gitlab wikipedia reddit twitter google imgur tenor giphy spotify soundcloud twitch vimeo amazon
    instagram facebook linkedin tiktok discord steam substack arxiv stackoverflow pinterest etsy ebay dropbox
""")
ENDINGS = words("""
    svg png jpg jpeg gif webp heic tiff bmp psd mp3 wav ogg flac mp4 mov webm zip rar gz 7z tar csv tsv xls xlsx ods doc
    docx odt ppt pptx txt md rtf epub json xml yaml yml html css js ts py log stl obj gltf pdf exe apk
""")
"""Names of sites and endings of files: they are looked for in addresses and names alone, not in the words beside."""

MENTION_VERBS = phrases("""
    mention, mentions, mentioned, mentioning, discuss, discusses, discussed, discussing
    talk about, talks about, talked about, talking about, talk of, talked of
    speak about, speaks about, spoke about, spoken about, speak of, spoke of, spoken of, speaking of
    chat about, chats about, chatted about, chatting about, write about, writes about, wrote about, written about
    post about, posts about, posted about, bring up, brings up, brought up, refer to, refers to, referred to
    say, says, said, complain about, complains about, complained about, joke about, joked about
    use the word, uses the word, used the word, use the words, used the words, use the term, uses the term
    used the term, use the phrase, uses the phrase, used the phrase, use the emoji, uses the emoji, used the emoji
""")
"""Verbs whose object is what a message says."""

POST_VERBS = phrases("""
    post, posts, posted, posting, send, sends, sent, share, shares, shared, write, writes, wrote, written, writing
    upload, uploads, uploaded, attach, attached, link, links, linked, drop, dropped, paste, pasted, submit, submitted
    make, made, type, typed, talk, talks, talked, speak, speaks, spoke, spoken, chat, chats, chatted, link to, linked to
""")
"""Verbs for sending a message, or something in one."""

IS_MENTIONED = phrases("""
    mentioned, discussed, talked about, talked of, spoken of, spoken about, written about, brought up, referred to, said
    come up, comes up, came up, crop up, crops up, cropped up, pop up, popped up
""")
"""What ends a question about a word that somebody may have written."""

IS_USED = phrases("used, appear, appears, appeared, occur, occurs, occurred, written, show up, showed up")
"""The same, where it is plain that a word is meant."""

IS_POSTED = phrases("""
    posted, sent, shared, uploaded, written, attached, linked, dropped, pasted, submitted, made, typed, exchanged
""")

ASK = phrases("""
    please, pls, plz, hey, hi, hello, ok, okay, so, and, can you, could you, would you, will you, can you please
    could you please, would you please, tell me, do you know, do you remember, i want to know, i would like to know
    i wonder, just, actually, exactly
""")
"""What leads to a question."""

AT_THE_END = phrases("""
    in total, in all, all in all, altogether, overall, so far, ever, yet, already, please, pls, at all, by now
    until now, up to now, here, exactly, in here, in this server, on this server, in this chat
    on this discord, in this discord, in the chat, on the server, in the server, of all time, anywhere
""")
"""What may stand behind a question and changes nothing."""

ADVERBS = words("ever actually also just really already even")
AUXILIARIES = words("did do does has have had")
MODALS = words("should shall can could would will may might must need")
BE = words("was were is are been be being got get getting")
ARTICLES = words("a an the any some all every each other another these those that this my our more of")
ADJECTIVES = words("new newest latest recent last old older oldest different shared posted uploaded attached single")
ANYBODY = words("""
    people everyone everybody anyone anybody someone somebody we us they you all members member users user folks one
    person persons team else of the guys
""")
MYSELF = words("i me myself")
PRONOUNS = words("it he she him her they them this that these those me you us we i one something anything there what")
PREPOSITIONS = words("to at on in for with from by into onto of about over under after before and or between than as")
PEOPLE = words("people users members persons person user member authors participants folks posters")


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun with what stands before it: "youtube links", "Ana's pictures"."""

    sought: Sought
    attribute: str = ""
    by: str = ""
    is_file_name: bool = False


class Words:
    """The words of a question from `at` to before `end`; taking some moves `at` behind them."""

    def __init__(self, text: str, tokens: list[tuple[str, int, int]], at: int, end: int) -> None:
        self.text = text
        self._tokens = tokens
        self.at = at
        self.end = end

    def copy(self) -> "Words":
        """Return a cursor of its own at the same place."""
        return Words(self.text, self._tokens, self.at, self.end)

    def without(self, first: int, after: int) -> "Words":
        """Return a cursor at the same place over words without some of them."""
        kept = [*self._tokens[:first], *self._tokens[after:]]
        return Words(self.text, kept, self.at, self.end - (after - first))

    def __len__(self) -> int:
        return self.end - self.at

    def word(self, index: int) -> str:
        """Return the word, folded, so far behind the cursor; empty behind the end."""
        at = self.at + index
        return self._tokens[at][0] if self.at <= at < self.end else ""

    @property
    def before(self) -> str:
        """The word, folded, in front of the cursor; empty at the beginning."""
        return self._tokens[self.at - 1][0] if self.at else ""

    def take(self, *wanted: Iterable[tuple[str, ...]]) -> str:
        """Take the first of these phrases that stands at the cursor and return it, else return an empty text."""
        for phrase in (phrase for some in wanted for phrase in some):
            if self.is_at(phrase, self.at):
                self.at += len(phrase)
                return " ".join(phrase)
        return ""

    def take_word(self, wanted: frozenset[str]) -> str:
        """Take the word at the cursor if it is one of these."""
        word = self.word(0)
        if word not in wanted:
            return ""
        self.at += 1
        return word

    def skip(self, wanted: frozenset[str]) -> None:
        """Take all words at the cursor that are some of these."""
        while self.take_word(wanted):
            pass

    def skip_all(self, wanted: Iterable[tuple[str, ...]]) -> None:
        """Take these phrases for as long as there are any."""
        listed = tuple(wanted)
        while self.take(listed):
            pass

    def drop_last(self, wanted: Iterable[tuple[str, ...]]) -> None:
        """Drop these phrases from the end for as long as there are any."""
        listed = tuple(wanted)
        while found := next((one for one in listed if self.is_at(one, self.end - len(one))), None):
            self.end -= len(found)

    def is_at(self, phrase: tuple[str, ...], at: int) -> bool:
        """Return whether a phrase stands at a place."""
        if at < self.at or at + len(phrase) > self.end:
            return False
        return all(self._tokens[at + index][0] == word for index, word in enumerate(phrase))

    def find(self, wanted: Iterable[tuple[str, ...]], *, start: int = 0) -> tuple[int, int] | None:
        """Return where the first of these phrases stands, `start` words behind the cursor or later, and its length."""
        listed = tuple(wanted)
        for at in range(self.at + start, self.end):
            for phrase in listed:
                if self.is_at(phrase, at):
                    return at, len(phrase)
        return None

    def to(self, end: int) -> "Words":
        """Return the words from the cursor to before a place, and move behind them."""
        part = Words(self.text, self._tokens, self.at, end)
        self.at = end
        return part

    def rest(self) -> "Words":
        """Return all words that are left, and move behind them."""
        return self.to(self.end)

    @property
    def folded(self) -> list[str]:
        """The words that are left, folded."""
        return [token[0] for token in self._tokens[self.at : self.end]]

    @property
    def written(self) -> str:
        """The words that are left, as they are written."""
        written, last = "", 0
        for _, start, end in self._tokens[self.at : self.end]:
            gap = self.text[last:start] if 0 <= start - last <= 1 else " "
            written, last = f"{written}{gap}{self.text[start:end]}", end
        return written.strip()


_LEFT_OUT = frozenset("?!,;:.()[]{}")
_QUOTES = frozenset("\"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\u00ab\u00bb`'")


def words_in(text: str) -> Words:
    """Return the words and signs of a question; "Ana's" and ":an_emoji:" are one word each.

    Marks between words are left out.
    """
    tokens: list[tuple[str, int, int]] = []
    for token in _with_emoji(FoldedText(text).tokens):
        follows = bool(tokens) and token.glued and tokens[-1][2] == token.start
        if follows and (token.folded == "'" or tokens[-1][0].endswith("'")) and tokens[-1][0] not in _QUOTES:
            word, start, _ = tokens.pop()
            tokens.append((word + token.folded, start, token.end))
        elif token.folded not in _LEFT_OUT:
            tokens.append((token.folded, token.start, token.end))
    return Words(text, tokens, 0, len(tokens))


def _with_emoji(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield tokens, the three of ":an_emoji:" as one."""
    at = 0
    while at < len(tokens):
        name = tokens[at : at + 3]
        is_emoji = [token.folded for token in name[::2]] == [":", ":"] and all(token.glued for token in name[1:])
        if is_emoji and name[1].is_word:
            yield Token(f":{name[1].folded}:", name[0].start, name[2].end, name[0].glued, is_word=False)
            at += 3
        else:
            yield tokens[at]
            at += 1


def is_quoted(written: str) -> bool:
    """Return whether a text begins and ends with a quotation mark."""
    return written[:1] in _QUOTES and written[-1:] in _QUOTES


def unquoted(written: str) -> str:
    """Return a text without the quotation marks around it."""
    return written.strip("".join(_QUOTES)).strip()
