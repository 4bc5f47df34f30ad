"""What lanes that are diagnosed say of themselves."""

from memjax.data import load
from memjax.sweep import Spec, run


def trained(**raw):
    raw = {"seeds": 1, "evaluate": {"diagnostics": True}, "train": {"batch_size": 50}} | raw
    raw["train"] |= {"epochs": 1}
    return run(Spec.from_dict(raw), dataset=load("digits").take(100, 50))


def test_lanes_say_what_their_algorithms_and_cells_do():
    algorithms = ["sgd", "mixed_precision", "manhattan", "rprop", "agad"]
    result = trained(axes={"algorithm": algorithms})
    assert result["follows_updates"].values.ravel().tolist() == [1, 0, 0, 0, 1]
    assert result["only_trained"].values.ravel().tolist() == [1, 1, 1, 1, 1]
    refreshed = trained(cell={"kind": "refresh_pair"})
    assert refreshed["only_trained"].item() == 0 and refreshed["follows_updates"].item() == 1
