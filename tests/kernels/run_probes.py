"""Run all probes in sandboxed kernels, as whoever starts this program, and print the results.

The environment should hold a TOKEN, "token-of-the-course", for hostile code to look for. Prints
one JSON object:

``inside``, ``honest``, ``found``
    What each probe, honest cell and search for a trace gave in the sandbox, by name.
``outside``
    What those probes and traces gave without the sandbox that can be tried, on a twin course.
``grader``, ``kernels``
    User id of this process; of each kernel its ids, zygote and rights.
``draws``
    Random numbers of two kernels.
``changed``, ``guests``, ``canary``
    Changed files, number of calls at the sockets, and whether the process to kill still lives.
``clearing_up``
    What went wrong after hostile code had left a litter of folders.
``processes``, ``folder``
    What is left of the launcher after it was closed.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path

from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.preprocessors import Execute

import coursekit
from coursekit.kernels import seccomp
from coursekit.kernels.launcher import launcher
from coursekit.kernels.provisioner import SandboxManager

from .probes import ANYONE, GRADER, PROBES, SETUP
from .targets import Ears, canary, make_course, open_to_all, state
from .traces import DRAWS, HONEST, IDENTITY, LITTER, TRACES

CALLS = (
    *("bpf", "capset", "clone", "clone3", "inotify_init1", "io_uring_setup", "kcmp", "keyctl"),
    *("mount", "mq_open", "msgctl", "msgget", "name_to_handle_at", "perf_event_open", "prctl"),
    *("process_vm_readv", "ptrace", "renameat2", "semctl", "semget", "setns", "shmctl", "shmget"),
    *("tgkill", "tkill", "unshare", "userfaultfd"),
)


def mark_of(folder):
    """Choose a name that nobody else uses in folders that all programs share."""
    return f"{folder.name}-mark"


def setup_cell(folder, process, ears, neighbour):
    """Write the cell that tells hostile code where everything is."""
    resolve = seccomp.library().seccomp_syscall_resolve_name
    names = {
        "COURSE": folder / "course",
        "HOME": folder / "home",
        "KIT": Path(coursekit.__file__).parent,
        "TEMPORARY": Path(tempfile.gettempdir()),
        "SITE": Path(sysconfig.get_path("purelib")),
        "NEIGHBOUR": neighbour,
        "LAUNCHER": neighbour.parents[1],
        "MARK": mark_of(folder),
        "GRADER": os.getpid(),
        "CANARY": process.pid,
        "TCP": ears.tcp,
        "UDP": ears.udp,
        "SOCKET": ears.path,
        "ABSTRACT": ears.abstract,
        "CALLS": {name: resolve(name.encode()) for name in CALLS},
    }
    return SETUP + "\n".join(f"{name} = {value!r}" for name, value in names.items())


def run_cells(folder, setup, cells):
    """Run cells, a dict, in one kernel; return what each printed, or "raised" and its exception."""
    setup = f"get_ipython().InteractiveTB.set_mode('Minimal')\n{setup}"  # long tracebacks take time
    notebook = new_notebook(cells=[new_code_cell(source) for source in [setup, *cells.values()]])
    execute = Execute(
        kernel_manager_class=SandboxManager,
        extra_arguments=["--log-level=ERROR"],
        shutdown_kernel="immediate",
        timeout=60,
    )
    execute.preprocess(notebook, {"metadata": {"path": str(folder)}})
    first, *others = [outcome(cell.outputs) for cell in notebook.cells]
    if first:
        raise RuntimeError(f"The setup of the probes failed: {first}")
    return dict(zip(cells, others, strict=True))


def outcome(outputs):
    """Give what a cell printed, or the exception that ended it."""
    for output in outputs:
        if output.output_type == "error":
            return f"raised {output.ename}: {output.evalue}"
    return "".join(output.get("text", "") for output in outputs).strip()


def run_outside(setup, folder, user, possible_for):
    """Run what some may do without the sandbox, as a user."""
    cells = {probe.name: probe.source for probe in PROBES if probe.possible_for == possible_for}
    for trace in TRACES:
        if trace.possible_for == possible_for:
            cells[trace.name] = f"{trace.leave}\nprint({trace.found})"
    other = {} if user == os.getuid() else {"user": user, "group": user, "extra_groups": []}
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("outside.py")],
        input=json.dumps({"setup": setup, "cells": cells}),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        **other,
    )
    return json.loads(done.stdout)


def left_of(mark):
    """Name what hostile code left in the folders that all programs share, and remove it."""
    shared = [Path(place) / mark for place in (tempfile.gettempdir(), "/dev/shm")]
    found = [str(path) for path in shared if path.exists()]
    for path in found:
        os.remove(path)
    return found


def processes_naming(text):
    """List the processes whose arguments hold a text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if text.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def attack(folder):
    """Run the probes in the sandbox; return what came of them, and the user of the kernels."""
    make_course(folder)
    own = folder / "course/submitted/own/round"
    neighbour = launcher().workspace(folder / "course/submitted/other/round").work
    open_to_all(neighbour)
    targets = folder / "course", folder / "home", neighbour
    with canary() as process, Ears(folder) as ears:
        setup = setup_cell(folder, process, ears, neighbour)
        before = state(*targets)
        leave = {"leave-" + trace.name: trace.leave for trace in TRACES}
        honest = {name: source for name, (source, _) in HONEST.items()}
        looks = {trace.name: f"print({trace.found})" for trace in TRACES}
        probes = {probe.name: probe.source for probe in PROBES}
        first = run_cells(own, setup, {"id": IDENTITY, **honest, **leave, **probes})
        second = run_cells(own, setup, {"id": IDENTITY, **looks})
        draws = [run_cells(own, setup, {"draws": DRAWS})["draws"] for _ in range(2)]
        after = state(*targets)
        changed = [name for name in before | after if before.get(name) != after.get(name)]
        result = {
            "inside": {name: first[name] for name in probes},
            "honest": {name: first[name] for name in honest},
            "found": {name: second[name] for name in looks},
            "grader": os.getuid(),
            "kernels": [json.loads(kernel["id"]) for kernel in (first, second)],
            "draws": draws,
            "changed": changed + left_of(mark_of(folder)),
            "guests": ears.guests(),
            "canary": process.poll() is None,
        }
    place = neighbour.parents[1]
    problems = []
    for step in (lambda: leave_litter(own, setup), launcher().close):
        try:
            step()
        except Exception as problem:
            problems.append(f"{type(problem).__name__}: {problem}")
    result |= {"clearing_up": problems, "folder": place.exists()}
    result["processes"] = processes_naming(str(place))
    subprocess.run(["chmod", "-Rf", "u+rwx", place], check=False)
    subprocess.run(["rm", "-rf", place], check=False)
    return result


def leave_litter(folder, setup):
    """Leave folders that are hard to remove, each by a kernel of its own."""
    for source in LITTER.values():
        with suppress(DeadKernelError):  # the sandbox may well kill such a kernel
            run_cells(folder, setup, {"litter": source})


def try_outside(folder, user):
    """Run the probes without the sandbox, on a twin course, as the user that kernels have."""
    make_course(folder)
    neighbour = folder / "course/submitted/other/launcher/1/work"
    neighbour.mkdir(parents=True)
    (neighbour / "notes.txt").write_text("another thought")
    own = folder / "course/submitted/own/round"
    with canary() as process, Ears(folder) as ears:
        setup = setup_cell(folder, process, ears, neighbour)
        open_to_all(neighbour.parents[2])
        try:
            found = run_outside(setup, own, user, ANYONE)
            return found | run_outside(setup, own, os.getuid(), GRADER)
        finally:
            left_of(mark_of(folder))


def main():
    """Attack with the sandbox, then without, and print what was seen."""
    with tempfile.TemporaryDirectory() as inside, tempfile.TemporaryDirectory() as outside:
        result = attack(Path(inside))
        result["outside"] = try_outside(Path(outside), result["kernels"][0]["uid"][0])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
