"""The paper's tables: what there is to train, what it costs, and many trainings side by side."""

from .cells import ALL as ALL
from .cells import EXPERIMENTS as EXPERIMENTS
from .cells import Cell as Cell
from .cells import beside as beside
from .cells import paper_numbers as paper_numbers
from .cells import presets as presets
from .cells import select as select
from .costs import Cost as Cost
from .costs import Costs as Costs
from .costs import costs_path as costs_path
from .costs import measure as measure
from .costs import read_costs as read_costs
from .costs import read_costs_elsewhere as read_costs_elsewhere
from .costs import write_costs as write_costs
from .job import Job as Job
from .job import Progress as Progress
from .plan import Guess as Guess
from .plan import Plan as Plan
from .plan import Whole as Whole
from .plan import in_all as in_all
from .scheduler import Outcome as Outcome
from .scheduler import Scheduler as Scheduler
from .scheduler import View as View
from .tables import costs_table as costs_table
from .tables import duration as duration
from .view import Terminal as Terminal
