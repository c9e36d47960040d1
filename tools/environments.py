# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the virtual environments of the project: ``.venv``, and one for each other bpy.

    python3 tools/environments.py [main|matrix|all] [--install-system-libraries]

``.venv`` has the engine, the development tools and one bpy. ``.venv-bpy-4.5`` and so on have only
another bpy and what the add-on's tests import; the engine runs in ``.venv`` for them too. Existing
environments are kept, so a second call takes no time. Runs in any Python from 3.8.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from pythons import find_python, python_version
from system_libraries import install_command, missing_libraries

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "requirements/constraints.txt"
MAIN_REQUIREMENTS = (
    ROOT / "engine/requirements.txt",
    ROOT / "requirements/score.txt",
    ROOT / "requirements/development.txt",
)
# bpy → the Python version that it is built for; the first one found goes into .venv
BPY_PYTHONS = {"5.0.1": "3.11", "5.2.3": "3.13", "4.5.15": "3.11"}
OF_THE_ADDON_TESTS = ("pytest", "PyYAML")
STAMP = "set-up.txt"


class Environment(NamedTuple):
    """A virtual environment: its folder, its Python's version, its bpy, whether it is ``.venv``."""

    folder: Path
    python_version: str
    bpy: str
    main: bool

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        windows = os.name == "nt"
        return self.folder / ("Scripts/python.exe" if windows else "bin/python")

    @property
    def site_packages(self) -> Path:
        """The folder of its packages."""
        if os.name == "nt":
            return self.folder / "Lib/site-packages"
        return self.folder / f"lib/python{self.python_version}/site-packages"


class SetUpError(Exception):
    """Set-up failed; the text says what to do."""


def main_environment() -> Environment:
    """Return ``.venv``: the existing one, or one for the first bpy whose Python is found."""
    folder = ROOT / ".venv"
    existing = python_version(str(Environment(folder, "", "", main=True).python))
    for bpy, version in BPY_PYTHONS.items():
        if version == existing or (not existing and find_python(version)):
            return Environment(folder, version, bpy, main=True)
    raise SetUpError(
        "Blender's Python module needs Python 3.11 or 3.13 (with its venv module) and this "
        "machine has neither; install one, for example with "
        "'apt-get install python3.11 python3.11-venv', 'brew install python@3.11' or "
        "'pyenv install 3.11', and run the same command again."
    )


def matrix_environments() -> list[Environment]:
    """Return an environment for each bpy that is not in ``.venv``."""
    main = main_environment()
    return [
        Environment(ROOT / f".venv-bpy-{bpy.rpartition('.')[0]}", version, bpy, main=False)
        for bpy, version in sorted(BPY_PYTHONS.items())
        if bpy != main.bpy
    ]


def set_up(environment: Environment, install_libraries: bool = False) -> None:
    """Make an environment, or update it if its requirements have changed.

    Args:
        install_libraries: install missing system libraries instead of naming the command.

    Raises:
        SetUpError: the user has to install something first.
    """
    stamp = environment.folder / STAMP
    wanted = _fingerprint(environment)
    if stamp.is_file() and stamp.read_text() == wanted and environment.python.exists():
        return
    _make(environment)
    if environment.main:
        _install_torch(environment)
        _say("installing the engine's packages and the development tools")
        files = [argument for path in MAIN_REQUIREMENTS for argument in ("-r", str(path))]
        _pip(environment, *files)
    _say(f"installing Blender {environment.bpy} as a Python module")
    _pip(environment, f"bpy=={environment.bpy}", *OF_THE_ADDON_TESTS)
    _check_libraries(environment, install_libraries)
    _run([str(environment.python), "-c", "import bpy"], f"Blender {environment.bpy} does not start")
    stamp.write_text(wanted)


