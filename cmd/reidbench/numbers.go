package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/reidbench/reidbench/market1501"
)

// A bound is the least and the greatest value of a flag.
type bound struct{ least, most int64 }

// bounds are those of every flag that is a whole number, in all commands that have one of the name. The greatest are
// beyond all use, and small enough that no sum or product of them overflows and no plan takes long.
var bounds = map[string]bound{
	"epochs":      {0, 1_000_000},
	"warmup":      {0, 1_000_000},
	"head-epochs": {0, 1_000_000},
	"last-stride": {1, publishedStride},
	"batch":       {1, 8192},
	"pad-crop":    {0, 1000},
	"seeds":       {1, 1000},
	"threads":     {1, 4096},
	"jobs":        {1, 4096},
	"keep":        {1, 1_000_000},
	"keep-every":  {0, 1_000_000},
	"cpus":        {1, 4096},
	"array-limit": {1, 1_000_000},
	"rerank-k1":   {1, market1501.MostNeighbours},
	"rerank-k2":   {1, market1501.MostNeighbours},
	"ids":         {2, 9999},
	"test-ids":    {0, 9998},
	"images":      {4, 9999},
	"steps":       {1, 1_000_000},
	"queries":     {1, 1_000_000},
	"top":         {1, 1_000_000},
}

// boundNumbers has the command's flags that are whole numbers read as decimal ones, within their bounds.
func boundNumbers(command *cobra.Command) {
	command.Flags().VisitAll(func(f *pflag.Flag) {
		switch f.Value.Type() {
		case "uint64": // of seeds, which have none
			f.Value = decimal{f.Value}
		case "int":
			b, ok := bounds[f.Name]
			if !ok {
				panic(fmt.Sprintf("reidbench: --%s has no bounds", f.Name))
			}
			f.Value = bounded{decimal{f.Value}, b}
		}
	})
}

// decimal reads 010 as ten, and 0x10 not at all.
type decimal struct{ pflag.Value }

func (d decimal) Set(text string) error {
	digits, negative := strings.CutPrefix(strings.TrimPrefix(text, "+"), "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return fmt.Errorf("%q is no whole number", text)
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		digits = "0"
	}
	if negative {
		digits = "-" + digits
	}
	return d.Value.Set(digits)
}

// bounded refuses what is out of bounds.
type bounded struct {
	decimal
	bound
}

func (b bounded) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) || err == nil && (n < b.least || n > b.most) {
		return fmt.Errorf("must be from %d to %d", b.least, b.most)
	}
	return b.decimal.Set(text)
}
