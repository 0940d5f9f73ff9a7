"""A trained model: all that is needed to segment an image, in memory and on disk; and segmenting with it.

`load_model` and `save_model` are its folder; `segment` takes one image in memory. `predicting` segments all files of a
folder, `evaluating` compares segmentations with labels.
"""

from nas.model.folder import load_model, save_model
from nas.model.segmenting import Segmentation, Segmenter, segment
from nas.model.trained import TrainedModel, ensemble

__all__ = ["Segmentation", "Segmenter", "TrainedModel", "ensemble", "load_model", "save_model", "segment"]
