# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender FILE.blend --python``: what one does with keyframes, by clicks; then the example.

Every file operation is followed by undo and redo, which must do no harm.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import window

PICTURES = Path(os.environ["PAINTOVER_PICTURES"])
BLEND = Path(bpy.data.filepath)
SHOT = BLEND.parent / "paintover" / BLEND.stem
KEYS = SHOT / "keys"


def picture(name: str) -> None:
    window.screenshot(str(PICTURES / f"{name}.png"))


def session():
    return bpy.context.window_manager.paintover


def rows() -> dict[int, str]:
    return {row.frame: row.state for row in session().keyframes}


def contents() -> dict[str, bytes]:
    return {
        path.relative_to(KEYS).as_posix(): path.read_bytes()
        for path in KEYS.rglob("*")
        if path.is_file()
    }


def press_in_menu(name: str) -> window.Steps:
    """Open the menu beside the list, and choose what has this letter underlined."""
    met = yield from window.buttons(0.83, until="paintover.keyframe_from_file")
    folder = window.find(met, "paintover.keyframe_from_file")
    yield from window.click(folder.x, folder.y - 20)
    yield 0.8
    picture("keyframe menu")
    yield from window.press(name)
    yield 1.0


def choose(row: int) -> window.Steps:
    """Click a row of the list, from 0 on."""
    met = yield from window.buttons(0.3, until="keyframe_index")
    middle = window.find(met, "keyframe_index")  # all rows are met as one button
    yield from window.click(middle.x, middle.y + round(21 * ((len(rows()) - 1) / 2 - row)))
    yield from window.wait_for(lambda: session().keyframe_index == row, 20, "the chosen row")


def undo_and_redo() -> window.Steps:
    """Undo and redo with the pointer in the viewport; no file and no keyframe may change."""
    before, listed = contents(), list(rows())
    viewport = window.region("WINDOW")
    yield from window.move_to(viewport.x + 200, viewport.y + 200)
    for chord in ("ctrl+z", "ctrl+shift+z"):
        yield from window.press(chord)
        yield 1.5
        assert contents() == before
        images = [Path(bpy.path.abspath(image.filepath)) for image in bpy.data.images]
        assert all(path.is_file() for path in images if path.parent == KEYS), images
    yield 4.0
    assert list(rows()) == listed


def test() -> window.Steps:
    yield from show_the_list()
    yield from duplicate()
    yield from move()
    yield from take_back()
    yield from drop_a_file()
    yield from open_the_example()


def show_the_list() -> window.Steps:
    yield from window.ready()
    yield from window.sidebar("Paintover")
    yield from window.wait_for(lambda: len(rows()) == 3, 60, "the list")
    assert rows() == {1: "Painted", 5: "Painted", 9: "Wrong size"}
    yield 6.0
    yield from window.settle(10)
    picture("keyframes")


def duplicate() -> window.Steps:
    """A copy of frame 5 goes onto the current frame, with its mask."""
    yield from choose(1)
    bpy.context.scene.frame_set(3)
    yield from press_in_menu("d")
    picture("duplicate")
    yield from window.press("Return")
    yield from window.wait_for((KEYS / "0003.png").is_file, 20, "the copy")
    assert (KEYS / "0003.png").read_bytes() == (KEYS / "0005.png").read_bytes()
    assert (KEYS / "0003.mask.png").read_bytes() == (KEYS / "0005.mask.png").read_bytes()
    yield from window.wait_for(lambda: 3 in rows(), 20, "its row")
    yield from undo_and_redo()


def move() -> window.Steps:
    """It opens, without wires, and moves on to frame 4."""
    editor = window.area("PROPERTIES")
    editor.ui_type = "IMAGE_EDITOR"
    yield from window.settle()
    yield from window.press_button("paintover.keyframe_open")
    space = editor.spaces.active
    yield from window.wait_for(lambda: space.image, 20, "the painting")
    assert space.image.name == "Keyframe 3"
    assert not space.uv_editor.show_uv
    bpy.context.scene.frame_set(4)
    painting = (KEYS / "0003.png").read_bytes()
    yield from press_in_menu("m")
    yield from window.press("Return")
    yield from window.wait_for((KEYS / "0004.png").is_file, 20, "the moved painting")
    yield from window.wait_for(lambda: not (KEYS / "0003.png").exists(), 20, "its old place")
    assert (KEYS / "0004.png").read_bytes() == painting
    assert space.image.name == "Keyframe 4"
    yield from window.wait_for(lambda: list(rows()) == [1, 4, 5, 9], 20, "the new list")
    yield from undo_and_redo()
    assert Path(bpy.path.abspath(space.image.filepath)) == KEYS / "0004.png"


