"""Holds features against those of PyTorch and Pillow, on a folder of JPEGs, by files that three libraries write.

    python3 docs/fidelity.py LIBRARY --reidbench FILE --data DIR [--only PATTERN]

LIBRARY is torchvision, timm or torchreid and must be importable. For each row it makes the library's network with
random weights and running statistics, saves them as the library does, has `reidbench eval --features` read them, and
prints the largest difference of any feature to the library's, by the largest feature. No weights are downloaded.
fidelity.md has the table.
"""
import argparse
import csv
import fnmatch
import glob
import importlib
import os
import subprocess
import sys
import tempfile
import types

import numpy
import torch
from PIL import Image

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

ROWS = {  # row: network there
    "torchvision": {
        "alexnet": "alexnet", "vgg16": "vgg16", "inceptionv3": "inception_v3", "resnet50": "resnet50",
        "resnext50-32x4d": "resnext50_32x4d", "wide-resnet50": "wide_resnet50_2", "densenet169": "densenet169",
        "mobilenetv2-100": "mobilenet_v2", "mobilenetv3-small": "mobilenet_v3_small",
        "efficientnet-b4": "efficientnet_b4", "efficientnet_b5": "efficientnet_b5",
        "efficientnetv2-s": "efficientnet_v2_s", "regnetx-032": "regnet_x_3_2gf",
        "regnety-032": "regnet_y_3_2gf", "convnext-tiny": "convnext_tiny", "vit-b16": "vit_b_16",
    },
    "timm": {
        "inceptionv3": "inception_v3", "inceptionv4": "inception_v4", "inception-resnetv2": "inception_resnet_v2",
        "xception-standard": "legacy_xception", "resnet50": "resnet50", "densenet169": "densenet169",
        "seresnet50": "seresnet50", "senet154-standard": "legacy_senet154", "mobilenetv1": "mobilenetv1_100",
        "mobilenetv2-100": "mobilenetv2_100", "mobilenetv3-small": "mobilenetv3_small_100",
        "mobilenet_v3_large": "tf_mobilenetv3_large_100", "efficientnet-b4": "efficientnet_b4",
        "efficientnet_b0": "tf_efficientnet_b0",
        "efficientnetv2-s": "tf_efficientnetv2_s", "regnetx-032": "regnetx_032",
        "regnety-032": "regnety_032", "hrnet-w32": "hrnet_w32", "convnext-tiny": "convnext_tiny",
        "vit-b16": "vit_base_patch16_224", "deit-t16": "deit_tiny_patch16_224", "deit-s16": "deit_small_patch16_224",
        "deit-b16": "deit_base_patch16_224", "tnt-s": "tnt_s_patch16_224 tnt_s_legacy_patch16_224",
    },
    "torchreid": {
        "osnet": "osnet_x1_0", "resnet50": "resnet50", "resnet18": "resnet18", "densenet169": "densenet169",
        "inceptionv4": "inceptionv4", "inception-resnetv2": "inceptionresnetv2", "xception-standard": "xception",
    },
}


def library(name):
    """The library; of torchreid only the models, without what reads datasets."""
    if name == "torchreid":
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(p, name) for p in sys.path if os.path.isdir(os.path.join(p, name))]
        sys.modules[name] = package
        return importlib.import_module("torchreid.models"), "1.4.0"
    module = importlib.import_module(name)
    return module, module.__version__


def create(lib, name, network, **options):
    if name == "torchvision":
        if network == "inception_v3":  # as with its published weights
            options |= {"transform_input": True, "init_weights": False}
        return getattr(lib.models, network)(weights=None, **options)
    if name == "timm":
        return lib.create_model(network, **options)
    return lib.build_model(network, 1000, loss="softmax", pretrained=False)


def randomise(model, images):
    """Draws parameters, and running statistics near those of the images: activations neither grow nor vanish."""
    draw = torch.Generator().manual_seed(1)
    uniform = lambda t, low, high: torch.rand(t.shape, generator=draw) * (high - low) + low
    for name, t in model.named_parameters():
        if t.dim() > 1 and not any(part in name for part in ("pos", "token", "gamma", "layer_scale")):
            t.copy_(uniform(t, -1, 1) * (3 / t[0].numel()) ** 0.5)
        else:
            t.copy_(uniform(t, 0.5, 1.2) if name.endswith("weight") else uniform(t, -0.3, 0.3))
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        model.train()
        model(images)
    for norm in norms:
        norm.running_mean += uniform(norm.running_mean, -0.1, 0.1) * norm.running_var.sqrt()
        norm.running_var *= uniform(norm.running_var, 0.7, 1.3)


