package market1501

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// noise is the input of the cases in testdata/pillow_bilinear.json.
func noise(n int, seed uint32) []byte {
	out := make([]byte, n)
	for i := range out {
		seed = seed*1664525 + 1013904223
		out[i] = byte(seed >> 24)
	}
	return out
}

// The expected values come from Pillow 9.4: Image.resize(size, BILINEAR).
func TestResizeEqualsPillow(t *testing.T) {
	content, err := os.ReadFile("testdata/pillow_bilinear.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		InHeight int `json:"in_height"`
		InWidth  int `json:"in_width"`
		Height   int
		Width    int
		Seed     uint32
		SHA256   string
		Pixels   []byte // for small images only, to show a difference
	}
	if err := json.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got := make([]byte, c.Height*c.Width*3)
		newResizer(c.InHeight, c.InWidth, c.Height, c.Width).resize(got, noise(c.InHeight*c.InWidth*3, c.Seed))
		if c.Pixels != nil {
			if diff := cmp.Diff(c.Pixels, got); diff != "" {
				t.Errorf("%d×%d to %d×%d: %s", c.InHeight, c.InWidth, c.Height, c.Width, diff)
			}
		}
		if sum := sha256.Sum256(got); hex.EncodeToString(sum[:]) != c.SHA256 {
			t.Errorf("%d×%d to %d×%d differs from Pillow", c.InHeight, c.InWidth, c.Height, c.Width)
		}
	}
}

func TestDecodeColourModels(t *testing.T) {
	encode := func(img image.Image) []byte {
		var buf bytes.Buffer
		if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 100}); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	gray := image.NewGray(image.Rect(0, 0, 5, 3))
	for i := range gray.Pix {
		gray.Pix[i] = 77
	}
	rgba := image.NewRGBA(image.Rect(0, 0, 5, 3))
	for i := range 15 {
		rgba.Set(i%5, i/5, color.RGBA{200, 30, 60, 255})
	}
	for _, test := range []struct {
		name string
		file []byte
		want [3]int
	}{
		{"gray", encode(gray), [3]int{77, 77, 77}},
		{"colour", encode(rgba), [3]int{200, 30, 60}},
	} {
		img, err := decode(t.Context(), test.file)
		if err != nil {
			t.Fatal(err)
		}
		if img.Height != 3 || img.Width != 5 || len(img.Pix) != 45 {
			t.Fatalf("%s: %d×%d, %d bytes", test.name, img.Height, img.Width, len(img.Pix))
		}
		for i, v := range img.Pix {
			// 3: rounding of the two colour conversions and of the transform.
			if d := int(v) - test.want[i%3]; d < -3 || d > 3 {
				t.Fatalf("%s: byte %d is %d, want %d", test.name, i, v, test.want[i%3])
			}
		}
	}
}

// hugeHeader is a JPEG whose header promises 65535×65535 pixels.
func hugeHeader(t testing.TB) []byte {
	content := smallJPEG(t, color.White)
	frame := bytes.Index(content, []byte{0xff, 0xc0})
	if frame < 0 {
		t.Fatal("no frame header")
	}
	copy(content[frame+5:], []byte{0xff, 0xff, 0xff, 0xff})
	return content
}

func TestDecodeRefuses(t *testing.T) {
	whole := smallJPEG(t, color.White)
	for name, content := range map[string][]byte{
		"empty":       nil,
		"text":        []byte("GIF89a is no JPEG"),
		"truncated":   whole[:len(whole)-20],
		"header only": whole[:30],
		"huge":        hugeHeader(t),
		"huge PNG":    hugePNG(t),
		"cut PNG":     hugePNG(t)[:30],
	} {
		if _, err := decode(t.Context(), content); !errors.Is(err, ErrImage) {
			t.Errorf("%s: error %v, want ErrImage", name, err)
		}
	}
}

