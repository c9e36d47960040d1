# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the commands of the set-up: uv, and the engine's Python. What they print goes to a log."""

from __future__ import annotations

import contextlib
import os
import queue
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from .. import logs
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import write_bytes
from ..jobs import Job, Progress
from . import builds, faults, web

_log = logs.logger(__name__)


def uv_path(folder: Path) -> Path:
    """Return the path of uv in the engine's folder; it need not exist."""
    return folder / "uv" / ("uv.exe" if sys.platform == "win32" else "uv")


def has_uv(folder: Path, platform: str) -> bool:
    """Return whether uv is there in the version of the lock."""
    version = folder / "uv" / "wheel.txt"
    try:
        right = version.read_text(encoding="utf-8") == builds.uv_wheel(platform).file
    except OSError:
        return False
    return right and uv_path(folder).is_file()


def unpack_uv(folder: Path, wheel: Path) -> None:
    """Take uv out of its wheel, which is a zip file. Raises PaintoverError."""
    program = uv_path(folder)
    try:
        program.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            (name,) = [
                name for name in archive.namelist() if name.endswith(f"/scripts/{program.name}")
            ]
            write_bytes(program, archive.read(name))
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        write_bytes(program.parent / "wheel.txt", wheel.name.encode())
    except OSError as error:
        raise faults.disk_error(error, program.parent) from error
    except (ValueError, zipfile.BadZipFile) as error:
        raise PaintoverError(
            f"{wheel} is damaged; delete it and press Install Engine again."
        ) from error


@contextlib.contextmanager
def new_log(path: Path) -> Iterator[IO[str]]:
    """Open a new log in place of the one before. Raises OSError."""
    path.unlink(missing_ok=True)
    with path.open("x", encoding="utf-8") as file:
        yield file


def uv_command(folder: Path, *arguments: str) -> list[str]:
    """Return a command of uv that uses the engine's folder alone."""
    own = ["--no-config", "--no-progress", "--color=never"]
    own += ["--cache-dir", str(folder / "cache")]
    return [str(uv_path(folder)), *arguments, *own]


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not _is_foreign(name)}
    certificates = web.certificate_file()
    if certificates:
        kept["SSL_CERT_FILE"] = certificates
    return {
        **kept,
        "UV_PYTHON_INSTALL_DIR": str(folder / "python"),
        "UV_PYTHON_INSTALL_BIN": "0",
        "UV_PYTHON_INSTALL_REGISTRY": "0",
        "UV_HTTP_TIMEOUT": str(int(web.TIMEOUT)),
        "UV_SYSTEM_CERTS": "1",
        "PYTHONNOUSERSITE": "1",
    }


def _is_foreign(name: str) -> bool:
    """Return whether a variable would change what uv or Python does; mirrors of Python may."""
    if name in ("UV_PYTHON_INSTALL_MIRROR", "UV_PYTHON_DOWNLOADS_JSON_URL"):
        return False
    return name.startswith(("UV_", "PYTHON", "VIRTUAL_ENV", "CONDA_"))


def run(
    command: Sequence[str], folder: Path, log: IO[str], progress: Progress, limit: float = 1800.0
) -> Job[list[str]]:
    """Run a command; closing the generator ends it.

    Args:
        command: the program and its arguments.
        folder: the engine's folder.
        log: receives what it prints.
        progress: what is shown meanwhile.
        limit: seconds.

    Returns:
        The lines that it printed.

    Raises:
        CommandError: it failed.
        PaintoverError: it cannot be started, or took too long.
    """
    told = " ".join("…" if "\n" in word else word for word in command)
    _log.info("Runs %s", told)
    log.write(f"$ {told}\n")
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=_environment(folder),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise PaintoverError(f"Cannot start {command[0]}: {error.strerror or error}.") from error
    found: queue.SimpleQueue[str] = queue.SimpleQueue()
    assert process.stdout
    reader = threading.Thread(target=_read, args=(process.stdout, found), daemon=True)
    reader.start()
    timer = threading.Timer(limit, process.kill)
    timer.daemon = True
    timer.start()
    lines: list[str] = []
    try:
        while process.poll() is None:
            _take(found, lines, log)
            yield progress
        reader.join(2.0)
        _take(found, lines, log)
    finally:
        timer.cancel()
        if process.poll() is None:
            process.kill()
        process.wait()
    if process.returncode:
        raise CommandError(command, process.returncode, lines)
    return lines


class CommandError(PaintoverError):
    """A command failed; its lines are kept to tell why."""

    def __init__(self, command: Sequence[str], code: int, lines: list[str]) -> None:
        said = next((line for line in reversed(lines) if line.strip()), "")
        super().__init__(
            f"{Path(command[0]).name} failed ({said.strip()[:160] or code}); Copy Diagnostics has "
            "the details."
        )
        self.lines = lines
        self.code = code


def _read(stream: IO[str], lines: queue.SimpleQueue[str]) -> None:
    with stream, contextlib.suppress(ValueError):
        for line in stream:
            lines.put(line.rstrip())


def _take(found: queue.SimpleQueue[str], lines: list[str], log: IO[str]) -> None:
    while not found.empty():
        line = found.get()
        lines.append(line)
        log.write(f"{line}\n")
    log.flush()
