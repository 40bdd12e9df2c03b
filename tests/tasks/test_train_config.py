"""The files that describe a training: what they mean, and what is refused."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.corpus.collate import Placing
from models.corpus.phones import phone_vocabulary
from models.facemesh.space import space
from models.jamflow.chance import STAGE_1, Recipe
from models.jamflow.config import COUPLING, RELEASES, audio, joined, trunk
from models.jamflow.tokens import released_vocabulary
from models.jamflow.trainee import Course
from schemas.errors import RequestError, WeightsError
from schemas.training import Chances, Training
from tasks.train_clips import held_out, narrators
from tasks.train_config import read_training
from tasks.train_parts import autocast_of, has_bfloat16, joint_course, motion_course, network_of, with_features

ROOT = Path(__file__).resolve().parents[2]
TINY, BASE = ROOT / "examples" / "train-tiny.toml", ROOT / "examples" / "train-base.toml"


def test_the_tiny_recipe_is_that_of_the_shipped_weights() -> None:
    config = read_training(TINY)
    assert config.joint is not None
    reads = len(phone_vocabulary().entries)
    coupling = replace(COUPLING, is_gated=False, balances_streams=True)
    sound = audio(replace(trunk(256, 8, 4), dropout=0.0), 256, 2, reads)
    network = joined(replace(sound, mel_mean=-1.9, mel_std=2.5), space(), coupling=coupling)
    assert network_of(config) == (network, phone_vocabulary())
    assert joint_course(config, config.joint, torch.bfloat16) == Course(
        steps=4200,
        warmup=100,
        learning_rate=1e-3,
        face_share=0.5,
        imagined_share=0.0,
        recipe=Recipe(drop_text=0.3, drop_rest=0.5),
        face_placing=Placing(0.3, 0.2, 0.4, 0.25),
        sound_placing=Placing(0.2, 0.0, 0.7, 0.12),
        ema_decay=0.999,
        autocast=torch.bfloat16,
        seed=0,
    )
    assert (config.joint.frames, config.joint.sound_frames, config.features.longest_frames) == (3400, 4000, 1050)
    assert config.out == ROOT / "training" / "tiny", "paths are relative to the file's folder"


def test_what_is_not_said_of_chance_is_the_papers() -> None:
    assert Recipe(**Chances().model_dump()) == Recipe()


def test_the_base_recipe_has_both_stages_and_the_papers_chances() -> None:
    config = read_training(BASE)
    assert config.joint is not None and config.motion is not None and config.joint.release is not None
    assert joint_course(config, config.joint, None).recipe == Recipe()
    assert motion_course(config, config.motion, None).recipe == STAGE_1
    assert config.export is not None and not config.export.commercial_use


def test_weights_of_f5_tts_are_asked_for_where_they_lie(tmp_path: Path) -> None:
    path = tmp_path / "training.toml"
    space_file = tmp_path / "space.json"
    space_file.write_text(space().model_dump_json())
    text = BASE.read_text().replace("../training/liveportrait.json", str(space_file))
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"does not exist: get model_1250000\.safetensors of SWivid/F5-TTS"):
        network_of(read_training(path))
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"any")
    path.write_text(text.replace("../models-folder/F5TTS_v1_Base/model_1250000.safetensors", str(weights)))
    assert network_of(read_training(path)) == (joined(RELEASES["F5TTS_v1_Base"], space()), released_vocabulary())


def test_stage_1_is_the_same_network_with_features() -> None:
    network = network_of(read_training(TINY))[0]
    assert with_features(network).motion.features == 100 and with_features(network).without_features() == network


def test_no_two_voices_or_parts_read_the_same_and_some_sentences_stay_unread() -> None:
    config = read_training(TINY)
    if not all(path.is_file() for path in config.synthesis.sentences.values()):
        pytest.skip("no sentences beside the repository")
    for language, path in config.synthesis.sentences.items():
        read = [
            narrator.sentences for part in range(2) for narrator in narrators(config.synthesis, part)
            if narrator.language == language
        ]  # fmt: skip
        spoken = [sentence for sentences in read for sentence in sentences]
        lines = path.read_text().splitlines()
        assert len(read) == 6 and sorted(spoken) == sorted(line for n, line in enumerate(lines) if n % 4 != 3)
    names = [narrator.name for part in range(2) for narrator in narrators(config.synthesis, part)]
    assert names[0] == "kumo-en0" and len(set(names)) == len(names) == 12


def test_bfloat16_is_used_where_the_processor_has_it() -> None:
    config, cpu = read_training(TINY), torch.device("cpu")
    assert autocast_of(config, cpu) == (torch.bfloat16 if has_bfloat16(cpu) else None)
    assert autocast_of(config.model_copy(update={"precision": "float32"}), cpu) is None
    flags = Path("/proc/cpuinfo")
    if flags.is_file() and (told := re.search(r"flags\s*: (.*)", flags.read_text())):
        assert has_bfloat16(cpu) == bool({"avx512_bf16", "amx_tile"} & set(told.group(1).split()))


WRONG = {
    "no TOML": ("seed = 0", "seed = ", "is no TOML"),
    "misspelt": ("warmup = 100", "warm_up = 100", r"joint\.warmup: Field required"),
    "unknown": ('licence = "CC BY 4.0"', 'licence = "CC BY 4.0"\nprice = 3', r"export\.price = 3: Extra inputs"),
    "out of range": ("dropout = 0.0", "dropout = 1.5", r"size\.dropout = 1.5: Input should be less than 1"),
    "no such size": ('name = "tiny"  ', 'name = "huge"  ', r"size\.name = 'huge': Input should be 'tiny'"),
    "batch too small": ("frames = 3400", "frames = 340", r"joint\.frames is 340, and clips have up to 1050 frames"),
    "nothing imagined": (
        "face_share = 0.5",
        "face_share = 0.5\nimagined_share = 0.5",
        r"joint\.imagined_share is 0\.5, and no mouth is imagined: set features\.imagines",
    ),
    "shares above one": ("even = 0.2", "even = 0.7", r"joint\.face_placing: .*even 0.7 \+ true 0.4 is more than 1"),
    "two networks": (
        "frames = 3400",
        'frames = 3400\nstart = "there"',
        r"give one of \[size\], for new networks, joint",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_named(case: str, tmp_path: Path) -> None:
    good, bad, expected = WRONG[case]
    text = TINY.read_text()
    assert good in text
    path = tmp_path / "training.toml"
    path.write_text(text.replace(good, bad, 1))
    with pytest.raises(RequestError, match=expected) as raised:
        read_training(path)
    assert str(path) in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"none\.toml cannot be read \(No such file"):
        read_training(tmp_path / "none.toml")


def test_the_folder_of_the_training_can_be_chosen(tmp_path: Path) -> None:
    assert read_training(TINY, tmp_path / "mine").out == tmp_path / "mine"


def test_a_training_travels_as_json() -> None:
    config = read_training(TINY)
    assert Training.model_validate_json(config.model_dump_json()) == config


def test_no_voice_reads_in_training_what_is_held_out() -> None:
    synthesis = read_training(TINY).synthesis
    assert synthesis is not None
    read = {line for part in range(synthesis.parts) for own in narrators(synthesis, part) for line in own.sentences}
    left = [line for own in held_out(synthesis) for line in own.sentences]
    texts = {line for path in synthesis.sentences.values() for line in path.read_text(encoding="utf-8").splitlines()}
    assert len(left) == len(set(left)) and all(own.split == "test" for own in held_out(synthesis))
    assert not read & set(left) and read | set(left) == texts
