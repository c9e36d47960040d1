# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's set-up of the engine against a package index of our own, with small wheels."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

from benchmarks.package_server import PackageServer, write_wheel

ENGINE = Path(os.environ["PAINTOVER_ENGINE_PYTHON"])
UV = ENGINE.parent / "uv"
BIG = 3_000_000
"""Bytes of the largest wheel of the index."""

needs_uv = pytest.mark.skipif(not UV.is_file(), reason=f"there is no {UV}")


@pytest.fixture(scope="session")
def uv_wheel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The real uv, packed as in its wheel, and its digest and size."""
    path = tmp_path_factory.mktemp("uv") / "uv-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.write(UV, "uv-9.9.9.data/scripts/uv")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path, {"sha256": digest, "bytes": path.stat().st_size}


class Setup:
    """The add-on's set-up with a lock of small wheels, and the index that serves them."""

    def __init__(
        self, part: Callable[[str], Any], folder: Path, uv_wheel: tuple[Path, dict[str, Any]]
    ) -> None:
        self.part = part
        self.builds, self.places = part("engine_setup.builds"), part("engine_setup.places")
        self.status, self.record = part("engine_setup.status"), part("engine_setup.record")
        self.server = PackageServer()
        self.folder = folder
        self.locks = folder / "locks"
        self.locks.mkdir()
        path, known = uv_wheel
        self.uv = {"file": path.name, **known}
        self.server.files[path.name] = path.read_bytes()
        self.wheels: dict[str, Path] = {}
        # With the packages of the tests' own engine, the check can really train.
        sites = [str(path) for path in ENGINE.parent.parent.glob("lib/python3.*/site-packages")]
        self.put("torch", "2.13.0+cpu", {"torch_of_tests.pth": "\n".join([*sites, ""])})
        self.put("numpy", "1.0", {"ballast.txt": os.urandom(BIG // 2).hex()})
        self.put("av", "18.1", {"small.py": "x = 1\n"})
        self.lock()

    @property
    def name(self) -> str:
        return f"{self.builds.this_platform()}-cpu"

    def put(self, name: str, version: str, files: dict[str, str]) -> Path:
        self.wheels[name] = write_wheel(self.folder, name, version, files)
        return self.wheels[name]

    def lock(self) -> None:
        """Write the add-on's lock anew, and serve its wheels."""
        known = {path.name: self.server.add(path) for path in self.wheels.values()}
        size = sum(entry["bytes"] for entry in known.values())
        python = {"wheels": list(known), "download": size, "is_exact": True}
        platform = self.builds.this_platform()
        build = {
            "platform": platform,
            "backend": "cpu",
            "source": "index",
            "download": size,
            "disk": size * 3,
            "pythons": dict.fromkeys(self.builds.PYTHONS, python),
        }
        names = {f"{platform}-cpu": build, f"{platform}-cu126": _without_lock(build)}
        data = {"uv": {platform: self.uv}, "builds": names, "files": known}
        (self.locks / "wheels.json").write_text(json.dumps(data))
        for cached in (self.builds._data, self.builds.all_builds):
            cached.cache_clear()

    def place_uv(self) -> None:
        program = self.part("engine_setup.commands").uv_path(self.places.folder())
        program.parent.mkdir(parents=True)
        shutil.copy(UV, program)
        (program.parent / "wheel.txt").write_text(self.uv["file"])

    def install(self, **options: str) -> None:
        self.part("engine_setup.web").files_of.cache_clear()
        bpy.ops.paintover.engine_install(**{"python": str(ENGINE), **options})

    def write_requirements(self) -> None:
        path = self.folder / "requirements.txt"
        path.write_text("numpy==1.0\ntorch==2.13.0\nav==18.1\n")
        self.record.REQUIREMENTS = path

    def fails(self, match: str, **options: str) -> str:
        with pytest.raises(RuntimeError, match=match):
            self.install(**options)
        sentence: str = self.status.failure()
        assert "Traceback" not in sentence and sentence.endswith(".")
        return sentence


def _without_lock(build: dict[str, Any]) -> dict[str, Any]:
    return {**build, "backend": "cu126", "pythons": {}}


@pytest.fixture
def setup(
    addon: Any,
    part: Callable[[str], Any],
    tmp_path: Path,
    uv_wheel: tuple[Path, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Setup]:
    environment = part("engine_process.environment")
    monkeypatch.setattr(environment, "_blender_has_packages", lambda: False)
    home = tmp_path / "a home é with spaces"
    home.mkdir()
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(home))
    monkeypatch.delenv("PAINTOVER_ENGINE_PYTHON")
    monkeypatch.setattr(part("engine_setup.downloads"), "FIRST_WAIT", 0.01)
    work = tmp_path / "index"
    work.mkdir()
    found = Setup(part, work, uv_wheel)
    monkeypatch.setattr(found.builds, "LOCKS", found.locks)
    found.lock()
    preferences = environment.preferences()
    preferences.package_index = f"{found.server.address}/simple"
    preferences.torch_index = f"{found.server.address}/whl"
    system: Any = bpy.context.preferences.system
    before, system.use_online_access = system.use_online_access, True
    yield found
    system.use_online_access = before
    preferences.property_unset("package_index")
    preferences.property_unset("torch_index")
    preferences.engine_python = ""
    found.server.close()
    found.status.remember_failure("")
    monkeypatch.undo()
    for cached in (found.builds._data, found.builds.all_builds):
        cached.cache_clear()


@pytest.fixture
def quick_check(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """uv is there, and the check only imports a package; ``faults[0]`` is that of the card."""
    setup.place_uv()
    module, kind = setup.part("engine_setup.engine_check"), setup.record.Check
    faults = [""]

    def check(python: Any, log: Any, start: float = 0.0) -> Any:
        code = "import small; print(small.x)"
        yield from setup.part("engine_setup.commands").run(
            [str(python.path), "-I", "-c", code],
            setup.places.folder(),
            log,
            setup.part("jobs").Progress(start),
        )
        return kind("CPU (2 threads)", 20.5, "2.13.0+cpu", faults[0], "", time.time())

    monkeypatch.setattr(module, "check", check)
    return faults
