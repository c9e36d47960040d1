# SPDX-License-Identifier: GPL-3.0-or-later
"""A live session: takes strokes, carries them at once, learns them, and shows frames meanwhile.

One thread does one short thing after another, the most urgent first, so nothing queues and nothing
waits longer than a training step: settings, strokes, the frame to show, the viewport, then what
makes pictures better. ``docs/live.md`` tells the messages.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..frames.frame import read_frame
from ..images.types import BoolArray
from ..inference.tiled_inference import TiledInference
from ..jobs.colour_transfer import ColourTransfer
from ..networks.device import choose_device
from ..shared import live_protocol as messages
from ..shared.errors import Cancelled, PaintoverError
from ..shared.reporter import Silent
from ..shared.temporary import remove_leftovers
from ..training.training_claim import TrainingClaim
from .cache import Entry, PictureCache
from .canvases import CanvasReader
from .costs import Meter, set_priority, too_large
from .learner import Learner
from .live_set import LiveSet
from .paintings import Changes, Paintings
from .pictures import Picture, Pictures, tiles_of
from .requests import Link, Pending
from .saved_state import SavedState
from .viewport import Viewport

LOOK_SECONDS = 0.5
"""Seconds between two looks at the files, and the longest wait for a request."""
TELL_SECONDS = 0.5
"""Seconds between two reports of the state while the session computes."""
CACHE_SECONDS = 0.25
"""Seconds between two reports of which frames are kept ready."""
STROKE_SECONDS = 0.5
"""Seconds of learning from a stroke to its first picture through the network."""
REFRESH_SECONDS = 1.0
"""Seconds of learning between two pictures of the shown frame …"""
REFRESH_PAUSE = 3.0
"""… and at least so many times as long as the last one took."""
OLD_SECONDS = 5.0
"""Seconds of learning after which a picture that is kept ready is painted again."""
SAVE_SECONDS = 30.0
"""Seconds of learning between two savings of the state."""
AROUND = 12
"""Pixels around a stroke that its first picture through the network may change."""


def live(request: messages.Live, link: Link) -> dict[str, Any]:
    """Run a session until it is cancelled.

    Raises:
        PaintoverError: no shot, no such network, or the files for pixels are wrong.
        Cancelled: it was told to end; what was learnt is saved.
    """
    with contextlib.closing(LiveSession(request, link)) as session:
        session.run()
    raise Cancelled


class _Interrupted(Silent):
    """Stops slow preparations when a request comes."""

    def __init__(self, link: Link, pending: Pending) -> None:
        self._link, self._pending = link, pending

    def warned(self, sentence: str) -> None:
        self._link.warned(sentence)

    def cancelled(self) -> bool:
        return self._link.cancelled() or self._pending.is_any


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
            self._cache = PictureCache(request.pictures)
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
        self._set: LiveSet | None = None
        self._pictures: Pictures | None = None
        self._shape: tuple[list[str], str] | None = None
        self._learner: Learner | None = None
        self._inference: TiledInference | None = None
        self._inference_is_final = False
        self._transfer: ColourTransfer | None = None
        self._shown, self._number, self._change = request.frame, 0, 0
        self._current: Picture | None = None
        self._stroke: BoolArray | None = None
        self._last_look = self._last_told = self._last_cache = -1e9
        self._refresh_took = self._refreshed_at = 0.0
        self._saved_at = self._filled = self._stepped = 0.0
        self._told: tuple[str, str, int] = ("", "", -1)
        self._told_cache: tuple[list[int], list[int]] = ([], [])
        self._sentence, self._trouble = "", ""
        self._meter, self._canvases = Meter(), CanvasReader()

    def run(self) -> None:
        """Answer requests until the link is cancelled."""
        set_priority(low=self._settings.low_priority)
        report = _Claiming(self._link)
        with TrainingClaim(self._paintings.shot, self._request.style, report) as claim:
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
                    self._warn(str(error))
                    wait = LOOK_SECONDS
                busy = time.monotonic() - began
                if not wait and self._settings.share < 1:
                    wait = busy * (1 / self._settings.share - 1)
            self._save()

    def close(self) -> None:
        """Close all files."""
        set_priority(low=False)
        self._paintings.close()
        self._cache.close()
        self._canvases.close()
        if self._viewport:
            self._viewport.close()

    def _do_next(self) -> float:
        """Do the most urgent thing; return for how long nothing else is to be done, 0 for none."""
        pending, now = self._pending, time.monotonic()
        if pending.settings:
            self._apply(pending.settings)
        if pending.range:
            self._cache.range, pending.range = list(pending.range.frames), None
        is_paused = self._settings.paused
        is_new = pending.paint or pending.reload or now - self._last_look >= LOOK_SECONDS
        if is_new and not is_paused:
            self._take_changes()
        elif pending.show:
            self._show(pending.show)
        elif pending.view:
            self._view(pending.view)
        elif pending.finish:
            self._finish(pending.finish)
        elif is_paused or not self._set:
            self._tell(messages.PAUSED)
            return LOOK_SECONDS
        else:
            return self._improve()
        return 0.0

    def _improve(self) -> float:
        """Make pictures better: the shown one, those to come, and the network."""
        learner = self._learner
        assert learner
        is_busy = not learner.is_done
        if self._is_refresh_due(learner):
            self._refresh(learner)
        elif (frame := self._frame_to_fill()) is not None and (
            learner.is_done or self._filled <= self._stepped
        ):
            self._fill(frame)
        elif is_busy:
            self._step(learner)
        elif self._viewport and self._viewport.wants_steps:
            self._viewport.step()
        else:
            self._tell_cache()
            self._tell(messages.WAITING)
            return LOOK_SECONDS
        self._tell_cache()
        self._tell(messages.LEARNING)
        return 0.0

    # Strokes

    def _take_changes(self) -> None:
        """Take in strokes, files and weights that have changed, and carry them at once."""
        paint, reload = [*self._pending.paint.values()], self._pending.reload
        self._pending.paint, self._pending.reload = {}, None
        self._last_look = time.monotonic()
        changes = self._paintings.look()
        drawn = self._paintings.take(paint)
        changes.parts.update(drawn.parts)
        changes.keys |= drawn.keys
        for sentence in (*changes.sentences, *drawn.sentences):
            self._warn(sentence)
        numbers = [one.change for one in paint] + ([reload.change] if reload else [])
        self._change = max([self._change, *numbers])
        if changes.is_any:
            self._tell(messages.CARRYING)
            self._carry(changes)
        if numbers or changes.is_any:
            self._told = ("", "", -1)  # told anew, with the number of the change
            self._tell(self._state())

    def _carry(self, changes: Changes) -> None:
        """Carry changed paint to the shown frame, and let the learner take it."""
        keyframes, manifest = self._paintings.keyframes, self._paintings.shot.manifest
        reason = too_large(manifest.width, manifest.height, self._device)
        if reason or not keyframes:
            self._set = self._current = None
            self._sentence = reason or (
                "Nothing is painted yet; add a keyframe and paint on it, then it is carried and "
                "learnt."
            )
            self._cache.forget()
            if not reason:
                self._show_unpainted()
            return
        self._sentence = ""
        is_same = self._set is not None and not (changes.keys or changes.shot)
        if is_same and self._set and self._set.fits(keyframes):
            for key in changes.parts:
                self._set.repaint(keyframes[key])
        else:
            self._make_set()
            changes.parts.clear()
        assert self._set and self._pictures
        self._pictures.shot = self._paintings.shot
        self._transfer = None
        if changes.parts and not changes.weights:
            for key, part in changes.parts.items():
                self._cache.paint_over(key, tiles_of(part))
        else:
            self._cache.forget()
        self._show_carried()
        self._learn(changes)

    def _show_unpainted(self) -> None:
        """Show the shown frame as it is, since nothing is painted."""
        frame = read_frame(self._paintings.shot, self._shown, ())
        pixels = np.dstack([frame.picture, frame.alpha])
        entry = self._cache.put(
            self._shown, self._shown, pixels, messages.CARRIED, self._change, -1.0, {}
        )
        self._send(self._shown, entry)

    def _make_set(self) -> None:
        """Read the keyframes anew; the network is kept where it fits."""
        shot = self._paintings.shot
        self._set = LiveSet(shot, self._paintings.keyframes, self._request.network, Silent())
        settings = self._settings
        self._pictures = Pictures(shot, self._set, settings.light, settings.unpainted)
        self._current = None
        shape = self._set.names, self._set.alpha
        if shape != self._shape:
            self._learner = self._inference = None
        self._shape = shape

    def _learn(self, changes: Changes) -> None:
        """Let the learner take changed paint."""
        assert self._set and self._pictures
        unit, seed = self._device.unit, self._request.seed
        patches = self._set.patches(unit, seed, 64)
        if self._learner is None:
            self._learner = self._saved.learner(self._set, self._paintings, patches)
            self._refreshed_at = 0.0
        elif changes.parts or changes.keys or changes.shot:
            share, tie = 1.0, None
            if changes.parts:
                key, part = max(changes.parts.items(), key=lambda one: one[1].sum())
                patches.focus_on(self._set.order.index(key), part)
                share = float(part.mean())
            if self._current is not None and self._stroke is not None:
                x = self._pictures.network_input(self._shown, self._current.channels)
                tie = x, _grown(self._stroke)
            self._learner.change(patches, share, tie)
            self._refreshed_at = 0.0
        if self._viewport:
            self._viewport.learn(self._set)

    def _show_carried(self) -> None:
        """Show the shown frame with the paint carried to it."""
        assert self._pictures
        if self._current is None and self._inference is not None:
            self._current = self._pictures.by_network(self._shown, self._inference, None)
            self._stroke = None
        else:
            before = self._current
            self._current = self._pictures.carried(self._shown, before, self._guesses())
            moved = self._current.moved
            if moved is not None and self._stroke is not None:
                moved = moved | self._stroke
            self._stroke = moved
        self._put(self._shown, self._current)

    # Frames

    def _show(self, request: messages.LiveShow) -> None:
        """Answer a request to show a frame, from the pictures that are ready if possible."""
        self._pending.show = None
        if request.frame not in self._paintings.shot.manifest.frames:
            self._warn(f"Frame {request.frame} is not in the shot; capture it to see it painted.")
            return
        if request.frame != self._shown:
            self._current, self._stroke = None, None
        self._shown, self._number = request.frame, request.number
        entry = self._cache.entries.get(request.frame)
        if entry and not entry.is_painted_over:
            self._send(request.frame, entry)
            return
        if self._settings.paused:
            return
        if not self._set:
            if not self._paintings.keyframes:
                self._show_unpainted()
            return
        try:
            self._make_current()
        except Cancelled:  # something came meanwhile; the latest request counts
            self._pending.show = self._pending.show or request

    def _make_current(self) -> None:
        """Make the picture of the shown frame, and show it."""
        assert self._pictures
        if self._inference is None:
            self._current = self._pictures.carried(self._shown, None, self._guesses())
        else:
            self._current = self._pictures.by_network(self._shown, self._inference, None)
        self._put(self._shown, self._current)

    def _is_refresh_due(self, learner: Learner) -> bool:
        if self._current is None:
            return True
        if not learner.is_ready:
            return False
        if learner.is_done:
            entry = self._cache.entries.get(self._shown)
            return entry is None or entry.shows != messages.FINAL
        since = learner.seconds - self._refreshed_at
        if self._stroke is not None:
            return since >= STROKE_SECONDS
        pause = max(REFRESH_SECONDS, self._refresh_took * REFRESH_PAUSE)
        return since >= pause or self._inference is None

    def _refresh(self, learner: Learner) -> None:
        """Show the shown frame as the network paints it now."""
        assert self._pictures
        began = time.monotonic()
        if not learner.is_ready:
            self._make_current()
            return
        if not (learner.is_done and self._inference_is_final):
            self._inference = learner.inference(self._settings.light)
            self._inference_is_final = learner.is_done
        assert self._inference
        only = None
        if self._stroke is not None and not learner.is_done:
            only = _grown(self._stroke)
        self._current = self._pictures.by_network(self._shown, self._inference, self._current, only)
        self._stroke = None
        self._refreshed_at = learner.seconds
        self._put(self._shown, self._current)
        self._refresh_took = time.monotonic() - began

    def _frame_to_fill(self) -> int | None:
        """Return the next frame of the range whose picture is missing or old; None if all are."""
        for frame in self._cache.ahead(self._shown):
            if frame != self._shown and not self._is_fresh(frame):
                return frame if frame in self._paintings.shot.manifest.frames else None
        return None

    def _is_fresh(self, frame: int) -> bool:
        entry, learner = self._cache.entries.get(frame), self._learner
        if entry is None or entry.is_painted_over or learner is None:
            return False
        if self._inference is None:
            return True
        if entry.shows == messages.CARRIED:
            return False
        if learner.is_done:
            return entry.shows == messages.FINAL
        return learner.learnt_for - entry.learnt < OLD_SECONDS

    def _fill(self, frame: int) -> None:
        """Make the picture of a frame of the range ready."""
        assert self._pictures
        began = time.monotonic()
        if self._inference is None:
            picture = self._pictures.carried(frame, None, self._guesses())
        else:
            picture = self._pictures.by_network(frame, self._inference, None)
        self._put(frame, picture)
        self._filled += time.monotonic() - began

    def _put(self, frame: int, picture: Picture) -> None:
        """Write a picture to its slot, and tell of it."""
        learner = self._learner
        shows = picture.shows
        if shows == messages.NETWORK and learner and learner.is_done and self._inference_is_final:
            shows = messages.FINAL
        learnt = learner.learnt_for if learner else 0.0
        entry = self._cache.put(
            frame, self._shown, picture.pixels, shows, self._change, learnt, picture.seen
        )
        self._send(frame, entry)

    def _send(self, frame: int, entry: Entry) -> None:
        number = self._number if frame == self._shown else 0
        seconds = self._learner.seconds if self._learner else 0.0
        self._link.send(
            messages.LiveShown(
                self._request.job,
                number,
                frame,
                entry.slot,
                entry.sequence,
                entry.shows,
                entry.change,
                round(seconds, 3),
            )
        )

    def _guesses(self) -> ColourTransfer:
        assert self._set
        if self._transfer is None:
            self._transfer = self._set.transfer()
        return self._transfer

    # The network

    def _step(self, learner: Learner) -> None:
        """Take a training step, of the viewport's network in turn where there is one."""
        began = time.monotonic()
        if self._viewport and self._viewport.is_its_turn(learner.trainer.steps):
            self._viewport.step()
        learner.step()
        self._stepped += time.monotonic() - began
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
            self._warn(str(error))

    def _finish(self, request: messages.LiveFinish) -> None:
        """Write the style."""
        self._pending.finish = None
        path, sentence, name = "", "", request.style or self._request.style
        try:
            if self._set is None or self._learner is None:
                raise PaintoverError(self._sentence or "Nothing is learnt yet; paint first.")
            self._claim.check()
            found = self._saved.finish(name, self._learner, self._set, self._paintings)
            path = str(found)
        except PaintoverError as error:
            sentence = str(error)
        self._link.send(messages.LiveFinished(self._request.job, name, path, sentence))

    def _view(self, request: messages.LiveView) -> None:
        """Stylize a picture of the viewport."""
        self._pending.view = None
        job, viewport = self._request.job, self._viewport
        if viewport is None:
            sentence = "The session was started without the viewport; turn Live off and on again."
            self._link.send(messages.LiveViewed(job, request.number, 0, sentence))
            return
        sequence, sentence = 0, self._sentence or "Live is paused."
        if self._set and not self._settings.paused:
            pixels = self._canvases.read(request.path, None, linear=request.linear)
            sequence, sentence = viewport.paint(pixels, self._set, self._settings)
        self._link.send(messages.LiveViewed(job, request.number, sequence, sentence))

    # Settings and state

    def _apply(self, settings: messages.LiveSettings) -> None:
        self._pending.settings = None
        before, self._settings = self._settings, settings
        if settings.low_priority != before.low_priority:
            set_priority(low=settings.low_priority)
        looks = settings.light, settings.unpainted
        if looks != (before.light, before.unpainted) and self._pictures:
            self._pictures.light = settings.light
            self._pictures.keep_frame = settings.unpainted == messages.UNPAINTED_FRAME
            self._inference_is_final = False
            self._cache.forget()
            self._current = self._stroke = None
            if self._learner and self._inference:
                self._inference = self._learner.inference(settings.light)
                self._inference_is_final = self._learner.is_done

    def _state(self) -> str:
        if self._settings.paused or not self._set:
            return messages.PAUSED
        learner = self._learner
        return messages.WAITING if learner and learner.is_done else messages.LEARNING

    def _tell(self, state: str) -> None:
        """Send the state if it has changed, or some time has passed while it computes."""
        now = time.monotonic()
        told = (state, self._sentence, self._change)
        rests = state in (messages.WAITING, messages.PAUSED)
        if told == self._told and (rests or now - self._last_told < TELL_SECONDS):
            return
        self._told, self._last_told = told, now
        learner = self._learner
        self._link.send(
            messages.LiveState(
                self._request.job,
                state,
                round(learner.seconds, 3) if learner else 0.0,
                learner.trainer.steps if learner else 0,
                round(self._meter.read(), 3),
                self._change,
                self._sentence,
                round(learner.spent, 3) if learner else 0.0,
            )
        )

    def _tell_cache(self) -> None:
        """Send which frames are ready, if that has changed."""
        now = time.monotonic()
        if now - self._last_cache < CACHE_SECONDS or not self._cache.range:
            return
        ready = sorted(set(self._cache.range) & set(self._cache.entries))
        fresh = [frame for frame in ready if self._is_fresh(frame)]
        stale = sorted(set(ready) - set(fresh))
        if (fresh, stale) != self._told_cache:
            self._told_cache, self._last_cache = (fresh, stale), now
            self._link.send(messages.LiveCache(self._request.job, fresh, stale))

    def _warn(self, sentence: str) -> None:
        """Warn, but not of the same trouble again and again."""
        if sentence != self._trouble:
            self._trouble = sentence
            self._link.warned(sentence)


class _Claiming(Silent):
    """Lets a session that waits for another training be cancelled."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def cancelled(self) -> bool:
        return self._link.cancelled()


def _grown(part: BoolArray) -> BoolArray:
    """Return a part (H, W) grown by ``AROUND`` pixels."""
    square = np.ones((2 * AROUND + 1,) * 2, np.uint8)
    return np.asarray(cv2.dilate(part.astype(np.uint8), square) > 0)
