# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews: paint carried to every frame without training, and where it is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import engine_runs, picture, read_codes, write_png

Part = Callable[[str], Any]

needs_engine = pytest.mark.skipif(
    not engine_runs(), reason="the engine's Python lacks the engine's packages"
)


def add_unsaved_paint(shot: Any, part: Part, frame: int) -> Any:
    """Make a frame a keyframe with all colours inverted, in Blender alone."""
    bpy.ops.paintover.keyframe_add(frame=frame)
    image = part("keyframes.images").load(shot, frame)
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    pixels.reshape(-1, 4)[:, :3] = 1 - pixels.reshape(-1, 4)[:, :3]
    image.pixels.foreach_set(pixels)
    image.update()
    return image


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}


@needs_engine
def test_unsaved_paint_is_carried_to_every_frame(scene: Any, part: Part) -> None:
    bpy.ops.paintover.capture()
    shot = part("steps").open_shot(scene)
    image = add_unsaved_paint(shot, part, 2)
    assert bpy.ops.paintover.preview() == {"FINISHED"}
    assert not image.is_dirty
    folder = shot.out_path("preview", 1).parent
    made = times(folder)
    assert sorted(made) == ["0001.png", "0002.png", "0003.png"]
    for frame in (1, 3):  # nothing moves
        shown, painted = read_codes(folder / f"000{frame}.png"), read_codes(shot.key_path(2))
        assert np.abs(shown - painted).mean() < 4
    looked = part("states").look(scene)
    assert {looked.steps[name].step.value for name in ("train", "stylize")} == {"nothing"}
    bpy.ops.paintover.preview()
    assert times(folder) == made
    bpy.ops.paintover.preview(frames="2-3", force=True)
    assert [name for name, time in times(folder).items() if time == made[name]] == ["0001.png"]


def test_without_paint_the_reason_is_told(scene: Any, shot: Any) -> None:
    with pytest.raises(RuntimeError, match="has no keyframe yet; add one and paint on it"):
        bpy.ops.paintover.preview()
    bpy.ops.paintover.keyframe_add(frame=1)
    with pytest.raises(RuntimeError, match=r"0001\.png still equals the rendered frame; paint"):
        bpy.ops.paintover.preview()


@needs_engine
def test_a_style_of_that_name_keeps_its_frames(scene: Any, shot: Any, part: Part) -> None:
    write_png(shot.key_path(1), picture(1, seed=2))
    write_png(shot.out_path("preview", 1), picture(1, seed=3))
    shot.style_path("preview").parent.mkdir()
    shot.style_path("preview").write_bytes(b"a style")
    before = shot.out_path("preview", 1).read_bytes()
    assert bpy.ops.paintover.preview() == {"FINISHED"}
    assert shot.out_path("preview", 1).read_bytes() == before
    assert sorted(times(shot.out_path("preview-2", 1).parent)) == [
        *("0001.png", "0002.png", "0003.png")
    ]


@needs_engine
def test_on_the_command_line(
    scene: Any, shot: Any, part: Part, capsys: pytest.CaptureFixture[str]
) -> None:
    main = part("command").main
    assert main(["preview"]) == 1
    assert "paintover: The shot" in capsys.readouterr().err
    write_png(shot.key_path(1), picture(1, seed=2))
    assert main(["preview", "--frames", "3"]) == 0
    told = capsys.readouterr().out
    assert "Previewed 1 frame\n" in told
    assert f"The previews are in {shot.out_path('preview', 3).parent}\n" in told
    assert main(["preview", "--frames", "2-3"]) == 0
    assert "Previewed 1 frame; 1 up to date\n" in capsys.readouterr().out


def test_the_image_editor_shows_each_at_its_frame(scene: Any, shot: Any, part: Part) -> None:
    for frame in (2, 3):
        write_png(shot.out_path("preview", frame), picture(frame))
    area = bpy.context.window_manager.windows[0].screen.areas[0]
    area.ui_type = "IMAGE_EDITOR"
    editors = part("keyframes.image_editors")
    editors.show_frames(area, shot, "preview", ".png", "Preview")
    space = area.spaces.active
    image, user = space.image, space.image_user
    assert (image.source, image.alpha_mode) == ("SEQUENCE", "STRAIGHT")
    assert Path(bpy.path.abspath(image.filepath)) == shot.out_path("preview", 2)
    assert (user.frame_start, user.frame_offset, user.frame_duration) == (2, 1, 2)
    assert user.use_auto_refresh and not user.use_cyclic
    assert space.ui_mode == "VIEW"
    write_png(shot.out_path("preview", 1), picture(1))
    editors.show_frames(area, shot, "preview", ".png", "Preview")
    assert space.image == image
    assert (user.frame_start, user.frame_offset, user.frame_duration) == (1, 0, 3)


def test_the_image_editor_shows_frames_before_zero(scene: Any, shot: Any, part: Part) -> None:
    """Blender cannot play files with negative numbers, so it plays links to them."""
    records = shot.manifest.frames
    shot.manifest.frames = {frame - 4: record for frame, record in records.items()}
    for frame in shot.frames:
        write_png(shot.out_path("preview", frame), picture(frame + 4))
    area = bpy.context.window_manager.windows[0].screen.areas[0]
    area.ui_type = "IMAGE_EDITOR"
    part("keyframes.image_editors").show_frames(area, shot, "preview", ".png", "Preview")
    user = area.spaces.active.image_user
    assert (user.frame_start, user.frame_offset, user.frame_duration) == (-3, 0, 3)
    folder = Path(bpy.path.abspath(area.spaces.active.image.filepath)).parent
    for number, frame in enumerate(shot.frames, start=1):
        played = (folder / f"{number:04d}.png").read_bytes()
        assert played == shot.out_path("preview", frame).read_bytes()
