"""What is no plain folder of one student: groups, online texts, other rounds' numbers."""

import pytest

from coursekit.mycourses.collect import collect

from ..conftest import answer, pack_download

HEADER = "Identifier,Full name,Email address,ID number,Group,Last modified (submission)"
TIME = '"Thursday, 19 November 2026, 12:30 PM"'
ALONE = "Aino Esimerkki_101_assignsubmission_file"
TEXT = "Aino Esimerkki_101_assignsubmission_onlinetext"
GROUPS = {"101": "Team A: the first", "102": "Team A: the first", "103": "Default group"}
TEAM = "Team A the first_7001_assignsubmission_file"
NO_TEAM = "Default group_assignsubmission_file"


@pytest.fixture
def bring(course, tmp_path):
    return bringer(course, tmp_path)


def bringer(course, tmp_path):
    def collect_files(files, groups=None):
        path, sheet = tmp_path / "download.zip", None
        path.write_bytes(pack_download(files))
        if groups is not None:
            sheet = tmp_path / "worksheet.csv"
            rows = [
                f"Participant {number},Student {number},{number}@example.invalid,K{number},"
                f"{group},{TIME}"
                for number, group in groups.items()
            ]
            sheet.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8-sig")
        return collect(course, "round", path, sheet)

    return collect_files


def files(course):
    """Return what was collected, without the times."""
    top = course.submitted
    return {
        path.relative_to(top).as_posix().replace("/round/", "/"): path.read_text()
        for path in top.rglob("*")
        if path.is_file() and path.name != "timestamp.txt"
    }


@pytest.mark.parametrize("form", [f"{TEAM}/", f"{TEAM}_/", f"{TEAM}_"])
def test_every_member_of_a_group_gets_what_the_group_handed_in(course, bring, form):
    collected = bring({f"{form}sums.ipynb": "S"}, GROUPS)
    assert files(course) == {"101/sums.ipynb": "S", "102/sums.ipynb": "S"}
    assert [one.notebooks for one in collected.submissions] == [("sums",), ("sums",)]
    assert (collected.absent, collected.unknown, collected.ignored) == (("103",), (), ())
    assert (course.submitted / "102" / "round" / "timestamp.txt").is_file()


def test_group_whose_number_is_a_participants_too_is_a_group(course, bring):
    bring({f"{TEAM.replace('7001', '103')}/sums.ipynb": "S"}, GROUPS)
    assert files(course) == {"101/sums.ipynb": "S", "102/sums.ipynb": "S"}


def test_student_beside_the_groups_is_one_student(course, bring):
    bring({"Student 103_103_assignsubmission_file/sums.ipynb": "S"}, GROUPS)
    assert files(course) == {"103/sums.ipynb": "S"}


@pytest.mark.parametrize("form", [f"{NO_TEAM}/", f"{NO_TEAM}_/", f"{NO_TEAM}_"])
def test_work_of_the_group_of_those_in_none_needs_a_person(course, bring, form):
    collected = bring({f"{form}sums.ipynb": "S", f"{TEAM}/sums.ipynb": "T"}, GROUPS)
    assert files(course) == {"101/sums.ipynb": "T", "102/sums.ipynb": "T"}
    (refused,) = collected.ignored
    assert str(refused) == (
        "nobody: 'Default group/sums.ipynb' was refused: it is of those who are in no group "
        "(the worksheet tells who), so a person has to tell whose it is; put it into the folder "
        "of that student under submitted/ (participants 103)."
    )
    assert "103" not in refused.reason


def test_work_of_the_group_of_those_in_none_is_named_without_a_worksheet(course, bring):
    collected = bring({f"{NO_TEAM}/sums.ipynb": "S"})
    assert "the worksheet tells who" in collected.ignored[0].reason
    assert collected.submissions == ()


def test_group_that_the_worksheet_does_not_name_is_no_student(course, bring):
    files_in = {"Team B_7002_assignsubmission_file/sums.ipynb": "S", f"{TEAM}/sums.ipynb": "T"}
    collected = bring(files_in, GROUPS)
    assert {path.name for path in course.submitted.iterdir()} == {"101", "102"}
    assert "the worksheet does not name" in collected.ignored[0].reason
    assert collected.ignored[0].name == "Team B/sums.ipynb"


@pytest.mark.parametrize(
    ("files_in", "groups"),
    [
        ({f"{TEAM}/a": "1", f"{TEAM.replace('7001', '7002')}/a": "2"}, GROUPS),
        ({f"{TEAM}/a": "1"}, GROUPS | {"104": "Team A/ the first"}),
    ],
)
def test_work_of_one_group_never_goes_to_another_of_that_name(course, bring, files_in, groups):
    collected = bring(files_in, groups)
    assert not course.submitted.exists()
    assert all("two groups of this name" in refused.reason for refused in collected.ignored)
    assert len(collected.ignored) == len(files_in)


def test_without_a_worksheet_a_sentence_tells_of_groups(bring):
    assert "the number of a group cannot be told" in bring({f"{ALONE}/a": ""}).notes[0]
    assert bring({f"{ALONE}/a": ""}, {"101": ""}).notes == ()


@pytest.mark.parametrize("form", [f"{TEXT}/", f"{TEXT}_/", f"{TEXT}_"])
def test_online_text_is_kept_beside_the_files_and_never_graded(released, tmp_path, form):
    bring = bringer(released, tmp_path)
    sums = {letter: answer(released, "sums", {"add": f"add = '{letter}'"}) for letter in "ab"}
    (submission,) = bring(
        {
            f"{form}onlinetext.html": "<p>T</p>",
            f"{form}sums.ipynb": sums["a"],
            f"{ALONE}/sums.ipynb": sums["b"],
        }
    ).submissions
    assert files(released) == {
        "101/.onlinetext/onlinetext.html": "<p>T</p>",
        "101/.onlinetext/sums.ipynb": sums["a"],
        "101/sums.ipynb": sums["b"],
    }
    assert (submission.notebooks, submission.unclear) == (("sums",), ())
    assert submission.told == ("There is an online text too, in .onlinetext; it is not graded.",)


def test_online_text_alone_is_a_submission_without_notebooks(course, bring):
    (submission,) = bring({f"{TEXT}/onlinetext.html": "T"}).submissions
    assert (submission.notebooks, submission.missing) == ((), ("products", "sums"))
    assert files(course) == {"101/.onlinetext/onlinetext.html": "T"}
