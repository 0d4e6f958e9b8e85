import numpy as np
import pytest

from coursekit.judging import judge
from coursekit.judging.live import NotRightError
from coursekit.judging.round09 import TASKS

RIGHT = "def stage2(y2, t):\n    return y2 - t\n"
WRONG = "def stage2(y2, t):\n    return t - y2\n"


def test_right_function_prints_the_verdict(capsys):
    exec(f"{RIGHT}judge('stage2-dE-dz2')", {"judge": judge})
    assert capsys.readouterr().out.splitlines() == [
        "Stage 2: dE/dz2: 2 of 2 points",
        "  right  dE/dz2 on fresh numbers: 1.5 of 1.5",
        "  right  read-only arguments, the same answer again: 0.5 of 0.5",
    ]


def test_wrong_function_raises_with_the_words(capsys):
    with pytest.raises(NotRightError) as raised:
        exec(f"{WRONG}judge('stage2-dE-dz2')", {"judge": judge})
    assert "0.5 of 2 points" in str(raised.value)
    assert "The sign is the wrong way round" in str(raised.value)
    assert capsys.readouterr().out == ""


def test_notebook_shows_the_words_alone():
    assert NotRightError("the words")._render_traceback_() == ["the words"]


def test_missing_function_is_named():
    with pytest.raises(NotRightError, match="NameError: stage2 is not defined"):
        exec("judge('stage2-dE-dz2')", {"judge": judge})


def test_functions_are_looked_up_where_judge_is_called():
    def stage2(y2, t):
        return y2 - t

    with pytest.raises(NotRightError, match="stage2 is not defined"):
        judge("stage2-dE-dz2")  # this module has no such global name


def test_challenges_are_fresh_each_time():
    seen = []
    namespace = {"judge": judge, "stage2": lambda y2, t: seen.append(y2) or y2 - t}
    exec("judge('stage2-dE-dz2')\njudge('stage2-dE-dz2')", namespace)
    assert not np.array_equal(seen[0], seen[len(seen) // 2])


def test_unknown_name_names_the_tasks():
    with pytest.raises(KeyError) as raised:
        judge("stage10")
    assert "stage10" in str(raised.value)
    assert all(name in str(raised.value) for name in TASKS)
