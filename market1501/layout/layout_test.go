package layout

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		file   string
		layout Layout
		want   Name
	}{
		{"0002_c1s1_000451_03.jpg", Market1501, Name{2, 1}},
		{"-1_c1s1_000401_03.jpg", Market1501, Name{Junk, 1}},
		{"0000_c3s2_107228_04.jpg", Market1501, Name{0, 3}},
		{"1501_c6s4_001902_01.JPG", Market1501, Name{1501, 6}},
		{"0002_c1s1_000451_03.jpg.jpg", Market1501, Name{2, 1}},
		{"0002_c1s1_000451_03.jpeg", Market1501, Name{2, 1}},
		{"0002_c1s1_000451_03.Png", Market1501, Name{2, 1}},
		{"123456789_c12s3_1_0.jpg", Market1501, Name{123456789, 12}},
		{"0002_c8_f0044158.jpg", DukeMTMC, Name{2, 8}},
		{"0005_c2_f0046985.jpg", DukeMTMC, Name{5, 2}}, // Occluded-DukeMTMC
		{"1467_c2_10.png", CUHK03, Name{1467, 2}},
		{"0002_c002_00030600_0.jpg", VeRi776, Name{2, 2}},
		{"0776_c020_00088545_1.jpg", VeRi776, Name{776, 20}},
		{"0000_000_01_0303morning_0008_0.jpg", MSMT17, Name{0, 1}},
		{"3059_011_15_0302afternoon_1205_2_ex.jpg", MSMT17, Name{3059, 15}},
	} {
		for _, l := range All() {
			got, err := l.Parse(test.file)
			switch {
			case l.Name == test.layout.Name && (err != nil || got != test.want):
				t.Errorf("%s: %q = %v, %v; want %v", l.Name, test.file, got, err, test.want)
			case l.Name != test.layout.Name && err == nil:
				t.Errorf("%s also reads %q", l.Name, test.file)
			}
		}
	}
}

func TestExamplesAreOfTheirLayout(t *testing.T) {
	for _, l := range All() {
		if most, ok := Most([]string{l.Example, "holiday.jpg"}); !ok || most.Name != l.Name {
			t.Errorf("%q is an example of %s, and read as %s", l.Example, l.Name, most.Name)
		}
		if named, err := Named(l.Name); err != nil || named.Title != l.Title {
			t.Errorf("%s is %s, %v", l.Name, named.Title, err)
		}
	}
	if _, err := Named("prid2011"); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "veri776") {
		t.Errorf("an unknown layout: %v", err)
	}
	if l, ok := Most([]string{"holiday.jpg"}); ok {
		t.Errorf("a holiday is of %s", l.Name)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, file := range []string{
		"", ".jpg", "Thumbs.db", "0002_c1s1_000451_03.bmp", "0002.jpg", "0002_c1s1.jpg", "0002_c1s1_000451.jpg",
		"-2_c1s1_000451_03.jpg", "+1_c1s1_000451_03.jpg", "0002_s1_000451_03.jpg", "0002_c0s1_000451_03.jpg",
		"0002_cs1_000451_03.jpg", "0002_c1s_000451_03.jpg", "0002_c1s1_00a451_03.jpg", "0002_c1s1_000451_x.jpg",
		"1234567890_c1s1_000451_03.jpg", "0002_c1_x0044158.jpg", "0002_c1_f.jpg", "x_c1s1_000451_03.jpg",
		"0002_c1s1_000451_03_04.jpg", " 0002_c1s1_000451_03.jpg", "0002_c000_00030600_0.jpg",
		"0002_c1_000451_03_1.jpg", "0000_000_00_0303morning_0008_0.jpg", "0000_000_01_03,03_0008_0.jpg",
		"0000_000_01__0008.jpg", "0000_000_01.jpg",
	} {
		for _, l := range All() {
			got, err := l.Parse(file)
			if !errors.Is(err, ErrName) || got != (Name{}) {
				t.Errorf("%s: %q = %v, %v; want ErrName", l.Name, file, got, err)
			} else if !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), l.Name) {
				t.Errorf("%s: %q: the error does not name both: %v", l.Name, file, err)
			}
		}
	}
}

// Whatever the name, at most one layout reads it, and what that says of it is within bounds.
func FuzzParse(f *testing.F) {
	f.Add("-1_c1s1_000401_03.jpg")
	for _, l := range All() {
		f.Add(l.Example)
	}
	f.Fuzz(func(t *testing.T, file string) {
		readers := 0
		for _, l := range All() {
			name, err := l.Parse(file)
			if err != nil {
				if name != (Name{}) || !errors.Is(err, ErrName) {
					t.Fatalf("%s: %q: %v, %v", l.Name, file, name, err)
				}
				continue
			}
			readers++
			if name.PID < Junk || name.PID > 999999999 || name.CamID < 1 || name.CamID > 999999999 {
				t.Fatalf("%s: %q: %v out of range", l.Name, file, name)
			}
			if strings.ContainsAny(file, ",\"\n/") {
				t.Fatalf("%s: %q passed: neither CSV nor a path takes it", l.Name, file)
			}
		}
		if readers > 1 {
			t.Fatalf("%d layouts read %q", readers, file)
		}
	})
}
