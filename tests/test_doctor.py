"""What `coursekit doctor` finds on a healthy machine, and what it says of each miss."""

import ctypes
import os
import shutil
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest
from matplotlib import font_manager
from rich.console import Console

from coursekit import doctor
from coursekit.course import CONFIG_FILE
from coursekit.doctor import MISSING, NOTE, OK, Finding, examine, findings_table
from coursekit.grading import selftest
from coursekit.kernels import landlock, launcher, policy, readable, seccomp
from coursekit.kernels.launcher import SandboxError

WIDTH, LINES = 100, 24


@pytest.fixture(scope="module")
def healthy(templates):
    """What is found on the machine of the tests, in a course."""
    return examine(templates["fresh"])


@pytest.fixture
def look(monkeypatch, tmp_path):
    """Return the finding of one row alone."""

    def look(what, folder=tmp_path):
        monkeypatch.setattr(doctor, "ROWS", {what: doctor.ROWS[what]})
        (finding,) = examine(folder)
        assert finding.what == what
        return finding

    return look


def shown(findings):
    """Return the lines of the table on a terminal that has room for more than is promised."""
    console = Console(width=2 * WIDTH)
    with console.capture() as capture:
        console.print(findings_table(findings))
    return capture.get().splitlines()


def configure(course, line):
    """Add a line to a course's configuration."""
    with (course.root / CONFIG_FILE).open("a") as file:
        file.write(f"{line}\n")


def test_healthy_machine_misses_nothing(healthy):
    assert [finding.what for finding in healthy] == list(doctor.ROWS)
    assert [finding for finding in healthy if finding.status == MISSING] == []


def test_only_what_is_not_well_has_a_remedy(healthy):
    assert all(bool(finding.remedy) == (finding.status != OK) for finding in healthy)


def test_healthy_machine_is_shown_on_one_screen(healthy):
    lines = shown(healthy)
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
    text = "\n".join(lines)
    assert all(f" {finding.what} " in text for finding in healthy)


def test_table_keeps_its_width_and_loses_nothing_of_long_findings():
    lines = shown([Finding("Packages", "x" * 150 + "[bold]", MISSING, "y" * 90)])
    assert max(map(len, lines)) <= WIDTH
    text = "".join(lines)
    assert (text.count("x"), text.count("y")) == (150, 90)
    assert "[bold]" in text


def older_kernel(patch):
    patch.setattr(landlock, "_CREATE_RULESET", 4095)
    patch.setattr(launcher, "_running", {})  # one that runs already knows better


def no_libseccomp(patch):
    patch.setattr(seccomp, "LIBRARY", "libnowhere.so")


def kernel_without_filters(patch):
    patch.setattr(seccomp, "MODE_FILTER", 99)


def open_course(patch):
    def check_sandbox(config):
        raise SandboxError("Student code could read source; move the course.")

    patch.setattr(selftest, "check_sandbox", check_sandbox)


def root_with_a_closed_python(patch):
    patch.setattr(os, "getuid", lambda: 0)
    patch.setattr(readable, "interpreter", lambda: ["/closed/python3"])
    patch.setattr(readable, "readable_by_others", lambda paths: False)


def old_python(patch):
    patch.setattr(doctor, "OLDEST_PYTHON", (9, 0))


def requirements(*lines):
    def change(patch):
        patch.setattr(metadata, "requires", lambda name: list(lines))

    return change


def not_installed(patch):
    patch.setattr(doctor, "DISTRIBUTION", "not-there-at-all")


def no_figure_font(patch):
    def findfont(*_, **__):
        raise ValueError("Failed to find font")

    patch.setattr(font_manager, "findfont", findfont)


def no_matplotlib(patch):
    patch.setitem(sys.modules, "matplotlib.font_manager", None)
    patch.delattr("matplotlib.font_manager", raising=False)


def system_fonts(*paths):
    def change(patch):
        patch.setattr(font_manager, "findSystemFonts", lambda: list(paths))

    return change


def no_browser(patch):
    patch.setattr(shutil, "which", lambda name: None)


def free(size):
    def change(patch):
        patch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=size))

    return change


