package graph

import "testing"

func TestInfer(t *testing.T) {
	person := Shape{256, 128, 3}
	tests := map[string]struct {
		op   Op
		in   []Shape
		want Shape // zero: an error
	}{
		"input":             {Input{person}, nil, person},
		"input of an input": {Input{person}, []Shape{person}, Shape{}},
		"conv": {Conv{Out: 64, Kernel: Square(7), Stride: Square(2), Pad: Square(3)},
			[]Shape{person}, Shape{128, 64, 64}},
		"conv with stride 1": {Conv{Out: 8, Kernel: Size2{1, 7}, Pad: Size2{W: 3}}, []Shape{{14, 6, 32}},
			Shape{14, 6, 8}},
		"conv that rounds down": {Conv{Out: 64, Kernel: Square(11), Stride: Square(4), Pad: Square(2)},
			[]Shape{person}, Shape{63, 31, 64}},
		"conv larger than its map": {Conv{Out: 64, Kernel: Square(7)}, []Shape{{6, 9, 3}}, Shape{}},
		"conv without outputs":     {Conv{Kernel: Square(1)}, []Shape{person}, Shape{}},
		"conv without a kernel":    {Conv{Out: 8}, []Shape{person}, Shape{}},
		"depthwise conv": {Conv{Out: 32, Kernel: Square(3), Pad: Square(1), Groups: 32},
			[]Shape{{8, 4, 32}}, Shape{8, 4, 32}},
		"groups that do not divide": {Conv{Out: 32, Kernel: Square(3), Groups: 5}, []Shape{{8, 4, 32}}, Shape{}},
		"conv of two":               {Conv{Out: 32, Kernel: Square(1)}, []Shape{person, person}, Shape{}},
		"linear over tokens":        {Linear{Out: 7}, []Shape{{2, 5, 3}}, Shape{2, 5, 7}},
		"linear without outputs":    {Linear{}, []Shape{{1, 1, 3}}, Shape{}},
		"batch norm":                {BatchNorm{}, []Shape{person}, person},
		"layer norm":                {LayerNorm{}, []Shape{person}, person},
		"layer scale":               {ChannelScale{}, []Shape{person}, person},
		"position":                  {Position{}, []Shape{{1, 5, 3}}, Shape{1, 5, 3}},
		"activation":                {Act{ReLU}, []Shape{person}, person},
		"activation of nothing":     {Act{ReLU}, nil, Shape{}},
		"constant factor":           {Scale{2}, []Shape{person}, person},
		"softmax":                   {Softmax{}, []Shape{{1, 5, 3}}, Shape{1, 5, 3}},
		"dropout":                   {Dropout{0.5}, []Shape{person}, person},
		"stochastic depth":          {DropPath{0.5}, []Shape{person}, person},
		"max pool": {MaxPool{Kernel: Square(3), Stride: Square(2), Pad: Square(1)},
			[]Shape{{128, 64, 8}}, Shape{64, 32, 8}},
		"stride is the kernel": {MaxPool{Kernel: Square(2)}, []Shape{{7, 5, 8}}, Shape{3, 2, 8}},
		"ceil mode": {MaxPool{Kernel: Square(3), Stride: Square(2), Ceil: true}, []Shape{{8, 7, 1}},
			Shape{4, 3, 1}},
		"ceil mode ends in padding": {MaxPool{Kernel: Square(2), Stride: Square(3), Pad: Square(1), Ceil: true},
			[]Shape{{5, 6, 1}}, Shape{2, 3, 1}},
		"average pool": {AvgPool{Kernel: Square(3), Stride: Square(1), Pad: Square(1)},
			[]Shape{{29, 13, 4}}, Shape{29, 13, 4}},
		"adaptive pool that grows":   {AdaptiveAvgPool{Out: Square(6)}, []Shape{{7, 3, 256}}, Shape{6, 6, 256}},
		"adaptive pool to nothing":   {AdaptiveAvgPool{}, []Shape{person}, Shape{}},
		"class token":                {ClassToken{}, []Shape{{1, 128, 192}}, Shape{1, 129, 192}},
		"pad token":                  {PadToken{}, []Shape{{1, 128, 192}}, Shape{1, 129, 192}},
		"token":                      {Token{4}, []Shape{{2, 5, 3}}, Shape{2, 1, 3}},
		"token beyond the last":      {Token{5}, []Shape{{2, 5, 3}}, Shape{}},
		"windows":                    {Windows{Square(4)}, []Shape{{64, 32, 24}}, Shape{128, 16, 24}},
		"windows that do not divide": {Windows{Size2{4, 5}}, []Shape{{64, 32, 24}}, Shape{}},
		"windows of nothing":         {Windows{}, []Shape{{64, 32, 24}}, Shape{}},
		"sum of three":               {Add{}, []Shape{person, person, person}, person},
		"sum of one":                 {Add{}, []Shape{person}, Shape{}},
		"sum of unequals":            {Add{}, []Shape{person, {256, 128, 4}}, Shape{}},
		"product":                    {Mul{}, []Shape{person, person}, person},
		"gate":                       {Mul{}, []Shape{person, {1, 1, 3}}, person},
		"gate of another width":      {Mul{}, []Shape{person, {1, 1, 4}}, Shape{}},
		"product of one":             {Mul{}, []Shape{person}, Shape{}},
		"concat":                     {Concat{}, []Shape{{4, 2, 3}, {4, 2, 5}, {4, 2, 1}}, Shape{4, 2, 9}},
		"concat of two sizes":        {Concat{}, []Shape{{4, 2, 3}, {2, 4, 3}}, Shape{}},
		"concat of nothing":          {Concat{}, nil, Shape{}},
		"slice":                      {Slice{1, 3}, []Shape{{4, 2, 3}}, Shape{4, 2, 2}},
		"slice beyond the end":       {Slice{1, 4}, []Shape{{4, 2, 3}}, Shape{}},
		"empty slice":                {Slice{1, 1}, []Shape{{4, 2, 3}}, Shape{}},
		"upsample":                   {Upsample{4}, []Shape{{8, 4, 32}}, Shape{32, 16, 32}},
		"upsample to nothing":        {Upsample{}, []Shape{{8, 4, 32}}, Shape{}},
		"flatten":                    {Flatten{}, []Shape{{6, 6, 256}}, Shape{1, 1, 9216}},
		"reshape":                    {Reshape{Shape{1, 128, 192}}, []Shape{{16, 8, 192}}, Shape{1, 128, 192}},
		"reshape to another size":    {Reshape{Shape{1, 127, 192}}, []Shape{{16, 8, 192}}, Shape{}},
		"attention":                  {Attention{3}, []Shape{{1, 129, 576}}, Shape{1, 129, 192}},
		"attention of two":           {Attention{4}, []Shape{{128, 16, 48}, {128, 16, 24}}, Shape{128, 16, 24}},
		"attention of three":         {Attention{1}, []Shape{{1, 4, 6}, {1, 4, 6}, {1, 4, 6}}, Shape{}},
		"heads that do not divide":   {Attention{5}, []Shape{{1, 129, 576}}, Shape{}},
		"no heads":                   {Attention{}, []Shape{{1, 129, 576}}, Shape{}},
		"two thirds of a width":      {Attention{1}, []Shape{{1, 129, 575}}, Shape{}},
		"values of other tokens":     {Attention{4}, []Shape{{128, 16, 48}, {128, 15, 24}}, Shape{}},
		"values of another width":    {Attention{4}, []Shape{{128, 16, 48}, {128, 16, 20}}, Shape{}},
		"matrix product":             {MatMul{}, []Shape{{2, 16, 128}, {2, 128, 1024}}, Shape{2, 16, 1024}},
		"transposed first": {MatMul{TransposeA: true}, []Shape{{1, 128, 16}, {1, 128, 1024}},
			Shape{1, 16, 1024}},
		"transposed second": {MatMul{TransposeB: true}, []Shape{{1, 128, 1024}, {1, 16, 1024}},
			Shape{1, 128, 16}},
		"both transposed": {MatMul{TransposeA: true, TransposeB: true}, []Shape{{1, 3, 5}, {1, 7, 3}},
			Shape{1, 5, 7}},
		"inner extents differ":        {MatMul{}, []Shape{{1, 16, 128}, {1, 127, 1024}}, Shape{}},
		"numbers of matrices differ":  {MatMul{}, []Shape{{1, 16, 128}, {2, 128, 1024}}, Shape{}},
		"matrix product with nothing": {MatMul{}, []Shape{{1, 16, 128}}, Shape{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.op.infer(test.in)
			if test.want == (Shape{}) {
				if err == nil {
					t.Errorf("%v of %v is %v, want an error", test.op, test.in, got)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("%v of %v is %v, %v; want %v", test.op, test.in, got, err, test.want)
			}
		})
	}
}
