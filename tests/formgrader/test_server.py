"""`coursekit formgrader` starts, tells in a sentence why not, and ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from click.testing import CliRunner

from coursekit.cli import main
from coursekit.errors import KitError
from coursekit.formgrader.server import HOST, Server, free_port

PATIENCE = 90


@pytest.fixture
def taken():
    """A port that is in use."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_token_is_told_to_the_server_and_not_in_its_command(released):
    server = Server(released, 8888)
    assert server.token in server.environment["JUPYTER_TOKEN"]
    assert server.token not in " ".join(server.command)
    assert server.url.endswith(f"?token={server.token}")
    assert server.token not in repr(server)


def test_port_in_use_is_told(released, taken):
    ran = CliRunner().invoke(
        main, ["formgrader", "--course", str(released.root), "--port", str(taken)]
    )
    assert ran.exit_code == 1
    assert ran.stderr.startswith(f"Error: Port {taken} cannot be used")


def test_free_port_is_found(taken):
    assert free_port(None) != taken
    with pytest.raises(KitError, match="--port"):
        free_port(taken)


def test_folder_that_is_no_course_is_told(tmp_path):
    ran = CliRunner().invoke(main, ["formgrader", "--course", str(tmp_path)])
    assert (ran.exit_code, "is not a course folder" in ran.stderr) == (1, True)


def test_formgrader_of_the_course_is_served_and_ctrl_c_ends_it(released):
    port = free_port(None)
    command = [sys.executable, "-P", "-m", "coursekit", "formgrader", "--no-browser"]
    with subprocess.Popen(
        [*command, "--port", str(port), "--course", str(released.root)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            address = process.stdout.readline().split()[-1]
            base, _, token = address.partition("?")
            request = urllib.request.Request(
                f"http://{HOST}:{port}/formgrader/api/assignments",
                headers={"Authorization": f"token {token.removeprefix('token=')}"},
            )
            answer = _answer(request, process)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
    assert base == f"http://{HOST}:{port}/formgrader"
    assert '"name": "round"' in answer


def _answer(request, process):
    """Ask until the server is there."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.read().decode()
        except urllib.error.URLError as problem:
            ended = process.poll() is not None or time.monotonic() > end
            if ended or isinstance(problem, urllib.error.HTTPError):
                raise
            time.sleep(0.2)
