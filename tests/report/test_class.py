"""From the gradebook and the graded notebooks to the figures."""

import re
from datetime import timedelta

import nbformat
import pytest
from nbgrader.server_extensions.formgrader.handlers import default_handlers

from coursekit.report.figures import figures
from coursekit.report.mistakes import BLANK, FAILED, UNKNOWN
from coursekit.report.reading import read_class


def test_mistakes_count_each_student_once_with_the_catalogues_sentence(released, make, mistake):
    found = make(
        released,
        make.student("1", mistakes=(mistake, mistake)),
        make.student("2", mistakes=(mistake,)),
        make.student("3"),
        make.student("4", notebooks=("products",)),
    )
    (one,) = found.mistakes
    assert one.sentence == mistake.sentence
    assert (one.students, one.of, one.cells, one.points) == (["1", "2"], 3, ["add-test"], 6.0)


def test_a_forged_mistake_has_no_sentence(released, make):
    """A verdict's words are shown only if they stand in the catalogue."""
    found = make(released, make.student("1", mistakes=("Buy at http://evil.",)))
    assert found.mistakes == []
    assert [one.kind for one in found.unexplained] == [UNKNOWN]


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        ("No answer: not answered yet.", BLANK),
        ("No answer: NameError: loss is not defined.", FAILED),
        ("dE/dW1: all entries are zero.", UNKNOWN),
    ],
)
def test_what_no_mistake_explains_is_told_by_kind(released, make, problem, kind):
    (one,) = make(released, make.student("1", mistakes=(problem,))).unexplained
    assert (one.kind, one.question.cell, one.students) == (kind, "add-test", ["1"])


def test_totals(released, make):
    zero = dict.fromkeys(make.points, 0.0)
    found = make(
        released,
        make.student("1"),
        make.student("2", points=zero),
        make.student("3", points={**make.points, "why": None}),
    ).totals
    assert (found.students, found.max_score, found.median, found.by_tests) == (3, 10, 7, 7)
    assert [one.students for one in found.bins] == [1, 0, 0, 0, 0, 0, 0, 1, 0, 1]
    assert found.pending == 1


def test_handing_in_and_late(released, make):
    found = make(
        released,
        make.student("1", before_due=timedelta(days=2)),
        make.student("2", before_due=timedelta(0)),
        make.student("3", before_due=timedelta(minutes=-1)),
        make.student("4", before_due=timedelta(days=-3)),
        make.student("5", before_due=None),
    )
    assert {when: n for when, n in found.handing_in.items() if n} == {
        "1 to 3 days before": 1,
        "in the last hour": 1,
        "up to a day late": 1,
        "more than a day late": 1,
    }
    assert [one.student for one in found.late] == ["4", "3"]


def test_run_times(released, make):
    found = make(
        released,
        make.student("1", seconds=2),
        make.student("2", seconds=0.5),
        make.student("3", notebooks=("products",)),
    )
    sums = {one.notebook: one for one in found.run_times}["sums"]
    assert sums.seconds == {"1": 6.0, "2": 1.5}
    assert (sums.median, sums.longest) == (3.75, 6.0)


@pytest.mark.parametrize(
    "told",
    [
        "soon",
        {"iopub.execute_input": 3},
        {"iopub.execute_input": "2026-11-21T00:00", "shell.execute_reply": "2026-11-20T00:00"},
        {"iopub.execute_input": "1000-11-21T00:00", "shell.execute_reply": "2026-11-20T00:00"},
        {"iopub.execute_input": "2026-11-21T00:00Z", "shell.execute_reply": "2026-11-21T00:00"},
    ],
)
def test_times_that_a_kernel_made_up_are_left_out(released, make, told):
    make(released, make.student("1"))
    path = released.autograded / "1" / "round" / "products.ipynb"
    nb = nbformat.read(path, as_version=4)
    for cell in nb.cells:
        cell.metadata["execution"] = told
    nbformat.write(nb, path)
    found = {
        one.notebook: one for one in figures(released, read_class(released, "round")).run_times
    }
    assert found["products"].seconds == {}


def test_who_needs_a_person(released, make):
    make(released, make.student("1", points={**make.points, "why": None}), make.student("2"))
    truncated = released.submitted / "3" / "round"
    truncated.mkdir(parents=True)
    (truncated / "sums.ipynb").write_text('{"cells": [')
    path = released.autograded / "2" / "round" / "sums.ipynb"
    nb = nbformat.read(path, as_version=4)
    error = {"output_type": "error", "ename": "Stopped", "evalue": "too long", "traceback": []}
    nb.cells[2].outputs = [nbformat.from_dict(error)]
    nbformat.write(nb, path)
    found = figures(released, read_class(released, "round"), "https://hub.example/user/me/").persons
    assert [(one.student, one.why) for one in found.waiting] == [("1", "3 points to give.")]
    (link,) = found.waiting[0].links
    with released.gradebook() as gradebook:
        known = gradebook.find_submission_notebook("sums", "round", "1").id
    assert link.url == f"https://hub.example/user/me/formgrader/submissions/{known}/"
    assert [one.student for one in found.odd] == ["2"]
    assert "Stopped: too long" in found.odd[0].why
    assert [one.student for one in found.unclear] == ["3"]
    assert found.unclear[0].links[0].url.endswith("/formgrader/manage_submissions/round")


def test_links_are_routes_of_the_formgrader(released, make):
    """nbgrader may change its addresses: these are matched with its own."""
    make(released, make.student("1", points={**make.points, "why": None}))
    found = figures(released, read_class(released, "round"), "http://localhost:1").persons
    (link,) = found.waiting[0].links
    path = link.url.removeprefix("http://localhost:1")
    names = [handler[1].__name__ for handler in default_handlers if re.fullmatch(handler[0], path)]
    assert names[0] == "SubmissionHandler"
