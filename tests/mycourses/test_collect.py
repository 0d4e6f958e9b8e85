import os
import stat
import zipfile

import pytest

from coursekit.errors import KitError
from coursekit.mycourses import owners
from coursekit.mycourses.collect import collect
from coursekit.mycourses.download import DownloadError

from ..conftest import answer, pack_download

FOLDER = "Aino Esimerkki_101_assignsubmission_file"
WORKSHEET = """\ufeffIdentifier,"Full name","Email address","ID number","Last modified (submission)"
"Participant 101","Aino Esimerkki",aino@example.invalid,K1,"Thursday, 19 November 2026, 12:30 PM"
"Participant 102","Aino Esimerkki",other@example.invalid,K2,-
"""


@pytest.fixture
def bring(course, tmp_path):
    """Pack files into a download and collect it in a course without a release."""
    return collector(course, tmp_path)


@pytest.fixture
def hand_in(released, tmp_path):
    """Let one student hand in files of a release; returns the submission."""
    bring = collector(released, tmp_path)

    def collect_files(files):
        (submission,) = bring({f"{FOLDER}/{name}": files[name] for name in files}).submissions
        return submission

    return collect_files


def collector(course, tmp_path):
    def collect_files(files, worksheet=None):
        path = tmp_path / "download.zip"
        path.write_bytes(pack_download(files))
        return collect(course, "round", path, worksheet)

    return collect_files


@pytest.fixture
def worksheet(tmp_path):
    path = tmp_path / "worksheet.csv"
    path.write_text(WORKSHEET, encoding="utf-8")
    return path


def collected_files(course, student="101"):
    folder = course.submitted / student / "round"
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def answers(course, **given):
    """Return the text of sums.ipynb with answers by grade id."""
    return answer(course, "sums", given)


def reasons(collected):
    return {ignored.name: ignored.reason for ignored in collected.ignored}


@pytest.mark.parametrize(
    "prefix",
    [
        f"{FOLDER}/",
        f"{FOLDER}_/",
        f"{FOLDER}_",
        "Participant_101_assignsubmission_file/",
        "小龙 李_101_assignsubmission_file/",
        "Häme, Jr._101_assignsubmission_file/",
    ],
)
def test_forms_of_folder_names(course, bring, prefix):
    collected = bring({f"{prefix}sums.ipynb": "S", f"{prefix}scan.pdf": "P"})
    assert collected_files(course) == {"sums.ipynb": "S", "scan.pdf": "P"}
    (submission,) = collected.submissions
    assert (submission.student, submission.change) == ("101", "new")
    assert submission.notebooks == ("sums",)
    assert submission.missing == ("products",)


def test_students_of_one_name_stay_apart(course, bring):
    bring({f"{FOLDER}/sums.ipynb": "1", f"{FOLDER.replace('101', '102')}/sums.ipynb": "2"})
    assert collected_files(course, "101") == {"sums.ipynb": "1"}
    assert collected_files(course, "102") == {"sums.ipynb": "2"}


def test_student_cannot_choose_another_number_by_a_file_name(course, bring):
    bring({f"{FOLDER}/x_102_assignsubmission_file/sums.ipynb": "S"})
    assert not (course.submitted / "102").exists()
    assert collected_files(course) == {"x_102_assignsubmission_file/sums.ipynb": "S"}


def test_every_file_keeps_its_name_and_its_place(course, bring):
    files = {
        "sums.ipynb": "1",
        "old/sums.ipynb": "2",
        "old/older/sums.ipynb": "3",
        "sums (1).ipynb": "4",
        "Summe.IPYNB": "5",
        "work/drawing.png": "6",
        "work.zip": "7",
        "work/timestamp.txt": "8",
        ".ipynb_checkpoints/sums-checkpoint.ipynb": "9",
    }
    collected = bring({f"{FOLDER}/{name}": content for name, content in files.items()})
    assert collected.ignored == ()
    assert collected_files(course) == files


@pytest.mark.parametrize("name", ["sums.ipynb", "a/b/sums.ipynb"])
def test_without_a_release_notebooks_are_known_by_their_names(bring, name):
    (submission,) = bring({f"{FOLDER}/{name}": "S", f"{FOLDER}/product.ipynb": "P"}).submissions
    assert (submission.notebooks, submission.missing) == (("sums",), ("products",))
    assert (submission.unclear, submission.told) == ((), ())


