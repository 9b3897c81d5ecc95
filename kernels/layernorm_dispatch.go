package kernels

// layerNormRows is layerNormRowsGeneric on the active instruction set.
func layerNormRows(y, x, gamma, beta, mean, rstd []float32, eps float32) {
	layerNormRowsGeneric(y, x, gamma, beta, mean, rstd, eps)
}

// layerNormGradRows is layerNormGradRowsGeneric on the active instruction set.
func layerNormGradRows(dx, dgamma, dbeta, dy, x, mean, rstd, gamma, add []float32) {
	layerNormGradRowsGeneric(dx, dgamma, dbeta, dy, x, mean, rstd, gamma, add)
}
