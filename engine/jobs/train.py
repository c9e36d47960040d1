# SPDX-License-Identifier: GPL-3.0-or-later
"""Training: learns the paintings of a shot within a budget and writes the style file.

From a painted pixel to the style file, one file a station:

1. ``frames/keyframe.py`` reads the painting and its mask, ``frames/frame.py`` the frame's passes.
2. ``guides/network_input.py`` computes the network's input from the passes.
3. ``training/dataset.py`` joins input, projections, paint and weights to one example a keyframe.
4. ``training/patch_sampler.py`` draws patches of the examples on the device;
   ``training/projection_augmentation.py`` makes the projections in them imperfect.
5. ``training/trainer.py`` takes a step on a batch of patches; ``training/losses/`` compares the
   result with the paint, or with its strokes on the unpainted frames of
   ``training/unpainted.py``; ``training/loop.py`` repeats this until the budget is spent or the
   held-out loss has stopped falling.
6. ``training/trainer.py`` averages the weights and keeps the best by the held-out loss.
7. ``networks/activation_ranges.py`` measures the activations of these weights, for int8.
8. ``inference/drawing.py`` draws a few frames where the paintings cannot be carried.
9. ``networks/style_file.py`` writes weights, ranges and header to ``styles/NAME.safetensors``.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import itertools
import math
import time
from pathlib import Path
from typing import Any

import torch

from ..guides import registry as guides
from ..inference.tiled_inference import TiledInference
from ..networks.activation_ranges import ActivationRanges, calibrate
from ..networks.base import Painter
from ..networks.device import Device, choose_device
from ..networks.gated_unet import GatedPainter
from ..networks.style_file import find_style, load_style, network_for, save_style
from ..shared.errors import Cancelled, PaintoverError
from ..shared.protocol import Train
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import ALPHA, FLOAT, INT8, StyleHeader, refuse_later_style
from ..shared.temporary import remove_leftovers
from ..shared.training_settings import TrainingSettings
from ..shared.trainings.kept import keep_previous
from ..shared.trainings.record import CONVERGED, STOPPED
from ..training.budget import Budget, Stopwatch
from ..training.dataset import TrainingSet, read_training_set
from ..training.live_preview import LivePreview
from ..training.loop import TrainingLoop
from ..training.losses.vgg_loss import VGGLoss
from ..training.patch_sampler import Patches
from ..training.requests import TrainingRequests
from ..training.resume import SavedRun, load_run, save_run
from ..training.run_log import RunLog
from ..training.run_record import RunRecord
from ..training.settings import default_guides, run_settings
from ..training.style_choice import reason_to_keep
from ..training.temporal_pairs import PairPatches, read_pairs
from ..training.trainer import Trainer
from ..training.training_claim import TrainingClaim
from ..training.unpainted import OwnStrokes, read_own_strokes
from .draw import DrawingStep

MOST_COMPARED = 8
"""Squares of the network's input on which int8 and floating point are compared."""


def train(request: Train, report: Reporter) -> dict[str, Any]:
    """Learn the paintings of a shot.

    ``request.resume`` continues a stopped run for the rest of its budget, and a finished run for
    the whole budget once more. A budget in seconds includes the set-up (``Budget.take_off``).

    Returns:
        ``steps``, ``seconds`` of them, ``held_out`` (held-out loss of the saved weights; None if
        nothing is held out), ``stopped_early``, ``kept`` (why the style that was there stays, "" if
        it was replaced), ``device`` in words, ``path`` of the style, ``training`` (its name, see
        ``shared/trainings``) and ``went``: how it went, in words.

    Raises:
        PaintoverError: no painting, a damaged file, a setting that is not allowed, or another
            training of the style; an existing style file stays unchanged.
        Cancelled: the job was told to stop; the best weights so far are saved as the style, unless
            a better one is there.
    """
    shot = Shot.open(Path(request.shot))
    refuse_later_style(shot.style_path(request.style))
    with TrainingClaim(shot, request.style, report) as claim:
        return _train(request, shot, claim, report)


