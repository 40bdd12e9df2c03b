"""Which points of the 478-point face mesh are which. Left and right are as seen in the picture.

Source: numbering of MediaPipe Face Mesh (Apache-2.0), google-ai-edge/mediapipe, canonical_face_model.
"""

import numpy as np

POINTS = 478

OUTER_UPPER_LIP = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
INNER_UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Four polylines from the left to the right corner, eleven points each."""

OUTER_LIPS = np.array(OUTER_UPPER_LIP + OUTER_LOWER_LIP[-2:0:-1])
INNER_LIPS = np.array(INNER_UPPER_LIP + INNER_LOWER_LIP[-2:0:-1])
"""Closed polygons, twenty points each."""

# fmt: off
LIP_POINTS = np.unique(np.array((
    *OUTER_UPPER_LIP, *OUTER_LOWER_LIP, *INNER_UPPER_LIP, *INNER_LOWER_LIP,
    76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306, 307, 320, 404, 315, 16, 85, 180, 90, 77,
    62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292, 325, 319, 403, 316, 15, 86, 179, 89, 96,
)))
# fmt: on

# fmt: off
STABLE = np.array((
    33, 133, 362, 263, 168, 6, 197, 195, 5, 8, 9, 151, 10, 109, 338, 67, 297, 127, 356, 162, 389,
    116, 345, 34, 264, 143, 372, 122, 351, 193, 417, 245, 465, 48, 278,
))
"""Bone under thin skin: what speech leaves in place, and so what the head's pose is measured from."""

OVAL = np.array((
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
))
# fmt: on
LOWER_OVAL = OVAL[8:29]
"""The jaw line from ear to ear, chin in the middle."""

NOSE_BASE = 2
EYE_CORNERS = ((33, 133), (362, 263))
EYELIDS = ((159, 145), (386, 374))
BROWS = ((105, 66, 107), (334, 296, 336))
IRISES = (468, 473)
