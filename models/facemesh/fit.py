"""Fit the space's basis to a folder of talking faces: `python -m models.facemesh.fit --corpus DIR --out FILE`.

DIR holds GRID speaker 1 (CC BY 4.0): clips of one talking face each, and their list. Letters: n frames, p = 478 points,
q = 3p coordinates.
"""

import argparse
import json
import logging
from pathlib import Path

import numpy as np
from safetensors.numpy import save
from scipy.optimize import linear_sum_assignment
from scipy.spatial import Delaunay

from models.facemesh.align import fit_pose
from models.facemesh.landmarks import landmarks_of_clip
from models.facemesh.rest import rest_motion
from models.facemesh.ring import ring_points
from models.facemesh.topology import EYE_CORNERS, LIP_POINTS, NOSE_BASE, POINTS, STABLE

_NAMED, _DETAILS = 4, 8
_RIDGE = 1e-4
"""Share of each mouth number's variance that is taken for measuring noise."""
_MOVES_BELOW, _MOVES_FULLY = 0.62, 0.95
"""Between these heights (below the eyes) the face goes from fixed to free."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.facemesh.fit", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with clips and their grid_s1.jsonl")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("basis.safetensors"))
    parser.add_argument("--every", type=int, default=4, help="take each n-th clip")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    paths = undamaged_clips(arguments.corpus)[:: arguments.every]
    clips = [landmarks_of_clip(path) for path in paths]
    whole = [clip for clip in clips if clip is not None]
    logging.getLogger(__name__).info("a face in every frame of %d of %d clips", len(whole), len(clips))
    arguments.out.write_bytes(save(fit_basis(whole)))


def undamaged_clips(corpus: Path) -> list[Path]:
    """The clips that decode from their first frame on, sorted by name."""
    rows = [json.loads(line) for line in (corpus / "grid_s1.jsonl").read_text(encoding="utf-8").splitlines()]
    return sorted(corpus / row["file"] for row in rows if not row["first_good_frame"])


def fit_basis(clips: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Fit template, measure, move, triangles, mean, std (see `space.Basis`) to clips of landmarks [n, p, 3]."""
    template, mirror = mean_face(clips)
    poses = [fit_pose(clip[:, STABLE], template[STABLE]) for clip in clips]
    residuals = [pose.to_aligned(clip) - template for pose, clip in zip(poses, clips, strict=True)]
    covariance = _lower_face_covariance(np.concatenate(residuals), mirror, template)
    measure = _measure(covariance)
    move = covariance @ measure.T @ np.linalg.inv(_with_ridge(measure @ covariance @ measure.T))
    rest = [rest_motion(residual, pose) for residual, pose in zip(residuals, poses, strict=True)]
    aligned = np.concatenate(residuals).reshape(-1, 3 * POINTS) + template.ravel()
    offset = np.where(np.arange(len(measure)) < _NAMED, 0, measure @ template.ravel())
    mouth = aligned @ measure.T - offset
    numbers = np.column_stack([mouth, np.concatenate(rest)])
    move = move.reshape(POINTS, 3, -1)
    arrays = {
        "template": template,
        "measure": measure.reshape(-1, POINTS, 3),
        "offset": offset,
        "move": move,
        "mean": numbers.mean(0),
        "std": numbers.std(0),
    }
    stored = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in arrays.items()}
    return stored | {"triangles": triangulate(template, move)}


