"""The miniature world: facts curated by hand, and what is written from them."""
