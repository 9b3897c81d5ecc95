package isa

import "testing"

func TestChoose(t *testing.T) {
	tests := []struct {
		wish    string
		best    Set
		want    Set
		wantErr bool
	}{
		{"", AVX2, AVX2, false},
		{"generic", AVX512, Generic, false},
		{"avx2", AVX512, AVX2, false},
		{"avx512", AVX512, AVX512, false},
		{"avx512", AVX2, AVX2, true},
		{"sse", AVX512, AVX512, true},
		{"AVX2", AVX512, AVX512, true},
	}
	for _, test := range tests {
		got, err := choose(test.wish, test.best)
		if got != test.want || (err != nil) != test.wantErr {
			t.Errorf("choose(%q, %s) = %s, %v; want %s, error %t",
				test.wish, test.best, got, err, test.want, test.wantErr)
		}
	}
}

func TestString(t *testing.T) {
	for set, want := range map[Set]string{Generic: "generic", AVX2: "avx2", AVX512: "avx512", 9: "Set(9)"} {
		if got := set.String(); got != want {
			t.Errorf("Set(%d).String() = %q, want %q", int(set), got, want)
		}
	}
}

func TestUse(t *testing.T) {
	before := Active()
	restore := Use(Generic)
	if got := Active(); got != Generic {
		t.Errorf("active is %s, want generic", got)
	}
	restore()
	if got := Active(); got != before {
		t.Errorf("active is %s afterwards, want %s", got, before)
	}
}
