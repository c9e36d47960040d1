# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs and repairs the engine.

Wheels come into ``downloads/`` first; only when all are there, and right, the environment is
changed. So a download that breaks off leaves an engine that works, and goes on another time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

import bpy

from .. import logs
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import digest_file
from ..engine_process import environment
from ..jobs import Job, Progress
from . import (
    builds,
    commands,
    downloads,
    engine_check,
    faults,
    packages,
    places,
    plan,
    record,
    removal,
)
from .folder_lock import held_folder
from .threads import in_thread

_log = logs.logger(__name__)

_DOWNLOADED, _UNPACKED = 0.75, 0.92


@dataclasses.dataclass(frozen=True)
class Wish:
    """What to install.

    Attributes:
        build: its name.
        python: the Python that makes the environment; "" for Blender's, or uv's own.
        wheels_folder: take wheels from this folder; "" for none.
        is_repair: whether installed files are read, and replaced if they have changed.
    """

    build: str
    python: str = ""
    wheels_folder: str = ""
    is_repair: bool = False


def install(wish: Wish) -> Job[str]:
    """Install the engine, or go on with that.

    Returns:
        The message to report.

    Raises:
        PaintoverError: in one sentence, what prevents it and the way out.
    """
    build = builds.find(wish.build)
    if build.platform != builds.this_platform():
        raise PaintoverError(
            f"{build.name} is not for this machine ({builds.this_platform()}); choose another "
            "build."
        )
    if wish.wheels_folder and not Path(bpy.path.abspath(wish.wheels_folder)).is_dir():
        raise PaintoverError(
            f"There is no folder {wish.wheels_folder}; choose the folder of wheels."
        )
    if not wish.wheels_folder and not bpy.app.online_access:
        raise PaintoverError(
            "Blender's online access is off; allow online access in Preferences > System, or "
            "install the engine from a folder of wheels."
        )
    return _install(build, wish)


def _install(build: builds.Build, wish: Wish) -> Job[str]:
    folder = places.folder()
    with held_folder(folder), commands.new_log(folder / "install.log") as log:
        found = yield from _Installation(build, wish, folder, log).run()
    removal.remove_older()
    if found.gpu_fault:
        return f"The engine is installed, but the graphics card cannot be used: {found.gpu_fault}"
    return f"The engine is installed: {found.steps_per_second:g} steps a second on {found.device}"


