"""Notebooks on a real Dask cluster: a scheduler and its workers, processes of this machine."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import psutil
import pytest
from distributed import Client
from nbformat.v4 import new_code_cell, new_notebook

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading import cluster as module
from coursekit.grading import remote, workforce
from coursekit.grading.cluster import Cluster
from coursekit.grading.running import Job, run_in_thread
from coursekit.judging.preprocessors import MIME, PoseChallenges
from coursekit.judging.seeds import course_secret
from coursekit.kernels import seccomp
from coursekit.kernels.fork import SandboxError

from ..attacks.test_handed_in import CONFIG, source_notebook

PATIENCE = 60
NO_FILES = "/nowhere"
ODD_NAME = os.fsdecode(b"\xff.txt")
# A worker that a certain notebook ends, as one does that needs too much memory.
DEADLY = """
import os, signal
from coursekit.grading import remote

def work_or_die(name, process, notebook, *rest, work=remote.work):
    if b"DEADLY" in notebook:
        os.kill(os.getpid(), signal.SIGKILL)
    return work(name, process, notebook, *rest)

remote.work = work_or_die
"""
OLDER = "import coursekit\ncoursekit.__version__ = '0.0'\n"
WITHOUT_COURSEKIT = "import sys\nsys.modules['coursekit'] = None\n"


def wait_for(condition):
    """Wait until a condition holds, which it must in a minute."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


class Site:
    """A scheduler and workers; what starts here, ends with the test."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.processes, self.workers = [], []

    def scheduler(self, preload=""):
        options = ["--port", "0", "--scheduler-file", str(self.file)]
        process = self._start("dask_scheduler", preload, *options)
        wait_for(lambda: self.file.exists() and self.file.read_text())
        self.address = json.loads(self.file.read_text())["address"]
        return process

    def worker(self, preload="", threads=1, **environment):
        options = [
            "--no-nanny",
            "--nthreads",
            str(threads),
            "--local-directory",
            str(self.folder / "local"),
        ]
        options += ["--scheduler-file", str(self.file)]
        self.workers.append(self._start("dask_worker", preload, *options, **environment))
        return self.workers[-1]

    def _start(self, program, preload, *options, **environment):
        script = self.folder / f"preload_{len(self.processes)}.py"
        script.write_text(preload)
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--preload", str(script)]
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--no-dashboard", *options],
                stderr=log,
                cwd=self.folder,
                env=os.environ | environment,
            )
        self.processes.append(process)
        return process

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A scheduler and two workers, used by several tests."""
    made = Site(tmp_path_factory.mktemp("site"))
    made.scheduler()
    made.worker(), made.worker()
    yield made
    made.close()


@pytest.fixture(scope="module")
def running(shared):
    with Cluster(str(shared.file)) as cluster:
        wait_for(lambda: cluster.width == 2)
        yield cluster


def notebook(*sources):
    return new_notebook(
        cells=[new_code_cell(source, id=f"c{i}") for i, source in enumerate(sources)]
    )


def job(*sources, folder=NO_FILES, **limits):
    text = json.dumps(notebook(*sources), ensure_ascii=False)
    return Job(text, str(folder), {"BoundedExecute": limits})


def printed(text):
    """Give what the last cell of a notebook printed."""
    return "".join(output.get("text", "") for output in json.loads(text)["cells"][-1]["outputs"])


def without_times(text):
    after = nbformat.reads(text, as_version=4)
    for cell in after.cells:
        cell.metadata.pop("execution", None)
    return after


