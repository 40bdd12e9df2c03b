"""What a training is made of: corpora, sizes, courses. The stages that run are those whose tables are there.

In a file (docs/training.md), paths are relative to the file's folder.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from schemas.value import Value

Precision = Literal["bfloat16", "float32"]


def _placed(path: Path, info: ValidationInfo) -> Path:
    place: Callable[[Path], Path] | None = (info.context or {}).get("place")
    return path if place is None else place(path)


FilePath = Annotated[Path, AfterValidator(_placed)]
"""Where `place` in the validation's context puts it, if that is there."""

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Corpus(Value):
    """Clips of one index.

    Attributes:
        index: JSONL file (models.corpus.manifest).
        language: BCP-47 tag that is truer than the index's own: GRID calls its British speaker "en".
        picture_late_s: How long after its sound the picture of its films is seen, where the index does not say.
    """

    index: FilePath
    language: str | None = None
    picture_late_s: float | None = Field(None, ge=-1, le=1)


class Synthesis(Value):
    """Speech that Kokoro reads, which gives sound and the time of every phone.

    Attributes:
        folder: Where it is written, a folder inside for each part.
        hours: Of speech in all.
        seed: Of the speed of every sentence.
        parts: How many are spoken side by side, a thread each.
        voices: Shares of Kokoro's voices, by the new voice's name.
        sentences: Text files, a sentence a line, by language. Of v voices, voice i reads the lines i, i + v + 1, …: no
            two read the same, and the last of each v + 1 lines is left for evaluation.
    """

    folder: FilePath
    hours: float = Field(gt=0)
    seed: int = Field(ge=0)
    parts: Count = 1
    voices: dict[str, dict[str, float]] = Field(min_length=1)
    sentences: dict[str, FilePath] = Field(min_length=1)


class Features(Value):
    """What the networks learn from.

    Attributes:
        folder: Of the features, which are computed once.
        corpora: Whose clips are prepared; with none, and no synthesis, all clips that are in the folder are used.
        splits: Of the corpora, used in training.
        longest_frames: Mel frames of the longest clip that is used.
        workers: Processes that prepare.
        motion_space: JSON file of a MotionSpace (`jamdub models measure`): films are read into it; None: facemesh.
        imagines: Whether sound without a film is given the mouth that the audio-to-mouth regressor expects of it.
    """

    folder: FilePath
    corpora: tuple[Corpus, ...] = ()
    splits: tuple[str, ...] = ("train",)
    longest_frames: Count = 1050
    workers: Count = 1
    motion_space: FilePath | None = None
    imagines: bool = False


class Size(Value):
    """The networks' size, by a name of `models.jamflow.config.AUDIO`, and what is to be otherwise.

    Attributes:
        dropout: Of both branches; None: the named size's.
        joint: Which block pairs are joint.
        masks: Whether joint queries see near frames only, as in the paper; off, they see all (an ablation).
        aligns_rotary: Whether equal times have equal rotary angles, as in the paper; off: an ablation.
        is_gated: Whether the audio branch hears motion through a gate that starts at zero (docs/adr/0007).
        balances_streams: Whether the motion that an audio frame sees weighs as much as all sound, before training.
        mel_mean, mel_std: Of the corpora's log-mel: the network sees it with a mean of 0 and a deviation of 1.
    """

    name: Literal["tiny", "small", "base"]
    dropout: float | None = Field(None, ge=0, lt=1)
    joint: Literal["full", "half", "none"] = "half"
    masks: bool = True
    aligns_rotary: bool = True
    is_gated: bool = True
    balances_streams: bool = False
    mel_mean: float = 0.0
    mel_std: float = Field(1.0, gt=0)


class PlacingShares(Value):
    """How clips and their phones are laid out (models.corpus.collate.Placing)."""

    paired: Share
    even: Share
    true: Share
    spread: float = Field(ge=0)

    @model_validator(mode="after")
    def _at_most_all(self) -> "PlacingShares":
        if self.even + self.true > 1:
            raise ValueError(f"even {self.even:g} + true {self.true:g} is more than 1: both are shares of the clips")
        return self


class Chances(Value):
    """Probabilities of a step (models.jamflow.chance.Recipe); the defaults are the paper's, where it prints any."""

    drop_audio: Share = 0.1
    drop_mouth: Share = 0.1
    drop_text: Share = 0.2
    drop_rest: Share = 0.8
    hide_motion_only: Share = 1 / 3
    hide_audio_only: Share = 1 / 3
    hidden_share: tuple[Share, Share] = (0.7, 1.0)
    share_time: Share = 0.5

    @model_validator(mode="after")
    def _are_probabilities(self) -> "Chances":
        if self.hide_motion_only + self.hide_audio_only > 1 + 1e-9:
            raise ValueError(
                f"hide_motion_only {self.hide_motion_only:g} + hide_audio_only {self.hide_audio_only:g} is more "
                f"than 1: what is left of 1 hides both"
            )
        if self.hidden_share[0] > self.hidden_share[1]:
            raise ValueError(f"hidden_share {self.hidden_share} falls: write the least share first")
        return self


