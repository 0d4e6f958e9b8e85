"""The bar goes to standard output only, in plain ASCII."""

import threading

from tqdm import TMonitor

import nnlab


def test_items_come_through_in_order():
    assert list(nnlab.progress([3, 1, 2], "sorting")) == [3, 1, 2]


def test_bar_is_ascii_on_stdout_and_nothing_goes_to_stderr(capfd):
    for _ in nnlab.progress(range(50), "training"):
        pass
    out, err = capfd.readouterr()
    assert err == ""
    assert out.isascii()
    assert "training: 100%|####" in out
    assert max(map(len, out.replace("\n", "\r").split("\r"))) <= 80


def test_bar_is_short_when_stdout_is_no_terminal(capfd):
    for _ in nnlab.progress(range(5000), "training"):
        pass
    assert capfd.readouterr().out.count("\r") <= 5


def test_loop_that_stops_early_leaves_stderr_clean(capfd):
    for _ in nnlab.progress(range(3), "training"):
        break
    assert capfd.readouterr().err == ""


def test_no_background_thread_is_started():
    for _ in nnlab.progress(range(3), "training"):
        assert not any(isinstance(thread, TMonitor) for thread in threading.enumerate())
