# SPDX-License-Identifier: GPL-3.0-or-later
"""The builds of the engine to choose from, read from the add-on's locks."""

from __future__ import annotations

import dataclasses
import functools
import json
import platform as platform_module
import re
import sys
from pathlib import Path
from typing import Any

from ..engine.shared.errors import PaintoverError

LOCKS = Path(__file__).resolve().parent.parent / "locks"
PYTHONS = ("3.11", "3.12", "3.13")
"""Python versions that the engine runs in."""
OWN_PYTHON = "3.13"
"""The Python that uv brings where Blender's is none of them."""

_TITLES = {
    "cpu": "Processor",
    "metal": "Apple Graphics (Metal)",
    "cu130": "NVIDIA Card (CUDA 13)",
    "cu126": "NVIDIA Card (CUDA 12.6)",
    "rocm7.2": "AMD Card (ROCm)",
    "xpu": "Intel Card (XPU)",
}


@dataclasses.dataclass(frozen=True)
class Wheel:
    """A file to install; ``sha256`` and ``url`` are "", ``bytes`` is 0 where they are unknown."""

    file: str
    sha256: str
    bytes: int
    url: str = ""

    @property
    def name(self) -> str:
        """Name of the package, as indexes and folders of packages write it."""
        return plain_name(self.file.split("-")[0])

    @property
    def version(self) -> str:
        """Version of the package."""
        return self.file.split("-")[1]


@dataclasses.dataclass(frozen=True)
class Build:
    """A build of the engine.

    Attributes:
        name: such as ``linux-x64-cpu``, the name of its lock.
        platform: such as ``linux-x64``.
        backend: what PyTorch computes on, such as ``cu130``.
        has_own_index: whether its PyTorch comes from PyTorch's own index.
        download: bytes to download.
        disk: about the bytes on the disk.
        wheels: for each Python that has a lock, the files.
        inexact: Pythons for which the size of some file is unknown.
    """

    name: str
    platform: str
    backend: str
    has_own_index: bool
    download: int
    disk: int
    wheels: dict[str, tuple[Wheel, ...]]
    inexact: frozenset[str]

    @property
    def title(self) -> str:
        """What it computes on, for people."""
        return _TITLES.get(self.backend, self.backend)


def plain_name(name: str) -> str:
    """Return the name of a package in its normal form."""
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.cache
def _data() -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads((LOCKS / "wheels.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PaintoverError(
            "The add-on's list of the engine's packages is damaged; install the add-on again."
        ) from error
    return data


@functools.cache
def all_builds() -> dict[str, Build]:
    """Return the builds of every platform by their names."""
    return {name: _build(name, data) for name, data in _data()["builds"].items()}


def _build(name: str, data: dict[str, Any]) -> Build:
    pythons = data["pythons"]
    return Build(
        name,
        data["platform"],
        data["backend"],
        data["source"] == "index",
        data["download"],
        data["disk"],
        {
            python: tuple(_wheel(file) for file in entry["wheels"])
            for python, entry in pythons.items()
        },
        frozenset(python for python, entry in pythons.items() if not entry["is_exact"]),
    )


def _wheel(file: str) -> Wheel:
    known = _data()["files"][file]
    return Wheel(file, known["sha256"], known["bytes"])


def uv_wheel(platform: str) -> Wheel:
    """Return uv's own wheel. Raises PaintoverError where there is none."""
    known = _data()["uv"].get(platform)
    if known is None:
        raise _none_here(platform)
    return Wheel(known["file"], known["sha256"], known["bytes"])


@functools.cache
def this_platform() -> str:
    """Return the name of this platform, such as ``linux-x64``."""
    system = {"linux": "linux", "win32": "windows", "darwin": "macos"}.get(sys.platform, "")
    machine = platform_module.machine().lower()
    names = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}
    return f"{system or sys.platform}-{names.get(machine, machine)}"


def here() -> list[Build]:
    """Return the builds for this machine; none if it is of another kind."""
    return [build for build in all_builds().values() if build.platform == this_platform()]


def find(name: str) -> Build:
    """Return a build by its name. Raises PaintoverError if there is no such build."""
    build = all_builds().get(name)
    if build is None:
        known = ", ".join(all_builds())
        raise PaintoverError(f"There is no engine {name or this_platform()}; there are {known}.")
    return build


def of_backend(backend: str) -> Build | None:
    """Return this machine's build for a backend."""
    return next((build for build in here() if build.backend == backend), None)


def _none_here(platform: str) -> PaintoverError:
    return PaintoverError(
        f"There is no engine to download for this kind of machine ({platform}); choose a Python "
        "that has PyTorch with Use This Python."
    )
