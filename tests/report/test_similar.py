import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from coursekit.report.fingerprints import CODE_RUN, fingerprints
from coursekit.report.reading import read_class
from coursekit.report.similar import crowds, similar_pairs, submission_groups

OWN = """def add(a, b):
    # one step at a time
    total, steps = a, []
    while len(steps) < b:
        steps.append({"before": total, "after": total + 1})
        total = steps[-1]["after"] if steps else total
    assert all(step["after"] - step["before"] == 1 for step in steps), "odd"
    return total if b >= 0 else add(b, a)
"""
RENAMED = (
    OWN.replace("total", "summa")
    .replace("steps", "askeleet")
    .replace("# one step at a time", "# kaikki itse tehty\n\n    # ihan itse")
    .replace('"before"', "'ennen'")
)
OTHER = """def add(a, b):
    import operator
    from functools import reduce
    numbers = (a, b)
    try:
        return reduce(operator.add, numbers[1:], numbers[0])
    except TypeError as problem:
        raise ValueError(f"{a!r} and {b!r} cannot be added") from problem
    finally:
        del numbers
"""


def keys(source, make=new_code_cell):
    return [mark.key for mark in fingerprints(make(source))]


def pairs(course, threshold=0.8):
    read = read_class(course, "round")
    return similar_pairs(course, read, submission_groups(course, read), threshold)


def test_other_names_comments_and_layout_give_the_same_fingerprints():
    assert keys(OWN) == keys(RENAMED) != keys(OTHER)


def test_lines_of_a_fingerprint():
    marks = fingerprints(new_code_cell(OWN))
    lines = OWN.splitlines()
    assert (marks[0].first, marks[-1].last) == (0, len(lines) - 1)
    assert all(mark.first <= mark.last for mark in marks)


@pytest.mark.parametrize(
    "source",
    ["", "x = 1", "'" * 5000, "(" * 30_000, "\x00\ud800", '"""never ends', "if\r\telse\u2028:"],
    ids=range(7),
)
def test_any_source_has_fingerprints_or_none(source):
    assert all(key.count(" ") >= CODE_RUN - 1 for key in keys(source))


def test_written_answers_are_compared_by_words():
    text = "Addition commutes, since counting on from either end gives the same row of stones."
    assert keys(text, new_markdown_cell)
    assert keys(text.upper() + "\n", new_markdown_cell) == keys(text, new_markdown_cell)


def test_copy_with_other_names_is_a_pair(released, make):
    make(
        released,
        make.student("1", answers={"add": OWN}),
        make.student("2", answers={"add": RENAMED}),
        make.student("3", answers={"add": OTHER}),
    )
    (pair,) = pairs(released)
    assert (pair.left, pair.right, pair.notebook, pair.share) == ("1", "2", "sums", 1.0)
    (answer,) = pair.answers
    assert answer.cell == "add"
    assert not answer.letter_for_letter
    assert ("    total, steps = a, []", True) in answer.left
    assert ("    summa, askeleet = a, []", True) in answer.right


def test_threshold(released, make):
    make(
        released,
        make.student("1", answers={"add": OWN + OTHER}),
        make.student("2", answers={"add": OWN + OTHER.replace("reduce", "print")[:140] + OWN}),
    )
    share = pairs(released, 0.01)[0].share
    assert 0.5 < share < 1
    assert pairs(released, share)
    assert not pairs(released, share + 0.01)


def test_what_many_wrote_alike_is_no_pair(released, make):
    make(released, *(make.student(str(n), answers={"add": OWN}) for n in range(5)))
    assert pairs(released) == []


def test_long_answer_that_many_wrote_alike_is_told(released, make):
    students = [str(number) for number in range(5)]
    alone = make.student("9", answers={"add": OTHER})
    make(released, *(make.student(one, answers={"add": OWN}) for one in students), alone)
    (found,) = crowds(released, read_class(released, "round"))
    assert (found.cell, found.students) == ("add", students)


def test_short_answer_that_many_wrote_alike_is_not_told(released, make):
    short = "def add(a, b):\n    return b + a"
    make(released, *(make.student(str(one), answers={"add": short}) for one in range(5)))
    assert crowds(released, read_class(released, "round")) == []


def test_released_code_is_ignored(released, make):
    (released.release / "round" / "helper.py").chmod(0o644)
    (released.release / "round" / "helper.py").write_text(OWN)
    make(released, *(make.student(n, answers={"add": OWN}) for n in "12"))
    assert pairs(released) == []


def test_short_and_unchanged_answers_are_no_pair(released, make):
    make(released, *(make.student(n, answers={"add": "def add(a, b): return a + b"}) for n in "12"))
    assert pairs(released) == []


def test_a_group_is_no_pair_and_stands_as_one(released, make):
    files = {"sums.ipynb": "{}", "scan.pdf": "same"}
    make(
        released,
        make.student("1", answers={"add": OWN}, files=files),
        make.student("2", answers={"add": OWN}, files=files),
        make.student("3", answers={"add": OWN}, files={**files, "scan.pdf": "diff"}),
    )
    read = read_class(released, "round")
    assert submission_groups(released, read) == [["1", "2"]]
    assert [(pair.left, pair.right) for pair in pairs(released)] == [("1", "3")]
    assert pairs(released)[0].answers[0].letter_for_letter


def test_same_files_at_unknown_times_are_a_pair(released, make):
    files = {"sums.ipynb": "{}"}
    students = [make.student(n, answers={"add": OWN}, files=files, before_due=None) for n in "12"]
    make(released, *students)
    assert len(pairs(released)) == 1
