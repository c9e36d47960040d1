# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed live session leaves is gone after the next one; a second one changes nothing."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from benchmarks.faults.checks import leftovers, torn_files
from benchmarks.faults.counts import contents
from benchmarks.faults.subjects import make_shot
from engine.app.terminal import Terminal
from engine.app.verbs.live import watch
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.training.training_claim import TrainingClaim


def _session(shot: Path, seconds: float) -> str:
    """Run a session, and return what it wrote to the standard error."""
    errors = io.StringIO()
    terminal = Terminal("none", out=io.StringIO(), err=errors)
    with contextlib.suppress(Cancelled):
        watch(
            shot,
            terminal,
            style="ink",
            frame=2,
            output=None,
            seconds=seconds,
            device="cpu",
            share=1.0,
            seed=0,
        )
    return errors.getvalue()


def test_what_a_killed_session_leaves_is_gone_after_the_next(tmp_path):
    shot = make_shot(tmp_path / "shot").folder
    left = [shot / "live/.0002.0123456789abcdef.tmp.raw", shot / "keys/.0001.0123456789abcdef.tmp"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    painted = contents(shot / "keys")
    _session(shot, 0.5)
    assert leftovers(shot) == []
    assert torn_files(shot) == []
    assert contents(shot / "keys").items() <= painted.items()


def test_a_session_on_a_style_that_is_trained_is_refused_or_waits(tmp_path):
    shot = make_shot(tmp_path / "shot").folder
    with TrainingClaim(Shot.open(shot), "ink", Silent()):
        before = contents(shot)
        with pytest.raises(PaintoverError, match="ink"):
            _session(shot, 0.5)
        assert contents(shot) == before
