"""optimizers.py: writes optimizers.json, the weights after each of some steps of PyTorch's optimisers in float64.

Run by hand in this folder with PyTorch 1.13.1 (Debian's python3-torch).
"""
import json

import torch

BEGIN = [0.5, -1.25, 2.0, 0.0, -0.03125]
GRADIENTS = [[0.25, -0.5, 1.0, 0.125, -2.0], [0.5, 0.5, -1.0, 0.0, -1.0], [-0.75, 0.25, 0.5, -0.125, 0.5],
             [0.0, -0.125, 0.25, 2.0, -0.25]]
RATES = [0.125, 0.0625, 0.03125, 0.125]


def trajectory(make):
    w = torch.tensor(BEGIN, dtype=torch.float64, requires_grad=True)
    optimizer, weights = make([w]), []
    for gradient, rate in zip(GRADIENTS, RATES):
        optimizer.param_groups[0]["lr"] = rate
        w.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        weights.append(w.tolist())
    return weights


rules = {
    "adam": lambda p: torch.optim.Adam(p, lr=1, weight_decay=0.0625),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1, weight_decay=0.0625),
    "sgd": lambda p: torch.optim.SGD(p, lr=1, momentum=0.9, weight_decay=0.0625),
}
written = {"begin": BEGIN, "gradients": GRADIENTS, "rates": RATES, "decay": 0.0625,
           "weights": {name: trajectory(make) for name, make in rules.items()}}
with open("optimizers.json", "w") as f:
    f.write(json.dumps(written).replace("], [", "],\n[").replace("]], ", "]],\n") + "\n")
