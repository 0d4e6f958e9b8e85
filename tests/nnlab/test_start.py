"""Weights to start from, and the threads that train them."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnlab


def test_cosine_weights_fill_the_first_matrix_first_row_by_row():
    W1, W2 = nnlab.cosine_weights(3, 2, 4)
    assert W1.shape == (2, 3)
    assert W2.shape == (4, 2)
    np.testing.assert_allclose(W1[1], 0.1 * np.cos([3, 4, 5]))
    np.testing.assert_allclose(W2[0], 0.1 * np.cos([6, 7]))


def test_cosine_weights_take_a_scale():
    W1, _ = nnlab.cosine_weights(3, 2, 4, scale=2.0)
    assert W1[0, 0] == pytest.approx(2.0)


def test_each_call_gives_new_arrays():
    first, _ = nnlab.cosine_weights(3, 2, 4)
    first[:] = 0
    assert nnlab.cosine_weights(3, 2, 4)[0].any()


def test_matrix_products_use_one_thread():
    code = (
        "import nnlab, threadpoolctl as t\n"
        "print([library['num_threads'] for library in t.threadpool_info()])"
    )
    threads = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(Path(nnlab.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert set(ast.literal_eval(threads)) == {1}
