# SPDX-License-Identifier: GPL-3.0-or-later
"""A live session with a real engine, without a window: its timer is turned by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import HEIGHT, WIDTH, engine_runs, picture, write_png

Part = Callable[[str], Any]
LONGEST = 240.0

pytestmark = pytest.mark.skipif(not engine_runs(), reason="the engine's Python lacks what it needs")


@pytest.fixture
def session(scene: Any, shot: Any, part: Part) -> Iterator[Any]:
    """A session of a shot with a painting of frame 1 that is open in Blender."""
    bpy.ops.paintover.keyframe_add(frame=1)
    part("keyframes.images").load(shot, 1)
    scene.paintover.device = "cpu"
    session = part("live.session").Session(scene)
    yield session
    session.close(wait=True)


def _until(session: Any, condition: Callable[[], object]) -> None:
    """Let the session work until a condition holds."""
    end = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < end, session.describe()
        session.tick()
        time.sleep(0.01)


def _paint(part: Part, shot: Any, value: float) -> Any:
    """Paint on frame 1 as a brush does."""
    image = part("keyframes.images").find_image(shot.key_path(1))
    pixels = np.empty(WIDTH * HEIGHT * 4, np.float32)
    image.pixels.foreach_get(pixels)
    pixels.reshape(HEIGHT, WIDTH, 4)[10:40, 10:60, :3] = value
    image.pixels.foreach_set(pixels)
    image.update()
    part("live.strokes").note_press()
    return image


def _shown_change(session: Any, frame: int = 1) -> int:
    told = session.pictures.told(frame)
    return told.change if told else 0


def test_a_saved_painting_counts_as_saved_whatever_comes_after(
    session: Any, scene: Any, shot: Any, part: Part
) -> None:
    """A changed weight makes the engine look again; the style has the scene's present name."""
    image = _paint(part, shot, 0.25)
    _until(session, lambda: _shown_change(session) and session.state.steps > 45)
    part("keyframes.images").save_unsaved(shot)
    assert not image.is_dirty
    before = session.state.change
    part("keyframes.weights").add_rows(scene, [1])
    scene.paintover.keyframes["1"].weight = 0.5
    _until(session, lambda: session.state.change > before)
    scene.paintover.style = "other"
    finished: list[Any] = []
    session.finish(finished.append)
    _until(session, lambda: finished)
    assert not finished[0].sentence
    assert finished[0].path == str(shot.style_path("other"))


def test_frames_that_are_captured_meanwhile_are_shown(
    session: Any, scene: Any, shot: Any, part: Part
) -> None:
    _paint(part, shot, 0.75)
    _until(session, lambda: _shown_change(session))
    write_png(shot.image_path(4), picture(4))
    digest = part("engine.shared.pictures.digests").digest_picture(shot.image_path(4))
    shot.manifest.frames[4] = part("engine.shared.manifest").FrameRecord(image=digest)
    shot.save()
    scene.frame_end = 4
    scene.frame_set(4)
    _until(session, lambda: session.pictures.told(4))
    assert session.shot.frames == [1, 2, 3, 4]


def test_a_session_that_cannot_run_says_why_and_is_not_started_again(
    session: Any, shot: Any, part: Part
) -> None:
    failed = part("live.engine_link").SessionFailedError
    pid = session.engine_pid
    (shot.folder / "shot.json").write_text("{", encoding="utf-8")
    with pytest.raises(failed, match=r"shot\.json"):
        _until(session, lambda: False)
    assert session.engine_pid == pid


def test_a_shot_without_frames_says_so(
    session: Any, scene: Any, shot: Any, part: Part, addon: Any
) -> None:
    error = part("engine.shared.errors").PaintoverError
    shot.manifest.frames.clear()
    shot.save()
    with pytest.raises(error, match="has no frames yet; capture"):
        part("live.session").Session(scene)
    _until(session, lambda: not session.shot.frames)
    session._link.restart()
    with pytest.raises(error, match="has no frames yet; capture"):
        _until(session, lambda: False)


def test_a_mask_that_cannot_be_written_is_written_later(
    scene: Any, shot: Any, part: Part, addon: Any
) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    mask = shot.key_mask_path(1)
    write_png(mask, np.ones((HEIGHT, WIDTH, 4), np.float32))
    image: Any = bpy.data.images.load(str(mask))
    files = part("live.keyframe_files").KeyframeFiles(shot)
    images = part("live.canvases").KeyframeImages(shot)
    image.pixels.foreach_set(np.zeros(WIDTH * HEIGHT * 4, np.float32))
    mask.unlink()
    mask.mkdir()
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="mask"):
        files.tick(scene, images)
    mask.rmdir()
    files._next = 0.0
    assert files.tick(scene, images)
    assert mask.is_file()
