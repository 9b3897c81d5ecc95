package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reidbench/reidbench/results"
)

func TestServe(t *testing.T) {
	dir, measured := runs(t), measuredFile(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	printed, stdout := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"serve", "--runs", dir, "--measured", measured, "--address", "127.0.0.1:0"},
			stdout, io.Discard)
	}()
	address, err := bufio.NewReader(printed).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	page := func() string {
		response, err := http.Get(strings.TrimSpace(address))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		page, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("status %d: %v", response.StatusCode, err)
		}
		return string(page)
	}
	if first := page(); strings.Count(first, `class="state failed"`) != 3 || !strings.Contains(first, "connect-src") {
		t.Error("the page is not that of the runs, live")
	}
	record, err := results.Read(filepath.Join(dir, "lenet"))
	if err != nil {
		t.Fatal(err)
	}
	record.Final.MAP = 0.1234
	if err := results.Write(filepath.Join(dir, "lenet"), record); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page(), "12.34") {
		t.Error("the page does not follow the runs")
	}
	if !strings.Contains(page(), `"latency_ms":17.5`) {
		t.Error("the page does not have OSNet's latency")
	}
	cancel()
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d", got)
	}
}

func TestServeWhoSeesIt(t *testing.T) {
	for address, warned := range map[string]bool{"127.0.0.1:0": false, "[::1]:0": false, "0.0.0.0:0": true} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // it announces itself, and ends
		o := reidbenchUntil(ctx, "serve", "--address", address)
		if strings.Contains(o.stderr, "cannot assign") || strings.Contains(o.stderr, "not supported") {
			continue // no IPv6 here
		}
		if got := strings.Contains(o.stderr, "not only this machine"); o.code != exitOK || got != warned {
			t.Errorf("%s: exit code %d, warned: %t, want %t: %s", address, o.code, got, warned, o.stderr)
		}
	}
	if o := reidbench(t, "serve", "--address", "8080"); o.code != exitMisuse {
		t.Errorf("an address without a port: exit code %d, standard error %q", o.code, o.stderr)
	}
}

// TestStoreVersion: it changes with what the page shows, and with nothing else.
func TestStoreVersion(t *testing.T) {
	dir, measured := runs(t), filepath.Join(t.TempDir(), "measured.json")
	version := func() string {
		v, err := runsVersion(dir, measured)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := version()
	if err := os.WriteFile(filepath.Join(dir, "lenet", "checkpoint"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if version() != first {
		t.Error("a checkpoint changes the page's version")
	}
	log := filepath.Join(dir, "lenet", "metrics.jsonl")
	for _, file := range []string{log, measured} {
		for _, content := range []string{"{}\n", "{}\n{}\n"} {
			before := version()
			if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
			if version() == before {
				t.Errorf("%s with %q does not change the page's version", file, content)
			}
		}
	}
	before := version()
	if err := os.Chtimes(log, time.Time{}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	if version() == before {
		t.Error("a log that was written again does not change the page's version")
	}
	if _, err := runsVersion(filepath.Join(dir, "absent"), ""); err != nil {
		t.Errorf("a run that has not begun: %v", err)
	}
}