@pytest.mark.parametrize(
    ("what", "change", "status", "found", "remedy"),
    [
        ("Landlock", older_kernel, MISSING, "older than 5.13", "Linux 5.13 or newer"),
        ("seccomp", no_libseccomp, MISSING, "libnowhere.so", "apt install libseccomp2"),
        ("seccomp", kernel_without_filters, MISSING, "no filters", "CONFIG_SECCOMP_FILTER"),
        ("Sandbox", older_kernel, MISSING, "cannot be run", "Linux 5.13 or newer"),
        ("Sandbox", open_course, MISSING, "cannot be run", "could read source; move the course"),
        (
            "User",
            root_with_a_closed_python,
            NOTE,
            "/closed/python3",
            "make PYTHON=/usr/bin/python3",
        ),
        ("Python", old_python, MISSING, sys.executable, "make PYTHON="),
        (
            "Packages",
            requirements("numpy>=99", "rich", "not-there>=1", 'not-here; extra == "test"'),
            MISSING,
            f"numpy {metadata.version('numpy')} is not >=99, not-there is not installed",
            "pip install -r requirements.txt",
        ),
        ("Packages", not_installed, MISSING, "not-there-at-all", "pip install -r requirements.txt"),
        ("Fonts", no_figure_font, MISSING, "DejaVu Sans", "--force-reinstall matplotlib"),
        ("Fonts", no_matplotlib, MISSING, "matplotlib", "pip install -r requirements.txt"),
        ("Fonts", system_fonts(), NOTE, "none for Chinese", "apt install fonts-noto-cjk"),
        ("Fonts", system_fonts(__file__, "gone.ttf"), NOTE, "none for Chinese", "fonts-noto-cjk"),
        ("Browser", no_browser, NOTE, "none of chromium", "apt install chromium"),
        ("Disk", free(policy.GIB // 2), MISSING, "0.5 GiB free in ", "TMPDIR"),
        ("Disk", free(3 * policy.GIB), NOTE, "3.0 GiB free in ", "TMPDIR"),
    ],
)
def test_what_is_missing_is_told_with_its_remedy(
    look, monkeypatch, what, change, status, found, remedy
):
    change(monkeypatch)
    finding = look(what)
    assert finding.status == status
    assert found in finding.found
    assert remedy in finding.remedy


def test_requirements_of_extras_are_left_out(look, monkeypatch):
    requirements("numpy", 'not-here; extra == "test"')(monkeypatch)
    assert look("Packages").found == "1 of 1 in range"


@pytest.mark.parametrize(
    ("user", "found"), [(0, "throw-away users, numbers 60578 to 61183"), (1000, "number 1000")]
)
def test_user_whose_kernels_own_nothing_is_well(look, monkeypatch, user, found):
    monkeypatch.setattr(os, "getuid", lambda: user)
    monkeypatch.setattr(readable, "readable_by_others", lambda paths: True)
    finding = look("User")
    assert finding.status == OK
    assert found in finding.found


def test_font_that_draws_the_character_is_found(look, monkeypatch):
    monkeypatch.setattr(doctor, "CJK", "a")
    system_fonts(font_manager.findfont("DejaVu Sans"))(monkeypatch)
    assert look("Fonts").status == OK


def test_fullest_disk_counts(look, monkeypatch, tmp_path):
    sizes = {str(tmp_path): policy.GIB // 4}
    monkeypatch.setattr(
        shutil, "disk_usage", lambda folder: SimpleNamespace(free=sizes.get(folder, 2**50))
    )
    finding = look("Disk")
    assert finding.status == MISSING
    assert f"0.2 GiB free in {tmp_path}" in finding.found


def test_cores_are_counted_where_the_system_does_not_tell_the_usable_ones(look, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    assert look("Cores").found == "12, of which this process may use 12"


def test_package_that_the_course_grants_and_nobody_installed_is_noted(look, course):
    configure(course, 'c.SandboxProvisioner.packages = ["rich", "not-there"]')
    finding = look("For students", course.root)
    assert finding.status == NOTE
    assert "numpy" in finding.found
    assert finding.found.endswith("rich; not installed: not-there")
    assert finding.remedy.endswith("pip install not-there")


def test_sandbox_is_tried_with_the_configuration_of_the_course(look, course, monkeypatch):
    tried = []
    monkeypatch.setattr(selftest, "check_sandbox", tried.append)
    assert look("Sandbox", course.root).status == OK
    assert [config.CourseDirectory.root for config in tried] == [str(course.root)]


def test_course_is_named(look, course):
    assert look("Course", course.root) == Finding("Course", str(course.root))


def test_current_folder_is_looked_at_where_none_is_named(look, course, monkeypatch):
    monkeypatch.chdir(course.root)
    assert look("Course", None).found == str(course.root)


def test_folder_without_a_course_is_noted(look, tmp_path):
    finding = look("Course")
    assert (finding.status, finding.found) == (NOTE, f"none in {tmp_path}")
    assert "--course DIR" in finding.remedy


def test_broken_configuration_is_missing_and_does_not_hide_the_rest(course, monkeypatch):
    configure(course, "c.Course = nothing_of_that_name")
    monkeypatch.setattr(doctor, "ROWS", {what: doctor.ROWS[what] for what in ("Cores", "Course")})
    cores, broken = examine(course.root)
    assert cores.status == OK
    assert broken.status == MISSING
    assert "nothing_of_that_name" in broken.remedy


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_told_that_the_sandbox_needs_linux(monkeypatch, tmp_path, system):
    monkeypatch.setattr(sys, "platform", system)
    for name in ("landlock", "seccomp", "sandbox", "launcher", "provisioner", "zygote"):
        monkeypatch.setitem(sys.modules, f"coursekit.kernels.{name}", None)  # import fails
    monkeypatch.delattr(os, "getuid")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(ctypes, "CDLL", None)
    system_fonts()(monkeypatch)  # where to look is another system's registry
    findings = examine(tmp_path)
    (sandbox,) = (finding for finding in findings if finding.status == MISSING)
    assert sandbox.what == "Sandbox"
    assert "needs Linux" in sandbox.found
    assert sandbox.remedy == "Grade on a Linux machine, in WSL or in a virtual machine"
    assert {finding.what for finding in findings} == set(doctor.ROWS) - doctor.ONLY_ON_LINUX
