# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit: a small folder of captured shots with their true paintings, made for another machine.

KIT/kit.json            the pairs, their size and number of frames, and the wheels to copy with it
KIT/SHOT-STYLE/shot     a shot folder with its painted keyframe
KIT/SHOT-STYLE/truth    the true painting of every frame
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from importlib.metadata import version
from pathlib import Path

from benchmarks.quality.captures import Tell
from benchmarks.quality.pairs import FULL, Extent, Pair
from benchmarks.quality.truth import Truth, make_truth
from engine.shared.errors import PaintoverError

from .exr import rewrite

PAIRS = (Pair("room", "gouache"), Pair("head", "gouache"))
EXTENT = dataclasses.replace(FULL, frames=8)
MOST_BYTES = 40 << 20
SKIPPED = (".Combined.R", ".Combined.G", ".Combined.B", ".Noisy Image.")
"""Parts of the names of channels to drop: the engine reads the picture from the PNG."""
WHEELS = ("OpenImageIO",)
OPTIONAL_WHEELS = ("flip-evaluator",)
INDEX, SHOT, TRUTH = "kit.json", "shot", "truth"


@dataclasses.dataclass(frozen=True)
class KitPair:
    """A pair in a kit: its name, a shot with a painted keyframe, the folder of true paintings."""

    name: str
    shot: Path
    truth: Path


def prepare(
    kit: Path, cache: Path, tell: Tell, pairs: tuple[Pair, ...] = PAIRS, extent: Extent = EXTENT
) -> list[str]:
    """Make a kit.

    Args:
        kit: the folder to make; an older kit in it is replaced.
        cache: cache of captured shots and true paintings (see ``benchmarks.quality``).
        tell: called with progress messages.
        pairs: shots and styles.
        extent: size and number of frames.

    Returns:
        Sentences about its size and about what else to copy to the other machine.

    Raises:
        PaintoverError: Blender failed, the folder has other contents, or the kit is too large.
    """
    if kit.exists() and any(kit.iterdir()) and not (kit / INDEX).is_file():
        raise PaintoverError(f"{kit} is neither empty nor a kit; choose another folder.")
    shutil.rmtree(kit, ignore_errors=True)
    for pair in pairs:
        _copy(make_truth(pair, extent, cache, tell), kit / _name(pair))
    data = {
        "pairs": [[pair.shot, pair.style] for pair in pairs],
        "width": extent.width,
        "height": extent.height,
        "frames": extent.frames,
    }
    (kit / INDEX).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in kit.rglob("*") if path.is_file())
    if size > MOST_BYTES:
        raise PaintoverError(
            f"The kit has {size / 2**20:.0f} MiB, more than {MOST_BYTES >> 20}; "
            "choose fewer frames or pairs."
        )
    return [
        f"{kit}: {size / 2**20:.1f} MiB.",
        f"The other machine needs PyTorch 2.6 or later with CUDA, and {_wheels(WHEELS)}.",
        f"With {_wheels(OPTIONAL_WHEELS)} and scikit-image the scores are complete.",
    ]


def open_kit(kit: Path) -> list[KitPair]:
    """Return the pairs of a kit.

    Raises:
        PaintoverError: the folder is not a kit.
    """
    try:
        data = json.loads((kit / INDEX).read_text("utf-8"))
        pairs = [Pair(shot, style) for shot, style in data["pairs"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PaintoverError(f"{kit} is not a kit; make one with --prepare. ({error})") from None
    return [
        KitPair(pair.name, kit / _name(pair) / SHOT, kit / _name(pair) / TRUTH) for pair in pairs
    ]


def _copy(truth: Truth, folder: Path) -> None:
    source, target = truth.shot.folder, folder / SHOT
    (target / "frames").mkdir(parents=True)
    shutil.copytree(truth.folder, folder / TRUTH)
    shutil.copytree(source / "keys", target / "keys")
    shutil.copy(source / "shot.json", target)
    for path in sorted((source / "frames").iterdir()):
        if path.suffix == ".exr":
            rewrite(path, target / "frames" / path.name, keeps=_is_read)
        else:
            shutil.copy(path, target / "frames")


def _is_read(channel: str) -> bool:
    return not any(part in channel for part in SKIPPED)


def _name(pair: Pair) -> str:
    return f"{pair.shot}-{pair.style}"


def _wheels(names: tuple[str, ...]) -> str:
    return " and ".join(f"the wheel {name}=={version(name)}" for name in names)
