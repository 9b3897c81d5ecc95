package focus

import (
	"math"
	"testing"

	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// TestRollout holds a small vision transformer's map against the paper's formula, §3: with W the mean of a block's
// heads, A = 0.5·W + 0.5·I, and the rollout is the product of the A of all blocks, the last one first. Both take the
// queries and keys from the same run.
func TestRollout(t *testing.T) {
	const (
		blocks, heads, width = 3, 2, 8
		tokens               = 1 + 4*2
	)
	block := func(i int) string { return string(rune('a' + i)) }
	g := build(t, graph.Shape{H: 16, W: 8, C: 3}, func(b *graph.Builder) *graph.Node {
		patches := graph.Conv{Out: width, Kernel: graph.Square(4), Stride: graph.Square(4)}
		x := b.Op("tokens", graph.Reshape{To: graph.Shape{H: 1, W: 8, C: width}}, b.Conv("patches", b.Input(), patches))
		x = b.Position("position", b.ClassToken("class", x))
		for i := range blocks {
			y := b.Linear(block(i)+".qkv", b.LayerNorm(block(i)+".norm1", x, 1e-6), 3*width)
			y = b.Linear(block(i)+".proj", b.Op(block(i)+".attention", graph.Attention{Heads: heads}, y), width)
			x = b.Add(block(i)+".add1", x, y)
			y = b.Linear(block(i)+".fc", b.LayerNorm(block(i)+".norm2", x, 1e-6), width)
			y = b.Act(block(i)+".act", y, graph.GELU)
			x = b.Add(block(i)+".add2", x, y)
		}
		return b.Op("token", graph.Token{}, b.LayerNorm("norm", x, 1e-6))
	})
	f, err := New(g)
	if err != nil {
		t.Fatal(err)
	}
	_, _, outputs := run(t, g, f.Needs, 4) // as drawn, they attend to all patches alike
	rolled := identity(tokens)
	for i := range blocks {
		var qkv []float32
		for _, n := range f.Needs {
			if n.Name == block(i)+".qkv" {
				qkv = outputs(n)
			}
		}
		a := identity(tokens)
		for row := range tokens {
			a[row][row] = 0.5
			for h := range heads {
				const d = width / heads
				var e [tokens]float64
				total := 0.0
				for column := range tokens {
					dot := 0.0
					for c := range d {
						q, k := qkv[row*3*width+h*d+c], qkv[column*3*width+width+h*d+c]
						dot += float64(q) * float64(k)
					}
					e[column] = math.Exp(dot / math.Sqrt(d))
					total += e[column]
				}
				for column, v := range e {
					a[row][column] += 0.5 * v / total / heads
				}
			}
		}
		rolled = product(a, rolled)
	}
	least, most := 1.0, 0.0
	for i, v := range f.Map(outputs) {
		if want := rolled[0][i+1]; math.Abs(v-want) > 1e-12 { // of some hundred float64 sums
			t.Errorf("patch %d: %v, want %v", i, v, want)
		}
		least, most = min(least, v), max(most, v)
	}
	if most < 1.5*least {
		t.Errorf("all patches have between %v and %v: nothing is attended to", least, most)
	}
}

func identity(n int) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, n)
		rows[i][i] = 1
	}
	return rows
}

func product(a, b [][]float64) [][]float64 {
	made := identity(len(a))
	for i := range made {
		for j := range made {
			made[i][j] = 0
			for k := range b {
				made[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return made
}

// TestRowsSumToOne: every token of every layer comes from somewhere, once, in each kind of transformer. Shares that
// float32 has rounded sum to 1 within 128·2⁻²⁴.
func TestRowsSumToOne(t *testing.T) {
	for _, name := range []string{"vt-resnet50-1f1r", "tnt-s"} {
		t.Run(name, func(t *testing.T) {
			m, err := models.Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			g, err := m.Graph(2)
			if err != nil {
				t.Fatal(err)
			}
			f, err := New(g)
			if err != nil {
				t.Fatal(err)
			}
			_, _, outputs := run(t, g, f.Needs, 1)
			r := f.newRollout(outputs)
			if _, err := r.embedding(); err != nil {
				t.Fatal(err)
			}
			for n, rows := range r.flows {
				for i, row := range rows {
					total := 0.0
					for _, v := range row {
						total += v
					}
					if _, padded := n.Op.(graph.PadToken); padded && i == 0 {
						total++ // the token of zeros
					}
					if math.Abs(total-1) > 1e-5 {
						t.Fatalf("layer %s, token %d: %v", n.Name, i, total)
					}
				}
			}
		})
	}
}