def _train(request: Train, shot: Shot, claim: TrainingClaim, report: Reporter) -> dict[str, Any]:
    began = time.monotonic()
    remove_leftovers(shot.folder)
    path, folder = shot.style_path(request.style), shot.style_folder(request.style)
    device = choose_device(request.device)
    report.progress("train", 0.0, -1.0, "Reading the keyframes")
    saved = load_run(folder) if request.resume else None
    network, header = _starting_point(shot, request, saved)
    settings = run_settings(request.settings, header.network, header.settings)

    training_set = read_training_set(
        shot, request.keys, header.guides, settings.filter, report, fixed=network is not None
    )
    network = _complete(network, header, training_set, settings, request.seed)
    drawing = DrawingStep(shot, request, training_set, settings.drawn)
    strokes = None
    if settings.strokes:
        strokes = read_own_strokes(shot, training_set, device.unit, request.seed)
    patches = Patches(training_set.examples, device.unit, request.seed, settings.patch)
    training_set = dataclasses.replace(training_set, examples=[])  # frees their memory
    trainer, pairs = _make_trainer(
        network, patches, training_set, shot, device, settings, request.seed, strokes
    )

    budget = Budget.of(request.steps, request.seconds)
    if saved:
        saved.restore(trainer, training_set.digests)
        budget.resume(saved.budget, trainer.steps, saved.seconds)
    preview = LivePreview(shot, request.live, training_set, device, report, request.watch)
    set_up = time.monotonic() - began
    budget.take_off(set_up + drawing.set_aside(budget), saved.seconds if saved else 0.0)
    watch = Stopwatch(saved.seconds if saved else 0.0)
    log = RunLog(folder, again=bool(saved))
    log.say(
        f"{'Resumed' if saved else 'Started'} on {device.describe()}; network {header.network}; "
        f"guides {', '.join(header.guides)}; keyframes {', '.join(map(str, header.trained_on))}; "
        f"seed {request.seed}; set-up {set_up:.1f} s"
    )
    requests = TrainingRequests(report)
    continues = saved is not None and saved.trained_on == training_set.digests
    record = RunRecord(shot, request.style, header, continues=continues, report=report)
    style = _StyleFile(path, trainer, header, watch, claim, report, requests)

    def save(finished: bool) -> None:
        if style.is_to_replace(finished):
            keep_previous(path, folder)
            write_style(path, trainer, header, patches, pairs, device)
            style.is_written = True

    def save_state() -> None:
        claim.check()
        save_run(folder, trainer, header, budget, watch.seconds())

    loop = TrainingLoop(
        trainer,
        budget,
        watch,
        header.curve,
        preview,
        log,
        record,
        requests,
        report,
        save_state=save_state,
        save_style=save,
    )
    try:
        with contextlib.closing(preview):
            ended = loop.run()
        if style.is_written:
            drawing.run(device, log, report, claim.check)
    except Cancelled:
        record.end(STOPPED, is_style=style.is_written)
        raise
    went = record.end(ended, is_style=style.is_written)
    report.progress("train", 1.0, 0.0, f"{trainer.steps} steps")
    return {
        "steps": trainer.steps,
        "seconds": watch.seconds(),
        "held_out": trainer.best_loss if math.isfinite(trainer.best_loss) else None,
        "stopped_early": ended == CONVERGED,
        "kept": style.kept,
        "device": device.describe(),
        "path": str(path),
        "training": record.name,
        "went": went,
    }


