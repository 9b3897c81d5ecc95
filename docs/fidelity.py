"""Holds features against those of PyTorch and Pillow, on a folder of JPEGs, by files that three libraries write.

    python3 docs/fidelity.py LIBRARY --reidbench FILE --data DIR [--only PATTERN …]

LIBRARY is torchvision, timm or torchreid and must be importable. For each row it makes the library's network with
random weights and running statistics, saves them as the library does, has `reidbench eval --features` read them, and
prints the largest difference of any feature to the library's, by the largest feature. Where that is more than 5e-6, it
also prints how far ours and the library's are from what the library computes in float64: both round, and a network may
amplify that. No weights are downloaded. fidelity.md has the table.
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

ROWS = {  # row and its network there, or its names from the oldest version on
    "torchvision": [
        ("alexnet", "alexnet"), ("vgg16", "vgg16"), ("inceptionv3", "inception_v3"), ("resnet50", "resnet50"),
        ("resnext50-32x4d", "resnext50_32x4d"), ("wide-resnet50", "wide_resnet50_2"), ("densenet169", "densenet169"),
        ("mobilenetv2-100", "mobilenet_v2"), ("mobilenetv3-small", "mobilenet_v3_small"),
        ("efficientnet-b4", "efficientnet_b4"), ("efficientnetv2-s", "efficientnet_v2_s"),
        ("regnetx-032", "regnet_x_3_2gf"), ("regnety-032", "regnet_y_3_2gf"), ("convnext-tiny", "convnext_tiny"),
        ("vit-b16", "vit_b_16"), ("efficientnet_b5", "efficientnet_b5"),
    ],
    "timm": [
        ("vgg16", "vgg16"), ("inceptionv3", "inception_v3"), ("inceptionv3", "tf_inception_v3"),
        ("inceptionv4", "inception_v4"), ("inception-resnetv2", "inception_resnet_v2"),
        ("xception", "xception legacy_xception"), ("xception-standard", "xception legacy_xception"),
        ("resnet50", "resnet50"), ("resnext50-32x4d", "resnext50_32x4d"), ("wide-resnet50", "wide_resnet50_2"),
        ("densenet169", "densenet169"), ("seresnet50", "seresnet50"), ("senet154", "legacy_senet154"),
        ("senet154-standard", "legacy_senet154"), ("mobilenetv2-100", "mobilenetv2_100"),
        ("mobilenetv3-small", "mobilenetv3_small_100"), ("mobilenetv3-small", "tf_mobilenetv3_small_100"),
        ("efficientnet-b4", "efficientnet_b4"), ("efficientnet-b4", "tf_efficientnet_b4"),
        ("efficientnetv2-s", "efficientnetv2_s"), ("efficientnetv2-s", "tf_efficientnetv2_s"),
        ("regnetx-032", "regnetx_032"), ("regnety-032", "regnety_032"), ("hrnet-w32", "hrnet_w32"),
        ("convnext-tiny", "convnext_tiny"), ("vit-b16", "vit_base_patch16_224"), ("deit-t16", "deit_tiny_patch16_224"),
        ("deit-s16", "deit_small_patch16_224"), ("deit-b16", "deit_base_patch16_224"),
        ("deit-t16-distiled-hard", "deit_tiny_distilled_patch16_224"),
        ("deit-s16-distiled-hard", "deit_small_distilled_patch16_224"),
        ("deit-b16-distiled-hard", "deit_base_distilled_patch16_224"),
        ("deit-t16-distiled-soft", "deit_tiny_distilled_patch16_224"),
        ("deit-s16-distiled-soft", "deit_small_distilled_patch16_224"),
        ("deit-b16-distiled-soft", "deit_base_distilled_patch16_224"),
        ("tnt-s", "tnt_s_patch16_224 tnt_s_legacy_patch16_224"), ("mobilenetv1", "mobilenetv1_100"),
        ("mobilenet_v3_large", "tf_mobilenetv3_large_100"), ("efficientnet_b0", "tf_efficientnet_b0"),
    ],
    "torchreid": [
        ("osnet", "osnet_x1_0"), ("inceptionv4", "inceptionv4"), ("inception-resnetv2", "inceptionresnetv2"),
        ("xception-standard", "xception"), ("resnet50", "resnet50"), ("resnext50-32x4d", "resnext50_32x4d"),
        ("densenet169", "densenet169"), ("senet154", "senet154"),
        ("senet154-standard", "senet154"), ("resnet18", "resnet18"),
    ],
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


def as_row(row, name, model):
    """Some rows compute something else of the same tensors than the library's network does."""
    if row == "senet154":
        model.layer0.conv3.stride = (3, 3)
    if row == "xception":
        model.act2 = torch.nn.Identity()
    if row == "vgg16" and name == "timm":
        model.pre_logits.register_forward_pre_hook(lambda _, x: torch.nn.functional.adaptive_avg_pool2d(x[0], 7))
    return model


