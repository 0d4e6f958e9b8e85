"""The hub's configuration in docs/jupyterhub: it loads, and starts the course's server as told."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from traitlets.config.loader import PyFileConfigLoader

FOLDER = Path(__file__).parents[1] / "docs/jupyterhub"


@pytest.fixture(scope="module")
def config():
    return PyFileConfigLoader("jupyterhub_config.py", path=str(FOLDER)).load_config()


def spawner(name):
    return SimpleNamespace(
        user=SimpleNamespace(name=name), default_url="/lab", notebook_dir="", cmd=["usual"]
    )


def test_teachers_alone_reach_the_course_account(config):
    assert [role["groups"] for role in config.JupyterHub.load_roles] == [["teachers"]]
    scopes = config.JupyterHub.load_roles[0]["scopes"]
    assert all(scope.endswith("!user=course") for scope in scopes)


def test_a_student_gets_the_usual_server(config):
    student = spawner("student")
    config.Spawner.pre_spawn_hook(student)
    assert student == spawner("student")


def test_the_course_server_starts_in_the_course_folder_with_private_files(config, tmp_path):
    course = spawner("course")
    config.Spawner.pre_spawn_hook(course)
    assert (course.default_url, course.notebook_dir) == ("/formgrader", "/srv/course")
    assert course.cmd[-2:] == ["/srv/course", "jupyterhub-singleuser"]
    told = "import os, sys; print(os.getcwd(), oct(os.umask(0)), sys.argv[1:])"
    command = [*course.cmd[:-2], str(tmp_path), sys.executable, "-c", told, "--port=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == f"{tmp_path} 0o77 ['--port=1']"
