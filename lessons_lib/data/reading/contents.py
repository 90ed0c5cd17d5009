"""What a file or a value is, in words, where it is not what was wanted. Used by all readers."""

import json

# How files begin that hold no plain text: what they are, and what to do.
BEGINNINGS = {
    b"version https://git-lfs": "a Git LFS pointer, which stands for the file; run `git lfs pull` "
    "in its repository, or download the file itself",
    b"PK\x03\x04": "a zip archive, as .xlsx files are, too; unpack it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file; save it as CSV",
    b"BZh": "packed with bzip2; unpack it: bunzip2 FILE",
    b"\xfd7zXZ": "packed with xz; unpack it: unxz FILE",
    b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it: unzstd FILE",
    b"\x1f\x8b": "packed with gzip; let its name end in .gz",
    b"PAR1": "parquet; let its name end in .parquet",
    b"%PDF": "a PDF document; its text must be copied out of it",
    b"SQLite format 3": "an SQLite database; write the table out as CSV",
    b"ARROW1": "an Arrow file; read it with pandas.read_feather(FILE)",
    b"\xff\xff\xff\xff": "an Arrow stream; read it with datasets.Dataset.from_file(FILE)",
    b"\x80\x04\x95": "a Python pickle, which could run foreign code; have it saved as JSON",
}
# Plain text that begins with ASCII has zero bytes in UTF-16 and UTF-32: which of the first four.
ZEROS = {(0, 1, 1, 1): 32, (1, 1, 1, 0): 32, (0, 1, 0, 1): 16, (1, 0, 1, 0): 16}
DEEPEST = 100  # levels; a writer that indents gives up at some 300
MARKS = {b"\xff\xfe\0\0": 32, b"\0\0\xfe\xff": 32, b"\xff\xfe": 16, b"\xfe\xff": 16}


def name_content(content: bytes) -> str | None:
    """What a file's content is, and what to do with it; None where it may be text in UTF-8."""
    for beginning, what in BEGINNINGS.items():
        if content.startswith(beginning):
            return what
    bits = next((bits for mark, bits in MARKS.items() if content.startswith(mark)), None)
    bits = bits or ZEROS.get(tuple(int(byte == 0) for byte in content[:4]))
    if bits:
        return f"text that is encoded in UTF-{bits}; save it as UTF-8"
    start = content[:1000]
    if sum(byte < 9 or 13 < byte < 32 for byte in start) > len(start) / 20:
        return "binary data; is it the right file?"
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return (
            "a web page (HTML) or XML; download the file itself: on many sites the link to it is "
            'called "raw" or "download"'
        )
    return None


def describe(value: object) -> str:
    """What a value is called in an error message: as JSON calls it, else by its type."""
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(float(value))]
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    names |= {int: "a number", float: "a number", type(None): "null"}
    # bool before int, of which it is a subclass
    kinds = (name for kind, name in names.items() if isinstance(value, kind))
    return next(kinds, type(value).__name__)


def why_not_json(value: object) -> str | None:
    """Why a file of strict JSON in UTF-8 cannot hold a value; None where it can."""
    if _is_deep(value):
        return f"is nested too deeply for JSON, by more than {DEEPEST} levels"
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        return "contains half a character (a lone surrogate)"
    except TypeError as error:
        return f"cannot be kept in JSON: {error}; make it text, or leave it out"
    except ValueError:
        return "holds NaN, infinity or an endless number, which JSON cannot keep; write null"
    return None


def _is_deep(value: object, levels: int = DEEPEST) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    return isinstance(value, dict | list | tuple) and (
        levels == 0 or any(_is_deep(item, levels - 1) for item in inner)
    )
