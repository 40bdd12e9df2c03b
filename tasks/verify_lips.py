"""Measures of re-animated lips: the aperture that was asked against the aperture found again."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from media.frames import read_upright
from media.probe import probe
from models.facemesh.measure import aperture_agreement
from models.facemesh.space import encode
from models.facemesh.tracker import track_faces
from models.facemesh.tracks import TrackArrays, TrackData
from schemas.artifact import ArtifactRef
from schemas.dub import Patch
from schemas.progress import report
from tasks.workplace import Workplace


@dataclass(frozen=True)
class Lips:
    """By line: Pearson r and mean absolute error of the aperture; `curves` is JSON for the report's plots."""

    agreement: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    curves: ArtifactRef | None = None


@dataclass(frozen=True)
class Curves:
    """Lip apertures of one patch at its frames' times, in inter-ocular distances; nan where no face was found."""

    times_s: np.ndarray
    source: np.ndarray
    asked: np.ndarray
    detected: np.ndarray


def measure_lips(place: Workplace, movie: Path, patches: tuple[Patch, ...], tracks_ref: ArtifactRef | None) -> Lips:
    """Track the faces of the finished file and compare them with what was asked."""
    asked = [patch for patch in patches if patch.frames]
    if not asked or tracks_ref is None:
        return Lips()
    before = TrackArrays.from_bytes(place.store.get_bytes(tracks_ref))
    _, after = track_faces(
        read_upright(movie, probe(movie, place.tools)),
        on_progress=lambda done, total: report("verify", done, total, "lips"),
        total_frames=len(before.frame_times_s),
    )
    by_line: dict[str, list[Curves]] = defaultdict(list)
    for patch in asked:
        by_line[patch.line_id].append(_curves(patch, before, after))
    joined = {line_id: _join(parts) for line_id, parts in by_line.items()}
    agreement = {line_id: aperture_agreement(c.asked, c.detected) for line_id, c in joined.items()}
    return Lips(agreement, place.store.put_bytes(_to_json(joined), "application/json"))


def _curves(patch: Patch, before: TrackArrays, after: TrackArrays) -> Curves:
    frames = np.asarray(patch.frames)
    source = before.tracks[patch.track_id]
    return Curves(
        times_s=before.frame_times_s[frames],
        source=_aperture_at(source, frames),
        asked=np.asarray(patch.aperture),
        detected=_aperture_at(_same_face(source, after), frames),
    )


def _same_face(source: TrackData, after: TrackArrays) -> TrackData | None:
    """The re-detected track whose face lies where the source's lay, over most frames."""

    def distance(track: TrackData) -> float:
        _, mine, theirs = np.intersect1d(source.frames, track.frames, return_indices=True)
        if len(mine) < len(source.frames) // 4 or len(mine) == 0:
            return float("inf")
        centres = source.landmarks[mine, :, :2].mean(axis=1) - track.landmarks[theirs, :, :2].mean(axis=1)
        return float(np.median(np.linalg.norm(centres, axis=1)))

    nearest = min(after.tracks.values(), key=distance, default=None)
    return nearest if nearest is not None and np.isfinite(distance(nearest)) else None


def _aperture_at(track: TrackData | None, frames: np.ndarray) -> np.ndarray:
    found = np.full(len(frames), np.nan)
    if track is not None:
        _, wanted, have = np.intersect1d(frames, track.frames, return_indices=True)
        found[wanted] = encode(track.landmarks[have]).mouth[:, 0]
    return found


def _join(parts: list[Curves]) -> Curves:
    names = ("times_s", "source", "asked", "detected")
    return Curves(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _to_json(curves: Mapping[str, Curves]) -> bytes:
    def plain(values: np.ndarray) -> list[float | None]:
        return [round(float(v), 5) if np.isfinite(v) else None for v in values]

    table = {
        line_id: {
            "times_s": plain(c.times_s),
            "source": plain(c.source),
            "asked": plain(c.asked),
            "detected": plain(c.detected),
        }
        for line_id, c in curves.items()
    }
    return json.dumps(table).encode()
