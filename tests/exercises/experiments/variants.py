"""Right solutions of lesson 11's exercises, each written in another way."""

VARIANTS = {}