def _fingerprint(environment: Environment) -> str:
    digest = hashlib.sha256(repr(environment).encode())
    for path in (CONSTRAINTS, *MAIN_REQUIREMENTS, Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _make(environment: Environment) -> None:
    if python_version(str(environment.python)) == environment.python_version:
        return
    python = find_python(environment.python_version)
    if python is None:
        raise SetUpError(
            f"bpy {environment.bpy} needs Python {environment.python_version}, "
            "which this machine does not have."
        )
    _say(f"making {environment.folder.name} with {python}")
    _run([python, "-m", "venv", "--clear", str(environment.folder)], "Python's venv module failed")


def _install_torch(environment: Environment) -> None:
    """Install PyTorch: the GPU build if the machine has one, else the much smaller CPU build."""
    requirement = next(
        line for line in MAIN_REQUIREMENTS[0].read_text().split() if line.startswith("torch==")
    )
    if any(environment.site_packages.glob(f"torch-{requirement[len('torch==') :]}*.dist-info")):
        return
    linux = sys.platform.startswith("linux")
    gpu = Path("/dev/nvidia0").exists() or Path("/dev/kfd").exists() or shutil.which("nvidia-smi")
    if linux and (gpu or not _pip_offers_cpu_build(environment, requirement)):
        _say(f"installing {requirement}, the build that uv chooses")
        if _install_torch_with_uv(environment, requirement, "auto" if gpu else "cpu"):
            return
        _say("that build cannot be had here; taking the standard one, which may be gigabytes")
    else:
        _say(f"installing {requirement}")
    _pip(environment, requirement)


def _install_torch_with_uv(environment: Environment, requirement: str, backend: str) -> bool:
    try:
        _pip(environment, "uv")
    except SetUpError:
        return False
    command = [str(environment.python), "-m", "uv", "pip", "install", "--python"]
    command += [str(environment.python), f"--torch-backend={backend}"]
    command += ["-c", str(CONSTRAINTS), requirement]
    return subprocess.run(command, check=False).returncode == 0


def _pip_offers_cpu_build(environment: Environment, requirement: str) -> bool:
    """Return whether pip chooses a build without CUDA by default, as on ARM."""
    command = [str(environment.python), "-m", "pip", "install", "--quiet", "--dry-run"]
    command += ["--no-deps", "--ignore-installed", "--report", "-", requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        (torch,) = json.loads(done.stdout)["install"]
    except (ValueError, KeyError):
        return False
    needs = torch["metadata"].get("requires_dist", [])
    cuda = any(need.startswith(("nvidia-", "cuda-")) for need in needs)
    return "+cpu" in torch["metadata"]["version"] or not cuda


def _check_libraries(environment: Environment, install: bool) -> None:
    missing = missing_libraries(environment.site_packages / "bpy")
    command = install_command(missing)
    if missing and install and command:
        _say("installing system libraries: " + " ".join(command))
        if command[0] == "apt-get":
            _run(["apt-get", "update", "-qq"], "apt-get update failed")
        _run(command, "the system libraries cannot be installed")
        missing = missing_libraries(environment.site_packages / "bpy")
    if missing:
        way_out = "sudo " + " ".join(command) if command else "install the packages that hold them"
        raise SetUpError(
            f"Blender needs system libraries that this machine lacks ({', '.join(missing)}); "
            f"install them and run the same command again:\n    {way_out}"
        )


def _pip(environment: Environment, *arguments: str) -> None:
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    command = [str(environment.python), "-m", "pip", "install", "--disable-pip-version-check"]
    _run([*command, *quiet, "-c", str(CONSTRAINTS), *arguments], "pip failed")


def _run(command: list[str], failure: str) -> None:
    sys.stdout.flush()
    if subprocess.run(command, check=False).returncode != 0:
        raise SetUpError(f"{failure}: {' '.join(command)}")


def _say(text: str) -> None:
    print(f"set-up: {text}", flush=True)


def main() -> int:
    """Run the command line; see the docstring of the module."""
    parser = argparse.ArgumentParser(description="Make the project's virtual environments.")
    parser.add_argument("which", nargs="?", default="main", choices=("main", "matrix", "all"))
    parser.add_argument(
        "--install-system-libraries",
        action="store_true",
        help="install missing system libraries (needs root) instead of naming the command",
    )
    arguments = parser.parse_args()
    if platform.machine().lower() not in ("x86_64", "amd64", "arm64", "aarch64"):
        _say(f"Blender publishes no Python module for {platform.machine()}; trying all the same")
    try:
        environments = [main_environment()] if arguments.which != "matrix" else []
        if arguments.which != "main":
            environments += [e for e in matrix_environments() if find_python(e.python_version)]
        for environment in environments:
            set_up(environment, arguments.install_system_libraries)
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
