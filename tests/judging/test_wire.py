import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from coursekit.judging.wire import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_ITEMS,
    UnreadableError,
    Unsendable,
    decode,
    encode,
)

PLAIN = ["?", *"bhilqBHILQ", "e", "f", "d", "F", "D", ">i4", ">f8"]
SHAPES = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
NUMBERS = (
    st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
)
VALUES = st.recursive(
    st.none() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["none", "text", "other", "list", "dict", "x"]), inner, max_size=2
        )
        | st.fixed_dictionaries(
            {
                "dtype": st.sampled_from(["<f8", "|b1", ">i2", "<c16", "O", "<U1"]) | inner,
                "shape": st.lists(st.integers(-1, 2**40), max_size=7) | inner,
                "data": st.sampled_from(["", "AAAAAAAAAAA=", "AA==", "é"]) | inner,
            }
        )
    ),
    max_leaves=12,
)


def travelled(value):
    """Send a value the way from the kernel to the judge."""
    return decode(json.loads(json.dumps(encode(value))))


def test_read_only_arrays_stay_read_only():
    array = np.arange(3.0)
    assert travelled(array).flags.writeable
    array.flags.writeable = False
    arrived = travelled([array])[0]
    assert not arrived.flags.writeable
    assert np.array_equal(arrived, array)


def array_message(**changes):
    return {**encode(np.zeros((2, 3))), **changes}


def depth(value):
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth, inner), default=0) if isinstance(value, dict | list) else 0


@given(NUMBERS)
def test_numbers_come_back_as_pythons_own(number):
    back = travelled(number)
    assert type(back) is type(number)
    assert back == number


@pytest.mark.parametrize("number", [np.float64(1.5), np.int8(3), np.bool_(True), np.array(2.0)])
def test_numpy_numbers_come_back_as_pythons_own(number):
    assert type(travelled(number)) in (float, int, bool)
    assert travelled(number) == number


@given(
    st.sampled_from(PLAIN).flatmap(
        lambda dtype: (
            arrays(dtype, SHAPES.filter(bool), elements={"allow_nan": False})
            if np.dtype(dtype).kind in "fc"
            else arrays(dtype, SHAPES.filter(bool))
        )
    )
)
def test_arrays_keep_dtype_shape_and_values(array):
    back = travelled(array)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert np.array_equal(back, array)
    assert back.flags.writeable


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_order_changes_no_value(order):
    array = np.asarray(np.arange(12.0).reshape(3, 4), order=order)
    assert np.array_equal(travelled(array), array)
    assert np.array_equal(travelled(array[:, ::2]), array[:, ::2])


@pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0, 2)])
def test_empty_arrays_keep_their_shape(shape):
    assert travelled(np.zeros(shape)).shape == shape


def test_nan_and_infinity_travel():
    assert np.array_equal(travelled(np.array([np.nan, -np.inf])), [np.nan, -np.inf], equal_nan=True)
    assert travelled(float("inf")) == float("inf")


@given(VALUES.filter(lambda value: depth(value) < MAX_DEPTH))
def test_nested_values_come_back_equal(value):
    assert travelled(value) == value


def test_tuples_come_back_as_lists():
    assert travelled((1, (2.0, "three"), None)) == [1, [2.0, "three"], None]


def test_subclasses_come_back_plain():
    class Text(str):
        __slots__ = ()

    assert type(travelled(Text("a"))) is str
    assert type(travelled(np.ma.array([1.0, 2.0]))) is np.ndarray


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (object(), "object"),
        ({1, 2}, "set"),
        (np.array([None]), "ndarray"),
        (np.zeros(2, dtype="i4,f8"), "ndarray"),
        (np.datetime64("2024-01-01"), "datetime64"),
        (2**100, "int"),
        (print, "builtin_function_or_method"),
    ],
)
def test_what_cannot_travel_arrives_as_the_name_of_its_type(value, kind):
    back = travelled([value])[0]
    assert type(back) is Unsendable
    assert back == kind


