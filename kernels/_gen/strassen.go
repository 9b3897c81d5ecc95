package main

import "github.com/mmcloughlin/avo/reg"

func init() { register("strassen", "gemm", strassen) }

// strassen emits the sums of quadrants that are the factors of Strassen's products.
func strassen() {
	const signature = "(s1, s2, s3, s4, q11, q12, q21, q22 *float32, n int)"
	for _, m := range machines() {
		m.function("leftSums", signature, "makes S1 to S4 of the quadrants of A, see strassen.go.")
		m.quadrantSums(func(s *step, q11, q12, q21, q22 reg.VecVirtual) (s1, s2, s3, s4 reg.VecVirtual) {
			s1 = s.add(q21, q22)
			s2 = s.sub(s1, q11)
			return s1, s2, s.sub(q11, q21), s.sub(q12, s2)
		})
		m.function("rightSums", signature, "makes T1 to T4 of the quadrants of B, see strassen.go.")
		m.quadrantSums(func(s *step, q11, q12, q21, q22 reg.VecVirtual) (s1, s2, s3, s4 reg.VecVirtual) {
			s1 = s.sub(q12, q11)
			s2 = s.sub(q22, s1)
			return s1, s2, s.sub(q22, q12), s.sub(q21, s2)
		})
	}
}

// quadrantSums emits the loop over n values of each quadrant.
func (m *machine) quadrantSums(sums func(s *step, q11, q12, q21, q22 reg.VecVirtual) (s1, s2, s3, s4 reg.VecVirtual)) {
	m.flat(func(s *step) {
		s1, s2, s3, s4 := sums(s, s.get("q11"), s.get("q12"), s.get("q21"), s.get("q22"))
		s.put("s1", s1)
		s.put("s2", s2)
		s.put("s3", s3)
		s.put("s4", s4)
	}, "s1", "s2", "s3", "s4", "q11", "q12", "q21", "q22")
}
