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


def triplet(margin, features, labels):
    """margin 0 stands for the soft one; only images that have a positive and a negative count."""
    def loss(x, labels):
        distances = (x[:, None] - x[None]).pow(2).sum(-1).clamp(min=1e-12).sqrt()
        alike = labels[:, None] == labels[None]
        positive = alike & ~torch.eye(len(labels), dtype=torch.bool)
        anchors = positive.any(1) & ~alike.all(1)
        farthest = distances.masked_fill(~positive, -1).max(1)[0][anchors]
        nearest = distances.masked_fill(alike, float("inf")).min(1)[0][anchors]
        if not anchors.any():
            return 0 * x.sum()
        if margin == 0:
            return F.soft_margin_loss(nearest - farthest, torch.ones_like(farthest))
        return F.margin_ranking_loss(nearest, farthest, torch.ones_like(farthest), margin=margin)
    return case(features, torch.tensor(labels), loss, margin=margin)


def triplets():
    apart = normal(12, 5)
    people = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    close = apart / 8 + 4 * torch.eye(5, dtype=torch.float64)[people]  # easy: some are beyond the margin
    same = apart[[0, 1, 1, 2, 3, 3, 4, 5, 5, 5, 6, 7]]  # images that are there several times
    for features, labels in [(apart, people), (close, people), (same, people), (apart, [0, 1, 2, 3, 4, 5] + 6 * [6]),
                             (apart, 12 * [1]), (apart[:2], [0, 1])]:
        for margin in [0.0, 0.3, 4.5]:
            yield triplet(margin, features, labels)


generator = torch.Generator().manual_seed(20)
losses = {"cross_entropy": [smoothed(0.0), smoothed(0.1), smoothed(0.75)], "triplet": list(triplets())}
with open("losses.json", "w") as f:
    f.write(json.dumps(losses).replace("], [", "],\n[").replace("}, {", "},\n{") + "\n")
