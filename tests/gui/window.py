# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives a real Blender window from inside, with real mouse and keyboard input.

A script for ``blender --python`` writes a generator and hands it to ``run``. Every ``yield`` lets
Blender's main loop turn, and a yielded number waits that many seconds. Blender ends with 0 when
the generator ends, 1 when it raises, 3 when the time is over.

Blender's window coordinates have y from the bottom; those of X have it from the top.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

import bpy

Steps = Generator[float | None, None, Any]
_TO_THE_END = 15
"""Turns of the wheel from one end of the sidebar to the other."""
FAILURE_PICTURE = "PAINTOVER_FAILURE_PNG"
_waited_for = "nothing"
clicks: list[tuple[int, int]] = []
"""Where the left button was pressed so far."""


class Button(NamedTuple):
    """A button under the pointer: its operator call or data path, and its middle in the window."""

    what: str
    x: int
    y: int


class _Pointer(bpy.types.Operator):
    """Tells where Blender has seen the pointer last."""

    bl_idname = "wm.paintover_test_pointer"
    bl_label = "Pointer"
    seen = (-1, -1)

    def invoke(self, context: Any, event: Any) -> set[str]:
        _Pointer.seen = event.mouse_x, event.mouse_y
        return {"FINISHED"}


def run(script: Callable[[], Steps], limit: float = 300.0) -> None:
    """Run the generator in Blender's main loop and end Blender with it."""
    preferences = bpy.context.preferences
    preferences.view.show_splash = False
    # Otherwise Blender moves the pointer itself while a slider is dragged.
    preferences.inputs.use_mouse_continuous = False
    preferences.use_preferences_save = False
    bpy.utils.register_class(_Pointer)
    steps = script()
    began = time.monotonic()
    wake = 0.0

    def turn() -> float:
        nonlocal wake
        now = time.monotonic()
        if now > began + limit:
            print(f"window: the time is over; waited last for {_waited_for}", flush=True)
            _show_failure()
            _end(3)
        if now < wake:
            return 0.02
        try:
            wake = now + (next(steps) or 0.0)
        except StopIteration:
            _end(0)
        except BaseException:
            traceback.print_exc()
            _show_failure()
            _end(1)
        return 0.01

    bpy.app.timers.register(turn, first_interval=0.05, persistent=True)


def _show_failure() -> None:
    if picture := os.environ.get(FAILURE_PICTURE):
        screenshot(picture)


