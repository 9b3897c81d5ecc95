package market1501

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// Decoded says what was decoded of a dataset: which images were really used, and
// what they looked like. A [Dataset.Fingerprint] knows names and sizes alone. It
// is filled split by split, in pieces or at once.
type Decoded struct {
	Height, Width int // pixels, after resizing
	Splits        []DecodedSplit

	hash hash.Hash
}

// DecodedSplit counts the images of one split.
type DecodedSplit struct {
	Folder  string
	Used    int
	LeftOut []BrokenImage // because they cannot be decoded
}

// Reasons names the first few images that were left out, and what is wrong with
// each; "" if none was.
func (s DecodedSplit) Reasons() string { return abridged(s.LeftOut) }

// Err is an error, which wraps [ErrImage], if not one image could be decoded, nil
// otherwise.
func (s DecodedSplit) Err() error {
	if s.Used > 0 || len(s.LeftOut) == 0 {
		return nil
	}
	return fmt.Errorf("load %s: not one of %d images can be decoded: %s: %w",
		s.Folder, len(s.LeftOut), s.LeftOut[0].Path, s.LeftOut[0].Err)
}

// NewDecoded has seen nothing yet.
func NewDecoded() *Decoded { return &Decoded{hash: sha256.New()} }

// Add takes in images, which follow those that it has of the same split.
func (d *Decoded) Add(images *Images) {
	d.Height, d.Width = images.Height, images.Width
	last := len(d.Splits) - 1
	if last < 0 || d.Splits[last].Folder != images.Folder {
		d.Splits = append(d.Splits, DecodedSplit{Folder: images.Folder})
		last++
	}
	d.Splits[last].Used += images.Len()
	d.Splits[last].LeftOut = append(d.Splits[last].LeftOut, images.Broken...)
	for i := range images.Len() {
		fmt.Fprintf(d.hash, "%s\x00%d\n", images.Name(i), images.Label(i))
		d.hash.Write(images.Pixels(i))
	}
}

// Digest is the SHA-256, in hex, over name, label and resized pixels of every
// image that is used, in order.
func (d *Decoded) Digest() string { return hex.EncodeToString(d.hash.Sum(nil)) }
