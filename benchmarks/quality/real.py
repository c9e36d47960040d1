# SPDX-License-Identifier: GPL-3.0-or-later
"""Real pictures: sets that no script painted, scored where they lie; only figures leave them.

A set is a folder with ``input``, a folder of paintings, and perhaps mattes and guides. It is
imported as a user would, into a temporary folder. Paintings that are left out of the training are
the truth of their frames. Where a set has none, the last frame is compared with the last painting.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engine.evaluation.grid import grid
from engine.evaluation.painting_strokes import PaintingStrokes
from engine.evaluation.results import mask_guides, mask_of, read_in_size, result_path
from engine.evaluation.scores import gradient, score
from engine.frames.frame import read_frame
from engine.frames.keyframe import read_keyframe
from engine.images.picture_folders import numbered_pictures
from engine.jobs.import_pictures import import_pictures
from engine.shared.errors import PaintoverError
from engine.shared.flicker_records import read_flickers
from engine.shared.protocol import ImportPictures
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

from .captures import Tell
from .methods import Made, run, style_name
from .repeatability import Ceiling, painters_ceiling


@dataclasses.dataclass(frozen=True)
class RealSet:
    """A set of real pictures.

    Attributes:
        name: its folder.
        painted: the folder of paintings in it.
        left_out: the paintings that are not learnt but are the truth of their frames.
        matte: the folder of mattes, inside which is learnt and scored; "" if there are none.
        guides: folders with a guide picture of every frame.
    """

    name: str
    painted: str
    left_out: tuple[int, ...] = ()
    matte: str = ""
    guides: tuple[str, ...] = ()


SETS = (
    RealSet("lynx", "painted"),
    RealSet("platinum", "output", (100, 200), "mask", ("tracking",)),
)


@dataclasses.dataclass(frozen=True)
class RealScores:
    """The scores of a method on a set; None where there is no truth or nothing to compare.

    Attributes:
        psnr, ssim: as ``engine.evaluation.scores``, over the frames whose painting was left out.
        texture: mean gradient over that of the left out paintings, or of the last painting.
        strokes: distance from the strokes of the nearest painting that was learnt.
        strokes_truth: the same of the left out paintings.
        flicker: mean along the estimated motion, in codes of 255.
        flicker_own: the same of the pictures themselves.
        grid: period in pixels → how far the spectrum of the last frame stands out there.
    """

    psnr: float | None = None
    ssim: float | None = None
    texture: float | None = None
    strokes: float | None = None
    strokes_truth: float | None = None
    flicker: float | None = None
    flicker_own: float | None = None
    grid: dict[int, float] | None = None


@dataclasses.dataclass(frozen=True)
class RealRow:
    """The result of a method on a set; if it failed, ``scores`` is None and ``note`` says why."""

    name: str
    method: str
    made: Made | None
    scores: RealScores | None
    ceiling: Ceiling | None
    note: str = ""


def sets_in(folder: Path) -> list[RealSet]:
    """Return the known sets that a folder has.

    Raises:
        PaintoverError: it has none.
    """
    found = [one for one in SETS if (folder / one.name / "input").is_dir()]
    if not found:
        names = " or ".join(one.name for one in SETS)
        raise PaintoverError(f"{folder} has no set of real pictures; it needs a folder {names}.")
    return found


def measure_real(
    folder: Path,
    one: RealSet,
    methods: Sequence[str],
    seconds: float,
    device: str,
    tell: Tell,
) -> list[RealRow]:
    """Import a set, let networks learn and paint it, and score them.

    Args:
        folder: the folder that holds the set's folder.
        one: the set.
        methods: names of networks, see ``methods``.
        seconds: seconds of training.
        device: value of the engine's option ``--device``.
        tell: called with progress messages.

    Raises:
        PaintoverError: the set cannot be imported.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="paintover-real-") as place:
        shot = imported(folder, one, Path(place))
        ceiling = painters_ceiling(shot, folder / one.name / one.painted)
        for method in methods:
            tell(f"{one.name}, {method}: {seconds:g} s of training, {len(shot.frames)} frames")
            rows.append(_row(shot, folder / one.name, one, method, seconds, device, ceiling))
    return rows


def imported(folder: Path, one: RealSet, place: Path) -> Shot:
    """Return a set as a shot in ``place``, without the paintings that are left out.

    Raises:
        PaintoverError: the set cannot be imported.
    """
    source, learnt = folder / one.name, place / "learnt"
    learnt.mkdir()
    for frame, path in numbered_pictures(source / one.painted, Silent()).files.items():
        if frame not in one.left_out:
            shutil.copy(path, learnt)
    request = ImportPictures(
        job=0,
        shot=str(place / one.name),
        input=str(source / "input"),
        painted=str(learnt),
        mask=str(source / one.matte) if one.matte else "",
        guides={name: str(source / name) for name in one.guides},
    )
    import_pictures(request, Silent())
    return Shot.open(place / one.name)


def _row(
    shot: Shot,
    source: Path,
    one: RealSet,
    method: str,
    seconds: float,
    device: str,
    ceiling: Ceiling | None,
) -> RealRow:
    try:
        made = run(method, shot, shot.key_frames(), seconds, device)
        scores = _scores(shot, source / one.painted, one, style_name(method))
    except PaintoverError as error:
        return RealRow(one.name, method, None, None, ceiling, str(error))
    return RealRow(one.name, method, made, scores, ceiling, made.note)


def _scores(shot: Shot, paintings: Path, one: RealSet, style: str) -> RealScores:
    measured = read_flickers(shot, style).values()
    flicker = _mean([found.result for found in measured])
    own = _mean([found.picture for found in measured])
    last = shot.frames[-1]
    path = result_path(shot, style, last)
    assert path is not None
    result = read_in_size(shot, path)
    pattern = grid(result)
    if one.left_out:
        mean = score(shot, paintings, style, one.left_out).mean
        return RealScores(
            *(mean.psnr, mean.ssim, mean.texture, mean.strokes, mean.strokes_truth),
            *(flicker, own, pattern),
        )
    mask = mask_of(read_frame(shot, last, mask_guides(shot)))
    key = read_keyframe(shot, shot.key_frames()[-1])
    texture = gradient(result, mask) / gradient(key.paint, key.mask)
    strokes = PaintingStrokes(shot, style).distance(last, result, mask)
    return RealScores(None, None, texture, strokes, None, flicker, own, pattern)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
