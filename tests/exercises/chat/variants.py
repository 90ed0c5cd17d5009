"""Right solutions of lesson 12's exercises, each written in another way."""

VARIANTS = {}
