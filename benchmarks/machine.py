# SPDX-License-Identifier: GPL-3.0-or-later
"""A description of the machine that a measurement ran on."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def describe_machine() -> dict[str, str]:
    """Return processor, cores, memory, system, load, and versions of Python and of packages."""
    described = {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else "?"),
        "memory": _memory(),
        "graphics": "NVIDIA" if Path("/dev/nvidia0").exists() else "none used",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
    if hasattr(os, "getloadavg"):
        described["load before"] = f"{os.getloadavg()[0]:.1f}"
    for package in ("bpy", "torch", "numpy"):
        with suppress(PackageNotFoundError):
            described[package] = version(package)
    return described


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "")
    extras = [name for name in ("avx512_bf16", "amx_bf16") if name in flags]
    return ", ".join([names[0] if names else platform.machine(), *extras])


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return "?"
    return f"{total / 2**30:.0f} GiB"
