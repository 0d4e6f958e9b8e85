"""Collecting again: what is newer comes in, what was graded or is newer stays, and it is told."""

import os

import pytest

from coursekit.grading.todo import fingerprint
from coursekit.mycourses.collect import collect

from ..conftest import pack_download

FOLDER = "Aino Esimerkki_101_assignsubmission_file"
HEADER = "Identifier,Full name,Last modified (submission)"
NOON, ONE = ('"Thursday, 19 November 2026, 12:00 PM"', '"Thursday, 19 November 2026, 1:00 PM"')


@pytest.fixture
def bring(course, tmp_path):
    """Collect the files of one student, handed in at a time; returns the submission."""

    def collect_files(files, time=None, patch=lambda raw: raw):
        path, sheet = tmp_path / "download.zip", None
        raw = pack_download({f"{FOLDER}/{name}": files[name] for name in files})
        path.write_bytes(patch(raw))
        if time is not None:
            sheet = tmp_path / "worksheet.csv"
            sheet.write_text(f"{HEADER}\nParticipant 101,Aino,{time}\n", encoding="utf-8-sig")
        (submission,) = collect(course, "round", path, sheet).submissions
        return submission

    return collect_files


@pytest.fixture
def work(course):
    return course.submitted / "101" / "round"


def contents(work):
    return {path.name: path.read_text() for path in work.rglob("*") if path.is_file()}


def test_newer_work_comes_in_and_says_which_files_differ(bring, work):
    bring({"sums.ipynb": "1", "old.pdf": "", "same.pdf": "S"}, NOON)
    submission = bring({"sums.ipynb": "2", "new.pdf": "", "same.pdf": "S"}, ONE)
    assert submission.change == "changed"
    assert submission.files == ("new.pdf", "old.pdf", "sums.ipynb")
    assert contents(work) == {
        "sums.ipynb": "2",
        "new.pdf": "",
        "same.pdf": "S",
        "timestamp.txt": "2026-11-19 11:00:00 UTC\n",
    }


def test_older_download_does_not_replace_newer_work(bring, work):
    bring({"sums.ipynb": "newer"}, ONE)
    submission = bring({"sums.ipynb": "older", "extra.pdf": ""}, NOON)
    assert submission.change == "older"
    assert submission.files == ("extra.pdf", "sums.ipynb")
    assert "was handed in later than this download tells and stays" in submission.told[-1]
    assert contents(work) == {
        "sums.ipynb": "newer",
        "timestamp.txt": "2026-11-19 11:00:00 UTC\n",
    }
    assert [path.name for path in work.parent.iterdir()] == ["round"]


def test_work_of_unknown_time_does_not_replace_work_of_a_known_time(bring, work):
    bring({"sums.ipynb": "perhaps newer"}, NOON)
    for time in (None, "-"):  # no worksheet, and one that tells no time
        submission = bring({"sums.ipynb": "perhaps older", "extra.pdf": ""}, time)
        assert (submission.change, submission.files) == ("undated", ("extra.pdf", "sums.ipynb"))
        assert "collect again with --worksheet" in submission.told[-1]
        assert contents(work) == {
            "sums.ipynb": "perhaps newer",
            "timestamp.txt": "2026-11-19 10:00:00 UTC\n",
        }
    assert bring({"sums.ipynb": "newer"}, ONE).change == "changed"


def test_work_of_unknown_time_replaces_work_of_unknown_time(bring, work):
    bring({"sums.ipynb": "1"})
    assert bring({"sums.ipynb": "2"}).change == "changed"
    assert contents(work) == {"sums.ipynb": "2"}


def test_older_work_comes_in_when_the_folder_was_removed(bring, work):
    bring({"sums.ipynb": "newer"}, ONE)
    for path in work.iterdir():
        path.unlink()
    work.rmdir()
    assert bring({"sums.ipynb": "older"}, NOON).change == "new"


def test_the_same_work_takes_another_time_earlier_too(bring, work):
    bring({"sums.ipynb": "S"}, ONE)
    submission = bring({"sums.ipynb": "S"}, NOON)
    assert (submission.change, submission.files) == ("changed", ())
    assert contents(work)["timestamp.txt"] == "2026-11-19 10:00:00 UTC\n"


