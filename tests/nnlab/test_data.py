"""The digits: scikit-learn's by default, the course's file when it is named."""

import copy

import numpy as np
import pytest
import scipy.io

import nnlab
from nnlab.data import ENVIRONMENT_VARIABLE

PARTS = ("training", "validation", "test")


@pytest.fixture(autouse=True)
def _no_file_in_the_environment(monkeypatch):
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)


def course_data(features=256):
    """What the course's file holds, with few cases."""
    random = np.random.default_rng(9)
    return {
        part: {
            "inputs": random.random((features, count)),
            "targets": np.eye(10)[:, random.integers(0, 10, count)],
        }
        for part, count in zip(PARTS, (7, 5, 1), strict=True)
    }


@pytest.fixture
def save(tmp_path):
    def save(**variables):
        path = tmp_path / "data.mat"
        scipy.io.savemat(path, variables)
        return path

    return save


def test_default_digits_have_the_documented_sizes_and_range():
    digits = nnlab.load_digits()
    assert [digits.training.count, digits.validation.count, digits.test.count] == [600, 600, 597]
    assert digits.image_shape == (8, 8)
    for cases in (digits.training, digits.validation, digits.test):
        inputs, targets = cases
        assert inputs.shape == (64, cases.count)
        assert targets.shape == (10, cases.count)
        assert inputs.dtype == targets.dtype == np.float64
        assert inputs.min() == 0
        assert inputs.max() == 1
        assert np.array_equal(np.eye(10)[:, cases.labels], targets)


def test_default_digits_are_scikit_learns_in_the_order_of_random_state_0():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(1797)
    digits = nnlab.load_digits()
    got = [digits.training, digits.validation, digits.test]
    assert np.array_equal(np.hstack([part.inputs for part in got]), images[order].T / 16)
    assert np.array_equal(np.hstack([part.labels for part in got]), labels[order])


def test_each_call_returns_fresh_arrays_that_may_be_changed():
    first = nnlab.load_digits()
    first.training.inputs[:] = -1
    first.training.targets[:] = -1
    second = nnlab.load_digits()
    assert second.training.inputs.min() == 0
    assert second.training.targets.min() == 0


def test_course_file_is_read_as_it_is(save):
    data = course_data()
    digits = nnlab.load_digits(save(data=data))
    assert digits.image_shape == (16, 16)
    for part in PARTS:
        cases = getattr(digits, part)
        assert np.array_equal(cases.inputs, data[part]["inputs"])
        assert np.array_equal(cases.targets, data[part]["targets"])
        assert cases.inputs.flags.writeable
        assert cases.inputs.flags.c_contiguous


def test_integer_arrays_of_a_file_become_float64(save):
    data = course_data()
    for part in data.values():
        part["targets"] = part["targets"].astype(np.uint8)
    assert nnlab.load_digits(save(data=data)).test.targets.dtype == np.float64


def test_environment_variable_names_the_file(save, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(save(data=course_data())))
    assert nnlab.load_digits().image_shape == (16, 16)


def test_argument_wins_over_the_environment_variable(save, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "no such file")
    assert nnlab.load_digits(save(data=course_data())).image_shape == (16, 16)


def test_empty_environment_variable_is_ignored(monkeypatch):
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "")
    assert nnlab.load_digits().image_shape == (8, 8)


def test_missing_file_is_named_in_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.mat: there is no such file"):
        nnlab.load_digits(tmp_path / "nowhere.mat")


@pytest.mark.parametrize(
    "content",
    [b"", b"not MATLAB at all\n" * 20, b"\x00" * 300, bytes(range(256)) * 4],
    ids=["empty", "text", "zeros", "bytes"],
)
def test_file_that_is_not_matlab_is_refused(tmp_path, content):
    path = tmp_path / "data.mat"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a MATLAB file|no struct 'data'"):
        nnlab.load_digits(path)


def test_damaged_matlab_file_is_refused(save):
    path = save(data=course_data())
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="not a MATLAB file, or it is damaged"):
        nnlab.load_digits(path)


def test_matlab_7_3_file_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "data.mat"
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    path.write_bytes(header.ljust(512, b"\x00") + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ValueError, match=r"HDF5.*'-v7'"):
        nnlab.load_digits(path)


def without_part(data):
    del data["validation"]


def without_field(data):
    del data["training"]["targets"]


def part_is_no_struct(data):
    data["test"] = np.zeros((3, 3))


def inputs_are_text(data):
    data["test"]["inputs"] = "digits"


def inputs_not_finite(data):
    data["training"]["inputs"][3, 2] = np.nan


def fewer_targets(data):
    data["training"]["targets"] = data["training"]["targets"][:, :-1]


def nine_classes(data):
    data["test"]["targets"] = np.eye(9)[:, :1]


def no_cases(data):
    data["test"] = {"inputs": np.zeros((256, 0)), "targets": np.zeros((10, 0))}


def soft_targets(data):
    data["training"]["targets"] = np.full((10, 7), 0.1)


def two_digits_at_once(data):
    data["training"]["targets"][:, 0] = 1


def other_image_size(data):
    data["test"]["inputs"] = np.zeros((64, 1))


def not_square(data):
    for part in data.values():
        part["inputs"] = part["inputs"][:-1]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without_part, "'data' has no field 'validation', only training, test"),
        (without_field, r"'data\.training' has no field 'targets'"),
        (part_is_no_struct, r"'data\.test' is not a struct"),
        (inputs_are_text, r"'data\.test\.inputs' has dtype <U"),
        (inputs_not_finite, r"'data\.training\.inputs' holds NaN or infinite"),
        (fewer_targets, r"inputs of shape \(256, 7\) and targets of shape \(10, 6\)"),
        (nine_classes, r"targets of shape \(9, 1\)"),
        (no_cases, r"inputs of shape \(256, 0\)"),
        (soft_targets, r"'data\.training\.targets' is not one-hot"),
        (two_digits_at_once, r"'data\.training\.targets' is not one-hot"),
        (other_image_size, r"have \[256, 256, 64\] rows"),
        (not_square, r"have \[255, 255, 255\] rows"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_wrong_course_file_is_told_in_one_sentence(save, damage, words):
    data = copy.deepcopy(course_data())
    damage(data)
    with pytest.raises(ValueError, match=words) as caught:
        nnlab.load_digits(save(data=data))
    assert "data.mat: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_without_the_struct_is_refused(save):
    with pytest.raises(ValueError, match="there is no struct 'data'"):
        nnlab.load_digits(save(other=np.eye(2)))


def test_data_that_is_a_plain_matrix_is_refused(save):
    with pytest.raises(ValueError, match="'data' is not a struct"):
        nnlab.load_digits(save(data=np.eye(2)))
