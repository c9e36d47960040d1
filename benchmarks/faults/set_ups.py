# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills of Blender while it installs the engine, from an index of small packages."""

from __future__ import annotations

import hashlib
import json
import platform
import random
import shutil
import sys
import zipfile
from pathlib import Path

import build_addon
from benchmarks.package_server import PackageServer, write_wheel

from .blender_runs import must, run_step
from .checks import leftovers
from .jobs import check_end
from .outcome import Outcome
from .small_shots import contents

_STEP = "set_up"
_UV = Path(sys.executable).parent / "uv"
_FILES = 1500
"""Files of the largest package, which take uv a while."""
_BYTES_A_SECOND = 2_000_000
_STAYS = {"env", "uv", "engine.json", "install.log"}
"""What is in the engine's folder when it is installed."""


def kill_set_up(work: Path, count: int, seed: int) -> Outcome:
    """Kill the installation of the engine many times, in an empty folder."""
    outcome = Outcome("killed in Blender: engine set-up", "at random moments, then run to the end")
    if not _UV.is_file():
        outcome.how = f"none: there is no {_UV.name} beside this Python"
        return outcome
    build_addon.build(work)
    place, engine = work / "scene", work / "user" / "paintover"
    place.mkdir()
    must(run_step("install", place))
    server = PackageServer()
    try:
        _write_index(work / "index", server)
        seconds = must(run_step(_STEP, place, server.address)).seconds
        right = _installed(engine)
        chance = random.Random(seed)
        while outcome.tried < count:
            shutil.rmtree(engine)
            for _ in range(chance.randint(1, 2)):
                moment = chance.uniform(0.0, seconds)
                ended = run_step(_STEP, place, server.address, kill_after=max(0.001, moment))
                check_end(outcome, ended, f"after {moment:.3f} s")
                if not ended.was_killed:
                    break
                outcome.tried += 1
            what = f"seed {seed}, kill {outcome.tried}"
            ended = run_step(_STEP, place, server.address)
            if ended.code != 0:
                outcome.count("lost", f"{what}: the next run ends with {ended.err[-300:]}")
                continue
            if _installed(engine) != right:
                outcome.count("lost", f"{what}: other files than without it")
            left = {path.name for path in engine.iterdir()} - _STAYS
            left |= {path.name for path in leftovers(engine)}
            if left:
                outcome.count("unforeseen", f"{what}: left over: {sorted(left)}")
    finally:
        server.close()
    return outcome


def _write_index(folder: Path, server: PackageServer) -> None:
    """Write the add-on's list of wheels into a folder, and serve these."""
    server.slow = _BYTES_A_SECOND
    folder.mkdir()
    many = {f"many/{number}.py": f"x = {number}\n" * 20 for number in range(_FILES)}
    wheels = [
        write_wheel(folder, "small", "1.0", {"small.py": "x = 1\n"}),
        write_wheel(folder, "many", "1.0", many),
    ]
    uv = folder / "uv-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(uv, "w") as archive:
        archive.write(_UV, "uv-9.9.9.data/scripts/uv")
    server.files[uv.name] = uv.read_bytes()
    digest = hashlib.sha256(uv.read_bytes()).hexdigest()
    files = {path.name: server.add(path) for path in wheels}
    size = sum(entry["bytes"] for entry in files.values())
    python = {"wheels": list(files), "download": size, "is_exact": True}
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}[platform.machine().lower()]
    name = f"linux-{machine}"
    build = {"platform": name, "backend": "cpu", "source": "index", "download": size}
    build |= {"disk": 3 * size, "pythons": dict.fromkeys(("3.11", "3.12", "3.13"), python)}
    listed = {"file": uv.name, "sha256": digest, "bytes": uv.stat().st_size}
    data = {"uv": {name: listed}, "builds": {f"{name}-cpu": build}, "files": files}
    (folder / "wheels.json").write_text(json.dumps(data), encoding="utf-8")


def _installed(engine: Path) -> dict[str, str]:
    """Return the digests of the files of the installed packages, by their names."""
    (site,) = engine.glob("env/lib/python3.*/site-packages")
    names = ("small.py", "many", "small-1.0.dist-info/METADATA", "many-1.0.dist-info/METADATA")
    return contents(site, *names)
