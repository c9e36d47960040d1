# SPDX-License-Identifier: GPL-3.0-or-later
"""``--dry-run``: says what a verb would do to a shot, and changes nothing."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from ..shared.errors import PaintoverError
from ..shared.frame_lists import counted, format_frames
from ..shared.freshness import Step, stale_out_frames, style_state
from ..shared.keyframes import weights
from ..shared.places import real_path
from ..shared.shot import Shot
from ..shared.shot_paths import OUT_SUFFIXES
from ..shared.style_header import read_style_header
from ..shared.trainings import kept


@dataclasses.dataclass
class Made:
    """What earlier lines of a list would make, so that later ones find it.

    Attributes:
        shots: real paths of shot folders.
        styles: real paths of style files that would be trained.
        painted: real paths of shot folders with names of styles whose frames would be painted.
    """

    shots: set[Path] = dataclasses.field(default_factory=set)
    styles: set[Path] = dataclasses.field(default_factory=set)
    painted: set[tuple[Path, str]] = dataclasses.field(default_factory=set)


def describe(options: argparse.Namespace, made: Made | None = None) -> str:
    """Return what a verb would do, as a sentence.

    Args:
        options: of one shot.
        made: what earlier lines would make; what this one would make is added.

    Raises:
        PaintoverError: it would fail: there is no shot, no painting, no style or no such folder.
    """
    made = made or Made()
    if options.verb == "check":
        return "Would check that the engine works on this machine."
    if options.verb == "info" and options.shot.suffix == ".safetensors":
        if real_path(options.shot) not in made.styles:
            read_style_header(options.shot)
        return f"{options.shot}: would describe the style."
    if options.verb in ("import", "matte") and not getattr(options, "none", False):
        guides = [folder for _, folder in getattr(options, "guide", ())]
        given = [getattr(options, name, "") for name in ("input", "painted", "mask")]
        _check_there([*given, *guides])
    if options.verb == "import":
        made.shots.add(real_path(options.shot))
        return f"{options.shot}: would read {options.input}."
    shot = None if real_path(options.shot) in made.shots else Shot.open(options.shot)
    does = _Description(options, shot, made).sentence()
    if shot is None:
        does += ", once an earlier line has imported the shot"
    return f"{options.shot}: would {does}."


def _check_there(paths: Sequence[str | Path]) -> None:
    missing = [path for path in paths if path and not Path(path).exists()]
    if missing:
        raise PaintoverError(f"There is no {missing[0]}; check the path.")


@dataclasses.dataclass
class _Description:
    """Says what a verb would do to a shot; None for one that an earlier line would make."""

    options: argparse.Namespace
    shot: Shot | None
    made: Made

    def sentence(self) -> str:
        verb = self.options.verb
        describes = getattr(self, f"_{verb}", None)
        return str(describes()) if describes else _PLAIN[verb]

    @property
    def _place(self) -> Path:
        return real_path(self.options.shot)

    def _style_path(self, name: str) -> Path:
        return self._place / "styles" / f"{name}.safetensors"

    def _paintings(self) -> str:
        """Return in words which paintings are learnt."""
        options, shot = self.options, self.shot
        if shot is None:
            return "its paintings"
        keys = options.keys or shot.painted_keys()
        missing = [key for key in keys if key not in shot.key_frames()]
        if missing or not keys:
            what = f"no painting of frame {missing[0]}" if missing else "no painted keyframe yet"
            raise PaintoverError(f"{shot.folder} has {what}; add one, and paint on it.")
        return f"the paintings of {counted(len(keys), 'frame')} {format_frames(keys)}"

    def _frames(self) -> list[int] | None:
        """Return the frames that are meant; None where the shot is to be made."""
        if self.shot is None:
            return self.options.frames or None
        frames: list[int] = self.options.frames or self.shot.frames
        missing = [frame for frame in frames if frame not in self.shot.manifest.frames]
        if missing:
            has = format_frames(self.shot.frames)
            raise PaintoverError(f"{self.shot.folder} has no frame {missing[0]}; it has {has}.")
        return frames

    def _train(self) -> str:
        options, shot, path = self.options, self.shot, self._style_path(self.options.style)
        does = f'train "{options.style}" on {self._paintings()}'
        is_made = path in self.made.styles
        state = self._place / "styles" / options.style / kept.RESUME_NAME
        if options.resume and not is_made and not state.is_file():
            raise PaintoverError(f"There is no {state} to resume from; train without resuming.")
        if options.from_style:
            is_file = options.from_style.endswith(".safetensors")
            other = Path(options.from_style) if is_file else self._style_path(options.from_style)
            if real_path(other) not in self.made.styles:
                read_style_header(other)
        self.made.styles.add(path)
        if shot is None or is_made:
            return does
        now = style_state(shot, options.style)
        if options.if_needed and now.step is Step.UP_TO_DATE:
            return f'not train "{options.style}", as it is up to date'
        return f"{does} (now {now.step.value}: {now.why})"

    def _preview(self) -> str:
        paintings, frames = self._paintings(), self._frames()
        self.made.painted.add((self._place, self.options.style))
        which = "every frame" if frames is None else counted(len(frames), "frame")
        return f"project {paintings} to {which}"

    def _sweep(self) -> str:
        options = self.options
        if options.train_style:
            name = options.style or ("sweep-paper" if options.paper else "sweep")
            self.made.styles.add(self._style_path(name))
        return f"search for {options.minutes:g} min by {self._paintings()}"

    def _stylize(self) -> str:
        options, shot, frames = self.options, self.shot, self._frames()
        name, path = options.style, self._style_path(options.style)
        self.made.painted.add((self._place, name))
        if path not in self.made.styles:
            read_style_header(shot.style_path(name) if shot else path)
        if shot is None or frames is None or path in self.made.styles:
            which = "every frame" if frames is None else _in_words(frames)
            return f'paint {which} with the new "{name}"'
        stale = stale_out_frames(shot, name, frames, options.light, options.unpainted)
        wanted = frames if options.force else stale
        done = len(frames) - len(wanted)
        return f'paint {_in_words(wanted)} with "{name}"; {done} up to date'

    def _weights(self) -> str:
        curves = weights.curves_of(self.options.points)
        if not curves:
            return "show the weights of its keyframes"
        if self.shot is not None:
            weights.check_keys(self.shot, curves)
        keys = sorted(curves)
        return f"set the weights of {counted(len(keys), 'keyframe')} {format_frames(keys)}"

    def _styles(self) -> str:
        options, shot = self.options, self.shot
        path = self._style_path(options.style or "style")
        is_made = shot is None or path in self.made.styles
        if options.take:
            if shot is not None and not is_made:
                kept.chosen(shot, options.style or "style", options.take)
            return f"take back the training {options.take} of {path.name}"
        if options.style and not (is_made or path.is_file() or path.with_suffix("").is_dir()):
            raise PaintoverError(f'{options.shot} has no style "{options.style}"; train it first.')
        return "list the trainings of its styles"

    def _matte(self) -> str:
        if self.options.none:
            return "remove the mattes"
        if self.shot is not None:
            self.shot.check_frames()
        return f"read {self.options.input}"

    def _score(self) -> str:
        options, shot = self.options, self.shot
        _check_there([options.truth or ""])
        is_made = (self._place, options.style) in self.made.painted
        if not (shot is None or is_made or _painted(shot, options.style)):
            raise PaintoverError(
                f'{shot.folder} has no frames of the style "{options.style}"; stylize first.'
            )
        against = f"with {options.truth}" if options.truth else "with each other"
        return f'compare the frames of "{options.style}" {against}'


_PLAIN = {
    "suggest": "tell which frame to paint next",
    "info": "describe the shot",
    "status": "tell which frames are painted, and who works on it",
}
"""What verbs do that change nothing."""


def _painted(shot: Shot, style: str) -> list[int]:
    """Return frames that are stylized, in any format."""
    return [frame for suffix in OUT_SUFFIXES for frame in shot.out_frames(style, suffix)]


def _in_words(frames: list[int]) -> str:
    return counted(len(frames), "frame") + (f" ({format_frames(frames)})" if frames else "")
