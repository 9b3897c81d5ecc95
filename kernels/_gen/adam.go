package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	register("adam", "optim", adam)
	shared["adam"] = adamShared
}

// adamFields are the numbers of a step, in the order in which the kernels read them.
var adamFields = []struct{ name, meaning string }{
	{"gain1", "1-β1"},
	{"beta2", "β2"},
	{"gain2", "1-β2"},
	{"rate", "learning rate / (1-β1ᵗ)"},
	{"root", "1/sqrt(1-β2ᵗ)"},
	{"eps", "ε"},
	{"decay", "weight decay"},
}

// adamShared declares the numbers of a step.
func adamShared() string {
	text := "// adamRule holds the numbers of one step, in the order in which the assembly reads them.\n" +
		"type adamRule struct {\n"
	for _, field := range adamFields {
		text += fmt.Sprintf("\t%s float32 // %s\n", field.name, field.meaning)
	}
	return text + "}\n"
}

// adam emits the optimiser's step.
func adam() {
	for _, m := range machines() {
		m.function("adamUpdate", "(w, grad, m, v, rule *float32, n int)", "is adamUpdateGeneric.")
		rule := Load(Param("rule"), GP64())
		field := map[string]reg.VecVirtual{}
		for i, f := range adamFields {
			field[f.name] = m.broadcast(Mem{Base: rule, Disp: 4 * i})
		}
		gain1, beta2, gain2, decay := field["gain1"], field["beta2"], field["gain2"], field["decay"]
		rate, root, eps := field["rate"], field["root"], field["eps"]
		m.flat(func(s *step) {
			w := s.get("w")
			g := s.fma(w, decay, s.get("grad"))
			mean := s.get("m")
			mean = s.fma(s.sub(g, mean), gain1, mean)
			s.put("m", mean)
			square := s.fma(s.mul(gain2, g), g, s.mul(beta2, s.get("v")))
			s.put("v", square)
			deviation := s.vector()
			VSQRTPS(square, deviation)
			s.put("w", s.sub(w, s.div(s.mul(rate, mean), s.fma(deviation, root, eps))))
		}, "w", "grad", "m", "v")
	}
}
