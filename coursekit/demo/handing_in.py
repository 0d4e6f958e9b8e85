"""The invented students, and what each of them hands in."""

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from coursekit.errors import KitError

# Experiments of the optimisation notebook that give no points and take most of its time. The whole
# class emptied these cells, as students may, so that the demo ends within minutes.
EXPERIMENTS = {"decay-code", "decay-figure", "units-code"}
MARK = re.compile(r"^ *### (?:BEGIN|END) SOLUTION\n?", re.MULTILINE)


@dataclass(frozen=True)
class Answers:
    """What a student did with one notebook, as differences from a perfect one.

    Attributes
    ----------
    missing : bool
        Not handed in.
    blank : bool
        Handed in as it was released.
    blank_cells : tuple of str
        Grade ids of the cells that were left as they were released.
    cells : dict
        The student's own text by grade id.
    """

    missing: bool = False
    blank: bool = False
    blank_cells: tuple[str, ...] = ()
    cells: dict[str, str] | None = None


@dataclass(frozen=True, eq=False)
class Student:
    """One invented student, as a file in ``students/`` describes them.

    Attributes
    ----------
    key : str
        Name of the file.
    name : str
    number : str
        Participant number of MyCourses.
    story : str
        One sentence: what this student did.
    notebooks : dict
        `Answers` by notebook; a notebook that is not named is perfect.
    expected : dict
        Automatic points by notebook.
    lost : frozenset of str
        Grade ids of the test cells that lose points.
    late_hours : float
        Hours after the deadline; negative if handed in before it.
    scan : bool
        Whether a PDF lies beside the notebooks.
    """

    key: str
    name: str
    number: str
    story: str
    notebooks: dict[str, Answers]
    expected: dict[str, float]
    lost: frozenset[str]
    late_hours: float = -6.0
    scan: bool = False


def read_students(keys: list[str] | None = None) -> list[Student]:
    """Read the class.

    Parameters
    ----------
    keys : list of str, optional
        Only these students, by the names of their files.

    Returns
    -------
    list of Student
        In the order of their participant numbers.

    Raises
    ------
    KitError
        If there is no student of that name.
    """
    folder = resources.files("coursekit.demo") / "students"
    files = {
        entry.name.removesuffix(".toml"): entry
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }
    for key in keys or ():
        if key not in files:
            raise KitError(f"No student {key!r} in the demo; there are: {', '.join(sorted(files))}")
    students = [_student(key, files[key].read_text("utf-8")) for key in keys or files]
    return sorted(students, key=lambda student: student.number)


def _student(key: str, text: str) -> Student:
    facts = tomllib.loads(text)
    expected = facts.pop("expected")
    lost = frozenset(expected.pop("lost"))
    notebooks = {name: Answers(**answers) for name, answers in facts.pop("notebooks", {}).items()}
    return Student(key=key, notebooks=notebooks, expected=expected, lost=lost, **facts)


def hand_in(student: Student, source: Path, release: Path) -> dict[str, str]:
    """Fill in the released notebooks as a student did.

    The hidden tests are not in it, since a student never had them.

    Parameters
    ----------
    student : Student
    source : Path
        Folder of the notebooks with solutions.
    release : Path
        Folder of the students' notebooks.

    Returns
    -------
    dict
        The text of each notebook by its file name.

    Raises
    ------
    KitError
        If the student answers a cell or a notebook that the release does not have.
    """
    paths = sorted(release.glob("*.ipynb"))
    unknown = student.notebooks.keys() - {path.stem for path in paths}
    if unknown:
        raise KitError(f"{student.key}.toml answers {', '.join(unknown)}.ipynb, not in {release}.")
    files = {}
    for path in paths:
        answers = student.notebooks.get(path.stem, Answers())
        if not answers.missing:
            notebook = nbformat.read(path, as_version=4)
            if not answers.blank:
                solved = nbformat.read(source / path.name, as_version=4)
                _fill_in(notebook, solved, answers, f"{student.key}.toml, {path.name}")
            for cell in notebook.cells:
                if cell.id in EXPERIMENTS:
                    cell.source = ""
            files[path.name] = nbformat.writes(notebook)
    return files


def _fill_in(notebook: NotebookNode, solved: NotebookNode, answers: Answers, where: str):
    """Put a student's answers, and solutions elsewhere, into a released notebook."""
    cells = _answer_cells(notebook)
    own = answers.cells or {}
    unknown = (own.keys() | set(answers.blank_cells)) - cells.keys()
    if unknown:
        raise KitError(f"{where}: no cell to answer is called {', '.join(sorted(unknown))}.")
    solutions = {name: MARK.sub("", cell.source) for name, cell in _answer_cells(solved).items()}
    for name, cell in cells.items():
        if name not in answers.blank_cells:
            cell.source = own.get(name, solutions[name]).rstrip("\n")


def _answer_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {
        cell.metadata.nbgrader.grade_id: cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
