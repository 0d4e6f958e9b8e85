"""Which file is which notebook: sub-folders, zips, other names, copies, and nothing at all."""

import io
import json
import os
import re
import unicodedata
import warnings
import zipfile
from copy import deepcopy

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coursekit.grading import files
from coursekit.grading.finding import FOUND, MISSING, NEEDS_PERSON, find_notebooks
from coursekit.grading.repair import mend

STUB = "# YOUR CODE HERE\nraise NotImplementedError"


def managed(name, source, solution=False):
    roles = {"grade": not solution, "solution": solution, "locked": not solution}
    nbgrader = {"schema_version": 3, "grade_id": name, "task": False, **roles}
    if not solution:
        nbgrader["points"] = 1
    return new_code_cell(source, id=name, metadata={"nbgrader": nbgrader})


def release(name):
    """Return a notebook with two questions; every notebook has a title and a set-up."""
    cells = [new_markdown_cell("# Round", id="title"), new_code_cell("import math", id="setup")]
    for question in ("a", "b"):
        cells.append(managed(f"{name}-{question}", f"{question} = 0\n{STUB}", solution=True))
        cells.append(managed(f"{name}-{question}-test", f"assert {question}"))
    return new_notebook(cells=cells)


RELEASED = {name: release(name) for name in ("derivation", "training")}


def answered(name, a="a = 1", b=None):
    """Return a notebook as a student hands it in; an answer may be left out."""
    notebook = deepcopy(RELEASED[name])
    for index, source in ((2, a), (4, b)):
        if source is not None:
            notebook.cells[index].source = source
    return nbformat.writes(notebook).encode()


def pack(entries, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content, **options)
    return buffer.getvalue()


def find(folder, handed_in, released=RELEASED):
    for name, content in handed_in.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    found = find_notebooks(folder, released)
    assert list(found) == list(released)
    for name, result in found.items():
        for sentence in (*result.sentences, *result.mended):
            assert sentence.endswith(".")
            assert "\n" not in sentence
        if result.status == FOUND:
            mend(result.notebook, released[name])
        if result.status == NEEDS_PERSON:
            place = "/".join(folder.parts[-3:])
            told = (f"into {place}, or remove .* there to give 0 points", f"counts in {place}")
            assert re.search(rf"({'|'.join(told)})\.$", result.sentences[-1])
        assert (result.notebook is not None) == (result.status == FOUND)
        assert bool(result.path) == (result.status == FOUND)
        assert result.sentences or result.status == FOUND
    return found


def same(found, data):
    return found.notebook == nbformat.reads(data.decode(), as_version=4)


# --- One file for each notebook ---------------------------------------------------------------


def test_notebooks_with_the_right_names_are_found_without_a_word(tmp_path):
    handed_in = {f"{name}.ipynb": answered(name) for name in RELEASED}
    for name, found in find(tmp_path, handed_in).items():
        assert (found.status, found.path, found.sentences) == (FOUND, f"{name}.ipynb", ())
        assert same(found, handed_in[f"{name}.ipynb"])


@pytest.mark.parametrize(
    "path",
    [
        "derivation (1).ipynb",
        "Kopie von derivation.ipynb",
        "final/derivation_v2.ipynb",
        "Derivation.IPYNB",
        "final/derivation.ipynb",
        "a/b/c/d/derivation.ipynb",
        "Lösung Übung 9 – Müller.ipynb",
        "反向傳播.ipynb",
        "[a-z]*(x+)?\\d{2}$^.ipynb",
        "training.ipynb",
        "x" * 200 + ".ipynb",
    ],
)
def test_notebook_is_found_under_another_name_or_in_a_folder(tmp_path, path):
    data = answered("derivation")
    found = find(tmp_path, {path: data})
    assert found["derivation"].status == FOUND
    assert found["derivation"].path == path
    assert found["derivation"].sentences[0].startswith("derivation.ipynb was found as ")
    assert same(found["derivation"], data)
    assert found["training"].status == MISSING
    assert found["training"].sentences == ("training.ipynb was not handed in.",)


def test_names_that_were_exchanged_are_seen_through(tmp_path):
    handed_in = {
        "training.ipynb": answered("derivation"),
        "derivation.ipynb": answered("training"),
    }
    found = find(tmp_path, handed_in)
    assert found["derivation"].path == "training.ipynb"
    assert found["training"].path == "derivation.ipynb"


