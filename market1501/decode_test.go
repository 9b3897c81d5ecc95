package market1501

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestReportedFiles has files that people have reported to other programs that read datasets: each of them is an image
// like any other, with the pixels of its twin. That those are right, internal/jpeg and TestDecodePNG test.
func TestReportedFiles(t *testing.T) {
	read := func(file string) []byte {
		content, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	const jpegs = "internal/jpeg/testdata/"
	plain := read(jpegs + "ycc-without-jfif.jpg")
	// What a camera adds that has been turned: an Exif segment with one entry, orientation 6 (turn it clockwise).
	orientation := []byte("\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01" +
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00")

	for _, test := range []struct {
		name          string
		content, twin []byte
	}{
		// blackjack/webcam#7, pion/mediadevices#493, gen2brain/cam2ip#20
		{"a frame of Motion JPEG, without Huffman tables", read(jpegs + "no-huffman-tables.jpg"), plain},
		// golang/go#62421, golang/go#54997
		{"unequally sampled chroma", read(jpegs + "sampling-2x2_1x1_1x2.jpg"), nil},
		{"a turned camera", slices.Concat(plain[:2], orientation, plain[2:]), plain},
		{"bytes after the end", read(jpegs + "bytes-after-the-end.jpg"), read(jpegs + "tables-first.jpg")},
		{"restart markers", read(jpegs + "restart-every-mcu.jpg"), plain},
		{"progressive, with restart markers", read(jpegs + "restart-every-row-progressive.jpg"), plain},
		{"grey, progressive", read(jpegs + "grey-progressive.jpg"), read(jpegs + "grey.jpg")},
		{"four inks", read(jpegs + "cmyk.jpg"), read(jpegs + "cmyk-without-adobe.jpg")},
		{"a PNG that is called .jpg", read("testdata/png/rgb-8.png"), read("testdata/png/rgb-8-transparent.png")},
	} {
		root := writeDataset(t, tinyDataset...)
		writeFile(t, filepath.Join(root, "query/0001_c1s1_001051_00.jpg"), test.content)
		dataset, err := Open(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		images, err := dataset.Query.Load(t.Context(), LoadConfig{Height: 16, Width: 8})
		if err != nil || images.Len() != 1 || len(images.Broken) > 0 {
			t.Errorf("%s: %v, left out: %v", test.name, err, images)
			continue
		}
		if test.twin == nil {
			continue
		}
		twin, err := decode(t.Context(), test.twin)
		if err != nil {
			t.Fatal(err)
		}
		if img, err := decode(t.Context(), test.content); err != nil || !bytes.Equal(img.Pix, twin.Pix) {
			t.Errorf("%s: other pixels than its twin's, error %v", test.name, err)
		}
	}
}
