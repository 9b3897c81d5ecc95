package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("adam", adam) }

// adam emits the optimiser's step. The rule's fields are in the order of adamRule.
func adam() {
	for _, m := range machines() {
		m.function("adamUpdate", "(w, grad, m, v, rule *float32, n int)", "is adamUpdateGeneric.")
		rule := Load(Param("rule"), GP64())
		var field []reg.VecVirtual
		for i := range 7 {
			field = append(field, m.broadcast(Mem{Base: rule, Disp: 4 * i}))
		}
		gain1, beta2, gain2, rate, root, eps, decay := field[0], field[1], field[2], field[3], field[4], field[5], field[6]
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