def test_the_same_work_and_time_as_nbgrader_writes_them_are_unchanged(bring, work):
    bring({"sums.ipynb": "S"}, NOON)
    (work / "timestamp.txt").write_text("2026-11-19 10:00:00")
    before = fingerprint(work)
    assert bring({"sums.ipynb": "S"}, NOON).change == "unchanged"
    bring({"sums.ipynb": "S", "scan.pdf": ""}, NOON)
    (work / "scan.pdf").unlink()
    assert fingerprint(work) == before


@pytest.mark.parametrize("told", ["nonsense", ""])
def test_time_that_cannot_be_read_keeps_no_work_out(bring, work, told):
    bring({"sums.ipynb": "1"}, ONE)
    (work / "timestamp.txt").write_text(told)
    assert bring({"sums.ipynb": "2"}, NOON).change == "changed"
    assert contents(work)["sums.ipynb"] == "2"


def test_other_work_of_the_same_minute_comes_in(bring, work):
    bring({"sums.ipynb": "1"}, NOON)
    assert bring({"sums.ipynb": "2"}, NOON).change == "changed"
    assert contents(work)["sums.ipynb"] == "2"


def test_graded_student_whose_work_changed_is_told_and_the_grading_stays(course, bring):
    bring({"sums.ipynb": "1"}, NOON)
    graded = course.autograded / "101" / "round" / "sums.ipynb"
    graded.parent.mkdir(parents=True)
    graded.write_text("graded")
    assert "graded" not in " ".join(bring({"sums.ipynb": "1"}, NOON).told)
    submission = bring({"sums.ipynb": "2"}, ONE)
    assert submission.told == (
        "It was graded before it changed; the points stay until coursekit grade is run.",
    )
    assert graded.read_text() == "graded"


def test_students_that_are_not_in_the_download_keep_their_work(course, bring):
    other = course.submitted / "999" / "round" / "sums.ipynb"
    other.parent.mkdir(parents=True)
    other.write_text("by hand")
    bring({"sums.ipynb": "1"}, NOON)
    assert other.read_text() == "by hand"


def test_change_beside_the_graded_files_does_not_make_grading_necessary(bring, work):
    bring({"sums.ipynb": "1"}, NOON)
    for path in work.iterdir():
        os.utime(path, (1, 1))
    before = fingerprint(work)
    assert bring({"sums.ipynb": "1", ".onlinetext/a.html": "T"}, NOON).files == (
        ".onlinetext/a.html",
    )
    assert contents(work)["a.html"] == "T"
    assert fingerprint(work) == before


def test_file_that_is_damaged_now_stays_as_it_was(bring, work):
    bring({"sums.ipynb": "WORK", "scan.pdf": "1"}, NOON)
    submission = bring(
        {"sums.ipynb": "WORK", "scan.pdf": "2"}, ONE, lambda raw: raw.replace(b"WORK", b"XXXX", 1)
    )
    assert contents(work)["sums.ipynb"] == "WORK"
    assert (submission.change, submission.files) == ("changed", ("scan.pdf",))
    assert submission.told == ("'sums.ipynb' stays as it was collected before.",)


def locked(raw):
    """Set the mark of a password on the first file of a zip."""
    raw = bytearray(raw)
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.index(header) + flags] |= 1
    return bytes(raw)


def test_file_that_is_refused_now_stays_as_it_was(bring, work):
    bring({"sums.ipynb": "1", "scan.pdf": "S"}, NOON)
    submission = bring({"sums.ipynb": "2", "scan.pdf": "T"}, ONE, patch=locked)
    assert contents(work)["sums.ipynb"] == "1"
    assert contents(work)["scan.pdf"] == "T"
    assert "'sums.ipynb' stays as it was collected before." in submission.told


def test_student_of_whom_all_is_refused_is_named_and_gets_no_empty_folder(course, bring, work):
    submission = bring({"sums.ipynb": "1"}, NOON, patch=locked)
    assert (submission.change, submission.missing) == ("refused", ())
    assert "nothing was written" in submission.unclear[-1]
    assert not work.parent.exists()


def test_student_of_whom_all_is_refused_now_keeps_what_is_there(bring, work):
    bring({"sums.ipynb": "1"}, NOON)
    submission = bring({"products.ipynb": "2"}, ONE, patch=locked)
    assert submission.change == "refused"
    assert contents(work)["sums.ipynb"] == "1"
