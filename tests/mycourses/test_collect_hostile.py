"""Archives that mean harm: the entry is refused with a sentence, and the rest goes on."""

import io
import stat
import struct
import tracemalloc
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coursekit.grading.finding import NEEDS_PERSON, find_notebooks
from coursekit.grading.released import released_notebooks
from coursekit.mycourses import collect as collecting
from coursekit.mycourses import download as downloading
from coursekit.mycourses import owners
from coursekit.mycourses.collect import collect
from coursekit.mycourses.download import DownloadError
from coursekit.mycourses.entries import folded

from ..conftest import pack_download

FOLDER = "Aino Esimerkki_101_assignsubmission_file"
OTHER = "Väinö Toinen_102_assignsubmission_file"
GOOD = {f"{FOLDER}/good.ipynb": b"G", f"{OTHER}/good.ipynb": b"H"}
ODD = f"{FOLDER}/odd.bin"


@dataclass
class Raw:
    """One entry as it is written byte by byte, so that each field can lie."""

    name: bytes
    data: bytes = b"odd"
    flags: int = 0x800  # the name is UTF-8
    method: int = 0
    local_name: bytes | None = None
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    offset: int | None = None
    extra: bytes = b""
    attributes: int = 0o100600 << 16
    local: bool = True
    version: int = 20


def raw_zip(entries):
    """Write a zip of `Raw` entries, with the good ones first."""
    entries = [Raw(name.encode(), data) for name, data in GOOD.items()] + entries
    body, listed = b"", b""
    for entry in entries:
        packed = entry.data
        if entry.method == zipfile.ZIP_DEFLATED:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = packer.compress(entry.data) + packer.flush()
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        size = len(entry.data) if entry.size is None else entry.size
        packed_size = len(packed) if entry.packed_size is None else entry.packed_size
        fields = (entry.flags, entry.method, 0, 33, crc, packed_size, size)
        offset = len(body) if entry.offset is None else entry.offset
        name = entry.name if entry.local_name is None else entry.local_name
        if entry.local:
            body += b"PK\x03\x04" + struct.pack("<5H3I2H", 20, *fields, len(name), 0) + name
            body += packed
        listed += b"PK\x01\x02" + struct.pack("<B B 5H3I", 20, 3, entry.version, *fields)
        listed += struct.pack("<5H", len(entry.name), len(entry.extra), 0, 0, 0)
        listed += struct.pack("<2I", entry.attributes, offset) + entry.name + entry.extra
    end = struct.pack("<4H2IH", 0, 0, len(entries), len(entries), len(listed), len(body), 0)
    return body + listed + b"PK\x05\x06" + end


def odd(**fields):
    return raw_zip([Raw(ODD.encode(), **fields)])


def named(name, data=b"evil"):
    return raw_zip([Raw(name if isinstance(name, bytes) else name.encode(), data)])


def zip64(*numbers):
    """Return the extra field in which a zip64 gives sizes and an offset."""
    return struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


def overlapping():
    """Return two entries of which one holds the other (as in Fifield's bomb)."""
    inner = Raw(f"{FOLDER}/inner.bin".encode(), b"kernel")
    outer = Raw(ODD.encode(), b"", packed_size=30 + len(inner.name) + 6, size=30, crc=0)
    return raw_zip([outer, inner])


def quoted():
    """An entry whose record points at the bytes of another one."""
    return raw_zip([Raw(ODD.encode(), local=False, offset=0, data=b"G")])


MANY = 2**32 - 1
GOOD_BYTES = sum(30 + len(name.encode()) + len(data) for name, data in GOOD.items())

