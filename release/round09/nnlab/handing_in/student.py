"""Who hands in? Asked once, then remembered beside the notebooks."""

import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from nnlab.handing_in.trouble import HandInError

MEMORY = ".hand_in.json"
NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Za-z]{4,12}")
LONGEST_NAME = 80
TRIES = 3
EXPECTED = "it has 4 to 12 letters and digits, such as 1023456 or 12345A"


@dataclass(frozen=True)
class Student:
    """A student.

    Attributes
    ----------
    name : str
        One line; may be empty.
    number : str
        The student number: ASCII letters and digits, so it may be part of a file's name.
    """

    name: str
    number: str


def clean_name(text: str) -> str:
    """Make a name one line of printable text; it may end up empty.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    words = " ".join(str(text).split())
    return "".join(filter(str.isprintable, words))[:LONGEST_NAME].strip()


def clean_number(text: str) -> str:
    """Check the shape of a student number.

    Parameters
    ----------
    text : str or int

    Returns
    -------
    str
        Without the spaces and hyphens that people put into it.

    Raises
    ------
    HandInError
        If it cannot be one.
    """
    number = re.sub(r"[\s-]", "", str(text))
    if not NUMBER.fullmatch(number):
        shown = clean_name(text) or "an empty one"
        raise HandInError(f"{shown} is no student number: {EXPECTED}.")
    return number


def recall(folder: Path) -> dict[str, str]:
    """Return what an earlier hand-in was told.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    dict
        "name" and "number"; empty if nothing usable is remembered.
    """
    try:
        known = json.loads((folder / MEMORY).read_text(encoding="utf-8"))
        return {"name": clean_name(known["name"]), "number": clean_number(known["number"])}
    except (OSError, ValueError, TypeError, KeyError, HandInError):
        return {}


def remember(folder: Path, student: Student) -> None:
    """Keep the answers for the next time, if the folder can be written to.

    Parameters
    ----------
    folder : Path
    student : Student
    """
    with contextlib.suppress(OSError):
        (folder / MEMORY).write_text(json.dumps(asdict(student)) + "\n", encoding="utf-8")


def identify(name: str, number: str, folder: Path, ask: Callable[[str], str] | None) -> Student:
    """Complete what is known of the student: by what is remembered, or by asking.

    Parameters
    ----------
    name, number : str
        As given, checked; may be empty.
    folder : Path
    ask : callable, optional
        Takes a question and returns the answer; without it nothing is asked.

    Returns
    -------
    Student

    Raises
    ------
    HandInError
        If the number stays unknown.
    """
    known = recall(folder)
    name = name or known.get("name", "")
    number = number or known.get("number", "")
    if ask and not name:
        name = clean_name(ask("Your name: "))
    for _ in range(TRIES if ask and not number else 0):
        try:
            number = clean_number(ask("Your student number: "))
            break
        except HandInError as problem:
            print(problem)
    if not number:
        raise HandInError(
            "Nothing was written, because your student number is missing: run this again with it."
        )
    return Student(name, number)
