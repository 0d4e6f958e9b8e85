"""From the bytes that were handed in to a notebook, or to a sentence for a person."""

import copy
import json
import subprocess
import sys
import warnings

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from coursekit.grading.parsing import MOST_BYTES
from coursekit.grading.reading import read_notebook
from coursekit.grading.wording import NeedsPerson

PICTURE = {"image.png": {"image/png": "iVBORw0KGgo="}}


def notebook():
    """Return a notebook as a student hands it in, with outputs."""
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},
        cells=[
            new_markdown_cell("# Größe, 大きさ", id="title", attachments=PICTURE),
            new_code_cell(
                "x = 1",
                id="answer",
                metadata={"nbgrader": {"grade_id": "answer", "solution": True}, "tags": ["a"]},
                execution_count=3,
                outputs=[new_output("stream", text='[{"outputs": [1, 2]}, \\\n')],
            ),
            new_raw_cell("raw", id="raw"),
        ],
    )


def without_outputs():
    expected = notebook()
    expected.cells[1].outputs = []
    expected.cells[1].execution_count = None
    return expected


def text(change=lambda parsed: None, **options):
    """Return the notebook's text, after a change to its JSON."""
    parsed = json.loads(nbformat.writes(notebook()))
    change(parsed)
    return json.dumps(parsed, **{"ensure_ascii": False, "indent": 1, **options})


def read(data):
    found = read_notebook(data if isinstance(data, bytes) else data.encode())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nbformat.validate(found.notebook)
    nbformat.writes(found.notebook).encode()
    return found


def refusal(data):
    with pytest.raises(NeedsPerson) as problem:
        read(data)
    assert "\n" not in str(problem.value)
    assert str(problem.value).endswith(".")
    return str(problem.value)


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_undamaged_notebook_loses_nothing_but_outputs(indent):
    found = read(text(indent=indent))
    assert found.notebook == without_outputs()
    assert found.mended == ()


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8-sig", "byte-order mark"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
    ],
)
def test_other_unicode_encodings_are_read(encoding, told):
    found = read(text().encode(encoding))
    assert found.notebook == without_outputs()
    assert len(found.mended) == 1
    assert told in found.mended[0]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_with_its_mark_is_read(mark):
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert read(mark + text().encode(encoding)).notebook == without_outputs()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_western_european_text_is_read(encoding):
    def change(parsed):
        parsed["cells"][0]["source"] = ["# Größe\n", "naïve"]

    found = read(text(change).encode(encoding))
    assert found.notebook.cells[0].source == "# Größe\nnaïve"
    assert "Windows-1252" in found.mended[0]


def test_few_damaged_characters_do_not_spoil_the_others():
    data = text().encode().replace("ö".encode(), b"\xf6")
    found = read(data)
    assert found.notebook.cells[0].source == "# Gr\ufffdße, 大きさ"
    assert "could not be read" in found.mended[0]


def old(minor):
    def change(parsed):
        parsed["nbformat_minor"] = minor
        for cell in parsed["cells"]:
            del cell["id"]

    return change


@pytest.mark.parametrize("minor", range(5))
def test_older_minor_versions_get_cell_ids(minor):
    found = read(text(old(minor)))
    assert [cell.source for cell in found.notebook.cells] == ["# Größe, 大きさ", "x = 1", "raw"]
    assert found.mended == (
        f"The notebook was in the older format 4.{minor}; it was brought to 4.5.",
    )
    assert found == read(text(old(minor))), "ids must not be drawn by chance"


def test_newer_minor_version_is_read_as_far_as_it_is_known():
    def change(parsed):
        parsed["nbformat_minor"] = 9
        parsed["cells"][0]["colour"] = "blue"

    assert read(text(change)).notebook == without_outputs()


