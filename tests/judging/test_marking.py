from dataclasses import replace

import numpy as np
import pytest

from coursekit.judging import marking, wire
from coursekit.judging.answering import answer_all, call
from coursekit.judging.round09 import TASKS
from coursekit.judging.task import Property, Task, agrees


def double(x):
    return 2 * x


def numbers(rng):
    return [{"x": rng.normal(size=3)} for _ in range(3)]


TASK = Task(
    name="double",
    title="Doubling",
    points=3,
    asks=("double",),
    challenges=numbers,
    properties=tuple(
        agrees(f"call {index}", "2x", double, calls=slice(index, index + 1)) for index in range(3)
    ),
)


def answers_of(function, seed=1):
    names = {"double": function}
    challenges = marking.pose(TASK, seed)
    return answer_all(names, TASK.asks, challenges, call, wire.encode, wire.decode)


def problems(messages, seed=1):
    return [finding.problem for finding in marking.mark(TASK, seed, messages).findings]


@pytest.mark.parametrize("name", TASKS)
def test_same_seed_draws_the_same_challenges(name):
    task = TASKS[name]
    assert marking.pose(task, 5) == marking.pose(task, 5)


NOT_DRAWN = ("sheet-loss", "test-accuracy", "learning-rate-sweep", "final-network")


@pytest.mark.parametrize("name", [name for name in TASKS if name not in NOT_DRAWN])
def test_another_seed_draws_other_challenges(name):
    assert marking.pose(TASKS[name], 5) != marking.pose(TASKS[name], 6)


def test_right_answers_get_full_points():
    verdict = marking.mark(TASK, 1, answers_of(double))
    assert (verdict.points, verdict.passed, verdict.summary) == (3, True, "all right")
    assert verdict.seed == 1


def test_answers_to_other_challenges_get_none():
    assert marking.mark(TASK, 1, answers_of(double, seed=2)).points == 0


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_points_go_by_the_share_of_properties_that_hold(count):
    messages = answers_of(double)[:count] + answers_of(np.negative)[count:]
    verdict = marking.mark(TASK, 1, messages)
    assert verdict.points == count
    assert [finding.holds for finding in verdict.findings] == [True] * count + [False] * (3 - count)


def test_points_are_rounded_to_the_hundredth():
    verdict = marking.mark(replace(TASK, points=1), 1, answers_of(double)[:1])
    assert verdict.points == 0.33


def test_a_property_may_have_points_of_its_own():
    first, *others = TASK.properties
    task = replace(TASK, properties=(replace(first, points=0.5), *others))
    assert task.shares == (0.5, 1.25, 1.25)
    assert marking.mark(task, 1, answers_of(double)[:1]).points == 0.5
    assert marking.mark(task, 1, answers_of(double)[:2]).points == 1.75


@pytest.mark.parametrize("messages", [None, {}, "text", 5, ([],)], ids=repr)
def test_no_list_of_answers_gets_nothing(messages):
    assert problems(messages) == [f"No answer: {marking.NOTHING}."] * 3


def test_missing_answers_cost_only_their_own_points():
    assert problems(answers_of(double)[:2]) == [
        None,
        None,
        "No answer: the calls before it did not finish.",
    ]
    assert problems([])[0] == "No answer: the calls before it did not finish."


def test_answers_that_nobody_asked_for_are_not_looked_at():
    assert marking.mark(TASK, 1, answers_of(double) + [{"value": "nonsense"}] * 100).passed


@pytest.mark.parametrize(
    "message",
    [None, 1, [], {}, {"value": 1}, {"error": 1}, {"error": None}, {"value": {"none": 1, "x": 2}}]
    + [{"error": "x", "value": {"none": True}}, {"value": {"list": "x"}}, {"values": {}}],
    ids=repr,
)
def test_garbled_answer_costs_only_its_own_points(message):
    found = problems([message, *answers_of(double)[1:]])
    assert found[0].startswith("No answer: ")
    assert found[1:] == [None, None]


def test_error_is_quoted_in_one_line_and_cut():
    def crash(x):
        raise ValueError("first line\n   second line\n" + "a" * 1000)

    first = problems(answers_of(crash))[0]
    assert first.startswith("No answer: ValueError: first line second line aaa")
    assert len(first) < 330
    forged = problems([{"error": "b\n" * 10_000}] * 3)[0]
    assert "\n" not in forged
    assert len(forged) < 330


@pytest.mark.parametrize("text", ["\ud800", "\udcff half a letter"])
def test_verdict_can_be_written_to_a_file_whatever_the_error_says(text):
    verdict = marking.mark(TASK, 1, [{"error": text}, {"value": {"other": text}}])
    assert verdict.points == 0
    assert b"?" in verdict.text.encode()


def test_a_check_that_the_answer_upsets_fails_instead_of_stopping_the_grading():
    def unpack(challenges, answers):
        first, second = answers[0]

    task = Task("t", "T", 2, ("double",), numbers, (Property("pair", unpack), TASK.properties[1]))
    found = marking.mark(task, 1, answers_of(double)).findings
    assert found[0].problem == "The answer has another form than the task asks for."
    assert found[1].holds


HOSTILE = [None, 5, "text", [], {}, [[]], [None, None], [[1.0], "a"], np.zeros(0), [[{}]], True]


@pytest.mark.parametrize("value", [*HOSTILE, [[[["a"] * 70] * 2] * 7, [[1.0], {}], ["b", []]]])
@pytest.mark.parametrize("name", TASKS)
def test_no_answer_stops_the_grading_or_earns_points(name, value):
    message = {"value": wire.encode(value)}
    verdict = marking.mark(TASKS[name], 3, [message] * 20)
    assert not any(finding.holds for finding in verdict.findings)


def test_one_property_cannot_change_what_another_sees():
    def spoil(challenges, answers):
        challenges[0]["x"] *= 0
        answers.clear()

    task = Task("t", "T", 2, ("double",), numbers, (Property("spoil", spoil), *TASK.properties))
    assert marking.mark(task, 1, answers_of(double)).passed
