# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of training that change the result, each described once.

A field of ``TrainingSettings`` holds a setting's default, help, limits and unit. The options of
``python -m engine train``, the checks of ``protocol.Train.settings``, the trainer and the record
in a style file all follow from these fields. To add a setting, add a field here and use it in the
module that trains.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from .errors import PaintoverError
from .names import one_line

Value = bool | int | float | str
MOST_BLOCKS = 40
"""Largest number of residual blocks of a network."""
FILTER_RADIUS = 15
"""Frames to each side that the temporal filter reads when it is switched on."""


def setting(
    default: Value,
    *,
    subject: str,
    help: str,
    limits: tuple[float, float] | None = None,
    unit: str = "",
    metavar: str | None = None,
    switched_on: int | None = None,
) -> Any:
    """Describe a field of ``TrainingSettings``.

    Args:
        default: the value for networks without an entry in ``NETWORK_DEFAULTS``. Its type (bool,
            int, float or str) is the type of the setting.
        subject: the setting as the subject of a sentence, such as ``patch size``.
        help: its help on the command line.
        limits: smallest and largest value of a number, both included.
        unit: the unit of the limits.
        metavar: the name of its value on the command line.
        switched_on: for a number that users only switch on or off: its value when it is on. Off
            is 0.
    """
    description = Description(subject, help, limits, unit, metavar, switched_on)
    return dataclasses.field(default=default, metadata={"description": description})


class Description(NamedTuple):
    """The description of a setting; for its fields see ``setting``."""

    subject: str
    help: str
    limits: tuple[float, float] | None
    unit: str
    metavar: str | None
    switched_on: int | None


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """Settings of training that change the result. The defaults suit ``fast`` and ``small``.

    ``blocks`` is 0 for as many as the network's size has; ``vgg`` is empty for no VGG loss.
    """

    patch: int = setting(
        64,
        subject="patch size",
        help="side of the patches",
        limits=(12, 512),
        unit="pixels",
        metavar="PIXELS",
    )
    batch: int = setting(
        8,
        subject="batch size",
        help="patches a step",
        limits=(1, 1000),
        unit="patches",
        metavar="N",
    )
    blocks: int = setting(
        0,
        subject="number of residual blocks",
        help="residual blocks of the network",
        limits=(1, MOST_BLOCKS),
        metavar="N",
    )
    rate: float = setting(
        2e-3,
        subject="learning rate",
        help="peak learning rate",
        limits=(1e-6, 0.1),
        metavar="X",
    )
    adversarial: float = setting(
        0.0,
        subject="weight of the adversarial loss",
        help="weight of the adversarial loss, 0 for none",
        limits=(0, 100),
        metavar="WEIGHT",
    )
    gradients: float = setting(
        2.0,
        subject="weight of the gradient loss",
        help="weight of the gradient loss (crisp edges), 0 for none",
        limits=(0, 100),
        metavar="WEIGHT",
    )
    steady: float = setting(
        0.25,
        subject="weight of the temporal loss",
        help="weight of the temporal loss (less flicker) in shots with exact motion, 0 for none",
        limits=(0, 100),
        metavar="WEIGHT",
    )
    strokes: float = setting(
        1.0,
        subject="weight of the stroke loss",
        help="weight of the stroke loss (brush marks on what was not painted), 0 for none; only in "
        "shots with a surface",
        limits=(0, 100),
        metavar="WEIGHT",
    )
    drawn: int = setting(
        3,
        subject="number of drawn frames",
        help="frames that are drawn from pieces of the paintings where these cannot be carried, at "
        "most; 0 for none",
        limits=(0, 8),
        metavar="N",
    )
    muon: bool = setting(
        True, subject="Muon optimizer", help="train the kernels with Muon, not with Adam"
    )
    vgg: str = setting(
        "",
        subject="VGG file",
        help="file with the weights of VGG-16 or VGG-19, for a VGG loss",
        metavar="FILE",
    )
    filter: int = setting(
        0,
        subject="radius of the temporal filter",
        help="filter the frames over time, along the motion, before the network sees them",
        limits=(0, 100),
        unit="frames",
        switched_on=FILTER_RADIUS,
    )


NETWORK_DEFAULTS: dict[str, dict[str, Value]] = {
    "paper": {
        "patch": 36,
        "batch": 40,
        "rate": 3e-4,
        "adversarial": 0.5,
        "gradients": 0.0,
        "steady": 0.0,
        "strokes": 0.0,
        "drawn": 0,
        "muon": False,
        "filter": FILTER_RADIUS,
    }
}
"""Defaults of single networks that differ from those of ``TrainingSettings``.

``paper``: the published ones (Texler et al., ACM TOG 39(4):73, 2020), the best of about 200,000
combinations that the authors tried.
"""

DESCRIPTIONS: dict[str, Description] = {
    field.name: field.metadata["description"] for field in dataclasses.fields(TrainingSettings)
}
TYPES: dict[str, type] = {
    field.name: type(field.default) for field in dataclasses.fields(TrainingSettings)
}
_TYPE_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def check_types(values: Mapping[str, Any]) -> None:
    """Check names and types of settings.

    Raises:
        PaintoverError: there is no setting of such a name, or its value has another type.
    """
    for name, value in values.items():
        if name not in TYPES:
            raise PaintoverError(
                f'There is no setting "{one_line(name)[:80]}"; there are {", ".join(TYPES)}.'
            )
        kinds = {TYPES[name]}
        if TYPES[name] is float:
            kinds.add(int)
        if is_switch(name):
            kinds.add(bool)
        if type(value) not in kinds:
            expected = _TYPE_NAMES[bool if is_switch(name) else TYPES[name]]
            raise PaintoverError(f'The setting "{name}" must be {expected}, not {value!r:.80}.')


def is_switch(name: str) -> bool:
    """Return whether users only switch a setting on or off."""
    return TYPES[name] is bool or DESCRIPTIONS[name].switched_on is not None


def override(settings: TrainingSettings, values: Mapping[str, Any]) -> TrainingSettings:
    """Return settings with some values replaced.

    Args:
        settings: the settings.
        values: name → value; True and False also stand for the two values of a switch.

    Raises:
        PaintoverError: a name, a type or a value is not allowed.
    """
    check_types(values)
    changes: dict[str, Any] = {}
    for name, value in values.items():
        on = DESCRIPTIONS[name].switched_on
        if on is not None and isinstance(value, bool):
            changes[name] = on if value else 0
        else:
            changes[name] = TYPES[name](value)
        _check_limits(name, changes[name])
    return dataclasses.replace(settings, **changes)


def _check_limits(name: str, value: Any) -> None:
    description = DESCRIPTIONS[name]
    if description.limits is None:
        return
    low, high = description.limits
    if not low <= value <= high:
        unit = f" {description.unit}" if description.unit else ""
        raise PaintoverError(
            f"The {description.subject} must be {low:g} to {high:g}{unit}, not {value:g}."
        )
