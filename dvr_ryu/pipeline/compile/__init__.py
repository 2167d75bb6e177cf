"""Values → OpenFlow bytes: lines are compiled once, then filled with the rows of a view. Pure."""
