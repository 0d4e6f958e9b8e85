"""Read a notebook from the bytes that somebody handed in, whatever happened to them."""

import math
import re
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode
from nbformat.validator import isvalid

from coursekit.grading.merge import check_same, sides
from coursekit.grading.parsing import parse
from coursekit.grading.wording import NeedsPerson, listing, plain, sentence

MOST_CELLS = 5000
DEEPEST = 20  # levels of metadata
VERSION = (4, 5)
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# What a run leaves behind: nobody grades it, for every notebook is run again.
# The metadata whose form nbformat prescribes; anything else is right as it is.
CHECKED = {
    *("collapsed", "execution", "format", "jupyter", "name", "scrolled", "tags"),
    *("authors", "kernelspec", "language_info", "title"),
}
LEFTOVERS = {"widgets", "signature", "orig_nbformat", "orig_nbformat_minor"}
MARKDOWN_BEFORE = ["heading", "html"]  # cell types of nbformat 3


@dataclass(frozen=True)
class Read:
    """A notebook that could be read.

    Attributes
    ----------
    notebook : nbformat.NotebookNode
        Valid in the form nbformat 4.5, without outputs.
    mended : tuple of str
        A sentence for each thing that was mended; empty if the file was in order.
    """

    notebook: NotebookNode
    mended: tuple[str, ...]


def read_notebook(data: bytes) -> Read:
    """Read a notebook, mending what is plain.

    Outputs and execution counts are left out without a word: they are never graded, and a file
    that is large through them takes little memory then.

    Parameters
    ----------
    data : bytes
        The file; nothing in it is trusted.

    Returns
    -------
    Read

    Raises
    ------
    NeedsPerson
        If there is no notebook in the file, or it can be understood in more than one way.
    """
    mended: list[str] = []
    ours, theirs = sides(data)
    notebook = _rebuild(parse(ours, mended), mended)
    if theirs is not None:
        other = _rebuild(parse(theirs, []), [])
        check_same(notebook, other)
        mended.append(
            "The file held the marks of an unfinished merge; both sides have the same cells, "
            "and the marks were taken out."
        )
    return Read(notebook, tuple(mended))


def _rebuild(parsed: dict, mended: list[str]) -> NotebookNode:
    """Make a valid notebook of whatever is right in the parsed one."""
    entries = _entries(parsed)
    if len(entries) > MOST_CELLS:
        raise NeedsPerson(
            f"The notebook has {len(entries)} cells; more than {MOST_CELLS} are not graded."
        )
    _tell_version(parsed, mended)
    dropped: list[str] = []
    cells = []
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, dict):
            cells.append(_cell(entry, number, mended, dropped))
        else:
            mended.append(f"Entry {number} of the notebook was no cell; it was left out.")
    _give_ids(cells, parsed, mended)
    if not _valid(cells, {}):
        for number, cell in enumerate(cells, start=1):
            if not _valid([cell], {}):
                _drop_invalid(cell, f"cell {number}", dropped)
    given = {key: part for key, part in _dict(parsed, "metadata").items() if key not in LEFTOVERS}
    metadata = {}
    for key, part in _cleaned(given, "the notebook", dropped).items():
        if key not in CHECKED or _valid([], {key: part}):
            metadata[key] = part
        else:
            dropped.append(f"{plain(key, 30)} of the notebook")
    if dropped:
        mended.append(f"Metadata of no valid form was left out: {listing(dropped)}.")
    return nbformat.from_dict(_notebook(cells, metadata))


def _notebook(cells: list[dict], metadata: dict) -> dict:
    major, minor = VERSION
    return {"cells": cells, "metadata": metadata, "nbformat": major, "nbformat_minor": minor}


def _entries(parsed: dict) -> list:
    """Return the list of cells; nbformat 3 has them in worksheets."""
    if isinstance(parsed.get("cells"), list):
        entries = parsed["cells"]
    elif isinstance(parsed.get("worksheets"), list):
        sheets = [sheet for sheet in parsed["worksheets"] if isinstance(sheet, dict)]
        entries = [entry for sheet in sheets for entry in _list(sheet, "cells")]
    else:
        raise NeedsPerson("The file is JSON, but no notebook: it has no list of cells.")
    if "nbformat" not in parsed and not any(
        isinstance(entry, dict) and "cell_type" in entry for entry in entries
    ):
        raise NeedsPerson("The file is JSON, but no notebook: its cells are not those of one.")
    return entries


def _list(part: dict, key: str) -> list:
    return part[key] if isinstance(part.get(key), list) else []


def _dict(part: dict, key: str) -> dict:
    return part[key] if isinstance(part.get(key), dict) else {}


def _tell_version(parsed: dict, mended: list[str]):
    major, minor = parsed.get("nbformat"), parsed.get("nbformat_minor", 0)
    if type(major) is not int or type(minor) is not int or major not in (2, 3, 4):
        mended.append("The file did not say which notebook format it has; it was read as 4.5.")
    elif (major, minor) < VERSION:
        mended.append(
            f"The notebook was in the older format {major}.{minor}; it was brought to 4.5."
        )


