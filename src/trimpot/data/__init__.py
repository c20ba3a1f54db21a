"""Reference data: frames, readers, isolated-atom energies, splits."""

from trimpot.data.frames import Dataset, Frame
from trimpot.data.labels import LabelKeys
from trimpot.data.reading import read
from trimpot.data.report import FileReport, ReadReport
from trimpot.data.rules import ReadRules

__all__ = ["Dataset", "FileReport", "Frame", "LabelKeys", "ReadReport", "ReadRules", "read"]
