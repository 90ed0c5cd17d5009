"""Writes a token or a text so that nothing in it is invisible or disturbs the page.

Invisible, control and direction-changing characters are spelled out (⟨U+200B⟩); incomplete
characters are shown as their bytes (⟨F0 9F⟩). Used by pictures and widgets.
"""

import unicodedata

from lessons_lib.data import Tokenizer

MARKS = {" ": "␣", "\n": "↵", "\t": "⇥"}
# Invisible, although Unicode counts them as letters, marks or symbols.
_INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2800}
_INVISIBLE |= {*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


def spell_text(text: str) -> str:
    """The text with invisible characters spelled out; spaces, line ends and tabs stay."""
    return "".join(map(_spell, text))


def spell_token(text: str) -> str:
    """The text of one token with everything in it made visible, even spaces and line ends."""
    spelled = "".join(MARKS.get(character) or _spell(character) for character in text)
    # A lone accent would land on whatever stands before it.
    return f"◌{spelled}" if spelled and unicodedata.combining(spelled[0]) else spelled


def token_words(token_id: int, tokenizer: Tokenizer) -> tuple[str, str]:
    """One token spelled in two ways: incomplete characters as their bytes, and as U+FFFD."""
    read_bytes = getattr(tokenizer, "decode_single_token_bytes", None)
    if read_bytes is None:
        word = spell_token(tokenizer.decode([token_id]))
        return word, word
    raw = read_bytes(token_id)
    return _spell_bytes(raw), spell_token(raw.decode("utf-8", errors="replace"))


def _spell_bytes(raw: bytes) -> str:
    try:
        return spell_token(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        before, half = raw[: error.start].decode("utf-8"), raw[error.start : error.end]
        return f"{spell_token(before)}⟨{half.hex(' ').upper()}⟩{_spell_bytes(raw[error.end :])}"


def _spell(character: str) -> str:
    if character in MARKS:
        return character
    category = unicodedata.category(character)
    hidden = category[0] == "C" or category in ("Zl", "Zp", "Zs") or ord(character) in _INVISIBLE
    return f"⟨U+{ord(character):04X}⟩" if hidden else character
