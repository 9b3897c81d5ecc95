package jpeg

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"go/build"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var testLimits = Limits{Pixels: 1 << 20, Scans: 100}

// beyond are files that libjpeg-turbo decodes and this package refuses.
var beyond = map[string]string{"arithmetic.jpg": "arithmetic coding"}

// TestPixels holds what files decode to against Pillow and djpeg. Where the files and
// the list come from is in testdata/make.py; REIDBENCH_JPEG_LIST names a further list.
func TestPixels(t *testing.T) {
	lists := []string{"testdata/pixels.txt"}
	if list := os.Getenv("REIDBENCH_JPEG_LIST"); list != "" {
		lists = append(lists, list)
	}
	for _, list := range lists {
		content, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			name, want, _ := strings.Cut(strings.TrimSpace(line), " ")
			if _, ok := beyond[name]; ok {
				want = "refused"
			}
			file := strings.Replace(name, "$GOROOT", build.Default.GOROOT, 1)
			if !filepath.IsAbs(file) {
				file = filepath.Join("testdata", file)
			}
			content, err := os.ReadFile(file)
			if errors.Is(err, os.ErrNotExist) && strings.HasPrefix(name, "$GOROOT") {
				continue // a Go without its tests
			}
			if err != nil {
				t.Fatal(err)
			}
			got := "refused"
			img, err := Decode(t.Context(), content, testLimits)
			if err == nil {
				got = fmt.Sprintf("%dx%d %x", img.Width, img.Height, sha256.Sum256(img.Pix))
			}
			if got != want {
				t.Errorf("%s: %s (%v), want %s", name, got, err, want)
			}
		}
	}
}

// TestRefusesByReason: a person who looks for a broken file is told what is wrong.
func TestRefusesByReason(t *testing.T) {
	for name, want := range map[string]string{
		"arithmetic.jpg":                    "SOF9",
		"cut-60.jpg":                        "ends before",
		"cut-progressive.jpg":               "ends before",
		"no-huffman-tables-progressive.jpg": "no Huffman table",
		"no-quantization-tables.jpg":        "no quantization table",
		"two-frames.jpg":                    "two frame headers",
		"two-scans.jpg":                     "another scan",
	} {
		_, err := Decode(t.Context(), readTestdata(t, name), testLimits)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one about %q", name, err, want)
		}
	}
}

func readTestdata(t testing.TB, name string) []byte {
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestLimits(t *testing.T) {
	content := readTestdata(t, "first-9-scans.jpg") // 75×61 pixels
	for _, test := range []struct {
		limits Limits
		want   string
	}{
		{Limits{Pixels: 75 * 61, Scans: 9}, ""},
		{Limits{Pixels: 75*61 - 1, Scans: 9}, "pixels"},
		{Limits{Pixels: 75 * 61, Scans: 8}, "scans"},
	} {
		_, err := Decode(t.Context(), content, test.limits)
		refused := err != nil && strings.Contains(err.Error(), test.want)
		if refused != (test.want != "") || !refused && err != nil {
			t.Errorf("%+v: error %v, want one about %q", test.limits, err, test.want)
		}
	}
}

// TestHeaderAllocatesNothing: a file of a few bytes that promises a large image has to
// bring its first scan before there is room for it.
func TestHeaderAllocatesNothing(t *testing.T) {
	content := readTestdata(t, "pedestrian.jpg")
	frame := bytes.Index(content, []byte{0xff, baselineFrame})
	content = bytes.Clone(content[:frame+19])
	copy(content[frame+5:], []byte{0x3f, 0xff, 0x3f, 0xff})
	used := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := Decode(b.Context(), content, Limits{Pixels: 1 << 30, Scans: 1}); err == nil {
				b.Fatal("half a file was decoded")
			}
		}
	}).AllocedBytesPerOp()
	if used > 1<<14 {
		t.Errorf("%d bytes for a header", used)
	}
}

// countdown is a context that ends when it has been asked often enough.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestContext: between two looks at the context lies no more than a row of blocks.
func TestContext(t *testing.T) {
	for _, test := range []struct {
		name  string
		looks int
	}{
		{"pedestrian.jpg", 128/16 + 128/8},                   // rows of MCUs, and of pixels
		{"first-9-scans.jpg", 4 + 8 + 7*4 + (8 + 4 + 4) + 8}, // of scans, of blocks, and of pixels
	} {
		content := readTestdata(t, test.name)
		for looks := 0; ; looks++ {
			_, err := Decode(&countdown{t.Context(), looks}, content, testLimits)
			if err == nil {
				if looks < test.looks {
					t.Errorf("%s: %d looks at the context, want %d", test.name, looks, test.looks)
				}
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%s: error %v", test.name, err)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(files) == 0 {
		f.Fatal("no files", err)
	}
	for _, file := range files {
		f.Add(readTestdata(f, filepath.Base(file)))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		img, err := Decode(t.Context(), content, Limits{Pixels: 1 << 16, Scans: 20})
		if err == nil && (len(img.Pix) != img.Height*img.Width*3 || img.Height*img.Width > 1<<16) {
			t.Fatalf("%d bytes for %d×%d", len(img.Pix), img.Height, img.Width)
		}
	})
}

// BenchmarkDecode decodes an image of a pedestrian to RGB, and has image/jpeg do the
// same as well as it can.
func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"pedestrian.jpg", "pedestrian-progressive.jpg"} {
		content := readTestdata(b, name)
		b.Run("this/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(b.Context(), content, testLimits); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("image-jpeg/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				decoded, err := stdjpeg.Decode(bytes.NewReader(content))
				if err != nil {
					b.Fatal(err)
				}
				img := decoded.(*image.YCbCr)
				pix := make([]byte, 0, 3*img.Rect.Dx()*img.Rect.Dy())
				for y := range img.Rect.Dy() {
					for x := range img.Rect.Dx() {
						c := img.COffset(x, y)
						red, green, blue := color.YCbCrToRGB(img.Y[img.YOffset(x, y)], img.Cb[c], img.Cr[c])
						pix = append(pix, red, green, blue)
					}
				}
			}
		})
	}
}
