package kernels

//go:generate go run -C _gen . -family peak