def test_notebook_without_settings_is_known_by_its_cell_ids(tmp_path):
    notebook = nbformat.reads(answered("derivation").decode(), as_version=4)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
    found = find(tmp_path, {"draft.ipynb": nbformat.writes(notebook).encode()})
    assert found["derivation"].path == "draft.ipynb"


def test_name_decides_where_the_cells_carry_no_ids(tmp_path):
    notebook = nbformat.reads(answered("derivation").decode(), as_version=4)
    for number, cell in enumerate(notebook.cells):
        cell.metadata, cell.id = nbformat.from_dict({}), f"mine-{number}"
    data = nbformat.writes(notebook).encode()
    assert find(tmp_path, {"derivation.ipynb": data})["derivation"].path == "derivation.ipynb"


def test_what_was_mended_on_reading_is_told(tmp_path):
    found = find(tmp_path, {"derivation.ipynb": b"\xef\xbb\xbf" + answered("derivation")})
    assert found["derivation"].sentences == ()
    assert "byte-order mark" in found["derivation"].mended[0]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_umlauts_of_macos_are_the_same_letters(tmp_path, form):
    released = {"übung": RELEASED["derivation"]}
    path = unicodedata.normalize(form, "übung.ipynb")
    found = find(tmp_path, {path: b"{}"}, released)["übung"]
    assert found.status == NEEDS_PERSON
    found = find(tmp_path, {path: answered("derivation")}, released)["übung"]
    assert (found.status, found.sentences) == (FOUND, ())


@pytest.mark.parametrize(
    "student",
    ["Anna Maria", "Jörg Ähtäri", "王小明", "a.*(b)[c]?+^$|{2}\\d", "-rf", "%s {0}", "'\""],
)
def test_student_ids_may_hold_any_characters(tmp_path, student):
    path = "a b/ü [1]*.ipynb"
    found = find(tmp_path / student / "round09", {path: answered("derivation")})
    assert found["derivation"].path == path


def test_file_name_that_is_no_text_is_found(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff\xfe.ipynb"
    with open(path, "wb") as file:
        file.write(answered("derivation"))
    found = find(tmp_path, {})["derivation"]
    assert found.status == FOUND
    found.sentences[0].encode()


@pytest.mark.parametrize(
    "path",
    [
        ".ipynb_checkpoints/derivation-checkpoint.ipynb",
        "work/.ipynb_checkpoints/derivation.ipynb",
        "__MACOSX/derivation.ipynb",
        "__MACOSX/._derivation.ipynb",
        ".derivation.ipynb",
        ".git/derivation.ipynb",
        "derivation.py",
        "derivation.ipynb.txt",
    ],
)
def test_hidden_and_foreign_files_are_passed_over(tmp_path, path):
    data = answered("derivation")
    for handed_in in ({path: data}, {"work.zip": pack({path: data})}):
        assert find(tmp_path, handed_in)["derivation"].status == MISSING


def test_links_are_not_followed(tmp_path):
    (tmp_path / "classmate.ipynb").write_bytes(answered("derivation"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "training.ipynb").write_bytes(answered("training"))
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "derivation.ipynb").symlink_to(tmp_path / "classmate.ipynb")
    (folder / "work").symlink_to(tmp_path / "other")
    os.mkfifo(folder / "pipe.ipynb")
    assert {found.status for found in find(folder, {}).values()} == {MISSING}


# --- Zips -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    ["derivation.ipynb", "work/v2.ipynb", "../../etc/derivation.ipynb", "/derivation.ipynb",
     "work\\derivation.ipynb", "C:\\a\\derivation.ipynb", "./derivation.ipynb"],
)  # fmt: skip
def test_notebook_in_a_zip_is_found_and_nothing_is_written(tmp_path, entry):
    data = answered("derivation")
    folder = tmp_path / "student"
    found = find(folder, {"sub/work.ZIP": pack({entry: data, "notes.txt": b"x"})})["derivation"]
    assert found.status == FOUND
    assert found.path.startswith("sub/work.ZIP/")
    assert "\\" not in found.path
    assert same(found, data)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["work.ZIP"]


def test_notebook_in_a_zip_in_a_zip_is_found(tmp_path):
    inner = pack({"derivation.ipynb": answered("derivation")})
    found = find(tmp_path, {"outer.zip": pack({"inner.zip": inner})})["derivation"]
    assert found.path == "outer.zip/inner.zip/derivation.ipynb"


def nested(data, levels):
    for _ in range(levels):
        data = pack({"deeper.zip": data})
    return data


