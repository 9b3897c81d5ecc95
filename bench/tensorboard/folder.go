package tensorboard

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/reidbench/reidbench/results/regular"
)

// filePrefix is how the names of event files begin. A time follows, in seconds of ten digits: TensorBoard reads the
// files of a run in the order of their names.
const filePrefix = "events.out.tfevents."

// eventFiles are the paths of the event files in a folder, in the order in which TensorBoard reads them; none if there
// is no folder.
func eventFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filePrefix) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, nil
}

// create makes the event file that TensorBoard reads after all others of the folder, whatever the clock says.
func create(dir string, others []string, now time.Time) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	stamp := now.Unix()
	for _, file := range others {
		digits, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(file), filePrefix), ".")
		if other, err := strconv.ParseInt(digits, 10, 64); err == nil {
			stamp = max(stamp, other+1)
		}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	name := fmt.Sprintf("%s%010d.%s.%d.0", filePrefix, stamp, host, os.Getpid())
	return os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// extent is how far the event files of a training go.
type extent struct {
	step   int // the last one
	events int // with scalars, of that step
}

// extentOf reads event files in their order. What is torn in a file, and what follows it there, does not count.
func extentOf(files []string) (extent, error) {
	var e extent
	for _, path := range files {
		file, err := regular.Open(path)
		if err != nil {
			return extent{}, err
		}
		err = e.read(bufio.NewReader(file))
		file.Close()
		if err != nil && !errors.Is(err, errTorn) {
			return extent{}, fmt.Errorf("read %s: %w", path, err)
		}
	}
	return e, nil
}

// read takes up the events of one file.
func (e *extent) read(r io.Reader) error {
	for {
		data, err := readRecord(r)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		step, kind, err := parseEvent(data)
		if err != nil {
			return err
		}
		switch {
		case kind == started:
			*e = extent{step: step}
		case kind == summarised && step == e.step:
			e.events++
		case kind == summarised:
			*e = extent{step: step, events: 1}
		}
	}
}