def take_back() -> window.Steps:
    """Earlier paintings of frame 1 are looked at, and taken back."""
    space = window.area("IMAGE_EDITOR").spaces.active
    yield from choose(0)
    met = yield from window.buttons(until="paintover.suggest")
    above = window.find(met, "paintover.suggest")
    yield from window.click(above.x, above.y - 37)  # the title of the part, which is closed
    yield 3.0
    yield from window.settle(10)
    picture("versions")
    met = yield from window.buttons(0.75, until="paintover.keyframe_look")
    look = window.find(met, "paintover.keyframe_look")
    yield from window.click(look.x, look.y)
    yield from window.wait_for(lambda: "2026" in space.image.name, 20, "the version")
    met = yield from window.buttons(0.83, until="paintover.keyframe_take_back")
    present = (KEYS / "0001.png").read_bytes()
    back = window.find(met, "paintover.keyframe_take_back")
    yield from window.click(back.x, back.y)
    yield from window.wait_for(lambda: space.image.name == "Keyframe 1", 20, "the painting")
    assert (KEYS / "0001.png").read_bytes() != present
    assert present in [path.read_bytes() for path in KEYS.glob("versions/0001.*")]
    yield from undo_and_redo()


def drop_a_file() -> window.Steps:
    """Drag a file from Blender's own file browser onto the sidebar."""
    editor = window.area("IMAGE_EDITOR")
    editor.ui_type = "FILES"
    yield from window.settle()
    yield 1.0
    browser = editor.spaces.active
    browser.show_region_toolbar = False
    browser.params.directory = str(BLEND.parent / "drop").encode()
    browser.params.display_type = "THUMBNAIL"
    yield 3.0
    yield from window.settle()
    region = window.region("WINDOW", editor)
    sidebar = window.region("UI")
    picture("browser")
    start = (region.x + 60, region.y + region.height - 60)
    yield from window.drag(start, (sidebar.x + 100, sidebar.y + sidebar.height // 2), moves=20)
    yield 1.5
    picture("drop")
    yield from window.press("Return")  # Use as Keyframe, of what the 3D viewport can do with it
    yield 1.5
    yield from window.press("Return")
    yield from window.wait_for((KEYS / "0007.png").is_file, 20, "the dropped painting")
    assert (KEYS / "0007.png").read_bytes() == (BLEND.parent / "drop/fox_0007.png").read_bytes()


def open_the_example() -> window.Steps:
    """In an unsaved scene: Blender asks, and the example opens with its keyframe."""
    bpy.ops.wm.read_homefile()
    yield 1.0
    yield from window.ready()
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="cube")
    yield from window.sidebar("Paintover")
    yield 1.0
    picture("empty")
    yield from window.press_button("paintover.example_open")
    yield 1.5
    picture("unsaved")
    assert not bpy.data.filepath
    yield from window.press("Escape")
    yield 1.0
    assert not bpy.data.filepath and "Cube.001" in bpy.data.objects
    viewport = window.region("WINDOW")
    yield from window.move_to(viewport.x + 200, viewport.y + 200)
    yield from window.press_button("paintover.example_open")
    yield 1.5
    picture("opened before")
    yield from window.press("Return")
    yield 1.5
    yield from window.click(693, 470)  # Don't Save
    yield from window.wait_for(lambda: bpy.data.filepath.endswith("fox.blend"), 20, "the example")
    yield from window.wait_for(lambda: rows() == {11: "Painted"}, 30, "its keyframe")
    yield 6.0
    assert window.area().spaces.active.region_3d.view_perspective == "CAMERA"
    picture("example")


window.run(test, limit=380)
