"""Late work, from the date in the worksheet to the grade in the worksheet."""

import re

import pytest

from coursekit.course import Course
from coursekit.grading.autograde import grade
from coursekit.mycourses.collect import collect
from coursekit.mycourses.filling import fill

from ..conftest import answer, pack_download

PENALTY = """
from nbgrader.plugins import LateSubmissionPlugin

class HourlyPenalty(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 3600

c.AssignLatePenalties.plugin_class = HourlyPenalty
"""
HEADER = "Identifier,Grade,Maximum grade,Last modified (submission),Last modified (grade)"
HEADER += ",Feedback comments"
DAY = "Thursday, 19 November 2026"
TIMES = {"11": "12:00 PM", "12": "1:30 PM"}  # in Helsinki; due at 10:00 UTC, which is noon there


@pytest.fixture
def course(released):
    """A course that takes off a point an hour."""
    with (released.root / "nbgrader_config.py").open("a") as file:
        file.write(PENALTY)
    with released.gradebook() as gradebook:
        gradebook.update_or_create_assignment("round", duedate="2026-11-19 10:00:00 UTC")
    return Course(released.root)


def test_late_work_loses_points_in_the_gradebook_the_grade_and_the_comment(course, tmp_path):
    right = answer(course, "sums", {"add": "def add(a, b):\n    return a + b"})
    download, worksheet = tmp_path / "download.zip", tmp_path / "worksheet.csv"
    download.write_bytes(
        pack_download({f"A_{n}_assignsubmission_file/sums.ipynb": right for n in TIMES})
    )
    rows = [f'Participant {n},,100.00,"{DAY}, {time}",-,\n' for n, time in TIMES.items()]
    worksheet.write_text(f"{HEADER}\n{''.join(rows)}", encoding="utf-8-sig")

    collect(course, "round", download, worksheet)
    told = [(course.submitted / n / "round" / "timestamp.txt").read_text() for n in TIMES]
    assert told == ["2026-11-19 10:00:00 UTC\n", "2026-11-19 11:30:00 UTC\n"]

    grade(course, "round")
    with course.gradebook() as gradebook:
        found = {n: gradebook.find_submission("round", n) for n in TIMES}
        assert [found[n].total_seconds_late for n in TIMES] == [0, 5400]
        assert [found[n].late_submission_penalty for n in TIMES] == [0, 1.5]
        most = gradebook.find_assignment("round").max_score

    lines = fill(course, "round", worksheet, provisional=True).path.read_text().splitlines()[1:]
    scores = [6, 4.5]  # points; three more are given by hand
    assert [line.split(",")[1] for line in lines] == [f"{100 * s / most:.2f}" for s in scores]
    assert [re.findall("for being late: [-−][0-9.]+", line) for line in lines] == [
        [],
        ["for being late: -1.5"],
    ]
