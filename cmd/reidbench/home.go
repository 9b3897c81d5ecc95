package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// expandHomes replaces the ~ that a command's flags about folders and files begin with: no shell has done so in a file
// of settings, or between quotes.
func expandHomes(c *cobra.Command) error {
	var failed error
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if failed != nil || !f.Changed {
			return
		}
		if f.Name == weightsFlag {
			files, err := mapWeights(f, expandHome)
			if err == nil {
				err = f.Value.(pflag.SliceValue).Replace(files)
			}
			if err != nil {
				failed = misuse("--%s: %w", f.Name, err)
			}
			return
		}
		if !aboutPath(f) {
			return
		}
		if several, ok := f.Value.(pflag.SliceValue); ok {
			paths := several.GetSlice()
			for i := range paths {
				var err error
				if paths[i], err = expandHome(paths[i]); err != nil && failed == nil {
					failed = misuse("--%s: %w", f.Name, err)
				}
			}
			if err := several.Replace(paths); err != nil && failed == nil {
				failed = misuse("--%s: %w", f.Name, err)
			}
			return
		}
		if f.Value.Type() != "string" {
			return
		}
		path, err := expandHome(f.Value.String())
		if err == nil {
			err = f.Value.Set(path)
		}
		if err != nil {
			failed = misuse("--%s: %w", f.Name, err)
		}
	})
	return failed
}

// aboutPath reports whether the flag's help calls its value a folder or a file.
func aboutPath(f *pflag.Flag) bool {
	value, _ := pflag.UnquoteUsage(f)
	return strings.Contains(value, "folder") || strings.Contains(value, "file")
}

// expandHome is the path with the user's own folder for the ~ that it begins with. What begins with the ~ of somebody
// else, or of a file's name, stays.
func expandHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return filepath.Join(home, rest), nil
}
