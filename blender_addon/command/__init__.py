# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender -b FILE.blend --command paintover STEP``: runs the steps without a window.

Exit codes: 0 done, 1 failed (one sentence on the standard error), 2 wrong usage, 130 cancelled.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import signal
from collections.abc import Iterator
from typing import Any

import bpy

from .. import jobs, properties, shot_folders
from ..engine.shared import caches
from ..engine.shared.errors import Cancelled, PaintoverError
from ..engine.shared.frame_lists import keep_negative
from ..engine_process import environment as engine_python
from . import engine_verbs
from .options import build_parser, set_painted_part
from .printing import keep_streams, say, warn

DONE, FAILED, USAGE, CANCELLED = 0, 1, 2, 130


def main(argv: list[str]) -> int:
    """Run one step on the loaded .blend and return the exit code.

    Args:
        argv: the arguments after ``--command paintover``.
    """
    keep_streams()
    is_for_engine = bool(argv) and argv[0] in engine_verbs.VERBS
    return _run_for_engine(argv) if is_for_engine else _run_step(argv)


def _run_step(argv: list[str]) -> int:
    try:
        options = build_parser().parse_args(keep_negative(argv))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    try:
        _set_surroundings(options)
        scene = _scene(options.scene)
        if options.folder:
            properties.of(scene).folder = options.folder
        if options.style:
            properties.of(scene).style = options.style
        if options.step not in ("shot", "status"):
            shot_folders.tell_owner(scene, warn)
        set_painted_part(scene, options)
        with _cancel_on_signals():
            options.run(scene, options)
        if options.save or options.step == "shot":
            _save()
    except (Cancelled, KeyboardInterrupt):
        again = "Run it again to continue."
        if options.step == "train":
            again = "If a step was taken, running it again with --resume continues."
        warn(f"Cancelled; finished files stay. {again}")
        return CANCELLED
    except PaintoverError as error:
        _tell_failure(error)
        return FAILED
    return DONE


def _run_for_engine(argv: list[str]) -> int:
    try:
        with _cancel_on_signals():
            engine_verbs.run(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    except (Cancelled, KeyboardInterrupt):
        warn("Cancelled; what is downloaded stays. Run it again to continue.")
        return CANCELLED
    except PaintoverError as error:
        warn(str(error))
        return FAILED
    return DONE


def _set_surroundings(options: argparse.Namespace) -> None:
    """Use the engine's Python, the folder for caches, and the kind of progress that are given."""
    if options.cache:
        os.environ[caches.VARIABLE] = options.cache
    engine_python.use(options.python)
    jobs.printing.for_farm = options.progress == "openjd"


def _tell_failure(error: PaintoverError) -> None:
    if jobs.printing.for_farm:
        say(f"openjd_fail: {error}")
    warn(str(error))


def _scene(name: str) -> bpy.types.Scene:
    if not name:
        scene = bpy.context.scene
        assert scene is not None
        return scene
    # A linked scene may have the name of a local one; its full name has the library's too.
    for scene in sorted(bpy.data.scenes, key=lambda scene: scene.library is not None):
        if name in (scene.name, scene.name_full):
            return scene
    names = ", ".join(scene.name_full for scene in bpy.data.scenes)
    raise PaintoverError(f'There is no scene "{name}"; the .blend has {names}.')


@contextlib.contextmanager
def _cancel_on_signals() -> Iterator[None]:
    """Cancel the step on Ctrl+C and on SIGTERM, which render farms send."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, lambda *_: jobs.request_cancel())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _save() -> None:
    if not bpy.data.filepath:
        raise PaintoverError("The .blend has no file yet; save it in Blender first.")
    bpy.ops.wm.save_mainfile()


@dataclasses.dataclass
class _Registered:
    """Blender's handle of the command, needed to unregister it."""

    handle: Any = None


_registered = _Registered()


def register() -> None:
    _registered.handle = bpy.utils.register_cli_command("paintover", main)


def unregister() -> None:
    bpy.utils.unregister_cli_command(_registered.handle)
