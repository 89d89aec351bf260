import pytest

from facenet_lit.errors import UserError
from facenet_lit.places import MEETING, Place, first_host, place_of

TORCHRUN = {
    "RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "1",
    "MASTER_ADDR": "n0", "MASTER_PORT": "29500",
}  # fmt: skip
SLURM = {
    "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": "2", "SLURM_STEP_NODELIST": "gpu[07-08],x1",
    "SLURM_JOB_ID": "123456", "SLURM_PROCID": "2", "SLURM_LOCALID": "0", "SLURM_NODEID": "1",
}  # fmt: skip


def test_where_a_process_stands() -> None:
    assert place_of({}) is place_of({"WORLD_SIZE": "1"}) is place_of({"SLURM_NTASKS": "4"}) is None
    assert place_of(TORCHRUN) == Place(3, 4, 1, 2, 1, "tcp://n0:29500")
    assert place_of({**TORCHRUN, "TORCHELASTIC_USE_AGENT_STORE": "True"}).meeting == "env://"
    assert place_of({**TORCHRUN, MEETING: "file:///tmp/x"}).meeting == "file:///tmp/x"
    assert place_of(SLURM) == Place(2, 4, 0, 2, 1, f"tcp://gpu07:{15000 + 31 * 123456 % 17000}")
    assert place_of({**SLURM, "SLURM_STEP_ID": "1"}).meeting != place_of(SLURM).meeting
    named = {**SLURM, "MASTER_ADDR": "head", "MASTER_PORT": "5"}
    assert place_of(named).meeting == "tcp://head:5"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"WORLD_SIZE": "2"}, "^MASTER_ADDR: not set"),
        ({**TORCHRUN, "RANK": "first"}, "expected integers"),
        ({"WORLD_SIZE": "many"}, "expected integers"),
        (
            {**SLURM, "SLURM_STEP_NUM_TASKS": "3"},
            "SLURM_STEP_NUM_TASKS=3: expected as many on each of 2 nodes",
        ),
    ],
)
def test_an_environment_that_says_half(environment: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        place_of(environment)


@pytest.mark.parametrize(
    ("hosts", "first"),
    [("a", "a"), ("a,b", "a"), ("a[03-05,9],b1", "a03"), ("n-[1,7]", "n-1"), ("r1c[02-03]n[1-2]", "r1c02n1")],
)
def test_the_first_host_of_a_list(hosts: str, first: str) -> None:
    assert first_host(hosts) == first
