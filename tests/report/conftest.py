"""What the tests of the class report share."""

import pytest

from coursekit.report.figures import figures
from coursekit.report.reading import read_class
from tests.report.classes import MISTAKE, POINTS, Student, graded_class, hostile_class


@pytest.fixture
def hostile():
    """Students with names and answers that mean harm, and scores from nothing to all."""
    return hostile_class()


@pytest.fixture
def mistake():
    """A mistake of the catalogue."""
    return MISTAKE


@pytest.fixture
def make():
    """Grade a class without running it, and return its figures."""

    def make(course, *students):
        graded_class(course, *students)
        return figures(course, read_class(course, "round"))

    make.student, make.points = Student, POINTS
    return make
