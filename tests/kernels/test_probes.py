"""The attacks of `probes` on real kernels: as root, with a closed Python, as an ordinary user."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

import coursekit
from coursekit.kernels import policy
from coursekit.kernels.machine import missing
from coursekit.kernels.readable import interpreter, readable_by_others

from .probes import DEPENDS, PROBES
from .traces import HONEST, TRACES, Trace

TESTS = Path(__file__).parents[1]
IS_ROOT = os.getuid() == 0
NOBODY = 65534
SECONDS = 300
MODES = ("root", "root-closed", "ordinary")


def not_here(reason):
    """Skip what this machine cannot test; where the tests run for everybody, that is a failure."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def run(python, home, **user):
    """Run the program that runs the probes."""
    done = subprocess.run(
        [python, "-m", "kernels.run_probes"],
        cwd=TESTS,
        env={"PATH": os.environ["PATH"], "TOKEN": "token-of-the-course", "HOME": home},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        **user,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_root():
    """Run as root, whose kernels become throw-away users."""
    if not IS_ROOT:
        not_here("only root's kernels can become throw-away users")
    if not readable_by_others(interpreter()):
        not_here(f"throw-away users cannot read {sys.executable}")
    with tempfile.TemporaryDirectory() as home:
        return run(sys.executable, home)


def as_root_closed():
    """Run as root with a copy of Python that nobody else can read."""
    if not IS_ROOT:
        not_here("only root's kernels can be without capabilities")
    with tempfile.TemporaryDirectory() as closed:  # only its owner may enter
        copy = Path(closed, "python")
        subprocess.run(
            [sys.executable, "-m", "venv", "--copies", "--without-pip", copy], check=True
        )
        variables = {"base": str(copy), "platbase": str(copy)}
        packages = Path(sysconfig.get_path("purelib", vars=variables))
        shutil.rmtree(packages)
        packages.symlink_to(sysconfig.get_path("purelib"))
        return run(copy / "bin/python", closed)


def as_ordinary_user():
    """Run as the user of these tests, or as nobody where that is root."""
    user = {}
    if IS_ROOT:
        files = [*interpreter(), *(str(place) for place in (__file__, *coursekit.__path__))]
        if not readable_by_others(files):
            not_here(f"an ordinary user cannot read all of {', '.join(files)}")
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    with tempfile.TemporaryDirectory() as home:
        if IS_ROOT:
            os.chown(home, NOBODY, NOBODY)
        return run(sys.executable, home, **user)


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    """Name the mode that the results are of."""
    return request.param


@pytest.fixture(scope="module")
def results(mode):
    """Give what the program printed in one mode."""
    if missing():
        not_here(missing())
    return {"root": as_root, "root-closed": as_root_closed, "ordinary": as_ordinary_user}[mode]()


def names(cases):
    """Name the tests after their cases."""
    return [case.name for case in cases]


TRIED = [case for case in (*PROBES, *TRACES) if case.possible_for != DEPENDS]


@pytest.mark.parametrize("probe", PROBES, ids=names(PROBES))
def test_probe_is_refused(results, probe):
    assert results["inside"][probe.name].startswith(probe.seen)


@pytest.mark.parametrize("trace", TRACES, ids=names(TRACES))
def test_next_kernel_finds_no_trace(results, trace):
    assert results["found"][trace.name] == "False"


@pytest.mark.parametrize("name", HONEST)
def test_honest_code_runs(results, name):
    assert results["honest"][name] == HONEST[name][1]


def test_nothing_has_changed(results):
    assert results["changed"] == []


def test_nobody_was_called(results):
    assert results["guests"] == 0


def test_other_processes_live_on(results):
    assert results["canary"]


def test_litter_does_not_stop_the_grader(results):
    assert results["clearing_up"] == []


def test_nothing_is_left_of_the_launcher(results):
    assert results["processes"] == []
    assert not results["folder"]


def test_kernels_of_one_zygote_draw_different_numbers(results):
    first, second = results["kernels"]
    assert first["zygote"] == second["zygote"]
    assert not set(results["draws"][0].split()) & set(results["draws"][1].split())


def test_kernel_has_no_rights(mode, results):
    """And each mode is what it says."""
    for kernel in results["kernels"]:
        rights, users = kernel["rights"], set(kernel["uid"])
        assert rights["CapInh"] == rights["CapPrm"] == rights["CapEff"] == rights["CapAmb"] == 0
        assert (rights["NoNewPrivs"], rights["Seccomp"]) == (1, 2)
        if mode == "root":
            assert users == set(kernel["gid"])
            assert min(users) >= policy.FIRST_UID
            assert kernel["groups"] == []
        elif mode == "root-closed":
            assert users == {results["grader"]} == {0}
            assert rights["CapBnd"] == 0
        else:
            assert users == {results["grader"]} != {0}


@pytest.mark.parametrize("case", TRIED, ids=names(TRIED))
def test_attack_wins_without_the_sandbox(results, case):
    """So it is the sandbox that refuses it, and an attack that is broken is noticed."""
    seen = results["outside"][case.name]
    if isinstance(case, Trace):
        assert seen == "True"
    else:
        assert not seen.startswith("raised")
        assert not seen.startswith(case.seen)
