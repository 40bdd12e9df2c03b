"""Phones by what lips show of them: fewer classes than phones, the same in all languages.

After Fisher 1968 (visemes) and the classes of Bear and Harvey 2017, doi:10.1016/j.specom.2017.07.001, for the letters
of our phone vocabulary.
"""

import functools

import numpy as np

from models.corpus.phones import PAUSE, QUESTION, STRESS, phone_vocabulary

VISEMES = (
    PAUSE + QUESTION,  # rest
    "pbmβɸ",  # lips closed
    "fvʋⱱ",  # lip on teeth
    "θð",
    "tdnlɾszɫrɖʈɳɽ",  # tongue behind the teeth
    "ʃʒʧʤʨʥʦʣʂʐɕʝçʎɲj",  # spread or pushed forward
    "kɡŋxɣhʔqχʁɰɟcɴʀɥ",  # behind, lips free
    "w",
    "ɹɻ",
    "aæɑɐʌ",
    "eɛəɜɚᵊᵻɘAɤ",
    "iɪyɨʏ",
    "oɔɒOQø",
    "uʊʉɯɵ",
    "I",
    "WY",
)


@functools.cache
def viseme_of_phone() -> np.ndarray:
    """The class of each number of the phone vocabulary; what no class names looks like the rest position."""
    classes = {letter: number for number, letters in enumerate(VISEMES) for letter in letters}
    plain = [entry.removeprefix(STRESS)[:1] for entry in phone_vocabulary().entries]
    return np.array([classes.get(letter, 0) for letter in plain])
