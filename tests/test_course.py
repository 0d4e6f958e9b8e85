from datetime import UTC, datetime

import pytest

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
