# SPDX-License-Identifier: GPL-3.0-or-later
"""The live session without a window: what is read of paintings, and what goes through files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import HEIGHT, WIDTH, picture, read_codes, write_png

Part = Callable[[str], Any]


@pytest.fixture
def files(part: Part, addon: Any) -> Iterator[Any]:
    files = part("live.files").LiveFiles()
    yield files
    files.close()


def _paint(image: Any, value: float, rows: slice = slice(10, 20)) -> None:
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    pixels.reshape(height, width, 4)[rows, 10:40, :3] = value
    image.pixels.foreach_set(pixels)
    image.update()


def _canvas(part: Part, path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Any:
    """Read a canvas as the engine does."""
    canvas = part("engine.shared.live_files").Canvas(path, *size)
    pixels = np.array(canvas.pixels).reshape(size[1], size[0], 4)
    canvas.close()
    return pixels


def _codes(pixels: Any) -> Any:
    return np.rint(np.asarray(pixels) * 255).astype(np.int64)


def test_without_a_window_live_tells_the_way_out(scene: Any, shot: Any) -> None:
    with pytest.raises(RuntimeError, match="Live needs Blender's window; without one, use python"):
        bpy.ops.paintover.live()


def test_only_new_paint_is_sent(scene: Any, shot: Any, part: Part, files: Any) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    image = part("keyframes.images").load(shot, 1)
    images = part("live.canvases").KeyframeImages(shot)
    canvases = part("live.canvases").Canvases(files, (WIDTH, HEIGHT))
    assert images.paintings() == {1: image}
    assert images.frame_of(image) == 1

    assert canvases.read(1, image, 1) == "same"  # it is as its file
    _paint(image, 0.25)
    assert canvases.read(1, image, 2) == "painted"
    assert canvases.sent() == [1]
    seen = _canvas(part, canvases.path(1))
    wanted = np.empty(WIDTH * HEIGHT * 4, np.float32)
    image.pixels.foreach_get(wanted)
    np.testing.assert_array_equal(seen.ravel(), wanted)
    assert canvases.read(1, image, 3) == "same"
    _paint(image, 0.75, slice(30, 31))
    assert canvases.read(1, image, 4) == "painted"
    assert _canvas(part, canvases.path(1))[30, 20, 0] == pytest.approx(0.75, abs=0.003)

    part("keyframes.images").save_unsaved(shot)
    assert canvases.read(1, image, 5) == "same"  # the file has the same now
    _paint(image, 0.5)
    assert canvases.read(1, image, 6) == "painted"
    image.reload()  # discards the stroke
    assert canvases.read(1, image, 7) == "reverted"
    assert canvases.sent() == []


def test_a_float_painting_of_real_size(scene: Any, part: Part, files: Any) -> None:
    """Blender's numbers arrive bit by bit, also negative and above 1."""
    image: Any = bpy.data.images.new("Float", 512, 288, alpha=True, float_buffer=True)
    values = np.random.default_rng(0).normal(0.5, 1, 512 * 288 * 4).astype(np.float32)
    image.pixels.foreach_set(values)
    canvases = part("live.canvases").Canvases(files, (512, 288))
    assert canvases.read(7, image, 1) == "painted"
    np.testing.assert_array_equal(_canvas(part, canvases.path(7), (512, 288)).ravel(), values)


def test_the_files_go_away(scene: Any, part: Part) -> None:
    files = part("live.files").LiveFiles()
    canvases = part("live.canvases").Canvases(files, (WIDTH, HEIGHT))
    image: Any = bpy.data.images.new("Painting", WIDTH, HEIGHT)
    canvases.read(1, image, 1)
    folder = canvases.path(1).parent
    assert len(list(folder.iterdir())) == 2
    files.close()
    assert list(folder.iterdir()) == []


