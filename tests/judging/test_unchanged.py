"""One call again, its arrays read-only: who writes into them, and who does not."""

import numpy as np
import pytest

from coursekit.judging.round09 import TASKS
from tests.mutants import report
from tests.mutants.right import RIGHT

TITLE = "read-only arguments, the same answer again"
ASKED = [task for task in TASKS.values() if task.properties[-1].title == TITLE]
MISTAKES = [(task, mistake) for task in ASKED for mistake in task.mistakes]
NOT_EARNED = (  # right by this law, but so would be what anybody could hand in
    "stage 9: weight decay missing",  # an argument as it was
    "argmax over the cases",  # every case is wrong, whatever the network
)


def last_finding(task, function, seed=1):
    verdict = report.verdict(task, [function], seed)
    assert verdict.findings[-1].title == TITLE
    return verdict.findings[-1]


def test_all_functions_of_one_call_are_asked():
    asked = {task.asks[0] for task in ASKED}
    elsewhere = {"gradient", "momentum_step", "train", "batch_columns"}  # the last takes numbers
    functions = {task.asks[0] for task in TASKS.values() if len(task.asks) == 1} - {"learned"}
    assert asked == functions - elsewhere


@pytest.mark.parametrize("task", ASKED, ids=lambda task: task.name)
def test_only_the_arrays_of_the_last_call_are_read_only(task):
    calls = task.challenges(np.random.default_rng(1))
    arrays = [
        [
            array.flags.writeable
            for value in call.values()
            for array in (value if isinstance(value, list) else [value])
            if isinstance(array, np.ndarray)
        ]
        for call in calls
    ]
    assert all(map(all, arrays[:-1]))
    assert arrays[-1]
    assert not any(arrays[-1])


@pytest.mark.parametrize(
    ("task", "mistake"), MISTAKES, ids=[f"{t.name}: {m.name}" for t, m in MISTAKES]
)
def test_other_mistakes_cost_nothing_here(task, mistake):
    writes = "writes into" in mistake.name
    finding = last_finding(task, mistake.variant)
    assert finding.holds == (not writes and mistake.name not in NOT_EARNED)
    if writes:
        assert finding.mistake == mistake.name


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda z2: np.negative(z2, out=z2), "writes into an array"),
        (lambda z2: z2, "comes back as it was"),
        (lambda z2: 1.5, "nothing to do with the arguments"),
        (lambda z2: np.array([1.0, 2.0]), "nothing to do with the arguments"),
        (lambda z2: np.ones(z2.shape), "nothing to do with the arguments"),
        (lambda z2: np.full(z2.shape, np.nan), "nothing to do with the arguments"),
        (lambda z2: "text", "nothing to do with the arguments"),
        (lambda z2: None, "nothing to do with the arguments"),
        (lambda z2: np.random.default_rng().random(z2.shape), "gives another answer"),
        (lambda z2: 1 / 0, "No answer: ZeroDivisionError"),
    ],
    ids=[
        "writes",
        "identity",
        "constant",
        "constant array",
        "ones",
        "NaN",
        "text",
        "None",
        "random",
        "raises",
    ],
)
def test_problem_is_told(function, words):
    assert words in last_finding(TASKS["log-softmax"], function).problem


def test_a_function_that_fails_the_second_time_is_told():
    calls = []

    def once(z2):
        calls.append(z2)
        if len(calls) > len(TASKS["log-softmax"].challenges(np.random.default_rng(1))) - 1:
            raise RuntimeError("no more")
        return np.exp(z2)

    finding = last_finding(TASKS["log-softmax"], once)
    assert finding.problem == (
        "No answer at the second call with the same arguments: RuntimeError: no more."
    )


def test_points_of_the_properties_add_up():
    for task in TASKS.values():
        assert sum(task.shares) == pytest.approx(task.points)
        assert all(share >= 0 for share in task.shares)


def test_points_stand_beside_each_property():
    verdict = report.verdict(TASKS["stage2-dE-dz2"], [lambda y2, t: t - y2], 1)
    assert verdict.points == 0.5
    assert "  wrong  dE/dz2 on fresh numbers: 0 of 1.5\n" in verdict.text
    assert verdict.text.endswith(f"  right  {TITLE}: 0.5 of 0.5")


@pytest.mark.parametrize("task", ASKED, ids=lambda task: task.name)
def test_right_answers_hold_at_any_seed(task):
    """Chance, such as two equal error rates, must not cost a whole class its points."""
    (right,) = [code for _, name, code in RIGHT if (name,) == task.asks][:1]
    for seed in [101, 530, 542, 740, *range(60)]:
        assert report.verdict(task, [right], seed).passed, seed
