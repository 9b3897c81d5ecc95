package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/kernels/isa"
)

// buildVersion is what version tells.
type buildVersion struct {
	Version  string   `json:"version"`
	Revision string   `json:"revision,omitempty"` // of the source tree
	Time     string   `json:"time,omitempty"`     // of the revision
	Modified bool     `json:"modified"`           // the tree had changes that are not in the revision
	Go       string   `json:"go"`
	OS       string   `json:"os"`
	Arch     string   `json:"arch"`
	CPU      string   `json:"cpu"`
	Threads  int      `json:"threads"`
	Memory   int64    `json:"memory_bytes"`
	ISA      isaState `json:"isa"`
}

type isaState struct {
	Detected string `json:"detected"` // the best that this CPU has
	Active   string `json:"active"`
}

func newVersionCommand() *cobra.Command {
	var json bool
	command := &cobra.Command{
		Use:   "version",
		Short: "Print the build, the CPU and the instruction set in use",
		Example: `  reidbench version
  reidbench version --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			v := describeBuild()
			if json {
				return writeJSON(c.OutOrStdout(), v)
			}
			source := v.Version
			if v.Revision != "" {
				source += ", revision " + v.Revision + " of " + v.Time
			}
			if v.Modified {
				source += ", modified"
			}
			if v.CPU == "" {
				v.CPU = "unknown CPU"
			}
			memory := machine.Bytes(v.Memory).String()
			if v.Memory == 0 {
				memory = "an unknown amount"
			}
			_, err := fmt.Fprintf(c.OutOrStdout(),
				"reidbench  %s\ngo         %s, %s/%s\ncpu        %s, %d threads, %s of memory\nisa        %s, "+
					"detected %s\n",
				source, v.Go, v.OS, v.Arch, v.CPU, v.Threads, memory, v.ISA.Active, v.ISA.Detected)
			return err
		},
	}
	command.Flags().BoolVar(&json, "json", false, "write JSON")
	return command
}

func describeBuild() buildVersion {
	here := machine.Describe()
	v := buildVersion{
		Version: "unknown",
		Go:      here.Go, OS: here.OS, Arch: here.Arch,
		CPU: here.CPU, Threads: here.Cores, Memory: machine.TotalMemory(),
		ISA: isaState{Detected: isa.Detected().String(), Active: isa.Active().String()},
	}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Version = build.Main.Version
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
