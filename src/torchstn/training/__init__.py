"""Trainings that can be stopped at any moment: the loop, its folder, its files."""

from .average import WeightAverage as WeightAverage
from .checkpoint import Checkpoint as Checkpoint
from .files import atomic_write as atomic_write
from .lock import FolderInUseError as FolderInUseError
from .loop import Batches as Batches
from .loop import Fitted as Fitted
from .loop import Observer as Observer
from .loop import Part as Part
from .loop import Report as Report
from .loop import Settings as Settings
from .loop import fit as fit
from .memory import keep_freed_memory as keep_freed_memory
from .metrics import Metrics as Metrics
from .progress import Reporter as Reporter
from .provenance import commit as commit
from .provenance import machine as machine
from .run import Run as Run
from .run import to_toml as to_toml
from .schedule import constant as constant
from .schedule import stairs as stairs
from .schedule import warm_cosine as warm_cosine
