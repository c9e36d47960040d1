# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip: what is in it, that it is always the same, and that Blender accepts it."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path

import pytest

import build_addon


def test_zip_has_the_addon_and_the_engine_and_nothing_else(archive: Path) -> None:
    names = zipfile.ZipFile(archive).namelist()
    assert {"blender_manifest.toml", "__init__.py", "LICENSE", "engine/shared/shot.py"} <= set(
        names
    )
    assert "engine/requirements.txt" in names
    assert not [name for name in names if "__pycache__" in name or "test" in name]


def test_manifest_has_the_engines_version(archive: Path) -> None:
    manifest = tomllib.loads(zipfile.ZipFile(archive).read("blender_manifest.toml").decode())
    assert manifest["version"] == build_addon.version()
    assert build_addon.version() in archive.name


def test_same_files_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    assert build_addon.build(tmp_path).read_bytes() == archive.read_bytes()


def test_wheels_are_bundled_and_named_for_one_platform(tmp_path: Path) -> None:
    wheel = tmp_path / "demo_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("demo_package.py", "")
    package = tmp_path / "package"
    build_addon.stage(package, [wheel], "linux-x64")
    archive = tmp_path / "bundled.zip"
    build_addon.pack(package, archive)
    build_addon.validate(archive)
    manifest = tomllib.loads(zipfile.ZipFile(archive).read("blender_manifest.toml").decode())
    assert manifest["wheels"] == [f"./wheels/{wheel.name}"]
    assert manifest["platforms"] == ["linux-x64"]
    assert f"wheels/{wheel.name}" in zipfile.ZipFile(archive).namelist()


def test_blender_refuses_a_broken_zip(tmp_path: Path) -> None:
    package = tmp_path / "package"
    build_addon.stage(package)
    manifest = package / "blender_manifest.toml"
    manifest.write_text(manifest.read_text().replace('"add-on"', '"nonsense"'))
    build_addon.pack(package, tmp_path / "broken.zip")
    with pytest.raises(SystemExit, match="Blender refuses"):
        build_addon.validate(tmp_path / "broken.zip")


def test_wheels_for_another_platform_are_refused(tmp_path: Path) -> None:
    other = next(name for name in build_addon.PLATFORMS if name != build_addon.this_platform())
    with pytest.raises(SystemExit, match="bundle the wheels for"):
        build_addon.build(tmp_path, wheels=True, platform=other)
