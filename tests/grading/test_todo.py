"""Which notebooks are still to be graded, told by the files alone."""

import os

import pytest

from coursekit.course import Course
from coursekit.grading.todo import TO_DO, left_to_grade, note_left


@pytest.fixture
def folders(course):
    """Folders of work and of graded notebooks of one student; all is graded."""
    work, graded = (place / "anna" / "round" for place in (course.submitted, course.autograded))
    for folder in (work, graded):
        folder.mkdir(parents=True)
        for name in ("sums", "products"):
            (folder / f"{name}.ipynb").touch()
    os.utime(work, (1, 1))
    for path in work.iterdir():
        os.utime(path, (1, 1))
    return work, graded


def left(course: Course):
    return left_to_grade(course, "round", "anna")


def test_nothing_is_left_where_all_is_graded(course, folders):
    assert left(course) == set()


def test_everything_is_left_where_nothing_is_graded(course):
    assert left(course) is None


def test_the_list_counts_until_it_is_empty(course, folders):
    note_left(folders[1], {"sums"})
    assert left(course) == {"sums"}
    note_left(folders[1], {"products", "sums"})
    assert left(course) == {"products", "sums"}
    note_left(folders[1], set())
    assert left(course) == set()
    assert not (folders[1] / TO_DO).exists()


@pytest.mark.parametrize("text", ["", "{", "5", '[["a"]]'])
def test_list_that_cannot_be_read_leaves_everything(course, folders, text):
    (folders[1] / TO_DO).write_text(text)
    assert left(course) is None


CHANGES = {
    "a notebook is written again": lambda work: (work / "sums.ipynb").touch(),
    "a file is added": lambda work: (work / "homework.zip").touch(),
    "a file is added deep inside": lambda work: (work / "a" / "b").mkdir(parents=True),
    "a notebook is removed": lambda work: (work / "sums.ipynb").unlink(),
    "a notebook is renamed": lambda work: (work / "sums.ipynb").rename(work / "s.ipynb"),
    "the time of submission changes": lambda work: (work / "timestamp.txt").write_text(
        "2026-11-20 12:00:00 UTC"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_work_that_changed_is_graded_again(course, folders, change):
    work, graded = folders
    for path in graded.iterdir():
        os.utime(path, (2, 2))
    assert left(course) == set()
    change(work)
    assert left(course) is None
