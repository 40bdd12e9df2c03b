"""The vocoder's training: the bank of speech, what is learned from it, what is exported."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.jamflow.mel import MEL_FLOOR, mel_spectrogram
from models.jamflow.vocoder import load_vocoder
from models.training.loop import Progress, train
from models.vocos.altered import altered
from models.vocos.config import Adversary, Sizes, VocosConfig, read_config
from models.vocos.corpora import held_out_speech, training_speech
from models.vocos.evaluate import as_markdown, evaluate, griffin_lim
from models.vocos.export import export_vocoder, read_record
from models.vocos.losses import log_mel_error, magnitudes, spectral_error
from models.vocos.network import build_vocos
from models.vocos.speech import Recording, SpeechBank, build_bank
from models.vocos.train import train_vocoder
from models.vocos.trainee import HELD_OUT, VocosTrainee, drawn_speech
from schemas.errors import RequestError, WeightsError

TINY = Path(__file__).parents[2] / "models" / "vocos" / "tiny.json"
SIZES = Sizes(width=16, inner_width=32, blocks=2)
ADVERSARY = Adversary(
    from_step=3,
    windows=(512, 256),
    channels=4,
    hop_share=0.5,
    learning_rate=1e-3,
    clips=2,
    hinge_weight=1.0,
    matching_weight=1.0,
)
CONFIG = VocosConfig(
    sizes=SIZES,
    seed=3,
    steps=8,
    batch=4,
    crop_frames=16,
    learning_rate=5e-3,
    warmup=0,
    floor=0.1,
    clip_norm=5.0,
    ema_decay=0.9,
    mel_weight=3.0,
    spectral_weight=1.0,
    altered_share=0.5,
    measure_every=4,
    has_bfloat16=True,
    adversary=ADVERSARY,
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def ignore(_progress: Progress) -> None:
    """For whom the folder is enough."""


def voice(seconds: float, pitch_hz: float) -> np.ndarray:
    """A buzz with harmonics and a breath, in syllables."""
    rng = np.random.default_rng(int(pitch_hz))
    t = np.arange(round(24_000 * seconds)) / 24_000
    buzz = sum(np.sin(2 * np.pi * pitch_hz * k * t) / k for k in range(1, 20))
    breath = 0.05 * rng.standard_normal(len(t))
    return (0.2 * (buzz + breath) * np.abs(np.sin(2 * np.pi * 3 * t))).astype(np.float32)


def recorded(folder: Path, lengths_s: tuple[float, ...], source: str = "ljspeech") -> list[Recording]:
    folder.mkdir(exist_ok=True)
    found = []
    for number, seconds in enumerate(lengths_s):
        file = folder / f"{number}.flac"
        soundfile.write(file, voice(seconds, 90 + 30 * number), 24_000)
        found.append(Recording(str(number), source, file, "a"))
    return found


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> SpeechBank:
    folder = tmp_path_factory.mktemp("bank")
    return build_bank(folder, recorded(folder / "clips", (1.0, 2.0, 1.5)))


class TestSpeech:
    def test_a_bank_holds_what_the_files_hold(self, tmp_path: Path) -> None:
        recordings = recorded(tmp_path / "clips", (0.5, 0.25))
        bank = build_bank(tmp_path / "bank", recordings)
        assert bank.edges.tolist() == [0, 12_000, 18_000]
        for number, recording in enumerate(recordings):
            assert bank.clip(number) == pytest.approx(soundfile.read(recording.file)[0], abs=1.1 / 32_767)

    def test_it_grows_and_keeps_the_places(self, tmp_path: Path) -> None:
        recordings = recorded(tmp_path / "clips", (0.5, 0.25, 0.3))
        whole = build_bank(tmp_path / "whole", recordings)
        build_bank(tmp_path / "bank", recordings[:1])
        recordings[0].file.unlink()  # it is in the bank, and not read again
        grown = build_bank(tmp_path / "bank", recordings)
        assert np.array_equal(grown.samples, whole.samples) and np.array_equal(grown.edges, whole.edges)

    def test_it_survives_being_cut_short(self, tmp_path: Path) -> None:
        recordings = recorded(tmp_path / "clips", (0.5, 0.25))
        whole = build_bank(tmp_path / "bank", recordings).samples.copy()
        index = tmp_path / "bank" / "speech.jsonl"
        index.write_bytes(index.read_bytes()[:-5])  # the samples of the second are there, its line is torn
        again = build_bank(tmp_path / "bank", recordings)
        assert np.array_equal(again.samples, whole) and again.edges.tolist() == [0, 12_000, 18_000]

    def test_without_speech_it_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match=r"there is no speech for .*: name folders with speech"):
            build_bank(tmp_path / "bank", [])

    @given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=6), size=st.integers(1, 60), seed=st.integers(0))
    def test_a_crop_is_one_piece_of_one_clip(self, lengths: list[int], size: int, seed: int) -> None:
        samples = np.arange(1, sum(lengths) + 1, dtype=np.int16)
        edges = np.concatenate([[0], np.cumsum(lengths)])
        for crop in SpeechBank(samples, edges).crops(5, size, np.random.default_rng(seed)):
            numbers = np.round(crop * 32_767).astype(int)
            length = np.count_nonzero(numbers)
            assert numbers[:length].tolist() == list(range(numbers[0], numbers[0] + length))
            clip = int(np.searchsorted(edges, numbers[0] - 1, side="right")) - 1
            assert length == min(size, lengths[clip]) and numbers[length - 1] <= edges[clip + 1]

    def test_longer_clips_are_drawn_more(self) -> None:
        bank = SpeechBank(np.repeat(np.array([1, 2], np.int16), [1000, 3000]), np.array([0, 1000, 4000]))
        drawn = Counter(np.round(bank.crops(4000, 10, np.random.default_rng(0))[:, 0] * 32_767).astype(int).tolist())
        assert drawn[2] / 4000 == pytest.approx(0.75, abs=0.03)

    def test_levels_vary_and_nothing_clips(self, bank: SpeechBank) -> None:
        drawn = drawn_speech(bank, CONFIG.model_copy(update={"batch": 200}), np.random.default_rng(0))
        peaks = np.abs(drawn).max(axis=1)
        assert drawn.dtype == np.float32 and peaks.max() <= 0.99 and peaks.std() > 0.05


class TestAltered:
    @given(st.integers(0, 2**31), st.floats(-8, 2))
    def test_what_is_even_stays_so_but_for_noise(self, seed: int, level: float) -> None:
        mel = torch.full((3, 20, 100), level)
        changed = altered(mel, torch.Generator().manual_seed(seed))
        deviations = (changed - level).std(dim=(1, 2))
        assert changed.shape == mel.shape and (deviations < 0.16).all() and len(set(deviations.tolist())) == 3
        assert (changed.mean(dim=(1, 2)) - level).abs().max() < 0.02

    def test_it_blurs_and_keeps_above_the_floor(self) -> None:
        mel = torch.full((4, 31, 31), MEL_FLOOR)
        mel[:, 15, 15] = 0.0
        changed = altered(mel, torch.Generator().manual_seed(1))
        assert (changed >= MEL_FLOOR).all() and (changed[:, 15, 15] < -0.5).all()
        assert (changed[:, 14, 15] > MEL_FLOOR + 0.5).any() and (changed[:, 15, 16] > MEL_FLOOR + 0.5).any()
        again = altered(mel, torch.Generator().manual_seed(1))
        assert torch.equal(changed, again)


class TestLosses:
    @given(st.integers(0, 1000))
    def test_errors_are_zero_for_the_same_sound_alone(self, seed: int) -> None:
        one, other = 0.1 * torch.randn(2, 2, 4096, generator=torch.Generator().manual_seed(seed))
        for error in (log_mel_error, spectral_error):
            assert error(one, one) == 0 < error(one, other)
        assert torch.equal(log_mel_error(one, other), log_mel_error(other, one))

    def test_levels_count_in_natural_logarithms(self) -> None:
        wave = torch.from_numpy(voice(0.5, 120.0))[None]
        loud = mel_spectrogram(wave) > MEL_FLOOR + 2
        assert loud.float().mean() > 0.9
        assert log_mel_error(0.5 * wave, wave) == pytest.approx(np.log(2), rel=0.05)

    def test_silence_has_a_gradient(self) -> None:
        made = torch.zeros(1, 4096, requires_grad=True)
        (log_mel_error(made, made.detach()) + spectral_error(made, torch.ones(1, 4096))).backward()
        assert made.grad is not None and torch.isfinite(made.grad).all()

    def test_magnitudes_are_those_of_a_sine(self) -> None:
        """Bin 32 of 512, amplitude 0.5: half of the window's sum, 256, times the amplitude."""
        wave = 0.5 * torch.sin(2 * torch.pi * 32 / 512 * torch.arange(4096))[None]
        assert magnitudes(wave, 512)[0, 32, 4:-4].numpy() == pytest.approx(64, rel=1e-3)


