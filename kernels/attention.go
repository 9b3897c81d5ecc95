package kernels

import "math"

// Rows is a matrix of tokens: element d of head h in row r is Data[r*Stride + h*HeadDim + d].
type Rows struct {
	Data   []float32
	Stride int
}

// AttentionShape is multi-head attention within one sequence.
type AttentionShape struct {
	Tokens, Heads, HeadDim int
	Scale                  float32
}

// Attention computes softmax(Scale·QKᵀ)·V for every sequence and head. The probabilities are not kept; the backward pass
// computes them again from the logarithm of each row's sum.
type Attention struct {
	s AttentionShape
}

// NewAttention returns attention of the given shape.
func NewAttention(s AttentionShape) *Attention { return &Attention{s: s} }

// Workspace returns how many floats of scratch the calls need on a pool of the given threads.
func (a *Attention) Workspace(threads int) int { return 0 }

// Forward computes out, and lse [sequences, Heads, Tokens], the logarithm of the sum of exp of each row of scores.
func (a *Attention) Forward(p *Pool, sequences int, out, q, k, v Rows, lse, ws []float32) {
	s := a.s
	scores := make([]float64, s.Tokens)
	for n := range sequences {
		for h := range s.Heads {
			for i := range s.Tokens {
				a.probabilities(scores, q, k, n, h, i, lse)
				for d := range s.HeadDim {
					var sum float64
					for j, pij := range scores {
						sum += pij * float64(v.Data[(n*s.Tokens+j)*v.Stride+h*s.HeadDim+d])
					}
					out.Data[(n*s.Tokens+i)*out.Stride+h*s.HeadDim+d] = float32(sum)
				}
			}
		}
	}
}

func (a *Attention) probabilities(p []float64, q, k Rows, n, h, i int, lse []float32) {
	s := a.s
	largest, sum := math.Inf(-1), 0.0
	for j := range p {
		p[j] = 0
		for d := range s.HeadDim {
			p[j] += float64(q.Data[(n*s.Tokens+i)*q.Stride+h*s.HeadDim+d]) * float64(k.Data[(n*s.Tokens+j)*k.Stride+h*s.HeadDim+d])
		}
		p[j] *= float64(s.Scale)
		largest = max(largest, p[j])
	}
	for j := range p {
		p[j] = math.Exp(p[j] - largest)
		sum += p[j]
	}
	for j := range p {
		p[j] /= sum
	}
	lse[(n*s.Heads+h)*s.Tokens+i] = float32(largest + math.Log(sum))
}

// Backward computes dq, dk and dv, given the gradient of out, out itself and lse as Forward left it.
func (a *Attention) Backward(p *Pool, sequences int, dq, dk, dv, dout, out, q, k, v Rows, lse, ws []float32) {
	s := a.s
	prob := make([]float64, s.Tokens)
	for n := range sequences {
		for h := range s.Heads {
			at := func(m Rows, i, d int) *float32 { return &m.Data[(n*s.Tokens+i)*m.Stride+h*s.HeadDim+d] }
			for i := range s.Tokens {
				for d := range s.HeadDim {
					*at(dq, i, d), *at(dk, i, d), *at(dv, i, d) = 0, 0, 0
				}
			}
			for i := range s.Tokens {
				a.probabilities(prob, q, k, n, h, i, lse)
				delta := 0.0
				for d := range s.HeadDim {
					delta += float64(*at(dout, i, d)) * float64(*at(out, i, d))
				}
				for j := range s.Tokens {
					dp := 0.0
					for d := range s.HeadDim {
						dp += float64(*at(dout, i, d)) * float64(*at(v, j, d))
						*at(dv, j, d) += float32(prob[j]) * *at(dout, i, d)
					}
					ds := float32(prob[j] * (dp - delta) * float64(s.Scale))
					for d := range s.HeadDim {
						*at(dq, i, d) += ds * *at(k, j, d)
						*at(dk, j, d) += ds * *at(q, i, d)
					}
				}
			}
		}
	}
}
