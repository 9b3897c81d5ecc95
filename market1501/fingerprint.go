package market1501

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
)

// Fingerprint identifies the dataset in run records: the SHA-256, in hex, over
// path and size of every image that is used. It reads no image, so that it is
// cheap enough to be taken at every start.
func (d *Dataset) Fingerprint() (string, error) {
	digest := sha256.New()
	for _, s := range d.Splits() {
		for _, e := range s.Entries {
			info, err := os.Stat(s.file(e.Path))
			if err != nil {
				return "", fmt.Errorf("fingerprint dataset: %w: %w", ErrNotGiven, err)
			}
			fmt.Fprintf(digest, "%s\x00%d\n", e.Path, info.Size())
		}
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}
