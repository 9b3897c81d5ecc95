"""Writes conventions/*.json: what PyTorch makes of one image by networks of the libraries whose files are read, and how
those libraries name and shape their tensors. Run by hand, once with each library on the path:

    PYTHONPATH=.../pytorch-image-models python3 conventions.py timm
    python3 conventions.py torchvision

Weights and image follow the formulas of values() and image(); conventions_test.go has the same.
"""
import json
import sys

import numpy
import torch

HALF, IMAGENET = ([0.5] * 3, [0.5] * 3), ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

# row, network there, the normalisation that its published files were trained with, the module of the last linear layer
CASES = {
    "timm": [
        ("mobilenetv3-small", "mobilenetv3_small_100", IMAGENET, "classifier"),
        ("mobilenetv3-small", "tf_mobilenetv3_small_100", HALF, "classifier"),
        ("efficientnetv2-s", "tf_efficientnetv2_s", HALF, "classifier"),
        ("inceptionv4", "inception_v4", HALF, "last_linear"),
        ("vit_tiny_patch16_224", "vit_tiny_patch16_224", HALF, "head"),
        ("tnt-s", "tnt_s_patch16_224", HALF, "head"),
        ("deit-t16", "deit_tiny_distilled_patch16_224", IMAGENET, "head"),
    ],
    "torchvision": [("inceptionv3", "inception_v3", HALF, "fc")],
}


def values(name, count):
    """SplitMix64 of the name's FNV-1a digest and the index, in [-1, 1)."""
    digest = 0xCBF29CE484222325
    for byte in name.encode():
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    z = numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15) + numpy.uint64(digest)
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> numpy.uint64(31))) >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1


def fill(state, gain):
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            continue
        v = values(name, tensor.numel())
        if name.endswith("running_var"):
            v = 0.5 + 0.25 * v
        elif tensor.dim() == 1 and name.endswith("weight"):
            v = 1 + 0.1 * v
        elif tensor.dim() > 1 and name.endswith("weight"):
            v *= (gain / tensor[0].numel()) ** 0.5
        else:
            v *= 0.1
        tensor.copy_(torch.from_numpy(v.astype(numpy.float32)).reshape(tensor.shape))


def image():
    h, w, c = numpy.meshgrid(numpy.arange(256), numpy.arange(128), numpy.arange(3), indexing="ij")
    return ((7 * h + 13 * w + 50 * c + 3 * (h * w % 31)) % 256).astype(numpy.float32)


def resized(embedding, tokens, grid, kept):
    side = int((embedding.shape[1] - tokens) ** 0.5)
    square = embedding[:, tokens:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    rest = torch.nn.functional.interpolate(square, size=grid, mode="bicubic", align_corners=False)
    return torch.cat([embedding[:, :kept], rest.flatten(2).transpose(1, 2)], 1)


def network(library, name, gain):
    if library == "torchvision":
        import torchvision
        # transform_input is what its published weights have it do; here the image is normalised outright.
        model = getattr(torchvision.models, name)(weights=None, init_weights=False)
        fill(model.state_dict(), gain)
        return model, model.state_dict(), torchvision.__version__
    import timm
    model = timm.create_model(name)
    state = model.state_dict()
    fill(state, gain)
    if "distilled" in name:  # the row is the network without the distillation token
        model = timm.create_model(name.replace("_distilled", ""), img_size=(256, 128))
        kept = {k: v for k, v in state.items() if "dist" not in k}
        model.load_state_dict(kept | {"pos_embed": resized(state["pos_embed"], 2, (16, 8), 1)})
    elif name.startswith(("vit", "tnt")):
        model = timm.create_model(name, img_size=(256, 128))
        key = "pos_embed" if "pos_embed" in state else "patch_pos"
        model.load_state_dict(state | {key: resized(state[key], 1, (16, 8), 1)})
    return model, state, timm.__version__


library = sys.argv[1]
for row, name, (mean, std), head in CASES[library]:
    gain = 1.5 if name.startswith("tf_efficientnetv2") else 3  # which neither explodes nor forgets the image
    with torch.no_grad():
        model, state, version = network(library, name, gain)
        features = []
        last = model.eval().get_submodule(head)
        last.register_forward_hook(lambda module, inputs, output: features.append(inputs[0]))
        x = (torch.from_numpy(image()) / 255 - torch.tensor(mean)) / torch.tensor(std)
        model(x.permute(2, 0, 1)[None])
    vector = features[0].flatten().double()
    shapes = {k: list(v.shape) for k, v in state.items() if v.is_floating_point()}
    print(row, name, vector[:4].tolist(), vector.norm().item(), vector.abs().max().item())
    with open(f"conventions/{name}.json", "w") as f:
        case = {"model": row, "library": f"{library} {version}", "gain": gain,
                "features": [float(f"{v:.8g}") for v in vector[:16]],
                "norm": vector.norm().item(), "tensors": shapes}
        f.write(json.dumps(case, separators=(",", ":")) + "\n")
