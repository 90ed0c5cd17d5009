"""The lessons as static pages: the builder, and the parts that all pages share."""