def mean_face(clips: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Average all faces pose-free. Returns the symmetric template [p, 3] and each point's mirror point [p]."""
    sample = np.concatenate([clip[::5] for clip in clips])
    template = _upright(sample[0])
    for _ in range(5):
        template = _upright(
            fit_pose(sample[:, STABLE], template[STABLE], scale_sigma_frames=0).to_aligned(sample).mean(0)
        )
    mirror = _mirror_points(template)
    flipped = template[mirror] * (-1, 1, 1)
    both = fit_pose(np.stack([template, flipped]), template, scale_sigma_frames=0).to_aligned(
        np.stack([template, flipped])
    )
    symmetric = both.mean(0)
    return _upright((symmetric + symmetric[mirror] * (-1, 1, 1)) / 2), mirror


def _upright(face: np.ndarray) -> np.ndarray:
    """Put the eyes' midpoint at 0 and their centres one unit apart."""
    left, right = (face[list(corners)].mean(0) for corners in EYE_CORNERS)
    return (face - (left + right) / 2) / np.linalg.norm(right - left)


def _mirror_points(template: np.ndarray) -> np.ndarray:
    flipped = template * (-1, 1, 1)
    distance = np.linalg.norm(template[:, None] - flipped[None], axis=2) ** 2
    rows, mirror = linear_sum_assignment(distance + distance.T)
    if not np.array_equal(mirror[mirror], rows):
        raise ValueError("the mean face is too lopsided to pair its left and right points: use more clips")
    return mirror


def _lower_face_covariance(residuals: np.ndarray, mirror: np.ndarray, template: np.ndarray) -> np.ndarray:
    """[q, q] covariance of both the faces and their mirror images, zero above the mouth."""
    centred = residuals - residuals.mean(0)
    both = np.concatenate([centred, centred[:, mirror] * (-1, 1, 1)])
    flat = (both * _freedom(template)[:, None]).reshape(len(both), -1)
    return flat.T @ flat / len(flat)


def _freedom(template: np.ndarray) -> np.ndarray:
    """How freely each point may move [p]: 0 from the nose upwards, 1 at mouth and chin."""
    ramp = np.clip((template[:, 1] - _MOVES_BELOW) / (_MOVES_FULLY - _MOVES_BELOW), 0, 1)
    ramp[LIP_POINTS] = 1.0
    ramp[STABLE] = 0.0
    ramp[NOSE_BASE] = 0.0
    return ramp * ramp * (3 - 2 * ramp)


def _measure(covariance: np.ndarray) -> np.ndarray:
    """The rows [12, q]: four named lengths, then the main directions of what they leave unexplained."""
    named = named_measures().reshape(_NAMED, -1)
    explains = covariance @ named.T @ np.linalg.inv(named @ covariance @ named.T)
    remove = np.eye(covariance.shape[0]) - explains @ named
    _, directions = np.linalg.eigh(_lip_weighted(remove @ covariance @ remove.T))
    return np.concatenate([named, _signed(directions[:, : -_DETAILS - 1 : -1]).T @ _lip_scale() @ remove])


def _lip_scale() -> np.ndarray:
    scale = np.ones((POINTS, 3))
    scale[LIP_POINTS] = 3.0
    return np.diag(scale.ravel())


def _lip_weighted(covariance: np.ndarray) -> np.ndarray:
    """Errors of the lips are seen more than those of the cheeks."""
    return _lip_scale() @ covariance @ _lip_scale()


def _signed(directions: np.ndarray) -> np.ndarray:
    """Fix each direction's sign, which the eigenvalue solver leaves open."""
    largest = directions[np.abs(directions).argmax(0), np.arange(directions.shape[1])]
    return directions * np.sign(largest)


def named_measures() -> np.ndarray:
    """[4, p, 3]: aperture, width, rounding (lips forward of the corners), height of the corners."""
    rows = np.zeros((_NAMED, POINTS, 3))
    for upper, lower, weight in ((13, 14, 0.5), (82, 87, 0.25), (312, 317, 0.25)):
        rows[0, lower, 1], rows[0, upper, 1] = weight, -weight
    rows[1, 291, 0], rows[1, 61, 0] = 1.0, -1.0
    rows[2, [0, 17, 13, 14], 2] = -0.25
    rows[2, [61, 291], 2] = 0.5
    rows[3, [61, 291], 1] = -0.5
    rows[3, NOSE_BASE, 1] = 1.0
    return rows


def _with_ridge(gram: np.ndarray) -> np.ndarray:
    return gram + _RIDGE * np.diag(np.diag(gram))


def triangulate(template: np.ndarray, move: np.ndarray) -> np.ndarray:
    """[n, 3] triangles over the moving face, its fixed border and the ring, from a half-open mouth seen in front."""
    opened = template + move[:, :, 0] * 0.15
    moving = np.abs(move).sum((1, 2)) > 0
    reach = template[moving, 1].min() - 0.25
    points = np.flatnonzero((template[:, 1] > reach) & (np.arange(POINTS) < 468))
    ring = ring_points(opened[None, :, :2])[0]
    positions = np.concatenate([opened[points, :2], ring])
    names = np.concatenate([points, POINTS + np.arange(len(ring))])
    return names[Delaunay(positions).simplices].astype(np.int32)


if __name__ == "__main__":
    main()
