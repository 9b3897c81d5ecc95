package market1501

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/reidbench/reidbench/market1501/layout"
)

// Fingerprint identifies the dataset in run records: the SHA-256, in hex, over
// path and size of every image that is used, and over identity and camera where the
// path alone does not tell them. It reads no image, so that it is cheap enough to be
// taken at every start. The size of a link that leads nowhere is -1.
func (d *Dataset) Fingerprint(ctx context.Context) (string, error) {
	return d.fingerprint(ctx, fileSize)
}

func (d *Dataset) fingerprint(ctx context.Context, fileSize func(file string) (int64, error)) (string, error) {
	digest := sha256.New()
	told := d.Layout == layout.Market1501.Name || d.Layout == layout.DukeMTMC.Name
	for _, s := range d.Splits() {
		for _, e := range s.Entries {
			if err := ctx.Err(); err != nil {
				return "", fmt.Errorf("fingerprint dataset: %w", err)
			}
			size, err := fileSize(s.file(e.Path))
			if err != nil {
				return "", fmt.Errorf("fingerprint dataset: %w: %w", ErrNotGiven, err)
			}
			fmt.Fprintf(digest, "%s\x00%d", e.Path, size)
			if !told {
				fmt.Fprintf(digest, "\x00%d\x00%d", e.PID, e.CamID)
			}
			fmt.Fprintln(digest)
		}
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// fileSize is the length of a file in bytes, or -1 if it is a link that leads nowhere: that is broken like a file which
// cannot be decoded.
func fileSize(file string) (int64, error) {
	info, err := os.Stat(file)
	switch {
	case err == nil:
		return info.Size(), nil
	case dangles(file):
		return -1, nil
	}
	return 0, err
}

// dangles reports whether there is a link of that name, and no file where it leads.
func dangles(file string) bool {
	link, err := os.Lstat(file)
	if err != nil || link.Mode().Type() != fs.ModeSymlink {
		return false
	}
	_, err = os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}
