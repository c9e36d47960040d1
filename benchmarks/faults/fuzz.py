# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzing of parsers and of the protocol by atheris, where it has a wheel for this Python.

``python -m benchmarks.faults.fuzz --inputs 10000000`` shares the inputs among the targets;
``--seconds 60`` the time. An input that breaks what must hold is kept in ``tests/faults/found``.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.own_process import ROOT

from .fuzz_targets import STYLE, TARGETS, Target

FOUND = ROOT / "tests/faults/found"
"""A folder for each target, with inputs that once broke it."""
_DONE = re.compile(r"^Done (\d+) runs", re.M)
_RUNS = re.compile(r"^stat::number_of_executed_units: *(\d+)", re.M)
_SEED = 18


@dataclasses.dataclass(frozen=True)
class Fuzzed:
    """What came of one target.

    Attributes:
        target: its name.
        inputs: how many were tried.
        wrong: what was wrong with the last of them; "" if nothing was.
        found: the input that it was, kept in ``FOUND``.
    """

    target: str
    inputs: int
    wrong: str = ""
    found: Path | None = None


def is_there() -> bool:
    """Return whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def fuzz(
    folder: Path, names: Sequence[str], *, inputs: int = 0, seconds: float = 0, keep: bool = True
) -> list[Fuzzed]:
    """Fuzz targets one after the other, each in a process of its own.

    Args:
        folder: an empty folder to work in.
        names: of the targets.
        inputs: for all targets together; 0: as many as the time allows.
        seconds: for all targets together; 0: as long as the inputs take.
        keep: whether inputs that break what must hold are kept in ``FOUND``.
    """
    make_seeds(folder)
    shares = {name: TARGETS[name].share for name in names}
    outcomes = []
    for name in names:
        runs = round(inputs * shares[name] / sum(shares.values()))
        limit = [f"-runs={max(1, runs)}"] if inputs else []
        limit += [f"-max_total_time={max(1, round(seconds / len(names)))}"] if seconds else []
        outcomes.append(_fuzz(folder, TARGETS[name], limit, keep))
        print(outcomes[-1], file=sys.stderr, flush=True)
    return outcomes


def make_seeds(folder: Path) -> None:
    """Make the shot that the targets read in, and a folder of seeds for each target."""
    from .subjects import make_subjects  # noqa: PLC0415 - trains, so it needs PyTorch

    subjects = {one.kind: one for one in make_subjects(folder / "made")}
    shot = subjects["shot.json"].folder
    painting = (shot / "keys/0001.png").read_bytes()
    files = {
        "manifest": subjects["shot.json"].path.read_bytes(),
        "journal": subjects["journal"].path.read_bytes(),
        "style": subjects["style"].path.read_bytes(),
        "style header": _head(subjects["style"].path.read_bytes()),
        "resume state": subjects["resume state"].path.read_bytes(),
        "record": subjects["record of a frame"].path.read_bytes(),
        "flicker": subjects["flicker of a frame"].path.read_bytes(),
        "claim": _claim(),
        "request": subjects["request"].path.read_bytes(),
        "picture digest": painting,
        "picture colors": painting,
        "painting": painting,
    }
    for name, target in TARGETS.items():
        place = folder / "seeds" / name
        place.mkdir(parents=True)
        if name in files:
            (place / "file").write_bytes(files[name])
        for number, seed in enumerate(target.seeds):
            (place / str(number)).write_text(seed, encoding="utf-8", newline="\n")
        if (FOUND / name).is_dir():
            shutil.copytree(FOUND / name, place, dirs_exist_ok=True)
    _add_pictures(folder / "seeds")


def shot_for(folder: Path, target: Target) -> Path:
    """Return a copy of the shot for a target, in memory where the system has files there."""
    base = Path("/dev/shm") if Path("/dev/shm").is_dir() else folder
    place = Path(tempfile.mkdtemp(prefix="paintover-fuzz-", dir=base))
    shutil.copytree(folder / "made/shot", place / "shot")
    if target.name != "journal":
        (place / "shot/shot.journal").unlink(missing_ok=True)
    return place / "shot"


def _fuzz(folder: Path, target: Target, limit: list[str], keep: bool) -> Fuzzed:
    shot = shot_for(folder, target)
    crash = folder / "crash"
    crash.unlink(missing_ok=True)
    words = [
        *(sys.executable, "-m", "benchmarks.faults.fuzz_process", target.name, str(shot)),
        *(f"-exact_artifact_path={crash}", f"-seed={_SEED}", "-timeout=20", "-rss_limit_mb=4096"),
        *("-print_final_stats=1", *limit, str(folder / "seeds" / target.name)),
    ]
    try:
        ended = subprocess.run(
            words,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=False,
        )
    finally:
        shutil.rmtree(shot.parent, ignore_errors=True)
    text = ended.stdout
    counts = [int(count) for count in (*_RUNS.findall(text), *_DONE.findall(text))]
    inputs = max(counts, default=0)
    if ended.returncode == 0 and inputs:
        return Fuzzed(target.name, inputs)
    wrong = text[text.find("=== Uncaught") :][:1500] if "=== Uncaught" in text else text[-1500:]
    found = None
    if keep and crash.is_file():
        data = crash.read_bytes()
        found = FOUND / target.name / hashlib.sha256(data).hexdigest()[:12]
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_bytes(data)
    return Fuzzed(target.name, inputs, wrong, found)


def _head(style: bytes) -> bytes:
    return style[: 8 + int.from_bytes(style[:8], "little")]


def _claim() -> bytes:
    from engine.shared.claims import Claims  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, Claims() as claims:
        path = Path(folder) / f".{STYLE}.claim"
        claims.take(path)
        return path.read_bytes()


def _add_pictures(seeds: Path) -> None:
    """Add pictures of other kinds, small, to the seeds of what reads pictures."""
    import numpy as np  # noqa: PLC0415
    from PIL import Image, ImageCms  # noqa: PLC0415

    from engine.images.pictures import write_picture  # noqa: PLC0415

    pixels = np.linspace(0, 1, 8 * 6 * 4, dtype=np.float32).reshape(6, 8, 4)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    small = Image.fromarray((pixels * 255).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("picture digest", "picture colors", "painting"):
        write_picture(seeds / name / "exr.exr", pixels)
        small.save(seeds / name / "small.png", icc_profile=profile, exif=exif)
        small.convert("RGB").save(seeds / name / "small.jpg", icc_profile=profile, exif=exif)
        small.save(seeds / name / "small.tif")
        small.save(seeds / name / "small.tga")
        (seeds / name / "file").unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 1 if an input broke what must hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=0, metavar="N", help="for all targets")
    parser.add_argument("--seconds", type=float, default=0, metavar="N", help="for all targets")
    parser.add_argument("--only", choices=TARGETS, action="append", metavar="TARGET")
    options = parser.parse_args(arguments)
    if not is_there():
        print("atheris has no wheel for this Python and system.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="paintover-fuzz-") as folder:
        seconds = options.seconds or (0 if options.inputs else 60)
        outcomes = fuzz(
            Path(folder), options.only or list(TARGETS), inputs=options.inputs, seconds=seconds
        )
    for one in outcomes:
        print(f"{one.target:16} {one.inputs:10,}  {one.wrong or 'nothing wrong'}")
    print(f"{'all':16} {sum(one.inputs for one in outcomes):10,}")
    return int(any(one.wrong for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
