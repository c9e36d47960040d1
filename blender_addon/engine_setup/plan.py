# SPDX-License-Identifier: GPL-3.0-or-later
"""What an installation downloads: from the locks, or resolved here for builds that have none."""

from __future__ import annotations

import dataclasses
import sys
import tomllib
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

import bpy

from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import write_bytes
from ..engine_process import environment
from ..jobs import Job, Progress
from . import builds, commands, downloads, faults, record, web


@dataclasses.dataclass(frozen=True)
class Base:
    """The Python that the engine's environment is made with.

    Attributes:
        version: such as ``3.11``.
        path: the program; "" for the one that uv finds or downloads.
    """

    version: str
    path: str


@dataclasses.dataclass(frozen=True)
class Sizes:
    """What an installation takes, in bytes; ``is_exact`` says whether the download is."""

    download: int
    disk: int
    is_exact: bool


def base_python() -> Base:
    """Return Blender's own Python if the engine runs in its version, else one for uv to bring."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if version in builds.PYTHONS:
        return Base(version, sys.executable)
    return Base(builds.OWN_PYTHON, "")


def sizes(build: builds.Build, version: str) -> Sizes:
    """Return what a build takes for a version of Python, uv included."""
    uv = builds.uv_wheel(build.platform).bytes
    wheels = build.wheels.get(version)
    is_exact = wheels is not None and version not in build.inexact
    return Sizes(build.download + uv, build.disk + 2 * uv, is_exact)


def index_of(wheel: builds.Wheel, build: builds.Build) -> str:
    """Return the address of the index that has a wheel."""
    if build.has_own_index and "+" in wheel.version:
        return torch_index(build)
    return package_index()


def package_index() -> str:
    """Return the address of the index of Python packages."""
    return environment.preference("package_index") or web.PYPI


def torch_index(build: builds.Build) -> str:
    """Return the address of PyTorch's index for a build."""
    base = environment.preference("torch_index") or web.PYTORCH
    return f"{base.rstrip('/')}/{build.backend}"


def sources(build: builds.Build) -> list[str]:
    """Return the hosts that a build is downloaded from."""
    hosts = [web.host_of(package_index())]
    if build.has_own_index:
        hosts.append(web.host_of(torch_index(build)))
    return sorted(set(hosts))


def locate(build: builds.Build) -> downloads.Locate:
    """Return a function that finds the addresses of a build's wheels."""

    def found(wheel: builds.Wheel) -> builds.Wheel:
        return wheel if wheel.url else web.located(wheel, index_of(wheel, build))

    return found


def resolve(
    build: builds.Build, version: str, folder: Path, log: IO[str], progress: Progress
) -> Job[tuple[builds.Wheel, ...]]:
    """Let uv choose the wheels of a build that has no lock; the indexes name their digests.

    What the locks of the same platform have is taken in the same version.

    Args:
        build: the build.
        version: of Python.
        folder: the engine's folder, in which uv is.
        log: receives what uv prints.
        progress: what is shown meanwhile.

    Returns:
        The wheels, with addresses.

    Raises:
        PaintoverError: it has no such build, or cannot be reached.
    """
    if not bpy.app.online_access:
        raise PaintoverError(
            f"The engine for {build.title} needs the network to be put together; allow online "
            "access in Preferences > System, or choose another build."
        )
    wanted, pinned = folder / "wanted.in", folder / "pinned.in"
    torch = ""
    lines = []
    for line in record.REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("torch=="):
            torch = line.partition("==")[2]
        lines.append(f"{line}+{build.backend}" if line.startswith("torch==") else line)
    write_bytes(wanted, "\n".join([*lines, ""]).encode())
    write_bytes(pinned, "\n".join([*_pins(build, version), ""]).encode())
    lock = folder / "pylock.toml"
    command = ["pip", "compile", str(wanted), f"--constraints={pinned}", "--only-binary=:all:"]
    command += [f"--output-file={lock}", "--format=pylock.toml", f"--python-version={version}"]
    command += ["--no-python-downloads", "--quiet", "--upgrade"]
    command += [f"--default-index={package_index()}", f"--index={torch_index(build)}"]
    command += ["--index-strategy=unsafe-best-match"]
    try:
        yield from commands.run(commands.uv_command(folder, *command), folder, log, progress)
        packages = tomllib.loads(lock.read_text(encoding="utf-8"))["packages"]
        return tuple(_wheel(package) for package in packages)
    except commands.CommandError as error:
        raise _unresolved(build, version, torch, error.lines) from error
    finally:
        for path in (wanted, pinned, lock):
            path.unlink(missing_ok=True)


def _pins(build: builds.Build, version: str) -> list[str]:
    """Return the versions that another build of the platform has locked, PyTorch's parts not."""
    other = builds.all_builds().get(f"{build.platform}-cpu")
    wheels = other.wheels.get(version, ()) if other else ()
    return [f"{wheel.name}=={wheel.version}" for wheel in wheels if wheel.name != "torch"]


def _wheel(package: dict[str, Any]) -> builds.Wheel:
    wheel = package["wheels"][-1]
    file = unquote(wheel["url"].rpartition("/")[2].partition("#")[0])
    digest = str(wheel.get("hashes", {}).get("sha256", ""))
    return builds.Wheel(file, digest, int(wheel.get("size") or 0), wheel["url"])


def _unresolved(build: builds.Build, version: str, torch: str, lines: list[str]) -> PaintoverError:
    said = " ".join(lines)
    host = web.host_of(torch_index(build))
    if "407" in said:
        return faults.network_error(OSError("407 Proxy"), host)
    if "ertificate" in said or "invalid peer" in said:
        return faults.untrusted(host, "")
    if "No solution found" in said or "no version" in said:
        return faults.LastingError(
            f"{host} has no PyTorch {torch} for {build.title} and Python {version}; choose another "
            "build, such as that for the processor."
        )
    return faults.network_error(ConnectionResetError(said), host)
