"""Pose, crops, ratios, smoothing and driving against upstream's numbers."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.liveportrait.crop import Square, cropped, face_square, mask_in_frame, moved, network_input, pasted, to_crop
from models.liveportrait.driving import absolute, multiplier, neutral, region, relative, smoothed
from models.liveportrait.pictures import as_input, as_pictures
from models.liveportrait.pose import FaceMotion, degrees, rotation
from models.liveportrait.ratios import eye_openness, lip_openness
from models.liveportrait.retargeting import retargeted, stitched
from models.liveportrait.smoothing import kalman_smooth
from models.liveportrait.weights import Corrections, load_corrections

pytestmark = pytest.mark.shared


def tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def angles(golden: Any, case: dict[str, Any]) -> list[Tensor]:
    """Degrees, whichever way a case gives them."""
    given = [golden.input(case, name) for name in ("pitch", "yaw", "roll")]
    return [degrees(one) if one.dim() == 2 and one.shape[1] > 1 else one.reshape(-1) for one in given]


def motion_of(golden: Any, case: dict[str, Any], prefix: str) -> FaceMotion:
    def part(name: str) -> Tensor:
        return golden.input(case, f"{prefix}{name}")

    turned = rotation(*(part(name).reshape(-1) for name in ("pitch", "yaw", "roll"))) if prefix == "s_" else part("R")
    canonical = part("kp") if prefix == "s_" else torch.zeros(len(turned), 21, 3)
    return FaceMotion(canonical, part("exp"), turned, part("t"), part("scale"))


@pytest.mark.parametrize("name", ["get_rotation_matrix", "get_rotation_matrix.1d"])
def test_rotation(golden: Any, name: str) -> None:
    case = golden.case(name)
    golden.check(case, "R", rotation(*angles(golden, case)))


def test_degrees(golden: Any) -> None:
    case = golden.case("headpose_pred_to_degree")
    golden.check(case, "degree", degrees(golden.input(case, "logits")))


@pytest.mark.parametrize("name", ["transform_keypoint.refined", "transform_keypoint.raw_logits"])
def test_keypoints(golden: Any, name: str) -> None:
    case = golden.case(name)
    kp, exp = (golden.input(case, part).reshape(-1, 21, 3) for part in ("kp", "exp"))
    placed = FaceMotion(kp, exp, rotation(*angles(golden, case)), golden.input(case, "t"), golden.input(case, "scale"))
    golden.check(case, "x", placed.keypoints)


def test_crops(golden: Any) -> None:
    for name in golden.names("crop_image"):
        case = golden.case(name)
        args, landmarks = case["args"], golden.input(case, "lmk").numpy()
        square = face_square(landmarks, args["scale"], rise=args["vy_ratio"])  # upstream ignores vx_ratio here
        matrix = to_crop(square, args["dsize"], is_upright=args.get("flag_do_rot", True))
        back = np.linalg.inv(matrix)
        side = args["dsize"]
        ours = {
            "M_o2c": matrix,
            "M_c2o": back,
            "pt_crop": moved(landmarks, matrix),
            "corners_in_original": moved(np.array([[0, 0], [side, 0], [side, side], [0, side]]), back),
        }
        if "img_crop" in case["outputs"]:
            ours["img_crop"] = cropped(golden.input(case, "img").numpy(), matrix, side)
            ours["img_crop_256x256"] = network_input(ours["img_crop"])
        for output in case["outputs"]:
            dtype = np.uint8 if output.startswith("img") else np.float32
            golden.check(case, output, tensor(ours[output].astype(dtype)))


def test_squares(golden: Any) -> None:
    for kind in ("parse_rect_from_landmark", "parse_bbox_from_landmark"):
        for name in golden.names(kind):
            case = golden.case(name)
            args = case["args"]
            square = face_square(
                golden.input(case, "lmk").numpy(), args["scale"], shift=args["vx_ratio"], rise=args["vy_ratio"]
            )
            ours = {
                "center": square.middle,
                "size": np.full(2, square.side),
                "angle": np.float32(square.angle),
                "bbox": square.corners,
                "bbox_rot": square.turned_corners,
            }
            for output in case["outputs"]:
                golden.check(case, output, torch.as_tensor(np.float32(ours[output])))


def test_a_crop_by_box(golden: Any) -> None:
    case = golden.case("crop_image_by_bbox")
    left, top, right, bottom = golden.input(case, "bbox").numpy()
    square = Square(np.array([(left + right) / 2, (top + bottom) / 2]), float(right - left), 0.0)
    matrix = to_crop(square, case["args"]["dsize"])
    golden.check(case, "M_o2c", tensor(matrix.astype(np.float32)))
    golden.check(case, "M_c2o", tensor(np.linalg.inv(matrix).astype(np.float32)))
    golden.check(case, "lmk_crop", tensor(moved(golden.input(case, "lmk").numpy(), matrix).astype(np.float32)))
    golden.check(case, "img_crop", tensor(cropped(golden.input(case, "img").numpy(), matrix)))


def test_pasting_back(golden: Any) -> None:
    for name in golden.names("paste_back"):
        case = golden.case(name)
        frame, crop, mask, back = (golden.input(case, part).numpy() for part in ("img", "img_crop", "mask", "M_c2o"))
        share = mask_in_frame(mask, back, frame.shape[1], frame.shape[0])
        golden.check(case, "mask_ori", tensor(share))
        golden.check(case, "result", tensor(pasted(frame, crop, share, back)))


def test_ratios(golden: Any) -> None:
    case = golden.case("calc_eye_close_ratio")
    golden.check(case, "ratio", tensor(eye_openness(golden.input(case, "lmk").numpy())))
    case = golden.case("calc_lip_close_ratio")
    golden.check(case, "ratio", tensor(lip_openness(golden.input(case, "lmk").numpy())))
    case = golden.case("calc_combined_ratios")
    landmarks = golden.input(case, "lmk").numpy().reshape(1, 203, 2)
    eye, lip = golden.input(case, "driving_eye").reshape(1, -1)[:, :1], golden.input(case, "driving_lip").reshape(1, 1)
    golden.check(case, "eye", torch.cat([tensor(eye_openness(landmarks)).float(), eye], dim=1))
    golden.check(case, "lip", torch.cat([tensor(lip_openness(landmarks)).float(), lip], dim=1))


def test_multiplier_and_smoothing(golden: Any) -> None:
    case = golden.case("calc_motion_multiplier")
    source, driving = golden.input(case, "kp_source")[0], golden.input(case, "kp_driving")[0]
    golden.check(case, "multiplier", torch.tensor(multiplier(source, driving)))
    case = golden.case("kalman_smooth")
    sequence = golden.input(case, "seq").numpy().reshape(12, 63)
    variances = case["args"]["process_variance"], case["args"]["observation_variance"]
    golden.check(case, "smooth", tensor(kalman_smooth(sequence, *variances).reshape(12, 21, 3)).float())


def test_pictures(golden: Any) -> None:
    case = golden.case("prepare_source")
    golden.check(case, "x", as_input(golden.input(case, "img").numpy()[None], torch.device("cpu")))
    case = golden.case("parse_output")
    golden.check(case, "img", tensor(as_pictures(golden.input(case, "out"))))


@pytest.fixture(scope="module")
def corrections(golden: Any, tmp_path_factory: pytest.TempPathFactory) -> Corrections:
    return load_corrections(golden.write_corrections(tmp_path_factory.mktemp("corrections")))


def driven(golden: Any, case: dict[str, Any]) -> tuple[FaceMotion, FaceMotion, FaceMotion]:
    """Source, driving and new motion of a case, as many frames of each."""
    config, is_film = case["config"], case["source"] == "video"
    source, driving = motion_of(golden, case, "s_"), motion_of(golden, case, "d_")
    is_one = len(driving) == 1
    frames = len(source) if is_film else len(driving)
    source = source if is_film else source.repeated(frames)
    rest = neutral() if is_one else driving.expression[0]
    if is_one:
        driving = driving.repeated(frames)
    name = config["animation_region"]
    chosen = region(name)
    if not config["flag_relative_motion"]:
        made = absolute(source, driving, chosen)
    elif is_film:
        made = relative(source, driving, chosen, rest)
        made = FaceMotion(made.canonical, made.expression, made.rotation, source.translation, source.scale)
    else:
        everything = region("all") if name in ("exp", "all") else chosen
        if name in ("exp", "all"):
            everything.expression[:] = True
        rest = torch.zeros(21, 3) if is_one and name == "eyes" else rest
        made = relative(source, driving, type(chosen)(everything.expression, chosen.turns, chosen.scales), rest)
    if is_film and not is_one:
        whole = relative(source, driving, region("all"), rest) if config["flag_relative_motion"] else driving
        still = smoothed(whole, kalman_smooth)
        expression = torch.where(chosen.expression, _all(still, source, driving, rest, config), source.expression)
        made = FaceMotion(
            made.canonical,
            expression,
            still.rotation if chosen.turns else made.rotation,
            made.translation,
            made.scale,
        )
    return source, driving, made


def _all(still: FaceMotion, source: FaceMotion, driving: FaceMotion, rest: Tensor, config: dict[str, Any]) -> Tensor:
    """All numbers of the expression, smoothed, also those that no region drives."""
    if not config["flag_relative_motion"]:
        return still.expression
    offset = source.expression + driving.expression - rest
    return tensor(kalman_smooth(offset.flatten(1).numpy())).float().reshape(offset.shape)


def test_driving(golden: Any, corrections: Corrections) -> None:
    for name in golden.names("animate"):
        case = golden.case(name)
        source, _driving, made = driven(golden, case)
        golden.check(case, "delta", made.expression)
        golden.check(case, "R", made.rotation)
        golden.check(case, "scale", made.scale)
        translation = made.translation.clone()
        translation[:, 2] = 0
        golden.check(case, "t", translation)
        golden.check(case, "x_s", source.keypoints)
        golden.check(case, "x_d", finished(golden, case, source, made, corrections))


@torch.inference_mode()
def finished(golden: Any, case: dict[str, Any], source: FaceMotion, made: FaceMotion, by: Corrections) -> Tensor:
    """Upstream's order of corrections, as a case asks for them."""
    config = case["config"]
    x_s, x_d = source.keypoints, made.keypoints
    landmarks = golden.input(case, "s_lmk").numpy()
    landmarks = landmarks if case["source"] == "video" else landmarks[:1].repeat(len(x_s), axis=0)
    if config.get("driving_option") == "expression-friendly":
        x_d = x_s + (x_d - x_d[:1]) * multiplier(x_s[0], x_d[0])
    if config.get("flag_lip_retargeting"):
        eyes = torch.cat([tensor(eye_openness(landmarks)).float(), golden.input(case, "d_eyes")[:, :1]], dim=1)
        lips = torch.cat([tensor(lip_openness(landmarks)).float(), golden.input(case, "d_lip")], dim=1)
        base = x_s if config["flag_relative_motion"] else x_d
        x_d = base + retargeted(by.eye, x_s, eyes) + retargeted(by.lip, x_s, lips)
    if config["flag_stitching"]:
        x_d = stitched(by.stitching, x_s, x_d)
    if config["flag_normalize_lip"] and config["flag_relative_motion"]:
        ratios = tensor(lip_openness(landmarks)).float()
        closing = retargeted(by.lip, x_s, torch.cat([ratios, torch.zeros_like(ratios)], dim=1))
        x_d = x_d + torch.where(ratios[:, :, None] >= 0.03, closing, 0.0)
    return x_s + (x_d - x_s) * config.get("driving_multiplier", 1.0)
