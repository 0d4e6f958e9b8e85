"""The dates of a worksheet: English by default, another form by the course's configuration."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursekit.course import Course
from coursekit.demo.download import _written
from coursekit.mycourses.worksheet import WorksheetError, read_worksheet

NOON = datetime(2026, 11, 19, 10, 30, tzinfo=UTC)


def read(course, date, tmp_path):
    path = tmp_path / "worksheet.csv"
    path.write_text(
        f'Identifier,Group,Last modified (submission)\nParticipant 1,G,"{date}"\n', "utf-8-sig"
    )
    return read_worksheet(path, course)["1"]


def configured(course, date_format):
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write(f"c.MyCourses.date_format = {date_format!r}\n")
    return Course(course.root)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_every_date_that_mycourses_writes_is_read(course, tmp_path, moment):
    moment = moment.replace(second=0, microsecond=0, fold=0)
    assert read(course, _written(moment), tmp_path).submitted == course.to_utc(moment)


@pytest.mark.parametrize(
    ("date_format", "date"),
    [
        ("%A, %B %d, %Y, %I:%M %p", "Thursday, November 19, 2026, 12:30 PM"),
        ("%d/%m/%Y, %H:%M", "19/11/2026, 12:30"),
        ("%d.%m.%Y %H.%M", "19.11.2026 12.30"),
        ("%A, %d %B %Y, %I:%M %p", "thursday, 19 november 2026, 12:30 pm"),
    ],
)
def test_form_of_the_dates_can_be_set(course, tmp_path, date_format, date):
    assert read(configured(course, date_format), date, tmp_path).submitted == NOON


@pytest.mark.parametrize("date_format", ["%Q", "%d %B %Y", "%A", "", 3, "%d.%m. %H:%M"])
def test_form_that_tells_no_date_and_time_is_refused(course, tmp_path, date_format):
    with pytest.raises(WorksheetError, match=r"c\.MyCourses\.date_format = .* no date and time"):
        read(configured(course, date_format), "-", tmp_path)


@pytest.mark.parametrize(
    ("date", "remedy"),
    [
        ("torstaina 19. marraskuuta 2026, 12.30", "set the language of MyCourses to English"),
        ("torsdag, 19 november 2026, 12:30", "set the language of MyCourses to English"),
        ("Thursday, November 19, 2026, 12:30 PM", r"set c\.MyCourses\.date_format in nbgrader_c"),
        ("19.11.2026 12.30", r"if MyCourses itself writes dates in numbers, set c\."),
        ("Thursday, 31 November 2026, 12:30 PM", "the date 'Thursday, 31 November"),
    ],
)
def test_date_of_another_form_or_language_is_told_with_the_remedy(course, tmp_path, date, remedy):
    with pytest.raises(WorksheetError, match=remedy) as told:
        read(course, date, tmp_path)
    assert "'Thursday, 19 November 2026, 12:30 PM'" in str(told.value)


def test_group_is_read(course, tmp_path):
    assert read(course, "-", tmp_path).group == "G"