# What is hostile, the archive, and a word of the sentence that refuses it.
ARCHIVES = {
    "up": (named(f"{FOLDER}/../../../evil"), "leads out"),
    "up at the end": (named(f"{FOLDER}/a/.."), "leads out"),
    "up in the flat form": (named(f"{FOLDER}_../evil"), "leads out|no participant"),
    "up in front": (named(f"../{FOLDER}/evil"), "leads out"),
    "whole disk": (named("/etc/evil"), "whole disk"),
    "whole disk inside": (named(f"{FOLDER}//etc/evil"), "leads out"),
    "Windows disk": (named(f"{FOLDER}/C:/evil"), "whole disk"),
    "Windows share": (named(f"\\\\server\\{FOLDER}/evil"), "whole disk"),
    "Windows up": (named(f"{FOLDER}/..\\..\\evil"), "whole disk"),
    "another student's folder": (named(f"{FOLDER}/../{OTHER}/good.ipynb"), "leads out"),
    "time forged": (named(f"{FOLDER}/timestamp.txt"), "MyCourses alone"),
    "time forged, other letters": (named(f"{FOLDER}/TIME\u017ftamp.txt. "), "MyCourses alone"),
    "time forged, flat": (named(f"{FOLDER}_timestamp.txt"), "MyCourses alone"),
    "NUL": (named(f"{FOLDER}/evil.ipynb\0.pdf"), "control character"),
    "terminal": (named(f"{FOLDER}/\x1b[2Jevil"), "control character"),
    "C1 terminal": (named(f"{FOLDER}/\u009b2Jevil"), "control character"),
    "newline": (named(f"{FOLDER}/evil\n102: fine"), "control character"),
    "long name": (named(f"{FOLDER}/{'ä' * 101}"), "longer than 200 bytes"),
    "long path": (named(f"{FOLDER}/{'e/' * 300}evil"), "longer than 500 bytes"),
    "very long path": (named(f"{FOLDER}/{'e/' * 30000}evil"), "longer than 500 bytes"),
    "folder with bytes": (named(f"{FOLDER}/evil/"), "a folder that holds bytes"),
    "symbolic link": (odd(attributes=(stat.S_IFLNK | 0o777) << 16), "a link"),
    "device": (odd(attributes=(stat.S_IFBLK | 0o666) << 16), "a link or a device"),
    "pipe": (odd(attributes=(stat.S_IFIFO | 0o666) << 16), "a link or a device"),
    "locked": (odd(flags=0x801), "password"),
    "locked strongly": (odd(flags=0x840), "cannot be unpacked"),
    "patch": (odd(flags=0x820), "cannot be unpacked"),
    "method not there": (odd(method=99), "MyCourses does not use"),
    "method bzip2": (odd(method=12), "MyCourses does not use"),
    "bomb": (odd(data=bytes(30 << 20), method=8), "more tightly"),
    "bomb that tells a small size": (odd(data=bytes(30 << 20), method=8, size=5), "damaged"),
    "smaller than told": (odd(size=3000, packed_size=3), "less than it says|damaged"),
    "smaller than told, packed": (odd(method=8, size=3000), "less than it says"),
    "wrong sum": (odd(crc=1), "damaged"),
    "not packed as told": (odd(method=8, packed_size=3, crc=7), "damaged|holds less"),
    "other name in front": (odd(local_name=f"{OTHER}/odd.bin".encode()), "damaged"),
    "bytes of another": (quoted(), "damaged|another file"),
    "overlap": (overlapping(), "another file"),
    "beyond the end": (odd(offset=2**31), "damaged"),
    "not at an entry": (odd(offset=GOOD_BYTES + 3), "damaged"),
    "zip64 of a huge size": (odd(size=MANY, extra=zip64(2**62)), "MB from one student"),
    "zip64 of the greatest size": (odd(size=MANY, extra=zip64(2**64 - 1)), "MB from one student"),
    "zip64 far away": (odd(offset=MANY, extra=zip64(2**64 - 1)), "damaged"),
    "zip64 far, but not as far": (odd(offset=MANY, extra=zip64(2**62)), "damaged"),
    "listed twice": (raw_zip([Raw(ODD.encode()), Raw(ODD.encode())]), "second file"),
    "file and folder": (
        raw_zip([Raw(ODD.encode()), Raw(f"{ODD}/x".encode())]),
        "a file and a folder",
    ),
    "file and folder, other letters": (
        raw_zip([Raw(f"{FOLDER}/ODD.bin".encode()), Raw(f"{ODD}/x".encode())]),
        "a file and a folder",
    ),
    "of nobody": (named("odd.bin"), "no participant number"),
    "number of other digits": (named("A_١٠١_assignsubmission_file/evil"), "in no group"),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_entry_is_refused_with_a_sentence_and_the_rest_goes_on(course, tmp_path, case):
    archive, reason = ARCHIVES[case]
    before = outside(course, tmp_path)
    collected = bring(course, archive)
    assert collected.ignored
    words = [refused.reason for refused in collected.ignored]
    assert any(part in word for word in words for part in reason.split("|")), words
    assert all(str(refused).isprintable() for refused in collected.ignored)
    kept = files(course)
    assert {kept["101/round/good.ipynb"], kept["102/round/good.ipynb"]} == {b"G", b"H"}
    assert not [name for name in kept if "evil" in name or "timestamp" in name]
    assert set(map(str, before)) == set(map(str, outside(course, tmp_path)))
    assert not [path for path in course.submitted.rglob("*") if path.is_symlink()]
    assert {path.name for path in course.submitted.iterdir()} == {"101", "102"}


def bring(course, archive):
    path = course.root / "download.zip"
    path.write_bytes(archive)
    return collect(course, "round", path)


def files(course):
    top = course.submitted
    return {p.relative_to(top).as_posix(): p.read_bytes() for p in top.rglob("*") if p.is_file()}


def outside(course, tmp_path):
    """List what there is outside submitted/, but for the lock of the course."""
    own = {course.submitted, course.root / "download.zip", course.root / ".coursekit"}
    return {p for p in tmp_path.rglob("*") if own.isdisjoint([p, *p.parents])}


def test_bomb_that_tells_a_small_size_is_not_unpacked_in_memory(course):
    archive = odd(data=bytes(100 << 20), method=8, size=5)
    tracemalloc.start()
    try:
        bring(course, archive)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:-10],
        lambda raw: raw[:-10] + b"\xff\xff\xff\x7f" + raw[-6:],  # how long it is
        lambda raw: raw.replace(b"PK\x01\x02", b"PK\x01\x03"),
        lambda raw: raw.replace("Väinö".encode(), b"V\xff\xff\xff\xff\xff\xff"[:7]),
    ],
)
def test_zip_that_is_damaged_as_a_whole_is_refused(course, damage):
    with pytest.raises(DownloadError, match="is not a zip, or only a part|cannot be read"):
        bring(course, damage(raw_zip([])))
    assert not course.submitted.exists()


