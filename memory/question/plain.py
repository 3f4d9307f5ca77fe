"""Write a question in plain words: without Markdown, in letters that are what they look like, emoji by their names."""

import re
import unicodedata
from collections.abc import Iterator

from memory.plain_text import visible

_CODE = re.compile(r"`{1,3}(?P<code>[^`]{1,2000})`{1,3}")
_LANGUAGE = re.compile(r"[a-z]{1,12}\n")
_EMOJI = re.compile(r"<a?(?P<emoji>:\w{1,40}:)\d{1,20}>")
_MASKED_LINK = re.compile(r"\[(?P<words>[^\[\]\n]{1,200})\]\(<?https?://[^\s()<>]{1,500}>?\)")
_LINE_MARKS = re.compile(r"^ {0,3}(?:>{1,3}|#{1,3}|-#) ", re.MULTILINE)
_DOUBLE_MARKS = re.compile(r"\*{2,3}|~~|\|\|")
_STAR = re.compile(r"(?<![\w*])\*(?=\w)|(?<=\w)\*(?![\w*])")
_UNDERLINED = re.compile(r"(?<!\w)(?P<marks>__?)(?P<words>[^_\n]{1,200})(?P=marks)(?!\w)")
_MIXED_WORD = re.compile(r"[A-Za-z\u0370-\u03ff\u0400-\u052f]+")

_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_AS_TEXT_OR_PICTURE = frozenset("\ufe0e\ufe0f")
_FORMS = ("<wide>", "<narrow>", "<font>", "<circle>")
"""The decompositions of letters that are plain ones in another form: full-width, in a fancy alphabet, in circles."""

_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u03bf\u03bd\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "aeopcyxijsdhqwABEKMHOPCTXIJSovABEZHIKMNOPTYX",
)
"""Letters of Cyrillic and Greek by the Latin ones that they look like."""


def plain_question(text: str) -> str:
    """Return a question as its plain words.

    Marks of Markdown go, what stands in them stays; code of several words becomes a phrase in quotation marks. A
    server's own emoji becomes `:its name:`, and other emoji lose the colour of their skin. Letters of other forms
    become plain ones, and so do Cyrillic and Greek ones within a word that has Latin ones too.
    """
    if text.isascii() and not any(mark in text for mark in "*_`~|<[>#"):
        return text
    plain = _EMOJI.sub(lambda found: found["emoji"], _in_plain_letters(visible(text)))
    return "".join(_without_markdown(plain))


def _without_markdown(text: str) -> Iterator[str]:
    at = 0
    for code in _CODE.finditer(text):
        yield _without_marks(text[at : code.start()])
        written = _LANGUAGE.sub("", code["code"], count=1) if code[0].startswith("```") else code["code"]
        yield f'"{written.strip()}"' if " " in written.strip() and '"' not in written else written
        at = code.end()
    yield _without_marks(text[at:])


def _without_marks(text: str) -> str:
    text = _LINE_MARKS.sub("", _MASKED_LINK.sub(lambda found: found["words"], text))
    text = _UNDERLINED.sub(lambda found: found["words"], text)
    return _STAR.sub("", _DOUBLE_MARKS.sub("", text))


def _in_plain_letters(text: str) -> str:
    if text.isascii():
        return text
    letters = (letter for letter in text if letter not in _SKIN_TONES and letter not in _AS_TEXT_OR_PICTURE)
    return _MIXED_WORD.sub(_one_script, "".join(map(_letter, letters)))


def _letter(letter: str) -> str:
    is_form = not letter.isascii() and unicodedata.decomposition(letter).startswith(_FORMS)
    return unicodedata.normalize("NFKC", letter) if is_form else letter


def _one_script(word: re.Match[str]) -> str:
    """Return a word in Latin letters when it mixes them with ones that look alike."""
    latin = word[0].translate(_LOOKALIKES)
    is_mixed = latin.isascii() and any(letter.isascii() for letter in word[0])
    return latin if is_mixed else word[0]
