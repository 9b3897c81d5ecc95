package kernels

// TakesMeans tells whether ApplyMeans serves the activation.
func (b *BatchNorm) TakesMeans() bool { return b.clamps || hasNormCurve(b.act) }

// ApplyMeans is Apply, without a residual, for samples of so many rows, and takes the mean over each of them on the way:
//
//	means[n,c] = Σ_i y[n,i,c] / perSample
func (b *BatchNorm) ApplyMeans(p *Pool, samples, perSample int, y, means []float32, at Normalised) {
	rows := samples * perSample
	checkLen("BatchNorm.ApplyMeans", "y", y, rows*b.c)
	checkLen("BatchNorm.ApplyMeans", "means", means, samples*b.c)
	at.Add, at.Parts = nil, nil
	b.load("BatchNorm.ApplyMeans", rows, at)
	b.y, b.means, b.perTask = y, means, perSample
	p.Run(samples, (*batchNormApplyMeans)(b))
}

type batchNormApplyMeans BatchNorm

func (k *batchNormApplyMeans) Do(sample, _ int) {
	b := (*BatchNorm)(k)
	stream := streamable(b.y, b.rows, b.c)
	means := b.means[sample*b.c : (sample+1)*b.c]
	clear(means)
	for first, last := sample*b.perTask, (sample+1)*b.perTask; first < last; first += blockRows {
		rows := min(blockRows, last-first)
		at, end := first*b.c, (first+rows)*b.c
		batchNormSumRows(b.act, b.y[at:end], means, b.x[at:end], b.mean, b.scale, b.beta, rows, stream)
	}
	scale(means, means, 1/float32(b.perTask))
	if stream {
		storeFence()
	}
}
