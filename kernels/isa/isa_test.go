package isa

import "testing"

func TestISAChoice(t *testing.T) {
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
			t.Errorf("chooseISA(%q, %s) = %s, %v; want %s, error %t",
				test.wish, test.best, got, err, test.want, test.wantErr)
		}
	}
}

func TestISAString(t *testing.T) {
	for isa, want := range map[Set]string{Generic: "generic", AVX2: "avx2", AVX512: "avx512", 9: "ISA(9)"} {
		if got := isa.String(); got != want {
			t.Errorf("ISA(%d).String() = %q, want %q", int(isa), got, want)
		}
	}
}
