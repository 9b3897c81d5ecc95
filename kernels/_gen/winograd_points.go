package main

import (
	"math"

	"github.com/mmcloughlin/avo/reg"
)

type vectors = []reg.VecVirtual

// transform is the transform of a line. It hands over one value after the other, so few are in registers at a time.
type transform struct {
	in, out int
	apply   func(x vectors, put func(i int, v reg.VecVirtual))
}

// roots stand for the points 0, ± each of them, and infinity; 0 and infinity are those of a polynomial's ends. The sums
// of even and of odd powers serve a root and its negative. The kernels' matrices are those of newFiltering in
// winograd.go, whose comment works out F(2,3): its only root is 1, and the input of its points 1 and -1 is odd + even
// and even - odd with odd = d₁ and even = d₂. TestWinogradTransforms compares both.
type roots []float64

func (r roots) positions() int { return 2*len(r) + 2 }

// product returns the coefficients of Π(t²-s²) over the roots s without one. The last is 1.
func (r roots) product(without int) []float64 {
	c := []float64{1}
	for i, s := range r {
		if i == without {
			continue
		}
		c = append([]float64{0}, c...)
		for k := range len(c) - 1 {
			c[k] -= s * s * c[k+1]
		}
	}
	return c
}

// weights returns 1/Π(t-s), over the other points s, for the point 0 and for each of the roots.
func (r roots) weights() (zero float64, of []float64) {
	zero = 1 / r.product(-1)[0]
	for i, t := range r {
		value := 0.0
		for k, c := range r.product(i) {
			value += c * math.Pow(t, float64(2*k))
		}
		of = append(of, 1/(2*t*t*value))
	}
	return zero, of
}

// input is Bᵀ.
func (r roots) input(m *machine) transform {
	return transform{r.positions(), r.positions(), func(x vectors, put func(int, reg.VecVirtual)) {
		put(0, m.weighted(x, 0, r.product(-1)))
		for i, root := range r {
			even, odd := m.weighted(x, 2, r.product(i)), m.weighted(x, 1, r.product(i))
			put(2*i+1, m.fma(odd, m.constant(float32(root)), even))
			put(2*i+2, m.fnma(odd, m.constant(float32(root)), even))
		}
		put(len(x)-1, m.weighted(x, 1, r.product(-1)))
	}}
}

// weighted returns Σ c[k]·x[first+2k]. The last weight is 1.
func (m *machine) weighted(x vectors, first int, c []float64) reg.VecVirtual {
	last := len(c) - 1
	sum := x[first+2*last]
	for k := range last {
		sum = m.fma(x[first+2*k], m.constant(float32(c[k])), sum)
	}
	return sum
}

// weighing multiplies what belongs to a point by its weight: to 0, or to a root and its negative.
type weighing struct {
	zero func(v reg.VecVirtual) reg.VecVirtual
	root func(i int, v reg.VecVirtual) reg.VecVirtual
}

// unweighed leaves everything as it is.
var unweighed = weighing{
	zero: func(v reg.VecVirtual) reg.VecVirtual { return v },
	root: func(_ int, v reg.VecVirtual) reg.VecVirtual { return v },
}

// weighing multiplies by the weights of the points.
func (r roots) weighing(m *machine) weighing {
	zero, weights := r.weights()
	return weighing{
		zero: func(v reg.VecVirtual) reg.VecVirtual { return m.weigh(v, zero) },
		root: func(i int, v reg.VecVirtual) reg.VecVirtual { return m.weigh(v, weights[i]) },
	}
}

// filter is G.
func (r roots) filter(m *machine, taps int) transform {
	return r.evaluated(m, taps, r.weighing(m))
}

// gradient is A.
func (r roots) gradient(m *machine, outputs int) transform {
	return r.evaluated(m, outputs, unweighed)
}

// evaluated takes its input as a polynomial, and gives its values at the points, weighed.
func (r roots) evaluated(m *machine, terms int, w weighing) transform {
	return transform{terms, r.positions(), func(x vectors, put func(int, reg.VecVirtual)) {
		put(0, w.zero(x[0]))
		for i, root := range r {
			even, odd := x[0], m.times(x[1], root)
			for k := 2; k < terms; k++ {
				power := m.constant(float32(math.Pow(root, float64(k))))
				if k%2 == 0 {
					even = m.fma(x[k], power, even)
				} else {
					odd = m.fma(x[k], power, odd)
				}
			}
			even, odd = w.root(i, even), w.root(i, odd)
			put(2*i+1, m.add(even, odd))
			put(2*i+2, m.sub(even, odd))
		}
		put(r.positions()-1, x[terms-1])
	}}
}

// times returns x times a factor that float32 holds.
func (m *machine) times(x reg.VecVirtual, factor float64) reg.VecVirtual {
	if factor == 1 {
		return x
	}
	return m.mul(x, m.constant(float32(factor)))
}

// weigh returns x times a weight that float32 does not hold. The rounding of the weight would be the same error in all
// filters, and the layers of a network and the sums over an image would add it up.
func (m *machine) weigh(x reg.VecVirtual, weight float64) reg.VecVirtual {
	high := float32(weight)
	rest := weight - float64(high)
	if rest == 0 {
		return m.times(x, weight)
	}
	return m.fma(x, m.constant(high), m.mul(x, m.constant(float32(rest))))
}

// output is Aᵀ.
func (r roots) output(m *machine, outputs int) transform {
	return r.summed(m, outputs, unweighed)
}

// filterGradient is Gᵀ.
func (r roots) filterGradient(m *machine, taps int) transform {
	return r.summed(m, taps, r.weighing(m))
}

// summed gives the sums over the points of their weighed values times each power of the point.
func (r roots) summed(m *machine, powers int, w weighing) transform {
	return transform{r.positions(), powers, func(x vectors, put func(int, reg.VecVirtual)) {
		var even, odd vectors
		for i := range r {
			even = append(even, w.root(i, m.add(x[2*i+1], x[2*i+2])))
			odd = append(odd, w.root(i, m.sub(x[2*i+1], x[2*i+2])))
		}
		for k := range powers {
			var sum reg.VecVirtual
			if k == 0 {
				sum = w.zero(x[0])
			}
			if k == powers-1 {
				sum = x[len(x)-1]
			}
			parts := even
			if k%2 == 1 {
				parts = odd
			}
			for i, part := range parts {
				power := math.Pow(r[i], float64(k))
				switch {
				case sum == nil:
					sum = m.times(part, power)
				case power == 1:
					sum = m.add(sum, part)
				default:
					sum = m.fma(part, m.constant(float32(power)), sum)
				}
			}
			put(k, sum)
		}
	}}
}