def _cell(entry: dict, number: int, mended: list[str], dropped: list[str]) -> dict:
    """Rebuild one cell from its type, source, metadata and pictures."""
    kind = entry.get("cell_type")
    source = _text(entry.get("source", entry.get("input", "")))
    if source is None:
        mended.append(f"Cell {number} held something else than text; it is empty now.")
        source = ""
    if kind == "heading":
        level = entry.get("level")
        hashes = "#" * (level if type(level) is int and 1 <= level <= 6 else 1)
        source = f"{hashes} {' '.join(source.splitlines())}"
    if kind in MARKDOWN_BEFORE:
        kind = "markdown"
    elif kind not in ["code", "markdown", "raw"]:
        mended.append(f"Cell {number} was of no known type; it is a raw cell now.")
        kind = "raw"
    cell = {"id": entry.get("id"), "cell_type": kind, "metadata": {}, "source": source}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    where = f"cell {number}"
    given = entry.get("metadata", {})
    if not isinstance(given, dict):
        dropped.append(f"all of {where}")
        given = {}
    cell["metadata"] = _cleaned(given, where, dropped)
    if kind != "code" and "attachments" in entry:
        pictures = _cleaned({"attachments": entry["attachments"]}, where, dropped)
        cell |= {key: _joined(part) for key, part in pictures.items()}
    return cell


def _drop_invalid(cell: dict, where: str, dropped: list[str]):
    """Leave out what nbformat does not accept of a cell's metadata and pictures."""
    for part, keys in (
        (cell["metadata"], [key for key in cell["metadata"] if key in CHECKED]),
        (cell, ["attachments"] if "attachments" in cell else []),
    ):
        for key in keys:
            alone = {k: cell[k] for k in cell if k not in ("metadata", "attachments")}
            alone["metadata"] = {}
            if part is cell:
                alone[key] = cell[key]
            else:
                alone["metadata"] = {key: part[key]}
            if not _valid([alone], {}):
                del part[key]
                dropped.append(f"{plain(key, 30)} of {where}")


def _joined(attachments):
    """Join texts that are stored line by line, as nbformat does on reading."""
    if not isinstance(attachments, dict):
        return attachments
    return {
        name: {kind: _text(text) if isinstance(text, list) else text for kind, text in part.items()}
        if isinstance(part, dict)
        else part
        for name, part in attachments.items()
    }


def _valid(cells: list[dict], metadata: dict) -> bool:
    return isvalid(_notebook(cells, metadata))


def _text(source) -> str | None:
    """Return a cell's text, which is stored as a string or line by line; None if it is neither."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return _whole(source) if isinstance(source, str) else None


def _whole(text: str) -> str:
    """Replace half characters (lone surrogates), which no file can hold."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _cleaned(given: dict, where: str, dropped: list[str]) -> dict:
    """Copy what can be written as JSON again; entries that are too deep are left out."""
    cleaned = {}
    for key, part in given.items():
        try:
            cleaned[_whole(key)] = _writable(part, DEEPEST)
        except RecursionError:
            dropped.append(f"{plain(key, 30)} of {where}")
    return cleaned


def _writable(part, levels: int):
    if levels == 0:
        raise RecursionError
    if isinstance(part, dict):
        return {_whole(key): _writable(value, levels - 1) for key, value in part.items()}
    if isinstance(part, list):
        return [_writable(value, levels - 1) for value in part]
    if isinstance(part, str):
        return _whole(part)
    return None if isinstance(part, float) and not math.isfinite(part) else part


def _give_ids(cells: list[dict], parsed: dict, mended: list[str]):
    """Give each cell an id of its own; the new ones are the same whenever the file is read."""
    taken: set[str] = set()
    without = []
    for number, cell in enumerate(cells, start=1):
        own = cell["id"]
        if isinstance(own, str) and CELL_ID.fullmatch(own) and own not in taken:
            taken.add(own)
        else:
            without.append((number, cell))
    for number, cell in without:
        cell["id"] = new_id(f"unnamed-{number}", taken)
        taken.add(cell["id"])
    # Older formats know no ids: nothing is wrong with their cells.
    if without and (parsed.get("nbformat"), parsed.get("nbformat_minor")) == VERSION:
        mended.append(
            sentence(
                [str(number) for number, _ in without],
                "Cell {} had no valid id of its own; it got a new one.",
                "Cells {} had no valid ids of their own; they got new ones.",
            )
        )


def new_id(name: str, taken: set[str]) -> str:
    """Find a cell id that is not taken yet.

    Parameters
    ----------
    name : str
        The id, if it is free; otherwise it gets a number.
    taken : set of str

    Returns
    -------
    str
    """
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name[:50]}-{number}"
    return found
