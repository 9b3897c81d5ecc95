package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/reidbench/reidbench/bench/progress"
)

// plainInterval is how often a job reports in plain lines.
const plainInterval = 10 * time.Second

// terminalWidth returns the columns of the terminal that w is, 0 if it is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// newProgress shows a run's jobs as bars on a terminal, else as lines. The function closes it.
func newProgress(w io.Writer) (progress.Reporter, func()) {
	if terminalWidth(w) == 0 {
		return progress.NewLines(w, plainInterval, nil), func() {}
	}
	bars := progress.NewBars(w)
	return bars, bars.Close
}

// newCounter shows how far a count has come. The second function clears it.
func newCounter(w io.Writer, doing string) (progress func(done, total int), stop func()) {
	show, stop := newStatusLine(w)
	return func(done, total int) {
		show(func() string { return fmt.Sprintf("%s: %d of %d", doing, done, total) })
	}, stop
}

// newStatusLine shows now and then what a function says: in one line of a terminal that is overwritten, else in a line
// each. The second function clears it.
func newStatusLine(w io.Writer) (show func(text func() string), stop func()) {
	interval, before, after := plainInterval, "", "\n"
	stop = func() {}
	if terminalWidth(w) > 0 {
		interval, before, after = 100*time.Millisecond, "\r"+clearLine, ""
		stop = func() { fmt.Fprint(w, "\r"+clearLine) }
	}
	last := time.Now()
	return func(text func() string) {
		if now := time.Now(); now.Sub(last) >= interval {
			last = now
			fmt.Fprint(w, before, text(), after)
		}
	}, stop
}

// clearLine erases a terminal's line from the cursor on.
const clearLine = "\x1b[K"

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
