# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender --python``: makes the small scene of the tests and saves it.

Arguments: the path of the .blend; then, if not 96, 64 and 3, width, height and frames; then, if
not 0.4, how far the cube turns, in radians.
"""

import sys

import bpy

bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
scene = bpy.context.scene
path, *numbers = sys.argv[sys.argv.index("--") + 1 :]
width, height, frames = map(int, numbers[:3] or (96, 64, 3))
turned = float(numbers[3]) if numbers[3:] else 0.4
scene.frame_start, scene.frame_end = 1, frames
scene.render.engine = "CYCLES"
scene.cycles.samples = 1
scene.cycles.use_denoising = False
scene.render.resolution_x, scene.render.resolution_y = width, height
scene.paintover.seconds = 3
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object
for frame, turn in ((1, 0.2), (frames, 0.2 + turned)):
    cube.rotation_euler.z = turn
    cube.keyframe_insert("rotation_euler", frame=frame)
bpy.ops.object.light_add(type="SUN", rotation=(0.6, 0.3, 0))
bpy.ops.object.camera_add(location=(4, -4, 3), rotation=(1.1, 0, 0.785))
scene.camera = bpy.context.object
bpy.ops.wm.save_as_mainfile(filepath=path)
