# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzing of parsers and of the protocol by atheris, where it has a wheel for this Python.

``python -m benchmarks.faults.fuzz --seconds 60`` shares the time among the targets, ``--inputs``
inputs. ``--total 10000000`` goes on from where earlier runs stopped, in rounds that are noted in
``--cache``; several processes may do so at once. An input that breaks what must hold is kept in
``tests/faults/found``.
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
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.own_process import ROOT

from .fuzz_log import FuzzRun, add_run, begin, code_of, read_runs, totals
from .fuzz_readers import STYLE
from .fuzz_target import Target
from .fuzz_targets import TARGETS
from .long_movies import movie_head
from .packing import small_resume

FOUND = ROOT / "tests/faults/found"
"""A folder for each target, with inputs that once broke it."""
CACHE = ROOT / ".cache/fuzz"
"""The log of the runs, and for each target the inputs that reached other code than the rest."""
TOTAL, LEAST = 10_000_000, 100_000
"""Inputs of the long form, of all targets and of each."""
_DONE = re.compile(r"^Done (\d+) runs", re.M)
_RUNS = re.compile(r"^stat::number_of_executed_units: *(\d+)", re.M)
_SO_FAR = re.compile(r"^#(\d+)\t", re.M)
_INTERRUPTED = "libFuzzer: run interrupted"
"""Told by a fuzzer that was ended by somebody, and has found nothing."""
_FIRST = re.compile(r"^#(\d+)\s+INITED", re.M)
_SEED = 18
_ROUND_SECONDS = 100
_LEAST_RUNS = 1000
"""Inputs of a round at least; those that it begins with are among them."""


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
        places = [folder / "seeds" / name]
        outcomes.append(_fuzz(folder, TARGETS[name], [*limit, f"-seed={_SEED}"], places, keep))
        print(outcomes[-1], file=sys.stderr, flush=True)
    return outcomes


def go_on(
    folder: Path, names: Sequence[str], total: int, cache: Path = CACHE, *, seconds: float = 0
) -> list[FuzzRun]:
    """Fuzz in rounds until all runs together have had enough inputs, and return all runs.

    Each round is of the target that is farthest behind; begins with what earlier ones have reached,
    with other random numbers; and is noted when it ends. Inputs that only repeat those of earlier
    rounds do not count. A target whose input breaks what must hold is left out from then on.

    Args:
        folder: an empty folder to work in.
        names: of the targets.
        total: inputs of all these targets in all runs, ``LEAST`` of each at least.
        cache: where runs are noted.
        seconds: ends after this time; 0: when there are enough.
    """
    wanted = _wanted(names, total)
    end = time.monotonic() + seconds if seconds else float("inf")
    left_out: set[str] = set()
    while time.monotonic() < end:
        done = totals(read_runs(cache))
        behind = {name: done.get(name, 0) / wanted[name] for name in names if name not in left_out}
        name = min(behind, key=behind.__getitem__, default="")
        if not name or behind[name] >= 1:
            break
        if not (folder / "seeds").is_dir():
            make_seeds(folder)
        missing = round(wanted[name] - done.get(name, 0)) + _LEAST_RUNS
        time_left = min(_ROUND_SECONDS, end - time.monotonic())
        run = _round(folder, TARGETS[name], cache, time_left, missing)
        if run.wrong or not run.inputs:
            left_out.add(name)
        print(run, file=sys.stderr, flush=True)
    return [run for run in read_runs(cache) if run.target in names]


def _wanted(names: Sequence[str], total: int) -> dict[str, float]:
    """Return how many inputs each target should have: the rest is shared by how quick it is."""
    least = min(LEAST, total / len(names))
    shares = {name: TARGETS[name].share for name in names}
    rest = (total - least * len(names)) / sum(shares.values())
    return {name: least + rest * share for name, share in shares.items()}


def _round(folder: Path, target: Target, cache: Path, seconds: float, runs: int) -> FuzzRun:
    own = cache / "inputs" / target.name
    own.mkdir(parents=True, exist_ok=True)
    began, (number, date) = time.monotonic(), begin()
    limit = [f"-max_total_time={max(1, round(seconds))}", f"-runs={runs}"]
    limit.append(f"-seed={int(number[:7], 16) + 1}")
    one = _fuzz(folder, target, limit, [own, folder / "seeds" / target.name], keep=True)
    run = FuzzRun(
        number,
        date,
        target.name,
        one.inputs,
        round(time.monotonic() - began, 1),
        code_of(target.is_slow),
        one.wrong,
        one.found.name if one.found else "",
    )
    add_run(cache, run)
    return run


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
        "movie header": movie_head(),
        "drawn frame": _drawn(),
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
    small = small_resume(files["resume state"])
    (folder / "seeds" / "resume state" / "small").write_bytes(small)
    _add_pictures(folder / "seeds")


