# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session shows: the frame at the playhead, and the frames that are kept ready.

A stroke is first carried, and then painted by the network where it shows. The rest of the picture
stays as it was until the next picture of the whole frame.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import cv2
import numpy as np

from ..frames.frame import read_frame
from ..images.types import BoolArray, FloatArray
from ..inference.tiled_inference import TiledInference
from ..jobs.colour_transfer import ColourTransfer
from ..shared import live_protocol as messages
from ..shared.shot import Shot
from .cache import PictureCache
from .kept_pictures import KeptPictures
from .learner import Learner
from .live_set import LiveSet
from .pictures import Picture, Pictures, tiles_of
from .reports import Reports

STROKE_SECONDS = 0.5
"""Seconds of learning from a stroke to its first picture through the network."""
REFRESH_SECONDS = 1.0
"""Seconds of learning between two pictures of the shown frame …"""
REFRESH_PAUSE = 3.0
"""… and at least so many times as long as the last one took."""
OLD_SECONDS = 5.0
"""Seconds of learning after which a picture that is kept ready is painted again."""
CALM_SECONDS = 0.3
"""Seconds for which a frame that was ready is shown before it is painted again."""
NEAR = 3
"""How many frames on each side of the shown one are made ready while nobody paints …"""
NEAR_AFTER = 2.0
"""… from so many seconds after the last stroke."""
AROUND = 12
"""Pixels around a stroke that its first picture through the network may change."""
SMALL_PART = 0.25
"""Share of the frame below which a part is painted sooner without making int8 ready."""


