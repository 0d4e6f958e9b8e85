"""Which submissions are nearly the same: pairs to look at, not a verdict.

Two notebooks are compared by what is their own: fingerprints of the answers that neither the
released files hold nor many others of the class, since there are only so many usual ways to write
a short function.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from sklearn.feature_extraction.text import CountVectorizer

from coursekit.course import Course
from coursekit.report.fingerprints import LONGEST_ANSWER, fingerprints
from coursekit.report.reading import ClassRead, Graded

THRESHOLD = 0.8
FEWEST_SHARED = 30
"""Fingerprints: about five lines of code that have nothing usual in them."""
USUAL_SHARE, USUAL_LEAST = 0.05, 4
LONGEST_SHOWN = 120
"""Lines of an answer that the page shows."""


@dataclass(frozen=True)
class Shared:
    """One answer of a pair, side by side.

    Attributes
    ----------
    cell : str
        Grade id.
    letter_for_letter : bool
        Whether both wrote the same characters.
    left, right : list of (str, bool)
        The lines, and whether the other has the same fingerprints there.
    """

    cell: str
    letter_for_letter: bool
    left: list[tuple[str, bool]]
    right: list[tuple[str, bool]]


@dataclass(frozen=True)
class Pair:
    """Two submissions that share much in one notebook.

    Attributes
    ----------
    left, right : str
        Students, each one of a group where a group handed in.
    notebook : str
    share : float
        Of what is their own in it, of the one who has less, in [0, 1].
    shared : int
        How many fingerprints that is.
    answers : list of Shared
        The answers in which they lie.
    """

    left: str
    right: str
    notebook: str
    share: float
    shared: int
    answers: list[Shared]


@dataclass(frozen=True)
class Crowd:
    """An answer that so many wrote letter for letter alike that pairs leave it aside.

    Attributes
    ----------
    notebook, cell : str
        The cell by its grade id.
    students : list of str
        Each one of a group where a group handed in.
    """

    notebook: str
    cell: str
    students: list[str]


def similar_pairs(
    course: Course,
    read: ClassRead,
    groups: Sequence[Sequence[str]] = (),
    threshold: float = THRESHOLD,
) -> list[Pair]:
    """Find pairs of submissions that are nearly the same.

    Parameters
    ----------
    course : Course
    read : ClassRead
    groups : sequence of sequences of str, optional
        Students who handed in together; the first stands for all.
    threshold : float, optional
        The least share, in (0, 1].

    Returns
    -------
    list of Pair
        The most alike first.
    """
    released = _released(course, read)
    found = []
    for name, graded in _compared(read, groups):
        found += _pairs(name, graded, released, threshold)
    return sorted(found, key=lambda pair: (-pair.share, -pair.shared))


def crowds(course: Course, read: ClassRead, groups: Sequence[Sequence[str]] = ()) -> list[Crowd]:
    """Find long answers that more students than are usual wrote letter for letter alike.

    Parameters
    ----------
    course, read, groups
        As in `similar_pairs`.

    Returns
    -------
    list of Crowd
        The largest first.
    """
    released = _released(course, read)
    found = []
    for name, graded in _compared(read, groups):
        alike: dict[tuple[str, str], list[str]] = defaultdict(list)
        for student, notebook in graded.items():
            for cell, answer in notebook.answers.items():
                alike[cell, answer.source.strip()].append(student)
        for (cell, _), students in alike.items():
            if len(students) > _usual(graded):
                marks = fingerprints(graded[students[0]].answers[cell])
                if len({mark.key for mark in marks} - released) >= FEWEST_SHARED:
                    found.append(Crowd(name, cell, students))
    return sorted(found, key=lambda crowd: -len(crowd.students))


def _compared(read: ClassRead, groups: Sequence[Sequence[str]]):
    """Yield the graded notebooks of one name by student, of each group the first one's."""
    others = {student for group in groups for student in group[1:]}
    for name in read.releases:
        graded = {
            student: notebooks[name]
            for student, notebooks in sorted(read.notebooks.items())
            if student not in others and name in notebooks and notebooks[name].answers
        }
        if len(graded) > 1:
            yield name, graded


