"""The lessons as slides: the rule that cuts cells into slides, and the pages that show them."""
