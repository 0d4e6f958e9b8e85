import re
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from coursekit.report.anonymous import FEWEST, anonymous, few, merged
from coursekit.report.page import anonymous_report
from coursekit.report.totals import Bin

MADE = datetime(2026, 11, 24, 13, 57)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=10).filter(lambda n: sum(n) >= FEWEST))
def test_merged_ranges_hold_nobody_or_enough_and_lose_nobody(counts):
    bins = [Bin(10.0 * i, 10.0 * (i + 1), count) for i, count in enumerate(counts)]
    found = merged(bins)
    assert all(one.students == 0 or one.students >= FEWEST for one in found)
    assert sum(one.students for one in found) == sum(counts)
    assert (found[0].low, found[-1].high) == (bins[0].low, bins[-1].high)
    assert all(a.high == b.low for a, b in zip(found, found[1:], strict=False))


def test_few():
    told = ["fewer than 3", "fewer than 3", "3", "9", "nearly all", "nearly all"]
    assert [few(number, 12) for number in (0, 2, 3, 9, 10, 12)] == told


def test_nothing_of_a_person_is_in_page_and_tables(released, make, hostile, mistake):
    more = [make.student(f"24715{n}", "Zebedee", "Quillfeather") for n in range(20)]
    more[0].before_due = timedelta(days=5, minutes=7)
    for student in more[:3]:
        student.mistakes = (mistake,)
    found = make(released, *hostile, *more)
    html, sheets = anonymous_report(found, MADE)
    text = "\n".join([html, *(sheet.data.decode() for sheet in sheets)])
    for student in found.read.students:
        for word in (*student.name.split(), student.student):
            assert len(word) < 4 or word not in text
    for notebooks in found.read.notebooks.values():
        assert all(notebook.id not in text for notebook in notebooks.values())
    assert "http" not in html.replace("http-equiv", "")
    assert not re.search(r"\d\d:\d\d", text)
    assert "5 of 25" in html
    assert mistake.sentence in html


def test_small_counts_are_left_out(released, make, mistake):
    students = [make.student(str(100 + n)) for n in range(12)]
    students[0].mistakes = students[1].mistakes = (mistake,)
    students[2].before_due = timedelta(-1)
    shown = anonymous(make(released, *students))
    assert (shown.mistakes, shown.rare, shown.late) == ([], 1, "fewer than 3")
    assert (shown.median, shown.students) == (10, 12)


def test_quartiles_need_a_class(released, make):
    shown = anonymous(make(released, *(make.student(str(n)) for n in range(11))))
    assert (shown.students, shown.median, shown.low) == (11, None, None)


def test_two_students_are_too_few_for_anything(released, make, mistake):
    found = make(released, *(make.student(str(n), mistakes=(mistake,)) for n in range(2)))
    shown = anonymous(found)
    assert (shown.students, shown.bins, shown.questions, shown.mistakes) == (0, [], [], [])
    html, sheets = anonymous_report(found, MADE)
    assert "single persons" in html
    assert all(sheet.rows == [] for sheet in sheets)