def kernels_of(worker):
    """List the processes below a worker's that run notebooks, and the one that forks them."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(worker.pid).children(recursive=True)
    return []


def threads():
    """List what runs in this process for a cluster that is in use."""
    return {thread for thread in threading.enumerate() if thread.name == "cluster"}


def runs(worker):
    return len(kernels_of(worker)) > 1


# --- A cluster on which nothing goes wrong ----------------------------------------------------


@pytest.fixture
def work_folder(tmp_path):
    folder = tmp_path / "work"
    (folder / "package" / "deep").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "package" / "deep" / "module.py").write_text("ANSWER = 42\n")
    (folder / "data.bin").write_bytes(bytes(11 * 2**20))
    (folder / ODD_NAME).write_text("no text")
    (folder / "other.ipynb").write_text("{}")
    (folder / "link").symlink_to("/etc/passwd")
    return folder


FILES = """
import os
from package.deep.module import ANSWER
print(ANSWER, os.environ.get("NBGRADER_EXECUTION"), os.path.getsize("data.bin"))
names = ("package", "empty", os.fsdecode(b"\\xff.txt"), "other.ipynb", "link")
print([os.path.lexists(name) for name in names])
open("empty/mine", "w").write("x")
"""


@pytest.mark.parametrize(
    "sources",
    [
        (FILES,),
        ("import numpy as np\nimport matplotlib.pyplot as plt", "plt.plot([1, 2])\nnp.arange(3)"),
        ("x = 1", "x / 0", "print(x)"),
        ("while True:\n    pass", "print('after')"),
        ("import os\nos._exit(1)", "print('after')"),
        ("open('/etc/passwd').read()", "print('\N{GREEK SMALL LETTER PHI}')"),
        ("print('before')", "print('half a character: \ud800')", "print('after')"),
    ],
    ids=["files", "figure", "error", "endless", "dead", "locked-in", "no-text"],
)
def test_notebook_gives_the_same_on_the_cluster_as_here(running, work_folder, sources, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    same = job(*sources, folder=work_folder, cell_timeout=3)
    there = running.submit(same)
    assert without_times(there.result(PATIENCE)) == without_times(run_in_thread(same))


def test_more_notebooks_than_workers_are_all_run(running):
    futures = [running.submit(job(f"print({number})")) for number in range(7)]
    ran = [future.result(PATIENCE) for future in futures]
    assert [printed(text) for text in ran] == [f"{number}\n" for number in range(7)]


def test_nothing_that_was_unpacked_is_left(running, shared):
    running.submit(job("1")).result(PATIENCE)
    assert list((shared.folder / "local").rglob("worker-*"))
    assert not list((shared.folder / "local").rglob("notebook-*"))


def test_notebook_that_has_become_too_large_is_not_sent_back(running, shared):
    with Client(shared.address, set_as_default=False) as client:
        client.run(lambda: setattr(remote, "LARGEST_ANSWER", 2**20))
        with pytest.raises(KitError, match="^after the run it has more than 1 MiB"):
            running.submit(job("'x' * 2**21")).result(PATIENCE)
        client.run(lambda: setattr(remote, "LARGEST_ANSWER", 2**30))


def test_another_process_than_the_one_that_was_asked_runs_nothing(shared):
    """One that has the address of a lost worker, say."""
    with Client(shared.address, set_as_default=False) as client:
        parcel = remote.parcel(job("1"))
        answer = client.submit(remote.work, "name", "another", *parcel).result(PATIENCE)
    assert answer == (remote.LEFT, b"")


@contextmanager
def overheard(address):
    """Pass connections on to an address; gives the new address and all that was sent to it."""
    sent = bytearray()
    host, _, port = address.removeprefix("tcp://").rpartition(":")

    def copy(source, target, notes):
        with suppress(OSError):
            while data := source.recv(2**16):
                notes += data
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def serve():
        with suppress(OSError):
            while True:
                ours = listener.accept()[0]
                theirs = socket.create_connection((host, int(port)))
                opened.extend((ours, theirs))
                for ends in ((ours, theirs, sent), (theirs, ours, bytearray())):
                    threads.append(threading.Thread(target=copy, args=ends))
                    threads[-1].start()

    opened, threads = [], [threading.Thread(target=serve)]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads[0].start()
        try:
            yield f"tcp://127.0.0.1:{listener.getsockname()[1]}", sent
        finally:
            for end in (listener, *opened):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
            for end in opened:
                end.close()


@pytest.fixture
def posed(tmp_path):
    """A course with its secret and a submission, whose notebook is ready to run."""
    root = tmp_path / "judged"
    root.mkdir()
    shutil.copy(CONFIG, root)
    folder = root / "submitted" / "anna" / "round"
    folder.mkdir(parents=True)
    (folder / "helper.py").write_text("HELP = 'of anna'\n")
    course = Course(root)
    notebook, _ = PoseChallenges(config=course.config).preprocess(source_notebook(), {})
    return course, folder, json.dumps(notebook)


def test_no_secret_and_no_path_of_the_course_travels(shared, posed):
    course, folder, text = posed
    secret = course_secret(course.root / ".coursekit" / "secret")
    settings = {name: dict(course.config[name]) for name in course.config}
    assert str(course.root) in str(settings)
    with overheard(shared.address) as (address, sent), Cluster(address) as cluster:
        ran = cluster.submit(Job(text, str(folder), settings)).result(PATIENCE)
    assert MIME in ran
    for needed in (b"learning_rate", b"of anna"):
        assert needed in sent
    for form in (secret, secret.hex().encode(), b"anna/round"):
        assert form not in sent
    for word in (str(course.root), str(Path.cwd()), "gradebook", ".coursekit/", "submitted"):
        assert word.encode() not in sent


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt, None])
def test_leaving_ends_what_runs_and_what_waits(shared, end):
    before = threads()
    with suppress(*filter(None, [end])), Cluster(shared.address) as cluster:
        wait_for(lambda: cluster.width == 2)
        sleep = job("import time\ntime.sleep(60)", cell_timeout=60)
        futures = [cluster.submit(sleep) for _ in range(4)]
        wait_for(lambda: all(map(runs, shared.workers)))
        if end:
            raise end
    assert all(future.cancelled() for future in futures)
    wait_for(lambda: not any(map(runs, shared.workers)))
    assert threads() == before
    with Client(shared.address, set_as_default=False) as client:
        wait_for(lambda: not client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.tasks))


# --- Workers that are lost --------------------------------------------------------------------


def test_notebook_of_a_killed_worker_is_run_on_another_and_no_process_is_left(shared):
    with Cluster(shared.address) as cluster:
        wait_for(lambda: cluster.width == 2)
        future = cluster.submit(job("import time\ntime.sleep(2)\nprint('to its end')"))
        lost = wait_for(lambda: next(filter(runs, shared.workers), None))
        below = kernels_of(lost)
        lost.send_signal(signal.SIGKILL)
        shared.workers.remove(lost)
        assert printed(future.result(PATIENCE)) == "to its end\n"
        wait_for(lambda: not any(process.is_running() for process in below))
        assert cluster.width == 1
    assert shared.workers[0].poll() is None
    shared.worker()  # there shall be two again


def test_notebook_that_loses_two_workers_fails_alone(site):
    site.scheduler()
    for _ in range(3):
        site.worker(DEADLY)
    with Cluster(site.address) as cluster:
        wait_for(lambda: cluster.width == 3)
        deadly = cluster.submit(job("print('DEADLY')"))
        others = [cluster.submit(job(f"print({number})")) for number in range(4)]
        with pytest.raises(KitError, match=r"lost, first tcp://.* and then tcp://.* third time"):
            deadly.result(PATIENCE)
        ran = [future.result(PATIENCE) for future in others]
        assert [printed(text) for text in ran] == [f"{number}\n" for number in range(4)]
    assert sorted(str(worker.poll()) for worker in site.workers) == ["-9", "-9", "None"]


def test_lost_scheduler_ends_all_notebooks_with_a_sentence(site, monkeypatch):
    """After a worker that was waited for has come."""
    monkeypatch.setattr(module, "CONNECTING", 0.5)
    scheduler = site.scheduler()
    said = []
    threading.Timer(0.5, site.worker).start()
    with Cluster(site.address, said.append) as cluster:
        assert said == [f"No Dask worker is at {site.address}; waiting for one, until Ctrl-C."]
        sleep = job("import time\ntime.sleep(60)", cell_timeout=60)
        futures = [cluster.submit(sleep) for _ in range(2)]
        time.sleep(0.2)  # one of them has been sent
        scheduler.kill()
        for future in (*futures, cluster.submit(sleep)):
            with pytest.raises(KitError, match="^The Dask scheduler at tcp://.* was lost: "):
                future.result(PATIENCE)


# --- Workers that are refused -----------------------------------------------------------------


def test_worker_that_cannot_run_notebooks_safely_is_refused_and_told_once(site, monkeypatch):
    monkeypatch.setattr(workforce, "HOPE", 0.5)
    (site.folder / seccomp.LIBRARY).touch()  # is no library
    site.scheduler()
    site.worker(threads=2, LD_LIBRARY_PATH=str(site.folder))
    said = []
    with Cluster(site.address, said.append) as cluster:
        jobs = [job(f"print({number})") for number in range(4)]
        with pytest.raises(SandboxError, match="^No Dask worker at .* the sandbox is not complete"):
            cluster.submit(jobs[0]).result(PATIENCE)
    del said[:]
    site.worker("import sys\nsys.modules['nbgrader'] = None\n")
    site.worker()
    with Cluster(site.address, said.append) as cluster:
        wait_for(lambda: cluster.width == 4)
        futures = [cluster.submit(job) for job in jobs]
        ran = [future.result(PATIENCE) for future in futures]
        assert [printed(text) for text in ran] == [f"{number}\n" for number in range(4)]
        assert cluster.width == 1
    assert len(said) == 2
    for reason in ("the sandbox is not complete: libseccomp", "ModuleNotFoundError: .*nbgrader"):
        assert [s for s in said if re.match(f"The Dask worker tcp://.* is refused: .*{reason}", s)]
    assert [worker.poll() for worker in site.workers] == [None, None, None]


@pytest.mark.parametrize(
    ("preload", "reason"),
    [
        (OLDER, "the versions differ: coursekit 0.0 there"),
        (WITHOUT_COURSEKIT, "No module named|halted"),
    ],
    ids=["other-version", "none"],
)
def test_worker_with_another_coursekit_is_refused(site, preload, reason, monkeypatch):
    monkeypatch.setattr(workforce, "HOPE", 0.5)
    site.scheduler()
    site.worker(preload)
    with pytest.raises(SandboxError, match=reason), Cluster(site.address):
        pass


@pytest.mark.parametrize("preload", [OLDER, WITHOUT_COURSEKIT], ids=["other-version", "none"])
def test_scheduler_with_another_coursekit_is_not_used(site, preload):
    site.scheduler(preload)
    with pytest.raises(KitError, match="^The Dask scheduler at tcp.* cannot be used: .*coursekit"):
        Cluster(site.address).__enter__()


# --- No cluster at all ------------------------------------------------------------------------


def test_waiting_for_the_first_worker_can_be_interrupted(site):
    def interrupt(_):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    before = threads()
    site.scheduler()
    with pytest.raises(KeyboardInterrupt), Cluster(site.address, interrupt):
        pass
    assert threads() == before


def test_nobody_at_the_address_is_told(monkeypatch):
    monkeypatch.setattr(module, "CONNECTING", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(
            KitError, match=f"^The Dask scheduler at {address} cannot be used: no answer in 0.5 s"
        ):
            Cluster(address).__enter__()
    with pytest.raises(KitError, match=f"^The Dask scheduler at {address} cannot be used: "):
        Cluster(address).__enter__()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no scheduler file .*; an address begins with tcp:// or tls://"),
        ("{", "cannot be read as a scheduler file: "),
        ("[1]", "cannot be read as a scheduler file: "),
        ("{}", "cannot be read as a scheduler file: 'address'"),
    ],
    ids=["missing", "damaged", "list", "without-address"],
)
def test_what_is_no_scheduler_file_is_told(tmp_path, content, words):
    path = tmp_path / "scheduler.json"
    if content:
        path.write_text(content)
    with pytest.raises(KitError, match=words):
        Cluster(str(path))


def test_missing_distributed_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(KitError, match=re.escape('pip install "coursekit[dask]"')):
        Cluster("tcp://127.0.0.1:1")


# --- What is sent -----------------------------------------------------------------------------


def test_parcel_holds_plain_files_and_folders_only(work_folder):
    os.mkfifo(work_folder / "pipe")
    _, files, _ = remote.parcel(job(folder=work_folder))
    assert files == {
        "empty": None,
        "package": None,
        "package/deep": None,
        "package/deep/module.py": b"ANSWER = 42\n",
        "data.bin": bytes(11 * 2**20),
        ODD_NAME: b"no text",
    }


def test_too_large_folder_is_not_sent(running, work_folder, monkeypatch):
    monkeypatch.setattr(remote, "LARGEST_FOLDER", 10 * 2**20)
    with pytest.raises(KitError, match="holds more than 10 MiB beside the notebooks"):
        running.submit(job("1", folder=work_folder)).result(PATIENCE)


@pytest.mark.parametrize(
    ("section", "setting", "words"),
    [
        ("BoundedExecute", {"unsafe_no_sandbox": True}, "only in the sandbox"),
        ("NotebookClient", {"on_cell_start": print}, "cannot be sent to Dask workers: .*builtin"),
    ],
)
def test_settings_that_must_not_travel_are_refused(running, tmp_path, section, setting, words):
    with pytest.raises(KitError, match=words):
        running.submit(Job("{}", str(tmp_path), {section: setting})).result(PATIENCE)


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out"])
def test_nothing_is_unpacked_outside_the_folder(tmp_path, name):
    (tmp_path / "inside").mkdir()
    with pytest.raises(ValueError, match="leads out of the folder"):
        remote.unpack({name: b""}, tmp_path / "inside")
    assert not (tmp_path / "out").exists()
