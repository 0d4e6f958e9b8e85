"""A browser, and JupyterLab as somebody has it who installed it a minute ago."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright

from tests.e2e.lab import PATIENCE, Notebook

ROOT = Path(__file__).parents[2]
TOKEN = "only-for-this-test"
SETTINGS = {
    # Cells out of sight are there as well, and nothing is fetched from the network.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium: the system's if there is one, or else Playwright's own."""
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                # A container's root has no other sandbox; the pages are all our own.
                args=["--no-sandbox"] if os.getuid() == 0 else [],
            )
        except Error as problem:
            sentence = f"No Chromium starts ({str(problem).splitlines()[0]}); run make e2e-setup."
            pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
        yield chromium
        chromium.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Keep what the page looked like when a test failed."""
    report = yield
    page = item.funcargs.get("page") if hasattr(item, "funcargs") else None
    if report.when == "call" and report.failed and page is not None:
        page.screenshot(path=ROOT / "build" / "e2e" / f"{item.name}.png")
    return report


@pytest.fixture
def page(browser):
    """A page of a fresh profile, as wide as a small laptop's."""
    context = browser.new_context(viewport={"width": 1300, "height": 950})
    context.set_default_timeout(1000 * PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The environment of a user who has no settings of Jupyter."""
    folder = tmp_path_factory.mktemp("home")
    for name, values in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    names = ("LANG", "TZ", "CI", "PYTHONPATH")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "OPENBLAS_NUM_THREADS": "1",
    }


@pytest.fixture(scope="session")
def serve(home):
    """Return a context in which a server runs in a folder; it gives the server's address."""

    @contextmanager
    def serve(folder, *command):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            port = free.getsockname()[1]
        options = ["--no-browser", f"--port={port}", f"--IdentityProvider.token={TOKEN}"]
        if os.getuid() == 0:
            options.append("--allow-root")
        with (folder / ".server.log").open("w") as log:
            server = subprocess.Popen(
                [*command, *options], cwd=folder, env=home, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                address = f"http://localhost:{port}"
                wait_for(f"{address}/api?token={TOKEN}", server, log.name)
                yield address
            finally:
                server.terminate()
                server.wait(timeout=PATIENCE)

    return serve


@pytest.fixture(scope="session")
def serve_formgrader(home):
    """Return a context in which `coursekit formgrader` runs; it gives the address it prints."""

    @contextmanager
    def serve_formgrader(course):
        command = [sys.executable, "-P", "-m", "coursekit", "formgrader", "--no-browser"]
        log = course.build / "server.log"
        with (
            log.open("w") as errors,
            subprocess.Popen(
                [*command, "--course", str(course.root)],
                env=home,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            ) as server,
        ):
            address = server.stdout.readline().split()[-1]
            try:
                wait_for(address, server, log)
                yield address
            finally:
                server.terminate()

    return serve_formgrader


def wait_for(address, server, log):
    """Wait until a server answers."""
    for _ in range(10 * PATIENCE):
        try:
            urllib.request.urlopen(address, timeout=PATIENCE).close()
            return
        except OSError:
            assert server.poll() is None, Path(log).read_text()
            time.sleep(0.1)
    pytest.fail(Path(log).read_text())


@pytest.fixture(scope="session")
def handout(tmp_path_factory):
    """The folder that a student unpacks."""
    return shutil.copytree(ROOT / "release" / "round09", tmp_path_factory.mktemp("s") / "round09")


@pytest.fixture(scope="session")
def student_lab(serve, handout):
    """JupyterLab in a student's folder."""
    with serve(handout, sys.executable, "-m", "jupyterlab") as address:
        yield address


@pytest.fixture
def notebook(student_lab, page):
    """Return a function that opens one of the student's notebooks."""
    return lambda name: Notebook.open(page, student_lab, TOKEN, name)
