"""What each mode takes and makes: the table of the plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Need(Enum):
    """Whether a mode takes something."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    REFUSED = "refused"


_YES, _MAY, _NO = Need.REQUIRED, Need.OPTIONAL, Need.REFUSED


@dataclass(frozen=True)
class Mode:
    """A row of the table. A stream that is generated may be partly given: then spans of it are hidden.

    `has_motion`: whether the clip has a motion stream at all.
    """

    text: Need
    voice: Need
    rest: Need
    generates_audio: bool
    generates_mouth: bool
    has_motion: bool = True


MODES: Mapping[str, Mode] = MappingProxyType(
    {
        #                  text   voice  rest   audio  mouth
        "dub": Mode(       _YES,  _YES,  _MAY,  True,  False),
        "reanimate": Mode( _YES,  _YES,  _YES,  True,  True),
        "lipsync": Mode(   _MAY,  _NO,   _YES,  False, True),
        "animate": Mode(   _MAY,  _NO,   _MAY,  False, True),
        "speak": Mode(     _YES,  _MAY,  _MAY,  True,  True),
        "revoice": Mode(   _NO,   _MAY,  _MAY,  True,  False),
        "read": Mode(      _YES,  _MAY,  _NO,   True,  False, has_motion=False),
    }
)  # fmt: skip
"""The paper's modes; `read` is speech without motion, the first half of a cascade, and F5-TTS itself."""
