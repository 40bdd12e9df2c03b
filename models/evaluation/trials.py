"""The trials of the joint model on clips whose truth is known: what is given, what is withheld, what is made wrong.

Letters: k phones, m motion frames.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

import numpy as np

from models.audio_to_mouth.predict import predict_mouth
from models.corpus.features import Clip
from models.corpus.phones import TimedPhone, phone_vocabulary
from models.corpus.placing import evenly, spoken
from models.facemesh.space import space
from models.jamflow.config import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from models.jamflow.generate import Sampling
from models.jamflow.modes import MODES, Need
from models.motion import Motion
from models.performer.engine import Engine
from models.performer.perform import Part, Performance, Reference, perform
from schemas.errors import RequestError

SHIFT_FRAMES = 10
"""Of the time-shifted control: 0.4 s, wrapped around."""


class Placing(Enum):
    """Where the text's phones lie; all but the true ones know no more than when speech begins and ends."""

    NONE = "no text"
    NATURAL = "phones at their natural lengths"
    FOLLOWED = "phones where the mouth says them"
    EVEN = "phones spread evenly"


class Face(Enum):
    """Whose motion is given."""

    OWN = "its own motion"
    SHIFTED = "its motion 0.4 s late"
    OTHER = "another clip's motion"


@dataclass(frozen=True)
class Trial:
    """One row of the table.

    Attributes:
        mode: A row of models.jamflow.modes; "cascade": sound by `read`, then its mouth by `animate`; "convolution": a
            mouth by models.audio_to_mouth.
        has_voice: Whether a recording of the speaker is given where the mode may take one.
    """

    mode: str
    placing: Placing
    about: str
    face: Face = Face.OWN
    has_voice: bool = True

    @property
    def needs_face(self) -> bool:
        """Whether a clip of sound alone is not enough."""
        return self.mode in ("dub", "revoice", "reanimate", "lipsync")


_NATURAL, _FOLLOWED, _EVEN, _NONE = Placing.NATURAL, Placing.FOLLOWED, Placing.EVEN, Placing.NONE

TRIALS: Mapping[str, Trial] = MappingProxyType(
    {
        "dub": Trial("dub", _FOLLOWED, "text, voice and mouth to speech"),
        "dub-shifted": Trial("dub", _FOLLOWED, "control: the mouth 0.4 s late", Face.SHIFTED),
        "dub-other": Trial("dub", _FOLLOWED, "control: another clip's mouth", Face.OTHER),
        "dub-even": Trial("dub", _EVEN, "the joint model alone times the words: phones spread evenly"),
        "dub-even-other": Trial("dub", _EVEN, "control: as before, another clip's mouth", Face.OTHER),
        "read": Trial("read", _NATURAL, "control: text and voice to speech, no motion"),
        "speak": Trial("speak", _NATURAL, "text to speech and mouth", has_voice=False),
        "speak-voice": Trial("speak", _NATURAL, "text and voice to speech and mouth"),
        "reanimate": Trial("reanimate", _NATURAL, "text, voice and the face's other motion to speech and mouth"),
        "revoice": Trial("revoice", _NONE, "mouth and voice to speech, no text"),
        "revoice-shifted": Trial("revoice", _NONE, "control: the mouth 0.4 s late", Face.SHIFTED),
        "revoice-other": Trial("revoice", _NONE, "control: another clip's mouth", Face.OTHER),
        "lipsync": Trial("lipsync", _NONE, "recorded speech and the face's other motion to mouth"),
        "lipsync-other": Trial("lipsync", _NONE, "control: another clip's other motion", Face.OTHER),
        "animate": Trial("animate", _NONE, "recorded speech to mouth"),
        "convolution": Trial("convolution", _NONE, "baseline: recorded speech to mouth by a small regressor"),
        "cascade": Trial("cascade", _NATURAL, "the paper's baseline: speech from text, then a mouth from that speech"),
    }
)


@dataclass(frozen=True)
class Recording:
    """A clip as it was recorded: its features, with a face or of sound alone, and its sound, mono [n] at 24 kHz."""

    clip: Clip
    samples: np.ndarray


def trial_of(name: str) -> Trial:
    """Raises: RequestError, which lists those that there are."""
    if name not in TRIALS:
        raise RequestError(f"there is no trial {name!r}: choose from {', '.join(TRIALS)}")
    return TRIALS[name]


