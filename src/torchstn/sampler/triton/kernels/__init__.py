"""What runs on the GPU. Whoever imports a module of this folder imports Triton."""
