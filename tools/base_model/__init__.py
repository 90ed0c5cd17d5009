"""How the base model is pretrained: the recipe, its optimizer and its sampled softmax."""
