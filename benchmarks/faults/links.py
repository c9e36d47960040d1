# SPDX-License-Identifier: GPL-3.0-or-later
"""Links in a stranger's shot folder: nothing outside of it is written, changed or deleted."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from engine.app.terminal import Terminal
from engine.app.verbs.live import watch
from engine.images.pictures import write_picture
from engine.jobs.import_pictures import import_pictures
from engine.jobs.mattes import remove_mattes
from engine.jobs.preview import preview
from engine.jobs.sweep import sweep
from engine.jobs.train import train
from engine.shared import protocol
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.training.run_log import add_lines

from .counts import Counts, changed, contents
from .subjects import make_shot, picture

_STYLE, _LOOK = "ink", "look"
_TRAINING = {"patch": 12, "batch": 1}

_FILES = {
    "train": (
        f"styles/{_STYLE}/train.log",
        f"styles/{_STYLE}/curve.csv",
        f"styles/{_STYLE}/resume.safetensors",
        f"styles/{_STYLE}.safetensors",
    ),
    "preview": (
        f"out/{_LOOK}/0002.png",
        f"out/{_LOOK}/made/0002.json",
        "cache/tracks/0002.from.0001.safetensors",
    ),
    "import": ("frames/0001.png", "keys/0001.png", "keys/versions/0001.png", "shot.json"),
    "log": (f"styles/{_STYLE}/stylize.log",),
    "live": ("live/0002.png", f"styles/{_STYLE}/live/resume.safetensors"),
    "sweep": ("sweeps/sweep/sweep.log", "sweeps/sweep/journal.log"),
}
"""Job → files that it writes."""
_FOLDERS = {
    "train": ("styles", f"styles/{_STYLE}"),
    "preview": ("out", f"out/{_LOOK}", f"out/{_LOOK}/made", "cache", "cache/tracks"),
    "import": ("frames", "keys", "keys/versions", ".importing"),
    "log": (f"styles/{_STYLE}",),
    "live": ("live", f"styles/{_STYLE}/live"),
    "sweep": ("sweeps", "sweeps/sweep"),
}
"""Job → folders that it writes to."""


def measure(folder: Path, jobs: Collection[str] = ()) -> Counts:
    """Put a link in place of each file and folder that a job writes, and run the job.

    Args:
        folder: an empty folder to work in.
        jobs: names of the jobs; all if empty.
    """
    jobs = jobs or tuple(JOBS)
    counts = Counts()
    make_shot(folder / "whole")
    for frame in (1, 2, 3):
        write_picture(folder / "given" / "input" / f"{frame:04d}.png", picture(frame + 1))
    write_picture(folder / "given" / "painted" / "0001.png", picture(9)[..., :3])
    for job in jobs:
        for name in _FILES.get(job, ()):
            _try(folder, job, name, "a file", counts)
            _try(folder, job, name, "a file that is not there", counts)
        for name in _FOLDERS.get(job, ()):
            _try(folder, job, name, "a folder", counts)
            _try(folder, job, name, "another shot's folder", counts)
    for words, (job, plant) in PLANTED.items():
        if job in jobs:
            _try_planted(folder, job, words, plant, counts)
    return counts


def _try(folder: Path, job: str, name: str, target: str, counts: Counts) -> None:
    """Replace what a shot has at a path by a link to a target outside, and run a job on it."""
    shot, outside = folder / "shot", folder / "outside"
    shutil.copytree(folder / "whole", shot)
    outside.mkdir()
    (outside / "secret.txt").write_text("mine", encoding="utf-8")
    (outside / "0001.png").write_bytes(b"mine")
    (outside / "other").mkdir()
    (outside / "other" / "shot.json").write_text("{}", encoding="utf-8")
    shutil.copytree(folder / "whole" / "frames", outside / "other" / "frames")
    leads_to = {
        "a file": outside / "secret.txt",
        "a file that is not there": outside / "new.txt",
        "a folder": outside,
        "another shot's folder": outside / "other" / "frames",
    }[target]
    _replace(shot / name, leads_to)
    _run(folder, job, f"{name} is a link to {target}", counts)


def _try_planted(
    folder: Path, job: str, words: str, plant: Callable[[Path, Path], None], counts: Counts
) -> None:
    """Plant links in a shot that lies beside another shot and folders of pictures."""
    shot, outside = folder / "shot", folder / "outside"
    shutil.copytree(folder / "whole", shot)
    shutil.copytree(folder / "whole", outside / "other")
    for name in ("pngs/0009.png", "album/look/0009.png", "docs/a/0001.png"):
        (outside / name).parent.mkdir(parents=True)
        (outside / name).write_bytes(b"mine")
    plant(shot, outside)
    _run(folder, job, words, counts)


def _run(folder: Path, job: str, words: str, counts: Counts) -> None:
    """Run a job, and count what it changed outside of the shot; the shot is deleted."""
    before = contents(folder / "outside")
    counts.tried += 1
    try:
        JOBS[job](folder)
    except PaintoverError:
        counts.refused += 1
    except Exception as error:  # whatever a job lets through is what is counted here
        counts.unforeseen.append(f"{words}: {type(error).__name__}: {error}")
    counts.let_in += [f"{words}: {one}" for one in changed(before, contents(folder / "outside"))]
    for place in (folder / "shot", folder / "outside"):
        shutil.rmtree(place)


def _replace(path: Path, target: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def _train(folder: Path) -> None:
    request = protocol.Train(0, str(folder / "shot"), _STYLE, steps=1, network="small")
    request = protocol.Train(**{**vars(request), "settings": _TRAINING, "device": "cpu"})
    train(request, Silent())


def _preview(folder: Path, look: str = _LOOK) -> None:
    preview(protocol.Preview(0, str(folder / "shot"), look, frames=[2]), Silent())


def _import(folder: Path) -> None:
    shot = Shot.open(folder / "shot")
    shot.manifest.source["kind"] = "pictures"
    shot.save()
    given = folder / "given"
    import_pictures(
        protocol.ImportPictures(
            0, str(shot.folder), str(given / "input"), painted=str(given / "painted")
        ),
        Silent(),
    )


def _log(folder: Path) -> None:
    add_lines(folder / "shot" / "styles" / _STYLE / "stylize.log", ["a line"])


def _live(folder: Path) -> None:
    """Run a short session of ``python -m engine live``."""
    with contextlib.suppress(Cancelled):
        watch(
            folder / "shot",
            Terminal("none", out=io.StringIO(), err=io.StringIO()),
            style=_STYLE,
            frame=2,
            output=None,
            seconds=0.5,
            device="cpu",
            share=1.0,
            seed=0,
        )


def _sweep(folder: Path) -> None:
    shot = folder / "shot"
    write_picture(shot / "keys" / "0002.png", 1 - picture(2)[..., :3])
    request = protocol.Sweep(0, str(shot), "sweep", minutes=1, trials=1, trial_steps=1)
    sweep(dataclasses.replace(request, train_style=False, device="cpu"), Silent())


def _plant_manifest(shot: Path, outside: Path) -> None:
    """Let the folder of stylized frames be a shot with a folder of frames on another disk."""
    (shot / "out").mkdir()
    (shot / "out" / "shot.json").write_text("{}", encoding="utf-8")
    _replace(shot / "out" / "frames", outside / "pngs")


def _plant_mattes(shot: Path, outside: Path) -> None:
    opened = Shot.open(shot)
    opened.manifest.matte = "a"
    opened.save()
    _replace(shot / "mattes", outside / "docs")


def _plant_shot_of_links(shot: Path, outside: Path) -> None:
    """Let the folder of stylized frames be a shot that lies elsewhere."""
    _replace(shot / "out", outside / "other")


PLANTED: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "out is another shot": ("preview guides", _plant_shot_of_links),
    "out has a manifest, and links": ("preview frames", _plant_manifest),
    "out leads to folders of pictures": (
        "preview",
        lambda shot, outside: _replace(shot / "out", outside / "album"),
    ),
    "cache leads to folders of pictures": (
        "preview",
        lambda shot, outside: _replace(shot / "cache", outside / "album"),
    ),
    "mattes leads to folders of pictures": ("remove mattes", _plant_mattes),
    "a style is another shot": (
        "log",
        lambda shot, outside: _replace(shot / "styles" / _STYLE, outside / "other"),
    ),
}
"""What is planted → the job that it is for, and what plants it in a shot, given what is outside."""

JOBS: dict[str, Callable[[Path], None]] = {
    "train": _train,
    "preview": _preview,
    "preview guides": lambda folder: _preview(folder, "guides"),
    "preview frames": lambda folder: _preview(folder, "frames"),
    "remove mattes": lambda folder: remove_mattes(folder / "shot", Silent()),
    "import": _import,
    "log": _log,
    "live": _live,
    "sweep": _sweep,
}
"""Name of a job → what runs it."""
