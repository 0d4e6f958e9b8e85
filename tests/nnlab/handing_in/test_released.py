from pathlib import Path

import nbformat

from nnlab.handing_in.released import CELLS, OPTIONAL, ROUND

SOURCE = Path(__file__).parents[3] / "source" / ROUND


def test_grade_ids_are_those_of_the_source_notebooks():
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in SOURCE.glob("*.ipynb")}
    assert {
        name: [
            cell.metadata.nbgrader.grade_id
            for cell in notebook.cells
            if cell.metadata.get("nbgrader")
        ]
        for name, notebook in notebooks.items()
    } == CELLS


def test_each_grade_id_belongs_to_one_notebook():
    names = [name for cells in CELLS.values() for name in cells]
    assert len(set(names)) == len(names)
    assert set(names) >= OPTIONAL
