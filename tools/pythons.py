# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds a Python of a given version, including those that a version manager has not activated.

Runs in any Python from 3.8 with the standard library only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_PROBE = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])"


def find_python(version: str) -> str | None:
    """Return a Python of this version (``3.11``) that can make virtual environments, or None."""
    for candidate in _candidates(version):
        if python_version(candidate) == version:
            return candidate
    return None


def python_version(python: str) -> str:
    """Return the version, such as ``3.11``, of a Python that can make environments, else ""."""
    try:
        done = subprocess.run(
            [python, "-I", "-c", _PROBE], capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _candidates(version: str) -> Iterator[str]:
    name = f"python{version}"
    if ".".join(map(str, sys.version_info[:2])) == version:
        yield getattr(sys, "_base_executable", sys.executable)
    folders = [Path(entry) for entry in os.get_exec_path() if entry]
    for folder in folders:
        for path in (folder / name, folder / "python3"):
            if path.is_file():
                yield str(path)
    # A pyenv shim refuses versions that are installed but not activated; call them directly.
    roots = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")]
    roots += [folder.parent for folder in folders if folder.name == "shims"]
    for root in roots:
        for path in sorted(root.glob(f"versions/{version}*/bin/{name}"), reverse=True):
            yield str(path)