def test_nbformat_3_is_converted():
    third = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old", "kernelspec": {"name": "p", "display_name": "p"}},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "source": ["Two\n", "lines"]},
                    {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "prompt_number": 1,
                     "language": "python", "outputs": [{"output_type": "pyout", "text": "1"}]},
                    {"cell_type": "html", "source": "<b>bold</b>", "metadata": {"a": 1}},
                ]
            },
            {"cells": [{"cell_type": "markdown", "source": "second sheet"}]},
        ],
    }  # fmt: skip
    found = read(json.dumps(third))
    assert [(cell.cell_type, cell.source) for cell in found.notebook.cells] == [
        ("markdown", "## Two lines"),
        ("code", "x = 1\ny = 2"),
        ("markdown", "<b>bold</b>"),
        ("markdown", "second sheet"),
    ]
    assert "older format 3.0" in found.mended[0]


@pytest.mark.parametrize("name", ["nbformat", "nbformat_minor"])
@pytest.mark.parametrize("version", ["4", None, True, 4.5, [4], -1, 10**30])
def test_version_that_makes_no_sense_is_ignored(name, version):
    found = read(text(lambda parsed: parsed.update({name: version})))
    assert found.notebook == without_outputs()


@pytest.mark.parametrize("wrong", ["title", "", "no blanks", "x" * 65, 7, None, ["a"], "ö"])
def test_ids_that_are_doubled_missing_or_invalid_are_replaced(wrong):
    found = read(text(lambda parsed: parsed["cells"][1].update(id=wrong)))
    ids = [cell.id for cell in found.notebook.cells]
    assert (ids[0], ids[2]) == ("title", "raw")
    assert found.mended == ("Cell 2 had no valid id of its own; it got a new one.",)


def deep(levels):
    part = 1
    for _ in range(levels):
        part = {"a": part}
    return part


@pytest.mark.parametrize(
    ("metadata", "left"),
    [
        ({"execution": {"timeout": 0}, "kept": 1}, {"kept": 1}),
        ({"tags": "no list"}, {}),
        ({"tags": ["a", "a"], "jupyter": 5, "kept": [1, None]}, {"kept": [1, None]}),
        ({"collapsed": "yes", "scrolled": "auto"}, {"scrolled": "auto"}),
        ({"name": ""}, {}),
        ({"nested": deep(100)}, {}),
        ("text", {}),
        (None, {}),
    ],
)
def test_metadata_of_no_valid_form_is_left_out(metadata, left):
    found = read(text(lambda parsed: parsed["cells"][1].update(metadata=metadata)))
    assert found.notebook.cells[1].metadata == left
    assert len(found.mended) == 1
    assert "of cell 2" in found.mended[0]


@pytest.mark.parametrize("metadata", [{"kernelspec": 5}, {"language_info": {}}, {"authors": 1}])
def test_notebook_metadata_of_no_valid_form_is_left_out(metadata):
    found = read(text(lambda parsed: parsed.update(metadata=metadata)))
    assert found.notebook.metadata == {}
    assert f"{next(iter(metadata))} of the notebook" in found.mended[0]


@pytest.mark.parametrize("outputs", [None, 5, "text", {"a": 1}, [5], [{"output_type": "x"}]])
def test_invalid_outputs_do_not_matter(outputs):
    found = read(text(lambda parsed: parsed["cells"][1].update(outputs=outputs)))
    assert found.notebook == without_outputs()
    assert found.mended == ()


def test_pictures_stay_and_damaged_ones_go():
    lines = {"image.png": {"image/png": ["iVBO", "Rw0KGgo="]}}
    found = read(text(lambda parsed: parsed["cells"][0].update(attachments=lines)))
    assert found.notebook == without_outputs()
    found = read(text(lambda parsed: parsed["cells"][0].update(attachments={"a.png": 5})))
    assert "attachments" not in found.notebook.cells[0]
    assert "attachments of cell 1" in found.mended[0]


@pytest.mark.parametrize("source", [5, None, {"a": "b"}, ["x", 5]])
def test_source_that_is_no_text_becomes_empty(source):
    found = read(text(lambda parsed: parsed["cells"][1].update(source=source)))
    assert found.notebook.cells[1].source == ""
    assert found.mended == ("Cell 2 held something else than text; it is empty now.",)


def test_half_characters_and_numbers_that_are_none_can_be_written_again():
    def change(parsed):
        parsed["cells"][1]["source"] = "x = '\ud83d'"
        parsed["cells"][1]["metadata"] = {"\udc00": ["\ud83d", float("nan"), float("inf")]}

    found = read(text(change, ensure_ascii=True))
    assert found.notebook.cells[1].source == "x = '?'"
    assert found.notebook.cells[1].metadata == {"?": ["?", None, None]}


