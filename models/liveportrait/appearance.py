"""F: what a face looks like, as a volume that can be warped. Letters: b pictures."""

from collections import OrderedDict

from jaxtyping import Float
from torch import Tensor, nn

from models.liveportrait.blocks import Down2d, Residual3d, Same2d

CHANNELS, DEPTH, SIDE = 32, 16, 64
"""Of the volume, for pictures of 256 by 256."""
_RESIDUALS = 6


class AppearanceExtractor(nn.Module):
    """Pictures in 0 to 1 to feature volumes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Same2d(3, 64, nn.ReLU())
        self.down_blocks = nn.ModuleList([Down2d(64, 128), Down2d(128, 256)])
        self.second = nn.Conv2d(256, CHANNELS * DEPTH, 1)
        named = ((f"3dr{index}", Residual3d(CHANNELS)) for index in range(_RESIDUALS))
        self.resblocks_3d = nn.Sequential(OrderedDict(named))

    def forward(self, picture: Float[Tensor, "b 3 256 256"]) -> Float[Tensor, "b 32 16 64 64"]:
        out = self.first(picture)
        for down in self.down_blocks:
            out = down(out)
        volume: Tensor = self.resblocks_3d(self.second(out).unflatten(1, (CHANNELS, DEPTH)))
        return volume
