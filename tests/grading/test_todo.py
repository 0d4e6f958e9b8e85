"""Which notebooks are still to be graded, told by the files alone."""

import os

import pytest

from coursekit.course import Course
from coursekit.grading.todo import (
    STATE,
    fingerprint,
    forget_graded,
    forget_student,
    left_to_grade,
    note_left,
    unfinished,
)

NAMES = {"products", "sums"}


@pytest.fixture
def folders(course):
    """Folders of work and of graded notebooks of one student; all is graded."""
    work, graded = (place / "anna" / "round" for place in (course.submitted, course.autograded))
    for folder in (work, graded):
        folder.mkdir(parents=True)
        for name in NAMES:
            (folder / f"{name}.ipynb").write_text("{}")
    note_left(graded, fingerprint(work), [])
    return work, graded


def left(course: Course):
    return left_to_grade(course, "round", "anna")


def test_nothing_is_left_where_all_is_graded(course, folders):
    assert left(course) == set()
    assert not unfinished(folders[1])


def test_everything_is_left_where_nothing_is_graded(course):
    assert left(course) is None


def test_what_was_noted_is_left(course, folders):
    work, graded = folders
    note_left(graded, fingerprint(work), {"sums"})
    assert left(course) == {"sums"}
    assert unfinished(graded)


@pytest.mark.parametrize(
    "text", ["", "{", "5", "[]", '{"left": []}', '{"handed_in": "", "left": 5}']
)
def test_note_that_cannot_be_read_leaves_everything(course, folders, text):
    (folders[1] / STATE).write_text(text)
    assert left(course) is None
    assert unfinished(folders[1])


def test_graded_notebook_that_is_empty_leaves_everything(course, folders):
    (folders[1] / "sums.ipynb").write_text("")
    assert left(course) is None


def replaced_without_a_trace_of_time(work):
    path = work / "sums.ipynb"
    before = path.stat()
    path.write_text("{ }")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "a notebook is written again": lambda work: os.utime(work / "sums.ipynb", (5, 5)),
    "a notebook is older than before": lambda work: os.utime(work / "sums.ipynb", (1, 1)),
    "a notebook has another size": replaced_without_a_trace_of_time,
    "a file is added": lambda work: (work / "homework.zip").touch(),
    "a notebook is removed": lambda work: (work / "sums.ipynb").unlink(),
    "a notebook is renamed": lambda work: (work / "sums.ipynb").rename(work / "s.ipynb"),
    "the time of submission changes": lambda work: (work / "timestamp.txt").write_text(
        "2026-11-20 12:00:00 UTC"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_work_that_changed_is_graded_again(course, folders, change):
    change(folders[0])
    assert left(course) is None
    assert not unfinished(folders[1])


def test_what_jupyter_leaves_behind_is_no_change(course, folders):
    (folders[0] / ".ipynb_checkpoints").mkdir()
    (folders[0] / ".ipynb_checkpoints" / "sums-checkpoint.ipynb").touch()
    assert left(course) == set()


def test_work_that_nbgrader_graded_itself_counts_by_its_time(course, folders):
    work, graded = folders
    (graded / STATE).unlink()
    for path in (work, *work.iterdir()):
        os.utime(path, (1, 1))
    assert left(course) == set()
    os.utime(work / "sums.ipynb", (2**32, 2**32))
    assert left(course) is None


def test_files_beside_the_notebooks_go_with_the_last_of_them(course, folders):
    graded = folders[1]
    (graded / "nnlab").mkdir()
    (graded / "nnlab" / "a.py").touch()
    (graded / "scan.pdf").touch()
    note_left(graded, "", NAMES)
    forget_graded(graded, ["sums"])
    assert (graded / "scan.pdf").exists()
    forget_graded(graded, ["products"])
    assert [path.name for path in graded.iterdir()] == [STATE]
    forget_student(graded, NAMES)
    assert not graded.exists()
