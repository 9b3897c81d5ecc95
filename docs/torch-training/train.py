"""Trains a network in PyTorch as `reidbench run --recipe paper` does, and judges it by the protocol of Market-1501.

    python3 train.py ARCHITECTURE --data FOLDER --out FOLDER --seeds 5 --size 64x32 --head-epochs 1 --epochs 11

ARCHITECTURE is resnet18 or mobilenetv3-small, as torchvision has them, or deit-t16 or lenet, which are below. Written
for PyTorch 2.6, torchvision 0.21, Pillow and NumPy. For every seed from 1 on that it has not been done for it writes
OUT/ARCHITECTURE@SEED.json, with Rank-1 and mAP on the test's people and the mean loss of every epoch, and
OUT/ARCHITECTURE@SEED.csv, with every image's features as `eval --features` does.

The two stages of the paper's recipe: the classifier alone on the features of a network in evaluation mode, then
everything, each with an Adam of its own, a rate (--lr) that is a tenth after 50 epochs, and a decay of 5e-4 as part
of the gradient. Images are decoded and resized by Pillow, normalised by ImageNet's mean and deviation, and mirrored
half of the time; a last batch that is smaller counts, one of a single image doesn't. Weights begin as they do in
reidbench: convolutions normal with variance 2/fan_out, linear layers uniform in ±1/sqrt(fan_in), biases zero, class
token and positions normal with deviation 0.02.
"""
import argparse
import csv
import glob
import json
import os
import re

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import nn

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        n, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.proj(y.transpose(1, 2).reshape(n, tokens, width))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    """DeiT-T16 (Touvron et al. 2021) without its head: patches of 16×16, a class token, 12 pre-norm blocks."""

    def __init__(self, height, width, dim=192, depth=12, heads=3):
        super().__init__()
        self.patches = nn.Conv2d(3, dim, 16, 16)
        self.token = nn.Parameter(torch.zeros(1, 1, dim))
        self.positions = nn.Parameter(torch.zeros(1, 1 + height // 16 * (width // 16), dim))
        self.blocks = nn.Sequential(*(Block(dim, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        return self.norm(self.blocks(x))[:, 0]


def lenet(height, width):
    """LeNet-5 (LeCun et al. 1998) as reidbench has it: without activations."""
    rows, columns = (((side - 4) // 2 - 4) // 2 for side in (height, width))
    return nn.Sequential(nn.Conv2d(3, 6, 5), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(16 * rows * columns, 120), nn.Linear(120, 84))


def network(architecture, height, width, classes):
    """The network up to its features, and its classifier."""
    if architecture == "deit-t16":
        return Transformer(height, width), nn.Linear(192, classes)
    if architecture == "lenet":
        return lenet(height, width), nn.Linear(84, classes)
    if architecture == "resnet18":
        net = torchvision.models.resnet18()
        net.fc = nn.Identity()
        return net, nn.Linear(512, classes)
    net = torchvision.models.mobilenet_v3_small()
    net.classifier[3] = nn.Identity()
    return net, nn.Linear(1024, classes)


def initialise(module):
    for m in module.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(m, nn.Linear):
            nn.init.uniform_(m.weight, -(m.in_features ** -0.5), m.in_features ** -0.5)
        if isinstance(m, (nn.Conv2d, nn.Linear)) and m.bias is not None:
            nn.init.zeros_(m.bias)
        if isinstance(m, Transformer):
            nn.init.normal_(m.token, std=0.02)
            nn.init.normal_(m.positions, std=0.02)


class Images:
    """A folder's images as a tensor [N, 3, H, W], with the people and cameras that the names say."""

    def __init__(self, folder, height, width):
        self.files = sorted(f for f in glob.glob(os.path.join(folder, "*.jpg")) if person(f) >= 0)
        pixels = np.stack([np.asarray(Image.open(f).convert("RGB").resize((width, height), Image.BILINEAR))
                           for f in self.files])
        normalised = ((pixels / 255 - MEAN) / STD).astype(np.float32)
        self.images = torch.from_numpy(normalised.transpose(0, 3, 1, 2).copy())
        self.people = np.array([person(f) for f in self.files])
        self.cameras = np.array([int(re.search(r"_c(\d+)", os.path.basename(f))[1]) for f in self.files])


def person(file):
    return int(os.path.basename(file).split("_")[0])


def train(backbone, classifier, images, labels, options, random):
    """Both stages; returns the mean loss of every epoch."""
    losses = []
    for alone, epochs in (True, options.head_epochs), (False, options.epochs):
        trained = list(classifier.parameters()) + ([] if alone else list(backbone.parameters()))
        adam = torch.optim.Adam(trained, lr=options.lr, weight_decay=5e-4)
        falling = torch.optim.lr_scheduler.StepLR(adam, 50, 0.1)
        backbone.train(not alone)
        for _ in range(epochs):
            total = seen = 0
            for batch in torch.randperm(len(images), generator=random).split(options.batch):
                if len(batch) == 1:
                    continue
                x = images[batch]
                mirrored = torch.rand(len(batch), generator=random) < 0.5
                x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
                with torch.set_grad_enabled(not alone):
                    features = backbone(x)
                loss = nn.functional.cross_entropy(classifier(features), labels[batch])
                adam.zero_grad()
                loss.backward()
                adam.step()
                total, seen = total + loss.item() * len(batch), seen + len(batch)
            falling.step()
            losses.append(total / seen)
    return losses


@torch.no_grad()
def features_of(backbone, images, batch):
    backbone.eval()
    return torch.cat([backbone(x) for x in images.split(batch)]).numpy()


def judge(query, gallery, queries, of_gallery):
    """Rank-1 and mAP in percent, as torchreid counts: what shows the query's person to its own camera is left out."""
    first, precisions = [], []
    for person, camera, feature in zip(queries.people, queries.cameras, query):
        left = (of_gallery.people != person) | (of_gallery.cameras != camera)
        order = np.argsort(((gallery[left] - feature) ** 2).sum(1), kind="stable")
        hits = (of_gallery.people[left] == person)[order]
        if not hits.any():
            continue
        at = np.flatnonzero(hits)
        first.append(hits[0])
        precisions.append(np.mean(np.arange(1, len(at) + 1) / (at + 1)))
    return 100 * np.mean(first), 100 * np.mean(precisions)


def write_features(file, sets):
    with open(file, "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        width = len(sets[0][2][0])
        out.writerow(["file", "pid", "camid", "split"] + [f"f{i}" for i in range(width)])
        for split, images, features in sets:
            for name, pid, camera, row in zip(images.files, images.people, images.cameras, features):
                out.writerow([os.path.basename(name), pid, camera, split] + [str(v) for v in row])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("architecture", choices=["resnet18", "mobilenetv3-small", "deit-t16", "lenet"])
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--size", default="256x128")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--head-epochs", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.makedirs(options.out, exist_ok=True)
    sets = [Images(os.path.join(options.data, folder), *map(int, options.size.split("x")))
            for folder in ("bounding_box_train", "query", "bounding_box_test")]
    for seed in range(1, options.seeds + 1):
        name = os.path.join(options.out, f"{options.architecture}@{seed}")
        if not os.path.exists(name + ".json"):
            run(name, seed, sets, options)


def run(name, seed, sets, options):
    torch.manual_seed(seed)
    trained, queries, of_gallery = sets
    people, labels = np.unique(trained.people, return_inverse=True)
    backbone, classifier = network(options.architecture, *trained.images.shape[2:], len(people))
    initialise(backbone)
    initialise(classifier)
    random = torch.Generator().manual_seed(seed)
    losses = train(backbone, classifier, trained.images, torch.from_numpy(labels), options, random)

    query, gallery = (features_of(backbone, i.images, options.batch) for i in (queries, of_gallery))
    rank1, mean_precision = judge(query, gallery, queries, of_gallery)
    write_features(name + ".csv", [("query", queries, query), ("gallery", of_gallery, gallery)])
    with open(name + ".json", "w") as f:
        json.dump({"architecture": options.architecture, "seed": seed, "size": options.size, "batch": options.batch,
                   "lr": options.lr, "head_epochs": options.head_epochs, "epochs": options.epochs,
                   "torch": torch.__version__, "rank1": rank1, "map": mean_precision, "loss": losses}, f)
        f.write("\n")
    print(f"{name}: Rank-1 {rank1:.2f}, mAP {mean_precision:.2f}, last loss {losses[-1]:.3f}", flush=True)


if __name__ == "__main__":
    main()