def resized(embedding, grid):
    side = int((embedding.shape[1] - 1) ** 0.5)
    square = embedding[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    square = torch.nn.functional.interpolate(square, size=grid, mode="bicubic", align_corners=False)
    return torch.cat([embedding[:, :1], square.flatten(2).transpose(1, 2)], 1)


def features(lib, name, network, model, images):
    """The input of the last linear layer."""
    if name == "torchreid":
        return model.eval()(images)
    if name == "torchvision":
        head = [m for m in model.modules() if isinstance(m, torch.nn.Linear)][-1]
        if network.startswith("vit"):
            model.encoder.pos_embedding = torch.nn.Parameter(resized(model.encoder.pos_embedding, (16, 8)))
            model._process_input = lambda x: model.conv_proj(x).flatten(2).transpose(1, 2)
    else:
        if network.startswith(("vit", "deit", "tnt")):
            state = model.state_dict()
            key = "pos_embed" if "pos_embed" in state else "patch_pos"
            model = lib.create_model(network, img_size=(256, 128))
            model.load_state_dict(state | {key: resized(state[key], (16, 8))})
        head = model.get_classifier()
    inputs = []
    head.register_forward_hook(lambda module, given, output: inputs.append(given[0].flatten(1)))
    model.eval()(images)
    return inputs[0]


def normalised(pixels, mean, std):
    x = (torch.from_numpy(pixels) / 255 - torch.tensor(mean)) / torch.tensor(std)
    return x.permute(0, 3, 1, 2).contiguous()


parser = argparse.ArgumentParser()
parser.add_argument("library")
parser.add_argument("--reidbench", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--only", default="*")
options = parser.parse_args()
torch.set_grad_enabled(False)
torch.set_num_threads(2)
lib, version = library(options.library)
files = [f for d in ("query", "bounding_box_test") for f in sorted(glob.glob(f"{options.data}/{d}/*.jpg"))]
pixels = numpy.stack([numpy.asarray(Image.open(f).convert("RGB").resize((128, 256), Image.BILINEAR)) for f in files])
pixels = pixels.astype(numpy.float32)
for row, networks in ROWS[options.library].items():
    known = [n for n in networks.split() if options.library != "timm" or lib.is_model(n)]
    if not fnmatch.fnmatch(row, options.only) or not known:
        continue
    network = known[-1]
    model = create(lib, options.library, network)
    mean, std = IMAGENET
    if options.library == "timm":
        config = model.default_cfg
        mean, std = config["mean"], config["std"]
    images = normalised(pixels, mean, std)
    randomise(model, images)
    state = model.state_dict()
    with tempfile.TemporaryDirectory() as folder:
        path, table = f"{folder}/{network}-01234567.pth", f"{folder}/features.csv"
        if options.library == "torchvision" and network == "inception_v3":
            path = f"{folder}/inception_v3_google-01234567.pth"
        if options.library == "torchreid":
            path = f"{folder}/{network}_imagenet.pth"
        torch.save({"state_dict": state, "epoch": 1} if options.library == "torchreid" else state, path)
        command = [options.reidbench, "eval", row, "--weights", path, "--data", options.data, "--features", table]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            print(f"| {row} | {options.library} {version} | `{network}` | {run.stderr.strip()} |", flush=True)
            continue
        with open(table) as f:
            rows = {os.path.basename(r["file"]): r for r in csv.DictReader(f)}
    want = features(lib, options.library, network, model, images).numpy()
    got = numpy.array([[float(rows[os.path.basename(f)][f"f{i}"]) for i in range(want.shape[1])] for f in files])
    difference = abs(got - want).max() / abs(want).max()
    print(f"| {row} | {options.library} {version} | `{network}` | {difference:.1e} |", flush=True)
