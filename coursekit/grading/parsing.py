"""From the bytes of a notebook file to its JSON, without the outputs.

A notebook is large through its outputs, and they are never graded. They are cut out of the bytes
before anything is parsed: 200 MB take a few seconds and no memory beside the file's own, where
parsing them all could take several gigabytes.
"""

import json
import re

from coursekit.grading.wording import NeedsPerson, plain

MOST_BYTES = 256 * 2**20
MOST_REST = 64 * 2**20  # bytes that are left without the outputs: text and pasted pictures
MOST_PARTS = 2_000_000  # brackets of the outputs; values of the rest
# Inside of a JSON string every quote follows a backslash: this never matches within one.
OUTPUTS = re.compile(rb'"outputs"[ \t\r\n]*:[ \t\r\n]*\[')
TO_BRACKET = re.compile(rb'(?:[^][{}"]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
SOMETHING = re.compile(rb"[^\0 \t\r\n]")
SIGNATURES = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a packed archive (gzip)",
    b"Rar!": "a packed archive (RAR)",
    b"7z\xbc\xaf": "a packed archive (7z)",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "a database",
}
# UTF-32 comes first: its mark begins like that of UTF-16.
MARKS = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}


def parse(data: bytes, mended: list[str]) -> dict:
    """Parse a notebook file, leaving the contents of all outputs out.

    Parameters
    ----------
    data : bytes
        The file; nothing in it is trusted.
    mended : list of str
        Gets a sentence for each thing that was mended.

    Returns
    -------
    dict

    Raises
    ------
    NeedsPerson
        If the file is not the JSON of an object, or too large.
    """
    if len(data) > MOST_BYTES:
        raise NeedsPerson(
            f"The file has {len(data) / 2**20:.0f} MB, more than the {MOST_BYTES >> 20} MB that "
            "are read."
        )
    if not SOMETHING.search(data):
        raise NeedsPerson("The file is empty.")
    for signature, what in SIGNATURES.items():
        if data.startswith(signature):
            raise NeedsPerson(f"The file is {what}, not a notebook, whatever its name says.")
    data = _to_bytewise(data, mended)
    rest = _without_outputs(data)
    if len(rest) > MOST_REST or sum(map(rest.count, (b",", b"[", b"{"))) > MOST_PARTS:
        raise NeedsPerson("The notebook is too large, even without its outputs, to be read.")
    text = _decode(rest, mended)
    try:
        parsed = json.loads(text)
    except RecursionError:
        raise NeedsPerson("The file is nested too deeply to be a notebook.") from None
    except ValueError as problem:  # JSONDecodeError, and numbers with thousands of digits
        raise NeedsPerson(_why(text, problem)) from None
    if not isinstance(parsed, dict):
        raise NeedsPerson("The file is JSON, but no notebook: it has no list of cells.")
    return parsed


def _to_bytewise(data: bytes, mended: list[str]) -> bytes:
    """Turn UTF-16 and UTF-32 into UTF-8, and take a byte-order mark off."""
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    encoding = MARKS.get(mark) or json.detect_encoding(data)
    if encoding == "utf-8-sig":
        mended.append("The file began with a byte-order mark, which was taken off.")
        return data[len(mark) :]
    if encoding == "utf-8":
        return data
    mended.append(f"The file was in {encoding[:6].upper()}; it was turned into UTF-8.")
    return data.decode(encoding, errors="replace").encode(errors="replace")


def _decode(data: bytes, mended: list[str]) -> str:
    """Decode UTF-8, a little of it damaged, or else the encoding of Western European Windows."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
    damaged = text.count("\ufffd")
    whole = sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]+", text)))
    if whole > damaged:
        mended.append(f"{damaged} characters could not be read; each shows as \ufffd now.")
        return text
    mended.append("The file was not in UTF-8; it was read as Windows-1252 (Western European).")
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _without_outputs(data: bytes) -> bytes:
    """Empty every list called "outputs", without parsing what it holds."""
    pieces = []
    start = steps = 0
    while opening := OUTPUTS.search(data, start):
        here, depth = opening.end(), 1
        while depth:
            here = TO_BRACKET.match(data, here).end()
            if here == len(data) or data[here] == ord('"'):
                raise NeedsPerson(_cut_off(len(data)))
            steps += 1
            if steps > MOST_PARTS:
                raise NeedsPerson("The outputs of the notebook have too many parts to be read.")
            depth += 1 if data[here] in b"[{" else -1
            here += 1
        pieces += [data[start : opening.end()], b"]"]
        start = here
    return b"".join([*pieces, data[start:]])


def _cut_off(size: int) -> str:
    return f"The file breaks off in the middle, after {size} bytes."


def _why(text: str, problem: ValueError) -> str:
    """Say in a sentence what text that is no JSON may be."""
    begin = text[:2000].lstrip("\ufeff \t\r\n")
    if begin.startswith("<") and re.search("<!doctype html|<html|<head|<body", begin.lower()):
        return "The file is a web page (HTML), not a notebook."
    if not begin.startswith("{"):
        return f"The file is no notebook but other text, which begins “{plain(begin)}”."
    if not isinstance(problem, json.JSONDecodeError):
        return "The file is damaged: it holds a number with thousands of digits."
    if problem.pos >= len(text.rstrip()) or problem.msg.startswith("Unterminated string"):
        return _cut_off(len(text.encode(errors="replace")))
    near = plain(text[max(0, problem.pos - 30) : problem.pos + 30])
    return f"The file is damaged: it is no valid JSON near “{near}”."
