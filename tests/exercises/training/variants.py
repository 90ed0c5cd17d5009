"""Right solutions of lesson 09's exercises, each written in another way."""

VARIANTS = {}
