"""Collecting beside other commands, after a collection that was killed, and with a wrong sheet."""

import subprocess
import sys

import pytest

from coursekit.errors import KitError
from coursekit.lock import alone
from coursekit.mycourses.collect import collect
from coursekit.mycourses.worksheet import WorksheetError

from ..conftest import pack_download

HEADER = "Identifier,Full name,Group,Last modified (submission)"
NOON = '"Thursday, 19 November 2026, 12:00 PM"'


@pytest.fixture
def download(tmp_path):
    """Make a zip from the contents of sums.ipynb by folder label and number."""

    def make(works):
        path = tmp_path / "download.zip"
        names = {label: f"{label}_assignsubmission_file/sums.ipynb" for label in works}
        path.write_bytes(pack_download({names[label]: works[label] for label in works}))
        return path

    return make


@pytest.fixture
def worksheet(tmp_path):
    """Make a worksheet from name, group and date by participant number."""

    def make(rows):
        path = tmp_path / "worksheet.csv"
        lines = [f"Participant {number},{','.join(told)}\n" for number, told in rows.items()]
        path.write_text(f"{HEADER}\n{''.join(lines)}", encoding="utf-8-sig")
        return path

    return make


def works(course):
    """Return the collected notebooks by their student."""
    return {path.parts[-3]: path.read_text() for path in course.submitted.glob("*/*/sums.ipynb")}


def test_collect_waits_for_no_other_command(course, download):
    path = download({"A_101": "S"})
    with alone(course), pytest.raises(KitError, match="Another coursekit command is at work"):
        collect(course, "round", path)
    assert not course.submitted.exists()
    collect(course, "round", path)
    assert works(course) == {"101": "S"}


KILLED = """
import os, signal, sys
from pathlib import Path
from coursekit.course import Course
from coursekit.mycourses.collect import collect

rename, calls = os.rename, []

def killing(source, target):
    calls.append(source)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)

os.rename = killing
collect(Course(Path(sys.argv[1])), "round", Path(sys.argv[2]), Path(sys.argv[3]))
"""


def test_work_that_was_moved_aside_when_collect_was_killed_comes_back(course, download, worksheet):
    sheet = worksheet({"101": ("A", "", NOON), "102": ("B", "", NOON)})
    collect(course, "round", download({"A_101": "first", "B_102": "other"}), sheet)
    arguments = course.root, download({"A_101": "second"}), sheet
    killed = subprocess.run([sys.executable, "-P", "-c", KILLED, *map(str, arguments)])
    assert killed.returncode == -9
    assert "101" not in works(course)
    # It comes back with whatever is collected next, be it the work of others, and its time too.
    collected = collect(course, "round", download({"B_102": "other"}))
    assert collected.staying == ("101",)
    assert works(course) == {"101": "first", "102": "other"}
    assert (course.submitted / "101" / "round" / "timestamp.txt").is_file()
    assert [path.name for path in (course.submitted / "101").iterdir()] == ["round"]


def test_what_a_killed_collect_has_left_is_removed(course, download):
    left = course.submitted / "101" / ".collecting-round" / "new" / "sums.ipynb"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    collect(course, "round", download({"A_101": "whole"}))
    assert works(course) == {"101": "whole"}
    assert [path.name for path in (course.submitted / "101").iterdir()] == ["round"]


def test_work_that_is_not_in_the_download_any_more_is_not_called_absent(
    course, download, worksheet
):
    sheet = worksheet({number: ("A", "", NOON) for number in ("101", "102", "103")})
    collect(course, "round", download({"A_101": "a", "A_102": "b"}), sheet)
    collected = collect(course, "round", download({"A_101": "a"}), sheet)
    assert (collected.absent, collected.staying) == (("103",), ("102",))
    assert works(course) == {"101": "a", "102": "b"}


@pytest.mark.parametrize(
    "rows",
    [
        {"900": ("G", "", NOON), "901": ("H", "", "-")},
        {"900": ("G", "Team Z", NOON), "901": ("H", "Team Y", "-")},
    ],
)
def test_worksheet_of_another_assignment_enrols_nobody(course, download, worksheet, rows):
    with pytest.raises(WorksheetError, match="of another assignment; download both anew"):
        collect(course, "round", download({"A_101": "S", "B_102": "T"}), worksheet(rows))
    with course.gradebook() as gradebook:
        assert gradebook.students == []
    assert not course.submitted.exists()


def test_blind_marking_takes_no_group_for_a_participant(course, download, worksheet):
    sheet = worksheet({n: ("", f"Team {t}", NOON) for n, t in (("7", "Z"), ("8", "A"), ("9", "A"))})
    path = download({"Team A_7": "of A", "Team Z_3": "of Z", "Participant_9": "own"})
    collected = collect(course, "round", path, sheet)
    assert works(course) == {"7": "of Z", "8": "of A", "9": "of A"}
    assert [refused.student for refused in collected.ignored] == ["9"]
