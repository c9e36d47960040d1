# SPDX-License-Identifier: GPL-3.0-or-later
"""The shots, one module each. This module describes them without Blender; the others need bpy.

Each module has ``build(scene, frames)``, which fills an empty scene. The movement is spread over
all frames, so a shorter shot moves faster.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Facts:
    """Facts about a shot for the styles and the table.

    Attributes:
        about: the purpose of the shot.
        strokes: factor for the surface coordinates that styles draw in, so that strokes have about
            the same size on the screen in every shot.
        uses: other shots whose modules it uses.
    """

    about: str
    strokes: float = 1.0
    uses: tuple[str, ...] = ()


SHOTS: dict[str, Facts] = {
    "head": Facts("a head that turns by 60°, over nothing"),
    "room": Facts("a moving camera past still things and a rolling ball"),
    "walker": Facts("a character deformed by an armature and shape keys, and a following camera"),
    "turnaround": Facts("a character that turns its back, over nothing", uses=("walker",)),
    "crowd": Facts("many small things, most of them instances, that hop", 0.6),
    "branches": Facts("thin structures that sway: twigs, leaves and grass, over nothing"),
    "sunset": Facts("a still life from noon to sunset, turning slowly"),
    "figure": Facts("a small head that crosses an empty frame, for measuring speed"),
}
"""Name of the module → facts."""
