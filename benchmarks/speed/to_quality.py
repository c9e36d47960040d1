# SPDX-License-Identifier: GPL-3.0-or-later
"""Training time until our pictures are as good as those of the published network after 250 steps.

The quality of that network hardly depends on the machine and takes up to half an hour to measure,
so it is stored in ``paper250.json`` for the short form; the long form measures it again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

from benchmarks.quality.truth import Truth
from benchmarks.rows import Row
from engine.evaluation.scores import score
from engine.jobs.stylize import stylize
from engine.jobs.train import train
from engine.shared import protocol
from engine.shared.files import digest_json
from engine.shared.reporter import Silent
from engine.training.settings import default_settings

STEPS = 250
LEAST_RATIO = 25.0
HALVINGS = 2
KEPT = Path(__file__).resolve().parent / "paper250.json"

Tell = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Quality:
    """PSNR in dB and SSIM over the mask, means over frames that are not keyframes."""

    psnr: float
    ssim: float

    def reaches(self, other: Quality) -> bool:
        """Return whether neither PSNR nor SSIM is worse than that of ``other``."""
        return self.psnr >= other.psnr and self.ssim >= other.ssim

    def __str__(self) -> str:
        """``23.40 dB, SSIM 0.703``."""
        return f"{self.psnr:.2f} dB, SSIM {self.ssim:.3f}"


@dataclasses.dataclass(frozen=True)
class Reached:
    """The quality that a training run reached, and its seconds."""

    seconds: float
    quality: Quality


def quality_row(
    truth: Truth,
    scored: Sequence[int],
    budgets: Sequence[float],
    device: str,
    tell: Tell,
    *,
    paper_step: float | None,
) -> Row:
    """Find the shortest training that reaches the quality of ``paper``.

    Args:
        truth: a shot with its true paintings and painted keyframes.
        scored: the frames to score.
        budgets: seconds to try, each in its own run, in rising order; two more are tried between
            the first that suffices and the one before it.
        device: value of the engine's option ``--device``.
        tell: called with progress messages.
        paper_step: seconds of one step of ``paper``, to use its stored quality if there is one;
            None to train it now. Its new quality is stored.

    Raises:
        PaintoverError: a picture is damaged.
    """
    name = f"{truth.folder.name.rpartition('-')[0]}, frames {', '.join(map(str, scored))}"
    kept = kept_quality(name) if paper_step else None
    if kept and paper_step:
        target = Reached(STEPS * paper_step, kept)
        how = f"{STEPS} times its step of now, its quality as measured once"
    else:
        tell(f"training paper for {STEPS} steps")
        target = train_and_score(truth, scored, "paper", device, steps=STEPS)
        keep(name, target.quality)
        how = f"trained for {STEPS} steps now"
    tell(f"paper after {STEPS} steps: {target.quality}, {target.seconds:.0f} s")
    best = _least(truth, scored, budgets, device, target.quality, tell)
    reached = f"ours: {best.quality}; " if best else ""
    return Row(
        "train_to_paper250",
        best.seconds if best else None,
        "s",
        paper=target.seconds,
        ratio_aim=LEAST_RATIO,
        remark=f"{name}; {reached}`paper`: {target.quality}, {how}; reading the shot left out",
    )


def train_and_score(
    truth: Truth,
    scored: Sequence[int],
    network: str,
    device: str,
    *,
    seconds: float = 0.0,
    steps: int = 0,
) -> Reached:
    """Train a network with its default settings for seconds or steps, then stylize and score."""
    folder = str(truth.shot.folder)
    truth.shot.style_path(network).unlink(missing_ok=True)  # a better one would stay
    request = protocol.Train(
        job=0,
        shot=folder,
        style=network,
        network=network,
        device=device,
        seconds=seconds,
        steps=steps,
    )
    learnt = train(request, Silent())
    stylize(
        protocol.Stylize(
            job=0, shot=folder, style=network, frames=list(scored), device=device, force=True
        ),
        Silent(),
    )
    mean = score(truth.shot, truth.folder, network, scored).mean
    assert mean.psnr is not None and mean.ssim is not None
    return Reached(learnt["seconds"], Quality(mean.psnr, mean.ssim))


def kept_quality(name: str) -> Quality | None:
    """Return the stored quality of ``paper``; None if there is none for its present settings."""
    record = _read_kept().get(name, {})
    if record.get("settings") != _settings():
        return None
    return Quality(record["psnr"], record["ssim"])


def keep(name: str, quality: Quality) -> None:
    """Store the quality of ``paper``."""
    kept = _read_kept()
    kept[name] = {**dataclasses.asdict(quality), "settings": _settings()}
    text = json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True)
    KEPT.write_text(text + "\n", encoding="utf-8")


def _read_kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(KEPT.read_text("utf-8")) if KEPT.is_file() else {}
    return kept


def _settings() -> str:
    settings = dataclasses.asdict(default_settings("paper"))
    return digest_json([STEPS, settings])[:12]


def _least(
    truth: Truth,
    scored: Sequence[int],
    budgets: Sequence[float],
    device: str,
    target: Quality,
    tell: Tell,
) -> Reached | None:
    def reach(seconds: float) -> Reached | None:
        made = train_and_score(truth, scored, "fast", device, seconds=seconds)
        tell(f"ours after {made.seconds:.1f} s: {made.quality}")
        return made if made.quality.reaches(target) else None

    below = 0.0
    for budget in budgets:
        best = reach(budget)
        if best:
            break
        below = budget
    else:
        return None
    above = budget
    for _ in range(HALVINGS if below else 0):
        between = sqrt(below * above)
        found = reach(between)
        if found:
            best, above = found, between
        else:
            below = between
    return best
