# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine is installed by clicks in a real window, into an empty home, and really trains."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import cv2
import pytest
from conftest import HERE, Blender

import build_addon
from benchmarks.package_server import PackageServer, write_wheel

UV = Path(sys.executable).parent / "uv"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
_UNNEEDED = {"test", "__pycache__", "site-packages", "idlelib", "tkinter", "ensurepip"}


def _python_mirror(folder: Path) -> Path:
    """Pack this Python as those are that uv downloads; returns the list that names it."""
    base, archive = Path(sys.base_prefix), folder / "python.tar.gz"

    def needed(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = info.name.split("/")
        is_needed = not _UNNEEDED & set(parts) and not any(p.startswith("config-") for p in parts)
        return info if is_needed else None

    with tarfile.open(archive, "w:gz", compresslevel=1) as file:
        for inside in (f"bin/python{VERSION}", f"lib/python{VERSION}"):
            file.add(base / inside, f"python/{inside}", filter=needed)
    machine = platform.machine()
    major, minor, patch = platform.python_version_tuple()
    entry = {
        **{"name": "cpython", "arch": {"family": machine, "variant": None}},
        **{"os": "linux", "libc": "gnu", "major": int(major), "minor": int(minor)},
        **{"patch": int(patch), "prerelease": "", "url": archive.as_uri(), "variant": None},
        **{"sha256": hashlib.sha256(archive.read_bytes()).hexdigest(), "build": "20260101"},
    }
    listed = folder / "pythons.json"
    listed.write_text(
        json.dumps({f"cpython-{platform.python_version()}-linux-{machine}-gnu": entry})
    )
    return listed


def _write_locks(folder: Path, server: PackageServer) -> Path:
    """Write a lock of small wheels; with one of them the packages of this Python are found."""
    uv = folder / "uv-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(uv, "w") as wheel:
        wheel.write(UV, "uv-9.9.9.data/scripts/uv")
    # "/host" is the machine outside, as tests/gui/blender.sh has it.
    site = Path(sys.executable).parent.parent.resolve() / f"lib/python{VERSION}/site-packages"
    link = {"packages_of_tests.pth": f"/host{site}\n"}
    wheels = [
        write_wheel(folder, "torch", "2.13.0+cpu", link),
        write_wheel(folder, "numpy", "1.0", {"ballast.txt": "0123456789abcdef" * 100_000}),
    ]
    files = {path.name: server.add(path) for path in wheels}
    size = sum(entry["bytes"] for entry in files.values())
    this = build_addon.this_platform()
    pythons: dict[str, Any] = {VERSION: {"wheels": list(files), "download": size, "is_exact": True}}
    build = {"platform": this, "backend": "cpu", "source": "index", "pythons": pythons}
    build |= {"download": size, "disk": 3 * size}
    data = {
        "uv": {this: {"file": uv.name, **server.add(uv)}},
        "builds": {f"{this}-cpu": build},
        "files": files,
    }
    (folder / "wheels.json").write_text(json.dumps(data))
    return folder


def test_engine_is_installed_by_clicks(blender: Blender, tmp_path: Path, pictures: Path) -> None:
    if not UV.is_file() or Path(sys.base_prefix) == Path("/usr"):
        pytest.skip("needs uv beside this Python, and a Python in a folder of its own")
    server = PackageServer()
    server.status, server.slow = 407, 8_000_000
    go = tmp_path / "go"

    def let_through() -> None:
        while not go.exists():
            time.sleep(0.1)
        server.status = 0

    threading.Thread(target=let_through, daemon=True).start()
    given = {
        "locks": str(_write_locks(tmp_path, server)),
        "index": server.address,
        "python": VERSION,
        "go": str(go),
        # "/host" is the machine outside, as tests/gui/blender.sh has it.
        "libraries": f"/host{sys.base_prefix}/lib",
    }
    (tmp_path / "setup.json").write_text(json.dumps(given))
    blender.do(
        *("--python-exit-code", "9", "--python", HERE / "engine_by_mouse.py"),
        limit=640,
        PAINTOVER_PICTURES=str(pictures),
        PAINTOVER_SETUP=str(tmp_path / "setup.json"),
        PAINTOVER_ENGINE_PYTHON="",
        XDG_DATA_HOME="",
        UV_PYTHON_DOWNLOADS_JSON_URL=_python_mirror(tmp_path).as_uri(),
    )
    server.close()
    for name in ("missing", "failed", "downloading", "ready"):
        picture = cv2.imread(str(pictures / f"engine-{name}.png"))
        assert picture is not None and picture.std() > 10
