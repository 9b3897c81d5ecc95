package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/reidbench/reidbench/bench/measure"
)

// simulatedRows is how many kernels of each kind are shown.
const simulatedRows = 12

// checkSimulated refuses numbers of threads that nobody has.
func checkSimulated(threads []int) error {
	for _, n := range threads {
		if b := bounds["threads"]; int64(n) < b.least || int64(n) > b.most {
			return misuse("--simulate-threads %d: must be from %d to %d", n, b.least, b.most)
		}
	}
	return nil
}

// writeSimulation prints how a step would go with other numbers of threads, and what is in the way.
func writeSimulation(w io.Writer, s *measure.Simulation) error {
	var rows [][]string
	most := s.Threads[0]
	for _, t := range s.Threads {
		rows = append(rows, []string{
			fmt.Sprint(t.Threads), milliseconds(t.Seconds), fmt.Sprintf("%.1f", s.Seconds/t.Seconds),
			fmt.Sprintf("%.2f", t.Efficiency),
		})
		if t.Threads > most.Threads {
			most = t
		}
	}
	fmt.Fprintf(w, "\nSimulated: one step takes %s ms on one thread\n\n", milliseconds(s.Seconds))
	columns := []column{{Title: "Threads"}, {Title: "ms"}, {Title: "Speed-up"}, {Title: "Efficiency"}}
	if err := writeTable(w, columns, rows, nil); err != nil {
		return err
	}

	longest := s.Serial[0]
	fmt.Fprintf(w, "\nSerial: %s ms in all, %.1f %% of the step with %d threads; longest: %s, %s ms\n",
		milliseconds(s.AllSerial), 100*s.AllSerial/most.Seconds, most.Threads,
		strings.TrimSpace(kernelName(longest)+" "+longest.Phase), milliseconds(longest.Serial))

	rows = nil
	for _, k := range s.Idle[:min(simulatedRows, len(s.Idle))] {
		rows = append(rows, []string{
			kernelName(k), k.Phase, fmt.Sprint(k.Tasks), milliseconds(k.Longest), milliseconds(k.Serial),
			milliseconds(k.Seconds), fmt.Sprintf("%.1f", 100*k.Idle),
		})
	}
	fmt.Fprintf(w, "\nWhat leaves most of %d threads' time unused, in %% of it\n\n", most.Threads)
	columns = []column{
		{Title: "Layer", Left: true}, {Title: "Phase", Left: true}, {Title: "Tasks"}, {Title: "longest ms", Yields: 1},
		{Title: "serial ms", Yields: 2}, {Title: "ms"}, {Title: "% unused"},
	}
	return writeTable(w, columns, rows, nil)
}

func kernelName(k measure.SimulatedKernel) string {
	if k.Layer == "" {
		return k.Op
	}
	return k.Layer + " (" + k.Op + ")"
}

func milliseconds(seconds float64) string { return figure(1000 * seconds) }
