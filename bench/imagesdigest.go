package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/reidbench/reidbench/market1501"
)

// imagesDigest identifies decoded images: their names, labels and pixels in order.
type imagesDigest struct{ hash hash.Hash }

func newImagesDigest() imagesDigest { return imagesDigest{sha256.New()} }

func (d imagesDigest) add(images *market1501.Images) {
	for i := range images.Len() {
		fmt.Fprintf(d.hash, "%s\x00%d\n", images.Name(i), images.Label(i))
		d.hash.Write(images.Pixels(i))
	}
}

func (d imagesDigest) String() string { return hex.EncodeToString(d.hash.Sum(nil)) }
