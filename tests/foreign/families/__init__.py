"""All families by name: a function of a Draw that returns (world, truth) or (world, truth, notes). Names of innocents begin with i_, of
interference with x_."""
from families import (innocent_ends, innocent_lines, innocent_machines, innocent_networks, innocent_oddities, innocent_people, innocent_senders, interference_cuts,
                      interference_limits, interference_shapes, interference_starts, interference_stories)

MODULES = (innocent_lines, innocent_ends, innocent_people, innocent_senders, innocent_machines, innocent_networks, innocent_oddities, interference_limits,
           interference_stories, interference_shapes, interference_cuts, interference_starts)
FAMILIES = {name: function for module in MODULES for name, function in vars(module).items() if name[:2] in ("i_", "x_") and callable(function)}
