package kernels

//go:generate go run -C _gen . -family peak
//go:generate go run -C _gen . -family pause
//go:generate go run -C _gen . -family gemm
//go:generate go run -C _gen . -family bf16
//go:generate go run -C _gen . -family depthwise
//go:generate go run -C _gen . -family grouped
//go:generate go run -C _gen . -family layout
//go:generate go run -C _gen . -family strassen
//go:generate go run -C _gen . -family winograd
//go:generate go run -C _gen . -family elementwise
//go:generate go run -C _gen . -family batchnorm
//go:generate go run -C _gen . -family adam
//go:generate go run -C _gen . -family dropout
//go:generate go run -C _gen . -family exp
//go:generate go run -C _gen . -family layernorm
//go:generate go run -C _gen . -family act
//go:generate go run -C _gen . -family maxpool
//go:generate go run -C _gen . -family stream
