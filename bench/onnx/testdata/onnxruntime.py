# Stands in for ONNX Runtime's Python module, which few systems have: what docs/onnx_rank.py asks of it, answered by ONNX
# Runtime for Node.js.
# usage: PYTHONPATH=bench/onnx/testdata NODE_PATH=DIR/node_modules python3 docs/onnx_rank.py ...
import json, pathlib, subprocess, tempfile
import numpy

describe = """require("onnxruntime-node").InferenceSession.create(process.argv[1]).then(
    (session) => console.log(JSON.stringify(session.inputMetadata[0])))"""


class InferenceSession:
    def __init__(self, path, providers):
        self.path = path
        self.input = json.loads(node("-e", describe, path))

    def get_inputs(self):
        return [self]

    @property
    def shape(self):
        return self.input["shape"]

    def run(self, outputs, inputs):
        assert outputs == ["embeddings"] and list(inputs) == [self.input["name"]]
        images = inputs[self.input["name"]]
        with tempfile.NamedTemporaryFile() as file:
            file.write(images.tobytes())
            file.flush()
            text = node(pathlib.Path(__file__).with_name("features.js"), self.path, file.name, str(len(images)))
        return [numpy.frombuffer(text, numpy.float32).reshape(len(images), -1)]


def node(*arguments):
    return subprocess.run(["node", *arguments], check=True, stdout=subprocess.PIPE).stdout
