"""The judge catches every known mistake, names nearly all, and wrongs nobody."""

import re

import pytest

from coursekit.judging import answering
from coursekit.judging.round09 import TASKS
from tests.mutants import report
from tests.mutants.right import RIGHT

CATALOGUE = report.catalogue()
NAMES = [mistake.name for _, mistake in CATALOGUE]


@pytest.fixture(scope="module")
def result():
    mistakes = [report.judged_mistake(*row, seeds=(5,)) for row in CATALOGUE]
    right = [report.judged_right(*row, seeds=(5,)) for row in RIGHT]
    return report.summary(mistakes, right)


def test_every_mistake_loses_its_own_points_and_no_others(result):
    wrongly_judged = {
        row["name"]: row["lost"] for row in result["rows"] if row["lost"] != row["expected"]
    }
    assert wrongly_judged == {}
    assert result["caught"] == result["mistakes"] == len(CATALOGUE)


def test_nine_of_ten_mistakes_are_named(result):
    assert result["diagnosed"] >= 0.9 * result["mistakes"]


def test_right_though_different_raises_no_alarm(result):
    assert result["false_alarms"] == 0
    assert result["right"] == len(RIGHT)


def test_there_are_enough_of_both_kinds():
    assert len(CATALOGUE) >= 60
    assert len(RIGHT) >= 20


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_every_task_knows_a_mistake_that_loses_its_points(task):
    assert any(task.name in mistake.loses for mistake in task.mistakes)


def test_every_function_has_a_right_solution_of_another_kind():
    functions = {task.asks[0] for task in TASKS.values() if task.harness is not answering.read}
    assert functions - {"run"} == {function for _, function, _ in RIGHT}


def test_names_are_unique():
    assert len(set(NAMES)) == len(NAMES)
    assert len({name for name, _, _ in RIGHT}) == len(RIGHT)


@pytest.mark.parametrize("mistake", [mistake for _, mistake in CATALOGUE], ids=NAMES)
def test_sentence_is_one_or_two_sentences(mistake):
    sentences = re.split(r"(?<=[.?])\s+(?=[A-Z])", mistake.sentence)
    assert 1 <= len(sentences) <= 2
    assert all(sentence.endswith((".", "?")) for sentence in sentences)


def test_loses_names_tasks_that_ask_for_the_function():
    for task, mistake in CATALOGUE:
        assert set(mistake.loses) <= {other.name for other in report.asked_for(task.asks)}


def test_report_counts_a_right_solution_that_loses_points():
    row = report.judged_right("not right", "stage2", lambda y2, t: t - y2, seeds=(1,))
    assert row["lost"] == ["stage2-dE-dz2"]
    assert report.summary([], [row])["false_alarms"] == 1


def test_report_counts_a_mistake_that_survives():
    task = TASKS["stage2-dE-dz2"]
    harmless = type(task.mistakes[0])("harmless", "It is right.", lambda y2, t: y2 - t, ("x",))
    row = report.judged_mistake(task, harmless, seeds=(1,))
    assert (row["caught"], row["diagnosed"], row["lost"]) == (False, False, [])