def _usual(graded: dict[str, Graded]) -> int:
    return max(USUAL_LEAST, int(USUAL_SHARE * len(graded)))


def _released(course: Course, read: ClassRead) -> set[str]:
    """Take the fingerprints of all that the students were given."""
    cells = [cell for release in read.releases.values() for cell in release.cells]
    for path in sorted((course.release / read.assignment).rglob("*.py")):
        cells.append(new_code_cell(path.read_text("utf-8")))
    return {mark.key for cell in cells for mark in fingerprints(cell)}


def _pairs(
    name: str, graded: dict[str, Graded], released: set[str], threshold: float
) -> list[Pair]:
    students = list(graded)
    counter = CountVectorizer(
        analyzer=lambda notebook: _keys(notebook) - released, binary=True, dtype=np.int32
    )
    try:
        counts = counter.fit_transform(graded.values())
    except ValueError:  # nobody's answers are long enough
        return []
    rare = np.flatnonzero(np.asarray(counts.sum(axis=0)).ravel() <= _usual(graded))
    own = counts[:, rare]
    sizes = np.asarray(own.sum(axis=1)).ravel()
    common = (own @ own.T).tocoo()
    keys = counter.get_feature_names_out()[rare]
    found = []
    for i, j, shared in zip(common.row, common.col, common.data, strict=True):
        share = shared / min(sizes[i], sizes[j])
        if i < j and shared >= FEWEST_SHARED and share >= threshold:
            left, right = students[i], students[j]
            both = own[[i]].multiply(own[[j]]).nonzero()[1]
            answers = _side_by_side(graded[left], graded[right], set(keys[both]))
            found.append(Pair(left, right, name, float(share), int(shared), answers))
    return found


def _keys(notebook: Graded) -> set[str]:
    return {mark.key for cell in notebook.answers.values() for mark in fingerprints(cell)}


def _side_by_side(left: Graded, right: Graded, both: set[str]) -> list[Shared]:
    found = []
    for name in left.answers.keys() & right.answers.keys():
        cells = left.answers[name], right.answers[name]
        sides = [_lines(cell, both) for cell in cells]
        if all(any(same for _, same in side) for side in sides):
            equal = cells[0].source.strip() == cells[1].source.strip()
            found.append(Shared(name, equal, *(side[:LONGEST_SHOWN] for side in sides)))
    order = list(left.answers)
    return sorted(found, key=lambda shared: order.index(shared.cell))


def _lines(cell: NotebookNode, both: set[str]) -> list[tuple[str, bool]]:
    """Tell of each line whether a shared fingerprint lies on it."""
    lines = cell.source[:LONGEST_ANSWER].rstrip().split("\n")
    same = {
        line
        for mark in fingerprints(cell)
        if mark.key in both
        for line in range(mark.first, mark.last + 1)
    }
    return [(line, number in same) for number, line in enumerate(lines)]


def submission_groups(course: Course, read: ClassRead) -> list[list[str]]:
    """Find those who handed in together: the same files, at the same known moment.

    MyCourses gives what a group handed in to each of its members, with one time.

    Parameters
    ----------
    course : Course
    read : ClassRead

    Returns
    -------
    list of list of str
        At least two students each.
    """
    together = defaultdict(list)
    for student, moment in sorted(read.handed_in.items()):
        files = course.submitted / student / read.assignment
        told = {
            path.relative_to(files).as_posix(): path
            for path in files.rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        if not told:
            continue
        sizes = tuple(sorted((name, path.stat().st_size) for name, path in told.items()))
        for group in together[moment, sizes]:
            first = group[0][1]
            if all(path.read_bytes() == first[name].read_bytes() for name, path in told.items()):
                group.append((student, told))
                break
        else:
            together[moment, sizes].append([(student, told)])
    return [
        [student for student, _ in group]
        for groups in together.values()
        for group in groups
        if len(group) > 1
    ]