class _Installation:
    """One installation; see ``install``."""

    def __init__(self, build: builds.Build, wish: Wish, folder: Path, log: IO[str]) -> None:
        self._build, self._wish = build, wish
        self._folder, self._log = folder, log
        self._downloads = folder / "downloads"
        self._downloads.mkdir(exist_ok=True)
        self._own = Path(bpy.path.abspath(wish.wheels_folder)) if wish.wheels_folder else None
        self._base = plan.base_python()

    def run(self) -> Job[record.Check]:
        """Do all of it; returns what the check found."""
        kept = self._environment_version()
        if self._wish.python:
            self._base = yield from self._named_python(self._wish.python)
        elif kept in builds.PYTHONS:  # made by another version of Blender, perhaps
            self._base = plan.Base(kept, "")
        version = self._base.version
        wheels = self._build.wheels.get(version)
        uv = [] if commands.has_uv(self._folder, self._build.platform) else [self._uv()]
        if wheels is None:
            yield from self._fetch(uv, 0.02)
            self._unpack_uv(uv)
            uv = []
            resolving = Progress(0.03, text="Choosing the packages")
            wheels = yield from plan.resolve(
                self._build, version, self._folder, self._log, resolving
            )
        is_kept = version == self._environment_version()
        there = yield from self._installed(is_kept)
        missing = [wheel for wheel in wheels if there.get(wheel.name) != wheel.version]
        self._check_space(uv + missing)
        yield from self._fetch(uv + missing, _DOWNLOADED)
        self._unpack_uv(uv)
        record.forget()
        if not is_kept:
            yield from self._make_environment()
        yield from self._unpack(wheels, missing)
        found = yield from self._check(version, wheels)
        shutil.rmtree(self._downloads, ignore_errors=True)
        shutil.rmtree(self._folder / "cache", ignore_errors=True)
        return found

    def _uv(self) -> builds.Wheel:
        return builds.uv_wheel(self._build.platform)

    def _named_python(self, name: str) -> Job[plan.Base]:
        path = bpy.path.abspath(name)
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        looking = Progress(0.0, text="Looking at the Python")
        try:
            lines = yield from commands.run(
                [path, "-I", "-c", code], self._folder, self._log, looking, 60
            )
        except PaintoverError as error:
            raise PaintoverError(f"{path} is no Python that runs; choose another one.") from error
        version = lines[-1].strip() if lines else ""
        if version not in builds.PYTHONS:
            raise PaintoverError(
                f"{path} is Python {version or 'of an unknown version'}, but the engine needs "
                f"{', '.join(builds.PYTHONS[:-1])} or {builds.PYTHONS[-1]}; choose another one."
            )
        return plan.Base(version, path)

    def _environment_version(self) -> str:
        """Return the Python version of the environment, "" if its Python is not there."""
        settings = self._folder / "env" / "pyvenv.cfg"
        try:
            lines = settings.read_text(encoding="utf-8").splitlines()
        except OSError:
            return ""
        if not places.environment_python(self._folder).is_file():
            return ""
        made_with = next((line for line in lines if line.startswith("version_info")), "")
        return ".".join(made_with.partition("=")[2].strip().split(".")[:2])

    def _installed(self, is_kept: bool) -> Job[dict[str, str]]:
        """Return the packages that are there and stay.

        All their files are read in a repair, and where an installation did not come to its end: uv
        writes the list of a package's files before the last of them.
        """
        site = places.site_packages(self._folder) if is_kept else None
        if site is None:
            return {}
        if self._wish.is_repair or record.installed() is None:
            reading = Progress(0.01, text="Reading the installed files")
            faulty = yield from in_thread(lambda: packages.damaged(site), reading)
            if faulty:
                _log.warning("Damaged packages: %s", ", ".join(sorted(faulty)))
                record.forget()
                packages.forget(site, faulty)
        return packages.installed(site)

    def _check_space(self, wheels: Sequence[builds.Wheel]) -> None:
        """Refuse to begin what the disk has no room for."""
        missing = [wheel for wheel in wheels if self._given(wheel) is None]
        there = sum(path.stat().st_size for path in self._downloads.iterdir() if path.is_file())
        download = max(0, sum(wheel.bytes for wheel in missing) - there)
        ratio = self._build.disk / max(1, self._build.download)
        need = download + int(ratio * sum(wheel.bytes for wheel in wheels))
        free = shutil.disk_usage(self._folder).free
        if wheels and free < need + places.SPARE:
            raise PaintoverError(
                f"The disk of {self._folder} has {faults.megabytes(free)} free, but the engine "
                f"needs about {faults.megabytes(need + places.SPARE)}; free some space, or choose "
                "a folder on another disk with Move."
            )

    def _given(self, wheel: builds.Wheel) -> Path | None:
        """Return the path of a wheel in the user's folder of wheels, None if it is not there."""
        if self._own is None:
            return None
        path = self._own / wheel.file
        if not path.is_file():
            return None
        if not downloads.is_right(path, wheel):
            raise PaintoverError(
                f"{path} is damaged (its digest is wrong); copy it again, or delete it."
            )
        return path

    def _fetch(self, wheels: Sequence[builds.Wheel], end: float) -> Job[None]:
        missing = [wheel for wheel in wheels if self._given(wheel) is None]
        if missing and self._own is not None and not bpy.app.online_access:
            names = ", ".join(wheel.file for wheel in missing[:3])
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise PaintoverError(
                f"{self._own} lacks {names}{more}; fill it on a machine with a network with "
                f'"blender -b --command paintover wheels FOLDER --build {self._build.name} '
                f'--python {self._base.version}".'
            )
        if not missing:
            return
        fetching = downloads.Downloads(missing, self._downloads, plan.locate(self._build))
        yield from _scaled(fetching.run(), end)

    def _path(self, wheel: builds.Wheel) -> Path:
        return self._given(wheel) or self._downloads / wheel.file

    def _unpack_uv(self, wheels: Iterable[builds.Wheel]) -> None:
        for wheel in wheels:
            commands.unpack_uv(self._folder, self._path(wheel))

    def _make_environment(self) -> Job[None]:
        progress = Progress(_DOWNLOADED, text="Making the environment")
        command = ["venv", "--clear", "--no-project", str(self._folder / "env")]
        command += [f"--python={self._base.path or self._base.version}"]
        if self._base.path or not bpy.app.online_access:
            command.append("--no-python-downloads")
        if self._build.platform == "windows-x64":
            command.append("--link-mode=copy")
        try:
            yield from self._uv_run(command, progress)
        except commands.CommandError as error:
            if self._base.path:
                raise PaintoverError(
                    f"No environment could be made with {self._base.path} "
                    f"({_last(error.lines)}); choose another Python with Use This Python."
                ) from error
            raise PaintoverError(
                f"The engine needs Python {self._base.version}, as Blender's own is another one, "
                "and it could not be downloaded from github.com, or does not run; install it, or "
                "choose a Python "
                f"{builds.PYTHONS[0]} to {builds.PYTHONS[-1]} with Use This Python."
            ) from error

    def _uv_run(self, command: list[str], progress: Progress) -> Job[list[str]]:
        whole = commands.uv_command(self._folder, *command)
        return (yield from commands.run(whole, self._folder, self._log, progress))

    def _unpack(self, wheels: Sequence[builds.Wheel], missing: Sequence[builds.Wheel]) -> Job[None]:
        progress = Progress(0.78, text=f"Unpacking {len(missing)} packages")
        python = f"--python={places.environment_python(self._folder)}"
        own = ["--no-deps", "--no-index", "--offline", "--reinstall"]
        site = places.site_packages(self._folder)
        surplus = sorted(
            set(packages.installed(site) if site else ()) - {wheel.name for wheel in wheels}
        )
        try:
            if surplus:
                yield from self._uv_run(["pip", "uninstall", python, *surplus], progress)
            if missing:
                files = [str(self._path(wheel)) for wheel in missing]
                yield from self._uv_run(["pip", "install", python, *own, *files], progress)
        except commands.CommandError as error:
            if any("No space left" in line or "os error 28" in line for line in error.lines):
                raise faults.disk_error(OSError(28, "full"), self._folder) from error
            raise

    def _check(self, version: str, wheels: Sequence[builds.Wheel]) -> Job[record.Check]:
        python = environment.EnginePython(places.environment_python(self._folder), "")
        found = yield from engine_check.check(python, self._log, _UNPACKED)
        pins = {wheel.name: wheel.version for wheel in wheels}
        digest = digest_file(record.REQUIREMENTS)
        record.write(record.Record(self._build.name, version, pins, digest, found))
        return found


def _last(lines: Sequence[str]) -> str:
    return next((line.strip()[:160] for line in reversed(lines) if line.strip()), "no reason told")


def _scaled(job: Job[None], end: float) -> Job[None]:
    """Run a job whose progress is that of the whole up to a fraction."""
    with contextlib.closing(job):
        for progress in job:
            yield dataclasses.replace(progress, fraction=progress.fraction * end)
