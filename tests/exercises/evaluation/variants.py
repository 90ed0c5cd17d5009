"""Right solutions of lesson 10's exercises, each written in another way."""

VARIANTS = {}
