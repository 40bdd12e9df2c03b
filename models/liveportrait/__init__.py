"""LivePortrait: a face's motion as 21 keypoints, and pictures from them (https://github.com/KwaiVGI/LivePortrait).

The networks are those of the released weights, name by name; the code is our own.
"""
