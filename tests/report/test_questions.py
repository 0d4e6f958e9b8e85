from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from coursekit.report.questions import question_figures
from coursekit.report.reading import Points, Question

QUESTIONS = [Question("nb", name, name, 4.0, by_hand=False) for name in ("a", "b", "c")]


def read(rows):
    """A class from one row of points a student; None is still to be given."""
    students = [SimpleNamespace(student=str(number)) for number in range(len(rows))]
    notebooks = {
        student.student: {
            "nb": SimpleNamespace(
                points={
                    question.cell: Points(score or 0.0, score is None)
                    for question, score in zip(QUESTIONS, row, strict=True)
                }
            )
        }
        for student, row in zip(students, rows, strict=True)
    }
    return SimpleNamespace(questions=QUESTIONS, graded=students, notebooks=notebooks)


def test_by_hand():
    a, b, _ = question_figures(read([(4, 4, 4), (4, 2, 2), (2, 2, 2), (2, 0, 1), (0, 0, 0)]))
    assert (a.mean, a.difficulty, a.full, a.nothing) == (2.4, pytest.approx(0.6), 2, 1)
    assert a.discrimination == pytest.approx(pearsonr([4, 4, 2, 2, 0], [8, 4, 4, 1, 0])[0])
    assert b.remark == "hard"


@given(
    st.lists(
        st.tuples(*[st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.5, 4.0])] * 3), min_size=5, max_size=30
    )
)
def test_discrimination_is_the_correlation_with_the_rest_or_not_defined(rows):
    for place, figures in enumerate(question_figures(read(rows))):
        item = [row[place] for row in rows]
        rest = [round(sum(row) - row[place], 9) for row in rows]
        if len(set(item)) == 1 or len(set(rest)) == 1:
            assert figures.discrimination is None
        else:
            assert figures.discrimination == pytest.approx(pearsonr(item, rest)[0], abs=1e-9)


def test_not_defined_for_few():
    assert question_figures(read([(1, 2, 3)] * 2 + [(0, 1, 2)] * 2))[0].discrimination is None


def test_question_that_waits_for_a_person_is_in_nobodys_rest():
    rows = [(4, 4, None), (3, 4, 4), (2, 1, 1), (1, 1, 0), (0, 1, 4)]
    a, _, c = question_figures(read(rows))
    assert a.discrimination == pytest.approx(pearsonr([4, 3, 2, 1, 0], [4, 4, 1, 1, 1])[0])
    assert (c.students, c.pending, c.mean) == (4, 1, 2.25)


def test_no_difficulty_before_half_of_the_class_is_graded():
    _, _, c = question_figures(read([(1, 1, None)] * 3 + [(1, 1, 0)]))
    assert (c.mean, c.difficulty, c.remark) == (None, None, "")


def test_stronger_do_worse():
    rows = [(4, 0, 0), (4, 0, 1), (2, 2, 2), (0, 4, 3), (0, 4, 4)]
    assert "the stronger do worse" in question_figures(read(rows))[0].remark


def test_nobody():
    assert all(one.difficulty is None for one in question_figures(read([])))
