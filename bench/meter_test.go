package bench

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	now := time.Unix(100, 0)
	m := newMeter(func() time.Time { return now })
	m.start(100)
	if m.left() != 0 || m.trainRate() != 0 {
		t.Errorf("before any work: %v left at %v img/s", m.left(), m.trainRate())
	}
	for range 2 {
		now = now.Add(2 * time.Second)
		m.trained(10, 20)
	}
	now = now.Add(time.Second)
	m.worked(10)
	// Half of the work took five seconds, four of them for training on 20 images.
	if got, want := m.left(), 5*time.Second; got != want {
		t.Errorf("%v left, want %v", got, want)
	}
	if got, want := m.trainRate(), 5.0; got != want {
		t.Errorf("%v img/s, want %v", got, want)
	}
}
