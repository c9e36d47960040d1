# SPDX-License-Identifier: GPL-3.0-or-later
"""One live session: strokes go to the engine, its pictures come back, all from one timer."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import bpy

from .. import jobs, logs, properties, steps
from ..engine.shared import live_protocol as messages
from ..engine.shared.errors import PaintoverError
from ..engine.shared.protocol import Event, Warned
from ..keyframes import images as keyframe_images
from . import playback, settings, strokes, timings
from .canvases import Canvases, KeyframeImages
from .engine_link import EngineLink
from .files import LiveFiles
from .keyframe_files import KeyframeFiles
from .pictures import Pictures, TextureBudget, fitting_size
from .viewport import PaintedViewport

_log = logs.logger(__name__)

_TOO_SLOW_SECONDS = 0.03
"""Longest reading of a painting: a longer one would halt Blender after every stroke."""
_RESTART_SECONDS = 60.0
_MOST_RESTARTS = 3

STARTING, OFF = "starting", "off"


@dataclasses.dataclass(frozen=True)
class _Told:
    """What the engine was told last, to tell it only what has changed."""

    frame: int | None = None
    frames: tuple[int, ...] = ()
    settings: messages.LiveSettings | None = None


class Session:
    """A live session of a scene's shot.

    Args:
        scene: its settings and shot are used.
        redraw: called when something that is shown has changed.

    Raises:
        PaintoverError: there is no shot or no engine, or a file cannot be written.
    """

    def __init__(self, scene: bpy.types.Scene, redraw: Callable[[], None]) -> None:
        self.scene = properties.SceneReference(scene)
        self.shot = steps.open_shot(scene)
        self._frames = frozenset(self.shot.frames)
        self._redraw = redraw
        self._files = LiveFiles()
        chosen = settings.preferences()
        width, height = self.shot.manifest.width, self.shot.manifest.height
        self.images = KeyframeImages(self.shot)
        self._canvases = Canvases(self._files, (width, height))
        budget = TextureBudget()
        size = fitting_size(width, height, settings.SCALES[chosen.picture_size])
        self.pictures = Pictures(self._files, *size, len(self._frames), budget)
        self.view = PaintedViewport(self._files, budget, chosen.view_scale)
        self.keyframe_files = KeyframeFiles(self.shot)
        self._watch = strokes.start()
        self._number = 0
        self._to_read: list[int] = []
        self._told = _Told()
        self._restarts: list[float] = []
        self._rate = playback.PlaybackRate()
        self._slow_readings = 0
        self._finished: Callable[[messages.LiveFinished], None] | None = None
        self.state: messages.LiveState | None = None
        self.cache = messages.LiveCache(0, [], [])
        self.warning = ""
        """The last sentence that the engine or the session has to tell, or ""."""
        self.pause_reason = ""
        """Why the session pauses, or ""."""
        self.is_rendering = False
        """Set by handlers, also from other threads."""
        try:
            self._link = EngineLink(self._make_request)
        except BaseException:
            self._release()
            raise

    @property
    def engine_pid(self) -> int:
        """The process id of the engine."""
        return self._link.pid

    @property
    def mode(self) -> str:
        """``starting``, or one of ``live_protocol.STATES``."""
        if self.pause_reason:
            return messages.PAUSED
        return self.state.state if self.state else STARTING

    def describe(self) -> str:
        """Return the state in a few words: ``Learning 12 s``."""
        if self.pause_reason:
            return f"Paused: {self.pause_reason}"
        state = self.state
        if state is None:
            return "Starting the Engine"
        if state.state == messages.PAUSED:
            return f"Paused: {state.sentence.rstrip('.')}" if state.sentence else "Paused"
        if state.state == messages.LEARNING:
            return f"Learning {state.seconds:.0f} s"
        return "Carrying Paint" if state.state == messages.CARRYING else "Waiting for Paint"

    def ready(self, *, fresh: bool) -> list[int]:
        """Return the frames whose pictures are ready.

        Args:
            fresh: those that show all paint and the newest state of the network, else the others.
        """
        return self.cache.fresh if fresh else self.cache.stale

    def number(self) -> int:
        """Return the next number of a change or request."""
        self._number += 1
        return self._number

    @timings.measured("tick")
    def tick(self) -> None:
        """Do what is due; called from a timer. Raises PaintoverError if the session must end."""
        scene = self.scene.get()
        try:
            for event in self._link.poll():
                self._take(event)
            if self._link.job:
                self._tell(scene)
        except PaintoverError as error:
            self._restart(error)
            return
        if self.view.update_texture():
            self._redraw()
        if self.pictures.is_late:
            self.pictures.is_late = False
            self._redraw()

    def _tell(self, scene: Any) -> None:
        playing = playback.is_playing()
        self._tell_range(scene, playing)
        self._tell_settings(scene, playing)
        self._tell_frame(scene)
        if not self.is_rendering:
            self._read_paintings()
            self._read_files(scene)
        if settings.of_session().viewport and not self.pause_reason:
            self._paint_viewport(scene)

    def frame_changed(self) -> None:
        """Ask for the picture of another frame at once, before Blender draws."""
        scene = self.scene.find()
        if scene is not None and self._link.job and not self.is_rendering:
            self._tell_frame(scene)

    def _tell_frame(self, scene: Any) -> None:
        frame = scene.frame_current
        self._rate.note(frame)
        if frame == self._told.frame or frame not in self._frames:
            return
        self._told = dataclasses.replace(self._told, frame=frame)
        self._link.send(messages.LiveShow(self._link.job, self.number(), frame))

    def _tell_range(self, scene: Any, playing: bool) -> None:
        frames = tuple(playback.played_frames(scene, self.shot.frames)) if playing else ()
        if frames and not self._told.frames:
            self._rate.start()
        if frames != self._told.frames:
            self._told = dataclasses.replace(self._told, frames=frames)
            self._link.send(messages.LiveRange(self._link.job, list(frames)))

    def _tell_settings(self, scene: Any, playing: bool) -> None:
        self.pause_reason = self._why_pause(scene, playing)
        chosen, of_scene = settings.preferences(), properties.of(scene)
        wanted = messages.LiveSettings(
            self._link.job,
            paused=bool(self.pause_reason),
            share=chosen.share,
            low_priority=chosen.low_priority,
            light=of_scene.light,
            unpainted=of_scene.unpainted,
        )
        if wanted != self._told.settings:
            self._told = dataclasses.replace(self._told, settings=wanted)
            self._link.send(wanted)
            self._redraw()

    def _why_pause(self, scene: Any, playing: bool) -> str:
        if settings.of_session().paused:
            return "press Go On to learn again"
        if jobs.busy():
            return f"{jobs.busy()} is running"
        if self.is_rendering or bpy.app.is_job_running("RENDER"):
            return "Blender is rendering"
        if self._slow_readings >= 3:
            milliseconds = 1000 * self._canvases.slowest
            return (
                f"the painting is too large for this computer, which needs {milliseconds:.0f} ms "
                "to read it"
            )
        # Learning makes way for playback once there is something stylized to play.
        if playing and self._is_ready() and self._rate.is_slow(properties.frame_rate(scene)):
            return "Blender cannot play this scene in time"
        return ""

    def _is_ready(self) -> bool:
        """Return whether as many frames of the playback are ready as can be."""
        ready = len(self.cache.fresh) + len(self.cache.stale)
        return ready >= min(len(self._told.frames), self.pictures.place.slots - 2)

    def _read_paintings(self) -> None:
        """Read one of the paintings that may have changed."""
        if self._watch.due(self._canvases.slowest):
            self.keyframe_files.note_stroke()
            found = self.images.paintings()
            sent = self._canvases.sent()
            for frame in sent:
                if frame not in found:
                    self._canvases.forget(frame)
                    self._link.send(messages.LiveRevert(self._link.job, self.number(), frame))
            self._to_read = [
                frame for frame, image in found.items() if frame in sent or image.is_dirty
            ]
        if self._to_read and self._slow_readings < 3:
            self._read(self._to_read.pop(0))

    def _read(self, frame: int) -> None:
        image = self.images.paintings().get(frame)
        if image is None:
            return
        manifest = self.shot.manifest
        if tuple(image.size) != (manifest.width, manifest.height):
            self.warning = (
                f"The painting of frame {frame} is {image.size[0]}×{image.size[1]}, but the frames "
                f"are {manifest.width}×{manifest.height}."
            )
            return
        change = self.number()
        # Not by the clock: a busy computer is no reason to stop.
        began = time.thread_time()
        what = self._canvases.read(frame, image, change)
        slow = time.thread_time() - began > _TOO_SLOW_SECONDS
        self._slow_readings = self._slow_readings + 1 if slow else 0
        if what == "painted":
            self._send_painting(frame, change, linear=image.is_float)
        elif what == "reverted":
            self._link.send(messages.LiveRevert(self._link.job, change, frame))

    def _send_painting(self, frame: int, change: int, *, linear: bool) -> None:
        path = str(self._canvases.path(frame))
        self._link.send(messages.LivePaint(self._link.job, change, frame, path, linear))

    def _read_files(self, scene: Any) -> None:
        if self.keyframe_files.tick(scene, self.images):
            self._link.send(messages.LiveReload(self._link.job, self.number()))
            # What another program wrote does not count before the user has said so.
            for frame in self._canvases.sent():
                self._resend(frame)

    def _resend(self, frame: int) -> None:
        image = self.images.paintings().get(frame)
        if image is not None:
            self._send_painting(frame, self.number(), linear=image.is_float)

    def _paint_viewport(self, scene: Any) -> None:
        learns = bool(self.state and self.state.state == messages.LEARNING)
        rate = settings.preferences().view_rate
        if not self.view.is_due(scene, rate, self._watch.updates, learns=learns):
            return
        number = self.number()
        try:
            self.view.draw(scene, number)
        except PaintoverError as error:
            settings.of_session().viewport = False
            self.warning = str(error)
            return
        self._link.send(messages.LiveView(self._link.job, number, self.view.path))

    def _take(self, event: Event) -> None:
        if isinstance(event, messages.LiveState):
            told = self.describe(), self.mode
            self.state = event
            if told != (self.describe(), self.mode):
                self._redraw()
        elif isinstance(event, messages.LiveShown):
            self.pictures.note(event)
            if event.frame == self._told.frame:
                self._redraw()
        elif isinstance(event, messages.LiveCache):
            self.cache = event
            self._redraw()
        elif isinstance(event, messages.LiveViewed):
            before = self.view.sentence
            self.view.take(event)
            if self.view.sentence != before:
                self._redraw()
        elif isinstance(event, messages.LiveFinished) and self._finished is not None:
            finished, self._finished = self._finished, None
            finished(event)
        elif isinstance(event, Warned):
            self.warning = event.sentence

    def _make_request(self, job: int) -> messages.Live:
        scene = self.scene.get()
        chosen, of_scene = settings.preferences(), properties.of(scene)
        frame = min(self._frames, key=lambda each: abs(each - scene.frame_current))
        return messages.Live(
            job,
            shot=str(self.shot.folder),
            pictures=self.pictures.place,
            frame=frame,
            style=of_scene.style,
            view=self.view.place,
            device=of_scene.device,
            light=of_scene.light,
            unpainted=of_scene.unpainted,
            share=chosen.share,
            low_priority=chosen.low_priority,
        )

    def _restart(self, error: PaintoverError) -> None:
        """Start the engine again after it has stopped; the paint is still in Blender."""
        now = time.monotonic()
        self._restarts = [each for each in self._restarts if now - each < _RESTART_SECONDS]
        if len(self._restarts) >= _MOST_RESTARTS or not self._link.job:
            raise error
        self._restarts.append(now)
        _log.warning("%s", error)
        self.warning = "The engine stopped unexpectedly and was started again; your paint is kept."
        self._link.stop()
        self.state = None
        self._told = _Told()
        self.pictures.clear()
        self.view.clear()
        self._link = EngineLink(self._make_request)
        for frame in self._canvases.sent():
            self._canvases.forget(frame)
        self._watch.sign()

    def finish(self, done: Callable[[messages.LiveFinished], None]) -> None:
        """Save the paintings and let the engine write the style.

        Args:
            done: called with the answer.

        Raises:
            PaintoverError: the engine still starts, or a painting cannot be saved.
        """
        if not self._link.job:
            raise PaintoverError("The engine is still starting; wait until it learns.")
        keyframe_images.save_unsaved(self.shot)
        self._finished = done
        self._link.send(messages.LiveReload(self._link.job, self.number()))
        self._link.send(messages.LiveFinish(self._link.job))

    def pause_for_render(self) -> None:
        """Pause at once: a render that blocks Blender begins, so that no timer runs."""
        self.is_rendering = True
        told = self._told.settings
        if told is not None and self._link.job:
            paused = dataclasses.replace(told, paused=True)
            self._told = dataclasses.replace(self._told, settings=paused)
            self._link.send(paused)

    def save_strokes(self) -> list[str]:
        """Save unsaved strokes, and keep the files before as versions; return their names.

        Raises:
            PaintoverError: a file cannot be written; its strokes stay in Blender.
        """
        return keyframe_images.save_unsaved(self.shot, keep_version=True)

    def files_were_saved(self) -> None:
        """Let the engine look at the files at once."""
        if self._link.job:
            self._link.send(messages.LiveReload(self._link.job, self.number()))
        self._watch.sign()

    def close(self, *, wait: bool = False) -> None:
        """End the session.

        Args:
            wait: return when the engine has ended, as before Blender ends.
        """
        self._link.stop(wait=wait)
        self._release()

    def _release(self) -> None:
        strokes.stop()
        self.pictures.clear()
        self.view.clear()
        self._files.close()