class StageCourse(Value):
    """What both stages have in common.

    Attributes:
        steps, warmup: Of the schedule, which rises linearly and falls along half a cosine.
        learning_rate: Its peak.
        frames: Mel frames of a batch of faces, padding included, for each process.
        ema_decay: Of the averaged weights, which are those that are shipped.
    """

    steps: Count
    warmup: int = Field(ge=0)
    learning_rate: float = Field(gt=0)
    frames: Count
    ema_decay: float = Field(ge=0, lt=1)


class MotionCourse(StageCourse):
    """Stage 1: the Motion-DiT from the sound's features, without the Audio-DiT.

    Attributes:
        drop_rest: Of withholding the other motion from a clip; the paper's.
    """

    drop_rest: Share = 0.8


class Release(Value):
    """Released weights of F5-TTS.

    Attributes:
        file: `model_1250000.safetensors`, or another of the same layout.
        name: Which release it is; nothing in the file says so.
    """

    file: FilePath
    name: Literal["F5TTS_v1_Base", "F5TTS_Base"]


class JointCourse(StageCourse):
    """Stage 2: both branches.

    Attributes:
        sound_frames: Mel frames of a batch of clips without a face.
        face_share: Of the steps on clips with a face; the others are on sound alone.
        imagined_share: Of the steps on sound that learn the imagined mouths with it (features.imagines).
        chances: Of every step.
        face_placing, sound_placing: Of clips with and without a face.
        freezes_audio: Whether the Audio-DiT stays as it began (the paper's variant).
        start: Folder of a joint checkpoint to begin with, its sizes and its vocabulary.
        release: F5-TTS to begin with, beside a new Motion-DiT of the same form.

    Without either, the weights are new and read phones. Stage 1's motion branch, where there is one, is put into any.
    """

    sound_frames: Count
    face_share: float = Field(gt=0, le=1)
    imagined_share: Share = 0.0
    chances: Chances = Chances()
    face_placing: PlacingShares
    sound_placing: PlacingShares
    freezes_audio: bool = False
    start: FilePath | None = None
    release: Release | None = None


class TimingCourse(Value):
    """When phones are said: natural durations, and where a mouth says them; minutes each."""

    duration_epochs: Count = 30
    mouth_steps: Count = 400


class VocoderCourse(Value):
    """The vocoder's own training.

    Attributes:
        config: JSON file (models.vocos.config).
        corpus: Folder of the real corpora.
    """

    config: FilePath
    corpus: FilePath


class Card(Value):
    """What the exported weights say of themselves.

    Attributes:
        name: Under which receipts record them.
        origin: What they were made from, for people.
        vocoder, timing: Folders that are there already, of other weights say, where none is trained.
        precision: In which weights are stored.
    """

    name: str
    licence: str
    commercial_use: bool
    origin: str
    vocoder: FilePath | None = None
    timing: FilePath | None = None
    precision: Literal["float16", "bfloat16", "float32"] = "float16"


class Training(Value):
    """A whole training.

    Attributes:
        out: Folder of its checkpoints, metrics and products.
        seed: Of new weights, batches and every step.
        threads: Of each process.
        precision: Of matrix products; bfloat16 only where the processor has it.
        checkpoint_every_s: Between checkpoints.
        keep: How many checkpoints stay.
        size: Of new networks; None where those of `joint.start` or `joint.release` are used.
        synthesis, timing, vocoder, motion, joint, export: The stages; one that is None is left out.
    """

    out: FilePath
    seed: int = Field(0, ge=0)
    threads: Count = 1
    precision: Precision = "bfloat16"
    checkpoint_every_s: float = Field(180, gt=0)
    keep: Count = 2
    size: Size | None = None
    features: Features
    synthesis: Synthesis | None = None
    timing: TimingCourse | None = None
    vocoder: VocoderCourse | None = None
    motion: MotionCourse | None = None
    joint: JointCourse | None = None
    export: Card | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "Training":
        if self.export is not None and self.joint is None:
            raise ValueError("[export] needs [joint]: what is exported is the joint model")
        starts = () if self.joint is None else (self.joint.start, self.joint.release)
        if (self.size is not None) + sum(start is not None for start in starts) != 1:
            raise ValueError(
                "give one of [size], for new networks, joint.start and joint.release, whose sizes are used"
            )
        if self.joint is not None and self.joint.imagined_share > 0 and not self.features.imagines:
            raise ValueError(
                f"joint.imagined_share is {self.joint.imagined_share:g}, and no mouth is imagined: set "
                f"features.imagines"
            )
        budgets = {} if self.motion is None else {"motion.frames": self.motion.frames}
        if self.joint is not None:
            budgets |= {"joint.frames": self.joint.frames, "joint.sound_frames": self.joint.sound_frames}
        for name, frames in budgets.items():
            if frames < self.features.longest_frames:
                raise ValueError(
                    f"{name} is {frames}, and clips have up to {self.features.longest_frames} frames: enlarge the "
                    f"batch or lower features.longest_frames"
                )
        return self
