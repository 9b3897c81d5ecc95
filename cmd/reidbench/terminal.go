package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/reidbench/reidbench/bench"
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
func newProgress(w io.Writer) (bench.Progress, func()) {
	if terminalWidth(w) == 0 {
		return bench.NewLines(w, plainInterval, nil), func() {}
	}
	bars := bench.NewBars(w)
	return bars, bars.Close
}

// newCounter shows how far a count has come, as a bar on a terminal, else as lines. The second
// function closes it.
func newCounter(w io.Writer, doing string) (progress func(done, total int), stop func()) {
	if terminalWidth(w) == 0 {
		return countInLines(w, doing), func() {}
	}
	container := mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh())
	var once sync.Once
	var bar *mpb.Bar
	progress = func(done, total int) {
		once.Do(func() {
			bar = container.AddBar(int64(total), mpb.BarRemoveOnComplete(),
				mpb.PrependDecorators(decor.Name(doing+" ")),
				mpb.AppendDecorators(decor.CountersNoUnit(" %d of %d"), decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace)))
		})
		bar.SetCurrent(int64(done))
	}
	return progress, func() {
		if bar != nil {
			bar.Abort(true)
		}
		container.Wait()
	}
}

func countInLines(w io.Writer, doing string) func(done, total int) {
	last := time.Now()
	return func(done, total int) {
		if now := time.Now(); now.Sub(last) >= plainInterval {
			last = now
			fmt.Fprintf(w, "%s: %d of %d\n", doing, done, total)
		}
	}
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
