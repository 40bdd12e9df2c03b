"""G: a picture from warped features (SPADE, arXiv 1903.07291). Letters: b pictures, c channels, h and w."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

_FEATURES, _HIDDEN = 256, 128
_SLOPE = 0.2


class SpadeDecoder(nn.Module):
    """Warped features to pictures of 512 by 512 in 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Conv2d(_FEATURES, 512, 3, padding=1)
        for index in range(6):
            setattr(self, f"G_middle_{index}", _SpadeBlock(512, 512))
        self.up_0 = _SpadeBlock(512, 256)
        self.up_1 = _SpadeBlock(256, 64)
        self.conv_img = nn.Sequential(nn.Conv2d(64, 3 * 4, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, features: Float[Tensor, "b 256 64 64"]) -> Float[Tensor, "b 3 512 512"]:
        x = self.fc(features)
        for index in range(6):
            x = getattr(self, f"G_middle_{index}")(x, features)
        x = self.up_0(F.interpolate(x, scale_factor=2), features)
        x = self.up_1(F.interpolate(x, scale_factor=2), features)
        picture: Tensor = self.conv_img(F.leaky_relu(x, _SLOPE)).sigmoid()
        return picture


class _SpadeBlock(nn.Module):
    """Two convolutions beside the input, each after a norm that the features modulate.

    The released convolutions are spectrally normalised; their weights are divided by that norm when they are read.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.conv_0 = nn.Conv2d(inputs, middle, 3, padding=1)
        self.conv_1 = nn.Conv2d(middle, outputs, 3, padding=1)
        self.norm_0 = _Spade(inputs)
        self.norm_1 = _Spade(middle)
        self.has_shortcut = inputs != outputs
        if self.has_shortcut:
            self.conv_s = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.norm_s = _Spade(inputs)

    def forward(self, x: Float[Tensor, "b c h w"], features: Float[Tensor, "b f h2 w2"]) -> Float[Tensor, "b c2 h w"]:
        features = F.interpolate(features, size=x.shape[2:])
        beside = self.conv_s(self.norm_s(x, features)) if self.has_shortcut else x
        inner = self.conv_0(F.leaky_relu(self.norm_0(x, features), _SLOPE))
        out: Tensor = beside + self.conv_1(F.leaky_relu(self.norm_1(inner, features), _SLOPE))
        return out


class _Spade(nn.Module):
    """Instance norm, then a scale and an offset for every pixel from the features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp_shared = nn.Sequential(nn.Conv2d(_FEATURES, _HIDDEN, 3, padding=1), nn.ReLU())
        self.mlp_gamma = nn.Conv2d(_HIDDEN, channels, 3, padding=1)
        self.mlp_beta = nn.Conv2d(_HIDDEN, channels, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"], features: Float[Tensor, "b f h w"]) -> Float[Tensor, "b c h w"]:
        shared = self.mlp_shared(features)
        out: Tensor = F.instance_norm(x) * (1 + self.mlp_gamma(shared)) + self.mlp_beta(shared)
        return out
