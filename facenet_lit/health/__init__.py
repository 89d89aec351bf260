"""What a batch of embeddings tells of a run's health: measurements, the illnesses they show, and what mends them."""