def test_notebooks_with_the_right_names_are_found_without_a_word(released, hand_in):
    products = answer(released, "products", {})
    submission = hand_in({"sums.ipynb": answers(released), "products.ipynb": products})
    assert submission.notebooks == ("products", "sums")
    assert (submission.missing, submission.unclear, submission.told) == ((), (), ())


@pytest.mark.parametrize("name", ["homework/sums (1).ipynb", "work.zip", "products.ipynb"])
def test_notebook_is_found_under_another_name(released, hand_in, name):
    content, path = answers(released, add="add = sum"), name
    if name == "work.zip":
        content, path = pack_download({"a/mine.ipynb": content}), "work.zip/a/mine.ipynb"
    submission = hand_in({name: content})
    assert (submission.notebooks, submission.missing) == (("sums",), ("products",))
    assert submission.told == (f"sums.ipynb was found as {path}.",)


def test_notebook_of_which_there_are_two_is_unclear(released, hand_in):
    files = {name: answers(released, add=f"add = {name!r}") for name in ("sums.ipynb", "v2.ipynb")}
    submission = hand_in(files)
    assert (submission.notebooks, submission.missing) == ((), ("products",))
    assert submission.unclear == (
        "It is not plain which of sums.ipynb and v2.ipynb is sums.ipynb: they differ in add; "
        "keep only the one that counts in submitted/101/round.",
    )


def test_what_is_unclear_of_all_notebooks_is_told_once(hand_in):
    submission = hand_in({"scan.pdf": "P"})
    assert submission.missing == ()
    assert submission.unclear == (
        "There is no notebook, only a PDF: scan.pdf; put the file that the student sends into "
        "submitted/101/round, or remove scan.pdf there to give 0 points.",
    )


def test_unchanged_work_is_looked_at_again(released, hand_in):
    files = {"v2.ipynb": answers(released), "draft.ipynb": "{"}
    first, again = hand_in(files), hand_in(files)
    assert (first.change, again.change) == ("new", "unchanged")
    assert first.unclear
    assert again.unclear == first.unclear
    assert again.told == first.told


def test_release_that_cannot_be_read_is_told_and_nothing_is_written(released, hand_in):
    (released.release / "round" / "products.ipynb").unlink()
    with pytest.raises(KitError, match="run: coursekit release round"):
        hand_in({"sums.ipynb": "S"})
    assert not released.submitted.exists()


@pytest.mark.parametrize("name", ["timestamp.txt", "TimeStamp.TXT", "timestamp.txt/sums.ipynb"])
def test_student_cannot_forge_the_time_of_submission(course, bring, worksheet, name):
    files = {f"{FOLDER}/sums.ipynb": "S", f"{FOLDER}/{name}": "2020-01-01"}
    collected = bring(files)
    assert collected_files(course) == {"sums.ipynb": "S"}
    assert "MyCourses alone" in reasons(collected)[name]
    bring(files, worksheet)
    assert collected_files(course)["timestamp.txt"] == "2026-11-19 10:30:00 UTC\n"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (f"{FOLDER}/../../../evil.txt", "leads out"),
        (f"{FOLDER}/a/./evil.txt", "leads out"),
        (f"{FOLDER}//evil.txt", "leads out"),
        (f"/{FOLDER}/evil.txt", "whole disk"),
        (f"{FOLDER}/C:/evil.txt", "whole disk"),
        (f"{FOLDER}/..\\..\\evil.txt", "whole disk"),
        (f"{FOLDER}/evil\n.txt", "control character"),
        (f"{FOLDER}/{'e' * 201}", "longer than 200 bytes"),
        (f"{FOLDER}/{'e/' * 3000}evil.txt", "longer than 500 bytes"),
        (f"{FOLDER}/evil\u0085.txt", "control character"),
        ("readme.txt", "no participant number"),
        ("A_101_assignsubmission_comments/evil.html", "no participant number"),
    ],
)
def test_unsafe_or_foreign_entry_is_refused_and_the_rest_goes_on(
    course, bring, tmp_path, name, reason
):
    collected = bring({name: "evil", f"{FOLDER}/sums.ipynb": "S"})
    assert [reason in ignored.reason for ignored in collected.ignored] == [True]
    assert collected_files(course) == {"sums.ipynb": "S"}
    assert not list(tmp_path.rglob("evil*"))


