"""What F5-TTS does to a prompt before it imitates it: how its text ends, how loud it is. Letters: n samples.

Source: F5-TTS, `preprocess_ref_audio_text` and `infer_batch_process` (https://github.com/SWivid/F5-TTS, MIT); the code
is our own.
"""

from jaxtyping import Float
from torch import Tensor

from schemas.errors import MediaError

TARGET_RMS = 0.1  # of full scale


def with_full_stop(prompt_text: str) -> str:
    """End a transcript with ". " where it does not end with that or with a Chinese full stop.

    Any other ending gets the stop too: "What?" becomes "What?. ".
    """
    if prompt_text.endswith((". ", "。")):
        return prompt_text
    return prompt_text + (" " if prompt_text.endswith(".") else ". ")


def with_space(prompt_text: str) -> str:
    """Part the prompt from the text after it by a space, where its last letter takes one byte, a space included.

    So after `with_full_stop` two spaces follow the stop. Token numbers and durations are of this text; the size
    of chunks is of the text without this space.
    """
    return prompt_text + " " if prompt_text[-1:].isascii() and prompt_text else prompt_text


def raise_loudness(wave: Float[Tensor, " n"]) -> tuple[Float[Tensor, " n"], float]:
    """Amplify a prompt that is quieter than `TARGET_RMS`.

    Returns:
        The prompt, and the gain to apply to what is spoken after it so that this is as quiet as the prompt was.

    Raises:
        MediaError: the prompt is empty, silent or not finite.
    """
    rms = wave.square().mean().sqrt()
    level = float(rms)
    if not 0.0 < level < float("inf"):
        raise MediaError(f"the prompt of {len(wave)} samples has level {level}: give one in which somebody speaks")
    if level >= TARGET_RMS:
        return wave, 1.0
    return wave * TARGET_RMS / rms, level / TARGET_RMS
