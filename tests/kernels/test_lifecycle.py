"""Starting, interrupting, restarting and ending kernels and the process that forks them."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning import KernelProvisionerFactory
from traitlets.config import Config

from coursekit.kernels import launcher as module
from coursekit.kernels import machine, policy
from coursekit.kernels.launcher import Launcher, SandboxError, launcher
from coursekit.kernels.provisioner import NAME, SandboxManager, SandboxProvisioner

PATIENCE = 20.0


def wait_until(holds):
    """Wait for a condition; return whether it came to hold."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


async def answer(client, source):
    """Run a cell; return the reply's status and what was printed."""
    request, said = client.execute(source, allow_stdin=False), []
    while True:
        message = await client.iopub_channel.get_msg(timeout=PATIENCE)
        content = message["content"]
        if message["parent_header"].get("msg_id") == request:
            said.append(content.get("text", ""))
            if content.get("execution_state") == "idle":
                break
    reply = await client.shell_channel.get_msg(timeout=PATIENCE)
    assert reply["parent_header"]["msg_id"] == request
    return reply["content"]["status"], "".join(said)


def with_kernel(use, folder, **settings):
    """Start a kernel, call ``await use(manager, client)``, and shut the kernel down."""

    async def session():
        manager = SandboxManager(config=Config({"SandboxProvisioner": settings}))
        await manager.start_kernel(cwd=str(folder))
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=PATIENCE)
        try:
            return await use(manager, client)
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)

    return asyncio.run(session())


async def restart(manager, client):
    """Start the kernel again, and connect to it."""
    await manager.restart_kernel()
    client.stop_channels()
    client.start_channels()


def test_provisioner_is_found_by_its_entry_point():
    spec = KernelSpec(metadata={"kernel_provisioner": {"provisioner_name": NAME}})
    factory = KernelProvisionerFactory()
    assert factory.is_provisioner_available(spec)
    assert factory.get_provisioner_entries()[NAME].endswith(SandboxProvisioner.__name__)


def test_kernel_answers_over_the_one_socket_it_was_born_with(tmp_path):
    async def use(manager, client):
        kernel = psutil.Process(manager.provisioner._kernel.pid)
        assert await answer(client, "print(6 * 7)") == ("ok", "42\n")
        assert not kernel.net_connections("inet")
        assert kernel.num_threads() == 1
        assert not os.path.exists(manager.connection_file)
        sockets = (
            "import os\nfor n in range(100):\n    try: print(os.readlink(f'/proc/self/fd/{n}'))"
        )
        links = (await answer(client, f"{sockets}\n    except OSError: pass"))[1].splitlines()
        # Two more are the pair by which asyncio wakes itself.
        assert sum(link.startswith("socket:") for link in links) == 3
        return manager.provisioner._space.root

    assert not with_kernel(use, tmp_path).exists()


def test_interrupt_ends_the_cell_and_not_the_kernel(tmp_path):
    async def use(manager, client):
        running = asyncio.create_task(answer(client, "import time\ntime.sleep(60)"))
        await asyncio.sleep(0.3)
        await manager.interrupt_kernel()
        assert (await running)[0] == "error"
        return await answer(client, "print('goes on')")

    assert with_kernel(use, tmp_path) == ("ok", "goes on\n")


def test_interrupt_hits_the_cell_that_runs_even_where_the_zygote_is_late(tmp_path):
    async def use(manager, client):
        zygote = psutil.Process(launcher()._process.pid)
        running = asyncio.create_task(answer(client, "import time\ntime.sleep(60)"))
        await asyncio.sleep(0.3)
        zygote.suspend()
        try:
            await manager.interrupt_kernel()
            ended = await asyncio.wait_for(running, 10)
        finally:
            zygote.resume()
        return ended[0], await answer(client, "print('goes on')")

    assert with_kernel(use, tmp_path) == ("error", ("ok", "goes on\n"))


def test_restart_gives_a_new_process_and_keeps_the_files(tmp_path):
    async def use(manager, client):
        await answer(client, "x = 1\nopen('kept', 'w').close()")
        first = manager.provisioner._kernel.pid
        await restart(manager, client)
        assert manager.provisioner._kernel.pid != first
        return await answer(client, "import os\nprint('x' in dir(), os.path.exists('kept'))")

    assert with_kernel(use, tmp_path) == ("ok", "False True\n")


@pytest.mark.parametrize(("ending", "code"), [("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", -9)])
def test_exit_code_of_a_kernel_is_told(tmp_path, ending, code):
    async def use(manager, client):
        client.execute(f"import os\n{ending}")
        return await asyncio.wait_for(manager.provisioner.wait(), PATIENCE)

    assert with_kernel(use, tmp_path) == code


def test_kernels_have_random_numbers_of_their_own(tmp_path):
    source = "import random, numpy as np\nprint(random.random(), np.random.rand())"

    async def use(_, client):
        return (await answer(client, source))[1]

    first, second = (with_kernel(use, tmp_path).split() for _ in range(2))
    assert not set(first) & set(second)


def test_environment_brings_no_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_THE_COURSE", "secret")
    monkeypatch.setenv("LANG", "C.UTF-8")

    async def use(_, client):
        return (await answer(client, "import os\nprint(dict(os.environ))"))[1]

    environment = with_kernel(use, tmp_path)
    assert "secret" not in environment
    assert "C.UTF-8" in environment
    assert environment.count("THREADS': '1'") == 4