def _end(status: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    # wm.quit_blender() can lose the exit status.
    os._exit(status)


def window() -> Any:
    """Return Blender's first window."""
    return bpy.context.window_manager.windows[0]


def area(kind: str = "VIEW_3D") -> Any:
    """Return the first area of a kind."""
    return next(found for found in window().screen.areas if found.type == kind)


def region(kind: str = "UI", where: Any = None) -> Any:
    """Return a region of an area, the sidebar of the 3D viewport by default."""
    return next(found for found in (where or area()).regions if found.type == kind)


def ready() -> Steps:
    """Wait until the viewport was drawn: the first frame compiles shaders for seconds."""
    drawn = 0

    def count() -> None:
        nonlocal drawn
        drawn += 1

    bpy.types.SpaceView3D.draw_handler_add(count, (), "WINDOW", "POST_PIXEL")
    while drawn < 2:
        yield from settle(1)


def settle(turns: int = 2) -> Steps:
    """Redraw everything a few times."""
    for _ in range(turns):
        for found in window().screen.areas:
            found.tag_redraw()
        yield 0.05


def sidebar(tab: str) -> Steps:
    """Open the sidebar of the 3D viewport at a tab."""
    where = area()
    where.spaces.active.show_region_ui = True
    yield from settle()
    # Read-only until the sidebar was drawn once with its tabs.
    region("UI", where).active_panel_category = tab
    yield from settle()
    assert region("UI", where).active_panel_category == tab


def screenshot(path: str) -> None:
    """Save what the X server shows (Blender's own screenshots are black under llvmpipe)."""
    subprocess.run(["import", "-window", "root", path], check=True)


def wait_for(condition: Callable[[], object], limit: float, what: str) -> Steps:
    """Wait until the condition holds. Raises TimeoutError."""
    global _waited_for
    _waited_for, began = what, time.monotonic()
    while not condition():
        if time.monotonic() > began + limit:
            raise TimeoutError(f"waited {limit:.0f} s for {what}")
        yield 0.05


def click(x: int, y: int) -> Steps:
    """Move the pointer to a place in the window and press the left button."""
    yield from move_to(x, y)
    yield from _press_here(x, y)


def _press_here(x: int, y: int) -> Steps:
    clicks.append((x, y))
    _xdotool("mousedown", 1)
    yield 0.08
    _xdotool("mouseup", 1)
    yield 0.2


def drag(start: tuple[int, int], end: tuple[int, int], moves: int = 8) -> Steps:
    """Press the left button at a place in the window, move to another, and let go."""
    clicks.append(start)
    _xdotool("mousemove", *_in_x(*start))
    yield 0.1
    _xdotool("mousedown", 1)
    for move in range(1, moves + 1):
        yield 0.05
        place = [a + (b - a) * move // moves for a, b in zip(start, end, strict=True)]
        _xdotool("mousemove", *_in_x(*place))
    yield 0.05
    _xdotool("mouseup", 1)
    yield 0.2


def start_drag(
    places: Sequence[tuple[int, int]], seconds: float, button: int
) -> subprocess.Popen[bytes]:
    """Begin to drag with a button from place to place in the window, while Blender goes on.

    Args:
        places: where the pointer goes; the button is pressed at the first.
        seconds: from place to place.
        button: of the mouse; ``let_go`` releases it.
    """
    words: list[object] = ["mousemove", *_in_x(*places[0]), "mousedown", button]
    for place in places[1:]:
        words += ["sleep", seconds, "mousemove", *_in_x(*place)]
    return subprocess.Popen(["xdotool", *map(str, words)])


def let_go(button: int) -> None:
    """Release a button of the mouse."""
    _xdotool("mouseup", button)


def move_to(x: int, y: int) -> Steps:
    """Move the pointer to a place in the window: keys go to the area there."""
    # Two motions, so that Blender sees one within a button.
    yield from _hover(x - 2, y)
    yield from _hover(x, y)
    yield 0.05


def _hover(x: int, y: int) -> Steps:
    """Move the pointer, and wait until Blender has seen it there, which it does late if busy."""
    _xdotool("mousemove", *_in_x(x, y))
    for _ in range(100):
        yield 0.02
        with bpy.context.temp_override(window=window()):
            bpy.ops.wm.paintover_test_pointer("INVOKE_DEFAULT")
        if _Pointer.seen == (x, y):
            return


def press(name: str) -> Steps:
    """Press a key or chord in X's names: ``Return``, ``Escape``, ``ctrl+z``."""
    _xdotool("key", name)
    yield 0.15


def buttons(
    across: float = 0.45, step: int = 8, until: str = ""
) -> Generator[float | None, None, list[Button]]:
    """Hover down the sidebar and return the buttons that are met, from the top.

    Args:
        across: where between the sidebar's left (0) and right (1) edge.
        step: pixels from hover to hover.
        until: name of the button after which no other is looked for; "": none.
    """
    where = region("UI")
    x = where.x + int(where.width * across)
    met: list[tuple[str, int, int]] = []
    last = ""
    for y in range(where.y + where.height - 3, where.y, -step):
        yield from _hover(x, y)
        what = _hovered()
        if what and what == last:
            met[-1] = (what, met[-1][1], y)
        elif what:
            met.append((what, y, y))
        if until and last != what and _is(last, until):
            break
        last = what
    return [Button(what, x, (top + bottom) // 2) for what, top, bottom in met]


def _is(what: str, name: str) -> bool:
    return what.startswith(f"bpy.ops.{name}(") or what.endswith(f".{name}")


def find(met: list[Button], name: str) -> Button:
    """Return the button of an operator (``paintover.train``) or of a property."""
    for button in met:
        if _is(button.what, name):
            return button
    raise LookupError(f"no button {name}; met {[button.what for button in met]}")


def press_button(name: str) -> Steps:
    """Find a button in the sidebar and click it."""
    met = yield from buttons(until=name)
    is_below = not any(_is(button.what, name) for button in met)
    if is_below:
        yield from scroll(_TO_THE_END)
        met = yield from buttons(until=name)
    yield from _press_found(find(met, name), name)
    if is_below:
        yield from scroll(-_TO_THE_END)


def press_button_at(name: str, across: float) -> Steps:
    """Click a button that is not in the middle of the sidebar; see ``buttons``."""
    met = yield from buttons(across, until=name)
    yield from _press_found(find(met, name), name, across)


def _press_found(button: Button, name: str, across: float = 0.45) -> Steps:
    """Press a button that was found. It is looked for again where the panel has changed since."""
    for _ in range(3):
        yield from move_to(button.x, button.y)
        if _is(_hovered(), name):
            yield from _press_here(button.x, button.y)
            return
        button = find((yield from buttons(across, until=name)), name)
    raise LookupError(f"the button {name} does not stay where it is")


def scroll(turns: int) -> Steps:
    """Turn the wheel over the sidebar: down, or up if ``turns`` is negative."""
    where = region("UI")
    yield from move_to(where.x + where.width // 2, where.y + where.height // 2)
    for _ in range(abs(turns)):
        _xdotool("click", 5 if turns > 0 else 4)
        yield 0.05
    yield from settle()


def _hovered() -> str:
    manager = bpy.context.window_manager
    place = {"window": window(), "screen": window().screen, "area": area(), "region": region("UI")}
    with bpy.context.temp_override(**place):
        for copy, options in (
            (bpy.ops.ui.copy_python_command_button, {}),
            (bpy.ops.ui.copy_data_path_button, {"full_path": True}),
        ):
            manager.clipboard = ""
            if copy.poll():
                copy(**options)
            if manager.clipboard:
                return str(manager.clipboard)
    return ""


def _in_x(x: int, y: int) -> tuple[int, int]:
    return int(window().x + x), _screen_height() - int(window().y + y) - 1


@functools.cache
def _screen_height() -> int:
    size = subprocess.run(
        ["xdotool", "getdisplaygeometry"], check=True, capture_output=True, text=True
    )
    return int(size.stdout.split()[1])


def _xdotool(*arguments: str | int) -> None:
    subprocess.run(["xdotool", *map(str, arguments)], check=True)
