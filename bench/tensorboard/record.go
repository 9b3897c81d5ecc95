package tensorboard

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A record of an event file is TFRecord's (tensorflow/core/lib/io/record_writer.h): the length of its data as a
// little-endian uint64, the masked CRC32C of these eight bytes, the data, and the masked CRC32C of the data.
const recordHead = 8 + 4

// maxRecord bounds the data of a record that is read: ours have some hundred bytes.
const maxRecord = 1 << 20

// errTorn is the error of a record that is not whole, or not what was written.
var errTorn = errors.New("torn record")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is how TensorFlow stores a CRC32C: rotated, plus a constant, since the CRC of data that holds its own CRC
// says little (tensorflow/core/lib/hash/crc32c.h).
func maskedCRC(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}

// appendRecord appends data, framed.
func appendRecord(to, data []byte) []byte {
	at := len(to)
	to = binary.LittleEndian.AppendUint64(to, uint64(len(data)))
	to = binary.LittleEndian.AppendUint32(to, maskedCRC(to[at:]))
	to = append(to, data...)
	return binary.LittleEndian.AppendUint32(to, maskedCRC(data))
}

// readRecord returns the data of the next record: io.EOF after the last, [errTorn] where no sound one follows.
func readRecord(r io.Reader) ([]byte, error) {
	var head [recordHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, tornUnlessRead(err)
	}
	size := binary.LittleEndian.Uint64(head[:8])
	if binary.LittleEndian.Uint32(head[8:]) != maskedCRC(head[:8]) || size > maxRecord {
		return nil, errTorn
	}
	data := make([]byte, size+4)
	if _, err := io.ReadFull(r, data); err == io.EOF {
		return nil, errTorn
	} else if err != nil {
		return nil, tornUnlessRead(err)
	}
	data, crc := data[:size], data[size:]
	if binary.LittleEndian.Uint32(crc) != maskedCRC(data) {
		return nil, errTorn
	}
	return data, nil
}

// tornUnlessRead tells a file that ends within a record from one that the system doesn't give.
func tornUnlessRead(err error) error {
	if err == io.ErrUnexpectedEOF {
		return errTorn
	}
	return err
}