def test_course_may_offer_data_packages_and_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("ROUND_DATA", "full name")
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "data.txt"
        data.write_text("numbers")
        Path(place).chmod(0o755)

        async def use(_, client):
            source = "import os\nimport hypothesis\nprint(os.environ['ROUND_DATA'])"
            return await answer(client, f"{source}\nprint(open({str(data)!r}).read())")

        offers = {"readable": [place], "packages": ["hypothesis"], "environment": ["ROUND_DATA"]}
        assert with_kernel(use, tmp_path, **offers) == ("ok", "full name\nnumbers\n")
        assert with_kernel(use, tmp_path, readable=[place])[0] == "error"


HANDED_IN = ("storemagic", "argcomplete", "sitecustomize", "ipykernel_config", "ipython_config")


def test_nothing_that_was_handed_in_runs_before_the_kernel_is_ready(tmp_path):
    for name in HANDED_IN:
        (tmp_path / f"{name}.py").write_text(f"open('ran-{name}', 'w').close()")
    startup = tmp_path / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-first.py").write_text("open('ran-startup', 'w').close()")

    async def use(manager, client):
        work = manager.provisioner._space.work
        assert not list(work.rglob("ran-*"))
        assert (await answer(client, "import storemagic"))[0] == "ok"
        assert [path.name for path in work.rglob("ran-*")] == ["ran-storemagic"]
        (work / "ran-storemagic").unlink()
        await restart(manager, client)
        assert not list(work.rglob("ran-*"))

    with_kernel(use, tmp_path)


def test_zygote_that_died_is_replaced_and_its_kernels_die_with_it(tmp_path):
    async def use(manager, client):
        old = launcher()
        kernel = psutil.Process(manager.provisioner._kernel.pid)
        os.kill(old._process.pid, signal.SIGKILL)
        assert wait_until(lambda: not kernel.is_running())
        assert await manager.provisioner.poll() == -9
        assert launcher() is not old
        assert not old._folder.exists()

    with_kernel(use, tmp_path)

    async def again(_, client):
        return await answer(client, "print('again')")

    assert with_kernel(again, tmp_path) == ("ok", "again\n")


GRADER = """
import asyncio, time
from coursekit.kernels.launcher import launcher
from coursekit.kernels.provisioner import SandboxManager

manager = SandboxManager()
asyncio.run(manager.start_kernel())
print(launcher()._process.pid, manager.provisioner._kernel.pid, launcher()._folder, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_a_grader_that_was_ended(how):
    with subprocess.Popen(
        [sys.executable, "-c", GRADER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as grader:
        zygote, kernel, folder = grader.stdout.readline().split()
        assert psutil.pid_exists(int(zygote))
        assert psutil.pid_exists(int(kernel))
        grader.send_signal(how)
        assert wait_until(lambda: not psutil.pid_exists(int(zygote)))
        assert not psutil.pid_exists(int(kernel))
        assert wait_until(lambda: not os.path.exists(folder))


def test_nothing_is_left_of_a_grader_that_was_killed_while_the_zygote_started():
    with tempfile.TemporaryDirectory(prefix="ck", dir="/tmp") as place:
        with subprocess.Popen(
            [sys.executable, "-c", GRADER], env={**os.environ, "TMPDIR": place}
        ) as grader:
            assert wait_until(lambda: list(Path(place).glob("ck-*/*")))  # it warms up
            grader.kill()
        assert wait_until(lambda: not list(Path(place).glob("ck-*")))


def test_looking_from_inside_answers_every_time():
    for _ in range(150):
        assert launcher().what_opens(["/etc/shadow", "/dev/null"]) == ["/dev/null"]


def test_closed_launcher_leaves_nothing():
    running = Launcher()
    running.workspace()
    running.close()
    assert not running.alive
    assert not running._folder.exists()


def test_forked_grader_starts_a_zygote_of_its_own():
    ours = launcher()._process.pid
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        theirs = launcher()
        os.write(sender, str(theirs._process.pid).encode())
        theirs.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(receiver, 20)) != ours
    os.close(receiver)
    os.close(sender)
    assert launcher()._process.pid == ours
    assert launcher().alive
    launcher().workspace().remove()


def test_forked_grader_leaves_its_parents_kernels_alone():
    running = launcher()
    child = os.fork()
    if child == 0:
        running.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert running.alive
    running.workspace().remove()


def test_only_plain_files_are_copied_into_the_work_folder(tmp_path):
    (tmp_path / "nnlab").mkdir()
    (tmp_path / "nnlab" / "start.py").write_text("")
    (tmp_path / "work.ipynb").write_text("{}")
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    space = launcher().workspace(tmp_path)
    found = sorted(path.relative_to(space.work).as_posix() for path in space.work.rglob("*"))
    assert found == ["nnlab", "nnlab/start.py"]
    space.remove()


def test_machine_without_the_sandbox_runs_nothing(monkeypatch):
    monkeypatch.setattr(module, "missing", lambda: "the sandbox needs Linux")
    with pytest.raises(SandboxError, match="is not run.*needs Linux.*--unsafe-no-sandbox"):
        Launcher()


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_told_what_is_needed(monkeypatch, system):
    monkeypatch.setattr(machine.sys, "platform", system)
    assert "needs Linux" in machine.missing()


def test_setting_that_the_sandbox_cannot_keep_is_a_sentence(tmp_path):
    space = launcher().workspace(tmp_path)
    limits = policy.Limits(open_files=3)
    with pytest.raises(SandboxError, match="No kernel could be started in the sandbox: "):
        asyncio.run(launcher().start(space, limits, [], {}).ready())
    space.remove()
