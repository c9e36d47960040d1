# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's windows show a composed render as its file is, without the scene's view transform.

The node puts out a picture as it is to be seen. The files are saved with the plain view, and the
windows are told the same: the images Render Result and Viewer Node are not viewed as a render.
No node can undo the view transform instead: AgX, say, shows no pure red, so nothing that a node
puts out would look like that.
"""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..handlers import Handlers
from . import marks, status


def follow(scene: Any) -> None:
    """Let windows show renders as the files of a scene are: plainly, if it has the node.

    Args:
        scene: the one that is looked at, or rendered.
    """
    is_composed = status.node(scene) is not None
    images: Any = bpy.data.images
    for image in images:
        if image.source != "VIEWER" or image.library:
            continue
        if is_composed and image.use_view_as_render:
            image.use_view_as_render = False
            image[marks.WINDOW] = True
        elif not is_composed and marks.WINDOW in image:
            image.use_view_as_render = True
            del image[marks.WINDOW]


@persistent  # type: ignore[untyped-decorator]
def _before_render(scene: Any, *_: Any) -> None:
    follow(scene)  # here the image Render Result is there, the first time too


_HANDLERS = Handlers(render_init=_before_render)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    _HANDLERS.remove()
