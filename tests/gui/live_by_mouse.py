# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender FILE.blend --python``: a live session with real strokes, keys and accidents.

The .blend has a captured shot with a keyframe at its first frame.
"""

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import addon_utils
import bpy
import numpy as np
import window
from live_steps import (
    ADDON,
    BLEND,
    KEY,
    SHOT,
    WAIT,
    arrange,
    editor,
    fit,
    invoke,
    last_change,
    middle,
    painted_box,
    part,
    picture_of,
    session,
    stroke,
    turn_on,
    values,
    wait_for_change,
)

PICTURES = Path(os.environ["PAINTOVER_PICTURES"])
MARGIN = 24
"""Pixels around a stroke in which the picture may change: the network looks around a pixel."""


def paint() -> window.Steps:
    """The picture changes where the stroke is, and nowhere else."""
    image = editor().spaces.active.image
    yield from stroke(-30)  # the first stroke makes it a painting
    yield from wait_for_change(1, 0, "the first stroke")
    yield 1.0
    canvas, picture, change = values(image), picture_of(1), last_change(1)
    yield from stroke(40, 30)
    yield from wait_for_change(1, change, "the second stroke")
    assert image.is_dirty
    rows, columns = painted_box(canvas, values(image))
    shown = picture_of(1)
    difference = np.abs(shown - picture)[..., :3].max(axis=2)
    assert difference[rows, columns].max() > 0.1, "the stroke does not show"
    around = np.ones(difference.shape, bool)
    around[
        max(0, rows.start - MARGIN) : rows.stop + MARGIN,
        max(0, columns.start - MARGIN) : columns.stop + MARGIN,
    ] = False
    print("moved elsewhere", difference[around].mean(), difference[around].max(), flush=True)
    assert difference[around].mean() < 2 / 255, "what the stroke does not show has moved"
    window.screenshot(str(PICTURES / "live-stroke.png"))


def undo_and_redo() -> window.Steps:
    image = editor().spaces.active.image
    painted, change = values(image), last_change(1)
    yield from window.move_to(*middle(editor()))
    yield from window.press("ctrl+z")
    yield from wait_for_change(1, change, "the undo")
    image = editor().spaces.active.image
    assert image is not None
    undone, change = values(image), last_change(1)
    assert np.abs(undone - painted).max() > 0.1
    yield from window.press("ctrl+shift+z")
    yield from wait_for_change(1, change, "the redo")
    np.testing.assert_allclose(values(editor().spaces.active.image), painted, atol=2e-3)


def texture_paint() -> window.Steps:
    """Strokes on a mesh in the 3D viewport, whose texture is the painting, count as well."""
    scene, image = bpy.context.scene, editor().spaces.active.image
    cube = next(each for each in scene.objects if each.type == "MESH")
    scene.tool_settings.image_paint.mode = "IMAGE"
    scene.tool_settings.image_paint.canvas = image
    viewport = window.area("VIEW_3D")
    bpy.context.view_layer.objects.active = cube
    with bpy.context.temp_override(window=window.window(), area=viewport):
        bpy.ops.object.mode_set(mode="TEXTURE_PAINT")
    yield from window.settle(5)
    painted, change = values(image), last_change(1)
    x, y = middle(viewport)
    yield from window.drag((x - 20, y), (x + 20, y))
    yield from window.wait_for(
        lambda: np.abs(values(image) - painted).max() > 0.1, 10, "the stroke on the cube"
    )
    yield from wait_for_change(1, change, "the stroke on the cube in the picture")
    window.screenshot(str(PICTURES / "live-texture-paint.png"))
    with bpy.context.temp_override(window=window.window(), area=viewport):
        bpy.ops.object.mode_set(mode="OBJECT")
    yield from window.settle()


def scrub_and_play() -> window.Steps:
    """Only the last of several frames is asked for; playback goes on with cached pictures."""
    scene = bpy.context.scene
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
    frame = scene.frame_current
    yield from window.wait_for(lambda: session().pictures.told(frame), WAIT, "the last frame")
    yield from window.wait_for(lambda: session().pictures.has_texture(frame), WAIT, "its texture")
    window.screenshot(str(PICTURES / "live-frame.png"))
    viewport = window.area("VIEW_3D")
    yield from window.move_to(*middle(viewport))
    yield from window.press("space")
    frames = session().shot.frames
    yield from window.wait_for(
        lambda: set(session().cache.fresh) | set(session().cache.stale) == set(frames),
        WAIT,
        "the cache",
    )
    yield 1.0
    window.screenshot(str(PICTURES / "live-play.png"))
    yield from window.press("space")
    yield from window.settle()
    scene.frame_set(1)


def paint_the_viewport() -> window.Steps:
    """It follows the mouse that orbits, without overlays, which are saved as they were."""
    own, area = bpy.context.window_manager.paintover_live, window.area("VIEW_3D")
    space, view = area.spaces.active, session().view
    assert space.overlay.show_overlays
    own.viewport = True
    yield from window.wait_for(lambda: view.texture, WAIT, "the painted viewport")
    yield from window.settle()
    window.screenshot(str(PICTURES / "live-viewport.png"))
    assert own.viewport, session().warning
    assert not space.overlay.show_overlays
    first = view.texture
    x, y = middle(area)
    orbit = window.start_drag([(x + step, y) for step in range(60)], 0.03, button=2)
    yield from window.wait_for(lambda: view.texture is not first, WAIT, "the orbited viewport")
    orbit.wait()
    window.let_go(2)
    yield from window.settle()
    window.screenshot(str(PICTURES / "live-viewport-orbited.png"))
    saved = []

    def note(*_: object) -> None:
        saved.append(space.overlay.show_overlays)

    bpy.app.handlers.save_pre.append(note)  # after ours
    bpy.ops.wm.save_mainfile()
    bpy.app.handlers.save_pre.remove(note)
    assert saved == [True]
    own.paused = True
    yield from window.wait_for(lambda: space.overlay.show_overlays, WAIT, "the overlays")
    own.paused = own.viewport = False
    space.region_3d.view_perspective = "CAMERA"
    yield from window.settle()
    assert space.overlay.show_overlays


def another_keyframe() -> window.Steps:
    """A new keyframe is painted on, and its strokes count as well."""
    last = bpy.context.scene.frame_end
    bpy.context.scene.frame_set(last)
    invoke(bpy.ops.paintover.keyframe_add, frame=last)
    invoke(bpy.ops.paintover.keyframe_open, editor(), frame=last)
    yield from fit()
    assert editor().spaces.active.image.name == f"Keyframe {last}"
    change = last_change(last)
    yield from stroke(0, 20)
    yield from wait_for_change(last, change, "the stroke on the other keyframe")
    invoke(bpy.ops.paintover.keyframe_open, editor(), frame=1)
    bpy.context.scene.frame_set(1)
    yield from fit()


def finish() -> window.Steps:
    """What was learnt becomes the style, and the shot is stylized with it, without training."""
    manager = bpy.context.window_manager
    told = session().pictures.told
    yield from window.wait_for(lambda: told(1).shows != "carried", WAIT, "the network")
    invoke(bpy.ops.paintover.live_finish)
    assert not editor().spaces.active.image.is_dirty, "the paintings are saved"
    frames = session().shot.frames
    out = [SHOT / f"out/style/{frame:04d}.png" for frame in frames]
    yield from window.wait_for(
        lambda: session().warning or all(path.is_file() for path in out), WAIT, "the frames"
    )
    assert not session().warning, session().warning
    yield from window.wait_for(lambda: not manager.paintover.title, WAIT, "the end")
    assert (SHOT / "styles/style.safetensors").is_file()
    assert session() is not None, "painting goes on"
    change = last_change(1)
    yield from stroke(-40, 10)
    yield from wait_for_change(1, change, "a stroke after it")


def kill_the_engine() -> window.Steps:
    """The engine starts again and gets what is not saved."""
    change = last_change(1)
    yield from stroke(-30, 40)
    yield from wait_for_change(1, change, "the stroke before it")
    assert editor().spaces.active.image.is_dirty
    pid = session().engine_pid
    os.kill(pid, signal.SIGKILL)
    yield from window.wait_for(lambda: session().engine_pid != pid, 30, "a new engine")
    yield from window.wait_for(lambda: last_change(1) > 0, 120, "the strokes in it")
    assert "started again" in session().warning
    assert editor().spaces.active.image.is_dirty


def render() -> window.Steps:
    """The session pauses while Blender renders."""
    reasons = set()
    invoke(bpy.ops.render.render)
    for _ in range(400):
        reasons.add(session().pause_reason)
        if len(reasons) > 1 and not session().pause_reason:
            break
        yield 0.05
    assert reasons == {"", "Blender is rendering"}, reasons
    yield from window.press("Escape")


def saved_elsewhere() -> window.Steps:
    """What another program saves is asked about, and nothing is lost."""
    assert editor().spaces.active.image.is_dirty
    theirs = values(editor().spaces.active.image)[..., :3].copy()
    theirs[:50] = 0.5
    image = bpy.data.images.new("theirs", *editor().spaces.active.image.size, alpha=True)
    image.pixels.foreach_set(np.dstack([theirs, np.ones(theirs.shape[:2])]).astype("f").ravel())
    image.filepath_raw, image.file_format = str(BLEND.parent / "theirs.png"), "PNG"
    image.save()
    bpy.data.images.remove(image)
    (BLEND.parent / "theirs.png").replace(KEY)
    yield from window.wait_for(
        lambda: session().keyframe_files.conflicts == (KEY,), 20, "the question"
    )
    assert editor().spaces.active.image.is_dirty
    invoke(bpy.ops.paintover.live_conflict, path=str(KEY), use="FILE")
    assert not editor().spaces.active.image.is_dirty
    assert list((SHOT / "keys/versions").glob("0001.*.png")), "the strokes are a version"
    yield from window.settle()


def another_file() -> window.Steps:
    """Unsaved strokes are in the shot folder before another file takes their place."""
    yield from stroke(-20, -30)
    yield from window.wait_for(lambda: editor().spaces.active.image.is_dirty, 5, "the stroke")
    strokes = values(editor().spaces.active.image)
    pid = session().engine_pid
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert session() is None
    yield 0.5
    assert not Path(f"/proc/{pid}").exists(), "the engine runs on"
    saved = bpy.data.images.load(str(KEY))
    np.testing.assert_allclose(values(saved), strokes, atol=2e-3)
    bpy.ops.wm.open_mainfile(filepath=str(BLEND))
    yield from window.settle()


def rename_and_disable() -> window.Steps:
    """A renamed scene goes on; the disabled add-on leaves nothing but the strokes."""
    yield from arrange()
    yield from turn_on()
    bpy.context.scene.name = "Renamed"
    yield from fit()
    change = last_change(1)
    yield from stroke(10, 40)
    yield from wait_for_change(1, change, "the stroke in the renamed scene")
    pid = session().engine_pid
    strokes = values(editor().spaces.active.image)
    control = part("live.control")
    addon_utils.disable(ADDON, default_set=False)
    assert not bpy.app.timers.is_registered(control._tick)
    keymaps = bpy.context.window_manager.keyconfigs.addon.keymaps
    names = [item.idname for keymap in keymaps for item in keymap.keymap_items]
    assert not [name for name in names if name.startswith("paintover.")], names
    assert not [image.name for image in bpy.data.images if image.get("paintover_live")]
    assert not Path(f"/proc/{pid}").exists(), "the engine runs on"
    yield from window.settle()
    np.testing.assert_allclose(values(editor().spaces.active.image), strokes, atol=2e-3)
    addon_utils.enable(ADDON, default_set=False)
    yield from window.settle()


def off() -> window.Steps:
    """Off means off: the engine is gone within a second."""
    areas = len(window.window().screen.areas)
    pid = session().engine_pid
    invoke(bpy.ops.paintover.live)
    assert session() is None
    yield from window.wait_for(lambda: not Path(f"/proc/{pid}").exists(), 2, "the end")
    yield from window.settle()
    assert len(window.window().screen.areas) == areas - 1
    yield from turn_on()
    yield from fit()


STEPS = (
    *(paint, undo_and_redo, texture_paint, scrub_and_play, paint_the_viewport, another_keyframe),
    finish,
    *(kill_the_engine, render, saved_elsewhere, off, another_file, rename_and_disable),
)


def test() -> window.Steps:
    yield from window.ready()
    yield from arrange()
    yield from turn_on()
    yield from fit()
    chosen = os.environ.get("PAINTOVER_LIVE_STEPS", "")
    for step in STEPS:
        if not chosen or step.__name__ in chosen.split(","):
            print("step", step.__name__, flush=True)
            yield from step()
            told = {name: max(each) for name, each in part("live.timings").seconds().items()}
            print("longest", json.dumps(told), flush=True)


window.run(test, limit=float(os.environ.get("PAINTOVER_LIMIT", "280")))
