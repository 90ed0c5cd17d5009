"""Races against other libraries, one command each; they report ratios, for machines differ."""
