# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender --python``: saves Blender's usual scene, with a shot and keyframes of it.

12 frames of 480×270; frames 1 and 5 are painted, 5 has a mask, 9 has a painting of another size, 1
has two earlier paintings. A painting lies in the folder ``drop``. Argument: the path of the .blend.
"""

import importlib
import sys
from pathlib import Path

import bpy
import numpy as np

WIDTH, HEIGHT = 480, 270


def part(name):
    return importlib.import_module(f"bl_ext.user_default.paintover.{name}")


def write(path, seed, width=WIDTH, height=HEIGHT):
    """Write checks in random colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = np.random.default_rng(seed).random((2, 3))
    rows, columns = np.mgrid[0:height, 0:width] // 30
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = colours[(rows + columns) % 2]
    image = bpy.data.images.new("write", width, height, alpha=True)
    image.pixels.foreach_set(pixels.ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


path = Path(sys.argv[sys.argv.index("--") + 1])
bpy.ops.wm.read_homefile(use_factory_startup=True)
scene = bpy.context.scene
scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
scene.frame_start, scene.frame_end = 1, 12
bpy.ops.wm.save_as_mainfile(filepath=str(path))
manifest = part("engine.shared.manifest")
folder = part("properties").shot_folder(scene)
shot = part("engine.shared.shot").Shot(folder, manifest.Manifest(WIDTH, HEIGHT, 1, 12))
for frame in range(1, 13):
    write(shot.image_path(frame), frame)
    digest = part("engine.shared.pictures.digests").digest_picture(shot.image_path(frame))
    shot.manifest.frames[frame] = manifest.FrameRecord(image=digest)
shot.save()
for frame in (1, 5):
    write(shot.key_path(frame), 50 + frame)
write(shot.key_path(9), 59, WIDTH // 2, HEIGHT // 2)
write(shot.key_mask_path(5), 60)
for day in (1, 2):
    write(folder / f"keys/versions/0001.2026010{day}-120000.png", 70 + day)
write(path.parent / "drop/fox_0007.png", 80)