def randomise(model, images):
    """Draws parameters, and running statistics near those of the images, layer by layer: activations neither grow nor
    vanish. Scales and shifts are chosen for little amplification: with 0.5 to 1.2 and -0.3 to 0.3, PyTorch's own
    rounding in EfficientNetV2-S and MobileNetV2 is about ten times larger."""
    draw = torch.Generator().manual_seed(1)
    uniform = lambda t, low, high: torch.rand(t.shape, generator=draw) * (high - low) + low
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    scales = {id(norm.weight) for norm in norms}
    for name, t in model.named_parameters():
        if id(t) in scales:
            t.copy_(uniform(t, 0.2, 0.6))
        elif t.dim() > 1 and not any(part in name for part in ("pos", "token", "gamma", "layer_scale")):
            t.copy_(uniform(t, -1, 1) * (3 / t[0].numel()) ** 0.5)
        else:
            t.copy_(uniform(t, 0.5, 1.2) if name.endswith("weight") else uniform(t, -0.3, 0.3))
    for norm in norms:
        norm.bias.copy_(uniform(norm.bias, 0, 0.6))

    def settle(norm, inputs):
        channels = inputs[0].transpose(0, 1).flatten(1)
        mean, var = channels.mean(1), channels.var(1)
        norm.running_mean.copy_(mean + uniform(mean, -0.1, 0.1) * var.sqrt())
        norm.running_var.copy_(var * uniform(var, 0.7, 1.3))
    hooks = [norm.register_forward_pre_hook(settle) for norm in norms]
    if norms:
        model.eval()(images)
    for hook in hooks:
        hook.remove()


def resized(embedding, grid):
    side = int((embedding.shape[1] - 1) ** 0.5)
    square = embedding[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    square = torch.nn.functional.interpolate(square, size=grid, mode="bicubic", align_corners=False)
    return torch.cat([embedding[:, :1], square.flatten(2).transpose(1, 2)], 1)


def embedder(lib, name, network, model):
    """A function of images to what the last linear layer reads."""
    if name == "torchreid":
        return lambda images: model.eval().to(images.dtype)(images)
    if name == "torchvision":
        head = [m for m in model.modules() if isinstance(m, torch.nn.Linear)][-1]
        if network.startswith("vit"):
            model.encoder.pos_embedding = torch.nn.Parameter(resized(model.encoder.pos_embedding, (16, 8)))
            model._process_input = lambda x: model.conv_proj(x).flatten(2).transpose(1, 2)
    else:
        if network.startswith(("vit", "deit", "tnt")):
            state = model.state_dict()
            key = "pos_embed" if "pos_embed" in state else "patch_pos"
            if "dist_token" in state:  # the rows have no such token, nor its position
                network = network.replace("_distilled", "")
                state = {name: t for name, t in state.items() if "dist" not in name}
                state[key] = torch.cat([state[key][:, :1], state[key][:, 2:]], 1)
            model = lib.create_model(network, img_size=(256, 128))
            model.load_state_dict(state | {key: resized(state[key], (16, 8))})
        head = model.get_classifier()
    inputs = []
    head.register_forward_hook(lambda module, given, output: inputs.append(given[0].flatten(1)))
    model.eval()

    def embed(images):
        model.to(images.dtype)(images)
        return inputs.pop()
    return embed


def normalised(pixels, mean, std):
    x = (torch.from_numpy(pixels) / 255 - torch.tensor(mean)) / torch.tensor(std)
    return x.permute(0, 3, 1, 2).contiguous()


def ours(row, path, table):
    """The features by file's name."""
    command = [options.reidbench, "eval", row, "--weights", path, "--data", options.data, "--features", table]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(run.stderr.strip())
    with open(table) as f:
        rows = {os.path.basename(r["file"]): r for r in csv.DictReader(f)}
    width = sum(name[0] == "f" and name[1:].isdigit() for name in next(iter(rows.values())))
    return numpy.array([[float(rows[os.path.basename(f)][f"f{i}"]) for i in range(width)] for f in files])


def measure(row, network):
    """The file's name and the distances."""
    model = as_row(row, options.library, create(lib, options.library, network))
    mean, std = IMAGENET
    if options.library == "timm":
        mean, std = model.default_cfg["mean"], model.default_cfg["std"]
    images = normalised(pixels, mean, std)
    randomise(model, images)
    name = f"{network}-01234567.pth"
    if options.library == "torchvision" and network == "inception_v3":
        name = "inception_v3_google-01234567.pth"
    if options.library == "torchreid":
        name = f"{network}_imagenet.pth"
    with tempfile.TemporaryDirectory() as folder:
        state = model.state_dict()
        torch.save({"state_dict": state, "epoch": 1} if options.library == "torchreid" else state, f"{folder}/{name}")
        got = ours(row, f"{folder}/{name}", f"{folder}/features.csv")
    embed = embedder(lib, options.library, network, model)
    want = embed(images).numpy()
    distance = lambda a, b: abs(a - b).max() / abs(want).max()
    if distance(got, want) <= 5e-6:
        return name, f"{distance(got, want):.1e} | |"
    exact = embed(normalised(pixels.astype(float), mean, std)).numpy()
    return name, " | ".join(f"{distance(*pair):.1e}" for pair in ((got, want), (got, exact), (want, exact)))


parser = argparse.ArgumentParser()
parser.add_argument("library")
parser.add_argument("--reidbench", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--only", default=["*"], help="rows, by a pattern", nargs="+")
options = parser.parse_args()
torch.set_grad_enabled(False)
torch.set_num_threads(2)
lib, version = library(options.library)
files = [f for d in ("query", "bounding_box_test") for f in sorted(glob.glob(f"{options.data}/{d}/*.jpg"))
         if not os.path.basename(f).startswith("-1_")]  # junk has no features
pixels = numpy.stack([numpy.asarray(Image.open(f).convert("RGB").resize((128, 256), Image.BILINEAR)) for f in files])
pixels = pixels.astype(numpy.float32)
for row, networks in ROWS[options.library]:
    known = [n for n in networks.split() if options.library != "timm" or lib.is_model(n)]
    if not any(fnmatch.fnmatch(row, pattern) for pattern in options.only) or not known:
        continue
    try:
        name, distances = measure(row, known[-1])
    except Exception as failure:  # the other rows are measured nevertheless
        name, distances = known[-1], f"{type(failure).__name__}: {failure}"
    print(f"| {row} | {options.library} {version} | `{name}` | {distances} |", flush=True)
