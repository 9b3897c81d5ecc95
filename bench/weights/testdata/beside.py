"""beside.py: writes beside*.pth, a state dict with everything around it that training scripts keep, and trap*.pth.

Run by hand in this folder with PyTorch 1.13.1 and NumPy 1.24 (Debian's python3-torch, python3-numpy).
"""
import argparse, collections, os, pathlib
from collections import OrderedDict

import numpy as np
import torch


def ramp(*shape):
    n = int(np.prod(shape))
    return (torch.arange(n, dtype=torch.float64) / 8 - 1).reshape(shape).to(torch.float32)


class Order(OrderedDict):
    """A dictionary of the caller's own class."""


class Named:
    """Pickles with arguments that have names (NEWOBJ_EX from protocol 4 on)."""
    def __new__(cls, *, size=0):
        return super().__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"size": 3}


def _rebuild_parameter_with_state(*arguments):
    """Goes by the name of PyTorch 2's function, which 1.13 doesn't have."""


_rebuild_parameter_with_state.__module__ = "torch._utils"
torch._utils._rebuild_parameter_with_state = _rebuild_parameter_with_state


class Stated:
    """Pickles as a parameter with attributes does in PyTorch 2."""
    def __reduce_ex__(self, protocol):
        return torch._utils._rebuild_parameter_with_state, (ramp(3), True, OrderedDict(), {"rate": 0.5})


class Shell:
    def __reduce__(self):
        return os.system, ("touch pwned",)


recursive = ([],)
recursive[0].append(recursive)
around = {
    "rank1": np.float32(0.9), "history": np.arange(3), "milestones": collections.Counter([20, 40]),
    "args": argparse.Namespace(lr=0.1, device=torch.device("cpu"), out=pathlib.PurePosixPath("runs")),
    "size": torch.Size([3, 256, 128]), "dtype": torch.float32, "set": {"stem", "fc"}, "frozen": frozenset("a"),
    "raw": bytearray(b"\x00\xff"), "bytes": b"\x00\xff", "complex": 1 + 2j, "ordered": Order(a=1),
    "defaults": collections.defaultdict(list, a=[1]), "sparse": ramp(2, 2).to_sparse(),
    "by pair": {(0, 1): "a tuple as key", torch.float16: "a type as key"}, "module": torch.nn.ReLU(),
    "big": 1 << 3000, "recursive": recursive, "named": Named(),
}
state = OrderedDict([("weight", ramp(2, 3)), ("bias", torch.nn.Parameter(ramp(2))), ("stated", Stated())])
torch.save({**around, "quantized": torch.quantize_per_tensor(ramp(3), 0.125, 0, torch.quint8), "state_dict": state},
           "beside.pth")
torch.save({**around, "state_dict": state}, "beside_legacy.pth", _use_new_zipfile_serialization=False)
torch.save({**around, "state_dict": state}, "beside_protocol5.pth", pickle_protocol=5)
torch.save({"trap": Shell(), "state_dict": state}, "trap.pth")
