# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the locks of the engine's packages: ``requirements/locks/``.

    .venv/bin/python tools/locks.py

For each build of the engine, such as ``linux-x64-cpu``, a file of requirements with the digest of
the one wheel that each Python takes; ``build_addon.py`` puts them into the zip. ``wheels.json``
says the same for Install Engine, with sizes. uv resolves for every platform on any machine. uv
reads no digests from PyTorch's own index, so they stand in ``torch-wheels.txt``; for a build that
has none there, Install Engine resolves on the user's machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements/locks"
REQUIREMENTS = ROOT / "engine/requirements.txt"
CONSTRAINTS = ROOT / "requirements/constraints.txt"
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "linux-x64": "x86_64-manylinux_2_28",
    "linux-arm64": "aarch64-manylinux_2_28",
    "windows-x64": "x86_64-pc-windows-msvc",
    "macos-arm64": "aarch64-apple-darwin",
}
PYPI, INDEX = "pypi", "index"
"""Where a build's PyTorch comes from: the standard one, or that of PyTorch's own index."""
GPU_ONLY = ("cuda-", "nvidia-", "triton")
DISK_PER_DOWNLOAD = {"gpu": 2.0, "cpu": 3.6}
"""Bytes on the disk for each byte of wheels: measured with linux-x64-cpu, and with CUDA 13."""


class Build(NamedTuple):
    """A build of the engine.

    Attributes:
        platform: key of ``PLATFORMS``.
        backend: uv's name of what PyTorch computes on; ``metal`` on a Mac.
        source: ``PYPI`` or ``INDEX``.
        megabytes: about how much it downloads, where no lock tells.
    """

    platform: str
    backend: str
    source: str
    megabytes: int = 0

    @property
    def name(self) -> str:
        """Name of the lock's file."""
        return f"{self.platform}-{self.backend}"


BUILDS = (
    Build("linux-x64", "cpu", INDEX),
    Build("linux-x64", "cu130", PYPI),
    Build("linux-x64", "cu126", INDEX, 3000),
    Build("linux-x64", "rocm7.2", INDEX, 5000),
    Build("linux-x64", "xpu", INDEX, 3000),
    Build("linux-arm64", "cpu", INDEX),
    Build("windows-x64", "cpu", PYPI),
    Build("windows-x64", "cu130", INDEX, 2100),
    Build("windows-x64", "cu126", INDEX, 2800),
    Build("windows-x64", "xpu", INDEX, 2000),
    Build("macos-arm64", "metal", PYPI),
)


class Wheel(NamedTuple):
    """A wheel; ``bytes`` is 0 where it is unknown."""

    name: str
    version: str
    file: str
    sha256: str
    bytes: int