def test_entries_and_types_that_are_no_cells_are_told():
    def change(parsed):
        parsed["cells"][2]["cell_type"] = "video"
        parsed["cells"].append("no cell")

    found = read(text(change))
    assert [cell.cell_type for cell in found.notebook.cells] == ["markdown", "code", "raw"]
    assert found.mended == (
        "Cell 3 was of no known type; it is a raw cell now.",
        "Entry 4 of the notebook was no cell; it was left out.",
    )


# --- Merge conflicts --------------------------------------------------------------------------


def conflict(ours, theirs, base=None, end="\n"):
    """Return the notebook's text with the code cell's lines in two versions."""
    whole = text().splitlines()
    found = next(i for i, line in enumerate(whole) if '"x = 1"' in line)
    old = [] if base is None else ["||||||| merged common ancestors", *base]
    middle = ["<<<<<<< HEAD", *ours, *old, "=======", *theirs, ">>>>>>> 3f2a (mine)"]
    return end.join([*whole[:found], *middle, *whole[found + 1 :]])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("base", [None, ['"x = 0"']])
def test_merge_conflict_about_nothing_that_counts_is_mended(base, end):
    found = read(conflict(['"x = 1"'], ['"x = ",', '"1"'], base, end))
    assert found.notebook == without_outputs()
    assert len(found.mended) == 1
    assert "unfinished merge" in found.mended[0]


def test_merge_conflict_in_outputs_is_mended():
    lines = text().splitlines()
    start = next(i for i, line in enumerate(lines) if '"outputs"' in line)
    end = next(i for i, line in enumerate(lines) if i > start and line == "   ],")
    lines[start : end + 1] = [
        "<<<<<<< HEAD",
        *lines[start : end + 1],
        "=======",
        '   "outputs": [],',
        ">>>>>>> theirs",
    ]
    assert read("\n".join(lines)).notebook == without_outputs()


def test_merge_conflict_about_answers_names_them():
    told = refusal(conflict(['"x = 1"'], ['"x = 2"']))
    assert "unfinished merge" in told
    assert "answer" in told


@pytest.mark.parametrize("theirs", ['"x = 1",,', "{"])
def test_merge_conflict_with_a_damaged_side_needs_a_person(theirs):
    refusal(conflict(['"x = 1"'], [theirs]))


def test_source_that_quotes_conflict_marks_is_no_conflict():
    marks = "<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> z"
    found = read(text(lambda parsed: parsed["cells"][1].update(source=marks)))
    assert found.notebook.cells[1].source == marks
    assert found.mended == ()


# --- Files that need a person -----------------------------------------------------------------

PAGE = "<!DOCTYPE html>\n<html><head><title>Moodle: log in</title></head></html>"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\0" * 4096, "is empty"),
        (PAGE.encode(), "web page"),
        (b"\xef\xbb\xbf" + PAGE.encode(), "web page"),
        (PAGE.encode("utf-16"), "web page"),
        (b"%PDF-1.7\n%\xe2\xe3", "is a PDF"),
        (b"PK\x03\x04\x14\0", "is a zip archive"),
        (b"\x89PNG\r\n", "is a picture"),
        (b"import numpy as np\nx = 1\n", "other text, which begins “import numpy as np x = 1”"),
        (b'library(ggplot2)\nx <- "a"\n', "other text"),
        (b"---\ntitle: x\n---\n", "other text"),
        (b"[1, 2]", "no list of cells"),
        (b'"text"', "no list of cells"),
        (b"null", "no list of cells"),
        (b'{"a": 1}', "no list of cells"),
        (b'{"cells": {"a": 1}, "nbformat": 4}', "no list of cells"),
        (b'{"cells": [{"x": 1}]}', "are not those of one"),
        (b'{"cells": ' + b"[" * 100_000, "too deeply"),
        (b'{"nbformat": ' + b"9" * 5000 + b"}", "thousands of digits"),
        (b"\0" + bytes(range(256)), "other text"),
    ],
)
def test_file_that_is_no_notebook_needs_a_person(data, words):
    assert words in refusal(data)


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 0.8, 0.99])
def test_truncated_file_needs_a_person(share):
    data = text().encode()
    assert "breaks off in the middle" in refusal(data[: int(share * len(data))])