class SpecialDict(dict):
    pass


def nested(levels):
    message = {"none": True}
    for _ in range(levels):
        message = {"list": [message]}
    return message


@pytest.mark.parametrize(
    "dtype",
    ["|O", "O", "|V8", "<U4", "|S8", "<M8[s]", "i4,f8", "float64", "<f16", "<f8\n", "", None, 8]
    + [["<f8"], {"a": 1}],
)
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(UnreadableError, match="dtype"):
        decode(array_message(dtype=dtype))


@pytest.mark.parametrize(
    "shape",
    [[-2, -3], [2.0, 3.0], [True, 6], ["2", "3"], [2**63], [10**30], [[2, 3]], 6, "23", None]
    + [{"0": 6}, [1] * (MAX_DEPTH + 1), [6, 2], [7], [], [0, 2**22, 2**22, 2**22]],
)
def test_shapes_that_do_not_fit_are_refused(shape):
    with pytest.raises(UnreadableError):
        decode(array_message(shape=shape))


@pytest.mark.parametrize(
    "data",
    ["", "AAAA", "*" * 64, "é" * 64, "AAA=" * 16, "A" * 64 + "\n", None, 64, ["A"] * 64]
    + [array_message()["data"] + "AAAA"],
)
def test_bytes_that_do_not_fit_are_refused(data):
    with pytest.raises(UnreadableError):
        decode(array_message(data=data))


def test_empty_array_of_an_impossible_size_is_refused():
    with pytest.raises(UnreadableError):
        decode({"dtype": "<f8", "shape": [0, 2**22, 2**22, 2**22], "data": ""})


@pytest.mark.parametrize(
    "message",
    [None, 1, "text", [], {}, {"text": 1}, {"text": None}, {"other": ["int"]}, {"list": {}}]
    + [{"list": "ab"}, {"dict": []}, {"list": [1]}, {"dict": {"a": 1}}, {"dict": {1: {"none": 1}}}]
    + [{"none": True, "text": "a"}, array_message(extra=1), {"value": {"none": True}}]
    + [{"dtype": "<f8", "shape": []}, SpecialDict(none=True), {"list": [SpecialDict(none=True)]}],
    ids=repr,
)
def test_other_forms_are_refused(message):
    with pytest.raises(UnreadableError):
        decode(message)


def test_nesting_is_bounded():
    assert depth(decode(nested(MAX_DEPTH))) == MAX_DEPTH
    for levels in (MAX_DEPTH + 1, 50_000):
        with pytest.raises(UnreadableError, match="nested too deeply"):
            decode(nested(levels))


def test_number_of_items_is_bounded():
    none = {"none": True}
    assert len(decode({"list": [none] * (MAX_ITEMS - 1)})) == MAX_ITEMS - 1
    with pytest.raises(UnreadableError, match=f"more than {MAX_ITEMS} items"):
        decode({"list": [none] * MAX_ITEMS})
    with pytest.raises(UnreadableError, match=f"more than {MAX_ITEMS} items"):
        decode({"list": [{"list": [none] * 1000}] * 20})


@pytest.mark.parametrize(
    "message",
    [
        {"text": "a" * (MAX_BYTES + 1)},
        {"other": "a" * (MAX_BYTES + 1)},
        {"dict": {"a" * (MAX_BYTES + 1): {"none": True}}},
        {"dtype": "<f8", "shape": [MAX_BYTES, MAX_BYTES], "data": ""},
        {"list": [{"text": "a" * 1000}] * 9000},
        {"list": [encode(np.zeros(1000))] * 1100},
    ],
    ids=["text", "other", "key", "claimed array", "many texts", "many arrays"],
)
def test_bytes_are_bounded(message):
    with pytest.raises(UnreadableError, match="larger than"):
        decode(message)


@given(JSON)
def test_any_json_is_read_or_refused(message):
    with contextlib.suppress(UnreadableError):
        assert not isinstance(decode(message), tuple | set | bytes)
