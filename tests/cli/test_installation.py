"""The command line alone: it is one wheel, which runs in a virtual environment that has nothing of the project's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough
ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
UV = Path(sys.executable).parent / "uv"
BUILD_LOG = b"""\
2026-01-31T12:00:01.000Z [WARNING]: sh: next: command not found
2026-01-31T12:00:01.000Z [ERROR]: !!! Build failed
"""
# Imports every module of all packages.
IMPORT_ALL = """
import importlib, pkgutil, amplify_jobs, amplify_jobs_cli, amplify_jobs_console
for package in (amplify_jobs, amplify_jobs_cli, amplify_jobs_console):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
"""


def run(*command: str | Path, folder: Path, content: bytes = b"") -> str:
    """Run a command in a folder outside the project, without variables that lead back into it."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "AWS_"))
    } | {"UV_LINK_MODE": "copy"}
    done = subprocess.run(command, cwd=folder, env=environment, input=content, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT, folder=folder)
    (file,) = folder.glob("*.whl")
    return file


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    about = f"amplify_jobs-{PROJECT['version']}.dist-info"
    assert {name.split("/")[0] for name in names} == {"amplify_jobs", "amplify_jobs_cli", "amplify_jobs_console", about}
    sources = {
        file.relative_to(folder).as_posix()
        for folder in (ROOT / "layers" / "core", ROOT / "cli")
        for pattern in ("*.py", "templates/*.j2", "static/*")
        for file in folder.rglob(pattern)
    }
    assert {name for name in names if name.endswith(".py") or "/templates/" in name or "/static/" in name} == sources


@pytest.mark.parametrize("versions", ["highest", "lowest-direct"])
def test_it_runs_in_an_environment_of_its_own(wheel: Path, tmp_path: Path, versions: str) -> None:
    environment = tmp_path / "environment"
    run(UV, "venv", "--quiet", "--python", sys.executable, environment, folder=tmp_path)
    install = (UV, "pip", "install", "--quiet", "--python", environment / "bin" / "python")
    run(*install, "--resolution", versions, "-r", ROOT / "pyproject.toml", folder=tmp_path)
    run(*install, "--no-deps", wheel, folder=tmp_path)
    run(environment / "bin" / "python", "-I", "-c", IMPORT_ALL, folder=tmp_path)

    program = environment / "bin" / "amplify-jobs"
    shutil.copy(ROOT / "routes.yaml", tmp_path)
    assert run(program, "--version", folder=tmp_path) == f"amplify-jobs {PROJECT['version']}\n"
    checked = run(program, "routes", "check", "routes.yaml", folder=tmp_path)
    assert checked == "routes.yaml: 1 source and 1 route, no faults.\n"
    assert run(program, "diagnose", "-", folder=tmp_path, content=BUILD_LOG).startswith("command-not-found: ")


def test_uvx_runs_the_files_as_they_are_now(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, clone)
    for name in ("layers/core/amplify_jobs", "cli/amplify_jobs_cli", "cli/amplify_jobs_console"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    call = (UV.with_name("uvx"), "--quiet", "--from", ".", "amplify-jobs", "--help")
    changed = clone / "cli" / "amplify_jobs_cli" / "cli.py"
    assert "Manage an amplify-jobs stack." in run(*call, folder=clone)
    changed.write_text(changed.read_text().replace("Manage an amplify-jobs stack.", "Changed since."))
    assert "Changed since." in run(*call, folder=clone)
