# SPDX-License-Identifier: GPL-3.0-or-later
"""Which views of stereoscopy show the captured picture, which is from the camera itself."""

from __future__ import annotations

from typing import Any

from .engine.shared.shot import Shot


def rendered(scene: Any) -> list[str]:
    """Return the names of the views that Blender renders; none without stereoscopy."""
    return [view.name for view in _views(scene) if view.use]


def captured(scene: Any, shot: Shot | None = None) -> list[str]:
    """Return those of the rendered views that show what the camera itself sees.

    Args:
        scene: the scene.
        shot: names the captured cameras; else those of the scene are asked.
    """
    views = rendered(scene)
    cameras = _cameras(scene, shot) if views else []
    return [name for name in views if _all_seen(scene, cameras, name)]


def painted(scene: Any, shot: Shot) -> tuple[str, ...]:
    """Return the views that stylized frames belong into; none if they belong into all."""
    if shot.manifest.source.get("kind") == "pictures":
        return ()
    found = captured(scene, shot)
    return tuple(found) if found != rendered(scene) else ()


def obstacle(scene: Any, shot: Shot | None = None) -> str:
    """Return a sentence that says why no view shows the captured picture, or ""."""
    if shot is not None and shot.manifest.source.get("kind") == "pictures":
        return ""
    if not rendered(scene) or captured(scene, shot):
        return ""
    cameras = _cameras(scene, shot)
    off = [view.name for view in _views(scene) if _all_seen(scene, cameras, view.name)]
    if off:
        return (
            f'The view "{off[0]}", which shows the captured picture, is not rendered; switch it '
            "on under Stereoscopy in the output settings."
        )
    names = ", ".join(f'"{camera.name}"' for camera in cameras)
    if scene.render.views_format == "MULTIVIEW":
        remedy = "give a view the suffix of the camera's name"
    elif any(_is_spherical(scene, camera) for camera in cameras):
        remedy = "turn Spherical Stereo off in the camera's settings"
    else:
        remedy = "set Pivot to Left or Right under Stereoscopy in the camera's settings"
    return f"No view shows the picture of the camera {names}, which is captured; {remedy}."


def _views(scene: Any) -> list[Any]:
    render = scene.render
    if not render.use_multiview:
        return []
    return list(render.stereo_views if render.views_format == "STEREO_3D" else render.views)


def _cameras(scene: Any, shot: Shot | None) -> list[Any]:
    records = shot.manifest.frames.values() if shot else ()
    names = {record.camera.name for record in records if record.camera}
    if found := [item for item in scene.objects if item.name_full in names]:
        return found
    markers = [marker.camera for marker in scene.timeline_markers if marker.camera]
    return markers or [scene.camera] * (scene.camera is not None)


def _all_seen(scene: Any, cameras: list[Any], view: str) -> bool:
    """Return whether a view shows what the cameras themselves see."""
    if scene.render.views_format == "MULTIVIEW":
        return all(_camera_of(scene, camera, view) == camera for camera in cameras)
    return all(
        camera.type != "CAMERA"
        or (camera.data.stereo.pivot == view.upper() and not _is_spherical(scene, camera))
        for camera in cameras
    )


def _is_spherical(scene: Any, camera: Any) -> bool:
    """Return whether both eyes of a camera stand beside it, whatever its pivot is."""
    return bool(
        scene.render.use_spherical_stereo
        and camera.type == "CAMERA"
        and camera.data.type in {"PERSP", "PANO"}
        and camera.data.stereo.use_spherical_stereo
    )


def _camera_of(scene: Any, camera: Any, view: str) -> Any:
    """Return the camera that Blender takes for a view: the one with the view's suffix, if any."""
    views = scene.render.views
    ends = [item.camera_suffix for item in views if camera.name.endswith(item.camera_suffix)]
    if not ends:
        return camera
    name = camera.name.removesuffix(max(ends, key=len)) + views[view].camera_suffix
    return scene.objects.get(name, camera)
