"""strong.py: writes resnet18.json, a trajectory of the strong recipe's losses as ../README.md describes trajectories.

ResNet-18 of torchvision with a last stride of 1 and a neck; label smoothing 0.1, and the batch-hard triplet loss with a
margin of 0.3 on what is before the neck. The labels are 5, 5, 9, 9. Run by hand in this folder with PyTorch 1.13.1 and
torchvision 0.14 (Debian's python3-torch and python3-torchvision).
"""
import json

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

LABELS = torch.tensor([5, 5, 9, 9])


def values(name, count):
    h = np.uint64(0xcbf29ce484222325)
    with np.errstate(over="ignore"):
        for byte in name.encode():
            h = (h ^ np.uint64(byte)) * np.uint64(0x100000001b3)
        x = h + np.arange(count, dtype=np.uint64) + np.uint64(0x9e3779b97f4a7c15)
        x = (x ^ x >> np.uint64(30)) * np.uint64(0xbf58476d1ce4e5b9)
        x = (x ^ x >> np.uint64(27)) * np.uint64(0x94d049bb133111eb)
        x = x ^ x >> np.uint64(31)
    return (x >> np.uint64(40)).astype(np.float64) / 2**24 * 2 - 1


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.base = torchvision.models.resnet18()
        self.base.layer4[0].conv1.stride = self.base.layer4[0].downsample[0].stride = (1, 1)
        self.base.fc = torch.nn.Identity()
        self.bottleneck = torch.nn.BatchNorm1d(512)
        self.bottleneck.bias.requires_grad_(False)
        self.fc = torch.nn.Linear(512, 751, bias=False)

    def forward(self, x):
        before = self.base(x)
        after = self.bottleneck(before)
        return before, after, self.fc(after)


def loss_of(before, logits):
    distances = (before[:, None] - before[None]).pow(2).sum(-1).clamp(min=1e-12).sqrt()
    alike = LABELS[:, None] == LABELS[None]
    farthest = distances.masked_fill(~alike, -1).max(1)[0]
    nearest = distances.masked_fill(alike, float("inf")).min(1)[0]
    triplet = F.margin_ranking_loss(nearest, farthest, torch.ones_like(farthest), margin=0.3)
    return F.cross_entropy(logits, LABELS, label_smoothing=0.1) + triplet


def published(name):
    return name.removeprefix("base.")


def traces(x):
    return [row[:4].tolist() + [row.norm().item()] for row in x.detach()]


def trajectory(dtype):
    net = Network()
    for name, p in net.named_parameters():
        v = values(published(name), p.numel())
        if p.dim() >= 2 and name.endswith("weight"):
            v = v * np.sqrt(6 / np.prod(p.shape[1:]))
        elif name.endswith("weight"):
            v = 1 + 0.1 * v
        else:
            v = 0.1 * v
        p.data = torch.tensor(v.astype(np.float32)).reshape(p.shape).to(dtype)
    net = net.to(dtype)
    n, c, h, w = np.meshgrid(*(np.arange(s) for s in (4, 3, 256, 128)), indexing="ij")
    wave = np.sin(2 * np.pi * ((n + 1) * h / 64 + (c + 1) * w / 48 + (3 * n + c) / 7))
    images = wave + 0.25 * values("input", wave.size).reshape(wave.shape)
    images = torch.tensor(images.astype(np.float32)).to(dtype)

    net.eval()
    with torch.no_grad():
        features0 = traces(net(images)[1])
    net.train()
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=5e-4, weight_decay=5e-4)
    losses, logits0, grads = [], None, []
    for step in range(4):
        before, _, logits = net(images)
        loss = loss_of(before, logits)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            logits0 = traces(logits)
            for name, p in net.named_parameters():
                name, g = published(name), torch.zeros_like(p) if p.grad is None else p.grad
                probe = (g.flatten().double() * torch.tensor(values(name + ".probe", g.numel()))).sum().item()
                grads.append([name, list(p.shape), g.double().norm().item(), probe])
        if step < 3:
            optimizer.step()
    running = [[published(name), b.double().norm().item()] for name, b in net.named_buffers() if "running" in name]
    return {"features0": features0, "loss": losses, "logits": logits0, "grads": grads, "running": running}


torch.set_num_threads(2)
exact, single = trajectory(torch.float64), trajectory(torch.float32)
whole = np.sqrt(sum(g[2]**2 for g in exact["grads"]))


def farthest(index):
    return max(abs(a[index] - b[index]) / (a[2] + 1e-3 * whole) for a, b in zip(exact["grads"], single["grads"]))


exact["float32"] = {
    "loss": single["loss"], "features0": single["features0"], "logits": single["logits"],
    "grad_norm_max_rel": farthest(2), "grad_probe_max_rel": farthest(3),
    "running_max_rel": max(abs(a[1] - b[1]) / a[1] for a, b in zip(exact["running"], single["running"])),
}
with open("resnet18.json", "w") as f:
    f.write(json.dumps(exact).replace("], [", "],\n[").replace(', "', ',\n"') + "\n")
