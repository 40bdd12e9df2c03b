"""Which loudspeaker each channel of a sound feeds, by ffmpeg's names and order."""

_FRONT = ("FL", "FR", "FC")
_LAYOUTS: dict[str, tuple[str, ...]] = {
    "mono": ("FC",),
    "stereo": ("FL", "FR"),
    "downmix": ("FL", "FR"),
    "2.1": ("FL", "FR", "LFE"),
    "3.0": _FRONT,
    "3.0(back)": ("FL", "FR", "BC"),
    "3.1": (*_FRONT, "LFE"),
    "4.0": (*_FRONT, "BC"),
    "4.1": (*_FRONT, "LFE", "BC"),
    "quad": ("FL", "FR", "BL", "BR"),
    "quad(side)": ("FL", "FR", "SL", "SR"),
    "5.0": (*_FRONT, "BL", "BR"),
    "5.0(side)": (*_FRONT, "SL", "SR"),
    "5.1": (*_FRONT, "LFE", "BL", "BR"),
    "5.1(side)": (*_FRONT, "LFE", "SL", "SR"),
    "6.0": (*_FRONT, "BC", "SL", "SR"),
    "6.1": (*_FRONT, "LFE", "BC", "SL", "SR"),
    "6.1(back)": (*_FRONT, "LFE", "BL", "BR", "BC"),
    "7.0": (*_FRONT, "BL", "BR", "SL", "SR"),
    "7.1": (*_FRONT, "LFE", "BL", "BR", "SL", "SR"),
    "7.1(wide)": (*_FRONT, "LFE", "BL", "BR", "FLC", "FRC"),
    "7.1(wide-side)": (*_FRONT, "LFE", "FLC", "FRC", "SL", "SR"),
}
_USUAL = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0(side)", 6: "5.1(side)", 7: "6.1", 8: "7.1"}


def channel_names(channels: int, layout: str | None = None) -> tuple[str, ...]:
    """Name the channels of a layout; where it is unknown, those of the usual layout of that many channels."""
    known = _LAYOUTS.get(layout or "")
    if known is not None and len(known) == channels:
        return known
    if channels in _USUAL:
        return _LAYOUTS[_USUAL[channels]]
    return ("FL", "FR", *(f"C{index}" for index in range(2, channels)))


def voice_channels(channels: int, layout: str | None = None) -> tuple[int, ...]:
    """Return the channels that a voice in the middle is put into: the centre, or left and right."""
    names = channel_names(channels, layout)
    if "FC" in names:
        return (names.index("FC"),)
    return tuple(names.index(name) for name in ("FL", "FR"))
