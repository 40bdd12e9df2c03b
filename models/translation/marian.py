"""Marian (Opus-MT) checkpoints from a local directory."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.errors import WeightsError

_BATCH = 8
_MOST_TOKENS = 512


def marian_directory(source: str, target: str, models_dir: Path | None) -> Path | None:
    """The checkpoint directory of a pair: with the full tags first (pt-BR), then the primary subtags (pt)."""
    if models_dir is None:
        return None
    names = (f"opus-mt-{source}-{target}", f"opus-mt-{source.split('-')[0].lower()}-{target.split('-')[0].lower()}")
    return next((models_dir / name for name in names if (models_dir / name).is_dir()), None)


class MarianTranslator:
    """One Marian checkpoint; it is loaded at the first use and nothing is downloaded."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def name(self) -> str:
        return self._directory.name

    def translate(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Translate each text by beam search, deterministically; blank ones stay as they are.

        Raises:
            WeightsError: The directory does not hold a Marian checkpoint.
        """
        import torch

        model, tokenizer = _load(self._directory)
        spoken = [index for index, text in enumerate(texts) if text.strip()]
        translated = list(texts)
        for start in range(0, len(spoken), _BATCH):
            batch = spoken[start : start + _BATCH]
            tokens = tokenizer(
                [texts[index] for index in batch],
                return_tensors="pt",
                padding=True,
                truncation=True,
                max_length=_MOST_TOKENS,
            )
            with torch.inference_mode():
                generated = model.generate(**tokens, num_beams=4, do_sample=False, max_new_tokens=_MOST_TOKENS)
            for index, text in zip(batch, tokenizer.batch_decode(generated, skip_special_tokens=True), strict=True):
                translated[index] = " ".join(text.split())
        return tuple(translated)


@lru_cache(maxsize=2)
def _load(directory: Path) -> tuple[Any, Any]:
    from transformers import MarianMTModel, MarianTokenizer

    try:
        tokenizer = MarianTokenizer.from_pretrained(str(directory), local_files_only=True)
        # transformers reads safetensors, or a .bin with weights_only=True: no code in a file can run
        model = MarianMTModel.from_pretrained(str(directory), local_files_only=True, weights_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{directory} does not hold a loadable Marian checkpoint: {reason}") from error
    return model.eval(), tokenizer
