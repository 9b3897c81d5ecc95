"""losses.py: writes losses.json, values and gradients of losses as PyTorch computes them in float64.

Run by hand in this folder with PyTorch 1.13.1 (Debian's python3-torch).
"""
import json

import torch
import torch.nn.functional as F


def normal(*shape):
    """Normal values that float32 holds exactly."""
    return torch.randn(*shape, generator=generator).to(torch.float64).mul(1024).round().div(1024)


def case(x, labels, loss, **parameters):
    x = x.clone().requires_grad_()
    value = loss(x, labels)
    value.backward()
    return {**parameters, "values": x.tolist(), "labels": labels.tolist(), "loss": value.item(),
            "gradient": x.grad.tolist()}


def smoothed(smoothing):
    def loss(logits, labels):
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)
    return case(2 * normal(5, 7), torch.tensor([3, 0, 6, 3, 1]), loss, smoothing=smoothing)


generator = torch.Generator().manual_seed(20)
with open("losses.json", "w") as f:
    json.dump({"cross_entropy": [smoothed(0.0), smoothed(0.1), smoothed(0.75)]}, f, indent=1)
    f.write("\n")
