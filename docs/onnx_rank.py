# Ranks a gallery as "reidbench rank" does, with nothing but an exported model, ONNX Runtime, Pillow and numpy.
# usage: python3 docs/onnx_rank.py MODEL.onnx DATASET      the model is of: weights export … --normalise
import pathlib, sys
import numpy, onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
_, height, width, _ = session.get_inputs()[0].shape

def embed(paths):
    images = [Image.open(path).convert("RGB").resize((width, height), Image.BILINEAR) for path in paths]
    return session.run(["embeddings"], {"images": numpy.stack([numpy.asarray(image) for image in images])})[0]

def person_and_camera(path):  # of 0002_c1s1_000451_03.jpg: 0002 and c1
    return path.name.split("_")[0], path.name.split("_")[1][:2]

gallery = sorted(pathlib.Path(sys.argv[2], "bounding_box_test").glob("*.jpg"))
features = numpy.concatenate([embed(gallery[i:i + 32]) for i in range(0, len(gallery), 32)])
for query in sorted(pathlib.Path(sys.argv[2], "query").glob("*.jpg")):
    distances = numpy.linalg.norm(features - embed([query]), axis=1)
    ranked = [gallery[i] for i in numpy.argsort(distances, kind="stable")]
    ranked = [path for path in ranked if person_and_camera(path) != person_and_camera(query) and path.name[0] != "-"]
    print(query.name, *(path.name for path in ranked[:10]))
