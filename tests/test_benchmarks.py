"""The benchmark of grading: it compares like with like, and tells when it does not."""

from contextlib import suppress
from dataclasses import replace

import pytest

from benchmarks.grading import light
from benchmarks.grading.comparison import check_equal, compare
from benchmarks.grading.courses import light_workload
from benchmarks.grading.running import Graded, Usage
from benchmarks.grading.table import ROWS, markdown
from coursekit.judging.live import NotRightError, judge

FIGURES = {"n", "notebooks_a_student", "parent_peak_mb", "scaling_s", "scores_equal"}
MACHINE = dict.fromkeys(("processor", "processors", "system", "python", "nbgrader"), "x")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Two students, one right and one wrong, graded once by each rival."""
    folder = tmp_path_factory.mktemp("bench")
    workload = light_workload(folder)
    workload = replace(workload, answers=[workload.answers[0], workload.answers[-1]])
    return compare(workload, folder, 2, turns=("ours", "stock", "stock_2proc"))


def graded(**scores):
    """Grades of 5 points in one cell, by student."""
    usage = Usage(1.0, 1.0, 1.0)
    return Graded(usage, {(name, "light", "cell"): (score, 5) for name, score in scores.items()})


def test_all_figures_are_measured_and_the_scores_are_equal(measured):
    assert set(measured) == FIGURES | {key for _, key, _ in ROWS}
    assert measured["scores_equal"]
    assert set(measured["parent_peak_mb"]) == set(measured["scaling_s"]) == {"2"}
    assert all(measured[key] > 0 for key in measured if key.endswith("_s_per_notebook"))


def test_table_has_a_row_for_each_figure_and_a_column_for_each_workload(measured):
    whole_round = measured | {"n": 3, "ratio": 7.65432, "scaling_s": {"3": 12.0}}
    machine = MACHINE | {"load_at_start": 0.5}
    text = markdown(measured | {"round": whole_round, "machine": machine})
    head, _, *rows, _, place = text.splitlines()
    assert head == "|  | light notebook, 2 students | light notebook, 3 students |"
    assert [row.split(" | ")[0] for row in rows][: len(ROWS)] == [f"| {row[0]}" for row in ROWS]
    assert f"| times as fast as stock | {measured['ratio']:.1f} | 7.7 |" in rows
    assert "| seconds for 3 students |  | 12 |" in rows
    assert place.endswith("load average at the start 0.50.")


@pytest.mark.parametrize("answer", light.ANSWERS)
def test_judge_and_the_check_in_the_kernel_agree_on_each_light_answer(answer):
    namespace = {"judge": judge}
    with suppress(NotImplementedError, FloatingPointError, RuntimeWarning):
        exec(f"{light.IMPORTS}\n{light.written(answer)}", namespace)
    right = answer in light.ANSWERS[:4]
    for check, refusal in (
        (f'judge("{light.JUDGED}")', NotRightError),
        (light.CHECK, (AssertionError, NotImplementedError)),
    ):
        if right:
            exec(check, namespace)
        else:
            with pytest.raises(refusal):
                exec(check, namespace)


@pytest.mark.parametrize("stock", [graded(a=5, b=0, c=0), graded(c=0, b=0, a=5)])
def test_part_of_the_points_counts_as_none_in_stock(stock):
    check_equal(graded(a=5, b=2.5, c=0), stock, "stock")


@pytest.mark.parametrize(
    ("stock", "complaint"),
    [
        (graded(a=5, b=5), "other points than ours; cells: 1, first .*'b'.*: 5, expected 0"),
        (graded(a=0, b=0), "other points than ours; cells: 1, first .*'a'.*: 0, expected 5"),
        (graded(a=5), "other points than ours; cells: 1, first .*'b'.*: None, expected 0"),
    ],
)
def test_other_points_in_stock_end_the_benchmark(stock, complaint):
    with pytest.raises(RuntimeError, match=complaint):
        check_equal(graded(a=5, b=2.5), stock, "stock")
