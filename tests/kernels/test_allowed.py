"""What honest student code does goes on working in the sandbox, or is refused with clear words."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from coursekit.grading.execute import BoundedExecute

# name: (code, what it prints, or the type of its figure)
WORKS = {
    "figure": ("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()", "image/png"),
    "%matplotlib inline": (
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "image/png",
    ),
    "figure saved and shown": (
        "import matplotlib.pyplot as plt\nfrom IPython.display import Image\n"
        "plt.imsave('x.png', [[0, 1]])\nImage('x.png')",
        "image/png",
    ),
    "animation of figures": (
        "import matplotlib.pyplot as plt\nfrom IPython.display import clear_output, display\n"
        "for k in range(3):\n    figure, _ = plt.subplots()\n    clear_output(wait=True)\n"
        "    display(figure)\n    plt.close(figure)",
        "image/png",
    ),
    "formulas in figures": (
        "import matplotlib.pyplot as plt\nplt.title(r'$\\frac{\\partial E}{\\partial W}$ äö')\n"
        "plt.show()",
        "image/png",
    ),
    "scikit-learn": (
        "from sklearn.datasets import load_digits\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "x, y = load_digits(return_X_y=True)\n"
        "print(LogisticRegression(max_iter=200).fit(x / 16, y).score(x / 16, y) > 0.9)",
        "True",
    ),
    "scikit-learn's own network": (
        "from sklearn.neural_network import MLPClassifier\n"
        "print(MLPClassifier(max_iter=500, random_state=0).fit([[0], [1]], [0, 1]).predict([[1]]))",
        "[1]",
    ),
    "joblib with one job": (
        "from joblib import Parallel, delayed\n"
        "print(Parallel(n_jobs=1)(delayed(abs)(-k) for k in range(3)))",
        "[0, 1, 2]",
    ),
    "joblib with many jobs": (
        "import warnings\nfrom joblib import Parallel, delayed\n"
        "with warnings.catch_warnings(record=True) as told:\n"
        "    warnings.simplefilter('always')\n"
        "    found = Parallel(n_jobs=4)(delayed(abs)(-k) for k in range(3))\n"
        "print(found, [str(w.message) for w in told])",
        "jobs run one after the other",
    ),
    "cross validation in many jobs": (
        "from sklearn.linear_model import Ridge\n"
        "from sklearn.model_selection import cross_val_score\n"
        "print(len(cross_val_score(Ridge(), [[k] for k in range(10)], range(10), n_jobs=-1)))",
        "5",
    ),
    "threads": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(8) as pool:\n    print(sum(pool.map(abs, range(9))))",
        "36",
    ),
    "tqdm": ("from tqdm.auto import tqdm\nprint(sum(tqdm(range(4))))", "6"),
    "folder in which it began": (
        "from pathlib import Path\n"
        "print(Path(_dh[0]) == Path.cwd() == Path(get_ipython().starting_dir))",
        "True",
    ),
    "tempfile": (
        "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as f:\n"
        "    f.write('kept')\n    f.seek(0)\n    print(f.read())",
        "kept",
    ),
    "temporary folder": (
        "import os, tempfile\nwith tempfile.TemporaryDirectory() as d:\n"
        "    open(os.path.join(d, 'x'), 'w').close()\n    print(os.listdir(d))",
        "['x']",
    ),
    "file in the work folder": (
        "open('x.txt', 'w').write('kept')\nprint(open('x.txt').read())",
        "kept",
    ),
    "files copied and moved": (
        "import os, shutil\nopen('a', 'w').close()\nos.mkdir('d')\nshutil.copy('a', 'd/b')\n"
        "shutil.copy2('a', 'c')\nshutil.move('c', 'd/c')\nprint(sorted(os.listdir('d')))",
        "['b', 'c']",
    ),
    "arrays saved": (
        "import numpy as np\nnp.savez('w.npz', a=np.eye(2))\nprint(np.load('w.npz')['a'].sum())",
        "2.0",
    ),
    "file that was handed out": ("print(open('data.txt').read())", "numbers"),
    "module that was handed out": ("import helper\nprint(helper.ANSWER)", "42"),
    "%timeit": ("%timeit -n 2 -r 2 1 + 1", "per loop"),
    "%time": ("%time print('timed')", "timed"),
    "%%time": ("%%time\nprint('timed')", "timed"),
    "one thread of BLAS": (
        "import numpy, threadpoolctl\n"
        "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})",
        "{1}",
    ),
    "a new seed": (
        "import numpy as np\nnp.random.seed(1)\nprint(np.random.rand() == 0.417022004702574)",
        "True",
    ),
    "optional package": (
        "try:\n    import pytest\nexcept ImportError:\n    print('goes without')",
        "goes without",
    ),
    "time zones": (
        "from zoneinfo import ZoneInfo\nprint(ZoneInfo('Europe/Helsinki').key)",
        "Europe/Helsinki",
    ),
    "subprocess that is caught": (
        "import subprocess\ntry:\n    subprocess.run(['ls'])\n"
        "except OSError as problem:\n    print(problem.errno)",
        "1",
    ),
    "own user's name and home": (
        "import getpass, os\nprint(getpass.getuser(), os.path.expanduser('~') == os.getcwd())",
        "student True",
    ),
    "memory in use": ("import psutil\nprint(psutil.Process().memory_info().rss > 2**20)", "True"),
    "asynchronous cells": ("import asyncio\nawait asyncio.sleep(0)\nprint('slept')", "slept"),
    "help": ("import numpy as np\nprint(np.dot.__doc__[:3] is not None)\nnp.dot?", "True"),
}

# name: (code, words of the error)
REFUSED = {
    "input": ("input('Your name? ')", "does not support input requests"),
    "!command": ("!ls -l", "Shell commands such as !ls -l do not run where this is graded."),
    "captured !command": ("files = !ls", "Shell commands such as !ls do not run"),
    "%%bash": ("%%bash\nls", "Operation not permitted"),
    "pip": ("%pip install x", "do not run where this is graded"),
    "network": (
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1')",
        "Operation not supported|Temporary failure in name resolution",
    ),
    "package that is not offered": (
        "import pytest",
        "No module named 'pytest' where this is graded; there are ipykernel, matplotlib, numpy",
    ),
    "processes": (
        "import multiprocessing\nmultiprocessing.Pool(2)",
        "Operation not permitted|Permission denied",
    ),
}


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The cells by name, run in one sandboxed kernel."""
    folder = tmp_path_factory.mktemp("handed-out")
    (folder / "data.txt").write_text("numbers")
    (folder / "helper.py").write_text("ANSWER = 42")
    (folder / "old.ipynb").write_text("{}")
    sources = {name: source for name, (source, _) in {**WORKS, **REFUSED}.items()}
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources.values()])
    BoundedExecute(cell_timeout=60).preprocess(notebook, {"metadata": {"path": str(folder)}})
    assert sorted(path.name for path in folder.iterdir()) == ["data.txt", "helper.py", "old.ipynb"]
    return dict(zip(sources, notebook.cells, strict=True))


def errors(cell):
    return [f"{o.ename}: {o.evalue}" for o in cell.outputs if o.output_type == "error"]


@pytest.mark.parametrize("name", WORKS)
def test_allowed_code_works(cells, name):
    cell, words = cells[name], WORKS[name][1]
    assert errors(cell) == []
    if words.startswith("image/"):
        assert [words in o.data for o in cell.outputs if "data" in o] == [True]
    else:
        assert words in "".join(o.text for o in cell.outputs if o.output_type == "stream")


@pytest.mark.parametrize("name", REFUSED)
def test_refused_code_is_told_so(cells, name):
    cell, words = cells[name], REFUSED[name][1]
    assert any(word in errors(cell)[-1] for word in words.split("|"))