def main() -> int:
    """Run the command line; see the docstring of the module."""
    table = read_torch_wheels()
    standard = {
        (platform, python): resolve(REQUIREMENTS, platform, python)
        for platform in PLATFORMS
        for python in PYTHONS
    }
    builds: dict[str, Any] = {}
    files: dict[str, dict[str, Any]] = {}
    for build in BUILDS:
        chosen = {}
        for python in PYTHONS:
            wheels = wheels_of(build, python, standard[build.platform, python], table)
            if wheels:
                chosen[python] = wheels
        usual = max((w.bytes for w in table if w.version.endswith(f"+{build.backend}")), default=0)
        builds[build.name] = describe(build, chosen, usual)
        path = LOCKS / f"{build.name}.txt"
        path.unlink(missing_ok=True)
        if chosen:
            path.write_text(lock_text(build, chosen), encoding="utf-8")
        for wheel in {wheel for wheels in chosen.values() for wheel in wheels}:
            files[wheel.file] = {"sha256": wheel.sha256, "bytes": wheel.bytes}
    data = {"uv": uv_wheels(), "builds": builds, "files": dict(sorted(files.items()))}
    (LOCKS / "wheels.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return 0


def resolve(requirements: Path, platform: str, python: str, *options: str) -> list[Wheel]:
    """Let uv choose the wheels of some requirements. Raises SystemExit if it cannot."""
    command = [sys.executable, "-m", "uv", "pip", "compile", str(requirements), "--quiet"]
    command += ["--constraints", str(CONSTRAINTS), "--only-binary=:all:", "--format=pylock.toml"]
    command += [f"--python-version={python}", f"--python-platform={PLATFORMS[platform]}", *options]
    # PyTorch's wheels for a Mac need macOS 14.
    variables = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    if done.returncode:
        raise SystemExit(f"locks: {platform}, Python {python}: {done.stderr}")
    return [_wheel(package) for package in tomllib.loads(done.stdout)["packages"]]


def _wheel(package: dict[str, Any]) -> Wheel:
    """Return the wheel of a package: of several that fit, that for the newest system."""
    best = max(package["wheels"], key=lambda wheel: _numbers(wheel["url"].rpartition("-")[2]))
    file = unquote(best["url"].rpartition("/")[2])
    digest = best["hashes"]["sha256"]
    return Wheel(package["name"], package["version"], file, digest, best["size"])


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def read_torch_wheels() -> list[Wheel]:
    """Return the wheels in ``torch-wheels.txt``."""
    lines = (LOCKS / "torch-wheels.txt").read_text(encoding="utf-8").splitlines()
    wheels = []
    for line in lines:
        if line and not line.startswith("#"):
            digest, size, file = line.split()
            name, version, *_ = file.split("-")
            wheels.append(Wheel(name, version, file, digest, 0 if size == "?" else int(size)))
    return wheels


def wheels_of(
    build: Build, python: str, standard: list[Wheel], table: list[Wheel]
) -> list[Wheel] | None:
    """Return the wheels of a build, None where its PyTorch has no digest."""
    if build.source == PYPI:
        return standard
    machine = {"linux-x64": "x86_64", "linux-arm64": "aarch64", "windows-x64": "win_amd64"}
    tag = f"cp{python.replace('.', '')}"
    fitting = [
        wheel
        for wheel in table
        if wheel.version.endswith(f"+{build.backend}")
        and f"-{tag}-" in wheel.file
        and wheel.file.endswith(f"{machine[build.platform]}.whl")
    ]
    if not fitting:
        return None
    others = [
        wheel for wheel in standard if wheel.name != "torch" and not wheel.name.startswith(GPU_ONLY)
    ]
    return [*others, fitting[0]]


def describe(build: Build, chosen: dict[str, list[Wheel]], torch_bytes: int) -> dict[str, Any]:
    """Return what ``wheels.json`` says of a build.

    Args:
        build: the build.
        chosen: its wheels for each Python.
        torch_bytes: size of PyTorch's wheel where it is unknown.
    """
    kind = "cpu" if build.backend in ("cpu", "metal") else "gpu"
    pythons: dict[str, dict[str, Any]] = {}
    for python, wheels in chosen.items():
        pythons[python] = {
            "wheels": [wheel.file for wheel in wheels],
            "download": sum(wheel.bytes or torch_bytes for wheel in wheels),
            "is_exact": all(wheel.bytes for wheel in wheels),
        }
    sizes: list[int] = [entry["download"] for entry in pythons.values()]
    usual = max(sizes, default=build.megabytes * 1000**2)
    return {
        "platform": build.platform,
        "backend": build.backend,
        "source": build.source,
        "download": usual,
        "disk": round(usual * DISK_PER_DOWNLOAD[kind]),
        "pythons": pythons,
    }


def lock_text(build: Build, chosen: dict[str, list[Wheel]]) -> str:
    """Return the lock of a build: requirements with digests, as pip and uv read them."""
    lines = [f"# {build.name}. Made by tools/locks.py; do not edit."]
    if build.source == INDEX:
        index = f"https://download.pytorch.org/whl/{build.backend}"
        lines.append(f"--extra-index-url {index}")
    entries: dict[tuple[str, str], dict[str, Wheel]] = {}
    for python, wheels in chosen.items():
        for wheel in wheels:
            entries.setdefault((wheel.name, wheel.version), {})[python] = wheel
    for (name, version), by_python in sorted(entries.items()):
        same = len(by_python) == len(PYTHONS)
        terms = [f"python_version == '{python}'" for python in by_python]
        marker = "" if same else f" ; {' or '.join(terms)}"
        digests = sorted({wheel.sha256 for wheel in by_python.values()})
        hashes = [f"    --hash=sha256:{digest}" for digest in digests]
        lines.append(" \\\n".join([f"{name}=={version}{marker}", *hashes]))
    return "\n".join(lines) + "\n"


def uv_wheels() -> dict[str, Any]:
    """Return uv's own wheel for each platform, in the version of the constraints."""
    pinned = re.search(r"^uv==\S+$", CONSTRAINTS.read_text(encoding="utf-8"), re.MULTILINE)
    assert pinned
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder) / "uv.in"
        requirement.write_text(pinned[0], encoding="utf-8")
        wheels = {name: resolve(requirement, name, PYTHONS[0])[0] for name in PLATFORMS}
    hashes = [f"    --hash=sha256:{wheel.sha256}" for wheel in wheels.values()]
    text = "# Made by tools/locks.py; do not edit.\n" + " \\\n".join([pinned[0], *hashes])
    (LOCKS / "uv.txt").write_text(text + "\n", encoding="utf-8")
    return {
        platform: {"file": wheel.file, "sha256": wheel.sha256, "bytes": wheel.bytes}
        for platform, wheel in wheels.items()
    }


if __name__ == "__main__":
    sys.exit(main())
