# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the extension that Blender installs: ``dist/paintover-VERSION.zip``.

- ``python build_addon.py``: the zip, checked by Blender's own validator
- ``python build_addon.py --stage DIR``: the package as a folder, ``DIR/paintover``
- ``python build_addon.py --wheels --python 3.11 --python 3.13``: with the engine's wheels for
  this machine's platform, so that Blender's own Python runs the engine
"""

from __future__ import annotations

import argparse
import platform as platform_module
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools import house, manual_pages

ROOT = Path(__file__).resolve().parent
PLATFORMS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_14_0_arm64", "macosx_12_0_arm64", "macosx_11_0_arm64"),
}
_VALIDATOR = Path("scripts/addons_core/bl_pkg/cli/blender_ext.py")
_SAME_TIME = (2026, 1, 1, 0, 0, 0)


def version() -> str:
    """Return the version of Paintover; ``engine/__init__.py`` is the one place where it stands."""
    text = (ROOT / "engine" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if not found:
        raise SystemExit("build_addon: engine/__init__.py names no __version__.")
    return found[1]


def stage(folder: Path, wheels: list[Path] | None = None, platform: str = "") -> None:
    """Lay out the package as a folder: the add-on's files, ``engine/``, ``farm/``, the manual as
    HTML and the manifest.

    Args:
        folder: is emptied first.
        wheels: wheel files to bundle.
        platform: the Blender platform that the wheels are for, such as ``linux-x64``.

    Raises:
        SystemExit: an import breaks the rules of ``tools/house.py``.
    """
    if broken := house.problems(ROOT):
        raise SystemExit("\n".join(["build_addon: these imports are not allowed:", *broken]))
    if folder.exists():
        shutil.rmtree(folder)
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "tests", ".*")
    shutil.copytree(ROOT / "blender_addon", folder, ignore=ignore)
    shutil.copytree(ROOT / "engine", folder / "engine", ignore=ignore)
    shutil.copytree(ROOT / "requirements/locks", folder / "locks", ignore=ignore)
    shutil.copytree(ROOT / "farm", folder / "farm", ignore=ignore)
    manual_pages.write(ROOT / "docs", folder / "manual")
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
    lines = (folder / "blender_manifest.toml").read_text(encoding="utf-8").splitlines()
    added = [f'version = "{version()}"']
    if wheels:
        (folder / "wheels").mkdir()
        for wheel in wheels:
            shutil.copy(wheel, folder / "wheels" / wheel.name)
        names = ", ".join(f'"./wheels/{name}"' for name in sorted({w.name for w in wheels}))
        added += [f'platforms = ["{platform}"]', f"wheels = [{names}]"]
    lines[2:2] = added
    (folder / "blender_manifest.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def pack(folder: Path, archive: Path) -> None:
    """Zip a staged package; the same files give the same bytes."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _SAME_TIME)
                info.external_attr = 0o644 << 16
                stored = path.suffix == ".whl"
                info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                file.writestr(info, path.read_bytes())


def download_wheels(folder: Path, platform: str, pythons: list[str]) -> list[Path]:
    """Download the engine's pinned wheels for this machine's platform through pip.

    Raises:
        SystemExit: pip asks what a package depends on for the machine that it runs on, so the
            wheels of another platform would be the wrong ones.
    """
    if platform != this_platform():
        raise SystemExit(
            f"build_addon: this machine is {this_platform()}; bundle the wheels for {platform} "
            "on such a machine."
        )
    for python in pythons:
        command = [sys.executable, "-m", "pip", "download", "--only-binary=:all:", "--no-input"]
        command += ["--dest", str(folder), "--python-version", python, "--implementation", "cp"]
        for tag in PLATFORMS[platform]:
            command += ["--platform", tag]
        command += ["--requirement", str(ROOT / "engine" / "requirements.txt")]
        subprocess.run(command, check=True)
    return sorted(folder.glob("*.whl"))


def this_platform() -> str:
    """Return Blender's name of the platform that this runs on, such as ``linux-x64``."""
    system = {"linux": "linux", "win32": "windows", "darwin": "macos"}.get(sys.platform, "")
    machine = {"x86_64": "x64", "amd64": "x64"}.get(
        platform_module.machine().lower(), platform_module.machine().lower()
    )
    return f"{system}-{machine}"


def find_validator() -> Path | None:
    """Return Blender's extension tool, from the bpy module or a Blender on the PATH."""
    places: list[Path] = []
    for site in map(Path, sys.path):
        places += sorted(site.glob("bpy/*/"))
    blender = shutil.which("blender")
    if blender:
        places += sorted(Path(blender).resolve().parent.glob("*/"))
        places += [*sorted(Path("/usr/share/blender").glob("*/")), Path("/usr/share/blender")]
    return next((place / _VALIDATOR for place in places if (place / _VALIDATOR).is_file()), None)


def validate(archive: Path) -> None:
    """Check a zip with Blender's own validator. Raises SystemExit where it is refused."""
    tool = find_validator()
    if tool is None:
        print("build_addon: not validated, there is no bpy module and no Blender here.")
        return
    tags = tool.parents[3] / "modules" / "_bpy_internal" / "extensions" / "tags.py"
    command = [sys.executable, str(tool), "validate", str(archive)]
    command += ["--valid-tags", str(tags)] if tags.is_file() else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"build_addon: Blender refuses {archive}:\n{done.stdout}{done.stderr}")


def build(
    out: Path, *, wheels: bool = False, platform: str = "", pythons: list[str] | None = None
) -> Path:
    """Make the zip in the folder ``out`` and check it; returns its path."""
    with tempfile.TemporaryDirectory() as temporary:
        downloads = Path(temporary) / "wheels"
        files = download_wheels(downloads, platform, pythons or ["3.11"]) if wheels else None
        package = Path(temporary) / "paintover"
        stage(package, files, platform)
        archive = out / f"paintover-{version()}{f'-{platform}' if wheels else ''}.zip"
        pack(package, archive)
    validate(archive)
    return archive


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Make Paintover's extension zip.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the zip")
    parser.add_argument("--stage", type=Path, help="lay the package out in this folder instead")
    parser.add_argument("--wheels", action="store_true", help="bundle the engine's wheels")
    parser.add_argument("--platform", choices=PLATFORMS, default=this_platform())
    parser.add_argument("--python", action="append", metavar="3.11", help="repeatable")
    options = parser.parse_args()
    if options.stage:
        stage(options.stage / "paintover")
        print(options.stage / "paintover")
        return
    print(
        build(options.out, wheels=options.wheels, platform=options.platform, pythons=options.python)
    )


if __name__ == "__main__":
    main()