class Screen:
    """Makes and keeps the pictures of a session.

    Args:
        place: the file of pictures.
        frame: the frame at the playhead.
        reports: tells of the pictures.

    Attributes:
        frame: the shown frame.
        learner: learns the network that paints, None before there is one.

    Raises:
        OSError, ValueError: the file is missing or too small.
    """

    def __init__(self, place: messages.LivePictures, frame: int, reports: Reports) -> None:
        self._cache = PictureCache(place)
        self._reports = reports
        self.frame, self._number = frame, 0
        self.learner: Learner | None = None
        self._set: LiveSet | None = None
        self._pictures: Pictures | None = None
        self._transfer: ColourTransfer | None = None
        self._inference: TiledInference | None = None
        self._inference_is_final = False
        self._inference_at = 0.0
        self._current: Picture | None = None
        self._kept = KeptPictures()
        self._stroke: BoolArray | None = None
        self._stroke_at = self._refreshed_at = self._fill_took = 0.0
        self._renewal_took = self._refresh_took = 0.0
        self._asked_at = self._repainted_at = -1e9

    # What is painted

    def use(self, live_set: LiveSet, settings: messages.LiveSettings, shot: Shot) -> None:
        """Take other keyframes; the network goes on where it fits."""
        self._set = live_set
        self._pictures = Pictures(shot, live_set, settings.light, settings.unpainted)
        self._forget_current()

    def use_nothing(self) -> None:
        """Take it that nothing can be shown stylized."""
        self._set = self._pictures = None
        self._forget_current()
        self._cache.forget()

    def _forget_current(self) -> None:
        self._current = self._stroke = None
        self._kept.clear()

    def forget_network(self) -> None:
        """Take it that the learner begins with another network."""
        self.learner = self._inference = None
        self._refreshed_at = self._inference_at = 0.0

    def change_looks(self, settings: messages.LiveSettings) -> None:
        """Take other settings of light and of what is unpainted: all is painted again."""
        self._repainted_at = time.monotonic()
        self._cache.forget()
        self._forget_current()
        self._inference_is_final = False
        if self._pictures:
            self._pictures.light = settings.light
            self._pictures.keep_frame = settings.unpainted == messages.UNPAINTED_FRAME
        if self.learner and self._inference:
            self._renew_inference(self.learner, settings.light)

    def repainted(self, parts: Mapping[int, BoolArray] | None, shot: Shot) -> None:
        """Show the shown frame with changed paint carried to it.

        Args:
            parts: keyframe → (H, W) bool, what of it has changed; None: all may have changed.
            shot: the shot, with the weights as they are now.
        """
        assert self._pictures
        self._pictures.shot = shot
        self._transfer = None
        self._inference_is_final = False
        self._repainted_at = time.monotonic()
        if parts is None:
            self._cache.forget()
        else:
            for key, part in parts.items():
                self._cache.paint_over(key, tiles_of(part))
        if self._current is None and self._inference is not None:
            self._current = self._pictures.by_network(self.frame, self._inference, None)
            self._stroke = None
        else:
            self._current = self._pictures.carried(self.frame, self._current, self._guesses())
            self._add_stroke(self._current.moved)
        self._put(self.frame, self._current)

    def _add_stroke(self, moved: BoolArray | None) -> None:
        """Note what a stroke has moved; the network's time runs from the first that waits."""
        if moved is not None and self._stroke is not None:
            moved = moved | self._stroke
        elif moved is not None:
            self._stroke_at = self._learnt
        self._stroke = moved

    def tie(self) -> tuple[FloatArray, BoolArray] | None:
        """Return the network's input of the shown frame, and where a stroke may change it."""
        if self._pictures is None or self._current is None or self._stroke is None:
            return None
        return self._pictures.network_input(self.frame, self._current.channels), self._part()

    def _part(self) -> BoolArray:
        """Return the part (H, W) that strokes may change."""
        assert self._stroke is not None
        square = np.ones((2 * AROUND + 1,) * 2, np.uint8)
        return np.asarray(cv2.dilate(self._stroke.astype(np.uint8), square) > 0)

    # The shown frame

    def ask(self, request: messages.LiveShow) -> None:
        """Note which frame is asked for."""
        if request.frame != self.frame:
            entry = self._cache.entries.get(request.frame)
            self._current, self._stroke = self._kept.get(request.frame, entry), None
        self.frame, self._number = request.frame, request.number
        self._asked_at = time.monotonic()

    def answer(self, shot: Shot, *, is_painted: bool, may_compute: bool) -> None:
        """Show the frame that was asked for, from the pictures that are ready if possible.

        Args:
            shot: the shot.
            is_painted: whether anything is painted.
            may_compute: whether a picture may be made that is not ready.

        Raises:
            PaintoverError: the frame cannot be read.
            Cancelled: something came meanwhile.
        """
        if self._is_ready(self.frame):
            entry = self._cache.entries[self.frame]
            self._reports.shown(self._number, self.frame, entry, self._seconds)
        elif may_compute and self._pictures:
            self._make_current()
        elif may_compute and not is_painted:
            self.show_unpainted(shot)

    def show_unpainted(self, shot: Shot) -> None:
        """Show the shown frame as it is, since nothing is painted."""
        frame = read_frame(shot, self.frame, ())
        pixels = np.dstack([frame.picture, frame.alpha])
        entry = self._cache.put(
            self.frame, self.frame, pixels, messages.CARRIED, self._reports.change, -1.0, {}
        )
        self._reports.shown(self._number, self.frame, entry, self._seconds)

    @property
    def has_stroke(self) -> bool:
        """Whether a stroke waits to be painted by the network."""
        return self._stroke is not None

    @property
    def is_refresh_due(self) -> bool:
        """Whether to paint the shown frame again."""
        learner, entry = self.learner, self._cache.entries.get(self.frame)
        assert learner
        if entry is None or entry.is_painted_over:
            return True
        if not learner.is_ready:
            return self._current is None and not self._is_fresh(self.frame)
        if learner.is_done:
            return entry.shows != messages.FINAL
        return self._inference is None or self._has_learnt_enough()

    def _has_learnt_enough(self) -> bool:
        """Return whether a picture would be better than the shown one."""
        if self._stroke is not None:
            return self._learnt - self._stroke_at >= STROKE_SECONDS
        if self._cache.range:  # those ahead of the playhead come first
            return not self._is_fresh(self.frame)
        if self._current is None:
            return time.monotonic() - self._asked_at >= CALM_SECONDS
        pause = max(REFRESH_SECONDS, (self._renewal_took + self._refresh_took) * REFRESH_PAUSE)
        return self._learnt - self._refreshed_at >= pause

    def refresh(self, light: float) -> None:
        """Show the shown frame as the network paints it now, or make the network ready for it.

        Each by itself is short; in between the session looks for requests.
        """
        learner = self.learner
        assert learner and self._pictures
        if not learner.is_ready:
            self._make_current()
            return
        part = self._part() if self._stroke is not None and not learner.is_done else None
        if part is not None and self._inference and part.mean() < SMALL_PART:
            inference = learner.quick_inference(light)
        elif self._inference is None or self._is_renewal_due(learner):
            self._renew_inference(learner, light)
            return
        else:
            inference = self._inference
        began = time.monotonic()
        self._current = self._pictures.by_network(self.frame, inference, self._current, part)
        self._stroke = None
        self._refreshed_at = self._learnt
        self._put(self.frame, self._current)
        self._refresh_took = time.monotonic() - began

    def _is_renewal_due(self, learner: Learner) -> bool:
        """Return whether the next picture needs the network as it is now."""
        if learner.is_done:
            return not self._inference_is_final
        since = self._learnt - self._inference_at
        return since >= REFRESH_SECONDS or (self._stroke is not None and since > 0)

    def _renew_inference(self, learner: Learner, light: float) -> None:
        """Paint with the network as it is now."""
        began = time.monotonic()
        if self._inference is None:
            self._refreshed_at = -1e9
        self._inference = learner.inference(light)
        self._inference_is_final, self._inference_at = learner.is_done, self._learnt
        self._renewal_took = time.monotonic() - began

    def _make_current(self) -> None:
        """Make the picture of the shown frame, and show it."""
        self._current = self._made(self.frame)
        self._put(self.frame, self._current)

    # Frames that are kept ready

    @property
    def range(self) -> list[int]:
        """The frames to keep ready, in the order of the loop."""
        return self._cache.range

    @range.setter
    def range(self, frames: list[int]) -> None:
        self._cache.range = frames

    def frame_to_fill(self, shot: Shot) -> int | None:
        """Return the next frame whose picture is to be made ready, None if there is none.

        Of the range those whose picture is missing or old; without one, those beside the shown
        frame whose picture is missing.
        """
        frames = shot.manifest.frames
        if self._cache.range:
            ahead = self._cache.ahead(self.frame)
            others = [frame for frame in ahead if frame != self.frame and frame in frames]
            return next((frame for frame in others if not self._is_fresh(frame)), None)
        if self._inference is None or self._stroke is not None:
            return None
        if time.monotonic() - self._repainted_at < NEAR_AFTER:
            return None
        near = self._cache.near(self.frame, shot.frames, NEAR)
        return next((frame for frame in near if not self._is_ready(frame)), None)

    def fill(self, frame: int) -> None:
        """Make the picture of a frame of the range ready."""
        began = time.monotonic()
        self._put(frame, self._made(frame))
        self._fill_took = time.monotonic() - began

    def tell_cache(self) -> None:
        """Tell which frames are ready, if that has changed."""
        if self._reports.cache_is_due:
            ready = sorted(self._cache.entries)
            fresh = [frame for frame in ready if self._is_fresh(frame)]
            self._reports.cache(fresh, sorted(set(ready) - set(fresh)))

    def close(self) -> None:
        """Close the file of pictures."""
        self._cache.close()

    def _is_ready(self, frame: int) -> bool:
        entry = self._cache.entries.get(frame)
        return entry is not None and not entry.is_painted_over

    def _is_fresh(self, frame: int) -> bool:
        entry, learner = self._cache.entries.get(frame), self.learner
        if entry is None or entry.is_painted_over or learner is None:
            return False
        if self._inference is None:
            return True
        if entry.shows == messages.CARRIED:
            return False
        if learner.is_done:
            return entry.shows == messages.FINAL
        # A slow computer learns as long while it makes all the others ready.
        old = max(OLD_SECONDS, 2 * self._fill_took * len(self._cache.ahead(self.frame)))
        return self._learnt - entry.learnt < old

    # Pictures

    def _made(self, frame: int) -> Picture:
        """Return a picture of a whole frame: the network's, if there is one."""
        assert self._pictures
        if self._inference is None:
            return self._pictures.carried(frame, None, self._guesses())
        return self._pictures.by_network(frame, self._inference, None)

    def _put(self, frame: int, picture: Picture) -> None:
        """Write a picture to its slot, and tell of it."""
        learner, shows = self.learner, picture.shows
        if shows == messages.NETWORK and learner and learner.is_done and self._inference_is_final:
            shows = messages.FINAL
        change = self._reports.change
        entry = self._cache.put(
            frame, self.frame, picture.pixels, shows, change, self._learnt, picture.seen
        )
        self._kept.keep(frame, entry, picture)
        number = self._number if frame == self.frame else 0
        self._reports.shown(number, frame, entry, self._seconds)

    def _guesses(self) -> ColourTransfer:
        assert self._set
        if self._transfer is None:
            self._transfer = self._set.transfer()
        return self._transfer

    @property
    def _learnt(self) -> float:
        return self.learner.learnt_for if self.learner else 0.0

    @property
    def _seconds(self) -> float:
        return self.learner.seconds if self.learner else 0.0