// TestDecodeBoundsScans: each scan costs a pass over the whole image, and may be a few bytes.
func TestDecodeBoundsScans(t *testing.T) {
	for _, test := range []struct {
		scans   int
		refused bool
	}{{1, false}, {maxScans, false}, {maxScans + 1, true}, {100_000, true}} {
		_, err := decode(t.Context(), manyScans(8, 8, test.scans))
		refused := err != nil && strings.Contains(err.Error(), "scans")
		if refused != test.refused || refused && !errors.Is(err, ErrImage) {
			t.Errorf("%d scans: %v", test.scans, err)
		}
	}
}

// manyScans is a grey progressive JPEG without a single code in its scans.
func manyScans(height, width, scans int) []byte {
	return slices.Concat(
		[]byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}, bytes.Repeat([]byte{1}, 64),
		[]byte{0xff, 0xc2, 0, 11, 8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), 1, 1, 0x11, 0},
		[]byte{0xff, 0xc4, 0, 20, 0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		bytes.Repeat([]byte{0xff, 0xda, 0, 8, 1, 1, 0x00, 0, 0, 0}, scans),
		[]byte{0xff, 0xd9})
}

// TestDecodeEndsWithItsContext: a file may take seconds, and a run that is told to stop does not wait for it.
func TestDecodeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"JPEG": manyScans(8, 8, 3), "PNG": file.Bytes()} {
		if _, err := decode(ctx, content); !errors.Is(err, context.Canceled) || errors.Is(err, ErrImage) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestDecodeCutAnywhere: what is left of an image is refused, or decoded.
func TestDecodeCutAnywhere(t *testing.T) {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewRGBA(image.Rect(0, 0, 16, 24)), nil); err != nil {
		t.Fatal(err)
	}
	for n := range file.Len() {
		if _, err := decode(t.Context(), file.Bytes()[:n]); err != nil && !errors.Is(err, ErrImage) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	whole := smallJPEG(f, color.RGBA{10, 200, 90, 255})
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(hugeHeader(f))
	f.Add(hugePNG(f))
	for _, name := range []string{"grey-16.png", "palette-8-transparent.png", "rgb-8-interlaced.png"} {
		content, err := os.ReadFile(filepath.Join("testdata/png", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		img, err := decode(t.Context(), content)
		if err != nil {
			if !errors.Is(err, ErrImage) {
				t.Fatal(err)
			}
			return
		}
		if len(img.Pix) != img.Height*img.Width*3 || img.Height*img.Width > maxPixels {
			t.Fatalf("%d bytes for %d×%d", len(img.Pix), img.Height, img.Width)
		}
	})
}

func TestLoad(t *testing.T) {
	root := writeDataset(t, tinyDataset...)
	whole := smallJPEG(t, color.White)
	writeFile(t, filepath.Join(root, "bounding_box_train/0003_c1s1_000001_01.jpg"), whole[:len(whole)/2])
	writeFile(t, filepath.Join(root, "bounding_box_train/0004_c1s1_000001_01.jpg"), []byte("no image"))
	d, err := Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	config := LoadConfig{Height: 32, Width: 16, Workers: 4, Progress: func(n, total int) {
		done++
		if n != done || total != 5 {
			t.Errorf("progress %d of %d, want %d of 5", n, total, done)
		}
	}}
	images, err := d.Train.Load(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	if done != 5 {
		t.Errorf("%d progress reports, want 5", done)
	}

	var names []string
	for i := range images.Len() {
		names = append(names, images.Name(i))
	}
	if diff := cmp.Diff([]string{
		"bounding_box_train/0002_c1s1_000451_03.jpg",
		"bounding_box_train/0002_c3s1_000451_03.jpg",
		"bounding_box_train/0007_c2s1_000001_01.jpg",
	}, names); diff != "" {
		t.Error(diff)
	}
	if got := [3]int32{images.PID(2), images.CamID(2), images.Label(2)}; got != [3]int32{7, 2, 3} {
		t.Errorf("pid, camera, label of the last image: %v", got)
	}
	// The images have one colour each, so resizing shows their first pixel everywhere.
	for i := range images.Len() {
		img, err := decodeFile(t.Context(), filepath.Join(root, filepath.FromSlash(images.Name(i))))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(images.Pixels(i), bytes.Repeat(img.Pix[:3], 32*16)) {
			t.Errorf("pixels of %s are not those of its file", images.Name(i))
		}
	}

	if len(images.Broken) != 2 || !slices.IsSortedFunc(images.Broken, func(a, b BrokenImage) int {
		return strings.Compare(a.Path, b.Path)
	}) {
		t.Errorf("broken images: %v", images.Broken)
	}
	warning := strings.Join(images.Warnings(), "")
	for _, word := range []string{"2 images cannot be decoded", "0003_c1s1_000001_01.jpg", "0004_c1s1_000001_01.jpg"} {
		if !strings.Contains(warning, word) {
			t.Errorf("warning does not mention %q: %s", word, warning)
		}
	}

	part, err := d.Train.Range(3, 5).Load(context.Background(), LoadConfig{Height: 32, Width: 16})
	if err != nil {
		t.Fatal(err)
	}
	if part.Len() != 1 || !bytes.Equal(part.Pixels(0), images.Pixels(2)) {
		t.Error("a range of the split differs from the whole")
	}
}

func TestLoadFails(t *testing.T) {
	root := writeDataset(t, tinyDataset...)
	d, err := Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Train.Load(cancelled, LoadConfig{Height: 8, Width: 8}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := d.Info(cancelled, 2, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := d.Train.Load(context.Background(), LoadConfig{Width: 8}); err == nil {
		t.Error("images without height")
	}
	writeFile(t, filepath.Join(root, "query/0001_c1s1_001051_00.jpg"), []byte("no image"))
	_, err = d.Query.Load(context.Background(), LoadConfig{Height: 8, Width: 8})
	if !errors.Is(err, ErrImage) || !strings.Contains(err.Error(), "0001_c1s1_001051_00.jpg") {
		t.Errorf("not one image: %v", err)
	}
}

// What the system does not give is no broken image: the figures of a run without it would look like any other's. Only
// [Dataset.Info], which has no figures, counts what is not there among the broken ones.
func TestUnreadableIsNotBroken(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(path string) error
		want  error
	}{
		{"gone", os.Remove, os.ErrNotExist},
		{"a folder", func(path string) error {
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o777))
		}, syscall.EISDIR},
		{"a link to itself", func(path string) error {
			return errors.Join(os.Remove(path), os.Symlink(path, path))
		}, syscall.ELOOP},
		{"not permitted", func(path string) error { return os.Chmod(path, 0) }, os.ErrPermission},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.want == os.ErrPermission && os.Geteuid() == 0 {
				t.Skip("root may read everything")
			}
			root := writeDataset(t, tinyDataset...)
			d, err := Open(t.Context(), root)
			if err != nil {
				t.Fatal(err)
			}
			const name = "bounding_box_train/0002_c1s1_000451_03.jpg" // one of three
			if err := test.spoil(filepath.Join(root, name)); err != nil {
				t.Fatal(err)
			}
			_, loadErr := d.Train.Load(t.Context(), LoadConfig{Height: 8, Width: 8})
			info, infoErr := d.Info(t.Context(), 1, nil)
			if test.want == os.ErrNotExist && infoErr == nil && len(info.Splits[0].Broken) == 1 {
				infoErr = loadErr
			}
			_, overlapErr := d.Overlap(t.Context(), 1)
			for what, err := range map[string]error{"load": loadErr, "info": infoErr, "overlap": overlapErr} {
				if !errors.Is(err, ErrNotGiven) || !errors.Is(err, test.want) ||
					!strings.Contains(err.Error(), filepath.Base(name)) {
					t.Errorf("%s: error %v, want %v of %s", what, err, test.want, name)
				}
			}
		})
	}
}
