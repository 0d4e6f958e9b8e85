import stat

import pytest

from coursekit.judging import seeds


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_secret_is_made_once(tmp_path):
    path = tmp_path / "hidden" / "secret"
    first = seeds.course_secret(path)
    assert len(first) == 32
    assert seeds.course_secret(str(path)) == first


def test_secret_is_for_its_owner_only(tmp_path):
    path = tmp_path / "hidden" / "secret"
    seeds.course_secret(path)
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700


def test_two_courses_have_different_secrets(tmp_path):
    assert seeds.course_secret(tmp_path / "a") != seeds.course_secret(tmp_path / "b")


def test_seed_is_a_function_of_secret_run_and_task():
    assert seeds.seed(b"secret", "run", "task") == seeds.seed(b"secret", "run", "task")
    assert 0 <= seeds.seed(b"secret", "run", "task") < 2**48


@pytest.mark.parametrize(
    "other", [(b"other", "run", "task"), (b"secret", "other", "task"), (b"secret", "run", "other")]
)
def test_seed_differs_by_secret_run_and_task(other):
    assert seeds.seed(*other) != seeds.seed(b"secret", "run", "task")
