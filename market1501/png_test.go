package market1501

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDecodePNG holds what PNG files decode to against Pillow; testdata/png/make.py made both.
func TestDecodePNG(t *testing.T) {
	list, err := os.ReadFile("testdata/png/pixels.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		name, want, _ := strings.Cut(strings.TrimSpace(line), " ")
		got := "refused"
		img, err := decodeFile(t.Context(), filepath.Join("testdata/png", name))
		switch {
		case err == nil:
			got = fmt.Sprintf("%dx%d %x", img.Width, img.Height, sha256.Sum256(img.Pix))
		case !errors.Is(err, ErrImage):
			t.Errorf("%s: error %v, want ErrImage", name, err)
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, want)
		}
	}
}

// hugePNG is a PNG whose header promises 65535×65535 pixels.
func hugePNG(t testing.TB) []byte {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	content := file.Bytes()
	header := content[len(pngSignature)+4:][:17] // its name and its content
	binary.BigEndian.PutUint32(header[4:], 65535)
	binary.BigEndian.PutUint32(header[8:], 65535)
	binary.BigEndian.PutUint32(content[len(pngSignature)+21:], crc32.ChecksumIEEE(header))
	return content
}

func TestPNGIsBounded(t *testing.T) {
	if _, err := decode(t.Context(), hugePNG(t)); err == nil || !strings.Contains(err.Error(), "the limit is") {
		t.Errorf("error %v, want one about a limit", err)
	}
}
