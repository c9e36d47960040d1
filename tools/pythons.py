# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a Python of a given version, also one that a version manager keeps out of the way.

Runs in whatever Python the machine has, so it needs 3.8 and the standard library alone.
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
    """Return ``3.11`` for a Python 3.11 that runs and can make virtual environments, else ""."""
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
    # A pyenv shim refuses versions that are installed but not chosen; they can be used directly.
    roots = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")]
    roots += [folder.parent for folder in folders if folder.name == "shims"]
    for root in roots:
        for path in sorted(root.glob(f"versions/{version}*/bin/{name}"), reverse=True):
            yield str(path)