class TestTraining:
    def test_the_tiny_one_is_small(self, tmp_path: Path) -> None:
        config = read_config(TINY)
        network = build_vocos(config.sizes)
        assert sum(parameter.numel() for parameter in network.parameters()) <= 2_200_000
        export_vocoder(network, config.sizes, tmp_path / "export", {})
        assert (tmp_path / "export" / "model.safetensors").stat().st_size <= 4_500_000
        load_vocoder(tmp_path / "export")

    def test_it_learns(self, tmp_path: Path, bank: SpeechBank) -> None:
        other = build_bank(tmp_path, recorded(tmp_path / "clips", (2.5,)))
        config = CONFIG.model_copy(update={"steps": 40, "measure_every": 10, "adversary": None})
        trainee = VocosTrainee(config, bank, other)
        held_out = [found[HELD_OUT] for found in map(trainee.step, range(40)) if HELD_OUT in found]
        assert len(held_out) == 4 and held_out[-1] < 0.9 * held_out[0]

    def test_resumed_equals_uninterrupted(self, tmp_path: Path, bank: SpeechBank) -> None:
        """Through the step in which the discriminators join."""
        whole, halved = VocosTrainee(CONFIG, bank, bank), VocosTrainee(CONFIG, bank, bank)
        train(whole, tmp_path / "whole", steps=8, on_progress=ignore)
        train(halved, tmp_path / "halved", steps=5, on_progress=ignore)
        resumed = VocosTrainee(CONFIG.model_copy(update={"seed": 3}), bank, bank)
        train(resumed, tmp_path / "halved", steps=8, on_progress=ignore)
        states = flat(whole.state()), flat(resumed.state())
        assert states[0].keys() == states[1].keys()
        assert all(
            torch.equal(torch.as_tensor(value), torch.as_tensor(states[1][key])) for key, value in states[0].items()
        )
        lines = [json.loads(line) for line in (tmp_path / "halved" / "metrics.jsonl").read_text().splitlines()]
        assert ["hinge" in line for line in lines] == [False] * 3 + [True] * 5
        assert [HELD_OUT in line for line in lines] == [False, False, False, True, False, False, False, True]

    def test_discriminators_take_turns_and_teach(self, bank: SpeechBank) -> None:
        trainee, alone = (
            VocosTrainee(CONFIG.model_copy(update={"adversary": adversary}), bank, bank)
            for adversary in (ADVERSARY, None)
        )
        before = flat(trainee.state()["opponent"]["networks"])
        for index in range(4):
            trainee.step(index)
            alone.step(index)
        after = flat(trainee.state()["opponent"]["networks"])
        moved = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
        assert moved == {"/1"}  # step 3 is the second's
        states = [flat(one.state()["network"]) for one in (trainee, alone)]
        assert not all(torch.equal(value, states[1][name]) for name, value in states[0].items())

    def test_the_whole_way(self, tmp_path: Path, shared_dir: Path) -> None:
        """A corpus in, a vocoder out, on a few real clips; started again, there is nothing left to do."""
        corpus = small_corpus(tmp_path / "corpus", shared_dir / "corpus")
        told: list[Progress] = []
        options: dict[str, Any] = {"corpus": corpus, "synthetic": [tmp_path / "none"], "out": tmp_path / "run"}
        folder = train_vocoder(CONFIG, on_progress=told.append, **options)
        record = read_record(folder)
        assert [progress.step for progress in told] == list(range(1, 9))
        assert record["step"] == 8 and record["config"]["sizes"]["width"] == 16 and record[HELD_OUT] > 0
        assert load_vocoder(folder).decode(torch.zeros(1, 5, 100)).shape == (1, 1024)
        train_vocoder(CONFIG, on_progress=told.append, **options)
        assert len(told) == 8 and read_record(folder) == record

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('"batch": 16', '"batch": 0', "batch: Input should be greater than or equal to 1"),
            ('"batch": 16', '"bach": 16', "batch: Field required"),
            ('"width": 192', '"width": "wide"', "sizes.width: Input should be a valid integer"),
            ("{", "", "the file: Invalid JSON"),
        ],
    )
    def test_a_config_that_does_not_fit_is_told(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        content = TINY.read_text()
        assert old in content
        (tmp_path / "config.json").write_text(content.replace(old, new, 1))
        with pytest.raises(RequestError) as error:
            read_config(tmp_path / "config.json")
        assert message in str(error.value) and "config.json" in str(error.value)
        with pytest.raises(RequestError, match=r"none.json cannot be read \(No such file or directory\)"):
            read_config(tmp_path / "none.json")


def flat(state: Any, at: str = "") -> dict[str, torch.Tensor]:
    if isinstance(state, (dict, list)):
        items = state.items() if isinstance(state, dict) else enumerate(state)
        return {name: leaf for key, part in items for name, leaf in flat(part, f"{at}/{key}").items()}
    return {} if state is None else {at: torch.as_tensor(state).clone()}


def small_corpus(folder: Path, corpus: Path) -> Path:
    """The same layout with a few of the clips."""
    for name, wanted in [("grid_s1", {"train", "test"}), ("ljspeech", {None}), ("librispeech", {"train-clean-100"})]:
        (folder / name).mkdir(parents=True)
        entries = [json.loads(line) for line in (corpus / name / f"{name}.jsonl").read_text().splitlines()]
        kinds = [entry.get("split", entry.get("subset")) for entry in entries]
        few = {"grid_s1": 2, "ljspeech": 22, "librispeech": 2}[name]
        chosen = [e for kind in wanted for e in [e for e, k in zip(entries, kinds, strict=True) if k == kind][:few]]
        for entry in chosen:
            (folder / name / entry["file"]).symlink_to(corpus / name / entry["file"])
        (folder / name / f"{name}.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in chosen))
    return folder


class TestCorpora:
    def test_nothing_is_both_learned_and_measured(self, shared_dir: Path) -> None:
        learned = training_speech(shared_dir / "corpus", [])
        measured = held_out_speech(shared_dir / "corpus")
        assert Counter(r.source for r in learned) == {"grid_s1": 900, "ljspeech": 365, "librispeech": 251}
        assert Counter(r.source for r in measured) == {"grid_s1": 50, "ljspeech": 20}
        assert not {r.file for r in learned} & {r.file for r in measured}
        assert all(r.file.is_file() and (shared_dir / "corpus") in r.file.parents for r in learned + measured)

    def test_tests_of_others_are_not_learned(self, shared_dir: Path) -> None:
        corpus = shared_dir / "corpus"
        entries = [json.loads(line) for line in (corpus / "librispeech" / "librispeech.jsonl").read_text().splitlines()]
        others = {entry["id"] for entry in entries if entry["subset"] == "test-other"}
        assert len(others) == 100 and not others & {r.id for r in training_speech(corpus, [])}

    def test_synthetic_speech_may_still_be_growing(self, tmp_path: Path, shared_dir: Path) -> None:
        recorded(tmp_path / "kokoro", (0.1, 0.1, 0.1))
        lines = [json.dumps({"id": str(n), "file": f"{n}.flac", "split": s}) for n, s in enumerate(["train", "valid"])]
        lines += [json.dumps({"id": "9", "file": "9.flac"}), '{"id": "2", "file": "2.fl']
        (tmp_path / "kokoro" / "kokoro.jsonl").write_text("\n".join(lines))
        found = training_speech(shared_dir / "corpus", [tmp_path / "kokoro", tmp_path / "not-yet"])
        assert [r.id for r in found if r.source == "kokoro"] == ["0"]

    def test_a_missing_corpus_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match=r"grid_s1 has no grid_s1.jsonl: name the folder that holds grid_s1"):
            training_speech(tmp_path, [])


class TestExport:
    @pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 0.0), (torch.float16, 2e-3)])
    def test_it_is_read_back_as_the_same_vocoder(self, tmp_path: Path, dtype: torch.dtype, tolerance: float) -> None:
        torch.manual_seed(0)
        network: Any = build_vocos(SIZES).eval()
        export_vocoder(network, SIZES, tmp_path / "export", {"step": 7}, dtype)
        mel = torch.randn(1, 30, 100)
        with torch.no_grad():
            wanted = network.decode(mel.transpose(1, 2))
        found = load_vocoder(tmp_path / "export").decode(mel)
        assert (found - wanted).norm() <= tolerance * wanted.norm()
        assert read_record(tmp_path / "export") == {"step": 7}

    def test_it_replaces_a_vocoder_and_nothing_else(self, tmp_path: Path) -> None:
        for step in (1, 2):
            export_vocoder(build_vocos(SIZES), SIZES, tmp_path / "export", {"step": step})
        assert read_record(tmp_path / "export") == {"step": 2}
        assert [path.name for path in tmp_path.iterdir()] == ["export"]
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "novel.txt").write_text("It was a dark and stormy night.")
        with pytest.raises(WeightsError, match="mine is there and holds no vocoder: choose another folder"):
            export_vocoder(build_vocos(SIZES), SIZES, tmp_path / "mine", {})
        assert (tmp_path / "mine" / "novel.txt").is_file()


@pytest.mark.slow
def test_measures_tell_good_from_bad(shared_dir: Path) -> None:
    """The recording is best, Griffin-Lim comes near it, noise is bad."""
    speech = held_out_speech(shared_dir / "corpus")[-1:]
    rng = np.random.default_rng(0)

    def noise(mel: torch.Tensor) -> np.ndarray:
        return (0.05 * rng.standard_normal(256 * (mel.shape[1] - 1))).astype(np.float32)

    found = evaluate(speech, {"recording": None, "Griffin-Lim": griffin_lim, "noise": noise})
    recording, baseline, bad = found.values()
    assert recording.log_mel == recording.spectral == 0 < baseline.log_mel < 0.5 < bad.log_mel
    assert recording.dnsmos > baseline.dnsmos > bad.dnsmos and bad.dnsmos < 2
    assert as_markdown(found).splitlines()[3].startswith("| Griffin-Lim | 0.")