def encrypted():
    data = bytearray(pack({"derivation.ipynb": answered("derivation")}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def link():
    entry = zipfile.ZipInfo("derivation.ipynb")
    entry.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, "../../other/round09/derivation.ipynb")
    return buffer.getvalue()


def wrong_checksum():
    data = bytearray(pack({"derivation.ipynb": answered("derivation")}))
    data[60] ^= 255
    return bytes(data)


def lying_about_its_size():
    """Say in the list of files that an entry is small."""
    data = bytearray(pack({"derivation.ipynb": b" " * 50_000_000}))
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = (1000).to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("work.zip", b"PK\x03\x04 no more", "the zip is damaged"),
        ("work.zip", b"", "the zip is damaged"),
        ("work.zip", pack({"derivation.ipynb": answered("derivation")})[:-30], "is damaged"),
        ("work.zip", nested(answered("derivation"), 3), "so deep in other zips"),
        ("work.zip", encrypted(), "locked with a password"),
        ("work.zip", link(), "a link"),
        ("work.zip", wrong_checksum(), "damaged in the zip"),
        ("work.zip", lying_about_its_size(), "damaged in the zip"),
        ("work.zip", pack({"derivation.ipynb": b" " * 50_000_000}), "packed more tightly"),
        ("work.zip", pack({f"{n}.txt": b"" for n in range(5001)}), "more than 5000 files"),
        ("work.rar", b"Rar!", "not opened"),
        ("work.tar.gz", b"\x1f\x8b", "not opened"),
        ("work.7z", b"7z", "not opened"),
    ],
)
def test_archive_that_cannot_be_opened_needs_a_person(tmp_path, name, data, reason):
    for found in find(tmp_path, {name: data}).values():
        assert found.status == NEEDS_PERSON
        assert reason in found.sentences[0]
        assert name in found.sentences[0]


def test_archive_that_cannot_be_opened_does_not_matter_where_all_is_found(tmp_path):
    handed_in = {f"{name}.ipynb": answered(name) for name in RELEASED}
    found = find(tmp_path, {**handed_in, "work.rar": b"Rar!"})
    assert {(one.status, one.sentences) for one in found.values()} == {(FOUND, ())}


def test_zips_share_one_limit_of_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 30_000)
    data = answered("derivation") + b" " * 10_000
    zips = {f"{n}.zip": pack({f"{n}.ipynb": data}) for n in range(4)}
    found = find(tmp_path, zips)
    assert found["derivation"].status == FOUND
    assert "more than 0 MB in zips" in found["training"].sentences[0]


def test_file_above_the_limit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    found = find(tmp_path, {"derivation.ipynb": answered("derivation")})["derivation"]
    assert found.status == NEEDS_PERSON
    assert "derivation.ipynb (it has 0 MB, more than 0 MB)" in found.sentences[0]


def test_number_of_notebooks_is_limited(tmp_path):
    handed_in = {f"{n:02}.ipynb": answered("derivation") for n in range(60)}
    found = find(tmp_path, handed_in)
    assert found["derivation"].path == "00.ipynb"
    assert "more than 50 notebooks" in found["training"].sentences[0]


# --- Several files for one notebook -----------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [answered("derivation"), answered("derivation", a=None), answered("derivation", a=" ")],
    ids=["same", "unanswered", "blank"],
)
def test_right_name_wins_over_a_copy_that_says_nothing_more(tmp_path, other):
    own = answered("derivation")
    handed_in = {"derivation.ipynb": own, "derivation (1).ipynb": other}
    found = find(tmp_path, handed_in)["derivation"]
    assert found.path == "derivation.ipynb"
    assert found.sentences == (
        "derivation (1).ipynb has the same answers, or fewer; it was left aside.",
    )


