package bench

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/tensorboard"
)

// makeBoard makes TensorBoard's folder: where that can't be, nothing is trained.
func (c *Config) makeBoard() error {
	if c.TensorBoard == "" {
		return nil
	}
	if err := os.MkdirAll(c.TensorBoard, 0o777); err != nil {
		return fmt.Errorf("the folder for TensorBoard: %w", err)
	}
	return nil
}

// boardFolder is that of the job in TensorBoard's.
func (j *job) boardFolder() string { return filepath.Join(j.tensorBoard, j.folder.Name()) }

// openBoard begins an event file that goes on after the log as it is. No training ends for want of one.
func (t *training) openBoard() {
	if t.tensorBoard == "" {
		return
	}
	logged, err := t.folder.Logged()
	if err == nil {
		t.board, err = tensorboard.Open(t.boardFolder(), logged, t.now)
	}
	if err != nil {
		t.warnOfBoard(err)
	}
}

// note adds an entry to the log, and to what TensorBoard is shown of it.
func (t *training) note(e store.Entry) {
	t.log.Add(e)
	if t.board == nil {
		return
	}
	if err := t.board.Add(e); err != nil {
		t.warnOfBoard(err)
		t.closeBoard()
	}
}

// closeBoard ends the event file. All that can be lost of it is in the log.
func (t *training) closeBoard() {
	if t.board == nil {
		return
	}
	if err := t.board.Close(); err != nil {
		t.warnOfBoard(err)
	}
	t.board = nil
}

// completeBoard shows TensorBoard what it lacks of a job that is done.
func (j *job) completeBoard() {
	if j.tensorBoard == "" {
		return
	}
	logged, err := j.folder.Logged()
	if err == nil {
		err = tensorboard.Complete(j.boardFolder(), logged, j.now)
	}
	if err != nil {
		j.warnOfBoard(err)
	}
}

func (j *job) warnOfBoard(err error) {
	j.warn(fmt.Sprintf("no more events for TensorBoard: %v; the same command adds later what is missing", err))
}