def test_masks_and_weights_go_through_files(scene: Any, shot: Any, part: Part) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    mask = shot.key_mask_path(1)
    write_png(mask, np.ones((HEIGHT, WIDTH, 4), np.float32))
    image: Any = bpy.data.images.load(str(mask))
    images = part("live.canvases").KeyframeImages(shot)
    assert images.masks() == {1: image}
    follower = part("live.keyframe_files").KeyframeFiles(shot)
    follower.tick(scene, images)
    before = mask.read_bytes()

    _paint(image, 0.0)
    _wait_for_turn(follower)
    assert not follower.tick(scene, images)  # no stroke has ended yet
    assert mask.read_bytes() == before
    follower.note_stroke()
    _wait_for_turn(follower)
    assert follower.tick(scene, images)
    assert read_codes(mask)[15, 20, 0] == 0
    assert image.is_dirty  # as saving would drop what can be undone
    follower.note_stroke()
    _wait_for_turn(follower)
    assert not follower.tick(scene, images)  # the file has it already

    part("keyframes.weights").add_rows(scene, [1])
    scene.paintover.keyframes["1"].weight = 0.5
    _wait_for_turn(follower)
    assert follower.tick(scene, images)
    assert type(shot).open(shot.folder).manifest.weights == {1: {1: 0.5}}


def _wait_for_turn(follower: Any) -> None:
    follower._next = 0.0


def _conflicts(follower: Any, scene: Any, images: Any) -> tuple[Path, ...]:
    """Return the conflicts once the files are read."""
    for _ in range(2):
        _wait_for_turn(follower)
        follower.tick(scene, images)
        if follower._thread is not None:
            follower._thread.join(10)
    return tuple(follower.conflicts)


@pytest.mark.parametrize("use", ["FILE", "STROKES"])
def test_another_program_saves_a_painting_that_is_painted_on(
    scene: Any, shot: Any, part: Part, use: str, tmp_path: Path
) -> None:
    """Neither painting is lost, whatever is chosen."""
    keyframes = part("keyframes.images")
    path = shot.key_path(1)
    write_png(path, picture(1, seed=1))
    image = keyframes.load(shot, 1)
    images = part("live.canvases").KeyframeImages(shot)
    follower = part("live.keyframe_files").KeyframeFiles(shot)
    _paint(image, 0.25)
    assert _conflicts(follower, scene, images) == ()
    strokes = _pixels(image)

    time.sleep(0.01)
    write_png(path, picture(1, seed=2))
    assert _conflicts(follower, scene, images) == (path,)
    assert keyframes.reload_changed(shot) == []
    np.testing.assert_array_equal(_pixels(image), strokes)

    versions = path.parent / "versions"
    theirs = read_codes(path)
    if use == "FILE":
        name = keyframes.use_file(shot, path)
        kept, shown = read_codes(versions / name), _codes(_pixels(keyframes.find_image(path)))
        np.testing.assert_array_equal(kept, _codes(strokes))
        np.testing.assert_array_equal(shown, theirs)
    else:
        keyframes.save_unsaved(shot)
        (version,) = versions.glob("0001*.png")
        np.testing.assert_array_equal(read_codes(version), theirs)
        np.testing.assert_array_equal(read_codes(path), _codes(strokes))
    assert _conflicts(follower, scene, images) == ()


def _pixels(image: Any) -> Any:
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, 4)


def test_strokes_that_end_and_tools_that_tell_nothing(part: Part, scene: Any) -> None:
    """Undo, and tools that update the dependency graph without data, lead to one reading."""
    strokes = part("live.strokes")
    watch = strokes.start()
    try:
        assert watch.due(0.001)  # once at the start
        assert not watch.due(0.001)
        strokes.note_press()
        assert watch.due(0.001)
        strokes._after_undo()
        assert not watch.due(10.0), "readings that take long are not repeated for a mere sign"
        watch._last -= 1.0
        assert watch.due(0.001)
        assert not watch.due(0.001)
        watch._last -= 4.0
        assert not watch.due(0.5), "a large painting is not read while nothing happens"
        assert watch.due(0.001)
    finally:
        strokes.stop()
    counts = [len(each) for each in _handlers()]
    strokes.start()
    strokes.stop()
    assert [len(each) for each in _handlers()] == counts


def _handlers() -> list[Any]:
    handlers: Any = bpy.app.handlers
    names = [name for name in dir(handlers) if isinstance(getattr(handlers, name), list)]
    return [getattr(handlers, name) for name in names]


