# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of a sweep: as data, as a table, as Markdown, and as Optuna's own plots."""

from __future__ import annotations

import dataclasses
import io
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from ..shared.files import write_bytes
from ..shared.frame_lists import counted
from ..shared.names import one_line
from .record import SweepRecord
from .study import SweepStudy, state_in_words

JSON, MARKDOWN, HISTORY, AXES = "results.json", "results.md", "history.png", "axes.png"
SHOWN = 10
"""Rows of the table."""
LEAST_TO_COMPARE = 6
"""Finished trials from which the importance of the axes is estimated."""
_FIGURES = {"held_out": "held-out", "strokes": "strokes", "flicker": "flicker", "steps": "steps"}
_PLOTTED = 4
"""Axes that are plotted, the most important ones."""
_DOTS = 110


@dataclasses.dataclass(frozen=True)
class Results:
    """The results of a sweep so far.

    Attributes:
        data: as written to ``results.json``.
        folder: of the sweep.
    """

    data: dict[str, Any]
    folder: Path

    def table(self) -> str:
        """Return the best trials as text."""
        rows = _rows(self.data, None, SHOWN)
        if not rows:
            return "No trial is finished yet."
        last = len(rows[0]) - 2
        widths = [max(len(row[column]) for row in rows) for column in range(last)]
        lines = []
        for row in rows:
            figures = "  ".join(map(str.rjust, row[:last], widths))
            state = "" if row[-1] in ("state", "done") else f" ({row[-1]})"
            lines.append(f"{figures}  {row[last]}{state}")
        return "\n".join(map(one_line, [*lines, "", *_sentences(self.data)]))

    def markdown(self) -> str:
        """Return the results as Markdown."""
        data = self.data
        lines = [f"# Sweep {data['sweep']}", "", *_sentences(data), ""]
        axes = list({axis: None for one in data["trials"] for axis in one["values"]})
        for number, row in enumerate(_rows(data, axes, len(data["trials"]))):
            lines.append("| " + " | ".join(row) + " |")
            if not number:
                lines.append("|" + "---|" * len(row))
        if data["importance"]:
            lines += ["", "How much of the difference each axis explains (PED-ANOVA):", ""]
            lines += [f"- {name}: {share:.0%}" for name, share in data["importance"].items()]
        lines += ["", f"![Scores over the trials]({HISTORY})", "", f"![Scores along axes]({AXES})"]
        return "\n".join(lines) + "\n"

    def write(self, study: SweepStudy) -> list[str]:
        """Write data, Markdown and plots into the sweep's folder; return the plots' names.

        Raises:
            PaintoverError: a file cannot be written.
        """
        write_bytes(self.folder / JSON, (json.dumps(self.data, indent=1) + "\n").encode())
        write_bytes(self.folder / MARKDOWN, self.markdown().encode())
        return _write_plots(self.folder, study, list(self.data["importance"]))


def results(
    name: str, folder: Path, record: SweepRecord, study: SweepStudy, compared: str, style: str
) -> Results:
    """Return the results of a sweep so far.

    Args:
        name: of the sweep.
        folder: of the sweep.
        record: what its trials have in common.
        study: its trials.
        compared: in words, what paint the trials were compared with.
        style: path of the style, "" before it is trained.
    """
    trials = [one for one in study.trials() if one.state is not TrialState.WAITING]
    best = study.best()
    return Results(
        {
            "sweep": name,
            "space": record.space,
            "trial": record.trial_in_words,
            "compared_with": compared,
            "keyframes": sorted(record.paintings),
            "best": None if best is None else best.number,
            "style": style,
            "importance": _importance(study, trials),
            "trials": [_trial(one) for one in trials],
        },
        folder,
    )


def _trial(trial: FrozenTrial) -> dict[str, Any]:
    scores = trial.user_attrs.get("scores", {})
    return {
        "number": trial.number,
        "state": state_in_words(trial),
        "score": trial.value if trial.state is TrialState.COMPLETE else None,
        **{name: scores.get(name) for name in ("held_out", "strokes", "flicker")},
        "steps": trial.user_attrs.get("steps"),
        "seconds": trial.user_attrs.get("seconds"),
        "values": dict(trial.params),
    }