def entry(name, **attributes):
    info = zipfile.ZipInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"external_attr": (stat.S_IFLNK | 0o777) << 16}, "a link or a device"),
        ({"external_attr": (stat.S_IFIFO | 0o600) << 16}, "a link or a device"),
        ({"compress_type": zipfile.ZIP_LZMA}, "packed in a way"),
    ],
)
def test_links_and_odd_entries_are_refused(course, bring, attributes, reason):
    collected = bring({entry(f"{FOLDER}/odd", **attributes): "x", f"{FOLDER}/sums.ipynb": "S"})
    assert reason in reasons(collected)["odd"]
    assert collected_files(course) == {"sums.ipynb": "S"}


def patched_download(tmp_path, position, old, new):
    """Return a download whose bytes `old` near a mark of the zip format are replaced."""
    path = tmp_path / "patched.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{FOLDER}/sums.ipynb", "SUMS-CONTENT")
        archive.writestr(f"{FOLDER}/scan.pdf", "SCAN")
    raw = path.read_bytes()
    start = raw.index(position)
    path.write_bytes(raw[:start] + raw[start:].replace(old, new, 1))
    return path


def test_locked_entry_is_refused(course, tmp_path):
    # The flags stand 8 bytes into an entry of the central directory.
    path = patched_download(tmp_path, b"PK\x01\x02", b"\x14\x00\x00\x00", b"\x14\x00\x01\x00")
    collected = collect(course, "round", path)
    assert reasons(collected) == {"sums.ipynb": "it is locked with a password"}
    assert collected_files(course) == {"scan.pdf": "SCAN"}


def test_damaged_entry_is_refused_and_the_rest_goes_on(course, tmp_path):
    path = patched_download(tmp_path, b"SUMS", b"SUMS", b"XXXX")
    collected = collect(course, "round", path)
    assert reasons(collected) == {"sums.ipynb": "damaged in the zip"}
    assert collected_files(course) == {"scan.pdf": "SCAN"}


@pytest.mark.parametrize(("flags", "word"), [(b"\x20\x00", "patched"), (b"\x40\x00", "encryption")])
def test_entry_that_cannot_be_unpacked_is_refused_and_the_rest_goes_on(
    course, tmp_path, flags, word
):
    old = b"\x14\x00\x00\x00"
    path = patched_download(tmp_path, b"PK\x01\x02", old, old[:2] + flags)
    collected = collect(course, "round", path)
    assert reasons(collected)["sums.ipynb"].startswith("it cannot be unpacked: ")
    assert word in reasons(collected)["sums.ipynb"]
    assert collected_files(course) == {"scan.pdf": "SCAN"}


def test_entry_whose_name_is_no_text_is_refused_and_the_rest_goes_on(course, tmp_path):
    # In the entry's own header: the flag of a name in UTF-8, and a name that is none.
    path = patched_download(tmp_path, b"PK\x03\x04", b"\x14\x00\x00\x00", b"\x14\x00\x00\x08")
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"Aino", b"\xffino", 1))
    collected = collect(course, "round", path)
    assert reasons(collected) == {"sums.ipynb": "damaged in the zip"}
    assert collected_files(course) == {"scan.pdf": "SCAN"}


def test_zip_of_an_unknown_version_is_refused(course, tmp_path):
    old = b"PK\x01\x02\x14\x03\x14"
    path = patched_download(tmp_path, b"PK\x01\x02", old, old[:-1] + b"\x70")
    with pytest.raises(DownloadError, match="is not a zip, or only a part"):
        collect(course, "round", path)


def test_too_much_from_one_student_is_refused(course, bring, monkeypatch):
    monkeypatch.setattr(owners, "MOST_PER_STUDENT", 5)
    collected = bring({f"{FOLDER}/sums.ipynb": "1234", f"{FOLDER}/big.bin": "12"})
    assert "MB from one student" in reasons(collected)["big.bin"]
    assert collected_files(course) == {"sums.ipynb": "1234"}


def test_file_and_folder_of_one_name_do_not_clash(course, bring):
    collected = bring({f"{FOLDER}/a": "file", f"{FOLDER}/a/b.txt": "inside"})
    assert collected_files(course) == {"a": "file"}
    assert "a file and a folder" in reasons(collected)["a/b.txt"]


def test_files_are_readable_by_their_owner_only(course, bring, worksheet):
    bring({f"{FOLDER}/work/scan.pdf": "P", f"{FOLDER}/sums.ipynb": "S"}, worksheet)
    modes = {path: path.stat().st_mode & 0o777 for path in course.submitted.rglob("*")}
    assert modes
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items())