def test_damaged_json_is_quoted():
    assert "near “" in refusal(text().replace('"x = 1"', '"x = 1" oops'))


def test_file_above_the_limit_is_not_parsed():
    assert "256 MB" in refusal(bytes(MOST_BYTES + 1))


def test_too_many_cells_need_a_person():
    told = refusal(text(lambda parsed: parsed.update(cells=parsed["cells"] * 2000)))
    assert "6000 cells" in told


def test_too_many_values_outside_of_outputs_need_a_person():
    assert "too large" in refusal(b'{"cells": [' + b"{}," * 1_000_000 + b"{}]}")


def test_too_many_brackets_in_outputs_need_a_person():
    assert "too many parts" in refusal(b'{"cells": [{"outputs": [' + b"[]," * 1_000_001 + b"1]}]}")


# A process of its own: memory that another test has used would hide what this one takes.
LARGE = """
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from coursekit.grading.reading import read_notebook

read_notebook(b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}')
data = Path(sys.argv[1]).read_bytes()
before = getrusage(RUSAGE_SELF).ru_maxrss
found = read_notebook(data)
grown = getrusage(RUSAGE_SELF).ru_maxrss - before
assert found.mended == () and found.notebook.cells[1].source == "x = 1"
print(grown >> 10)
"""


def test_notebook_of_200_mb_is_read_in_little_memory(tmp_path):
    path = tmp_path / "large.ipynb"
    start, rest = text().encode().split(b'"text": [', 1)
    with path.open("wb") as file:
        file.write(start + b'"text": [')
        for _ in range(100):
            file.write(b'"loss 0.3, [1] of\\n",\n' * 100_000)
        file.write(rest)
    size = path.stat().st_size
    run = subprocess.run([sys.executable, "-c", LARGE, str(path)], capture_output=True, text=True)
    path.unlink()
    assert run.returncode == 0, run.stderr
    assert size > 200 * 2**20
    assert int(run.stdout) < 40


# --- Anything at all --------------------------------------------------------------------------


def survives(data):
    """Read anything: a valid notebook or one sentence, never another exception."""
    told = []
    try:
        told += read(data).mended
    except NeedsPerson as problem:
        told.append(str(problem))
    for sentence in told:
        assert "\n" not in sentence
        assert sentence.endswith(".")


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_read_or_refused(data):
    survives(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
WORDS = [
    "cells",
    "nbformat",
    "metadata",
    "cell_type",
    "id",
    "source",
    "outputs",
    "nbgrader",
    "code",
]


def paths(part, here=()):
    """List where something stands in JSON."""
    found = [here]
    if isinstance(part, dict):
        found += [path for key in part for path in paths(part[key], (*here, key))]
    elif isinstance(part, list):
        found += [path for key, value in enumerate(part) for path in paths(value, (*here, key))]
    return found


@given(st.data())
def test_any_change_to_the_json_is_read_or_refused(data):
    parsed = json.loads(text())
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths(parsed)[1:]))
        value = data.draw(VALUES | st.sampled_from(WORDS) | st.just(copy.deepcopy(parsed)))
        part = parsed
        for key in path[:-1]:
            part = part[key]
        if data.draw(st.booleans()):
            part[path[-1]] = value
        elif isinstance(part, list):
            part.insert(path[-1], value)
        else:
            del part[path[-1]]
        if not isinstance(parsed, dict) or len(paths(parsed)) == 1:
            break
    survives(json.dumps(parsed))


@given(st.data())
def test_any_cut_or_swap_of_bytes_is_read_or_refused(data):
    whole = text().encode()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    new = data.draw(st.binary(max_size=8) | st.sampled_from([b"\n<<<<<<< a\n", b"\n=======\n"]))
    survives(whole[:start] + new + whole[end:])


def test_limit_is_above_what_mycourses_may_bring():
    assert MOST_BYTES >= 200 * 2**20
