# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the system libraries that bpy needs on Linux and that are missing."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

# library → package on Debian and Ubuntu, on Fedora, on Arch
PACKAGES = {
    "libX11.so.6": ("libx11-6", "libX11", "libx11"),
    "libXext.so.6": ("libxext6", "libXext", "libxext"),
    "libXrender.so.1": ("libxrender1", "libXrender", "libxrender"),
    "libXfixes.so.3": ("libxfixes3", "libXfixes", "libxfixes"),
    "libXi.so.6": ("libxi6", "libXi", "libxi"),
    "libXxf86vm.so.1": ("libxxf86vm1", "libXxf86vm", "libxxf86vm"),
    "libxcb.so.1": ("libxcb1", "libxcb", "libxcb"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    "libSM.so.6": ("libsm6", "libSM", "libsm"),
    "libICE.so.6": ("libice6", "libICE", "libice"),
    "libGL.so.1": ("libgl1", "libglvnd-glx", "libglvnd"),
    "libEGL.so.1": ("libegl1", "libglvnd-egl", "libglvnd"),
    "libEGL_mesa.so.0": ("libegl-mesa0", "mesa-libEGL", "mesa"),
    "swrast_dri.so": ("libgl1-mesa-dri", "mesa-dri-drivers", "mesa"),
    "libstdc++.so.6": ("libstdc++6", "libstdc++", "gcc-libs"),
    "libgomp.so.1": ("libgomp1", "libgomp", "gcc-libs"),
}
INSTALLERS = (
    ("apt-get", "apt-get install -y --no-install-recommends"),
    ("dnf", "dnf install -y"),
    ("pacman", "pacman -S --needed"),
)


def missing_libraries(bpy_folder: Path) -> list[str]:
    """Return the names of missing libraries that ``import bpy`` or EEVEE without a window needs.

    Args:
        bpy_folder: the folder ``site-packages/bpy``.
    """
    if not sys.platform.startswith("linux"):
        return []
    libraries = [path for path in bpy_folder.glob("__init__*.so") if path.is_file()]
    listed = subprocess.run(
        ["ldd", *map(str, libraries)], capture_output=True, text=True, check=False
    ).stdout
    missing = {line.split()[0] for line in listed.splitlines() if line.endswith("not found")}
    # EEVEE and Workbench load these at the first draw call, and crash without them.
    if not _loads("libEGL.so.1"):
        missing.add("libEGL.so.1")
    if not (_loads("libEGL_mesa.so.0") or _loads("libEGL_nvidia.so.0")):
        missing.add("libEGL_mesa.so.0")
    if not _loads("libEGL_nvidia.so.0") and not _has_mesa_driver():
        missing.add("swrast_dri.so")
    return sorted(missing)


def install_command(missing: list[str]) -> list[str]:
    """Return the command that installs these libraries, or [] if no package manager is known."""
    for column, (program, command) in enumerate(INSTALLERS):
        if shutil.which(program):
            packages = sorted({PACKAGES[name][column] for name in missing if name in PACKAGES})
            return [*command.split(), *packages] if packages else []
    return []


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_mesa_driver() -> bool:
    folders = [Path("/usr/lib"), Path("/usr/lib64"), *Path("/usr/lib").glob("*-linux-gnu*")]
    patterns = ("dri/*swrast_dri.so", "dri/libdril_dri.so", "libgallium-*.so")
    return any(any(folder.glob(pattern)) for folder in folders for pattern in patterns)
