"""The PyanNet segmentation network from its checkpoint. Imports torch: import this module lazily."""

import collections
import pickle  # for its error only
import typing
from functools import lru_cache
from pathlib import Path
from typing import Any

import omegaconf
import torch
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.segmentation.PyanNet import PyanNet

from schemas.errors import WeightsError


class _Unread:
    """Stands for a class that the checkpoint names and that today's pyannote no longer has."""


@lru_cache(maxsize=1)
def load_segmentation(checkpoint: Path) -> PyanNet:
    """Build the network and fill it, reading the checkpoint as data only: no code in it can run.

    pyannote's own loader unpickles; here only the value classes below are let through.

    Raises:
        WeightsError: The file is not such a checkpoint.
    """
    try:
        with torch.serialization.safe_globals(_value_classes()):
            stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
        settings = stored["hyper_parameters"]
        network = PyanNet(**{name: settings[name] for name in ("sincnet", "lstm", "linear") if name in settings})
        network.specifications = _specifications(stored["pyannote.audio"]["specifications"])
        network.build()
        network.load_state_dict(stored["state_dict"], strict=True)
    except (KeyError, RuntimeError, OSError, ValueError, EOFError, pickle.UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{checkpoint} is not a PyanNet segmentation checkpoint: {reason}") from error
    return network.eval()


def _specifications(stored: Specifications) -> Specifications:
    """A fresh value: the stored one was made by an older version and lacks later fields."""
    return Specifications(
        problem=stored.problem,
        resolution=stored.resolution,
        duration=stored.duration,
        classes=stored.classes,
        permutation_invariant=stored.permutation_invariant,
    )


def _value_classes() -> list[Any]:
    return [
        Problem,
        Resolution,
        Specifications,
        torch.torch_version.TorchVersion,
        omegaconf.ListConfig,
        omegaconf.base.ContainerMetadata,
        omegaconf.base.Metadata,
        omegaconf.nodes.AnyNode,
        collections.defaultdict,
        typing.Any,
        dict,
        list,
        int,
        (_Unread, "pyannote.audio.core.model.Introspection"),
    ]
