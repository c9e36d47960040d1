# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that a sweep tries: for a shot, and those of the published search."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

from ..shared.style_header import COVERAGE, PROJECTION
from ..shared.training_settings import NETWORK_DEFAULTS, TrainingSettings, Value

SHOT, PAPER = "shot", "paper"
GUIDE = "guide_"
"""Prefix of the axes that switch a guide on or off."""
_ALWAYS = ("colour", COVERAGE, PROJECTION)
"""Guides that are never left out."""


class Suggests(Protocol):
    """The part of ``optuna.Trial`` that suggests values."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Return a whole number."""
        ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return a number."""
        ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of some values."""
        ...


class Fixed:
    """``Suggests`` the values of a trial again."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Return the value."""
        return int(self._values[name])

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return the value."""
        return float(self._values[name])

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return the value."""
        return self._values[name]


@dataclasses.dataclass(frozen=True)
class Axis:
    """The values that an axis may have: whole or other numbers of a range, or some choices."""

    low: float = 0.0
    high: float = 0.0
    is_whole: bool = False
    log: bool = False
    choices: tuple[Value, ...] = ()

    def allows(self, value: Value) -> bool:
        """Return whether it is one of the values."""
        if self.choices:
            return any(type(value) is type(one) and value == one for one in self.choices)
        kinds = (int,) if self.is_whole else (int, float)
        return type(value) in kinds and self.low <= float(value) <= self.high


class _Noted:
    """``Suggests`` the lowest values, and notes what it is asked for."""

    def __init__(self) -> None:
        self.axes: dict[str, Axis] = {}

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Return the lowest value."""
        self.axes[name] = Axis(low, high, is_whole=True, log=log)
        return low

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return the lowest value."""
        self.axes[name] = Axis(low, high, log=log)
        return low

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return the first value."""
        self.axes[name] = Axis(choices=tuple(choices))
        return choices[0]


@dataclasses.dataclass(frozen=True)
class Choice:
    """What a trial trains.

    Attributes:
        network: name of the network.
        guides: names of its guides, in channel order.
        settings: training settings that differ from the network's defaults.
    """

    network: str
    guides: list[str]
    settings: dict[str, Value]


def optional_guides(guides: Sequence[str]) -> list[str]:
    """Return the guides of a shot that may be left out."""
    return [name for name in guides if name not in _ALWAYS]


def suggest(space: str, trial: Suggests, guides: Sequence[str], *, has_motion: bool) -> Choice:
    """Ask a trial for the values of all axes.

    Args:
        space: ``shot`` or ``paper``.
        trial: suggests the values.
        guides: names of the guides that the shot can feed, in channel order.
        has_motion: whether the shot has exact motion, which the temporal loss needs.
    """
    if space == PAPER:
        return _published(trial, guides)
    settings: dict[str, Value] = {
        "blocks": trial.suggest_int("blocks", 1, 6),
        "patch": trial.suggest_int("patch", 24, 128, log=True),
        "batch": trial.suggest_int("batch", 2, 16, log=True),
        "rate": trial.suggest_float("rate", 5e-4, 8e-3, log=True),
        "gradients": trial.suggest_float("gradients", 0.0, 4.0),
        "strokes": trial.suggest_float("strokes", 0.0, 2.0),
        "adversarial": trial.suggest_float("adversarial", 0.0, 0.5),
        "muon": trial.suggest_categorical("muon", [True, False]),
    }
    if has_motion:
        settings["steady"] = trial.suggest_float("steady", 0.0, 1.0)
    network = trial.suggest_categorical("network", ["fast", "small"])
    optional = optional_guides(guides)
    left_out = {
        name for name in optional if not trial.suggest_categorical(GUIDE + name, [True, False])
    }
    return Choice(network, [name for name in guides if name not in left_out], settings)


def axes(space: str, guides: Sequence[str]) -> dict[str, Axis]:
    """Return all axes that ``suggest`` may ask for, by name."""
    noted = _Noted()
    suggest(space, noted, guides, has_motion=True)
    return noted.axes


def _published(trial: Suggests, guides: Sequence[str]) -> Choice:
    """The four axes of Texler et al., ACM TOG 39(4):73, 2020."""
    settings: dict[str, Value] = {
        "patch": trial.suggest_int("patch", 12, 188, log=True),
        "batch": trial.suggest_int("batch", 5, 1000, log=True),
        "blocks": trial.suggest_int("blocks", 1, 40, log=True),
        "rate": trial.suggest_float("rate", 0.0002, 0.0032, log=True),
    }
    return Choice("paper", list(guides), settings)


def starting_points(
    space: str, guides: Sequence[str], *, has_motion: bool
) -> list[dict[str, Value]]:
    """Return values of the axes to try first: the defaults, and variants that are often better."""
    if space == PAPER:
        published = NETWORK_DEFAULTS["paper"]
        return [{"blocks": 7, **{name: published[name] for name in ("patch", "batch", "rate")}}]
    usual = TrainingSettings()
    names = ["patch", "batch", "rate", "gradients", "strokes", "adversarial", "muon"]
    names += ["steady"] if has_motion else []
    default: dict[str, Value] = {name: getattr(usual, name) for name in names}
    default |= {"network": "fast", "blocks": 3}
    default |= {GUIDE + name: True for name in optional_guides(guides)}
    return [default, {**default, "adversarial": 0.5}, {**default, "network": "small", "blocks": 1}]