class _StyleFile:
    """Whether the style of a training is written, or why the one that is there stays."""

    def __init__(
        self,
        path: Path,
        trainer: Trainer,
        header: StyleHeader,
        watch: Stopwatch,
        claim: TrainingClaim,
        report: Reporter,
        requests: TrainingRequests,
    ) -> None:
        self._path, self._trainer, self._header, self._watch = path, trainer, header, watch
        self._claim, self._report, self._requests = claim, report, requests
        self.kept, self.is_written = "", False

    def is_to_replace(self, finished: bool) -> bool:
        """Bring the header up to date, and return whether to write the style now."""
        self._claim.check()
        header = self._header
        header.steps, header.seconds = self._trainer.steps, round(self._watch.seconds(), 2)
        header.finished = finished
        # What the user has told to keep replaces even a better style, which is kept too.
        is_told = self._requests.keep
        self.kept = "" if is_told else reason_to_keep(self._path, self._trainer, header)
        if self.kept:
            self._report.warned(self.kept)
        return not self.kept


def _starting_point(
    shot: Shot, request: Train, saved: SavedRun | None
) -> tuple[Painter | None, StyleHeader]:
    """Return the network to continue from, None for a new one, and the header of the style."""
    network = None
    if saved:
        network, header = saved.network(), saved.header
    elif request.from_style:
        network, header, *_ = load_style(find_style(shot, request.from_style))
        network.requires_grad_(True).train()
        header = dataclasses.replace(header, steps=0, seconds=0.0, curve=[], finished=True)
    else:
        names = request.guides or default_guides(request.network, shot)
        header = StyleHeader(request.network, names, guides.channels(names), {})
    guides.check(shot, header.guides)
    return network, header


def _complete(
    network: Painter | None,
    header: StyleHeader,
    training_set: TrainingSet,
    settings: TrainingSettings,
    seed: int,
) -> Painter:
    """Complete the header by what is known now, and build the network if it is a new one."""
    header.trained_on, header.paintings = training_set.digests, training_set.paintings
    header.settings.update(dataclasses.asdict(settings), seed=seed)
    if network is None:
        header.settings[ALPHA] = training_set.alpha
        header.guides = training_set.guides
        header.channels = guides.channels(training_set.guides)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return network_for(header)
    if header.settings.get(ALPHA) != training_set.alpha:
        raise PaintoverError(
            "The paintings use alpha in another way than the style to continue from; train a new "
            "style."
        )
    return network


def _make_trainer(
    network: Painter,
    patches: Patches,
    training_set: TrainingSet,
    shot: Shot,
    device: Device,
    settings: TrainingSettings,
    seed: int,
    strokes: OwnStrokes | None,
) -> tuple[Trainer, PairPatches | None]:
    """Return the trainer with its losses, and the pairs of frames of the temporal loss."""
    vgg = VGGLoss(Path(settings.vgg), device) if settings.vgg else None
    found = read_pairs(shot, training_set, seed) if settings.steady else []
    pairs = PairPatches(found, device.unit, settings.patch) if found else None
    return Trainer(network, patches, device, settings, seed, vgg, pairs, strokes), pairs


def write_style(
    path: Path,
    trainer: Trainer,
    header: StyleHeader,
    patches: Patches,
    pairs: PairPatches | None,
    device: Device,
) -> None:
    """Write the best averaged weights, with their activation ranges if int8 can use them.

    Args:
        path: the file.
        trainer: has the weights.
        header: the style's header.
        patches, pairs: give example inputs.
        device: where to compute.
    """
    weights, ranges = trainer.best(), None
    network = copy.deepcopy(trainer.averaged)
    if isinstance(network, GatedPainter):
        network.load_state_dict(weights)
        later = pairs.later_inputs() if pairs else ()
        ranges = calibrate(network, device, itertools.chain(patches.calibration_inputs(), later))
    header.arithmetic = _arithmetic(network, ranges, patches, device)
    save_style(path, weights, header, ranges)


def _arithmetic(
    network: Painter, ranges: ActivationRanges | None, patches: Patches, device: Device
) -> str:
    """Return what the style paints in: int8 if that is fast here and close enough, or float."""
    if ranges is None:
        return FLOAT
    squares = itertools.islice(patches.calibration_inputs(), MOST_COMPARED)
    examples = [square[0].cpu().numpy() for square in squares]
    with torch.random.fork_rng():
        is_int8 = TiledInference(network, device).quantize(ranges, examples)
    return INT8 if is_int8 else FLOAT
