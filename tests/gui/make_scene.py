# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender --python``: makes the small scene of the tests and saves it."""

import sys

import bpy

bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
scene = bpy.context.scene
scene.frame_start, scene.frame_end = 1, 3
scene.render.engine = "CYCLES"
scene.cycles.samples = 1
scene.cycles.use_denoising = False
scene.render.resolution_x, scene.render.resolution_y = 96, 64
scene.paintover.seconds = 3
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object
for frame in (1, 3):
    cube.rotation_euler.z = 0.2 * frame
    cube.keyframe_insert("rotation_euler", frame=frame)
bpy.ops.object.light_add(type="SUN", rotation=(0.6, 0.3, 0))
bpy.ops.object.camera_add(location=(4, -4, 3), rotation=(1.1, 0, 0.785))
scene.camera = bpy.context.object
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[sys.argv.index("--") + 1])
