from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from coursekit.course import Course
from coursekit.errors import CourseError


def test_folder_without_configuration_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(CourseError, match=r"holds no nbgrader_config.py; .*--course"):
        Course(tmp_path)


def test_broken_configuration_is_told_with_its_error(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n1 / 0\n")
    with pytest.raises(CourseError, match=r"cannot be read: ZeroDivisionError"):
        Course(tmp_path)


def test_paths_follow_the_configuration(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.submitted_directory = "handed_in"\n'
    )
    course = Course(tmp_path)
    assert course.submitted == tmp_path / "handed_in"
    assert course.source == tmp_path / "source"


def test_only_assignment_needs_no_name(course):
    assert course.assignment() == "round"
    assert course.notebooks("round") == ["products", "sums"]


def test_name_is_needed_where_there_are_several(course):
    second = course.source / "second"
    second.mkdir()
    (second / "a.ipynb").write_text("{}")
    with pytest.raises(CourseError, match=r"Name the assignment; .*round, second"):
        course.assignment()


def test_unknown_assignment_lists_those_there(course):
    with pytest.raises(CourseError, match=r"'rond' .*there are: round"):
        course.assignment("rond")


def test_assignment_outside_source_is_refused(course):
    with pytest.raises(CourseError, match="No assignment"):
        course.assignment("../source/round")


def test_unreleased_assignment_is_refused_with_the_remedy(course):
    with pytest.raises(CourseError, match="run: coursekit release round"):
        course.released_assignment("round")


def test_new_gradebook_is_readable_by_its_owner_only(course):
    (course.root / "gradebook.db").unlink()
    with course.gradebook():
        pass
    assert (course.root / "gradebook.db").stat().st_mode & 0o777 == 0o600


def test_damaged_gradebook_is_told_with_the_remedy(course):
    (course.root / "gradebook.db").write_text("not a database at all")
    with pytest.raises(CourseError, match=r"gradebook.db cannot be used: .*; put back a copy"):
        course.released_assignment("round")


def test_damage_that_shows_in_the_gradebook_s_use_is_told(released):
    with released.gradebook() as gradebook:
        gradebook.db.execute(text("ALTER TABLE assignment RENAME COLUMN duedate TO due"))
        gradebook.db.commit()
    with pytest.raises(CourseError, match=r"cannot be used: no such .*nbgrader db upgrade"):
        released.released_assignment("round")


def test_submissions_are_those_of_the_assignment_alone(course):
    for place in ("12/round", "11/round", "13/other", "14/roun[d]", "15/round.old"):
        (course.submitted / place).mkdir(parents=True)
    (course.submitted / "16").mkdir()
    (course.submitted / "16" / "round").write_text("a file")
    assert course.submissions("round") == [
        course.submitted / "11" / "round",
        course.submitted / "12" / "round",
    ]
    assert course.submissions("roun[d]") == [course.submitted / "14" / "roun[d]"]


@pytest.mark.parametrize(
    ("line", "place"),
    [("", ".coursekit/secret"), ('c.PoseChallenges.secret_file = "kept/here"', "kept/here")],
)
def test_secret_lies_in_the_course_s_folder_wherever_one_stands(tmp_path, line, place):
    (tmp_path / "nbgrader_config.py").write_text(f"c = get_config()\n{line}\n")
    assert Course(tmp_path).config.PoseChallenges.secret_file == str(tmp_path / place)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        (datetime(2026, 11, 19, 12, 30), datetime(2026, 11, 19, 10, 30, tzinfo=UTC)),
        (datetime(2026, 7, 1, 0, 30), datetime(2026, 6, 30, 21, 30, tzinfo=UTC)),
    ],
)
def test_dates_are_in_the_time_zone_of_the_course(course, local, utc):
    assert course.to_utc(local) == utc


def test_unknown_time_zone_is_told(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(
        'c = get_config()\nc.Exchange.timezone = "Europe/Otaniemi"\n'
    )
    with pytest.raises(CourseError, match="Europe/Otaniemi"):
        Course(tmp_path).timezone  # noqa: B018
