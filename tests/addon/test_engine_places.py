# SPDX-License-Identifier: GPL-3.0-or-later
"""What Install Engine does with builds, folders and disks: put together, moved, full, removed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import MODULE, ROOT
from setup_index import Setup, needs_uv

from benchmarks.package_server import write_wheel

pytestmark = needs_uv
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to mount"
)


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Mount a disk in memory there."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_package_that_was_unpacked_in_part_is_unpacked_again(
    setup: Setup, quick_check: list[str]
) -> None:
    setup.install()
    site = setup.places.site_packages()
    # A killed uv leaves the list of a package's files, but not all of them.
    (site / "small.py").unlink()
    (setup.places.folder() / setup.record.RECORD).unlink()
    assert not setup.part("engine_process.environment").is_installed()
    setup.install()
    assert (site / "small.py").read_text() == "x = 1\n"
    assert setup.status.look().kind is setup.status.Kind.READY


def test_no_build_for_the_card_in_the_index(setup: Setup) -> None:
    name = f"{setup.builds.this_platform()}-cu126"
    setup.write_requirements()
    sentence = setup.fails("has no PyTorch 2.13.0 for NVIDIA", build=name)
    assert "processor" in sentence


def test_a_build_without_lock_is_put_together_here(
    setup: Setup, quick_check: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.write_requirements()
    setup.server.add(write_wheel(setup.folder, "torch", "2.13.0+cu126", {"torch_gpu.py": ""}))
    quick_check[0] = "no kernel image is available for execution on the device"
    setup.install(build=f"{setup.builds.this_platform()}-cu126")
    found = setup.status.look()
    assert found.kind is setup.status.Kind.NO_GPU
    assert "no kernel image" in found.text and "processor" in found.text
    assert setup.record.installed().pins["torch"] == "2.13.0+cu126"
    # The build for the processor is offered, and replaces it.
    cards = setup.part("engine_setup.graphics_cards")
    (other,) = cards.alternatives(found.build)
    assert other.name == setup.name
    quick_check[0] = ""
    setup.install(build=other.name)
    assert setup.status.look().kind is setup.status.Kind.READY
    assert setup.record.installed().pins["torch"] == "2.13.0+cpu"


def test_repair_update_move_and_remove(
    setup: Setup, quick_check: list[str], tmp_path: Path
) -> None:
    setup.install()
    environment = setup.part("engine_process.environment")
    asked = {name: len(starts) for name, starts in setup.server.ranges.items()}

    # Repair fetches only the package that is damaged.
    site = setup.places.site_packages()
    (site / "small.py").write_text("x = 2\n")
    bpy.ops.paintover.engine_repair()
    assert (site / "small.py").read_text() == "x = 1\n"
    again = {n for n, starts in setup.server.ranges.items() if len(starts) > asked[n]}
    assert again == {setup.wheels["av"].name}

    # So does an update of the add-on.
    setup.put("av", "18.2", {"small.py": "x = 3\n"})
    setup.lock()
    assert not environment.is_installed()
    assert setup.status.look().kind is setup.status.Kind.OUTDATED
    asked = {name: len(starts) for name, starts in setup.server.ranges.items()}
    setup.install()
    again = {n for n, starts in setup.server.ranges.items() if len(starts) > asked.get(n, 0)}
    assert again == {setup.wheels["av"].name}

    # Moved to another disk it works, for all versions of Blender, and nothing is left behind.
    before, target = setup.places.folder(), tmp_path / "other disk ü" / "engine"
    bpy.ops.paintover.engine_move(directory=str(target))
    assert setup.places.folder() == target
    assert environment.is_installed() and target in environment.find().path.parents
    done = subprocess.run([environment.find().path, "-I", "-c", "import small"], check=False)
    assert done.returncode == 0
    assert [path.name for path in before.iterdir()] == ["location.json"]
    mine = target / "mine.txt"
    mine.write_text("not the engine's")
    with pytest.raises(RuntimeError, match="is not empty"):
        full = tmp_path / "full"
        full.mkdir()
        (full / "file").touch()
        bpy.ops.paintover.engine_move(directory=str(full))

    # Remove takes what older versions left too, and nothing else.
    older = Path(bpy.utils.extension_path_user(MODULE, path="engine", create=True)) / "env"
    older.mkdir()
    bpy.ops.paintover.engine_remove()
    assert not environment.is_installed() and not older.exists()
    assert [path.name for path in target.iterdir()] == ["mine.txt"]
    assert setup.places.folder() == setup.places.usual_folder()


@needs_uv
def test_a_move_that_fails_leaves_nothing_in_the_new_folder(
    setup: Setup, quick_check: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.install()
    before, target = setup.places.folder(), tmp_path / "engine"

    def fail(*_: Any) -> Iterator[None]:
        raise setup.part("engine.shared.errors").PaintoverError("It does not start.")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(setup.part("engine_setup.moving"), "_fit", fail)
        with pytest.raises(RuntimeError, match="does not start"):
            bpy.ops.paintover.engine_move(directory=str(target))
    assert not list(target.iterdir()) and setup.places.folder() == before
    bpy.ops.paintover.engine_move(directory=str(target))
    assert setup.places.folder() == target
    bpy.ops.paintover.engine_remove()


def test_an_engine_that_another_blender_installs_is_not_removed(setup: Setup) -> None:
    setup.install()
    lock = setup.places.folder() / setup.places.LOCK
    code = (
        "import sys; from pathlib import Path; from engine.shared.locks import held_alone\n"
        "with held_alone(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(lock)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as other:
        other.stdout.readline()
        with pytest.raises(RuntimeError, match="Another Blender is installing"):
            bpy.ops.paintover.engine_remove()
        assert setup.record.installed() is not None
    bpy.ops.paintover.engine_remove()
    assert setup.record.installed() is None and not lock.exists()


def test_without_a_network_from_a_folder_of_wheels(
    setup: Setup, quick_check: list[str], tmp_path: Path
) -> None:
    from bl_ext.user_default.paintover import command

    wheels = tmp_path / "my wheels"
    words = ["wheels", str(wheels), "--build", setup.name, "--python", "3.12"]
    assert command.main(words) == 0
    assert {path.name for path in wheels.iterdir()} == {setup.uv["file"]} | {
        path.name for path in setup.wheels.values()
    }
    bpy.context.preferences.system.use_online_access = False
    missing = setup.wheels["av"]
    (wheels / missing.name).rename(tmp_path / "aside")
    sentence = setup.fails("my wheels lacks av-18.1", wheels_folder=str(wheels))
    assert "--command paintover wheels" in sentence
    (tmp_path / "aside").rename(wheels / missing.name)
    setup.server.close()
    setup.install(wheels_folder=str(wheels))
    assert setup.part("engine_process.environment").is_installed()


def test_online_access_off_is_heeded(setup: Setup) -> None:
    bpy.context.preferences.system.use_online_access = False
    setup.fails("allow online access in Preferences")
    assert setup.server.ranges == {}


@needs_root
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("size=10m", "needs about .* free some space, or choose a folder on another disk"),
        ("ro", "cannot be written; choose another folder for the engine with Move"),
    ],
)
def test_small_and_read_only_disks(setup: Setup, tmp_path: Path, options: str, told: str) -> None:
    with mounted(tmp_path / "disk", options) as disk:
        setup.places.choose(disk / "engine" if options != "ro" else disk)
        setup.fails(told)


@needs_root
def test_a_disk_that_runs_full_keeps_what_is_there(
    setup: Setup, quick_check: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mounted(tmp_path / "disk", "size=4m") as disk:
        setup.places.choose(disk)
        installation = setup.part("engine_setup.installation")
        monkeypatch.setattr(installation._Installation, "_check_space", lambda *_: None)
        setup.fails("disk of .* is full; free some space")
        assert setup.status.look().kind is setup.status.Kind.UNFINISHED