def test_a_painted_viewport_is_plain_and_gets_back_what_was_chosen(part: Part) -> None:
    """Also what the user chooses while it is painted."""
    part("live.settings").preferences().view_shading = "SOLID"
    screens: Any = bpy.data.screens
    spaces = [
        area.spaces.active for screen in screens for area in screen.areas if area.type == "VIEW_3D"
    ]
    first, second = spaces[:2]
    for space in (first, second):
        space.overlay.show_overlays, space.shading.type = True, "MATERIAL"
    plain = part("live.plain_view").PlainView()
    plain.make(first)
    plain.make(first)
    assert (first.overlay.show_overlays, first.shading.type) == (False, "SOLID")
    first.shading.type = "WIREFRAME"
    plain.make(first)
    assert first.shading.type == "SOLID"
    plain.make(second)
    assert (first.overlay.show_overlays, first.shading.type) == (True, "WIREFRAME")
    assert (second.overlay.show_overlays, second.shading.type) == (False, "SOLID")
    plain.put_back()
    plain.put_back()
    assert (second.overlay.show_overlays, second.shading.type) == (True, "MATERIAL")
    second.overlay.show_overlays = False
    plain.make(second)
    plain.put_back()
    assert not second.overlay.show_overlays, "overlays that were off stay off"


@pytest.mark.parametrize("note", ["", "99 True WIREFRAME", "-1 True SOLID", "x", "0 True NONE"])
def test_a_viewport_that_was_saved_while_plain_is_put_back(
    part: Part, scene: Any, tmp_path: Path, note: str
) -> None:
    """As Blender saves by itself. What others wrote there does no harm."""
    space, screen = _viewport()
    space.overlay.show_overlays, space.shading.type = True, "MATERIAL"
    plain = part("live.plain_view").PlainView()
    plain.make(space)
    screen["paintover_viewport"] = note or screen["paintover_viewport"]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "auto.blend"), copy=True)
    plain.put_back()
    assert "paintover_viewport" not in screen
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "auto.blend"), load_ui=True)
    space, screen = _viewport()
    given_back = (space.overlay.show_overlays, space.shading.type) == (True, "MATERIAL")
    assert given_back == (not note) and "paintover_viewport" not in screen


def _viewport() -> tuple[Any, Any]:
    """The first 3D viewport, and its screen."""
    screens: Any = bpy.data.screens
    return next(
        (area.spaces.active, screen)
        for screen in screens
        for area in screen.areas
        if area.type == "VIEW_3D"
    )


def test_pictures_are_small_enough_to_be_drawn_in_time(part: Part) -> None:
    fitting_size = part("live.pictures").fitting_size
    assert fitting_size(512, 288, 0.0) == (512, 288)
    assert fitting_size(1920, 1080, 0.0) == (960, 540)
    assert fitting_size(1920, 1080, 1.0) == (1920, 1080)
    assert fitting_size(1080, 1920, 0.25) == (270, 480)
    budget = part("live.pictures").TextureBudget()
    assert [budget.take() for _ in range(12)] == [True] * 10 + [False] * 2


def test_playback_that_blender_cannot_follow(part: Part, monkeypatch: Any) -> None:
    playback = part("live.playback")
    now = 100.0
    monkeypatch.setattr(playback.time, "monotonic", lambda: now)
    for frames_per_second, is_slow in ((24, False), (13, False), (5, True)):
        rate = playback.PlaybackRate()
        rate.start()
        assert not rate.is_slow(24.0)
        for frame in range(4 * frames_per_second):
            now += 1 / frames_per_second
            rate.note(frame)
        assert rate.is_slow(24.0) == is_slow, frames_per_second


def test_durations_are_noted(part: Part) -> None:
    timings = part("live.timings")
    timings.clear()

    @timings.measured("wait")
    def wait() -> int:
        time.sleep(0.01)
        return 3

    assert wait() == 3
    assert 0.009 < timings.seconds()["wait"][0] < 1
    timings.clear()
    assert timings.seconds() == {}


def test_a_saved_blend_does_not_keep_the_live_picture(scene: Any, part: Part) -> None:
    """The empty image that the picture is drawn over is removed when the .blend is loaded."""
    image: Any = bpy.data.images.new("Live Picture", 8, 8)
    image[part("picture_editors").LIVE.mark] = True
    image.use_fake_user = True
    other: Any = bpy.data.images.new("Live Picture", 8, 8)
    other.use_fake_user = True
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert [image.name for image in bpy.data.images if image.name.startswith("Live")] == [
        "Live Picture.001"
    ]
