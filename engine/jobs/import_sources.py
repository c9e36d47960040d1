# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import reads: folders of pictures, or movies, whose frames become pictures first."""

from __future__ import annotations

from pathlib import Path

from ..images.movies import FrameLimit, is_movie, movies_in, write_movie_frames
from ..images.picture_folders import matched_pictures, numbered_pictures, pictures_in
from ..shared.errors import PaintoverError
from ..shared.frame_lists import counted
from ..shared.pictures.frame_numbers import NamePattern
from ..shared.pictures.kinds import JPEG, PICTURE_SUFFIXES, holds_movie, readable_kind
from ..shared.pictures.sequences import FileSequence
from ..shared.reporter import Reporter

MOVIE_SHARE = 0.5
"""Share of an import's progress that decoding movies takes."""
MOST_FRAMES = 160_000
"""Most frames of a movie: nearly two hours, and what the manifest of a shot can hold."""


class ImportSources:
    """Finds the pictures of an import, by frame.

    Args:
        staging: folder for the frames of movies.
        report: gets progress and warnings, and may cancel.
    """

    def __init__(self, staging: Path, report: Reporter) -> None:
        self._staging, self._report = staging, report
        self._movies: dict[Path, Path] = {}

    def origin(self, picture: Path) -> Path:
        """Return the file that a picture comes from: itself, or a movie."""
        return self._movies.get(picture.parent, picture)

    def is_lossy(self, picture: Path) -> bool:
        """Return whether a picture was compressed with loss: a JPEG, or the frame of a movie."""
        return picture.parent in self._movies or readable_kind(picture) == JPEG

    @property
    def done(self) -> float:
        """The share of the import that is done: decoding movies."""
        return MOVIE_SHARE if self._movies else 0.0

    def frames(self, place: Path) -> tuple[FileSequence, float]:
        """Return the frames of the shot and their rate, 0 if it is not known.

        Args:
            place: a folder of pictures, a movie, or a folder with a movie. The frames of a movie
                are numbered from 1 on.

        Raises:
            PaintoverError: there are no pictures, their numbers are unclear, or the movie cannot
                be read.
            Cancelled: the job was told to stop.
        """
        movie = self._movie_at(place)
        if movie is None:
            return numbered_pictures(place, self._report), 0.0
        limit = FrameLimit(MOST_FRAMES, ", which is too long for a shot; cut it into shots")
        files, rate = self._decode(movie, limit)
        return FileSequence(dict(enumerate(files, 1)), NamePattern(), []), rate

    def matched(self, place: str, what: str, sequence: FileSequence) -> dict[int, Path]:
        """Return the masks or the pictures of a guide: frame → file; none if ``place`` is empty.

        The frames of a movie belong to those of the shot one by one.

        Raises:
            PaintoverError: as ``frames``, or a picture fits no frame.
            Cancelled: the job was told to stop.
        """
        movie = self._movie_at(Path(place)) if place else None
        if movie is None:
            return self._pictures(place, what, sequence)
        count = len(sequence.files)
        way_out = "give a movie of the same length, or numbered pictures"
        limit = FrameLimit(count, f", as many as the shot has; for the {what}, {way_out}")
        files, _ = self._decode(movie, limit)
        if len(files) < count:
            raise PaintoverError(
                f"The {what} {movie} has {counted(len(files), 'frame')}, but the shot has "
                f"{count}; {way_out}."
            )
        return dict(zip(sequence.files, files, strict=True))

    def paintings(self, place: str, sequence: FileSequence) -> dict[int, Path]:
        """Return the paintings: frame → file; none if ``place`` is empty.

        Raises:
            PaintoverError: as ``matched``, or it is a movie.
        """
        if place and (movie := self._movie_at(Path(place))):
            raise PaintoverError(
                f"{movie} is a movie, which does not tell which frames you painted; save each "
                f"painting as a picture, for frame {min(sequence.files)} as "
                f"{sequence.pattern.name(min(sequence.files))}.png."
            )
        return self._pictures(place, "painting", sequence)

    def _pictures(self, place: str, what: str, sequence: FileSequence) -> dict[int, Path]:
        if not place:
            return {}
        return matched_pictures(
            Path(place), sequence.files.keys(), sequence.pattern, what, self._report
        )

    def _movie_at(self, place: Path) -> Path | None:
        if place.is_file() and (is_movie(place) or holds_movie(place)):
            return place
        movies = movies_in(place) if place.is_dir() else []
        if movies and any(path.suffix.lower() in PICTURE_SUFFIXES for path in pictures_in(place)):
            self._report.warned(f"{movies[0]} is left out, because pictures lie beside it.")
            return None
        if len(movies) > 1:
            raise PaintoverError(
                f"{place} has several movies, such as {movies[0].name} and {movies[1].name}; "
                "choose one of them, or save them as PNG if each is a single picture."
            )
        return movies[0] if movies else None

    def _decode(self, movie: Path, limit: FrameLimit) -> tuple[list[Path], float]:
        folder = self._staging / f"movie {len(self._movies)}"
        begin = self.done
        self._movies[folder] = movie

        def progress(share: float, left: float, text: str) -> None:
            self._report.progress("import", max(begin, MOVIE_SHARE * share), left, text)

        return write_movie_frames(movie, folder, limit, progress, self._report)
