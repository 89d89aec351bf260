import numpy as np
import torch
from torch.utils.data import DataLoader

from facenet_lit.batch import BatchPlan
from facenet_lit.data.augmentation import Augmentation, Changes
from facenet_lit.data.dataset import EverySampler, FaceDataset

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 64, 64, 3), dtype=np.uint8)
IDENTITIES = np.arange(10) // 2


def test_a_batch_holds_what_its_plan_says() -> None:
    triplets = np.array([[0, 1, 2]])
    plan = BatchPlan(0, 0, np.array([4, 5, 4]), triplets)
    batch = FaceDataset(IMAGES, IDENTITIES)[plan]
    assert batch.images.dtype == torch.uint8
    assert batch.images.shape == (3, 3, 64, 64)
    for row, number in enumerate([4, 5, 4]):
        assert np.array_equal(batch.images[row].numpy().transpose(1, 2, 0), IMAGES[number])
    assert batch.identities.tolist() == [2, 2, 2]
    assert batch.numbers.tolist() == [4, 5, 4]
    assert batch.triplets is not None
    assert batch.triplets.tolist() == [[0, 1, 2]]
    assert batch.images.is_contiguous(memory_format=torch.channels_last)


def test_augmentation_is_seeded_by_epoch_and_batch() -> None:
    data = FaceDataset(IMAGES, IDENTITIES, Augmentation(Changes(rotate=20)), seed=5)
    numbers = np.arange(4)

    def images(epoch: int, index: int) -> torch.Tensor:
        return data[BatchPlan(epoch, index, numbers, None)].images

    assert torch.equal(images(1, 2), images(1, 2))
    assert not torch.equal(images(1, 2), images(1, 3))
    assert not torch.equal(images(1, 2), images(2, 2))
    other = FaceDataset(IMAGES, IDENTITIES, Augmentation(Changes(rotate=20)), seed=6)
    assert not torch.equal(other[BatchPlan(1, 2, numbers, None)].images, images(1, 2))


def test_batches_do_not_alias_the_pack() -> None:
    batch = FaceDataset(IMAGES, IDENTITIES)[BatchPlan(0, 0, np.arange(10), None)]
    before = IMAGES.copy()
    batch.images.zero_()
    assert np.array_equal(IMAGES, before)


def test_every_image_once_and_in_order_with_and_without_workers() -> None:
    numbers = np.array([1, 3, 5, 6, 8])
    for workers in (0, 2):
        sampler = EverySampler(numbers, 2)
        loader = DataLoader(
            FaceDataset(IMAGES, IDENTITIES), sampler=sampler, batch_size=None, num_workers=workers
        )
        batches = list(loader)
        assert len(batches) == len(sampler) == 3
        assert torch.cat([batch.numbers for batch in batches]).tolist() == numbers.tolist()


def test_processes_share_a_batch_and_lose_nothing() -> None:
    numbers, triplets = np.array([4, 5, 4, 9, 0, 2, 7]), np.array([[0, 1, 3], [3, 2, 0], [6, 5, 4]])
    plan = BatchPlan(1, 2, numbers, triplets)
    augmentation = Augmentation(Changes(rotate=20, erase=0.5))
    whole = FaceDataset(IMAGES, IDENTITIES, augmentation, 5)[plan]
    for world in (2, 3, 8):
        parts = [FaceDataset(IMAGES, IDENTITIES, augmentation, 5, rank, world)[plan] for rank in range(world)]
        sizes = [len(part.numbers) for part in parts]
        assert max(sizes) - min(sizes) <= 1
        assert {part.total for part in parts} == {part.global_rows for part in parts} == {7}
        assert [part.first for part in parts] == [sum(sizes[:rank]) for rank in range(world)]
        for column in ("images", "identities", "numbers", "views"):
            joined = torch.cat([getattr(part, column) for part in parts])
            assert torch.equal(joined, getattr(whole, column)), column
        # Each triplet belongs to the process of its anchor, which counts that from its own first row.
        told = torch.cat([part.triplets + torch.tensor([part.first, 0, 0]) for part in parts])
        assert sorted(told.tolist()) == sorted(triplets.tolist())
