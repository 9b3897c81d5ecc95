// Runs a model in ONNX Runtime, on one thread, and writes the embeddings to standard output, one batch after the other.
// usage: NODE_PATH=DIR/node_modules node features.js MODEL IMAGES BATCH...
// IMAGES holds as many images as the largest batch; every batch has the first ones. Numbers are little endian.
const fs = require("fs");
const ort = require("onnxruntime-node");

async function main([model, images, ...batches]) {
	const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
	const input = session.inputMetadata[0];
	const size = input.shape.slice(1);
	const bytes = fs.readFileSync(images);
	const all = input.type === "uint8" ? new Uint8Array(bytes) : new Float32Array(new Uint8Array(bytes).buffer);
	for (const batch of batches.map(Number)) {
		const some = all.slice(0, batch * size.reduce((a, b) => a * b, 1));
		const { embeddings } = await session.run({ images: new ort.Tensor(input.type, some, [batch, ...size]) });
		fs.writeSync(1, Buffer.from(embeddings.data.buffer, embeddings.data.byteOffset, embeddings.data.byteLength));
	}
}

main(process.argv.slice(2)).catch((e) => { console.error(e.message); process.exit(1); });
