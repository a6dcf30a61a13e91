"""Pictures and tables: everything that is drawn. Needs `pip install "torchstn[figures]"`."""

from .addition_figure import addition_figure as addition_figure
from .box_figure import box_figure as box_figure
from .claims import claims_table as claims_table
from .class_means import class_means as class_means
from .contact_sheet import contact_sheet as contact_sheet
from .curves import curves as curves
from .lattice import draw_grid as draw_grid
from .located import located_figure as located_figure
from .located import moments_figure as moments_figure
from .measured import parts_table as parts_table
from .measured import settled_table as settled_table
from .measured import view_table as view_table
from .paper_figure import paper_figure as paper_figure
from .results import Result as Result
from .results import read_results as read_results
from .results_table import details_table as details_table
from .results_table import results_table as results_table
from .saving import save_figure as save_figure
from .volume_figure import volume_figure as volume_figure
