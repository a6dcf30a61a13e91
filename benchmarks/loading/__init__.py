"""How fast pictures of a folder become batches, beside the way one would write it with Pillow."""
