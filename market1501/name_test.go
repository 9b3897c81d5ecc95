package market1501

import (
	"errors"
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	for _, test := range []struct {
		file string
		want Name
	}{
		{"0002_c1s1_000451_03.jpg", Name{2, 1}},
		{"-1_c1s1_000401_03.jpg", Name{JunkPID, 1}},
		{"0000_c3s2_107228_04.jpg", Name{DistractorPID, 3}},
		{"1501_c6s4_001902_01.JPG", Name{1501, 6}},
		{"0002_c1s1_000451_03.jpg.jpg", Name{2, 1}},
		{"0002_c1s1_000451_03.jpeg", Name{2, 1}},
		{"0002_c8_f0044158.jpg", Name{2, 8}},
		{"123456789_c12s3_1_0.jpg", Name{123456789, 12}},
	} {
		got, err := ParseName(test.file)
		if err != nil || got != test.want {
			t.Errorf("ParseName(%q) = %v, %v; want %v", test.file, got, err, test.want)
		}
	}
}

func TestParseNameRefuses(t *testing.T) {
	for _, file := range []string{
		"", ".jpg", "Thumbs.db", "0002_c1s1_000451_03.png", "0002.jpg", "0002_c1s1.jpg", "0002_c1s1_000451.jpg",
		"-2_c1s1_000451_03.jpg", "+1_c1s1_000451_03.jpg", "0002_s1_000451_03.jpg", "0002_c0s1_000451_03.jpg",
		"0002_cs1_000451_03.jpg", "0002_c1s_000451_03.jpg", "0002_c1s1_00a451_03.jpg", "0002_c1s1_000451_x.jpg",
		"1234567890_c1s1_000451_03.jpg", "0002_c1_0044158.jpg", "0002_c1_f.jpg", "x_c1s1_000451_03.jpg",
		"0002_c1s1_000451_03_04.jpg", " 0002_c1s1_000451_03.jpg",
	} {
		got, err := ParseName(file)
		if !errors.Is(err, ErrName) {
			t.Errorf("ParseName(%q) = %v, %v; want ErrName", file, got, err)
		} else if !strings.Contains(err.Error(), file) {
			t.Errorf("ParseName(%q): the error does not name the file: %v", file, err)
		}
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("0002_c1s1_000451_03.jpg")
	f.Add("-1_c1s1_000401_03.jpg")
	f.Add("0002_c1_f0044158.jpg")
	f.Fuzz(func(t *testing.T, file string) {
		name, err := ParseName(file)
		if err != nil {
			if name != (Name{}) || !errors.Is(err, ErrName) {
				t.Fatalf("%q: %v, %v", file, name, err)
			}
			return
		}
		if name.PID < JunkPID || name.PID > 999999999 || name.CamID < 1 || name.CamID > 999999999 {
			t.Fatalf("%q: %v out of range", file, name)
		}
		if strings.ContainsAny(file, ",\"\n/") {
			t.Fatalf("%q passed: neither CSV nor a path takes it", file)
		}
	})
}