def test_too_many_entries_are_refused_before_they_are_read(course, monkeypatch):
    monkeypatch.setattr(downloading, "MOST_ENTRIES", 3)
    assert len(bring(course, raw_zip([Raw(ODD.encode())])).submissions) == 2
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(DownloadError, match="more than 3 files"):
        bring(course, raw_zip([Raw(ODD.encode()), Raw(f"{FOLDER}/x".encode())]))


@pytest.mark.parametrize("kind", ["plain", "zip64"])
def test_what_only_looks_like_an_entry_is_not_counted(course, monkeypatch, kind):
    monkeypatch.setattr(downloading, "MOST_ENTRIES", 3)
    if kind == "zip64":  # as zipfile writes it where there are more than two files
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    inner = b"PK\x01\x02" * 9
    archive = pack_download({**GOOD, ODD: inner})
    assert (b"PK\x06\x06" in archive) == (kind == "zip64")
    bring(course, archive)
    assert files(course)["101/round/odd.bin"] == inner
    with pytest.raises(DownloadError, match="more than 3 files"):
        bring(course, pack_download({**GOOD, ODD: inner, f"{FOLDER}/x": b""}))


def test_too_many_files_of_one_student_are_refused_notebooks_last(course, monkeypatch):
    monkeypatch.setattr(owners, "MOST_FILES", 2)
    names = [f"{FOLDER}/{number}.txt" for number in range(5)]
    collected = bring(course, raw_zip([Raw(name.encode()) for name in names]))
    assert [str(refused) for refused in collected.ignored] == [
        "101: '4 more files' was refused: more than 2 files from one student."
    ]
    assert set(files(course)) == {"101/round/good.ipynb", "101/round/0.txt", "102/round/good.ipynb"}


def test_download_that_would_fill_the_disk_is_refused_before_it_is_unpacked(course, monkeypatch):
    usage = SimpleNamespace(free=1)
    monkeypatch.setattr(collecting.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DownloadError, match="make room and collect again"):
        bring(course, raw_zip([]))
    assert not course.submitted.exists()
    usage.free = 2
    assert len(bring(course, raw_zip([])).submissions) == 2


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        ("sums.ipynb", "Sums.ipynb", "Sums (2).ipynb"),
        ("tehta\u0308va.txt", "teht\u00e4va.txt", "teht\u00e4va (2).txt"),
        ("stra\u00dfe.txt", "STRASSE.txt", "STRASSE (2).txt"),
        ("a/x.txt", "A/x.txt", "A/x (2).txt"),
        ("x.txt", "x.txt. ", "x.txt (2). "),
        ("con.txt", "CON.txt", "CON (2).txt"),
    ],
)
def test_names_that_are_one_on_some_systems_are_both_kept(course, one, other, kept):
    contents = {f"{FOLDER}/{other}": "2", f"{FOLDER}/{one}": "1"}
    (submission,) = bring(course, pack_download(contents)).submissions
    assert files(course) == {f"101/round/{one}": b"1", f"101/round/{kept}": b"2"}
    (told,) = submission.told
    assert "is kept as" in told
    again = dict(reversed(contents.items()))
    assert bring(course, pack_download(again)).submissions[0].change == "unchanged"


