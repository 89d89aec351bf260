"""Which images are drawn: identities, splits and their audit, triplets, batches, augmentation."""
