package graph

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShape(t *testing.T) {
	tests := []struct {
		shape           Shape
		text            string
		size, positions int
		vector          bool
	}{
		{Shape{256, 128, 3}, "256×128×3", 98304, 32768, false},
		{Shape{1, 129, 192}, "1×129×192", 24768, 129, false},
		{Shape{1, 1, 751}, "751", 751, 1, true},
	}
	for _, test := range tests {
		s := test.shape
		if s.String() != test.text || s.Size() != test.size || s.Positions() != test.positions ||
			s.IsVector() != test.vector {
			t.Errorf("%#v: %q, size %d, %d positions, vector %v", s, s, s.Size(), s.Positions(), s.IsVector())
		}
	}
}

func TestParamSizes(t *testing.T) {
	tests := []struct {
		shape       []int
		size, fanIn int
	}{
		{[]int{64, 3, 7, 7}, 9408, 147},
		{[]int{32, 1, 3, 3}, 288, 9},
		{[]int{751, 2048}, 1538048, 2048},
		{[]int{64}, 64, 1},
	}
	for _, test := range tests {
		p := Param{Shape: test.shape}
		if p.Size() != test.size || p.FanIn() != test.fanIn {
			t.Errorf("%v: size %d and fan-in %d, want %d and %d", p.Shape, p.Size(), p.FanIn(), test.size, test.fanIn)
		}
	}
}

func TestUses(t *testing.T) {
	b := NewBuilder("net", Shape{1, 1, 4})
	x := b.Linear("fc", b.Input(), 4)
	sum := b.Add("add", x, b.Input(), x)
	g, err := b.Graph(sum, b.Linear("head", sum, 2))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for i, uses := range g.Uses() {
		for _, n := range uses {
			got[g.Nodes[i].Name] = append(got[g.Nodes[i].Name], n.Name)
		}
	}
	want := map[string][]string{"input": {"fc", "add"}, "fc": {"add", "add"}, "add": {"head"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
}

func TestNormalised(t *testing.T) {
	b := NewBuilder("net", Shape{1, 1, 4})
	conv := func(name string, from *Node) *Node { return b.Conv(name, from, Conv{Out: 4, Kernel: Square(1)}) }
	once, twice := conv("once", b.Input()), conv("twice", b.Input())
	x := b.Add("sum", b.BatchNorm("bn1", once), b.BatchNorm("bn2", twice), b.BatchNorm("bn3", twice),
		conv("unread", b.Input()))
	mixed := conv("mixed", x)
	x = b.Add("sum2", mixed, b.BatchNorm("bn4", mixed))
	concat := b.Op("concat", Concat{}, conv("first", x), conv("second", x))
	x = b.BatchNorm("features", concat)
	g, err := b.Graph(x, b.Linear("head", x, 2))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for id, before := range g.BeforeNorm() {
		if before {
			got = append(got, g.Nodes[id].Name)
		}
	}
	if diff := cmp.Diff([]string{"once", "twice", "first", "second", "concat"}, got); diff != "" {
		t.Errorf("before batch norms (-want +got):\n%s", diff)
	}
}

func TestFolds(t *testing.T) {
	b := NewBuilder("net", Shape{2, 2, 4})
	conv := func(name string, from *Node) *Node { return b.Conv(name, from, Conv{Out: 4, Kernel: Square(1)}) }
	x := b.BatchNorm("bn1", b.Op("drop", Dropout{P: 0.5}, conv("one", b.Input())))
	x = b.ChannelScale("scale1", b.Op("tokens", Reshape{To: Shape{1, 4, 4}}, x), 1, 4)
	x = b.ReLU("relu", x)
	read := b.Linear("read twice", x, 4)
	x = b.Add("sum", b.BatchNorm("bn2", read), read)
	x = b.BatchNorm("bn3", b.Op("pairs", Reshape{To: Shape{1, 2, 8}}, b.Linear("reshaped", x, 4)))
	x = b.Linear("features", b.Op("flatten", Flatten{}, b.GlobalAvgPool("pool", x)), 4)
	head := b.Linear("head", b.ChannelScale("scale2", b.BatchNorm("bn4", x), 1, 4), 2)
	for _, test := range []struct {
		features *Node
		want     map[string][]string
	}{
		{head.Inputs[0], map[string][]string{"one": {"bn1", "scale1"}, "features": {"bn4", "scale2"}}},
		{x, map[string][]string{"one": {"bn1", "scale1"}}},
	} {
		g, err := b.Graph(test.features, head)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]string{}
		for n, after := range g.Folds() {
			for _, m := range after {
				got[n.Name] = append(got[n.Name], m.Name)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("folds with the features %s (-want +got):\n%s", test.features.Name, diff)
		}
	}
}

func TestParamByName(t *testing.T) {
	b := NewBuilder("tiny", Shape{8, 8, 2})
	g, err := b.Graph(tiny(b))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"conv.weight", "head.bias", "bn.running_var"} {
		if p := g.Param(name); p == nil || p.Name != name {
			t.Errorf("Param(%q) = %v", name, p)
		}
	}
	if p := g.Param("conv"); p != nil {
		t.Errorf("a parameter is called conv: %v", p)
	}
}

func TestOpStrings(t *testing.T) {
	tests := map[string]Op{
		"Conv2d 7 s2 p3":      Conv{Out: 64, Kernel: Square(7), Stride: Square(2), Pad: Square(3)},
		"Conv2d 3 p1 g32":     Conv{Out: 64, Kernel: Square(3), Stride: Square(1), Pad: Square(1), Groups: 32},
		"Conv2d 1×7 p0×3":     Conv{Out: 64, Kernel: Size2{1, 7}, Pad: Size2{0, 3}},
		"MaxPool2d 2 s2":      MaxPool{Kernel: Square(2)},
		"AvgPool2d 3 s1":      AvgPool{Kernel: Square(3), Stride: Square(1)},
		"AdaptiveAvgPool2d 6": AdaptiveAvgPool{Out: Square(6)},
		"Attention 3 heads":   Attention{3},
		"Windows 4":           Windows{Square(4)},
		"Token 0":             Token{},
		"Hardswish":           Act{HardSwish},
		"Upsample ×2":         Upsample{2},
		"DropPath 0.0333":     DropPath{1.0 / 30},
		"Slice 3:5":           Slice{3, 5},
		"PadToken":            PadToken{},
		"Dropout 0.5":         Dropout{0.5},
		"Scale 0.17":          Scale{0.17},
	}
	for want, op := range tests {
		if got := op.String(); got != want {
			t.Errorf("%#v prints as %q, want %q", op, got, want)
		}
	}
}
