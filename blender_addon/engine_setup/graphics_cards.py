# SPDX-License-Identifier: GPL-3.0-or-later
"""The graphics cards of this machine, and which build of the engine suits them.

Asked of the system, without any library: this must be known before anything is installed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import subprocess
import sys
import threading
from pathlib import Path

from . import builds

_SECONDS = 10
_CUDA_13 = 580
_CUDA_12 = 525
_NEWEST_ONLY = 7.5
"""Compute capability from which CUDA 13 supports a card (Turing, 2018)."""
_VENDORS = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}


@dataclasses.dataclass(frozen=True)
class Card:
    """A graphics card: ``driver`` is "" and ``capability`` 0 where they are unknown."""

    vendor: str
    name: str
    driver: str = ""
    capability: float = 0.0


@dataclasses.dataclass(frozen=True)
class Advice:
    """The build that suits this machine, and why in a sentence."""

    build: builds.Build
    why: str


@dataclasses.dataclass
class _Search:
    thread: threading.Thread | None = None
    found: list[Card] | None = None


_search = _Search()


def cards(*, wait: bool = False) -> list[Card] | None:
    """Return the graphics cards; None while the system is still being asked.

    Args:
        wait: wait for the answer, at most ``2 * _SECONDS``.
    """
    if _search.thread is None:
        _search.thread = threading.Thread(target=_look, daemon=True)
        _search.thread.start()
        _search.thread.join(0.05)
    if wait:
        _search.thread.join(2 * _SECONDS)
    return _search.found


def _look() -> None:
    found: list[Card] = []
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        found = nvidia_cards(_output("nvidia-smi", *_NVIDIA_QUESTION))
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        if sys.platform == "win32":
            names = _output("powershell", "-NoProfile", "-Command", _WINDOWS_QUESTION)
            found += windows_cards(names, has_nvidia=bool(found))
        elif sys.platform == "linux":
            found += linux_cards(Path("/"), has_nvidia=bool(found))
    _search.found = found


_NVIDIA_QUESTION = ("--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader")
_WINDOWS_QUESTION = (
    "Get-CimInstance Win32_VideoController | ForEach-Object { $_.Name + '|' + $_.DriverVersion }"
)


def _output(*command: str) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        check=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    return done.stdout


def nvidia_cards(text: str) -> list[Card]:
    """Return the cards in the output of ``nvidia-smi``."""
    found = []
    for line in text.splitlines():
        name, driver, capability = [*map(str.strip, line.split(",")), "", ""][:3]
        if name:
            found.append(Card("NVIDIA", name, driver, _first_number(capability)))
    return found


def windows_cards(text: str, *, has_nvidia: bool) -> list[Card]:
    """Return the cards in the list of Windows, those of NVIDIA only if ``has_nvidia`` is false."""
    found = []
    for line in text.splitlines():
        name, _, driver = line.strip().partition("|")
        vendor = next((v for v in ("NVIDIA", "AMD", "Intel") if v.lower() in name.lower()), "")
        if "radeon" in name.lower():
            vendor = "AMD"
        if vendor and not (vendor == "NVIDIA" and has_nvidia):
            # Windows writes NVIDIA's 572.16 as 32.0.15.7216.
            digits = driver.replace(".", "")[-5:]
            is_own = vendor == "NVIDIA" and len(digits) == 5
            found.append(Card(vendor, name, f"{digits[:3]}.{digits[3:]}" if is_own else driver))
    return found


def linux_cards(root: Path, *, has_nvidia: bool) -> list[Card]:
    """Return the cards that the kernel tells of, in ``/proc`` and ``/sys`` below ``root``."""
    found = []
    if not has_nvidia:
        version = root / "proc/driver/nvidia/version"
        driver = re.search(r"\s(\d{3,}\.\d+[.\d]*)\s", _text(version))
        if driver:
            found.append(Card("NVIDIA", "NVIDIA card", driver[1]))
    for device in sorted(root.glob("sys/class/drm/card*/device")):
        vendor = _VENDORS.get(_text(device / "vendor").strip(), "")
        driver_name = (device / "driver").resolve().name
        if vendor == "AMD" and (root / "dev/kfd").exists():
            found.append(Card("AMD", "AMD card", driver_name))
        elif vendor == "Intel" and driver_name == "xe":
            found.append(Card("Intel", "Intel card", driver_name))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _first_number(text: str) -> float:
    found = re.search(r"\d+(\.\d+)?", text)
    return float(found[0]) if found else 0.0


def advise(found: list[Card]) -> Advice | None:
    """Return the build that suits these cards on this platform, None if there is no build."""
    usual = builds.of_backend("metal") or builds.of_backend("cpu")
    if usual is None:
        return None
    why = "" if usual.backend == "metal" else "No graphics card was found that the engine can use."
    for card in found:
        backend, reason = _suiting(card)
        build = builds.of_backend(backend) if backend else None
        if build is not None:
            return Advice(build, reason)
        if reason:
            why = reason
    return Advice(usual, why)


def _suiting(card: Card) -> tuple[str, str]:
    """Return the backend for a card and why; the backend is "" where there is none."""
    name = card.name if card.vendor in card.name else f"{card.vendor} {card.name}"
    if card.vendor == "NVIDIA":
        return _suiting_nvidia(card, name)
    if card.vendor == "AMD":
        if sys.platform == "win32":
            return "", "PyTorch has no build for AMD cards on Windows."
        return "rocm7.2", f"For the {name}."
    if card.vendor == "Intel" and ("arc" in card.name.lower() or card.driver == "xe"):
        return "xpu", f"For the {name}."
    return "", ""


def _suiting_nvidia(card: Card, name: str) -> tuple[str, str]:
    driver = _first_number(card.driver)
    is_old_card = 0 < card.capability < _NEWEST_ONLY
    if driver >= _CUDA_13 and not is_old_card:
        return "cu130", f"For the {name}."
    if driver >= _CUDA_12:
        return "cu126", f"For the {name} with its driver {card.driver}."
    return "", f"The driver {card.driver} of the {name} is too old; update it to use the card."


def alternatives(build: builds.Build) -> list[builds.Build]:
    """Return what to try where the check of a build's graphics card failed, the best first."""
    order = {"cu130": ("cu126", "cpu")}.get(build.backend, ("cpu",))
    return [found for backend in order if (found := builds.of_backend(backend))]