def _importance(study: SweepStudy, trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Return the share of each axis, most important first; empty where too little is known."""
    done = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    if len(done) < LEAST_TO_COMPARE:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        found = optuna.importance.get_param_importances(study.optuna, evaluator=evaluator)
    return {name: round(share, 4) for name, share in found.items()}


def _ranked(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the trials, the best first, those without a score last."""
    return sorted(
        data["trials"], key=lambda one: (one["score"] is None, one["score"] or 0.0, one["number"])
    )


def _rows(data: dict[str, Any], axes: Sequence[str] | None, most: int) -> list[list[str]]:
    """Return the rows of the table, best trials first, the heading before them.

    Args:
        data: the results.
        axes: a column for each; None: one column for what differs from trial 0.
        most: rows at most.
    """
    ranked = _ranked(data)[:most]
    if not ranked:
        return []
    usual: dict[str, Any] = {}
    for one in data["trials"]:
        usual = one["values"] if one["number"] == 0 else usual
    rows = [["trial", "score", *_FIGURES.values(), *(axes or ["settings"]), "state"]]
    for one in ranked:
        values = one["values"]
        if axes:
            columns = [_short(values.get(axis)) for axis in axes]
        else:
            other = [f"{k} {_short(v)}" for k, v in values.items() if usual.get(k) != v]
            columns = [", ".join(other) or "the usual ones"]
        figures = [_short(one[name]) for name in ("score", *_FIGURES)]
        rows.append([str(one["number"]), *figures, *columns, one["state"]])
    return rows


def _short(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _sentences(data: dict[str, Any]) -> list[str]:
    """Return what the sweep found, in sentences."""
    trials, best = data["trials"], data["best"]
    done = sum(one["score"] is not None for one in trials)
    found = [
        f"{counted(len(trials), 'trial')}, {done} of them to the end, each {data['trial']}; "
        f"compared with {data['compared_with']}. Scores are in 8-bit codes, lower is better: "
        "held-out paint + 2 × strokes + flicker."
    ]
    scores = {one["number"]: one["score"] for one in trials}
    if best is not None and scores.get(0):
        share = 1 - scores[best] / scores[0]
        gain = "no better" if best == 0 else f"{share:.1%} better"
        found.append(f"The best, trial {best}, is {gain} than the usual settings, trial 0.")
    if data["style"]:
        found.append(f"Style: {data['style']}")
    return found


def _write_plots(folder: Path, study: SweepStudy, important: Sequence[str]) -> list[str]:
    """Write Optuna's plots; none before a trial is finished."""
    done = [trial for trial in study.trials() if trial.state is TrialState.COMPLETE]
    if not done:
        return []
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  (after the choice of its backend)
    from optuna.visualization import matplotlib as optuna_plots  # noqa: PLC0415

    plots: Any = optuna_plots
    numeric = [name for name, value in done[0].params.items() if not isinstance(value, str | bool)]
    axes = [name for name in important if name in numeric][:_PLOTTED] or numeric[:_PLOTTED]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plots.plot_optimization_history(study.optuna)
        _write_figure(folder / HISTORY, plt)
        plots.plot_slice(study.optuna, params=axes)
        _write_figure(folder / AXES, plt)
    return [HISTORY, AXES]


def _write_figure(path: Path, plt: Any) -> None:
    """Write Matplotlib's current figure as PNG, and close it."""
    figure, stream = plt.gcf(), io.BytesIO()
    for axes in figure.axes:
        _plain_ticks(axes)
    figure.savefig(stream, format="png", dpi=_DOTS, bbox_inches="tight")
    plt.close(figure)
    write_bytes(path, stream.getvalue())


def _plain_ticks(axes: Any) -> None:
    """Replace the crowded ticks of a logarithmic axis by two plain numbers."""
    if axes.get_xscale() != "log":
        return
    first, last = axes.get_xlim()
    places = np.geomspace(first, last, 4)[1:-1]
    axes.set_xticks(places, [f"{place:.2g}" for place in places])
    axes.set_xticks([], minor=True)