@pytest.mark.parametrize("own", [answered("derivation", a=None), answered("derivation")])
def test_file_with_all_answers_of_the_others_wins(tmp_path, own):
    full = answered("derivation", b="b = 2")
    found = find(tmp_path, {"derivation.ipynb": own, "v2.zip": pack({"v2.ipynb": full})})
    assert found["derivation"].path == "v2.zip/v2.ipynb"
    assert same(found["derivation"], full)
    assert found["derivation"].sentences == (
        "derivation.ipynb was found as v2.zip/v2.ipynb.",
        "derivation.ipynb has the same answers, or fewer; it was left aside.",
    )


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (answered("derivation", a="a = 1"), answered("derivation", a="a = 2"), "derivation-a"),
        (
            answered("derivation", a="a = 1", b=None),
            answered("derivation", a=None, b="b = 1"),
            "derivation-a and derivation-b",
        ),
    ],
)
def test_two_files_with_different_answers_need_a_person(tmp_path, one, other, differ):
    found = find(tmp_path, {"derivation.ipynb": one, "final/derivation.ipynb": other})
    assert found["derivation"].status == NEEDS_PERSON
    assert (
        found["derivation"]
        .sentences[0]
        .startswith(
            "It is not plain which of derivation.ipynb and final/derivation.ipynb is "
            f"derivation.ipynb: they differ in {differ}; keep only the one that counts in "
        )
    )
    assert found["training"].status == MISSING


def test_pictures_of_an_answer_are_a_difference(tmp_path):
    released = {"words": new_notebook(cells=[new_markdown_cell("*Answer*", id="w")])}
    role = {"schema_version": 3, "grade_id": "w", "grade": True, "solution": True, "locked": False}
    released["words"].cells[0].metadata.nbgrader = nbformat.from_dict(role | {"points": 1})
    handed_in = {}
    for name, picture in (("words.ipynb", "AA=="), ("copy.ipynb", "BB==")):
        notebook = deepcopy(released["words"])
        notebook.cells[0].source = "![](attachment:a.png)"
        notebook.cells[0].attachments = {"a.png": {"image/png": picture}}
        handed_in[name] = nbformat.writes(notebook).encode()
    assert find(tmp_path, handed_in, released)["words"].status == NEEDS_PERSON


def test_readable_copy_is_taken_for_a_damaged_file(tmp_path):
    data = answered("derivation")
    found = find(tmp_path, {"derivation.ipynb": data[:200], "copy/derivation.ipynb": data})
    assert found["derivation"].path == "copy/derivation.ipynb"
    assert (
        found["derivation"]
        .sentences[1]
        .startswith("derivation.ipynb cannot be graded and was left aside: The file breaks off")
    )


@pytest.mark.parametrize("a", [None, " "])
def test_copy_without_answers_is_not_taken_for_a_damaged_file(tmp_path, a):
    blank = answered("derivation", a=a)
    found = find(tmp_path, {"derivation.ipynb": b"", "copy/derivation.ipynb": blank})["derivation"]
    assert found.status == NEEDS_PERSON
    assert found.sentences[0].startswith(
        "copy/derivation.ipynb holds no answer, and derivation.ipynb cannot be graded: The file "
        "is empty; put the file "
    )
    assert found.sentences[0].endswith("or remove derivation.ipynb there to give 0 points.")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_in_a_zip_are_two_files(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("derivation.ipynb", answered("derivation", a="a = 1"))
        archive.writestr("derivation.ipynb", answered("derivation", a="a = 2"))
    assert find(tmp_path, {"work.zip": buffer.getvalue()})["derivation"].status == NEEDS_PERSON


# --- Nothing that can be graded ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "derivation.ipynb: The file is empty; "),
        (b"<!DOCTYPE html><html>", "web page"),
        (answered("derivation")[:300], "breaks off"),
        (b"%PDF-1.4", "is a PDF"),
        (nbformat.writes(new_notebook()).encode(), "derivation.ipynb: The notebook has no cell of"),
        (
            nbformat.writes(new_notebook(cells=[new_code_cell("x = 1", id="x")])).encode(),
            "derivation.ipynb: The notebook has no cell of the released one",
        ),
    ],
)
def test_damaged_file_needs_a_person(tmp_path, data, words):
    found = find(tmp_path, {"derivation.ipynb": data})
    assert found["derivation"].status == NEEDS_PERSON
    assert words in found["derivation"].sentences[0]
    assert found["training"].status == MISSING


def test_gradable_copy_is_taken_for_a_notebook_without_a_cell_of_the_release(tmp_path):
    other = nbformat.writes(new_notebook(cells=[new_code_cell("x = 1", id="x")])).encode()
    handed_in = {"derivation.ipynb": other, "copy/derivation.ipynb": answered("derivation")}
    found = find(tmp_path, handed_in)["derivation"]
    assert found.path == "copy/derivation.ipynb"
    assert found.sentences[1].startswith(
        "derivation.ipynb cannot be graded and was left aside: The notebook has no cell"
    )


