"""Hot keys: which partition keys get most of the traffic, and what is to be done about each."""
