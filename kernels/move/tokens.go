package move

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Tokens handles sequences of c-channel tokens: the class token, the position embedding and the choice of one token
// (Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, eq. 1 and 4).
type Tokens struct {
	tokens, c int

	n, index    int
	y, x, param []float32
	accumulate  bool
}

// NewTokens returns the kernel for sequences of the given number of tokens.
func NewTokens(tokens, c int) *Tokens { return &Tokens{tokens: tokens, c: c} }

// Prepend puts a token before each sequence, which gets tokens+1 rows:
//
//	y[n,0,:] = cls[:]; y[n,1+t,:] = x[n,t,:]
func (k *Tokens) Prepend(p *parallel.Pool, n int, y, x, cls []float32) {
	k.keep("move.Tokens.Prepend", n, k.tokens+1, y, k.tokens, x)
	mem.CheckLen("move.Tokens.Prepend", "cls", cls, k.c)
	k.param = cls[:k.c]
	p.Run(n, (*prepend)(k))
}

// PrependBackward is the gradient of Prepend:
//
//	dx[n,t,:] = dy[n,1+t,:]; dcls[:] = Σ_n dy[n,0,:]   (added to dcls if accumulate)
func (k *Tokens) PrependBackward(p *parallel.Pool, n int, dx, dcls, dy []float32, accumulate bool) {
	k.keep("move.Tokens.PrependBackward", n, k.tokens, dx, k.tokens+1, dy)
	mem.CheckLen("move.Tokens.PrependBackward", "dcls", dcls, k.c)
	p.Run(n, (*prependBackward)(k))
	dcls = dcls[:k.c]
	if !accumulate {
		clear(dcls)
	}
	for sample := range n {
		first := dy[sample*(k.tokens+1)*k.c:][:k.c]
		vec.AddScaled(dcls, dcls, first, 1)
	}
}

// AddPosition adds the position embedding to each sequence; y may be x:
//
//	y[n,t,:] = x[n,t,:] + pos[t,:]
func (k *Tokens) AddPosition(p *parallel.Pool, n int, y, x, pos []float32) {
	k.keep("move.Tokens.AddPosition", n, k.tokens, y, k.tokens, x)
	mem.CheckLen("move.Tokens.AddPosition", "pos", pos, k.tokens*k.c)
	k.param = pos
	p.Run(n, (*addPosition)(k))
}

// PositionGrad is the embedding's gradient; the sequences' is dy itself:
//
//	dpos[t,:] = Σ_n dy[n,t,:]   (added to dpos if accumulate)
func (k *Tokens) PositionGrad(p *parallel.Pool, n int, dpos, dy []float32, accumulate bool) {
	mem.CheckLen("move.Tokens.PositionGrad", "dpos", dpos, k.tokens*k.c)
	mem.CheckLen("move.Tokens.PositionGrad", "dy", dy, n*k.tokens*k.c)
	k.n, k.y, k.x, k.accumulate = n, dpos, dy, accumulate
	p.Run(k.tokens, (*positionGrad)(k))
}

// Select takes one token of each sequence:
//
//	y[n,:] = x[n,index,:]
func (k *Tokens) Select(p *parallel.Pool, n int, y, x []float32, index int) {
	k.keep("move.Tokens.Select", n, 1, y, k.tokens, x)
	k.index = index
	p.Run(n, (*selectToken)(k))
}

// SelectBackward is the gradient of Select:
//
//	dx[n,t,:] = dy[n,:] if t = index, else 0
func (k *Tokens) SelectBackward(p *parallel.Pool, n int, dx, dy []float32, index int) {
	k.keep("move.Tokens.SelectBackward", n, k.tokens, dx, 1, dy)
	k.index = index
	p.Run(n, (*selectBackward)(k))
}

// keep checks and keeps an output and an input of n sequences.
func (k *Tokens) keep(kernel string, n, outTokens int, y []float32, inTokens int, x []float32) {
	mem.CheckLen(kernel, "output", y, n*outTokens*k.c)
	mem.CheckLen(kernel, "input", x, n*inTokens*k.c)
	k.n, k.y, k.x = n, y, x
}

type prepend Tokens

func (k *prepend) Do(sample, _ int) {
	size := k.tokens * k.c
	y := k.y[sample*(size+k.c) : (sample+1)*(size+k.c)]
	copy(y[:k.c], k.param)
	copy(y[k.c:], k.x[sample*size:(sample+1)*size])
}

type prependBackward Tokens

func (k *prependBackward) Do(sample, _ int) {
	size := k.tokens * k.c
	copy(k.y[sample*size:(sample+1)*size], k.x[sample*(size+k.c)+k.c:])
}

type addPosition Tokens

func (k *addPosition) Do(sample, _ int) {
	size := k.tokens * k.c
	vec.AddScaled(k.y[sample*size:(sample+1)*size], k.x[sample*size:(sample+1)*size], k.param[:size], 1)
}

type positionGrad Tokens

func (k *positionGrad) Do(token, _ int) {
	dpos := k.y[token*k.c : (token+1)*k.c]
	if !k.accumulate {
		clear(dpos)
	}
	for sample := range k.n {
		dy := k.x[(sample*k.tokens+token)*k.c:][:k.c]
		vec.AddScaled(dpos, dpos, dy, 1)
	}
}

type selectToken Tokens

func (k *selectToken) Do(sample, _ int) {
	copy(k.y[sample*k.c:(sample+1)*k.c], k.x[(sample*k.tokens+k.index)*k.c:])
}

type selectBackward Tokens

func (k *selectBackward) Do(sample, _ int) {
	dx := k.y[sample*k.tokens*k.c : (sample+1)*k.tokens*k.c]
	clear(dx)
	copy(dx[k.index*k.c:(k.index+1)*k.c], k.x[sample*k.c:(sample+1)*k.c])
}