def test_collecting_again_says_what_changed(course, bring):
    other = FOLDER.replace("101", "102")
    bring({f"{FOLDER}/sums.ipynb": "1", f"{FOLDER}/old.pdf": "", f"{other}/sums.ipynb": "1"})
    inode = (course.submitted / "102" / "round").stat().st_ino
    collected = bring({f"{FOLDER}/sums.ipynb": "2", f"{other}/sums.ipynb": "1"})
    assert [submission.change for submission in collected.submissions] == ["changed", "unchanged"]
    assert collected_files(course) == {"sums.ipynb": "2"}
    assert (course.submitted / "102" / "round").stat().st_ino == inode
    assert [path.name for path in (course.submitted / "101").iterdir()] == ["round"]


@pytest.mark.parametrize("problem", [OSError(28, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", [1, 2])
def test_earlier_work_survives_a_collection_that_fails(course, bring, monkeypatch, problem, step):
    bring({f"{FOLDER}/sums.ipynb": "old"})
    rename, calls = os.rename, []

    def failing(source, target):
        calls.append(source)
        if len(calls) == step:
            raise problem
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(type(problem)):
        bring({f"{FOLDER}/sums.ipynb": "new"})
    assert collected_files(course) == {"sums.ipynb": "old"}
    assert [path.name for path in (course.submitted / "101").iterdir()] == ["round"]


def test_earlier_work_that_cannot_be_put_back_is_not_deleted(course, bring, monkeypatch):
    bring({f"{FOLDER}/sums.ipynb": "old"})
    rename = os.rename

    def failing(source, target):
        if source.name != "round":
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="Input/output error"):
        bring({f"{FOLDER}/sums.ipynb": "new"})
    (kept,) = (course.submitted / "101").glob(".collecting-round/old/sums.ipynb")
    assert kept.read_text() == "old"
    monkeypatch.undo()
    other = FOLDER.replace("101", "102")
    assert bring({f"{other}/sums.ipynb": "S"}).staying == ("101",)
    assert collected_files(course) == {"sums.ipynb": "old"}
    assert [path.name for path in (course.submitted / "101").iterdir()] == ["round"]


def test_worksheet_gives_times_in_utc_and_who_is_absent(course, bring, worksheet):
    collected = bring({f"{FOLDER}/sums.ipynb": "S"}, worksheet)
    assert collected_files(course)["timestamp.txt"] == "2026-11-19 10:30:00 UTC\n"
    assert course.directory().get_existing_timestamp(
        str(course.submitted / "101" / "round")
    ).isoformat() == ("2026-11-19T10:30:00")
    assert collected.absent == ("102",)
    assert collected.unknown == ()


def test_student_outside_the_worksheet_is_collected_and_named(course, bring, worksheet):
    newcomer = "New Comer_999_assignsubmission_file"
    collected = bring({f"{newcomer}/sums.ipynb": "S", f"{FOLDER}/sums.ipynb": "S"}, worksheet)
    assert collected.unknown == ("999",)
    assert collected_files(course, "999") == {"sums.ipynb": "S"}


def test_worksheet_fills_the_roster(course, bring, worksheet):
    bring({f"{FOLDER}/sums.ipynb": "S"}, worksheet)
    with course.gradebook() as gradebook:
        students = {student.id: student.to_dict() for student in gradebook.students}
    assert set(students) == {"101", "102"}
    assert students["102"]["first_name"] == "Aino"
    assert students["102"]["last_name"] == "Esimerkki"
    assert students["102"]["email"] == "other@example.invalid"
    assert students["102"]["lms_user_id"] == "K2"


def test_known_time_stays_with_unchanged_work(course, bring, worksheet):
    bring({f"{FOLDER}/sums.ipynb": "S"}, worksheet)
    (again,) = bring({f"{FOLDER}/sums.ipynb": "S"}).submissions
    assert again.change == "unchanged"
    assert collected_files(course)["timestamp.txt"] == "2026-11-19 10:30:00 UTC\n"


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_file_that_is_no_zip_is_refused(course, tmp_path, content):
    path = tmp_path / "download.zip"
    path.write_bytes(content)
    with pytest.raises(DownloadError, match="is not a zip, or only a part"):
        collect(course, "round", path)


def test_zip_of_something_else_is_refused(course, bring):
    with pytest.raises(DownloadError, match="Download all submissions"):
        bring({"sums.ipynb": "S"})
    assert not course.submitted.exists()
