"""Right solutions of lesson 08's exercises, each written in another way."""

VARIANTS = {}
