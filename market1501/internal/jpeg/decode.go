package jpeg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// Image is a decoded picture, bytes [Height, Width, 3] in RGB.
type Image struct {
	Height, Width int
	Pix           []byte
}

// Limits bound what a file can make the decoder allocate and do.
type Limits struct {
	Pixels int // of the image
	Scans  int // passes over the image; a progressive file has about ten
}

// Is reports whether content begins as a JPEG file does.
func Is(content []byte) bool { return bytes.HasPrefix(content, []byte{0xff, startOfImage, 0xff}) }

// errTruncated is what becomes of a file that ends too early.
var errTruncated = errors.New("the file ends before its image")

// decoder is what is known of a file, as far as it has been read.
type decoder struct {
	stream
	block  block // of a file that has all of it in one place
	ctx    context.Context
	limits Limits

	quants  [4]*quantTable  // nil: not defined yet
	tables  [2][4]*huffSpec // by class (DC, AC) and place; nil: not defined yet
	restart int             // MCUs between restart markers; 0: there are none
	jfif    bool            // the file says that it is JFIF
	adobe   int             // the colour transform of Adobe's segment; -1: there is none

	frame *frame // nil before its header
	scans int    // headers seen
}

// Decode decodes a file. It looks at ctx after every row of blocks, and returns its
// error once it is done; every other error is about the content.
func Decode(ctx context.Context, content []byte, limits Limits) (Image, error) {
	d := &decoder{stream: stream{data: content}, ctx: ctx, limits: limits}
	if err := d.begin(); err != nil {
		return Image{}, err
	}
	first, err := d.firstScan()
	if err != nil {
		return Image{}, err
	}
	colours := d.colours() // as far as the file has said before its image
	if !d.frame.progressive {
		d.standardTables()
	}
	d.frame.allocate()
	if d.frame.buffered {
		err = d.readAll(first)
	} else {
		err = d.readOnly(first)
	}
	if err != nil {
		return Image{}, err
	}
	return d.picture(colours)
}

// begin reads the start of an image, which clears what a file of tables before it
// may have said.
func (d *decoder) begin() error {
	if !Is(d.data[d.pos:]) {
		return errors.New("not a JPEG file")
	}
	d.pos += 2
	d.restart, d.jfif, d.adobe = 0, false, -1
	return nil
}

// firstScan reads everything up to the data of the first scan.
func (d *decoder) firstScan() (*scan, error) {
	for {
		s, err := d.nextScan()
		if err != nil {
			return nil, err
		}
		if s != nil {
			return s, d.frame.settle(s)
		}
		if d.frame != nil {
			return nil, errors.New("no scan")
		}
		if err := d.begin(); err != nil { // there were only tables; the image follows
			return nil, err
		}
	}
}

// readOnly reads a file that has all components in one scan, and transforms each
// block at once.
func (d *decoder) readOnly(s *scan) error {
	if err := d.readScan(s); err != nil {
		return err
	}
	s, err := d.nextScan() // what follows the image may be missing, but not be wrong
	if err == nil && s != nil {
		return errors.New("another scan of what has been decoded")
	}
	if errors.Is(err, errTruncated) {
		return nil
	}
	return err
}

// readAll reads scans until the file says that there is no further one, and then
// transforms all blocks.
func (d *decoder) readAll(s *scan) error {
	for s != nil {
		if err := d.readScan(s); err != nil {
			return err
		}
		next, err := d.nextScan()
		if err != nil {
			return err
		}
		s = next
	}
	return d.transform()
}

// checkSize holds an image's size against the limits.
func (d *decoder) checkSize(height, width int) error {
	if height < 1 || width < 1 {
		return errors.New("an image without pixels")
	}
	if width > d.limits.Pixels/height {
		return fmt.Errorf("%d×%d pixels, the limit is %d million", width, height, d.limits.Pixels/1_000_000)
	}
	return nil
}
