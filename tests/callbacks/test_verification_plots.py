"""What TensorBoard has of a run, read back and compared with what its checkpoint does to its pictures."""

import io

import numpy as np
import pytest
from dashboard_runs import DashboardRun, drawn_faces, events_of, part_of
from PIL import Image
from sklearn.metrics import roc_auc_score

from facenet_lit.callbacks.verification_plots import VerificationPlots
from facenet_lit.errors import UserError

KINDS = ("roc", "det", "distances")


def test_bad_settings() -> None:
    with pytest.raises(UserError, match=r"callbacks\.curves\.points=2: expected an integer of 3 or more"):
        VerificationPlots(2, 0.5)
    with pytest.raises(UserError, match=r"callbacks\.curves\.share=2: expected a number of 0 or more and at"):
        VerificationPlots(3, 2)


def test_each_validation_the_best_checkpoint_and_the_test_have_their_pictures(
    drawn_run: DashboardRun,
) -> None:
    events = events_of(drawn_run.folder)
    steps = {name: [image.step for image in events.Images(name)] for name in events.Tags()["images"]}
    expected = {f"val/{kind}": [2, 4] for kind in (*KINDS, "false_accepts", "false_rejects")}
    expected |= {f"val_best/{kind}": [4] for kind in (*KINDS, "false_accepts", "false_rejects")}
    expected |= {f"test/{kind}": [4] for kind in KINDS}
    assert steps == expected
    for name in steps:
        image = Image.open(io.BytesIO(events.Images(name)[-1].encoded_image_string))
        assert image.size[0] == 460
        assert len(image.convert("RGB").getcolors(1 << 20)) > 50


def test_the_scalars_are_those_of_an_independent_count(drawn_run: DashboardRun) -> None:
    faces, events = drawn_faces(), events_of(drawn_run.folder)
    numbers = part_of(faces, "test")
    points, people = drawn_run.embeddings(faces, numbers).double().numpy(), faces.identities[numbers]
    first, second = np.triu_indices(len(numbers), 1)
    apart, same = np.linalg.norm(points[first] - points[second], axis=1), people[first] == people[second]
    last = {name: events.Scalars(name)[-1].value for name in events.Tags()["scalars"]}
    assert last["test/tar"] == pytest.approx((apart[same] < 1.1).mean())
    assert last["test/far"] == pytest.approx((apart[~same] < 1.1).mean())
    assert last["test/auc"] == pytest.approx(roc_auc_score(same, -apart), abs=1e-4)
    assert last["test/genuine_distance"] == pytest.approx(apart[same].mean(), abs=1e-5)
    for f in (0.1, 0.01):
        closest = np.sort(apart[~same])[int(f * (~same).sum())]
        assert last[f"test/tar_at_far_1e-{round(-np.log10(f))}"] == pytest.approx(
            (apart[same] < closest).mean()
        )
    assert {name: last[name] for name in last if name.startswith("test/")} == pytest.approx(
        {k: v for k, v in drawn_run.metrics.items() if k.startswith("test/") and v is not None}
    )
