# SPDX-License-Identifier: GPL-3.0-or-later
"""A live session: takes strokes, carries them at once, learns them, and shows frames meanwhile.

One thread does one short thing after another, the most urgent first, so nothing queues and nothing
waits longer than a training step: settings, strokes, the frame to show, the viewport, then what
makes pictures better. ``docs/live.md`` tells the messages.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..images.types import BoolArray
from ..networks.device import choose_device
from ..shared import live_protocol as messages
from ..shared.errors import Cancelled, PaintoverError
from ..shared.temporary import remove_leftovers
from ..training.optimizers import load_in_background
from ..training.training_claim import TrainingClaim
from .canvases import CanvasReader
from .costs import set_priority, too_large
from .learner import Learner
from .live_set import LiveSet
from .paintings import Changes, Paintings
from .reports import Interruptible, Reports, UntilCancelled
from .requests import Link, Pending
from .saved_state import SavedState
from .screen import Screen
from .threads import use_all_threads
from .viewport import Viewport

LOOK_SECONDS = 0.5
"""Seconds between two looks at the files, and the longest wait for a request."""
SAVE_SECONDS = 30.0
"""Seconds of learning between two savings of the state."""
NEAR_SHARE = 0.3
"""Seconds for the frames beside the shown one, in a second of learning."""
REST_SECONDS = 0.3
"""Seconds for which learning rests after a picture was asked for: another is often wanted at once,
and Blender needs the processor to draw …"""
LONGEST_REST = 2.0
"""… but no longer than this at a time."""


def live(request: messages.Live, link: Link) -> dict[str, Any]:
    """Run a session until it is cancelled.

    Raises:
        PaintoverError: no shot, no such network, or the files for pixels are wrong.
        Cancelled: it was told to end; what was learnt is saved.
    """
    with contextlib.closing(LiveSession(request, link)) as session:
        session.run()
    raise Cancelled


class LiveSession:
    """One session; ``run`` runs it and ``close`` ends it.

    Args:
        request: what to learn and where to put pictures.
        link: where requests come from and events go to.

    Raises:
        PaintoverError: no shot, no such network, or the files for pixels are wrong.
    """

    def __init__(self, request: messages.Live, link: Link) -> None:
        self._request, self._link = request, link
        self._pending = Pending(link.inbox)
        self._reports = Reports(request.job, link)
        self._device = choose_device(request.device)
        self._paintings = Paintings(Path(request.shot))
        self._saved = SavedState(
            self._paintings.shot,
            request.style,
            request.network,
            self._device,
            request.seed,
            keep=request.keep,
        )
        try:
            self._screen = Screen(request.pictures, request.frame, self._reports)
            self._viewport = Viewport(request, self._device) if request.view else None
        except (OSError, ValueError) as error:
            raise PaintoverError(
                f"The file for live pictures cannot be used ({error}); turn Live off and on again."
            ) from error
        self._settings = messages.LiveSettings(
            request.job,
            share=request.share,
            low_priority=request.low_priority,
            light=request.light,
            unpainted=request.unpainted,
        )
        self._canvases = CanvasReader()
        self._set: LiveSet | None = None
        self._shape: tuple[list[str], str] | None = None
        self._learner: Learner | None = None
        self._changes, self._change = Changes(keys=True), 0
        self._was_interrupted = False
        self._looked_at = -1e9
        self._saved_at = self._filled = self._stepped = 0.0
        self._asked_at = self._stepped_at = -1e9

    def run(self) -> None:
        """Answer requests until the link is cancelled."""
        set_priority(low=self._settings.low_priority)
        load_in_background()
        with self._claimed(self._request.style) as claim:
            self._claim = claim
            remove_leftovers(self._paintings.shot.folder)
            wait = 0.0
            while not self._link.cancelled():
                self._pending.take(wait)
                began = time.monotonic()
                try:
                    wait = self._do_next()
                except Cancelled:
                    wait = 0.0
                except PaintoverError as error:
                    self._reports.warn(str(error))
                    wait = LOOK_SECONDS
                busy = time.monotonic() - began
                if not wait and self._settings.share < 1:
                    wait = busy * (1 / self._settings.share - 1)
            self._save()

    def close(self) -> None:
        """Close all files, and leave the threads of PyTorch as they were."""
        set_priority(low=False)
        use_all_threads()
        self._paintings.close()
        self._screen.close()
        self._canvases.close()
        if self._viewport:
            self._viewport.close()

    def _claimed(self, style: str) -> TrainingClaim:
        return TrainingClaim(self._paintings.shot, style, UntilCancelled(self._link))

    def _do_next(self) -> float:
        """Do the most urgent thing; return for how long nothing else is to be done, 0 for none."""
        pending = self._pending
        if pending.settings:
            self._apply(pending.settings)
        if pending.range:
            self._screen.range, pending.range = list(pending.range.frames), None
        is_paused = self._settings.paused
        is_look_due = time.monotonic() - self._looked_at >= LOOK_SECONDS
        is_new = pending.paint or pending.reload or self._was_interrupted or is_look_due
        if is_new and not is_paused:
            self._take_changes()
        elif pending.show:
            self._show(pending.show)
        elif pending.view:
            self._view(pending.view)
        elif pending.finish:
            self._finish(pending.finish)
        elif is_paused or not self._set or not self._learner:
            self._reports.state(messages.PAUSED, self._learner)
            return LOOK_SECONDS
        else:
            return self._improve(self._learner)
        return 0.0

    def _improve(self, learner: Learner) -> float:
        """Make pictures better: the shown one, those to come, and the network."""
        screen = self._screen
        if rest := self._rest():
            screen.tell_cache()
            return rest
        share = 1.0 if screen.range else NEAR_SHARE
        is_filling = learner.is_done or self._filled <= share * self._stepped
        if screen.is_refresh_due:
            screen.refresh(self._settings.light)
        elif is_filling and (frame := screen.frame_to_fill(self._paintings.shot)) is not None:
            began = time.monotonic()
            screen.fill(frame)
            self._filled += time.monotonic() - began
        elif not learner.is_done:
            self._step(learner)
        elif self._viewport and self._viewport.wants_steps:
            self._viewport.step()
            self._stepped_at = time.monotonic()
        else:
            screen.tell_cache()
            self._reports.state(messages.WAITING, learner)
            return LOOK_SECONDS
        screen.tell_cache()
        self._reports.state(messages.LEARNING, learner)
        return 0.0

    def _rest(self) -> float:
        """Return for how long to wait for the next request before something else is done."""
        # Playback asks all the time, and a stroke should be seen through the network soon.
        if self._screen.range or self._screen.has_stroke:
            return 0.0
        now = time.monotonic()
        until = min(self._asked_at + REST_SECONDS, self._stepped_at + LONGEST_REST)
        return max(0.0, until - now)

    # Strokes

    def _take_changes(self) -> None:
        """Take in strokes, files and weights that have changed, and carry them at once."""
        pending, changes = self._pending, self._changes
        paint, reload = [*pending.paint.values()], pending.reload
        pending.paint, pending.reload = {}, None
        self._looked_at = time.monotonic()
        for found in (self._paintings.look(), self._paintings.take(paint)):
            changes.add(found)
            for sentence in found.sentences:
                self._reports.warn(sentence)
        numbers = [one.change for one in paint] + ([reload.change] if reload else [])
        self._change = max([self._change, *numbers])
        before, self._reports.change = self._reports.change, self._change
        if changes.is_any:
            if pending.show and pending.show.frame in self._paintings.shot.manifest.frames:
                self._screen.ask(pending.show)
                pending.show = None
            self._reports.state(messages.CARRYING, self._learner)
            self._was_interrupted = True
            try:
                self._carry(changes)
            except Cancelled:  # it goes on once the request is taken in
                self._reports.change = before
                raise
            except PaintoverError:  # it is tried again at the next look
                self._reports.change, self._was_interrupted = before, False
                raise
        is_told = bool(numbers) or changes.is_any
        self._changes, self._was_interrupted = Changes(), False
        self._reports.state(self._state(), self._learner, anew=is_told)
        if changes.is_any and self._learner and self._state() == messages.LEARNING:
            self._improve(self._learner)  # even if strokes never cease

    def _carry(self, changes: Changes) -> None:
        """Carry changed paint to the shown frame, and let the learner take it."""
        keyframes, shot = self._paintings.keyframes, self._paintings.shot
        reason = too_large(shot.manifest.width, shot.manifest.height, self._device)
        if reason or not keyframes:
            self._set = None
            self._reports.sentence = reason or (
                "Nothing is painted yet; add a keyframe and paint on it, then it is carried and "
                "learnt."
            )
            self._screen.use_nothing()
            if not reason:
                self._screen.show_unpainted(shot)
            return
        self._reports.sentence = ""
        parts: Mapping[int, BoolArray] = {}
        is_same = not (changes.keys or changes.shot) and self._set and self._set.fits(keyframes)
        if is_same and self._set:
            parts = changes.parts
            for key in parts:
                self._set.repaint(keyframes[key])
        else:
            self._make_set()
        self._screen.repainted(parts if parts and not changes.weights else None, shot)
        self._learn(parts, is_other=not is_same)

    def _make_set(self) -> None:
        """Read the keyframes anew; the network is kept where it fits."""
        shot = self._paintings.shot
        self._set = LiveSet(
            shot, self._paintings.keyframes, self._request.network, Interruptible(self._link)
        )
        self._screen.use(self._set, self._settings, shot)
        shape = self._set.names, self._set.alpha
        if shape != self._shape:
            self._learner = None
            self._screen.forget_network()
        self._shape = shape

    def _learn(self, parts: Mapping[int, BoolArray], *, is_other: bool) -> None:
        """Let the learner take changed paint.

        Args:
            parts: keyframe → (H, W) bool, what of it has changed.
            is_other: whether these are other keyframes than before.
        """
        assert self._set
        patches = self._set.patches(self._device.unit, self._request.seed, 64)
        if self._learner is None:
            self._learner = self._saved.learner(self._set, self._paintings, patches)
            self._screen.learner = self._learner
        elif parts or is_other:
            share = 1.0
            if parts:
                key, part = max(parts.items(), key=lambda one: one[1].sum())
                patches.focus_on(self._set.order.index(key), part)
                share = float(part.mean())
            self._learner.change(patches, share, self._screen.tie())
        if self._viewport:
            self._viewport.learn(self._set)

    def _show(self, request: messages.LiveShow) -> None:
        """Show another frame."""
        self._pending.show = None
        shot = self._paintings.shot
        if request.frame not in shot.manifest.frames:
            self._reports.warn(
                f"Frame {request.frame} is not in the shot; capture it to see it painted."
            )
            return
        self._screen.ask(request)
        is_painted, may_compute = bool(self._paintings.keyframes), not self._settings.paused
        try:
            self._screen.answer(shot, is_painted=is_painted, may_compute=may_compute)
            self._asked_at = time.monotonic()
        except Cancelled:  # something came meanwhile; if it asks for a frame, that one counts
            self._pending.show = request
            raise

    # The network

    def _step(self, learner: Learner) -> None:
        """Take a training step, of the viewport's network in turn where there is one."""
        began = time.monotonic()
        if self._viewport and self._viewport.is_its_turn(learner.trainer.steps):
            self._viewport.step()
        learner.step()
        self._stepped_at = time.monotonic()
        self._stepped += self._stepped_at - began
        if learner.learnt_for - self._saved_at > SAVE_SECONDS:
            self._save()

    def _save(self) -> None:
        """Save the state, so that the next session goes on from it."""
        learner = self._learner
        if learner is None or self._set is None or not learner.trainer.steps:
            return
        if learner.learnt_for == self._saved_at:
            return
        self._saved_at = learner.learnt_for
        try:
            self._claim.check()
            self._saved.save(learner, self._set, self._paintings)
        except PaintoverError as error:
            self._reports.warn(str(error))

    def _finish(self, request: messages.LiveFinish) -> None:
        """Write the style, of what is saved by now."""
        path, sentence, name = "", "", request.style or self._request.style
        try:
            self._take_changes()
            if self._set is None or self._learner is None:
                raise PaintoverError(
                    self._reports.sentence or "Nothing is learnt yet; paint first."
                )
            self._claim.check()
            is_own = name == self._request.style
            with contextlib.nullcontext() if is_own else self._claimed(name):
                found = self._saved.finish(name, self._learner, self._set, self._paintings)
            path = str(found)
        except PaintoverError as error:
            sentence = str(error)
        self._pending.finish = None
        self._link.send(messages.LiveFinished(self._request.job, name, path, sentence))

    def _view(self, request: messages.LiveView) -> None:
        """Stylize a picture of the viewport."""
        self._pending.view = None
        job, viewport = self._request.job, self._viewport
        if viewport is None:
            sentence = "The session was started without the viewport; turn Live off and on again."
            self._link.send(messages.LiveViewed(job, request.number, 0, sentence))
            return
        sequence, sentence = 0, self._reports.sentence or "Live is paused."
        if self._set and not self._settings.paused:
            pixels = self._canvases.read(request.path, None, linear=request.linear)
            sequence, sentence = viewport.paint(pixels, self._set, self._settings)
        if sequence:
            self._asked_at = time.monotonic()
        self._link.send(messages.LiveViewed(job, request.number, sequence, sentence))

    # Settings and state

    def _apply(self, settings: messages.LiveSettings) -> None:
        self._pending.settings = None
        before, self._settings = self._settings, settings
        if settings.low_priority != before.low_priority:
            set_priority(low=settings.low_priority)
        if (settings.light, settings.unpainted) != (before.light, before.unpainted):
            self._screen.change_looks(settings)

    def _state(self) -> str:
        learner = self._learner
        if self._settings.paused or not self._set or not learner:
            return messages.PAUSED
        return messages.WAITING if learner.is_done else messages.LEARNING
