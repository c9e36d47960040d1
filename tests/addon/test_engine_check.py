# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine is checked before it is used, and told about without names."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import pytest
from conftest import USER_FOLDER
from setup_index import Setup, needs_uv

pytestmark = needs_uv


def test_a_check_mark_only_after_a_check(setup: Setup) -> None:
    kind = setup.status.Kind
    setup.part("engine_process.environment").preferences().engine_python = "/bin/ls"
    assert setup.status.look().kind is kind.UNCHECKED
    with pytest.raises(RuntimeError, match=r"/bin/ls cannot run the engine .*another Python"):
        bpy.ops.paintover.engine_check()
    assert setup.status.look().kind is kind.UNCHECKED
    assert "/bin/ls" in setup.status.failure()


def test_use_this_python_checks_it_first(setup: Setup, quick_check: list[str]) -> None:
    setup.install()
    python = setup.places.environment_python()
    other = python.with_name("python-of-mine")
    other.symlink_to(python.name)
    preferences = setup.part("engine_process.environment").preferences()
    with pytest.raises(RuntimeError, match="There is no Python"):
        bpy.ops.paintover.engine_check(python=str(python.with_name("none")))
    assert preferences.engine_python == ""
    bpy.ops.paintover.engine_check(python=str(other))
    assert preferences.engine_python == str(other)
    found = setup.status.look()
    assert found.kind is setup.status.Kind.READY and not found.is_own


def test_a_python_of_another_version_is_refused(setup: Setup, tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\necho 3.8\n")
    old.chmod(0o755)
    setup.fails(r"is Python 3\.8, but the engine needs 3\.11", python=str(old))


def test_diagnostics_have_no_names(setup: Setup, quick_check: list[str]) -> None:
    setup.install()
    bpy.ops.paintover.engine_diagnostics()
    text = setup.part("engine_setup.diagnostics").text()
    assert "Engine ready" in text and "torch 2.13.0+cpu" in text
    assert "Last lines of install.log" in text and "venv" in text
    for secret in (str(Path.home()), "a home é", str(USER_FOLDER), os.environ["HOME"]):
        assert secret not in text
    scrubbed = setup.part("engine_setup.diagnostics").scrubbed
    assert "secret" not in scrubbed("see /mnt/secret/job/frame.png")
    assert scrubbed(r"C:\Users\Anna Smith\paint\a.png is bad") == "…/a.png is bad"
    assert scrubbed("https://name:pass@proxy.test/x").startswith("https://proxy.test")


def test_a_blender_with_another_python_keeps_the_shared_engine(
    setup: Setup, quick_check: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.install()
    python = setup.record.installed().python
    other = next(version for version in setup.builds.PYTHONS if version != python)
    plan = setup.part("engine_setup.plan")
    monkeypatch.setattr(plan, "base_python", lambda: plan.Base(other, "/none"))
    assert setup.part("engine_process.environment").is_installed()
    asked = sum(map(len, setup.server.ranges.values()))
    bpy.ops.paintover.engine_repair()
    assert setup.record.installed().python == python
    assert sum(map(len, setup.server.ranges.values())) == asked