def test_names_that_turn_text_around_are_kept_and_printed_harmlessly(course):
    name = "\u202egpj.txt"
    hostile = {f"{FOLDER}/{name}": b"x", f"{FOLDER}/{name}/y": b"y", **GOOD}
    collected = bring(course, pack_download(hostile))
    assert "101/round/\u202egpj.txt" in files(course)
    (refused,) = collected.ignored
    assert "\u202e" not in str(refused)
    assert "\\u202e" in str(refused)


@pytest.mark.parametrize("name", ["CON", "nul.txt", "aux.ipynb", "a?.txt", "*", "-rf", "$(id)"])
def test_names_that_other_systems_reserve_are_kept(course, name):
    bring(course, pack_download({f"{FOLDER}/{name}": "x"}))
    assert files(course) == {f"101/round/{name}": b"x"}


def test_zip_deep_in_other_zips_is_kept_and_not_opened(released):
    inner = pack_download({"sums.ipynb": "{"})
    for level in range(3):
        inner = pack_download({f"{level}.zip": inner})
    (submission,) = bring(released, pack_download({f"{FOLDER}/work.zip": inner})).submissions
    assert files(released)["101/round/work.zip"] == inner
    assert "a zip so deep in other zips is not opened" in " ".join(submission.unclear)
    search = find_notebooks(
        released.submitted / "101" / "round", released_notebooks(released, "round")
    )
    assert {found.status for found in search.values()} == {NEEDS_PERSON}


def test_bomb_inside_a_students_own_zip_is_kept_packed(released):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sums.ipynb", bytes(30 << 20))
    (submission,) = bring(
        released, pack_download({f"{FOLDER}/work.zip": buffer.getvalue()})
    ).submissions
    assert "packed more tightly" in " ".join(submission.unclear)
    assert list(files(released)) == ["101/round/work.zip"]


PARTS = st.one_of(
    st.sampled_from(["..", ".", "", "/", "\\", "C:", "~", "timestamp.txt", "good.ipynb", "round"]),
    st.sampled_from([FOLDER, OTHER, f"{OTHER}_", "x_103_assignsubmission_file", "submitted"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(names=st.lists(st.lists(PARTS, min_size=1, max_size=6).map("/".join), max_size=5))
@example(names=["../../../up", f"{FOLDER}/../../../../up", "/tmp/up"])
def test_nothing_is_ever_written_outside_submitted(course, tmp_path, names):
    before = outside(course, tmp_path)
    raw = []
    for name in names:
        for prefix in ("", f"{FOLDER}/", f"{FOLDER}_"):
            raw.append(Raw(f"{prefix}{name}".encode(), b"odd"))
    collected = bring(course, raw_zip(raw))
    assert outside(course, tmp_path) == before
    assert all(folder.parent == course.submitted for folder in course.submitted.glob("*"))
    assert all(set(p.name) <= set("0123456789") for p in course.submitted.iterdir())
    assert {p.name for p in course.submitted.glob("*/*")} == {"round"}
    for student in course.submitted.iterdir():
        there = [p.relative_to(student) for p in student.rglob("*") if p.is_file()]
        assert len({folded(path) for path in there}) == len(there)
    assert all(str(refused).isprintable() for refused in collected.ignored)
    for student in course.submitted.iterdir():  # the next example begins afresh
        remove(student)


def remove(folder):
    for path in folder.iterdir():
        if path.is_dir():
            remove(path)
        else:
            path.unlink()
    folder.rmdir()


def test_the_archives_hold_more_than_the_good_entries():
    """A case whose archive were empty, or no zip, would prove nothing."""
    assert len(ARCHIVES) >= 25
    for archive, _ in ARCHIVES.values():
        with warnings.catch_warnings(), zipfile.ZipFile(io.BytesIO(archive)) as opened:
            assert len(opened.infolist()) > len(GOOD)