def shot_for(folder: Path, target: Target) -> Path:
    """Return a copy of the shot for a target, in memory where the system has files there."""
    base = Path("/dev/shm") if Path("/dev/shm").is_dir() else folder
    place = Path(tempfile.mkdtemp(prefix="paintover-fuzz-", dir=base))
    shutil.copytree(folder / "made/shot", place / "shot")
    if target.name != "journal":
        (place / "shot/shot.journal").unlink(missing_ok=True)
    return place / "shot"


def _fuzz(
    folder: Path, target: Target, limit: list[str], places: Sequence[Path], keep: bool
) -> Fuzzed:
    """Fuzz a target, from the inputs in some places; the first of them gets new ones."""
    shot = shot_for(folder, target)
    crash = folder / "crash"
    crash.unlink(missing_ok=True)
    words = [
        *(sys.executable, "-m", "benchmarks.faults.fuzz_process", target.name, str(shot)),
        *(f"-exact_artifact_path={crash}", "-timeout=60", "-rss_limit_mb=4096"),
        *("-print_final_stats=1", "-report_slow_units=60", "-reload=0", *limit, *map(str, places)),
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
    patterns = (_RUNS, _DONE, _SO_FAR)
    counts = [int(count) for pattern in patterns for count in pattern.findall(text)]
    first = [int(count) for count in _FIRST.findall(text)]  # those that it began with
    inputs = max(0, max(counts, default=0) - max(first, default=0))
    if (ended.returncode == 0 and inputs) or _INTERRUPTED in text:
        return Fuzzed(target.name, inputs)
    wrong = text[text.find("=== Uncaught") :][:1500] if "=== Uncaught" in text else text[-1500:]
    found = None
    if keep and crash.is_file():
        data = crash.read_bytes()
        found = FOUND / target.name / hashlib.sha256(data).hexdigest()[:12]
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_bytes(data)
    return Fuzzed(target.name, inputs, wrong, found)


def is_wrong_still(run: FuzzRun) -> bool:
    """Return whether a run found something wrong in the sources as they are now."""
    return bool(run.wrong) and run.code == code_of(TARGETS[run.target].is_slow)


def _head(style: bytes) -> bytes:
    return style[: 8 + int.from_bytes(style[:8], "little")]


def _drawn() -> bytes:
    import numpy as np  # noqa: PLC0415

    from engine.frames.drawn_frame import DrawnFrame  # noqa: PLC0415

    mask = np.tri(6, 8, dtype=bool)
    paint = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3) * mask[..., None]
    return DrawnFrame(1, paint, mask, "").packed().tobytes()


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
    parser.add_argument(
        "--total",
        type=int,
        default=0,
        metavar="N",
        help=f"inputs of all runs in the cache together, such as {TOTAL}",
    )
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help="%(default)s")
    parser.add_argument("--only", choices=TARGETS, action="append", metavar="TARGET")
    options = parser.parse_args(arguments)
    if not is_there():
        print("atheris has no wheel for this Python and system.", file=sys.stderr)
        return 1
    names = options.only or list(TARGETS)
    with tempfile.TemporaryDirectory(prefix="paintover-fuzz-") as folder:
        if options.total:
            place, cache = Path(folder), options.cache.resolve()
            runs = go_on(place, names, options.total, cache, seconds=options.seconds)
            for name, inputs in totals(runs).items():
                print(f"{name:16} {inputs:10,}")
            return int(any(map(is_wrong_still, runs)))
        seconds = options.seconds or (0 if options.inputs else 60)
        outcomes = fuzz(Path(folder), names, inputs=options.inputs, seconds=seconds)
    for one in outcomes:
        print(f"{one.target:16} {one.inputs:10,}  {one.wrong or 'nothing wrong'}")
    print(f"{'all':16} {sum(one.inputs for one in outcomes):10,}")
    return int(any(one.wrong for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
