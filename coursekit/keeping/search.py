"""Whether a file, or a file in a zip, holds one of some words."""

import html
import json
import lzma
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

BLOCK = 2**20  # bytes that are read at once
MOST = 2**30  # bytes of a small file, unpacked; a large one may hold more
MOST_RATIO = 10
DEEPEST = 3  # zips in one another
ZIP = b"PK\x03\x04"
# A word stands alone: no part of another one, nor the 11 of a version 3.11.
BEFORE, AFTER = rb"(?<![0-9A-Za-z])(?<![0-9]\.)", rb"(?![0-9A-Za-z])(?!\.[0-9])"
# What damaged and locked zips make zipfile raise; EOFError and OSError are of their contents, too.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    MemoryError,
)


class Search:
    """A search for whole words, as text, HTML and JSON write them.

    Parameters
    ----------
    words : iterable of str

    Attributes
    ----------
    incomplete : list of Path
        Files of which not everything could be searched.
    """

    def __init__(self, words: Iterable[str]):
        written = {form for word in words for form in (word, html.escape(word), _in_json(word))}
        self.forms = sorted(form.encode(errors="surrogateescape") for form in written)
        either = b"|".join(map(re.escape, self.forms))
        self.pattern = re.compile(BEFORE + rb"(?:" + either + rb")" + AFTER)
        self.overlap = max(map(len, self.forms)) + 2  # and what stands before a word
        self.incomplete: list[Path] = []

    def finds(self, path: Path) -> bool:
        """Tell whether a file holds a word in its name or in its text.

        Parameters
        ----------
        path : Path
            What cannot be read is noted as incomplete.

        Returns
        -------
        bool
        """
        if self._in(os.fsencode(path.name)):
            return True
        self._whole = True
        try:
            self._left = MOST + MOST_RATIO * path.stat().st_size
            with path.open("rb") as file:
                found = self._in_file(file, 0)
        except OSError:
            found, self._whole = False, False
        if not found and not self._whole:
            self.incomplete.append(path)
        return found

    def _in(self, data: bytes) -> bool:
        # The plain test is far quicker, and mostly the last one.
        return any(form in data for form in self.forms) and bool(self.pattern.search(data))

    def _in_file(self, file: BinaryIO, depth: int) -> bool:
        if zipfile.is_zipfile(file):
            file.seek(0)
            try:
                with zipfile.ZipFile(file) as archive:
                    return self._in_zip(archive, depth)
            except DAMAGED:
                self._whole = False
        file.seek(0)
        return self._in_blocks(file)

    def _in_zip(self, archive: zipfile.ZipFile, depth: int) -> bool:
        for entry in archive.infolist():
            if self._in(entry.filename.encode(errors="surrogateescape")):
                return True
            try:
                with archive.open(entry) as file:
                    if self._in_entry(file, depth):
                        return True
            except DAMAGED:
                self._whole = False
        return False

    def _in_entry(self, file: BinaryIO, depth: int) -> bool:
        if not file.peek(len(ZIP)).startswith(ZIP):
            return self._in_blocks(file)
        if depth == DEEPEST:
            self._whole = False
            return False
        with tempfile.TemporaryFile() as inner:  # zipfile goes to and fro in it
            for block in self._blocks(file):
                inner.write(block)
            return self._in_file(inner, depth + 1)

    def _in_blocks(self, file: BinaryIO) -> bool:
        before = b""
        for block in self._blocks(file):
            data = before + block
            if self._in(data):
                return True
            before = data[-self.overlap :]
        return False

    def _blocks(self, file: BinaryIO) -> Iterable[bytes]:
        """Yield what a file holds, until the limit of the whole is reached."""
        while block := file.read(BLOCK):
            self._left -= len(block)
            if self._left < 0:
                self._whole = False
                return
            yield block


def _in_json(word: str) -> str:
    return json.dumps(word)[1:-1]