def attempt(
    engine: Engine,
    trial: Trial,
    own: Recording,
    other: Recording,
    voice: Recording,
    sampling: Sampling,
    *,
    seed: int,
) -> Performance:
    """Perform one trial on one clip.

    Args:
        other: The clip whose motion is given in its place where the trial says so; as long as `own`.
        voice: Another recording of the speaker.

    Raises: see models.performer.perform.
    """
    if trial.mode == "convolution":
        return Performance(None, predict_mouth(own.samples, SAMPLE_RATE_HZ))
    motion = face_motion(own.clip, other.clip, trial.face)
    phones = placed_phones(engine, own.clip, motion, trial.placing)
    if trial.mode == "cascade":
        read = perform(engine.joint, engine.decode, _part("read", own, phones, motion, voice), sampling, seed=seed)
        assert read.samples is not None
        heard = Part("animate", samples=read.samples)
        return Performance(read.samples, perform(engine.joint, engine.decode, heard, sampling, seed=seed).motion)
    part = _part(trial.mode, own, phones, motion, voice if trial.has_voice else None)
    return perform(engine.joint, engine.decode, part, sampling, seed=seed)


def _part(
    name: str, own: Recording, phones: tuple[TimedPhone, ...] | None, motion: Motion, voice: Recording | None
) -> Part:
    """Give a mode what it takes, and no more."""
    mode = MODES[name]
    follows = mode.has_motion and not mode.generates_mouth
    takes_rest = name in ("reanimate", "lipsync") or follows
    return Part(
        mode=name,
        phones=phones if mode.text is not Need.REFUSED else None,
        reference=reference(voice) if voice is not None and mode.voice is not Need.REFUSED else None,
        samples=None if mode.generates_audio else own.samples,
        motion=motion if takes_rest else None,
        duration_s=len(own.clip.mel) / FRAME_RATE_HZ,
    )


def reference(voice: Recording) -> Reference:
    """A recording as a voice to imitate, with its face where it has one."""
    motion = motion_of(voice.clip) if len(voice.clip.mouth) else None
    return Reference(voice.samples, timed(voice.clip.phones, voice.clip.edges_s), motion)


def motion_of(clip: Clip) -> Motion:
    """A clip's motion in the space's own numbers."""
    return Motion.of_z_scores(space(), clip.mouth, clip.rest, clip.visible)


def face_motion(own: Clip, other: Clip, face: Face) -> Motion:
    """The motion that a trial gives."""
    if face is Face.OTHER:
        return motion_of(other)
    motion = motion_of(own)
    if face is Face.SHIFTED:
        moved = (np.roll(array, SHIFT_FRAMES, axis=0) for array in (motion.mouth, motion.rest, motion.visible))
        return Motion(motion.space, *moved)
    return motion


def placed_phones(engine: Engine, clip: Clip, motion: Motion, placing: Placing) -> tuple[TimedPhone, ...] | None:
    """The clip's phones as a trial lays them out."""
    if placing is Placing.NONE:
        return None
    if placing is Placing.EVEN:
        return timed(clip.phones, evenly(clip.phones, clip.edges_s))
    natural = timed(clip.phones, natural_edges_s(engine, clip))
    return engine.followed(natural, motion) if placing is Placing.FOLLOWED else natural


def natural_edges_s(engine: Engine, clip: Clip) -> np.ndarray:
    """Edges [k + 1] at natural lengths, scaled to the time from the first to the last spoken phone."""
    first, last = spoken(clip.phones)
    names = phone_vocabulary().entries
    lengths = engine.durations([names[number] for number in clip.phones[first:last]])
    edges_s = clip.edges_s.copy()
    start_s, end_s = edges_s[first], edges_s[last]
    edges_s[first + 1 : last] = start_s + (end_s - start_s) * np.cumsum(lengths)[:-1] / lengths.sum()
    return np.asarray(edges_s)


def timed(phones: np.ndarray, edges_s: np.ndarray) -> tuple[TimedPhone, ...]:
    """Phones by number [k] and their edges [k + 1], by name."""
    names = phone_vocabulary().entries
    return tuple(
        TimedPhone(names[number], start_s, end_s)
        for number, start_s, end_s in zip(phones.tolist(), edges_s[:-1].tolist(), edges_s[1:].tolist(), strict=True)
    )