def test_two_damaged_files_are_both_named(tmp_path):
    found = find(tmp_path, {"derivation.ipynb": b"", "a/derivation.ipynb": b"no"})["derivation"]
    assert found.sentences[0].startswith(
        "derivation.ipynb and a/derivation.ipynb cannot be graded: The file is empty; The file is "
        "no notebook but other text, which begins “no”; put the file "
    )
    assert "or remove derivation.ipynb and a/derivation.ipynb there" in found.sentences[0]


def test_damaged_file_of_another_name_needs_a_person(tmp_path):
    found = find(tmp_path, {"derivation.ipynb": answered("derivation"), "draft.ipynb": b""})
    assert found["derivation"].status == FOUND
    assert found["training"].status == NEEDS_PERSON
    assert (
        found["training"]
        .sentences[0]
        .startswith(
            "training.ipynb cannot be found, unless it is draft.ipynb (The file is empty); put the "
        )
    )


def test_of_many_damaged_files_some_are_named_and_the_others_counted(tmp_path):
    found = find(tmp_path, {f"{n}.ipynb": b"" for n in range(5)})["training"]
    assert "4.ipynb" not in found.sentences[0]
    assert "2.ipynb (The file is empty) or one of 2 more files; put" in found.sentences[0]


def test_of_all_notebooks_that_cannot_be_found_one_sentence_tells(tmp_path):
    found = find(tmp_path, {"one.ipynb": b"", "two.ipynb": b""})
    (sentence,) = {words for one in found.values() for words in one.sentences}
    assert sentence.startswith(
        "derivation.ipynb and training.ipynb cannot be found, unless one of them is one.ipynb (The "
        "file is empty) or two.ipynb (The file is empty); put the file that the student sends into "
    )
    assert sentence.endswith("or remove these there to give 0 points.")


@pytest.mark.parametrize("names", [["derivation"], ["derivation", "training"]])
def test_notebook_of_another_round_needs_a_person(tmp_path, names):
    released = {name: RELEASED[name] for name in names}
    cells = [new_markdown_cell("# Round 8", id="title"), new_code_cell("", id="setup")]
    other = nbformat.writes(new_notebook(cells=cells)).encode()
    for found in find(tmp_path, {"round08.ipynb": other}, released).values():
        assert found.status == NEEDS_PERSON
        assert "round08.ipynb" in found.sentences[0]


@pytest.mark.parametrize("handed_in", [{"report.pdf": b""}, {"a/report.PDF": b""},
                                       {"work.zip": pack({"report.pdf": b""})}])  # fmt: skip
def test_only_a_pdf_needs_a_person(tmp_path, handed_in):
    for found in find(tmp_path, handed_in).values():
        assert found.status == NEEDS_PERSON
        assert re.match("There is no notebook, only a PDF: .*report", found.sentences[0])


def test_pdf_beside_a_notebook_does_not_stand_for_the_other_one(tmp_path):
    found = find(tmp_path, {"derivation.ipynb": answered("derivation"), "report.pdf": b""})
    assert found["training"].status == MISSING


@pytest.mark.parametrize("handed_in", [{}, {"scan.jpg": b"", "nnlab/data.py": b""}])
def test_nothing_is_missing(tmp_path, handed_in):
    for name, found in find(tmp_path, handed_in).items():
        assert found.status == MISSING
        assert found.sentences == (f"{name}.ipynb was not handed in.",)


def test_folder_that_does_not_exist_holds_nothing(tmp_path):
    found = find_notebooks(tmp_path / "nobody", RELEASED)
    assert {one.status for one in found.values()} == {MISSING}


# --- Anything at all --------------------------------------------------------------------------

ZIPPED = pack({"derivation.ipynb": answered("derivation"), "a/b.zip": pack({"x.ipynb": b"{}"})})


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_bytes_end_in_a_sentence(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("any")
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(ZIPPED))] * 2)))
    end = min(end, start + data.draw(st.integers(0, 6)))
    zipped = ZIPPED[:start] + data.draw(st.binary(max_size=6)) + ZIPPED[end:]
    parsed = json.loads(answered("derivation"))
    cell = data.draw(st.sampled_from(parsed["cells"]))
    cell[data.draw(st.sampled_from(list(cell)))] = data.draw(st.none() | st.text() | st.integers())
    handed_in = {"work.zip": zipped, "any.ipynb": data.draw(st.binary(max_size=50))}
    handed_in[data.draw(st.sampled_from(["training.ipynb", "v2.ipynb"]))] = json.dumps(
        parsed
    ).encode()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find(folder, handed_in)
