# SPDX-License-Identifier: GPL-3.0-or-later
"""One live session: strokes go to the engine, its pictures come back, all from one timer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import bpy

from .. import jobs, logs, properties, steps
from ..engine.shared import live_protocol as messages
from ..engine.shared.errors import PaintoverError
from ..engine.shared.manifest import MANIFEST_NAME
from ..engine.shared.protocol import Event, Warned
from ..engine.shared.shot import Shot
from ..keyframes import images as keyframe_images
from . import redrawing, settings, strokes, timings
from .engine_link import EngineLink, SessionFailedError
from .files import LiveFiles
from .keyframe_files import KeyframeFiles
from .painting_feed import PaintingFeed
from .pictures import Pictures, TextureBudget, fitting_size
from .playback import Playhead
from .viewport import PaintedViewport

_log = logs.logger(__name__)

_RESTART_SECONDS = 60.0
_MOST_RESTARTS = 3

STARTING = "starting"


class Session:
    """A live session of a scene's shot.

    Args:
        scene: its settings and shot are used.

    Attributes:
        shot: the shot, as last read.
        pictures: the stylized pictures of its frames.
        view: the painted viewport.
        state: what the engine told last, None while it starts.
        cache: which frames are ready.
        warning: the last sentence that the engine or the session has to tell, or "".
        pause_reason: why the session pauses, or "".
        is_rendering: whether Blender renders; set by handlers, also from other threads.

    Raises:
        PaintoverError: there is no shot, it has no frames, there is no engine, or a file cannot be
            written.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        self.scene = properties.SceneReference(scene)
        self.shot = steps.open_shot(scene)
        self.shot.check_frames()
        self._frames, self._shot_state = frozenset(self.shot.frames), _state_of(self.shot)
        self.state: messages.LiveState | None = None
        self.cache = messages.LiveCache(0, [], [])
        self.warning = self.pause_reason = ""
        self.is_rendering = False
        self._told: messages.LiveSettings | None = None
        self._restarts: list[float] = []
        self._finished: Callable[[messages.LiveFinished], None] | None = None
        self._files = LiveFiles()
        try:
            chosen, manifest = settings.preferences(), self.shot.manifest
            budget = TextureBudget()
            size = fitting_size(
                manifest.width, manifest.height, settings.SCALES[chosen.picture_size]
            )
            self.pictures = Pictures(self._files, *size, len(self._frames), budget)
            self.view = PaintedViewport(self._files, budget, chosen.view_scale)
            self._link = EngineLink(self._make_request)
            self._playhead = Playhead(self._link)
            self._feed = PaintingFeed(self.shot, self._files, self._link, self._warn)
        except BaseException:
            strokes.stop()
            self._files.close()
            raise

    @property
    def paints_viewport(self) -> bool:
        """Whether the viewport is painted; while the session pauses, it is shown as it is."""
        return bool(settings.of_session().viewport) and not self.pause_reason

    @property
    def engine_pid(self) -> int:
        """The process id of the engine."""
        return self._link.pid

    @property
    def keyframe_files(self) -> KeyframeFiles:
        """What goes to the engine through files."""
        return self._feed.keyframe_files

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

    @timings.measured("tick")
    def tick(self) -> None:
        """Do what is due; called from a timer. Raises PaintoverError if the session must end."""
        scene = self.scene.get()
        try:
            for event in self._link.poll():
                self._take(event)
            if self._link.job:
                self._tell(scene)
        except SessionFailedError:
            raise
        except PaintoverError as error:
            self._restart(error)
            return
        if self.view.update_texture():
            redrawing.viewport()
        if self.pictures.is_late:
            self.pictures.is_late = False
            redrawing.picture()

    def _tell(self, scene: Any) -> None:
        self._playhead.ask_for_range(scene, self.shot.frames)
        self._tell_settings(scene)
        self._playhead.ask_for_frame(scene, self._frames)
        if not self.paints_viewport:
            self.view.uncover()
        if self.is_rendering:
            return
        self._follow_shot()
        self._feed.tick(scene)
        if self.paints_viewport:
            self._paint_viewport(scene)

    def frame_changed(self) -> None:
        """Ask for the picture of another frame, and show one that is ready, before Blender draws.

        Otherwise Blender would draw all its editors first, and the picture the time after.
        """
        scene = self.scene.find()
        if scene is not None and self._link.job and not self.is_rendering:
            self._playhead.ask_for_frame(scene, self._frames)
            redrawing.picture()

    def _follow_shot(self) -> None:
        """Take frames that were captured meanwhile."""
        state = _state_of(self.shot)
        if state == self._shot_state or jobs.busy():
            return
        self._shot_state = state
        try:
            shot = Shot.open(self.shot.folder)
        except PaintoverError as error:
            self._warn(str(error))
            return
        before, now = self.shot.manifest, shot.manifest
        if (before.width, before.height) != (now.width, now.height):
            raise SessionFailedError("The shot has another size now; turn Live on again for it.")
        if shot.frames != self.shot.frames:
            self.shot, self._frames = shot, frozenset(shot.frames)
            self._feed.use(shot)
            redrawing.cache()

    def _tell_settings(self, scene: Any) -> None:
        self.pause_reason = self._why_pause(scene)
        chosen, of_scene = settings.preferences(), properties.of(scene)
        wanted = messages.LiveSettings(
            self._link.job,
            paused=bool(self.pause_reason),
            share=chosen.share,
            low_priority=chosen.low_priority,
            light=of_scene.light,
            unpainted=of_scene.unpainted,
        )
        if wanted != self._told:
            self._told = wanted
            self._link.send(wanted)
            redrawing.everything()

    def _why_pause(self, scene: Any) -> str:
        if settings.of_session().paused:
            return "press Go On to learn again"
        if jobs.busy():
            return f"{jobs.busy()} is running"
        if self.is_rendering or bpy.app.is_job_running("RENDER"):
            return "Blender is rendering"
        if self._feed.why_too_slow:
            return self._feed.why_too_slow
        # Learning makes way for playback once there is something stylized to play.
        if self._playhead.is_too_slow(scene, self.cache, self.pictures.place.slots):
            return "Blender cannot play this scene in time"
        return ""

    def _paint_viewport(self, scene: Any) -> None:
        learns = bool(self.state and self.state.state == messages.LEARNING)
        rate = settings.preferences().view_rate
        if not self.view.is_due(scene, rate, self._feed.watch.updates, learns=learns):
            return
        number = self._link.number()
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
                redrawing.state()
        elif isinstance(event, messages.LiveShown):
            self.pictures.note(event)
            if event.frame == self._playhead.frame:
                redrawing.picture()
        elif isinstance(event, messages.LiveCache):
            self.cache = event
            redrawing.cache()
        elif isinstance(event, messages.LiveViewed):
            before = self.view.sentence
            self.view.take(event)
            if self.view.sentence != before:
                redrawing.viewport()
        elif isinstance(event, messages.LiveFinished) and self._finished is not None:
            finished, self._finished = self._finished, None
            finished(event)
        elif isinstance(event, Warned):
            self._warn(event.sentence)

    def _warn(self, sentence: str) -> None:
        if sentence != self.warning:
            self.warning = sentence
            redrawing.state()

    def _make_request(self) -> messages.Live:
        self.shot.check_frames()  # they may be gone when the engine is started again
        scene = self.scene.get()
        chosen, of_scene = settings.preferences(), properties.of(scene)
        frame = min(self._frames, key=lambda each: abs(each - scene.frame_current))
        return messages.Live(
            0,
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
        self.state = self._told = self._finished = None
        self.cache = messages.LiveCache(0, [], [])
        self.pictures.clear()
        self.view.clear()
        self._playhead.forget()
        self._link.restart()
        self._feed.send_all_again()

    def finish(self, done: Callable[[messages.LiveFinished], None]) -> None:
        """Save the paintings and let the engine write the scene's style.

        Args:
            done: called with the answer.

        Raises:
            PaintoverError: the engine still starts, or a painting cannot be saved.
        """
        if not self._link.job:
            raise PaintoverError("The engine is still starting; wait until it learns.")
        keyframe_images.save_unsaved(self.shot)
        self._finished = done
        self._feed.reload()
        style = properties.of(self.scene.get()).style
        self._link.send(messages.LiveFinish(self._link.job, style))

    def pause_for_render(self) -> None:
        """Pause at once: a render that blocks Blender begins, so that no timer runs."""
        self.is_rendering = True
        if self._told is not None and self._link.job:
            self._told = replace(self._told, paused=True)
            self._link.send(self._told)

    def save_strokes(self) -> list[str]:
        """Save unsaved strokes, and keep the files before as versions; return their names.

        Raises:
            PaintoverError: a file cannot be written; its strokes stay in Blender.
        """
        return keyframe_images.save_unsaved(self.shot, keep_version=True)

    def files_were_saved(self) -> None:
        """Let the engine look at the files at once."""
        if self._link.job:
            self._feed.reload()
        self._feed.watch.sign()

    def close(self, *, wait: bool = False) -> None:
        """End the session.

        Args:
            wait: return when the engine has ended, as before Blender ends.
        """
        self._link.stop(wait=wait)
        strokes.stop()
        self.pictures.clear()
        self.view.clear()
        self._files.close()


def _state_of(shot: Shot) -> tuple[int, int]:
    """Return the time and size of a shot's manifest, to tell whether it has changed."""
    try:
        found = (shot.folder / MANIFEST_NAME).stat()
    except OSError:  # it is being replaced, or its drive is away for now
        return 0, 0
    return found.st_mtime_ns, found.st_size
