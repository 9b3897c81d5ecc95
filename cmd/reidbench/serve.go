package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/html"
	"github.com/reidbench/reidbench/results/live"
)

// watchInterval is how often the folder of runs is looked at while somebody watches.
const watchInterval = 5 * time.Second

func newServeCommand() *cobra.Command {
	var runs, data, measured, address string
	command := &cobra.Command{
		Use:   "serve",
		Short: "Show the report in a browser, live while a run goes on",
		Long: `Serve answers a browser with the page of "report --html". The page follows the runs:
epochs, curves and figures appear as they come, and sorting, filter and axes stay as they
are. It needs no connection but to this server, which ends with Ctrl-C.

It answers this machine only. --address 0.0.0.0:8080 or a name of this machine shows the
report to everybody who can reach it; there is no password.`,
		Example: `  # while "reidbench run" goes on in another terminal
  reidbench serve

  reidbench serve --runs runs-paper --data Market-1501-v15.09.15 --address localhost:9000`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return misuse("--address %s: %w", address, err)
			}
			listener, err := (&net.ListenConfig{}).Listen(c.Context(), "tcp", address)
			if err != nil {
				return err
			}
			announce(c.OutOrStdout(), c.ErrOrStderr(), listener.Addr())
			site := &live.Site{
				Host:     host,
				Interval: watchInterval,
				Version:  func() (string, error) { return runsVersion(runs, measured) },
				Write: func(w *bytes.Buffer, version string) error {
					return writeLive(c.Context(), w, runs, data, measured, version, c.ErrOrStderr())
				},
			}
			return live.Serve(c.Context(), listener, site.Handler())
		},
	}
	flags := command.Flags()
	flags.StringVar(&runs, "runs", defaultRuns, "`folder` of the runs")
	flags.StringVar(&data, "data",
		"", "`folder` of the dataset, for pictures; none: synthetic data is found with the runs")
	flags.StringVar(&measured, "measured", "", measuredUsage)
	flags.StringVar(&address, "address", "127.0.0.1:8080", "`host:port` to answer at; port 0: a free one")
	return command
}

// announce says where the report is, and who can see it.
func announce(stdout, stderr io.Writer, address net.Addr) {
	fmt.Fprintf(stdout, "http://%s/\n", address)
	if at, err := netip.ParseAddrPort(address.String()); err == nil && !at.Addr().IsLoopback() {
		fmt.Fprintln(stderr, "not only this machine: everybody who can reach this address sees the report")
	}
}

func writeLive(ctx context.Context, w *bytes.Buffer, runs, data, measured, version string, warn io.Writer) error {
	report, err := loadReport(runs)
	if errors.Is(err, fs.ErrNotExist) {
		report, err = newReport(nil) // the run has not begun yet
	}
	if err != nil {
		return err
	}
	if err := addMeasurements(report, measured); err != nil {
		return err
	}
	page, err := newPage(ctx, report, runs, newPictures(runs, data, false), warn)
	if err != nil {
		return err
	}
	page.Version = version
	return html.Write(w, page)
}

// runsVersion digests sizes and times of the files that a report is made of: those in the folder of runs, and one of
// measurements.
func runsVersion(runs, measured string) (string, error) {
	digest := sha256.New()
	folders, err := os.ReadDir(runs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	add := func(path string) {
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintf(digest, "%s\x00%d\x00%d\n", path, info.Size(), info.ModTime().UnixNano())
		}
	}
	for _, folder := range folders {
		for _, name := range []string{results.File, store.MetricsFile, results.ProfileFile, results.RankingsFile} {
			add(filepath.Join(runs, folder.Name(), name))
		}
	}
	if measured != "" {
		add(measured)
	}
	return hex.EncodeToString(digest.Sum(nil)[:12]), nil
}
