"""How good an embedding is: scored pairs, the rates over them, and the torchmetrics class that adds state."""
