"""The lessons as static pages: the builder, and what all pages share."""
