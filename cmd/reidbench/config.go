package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/reidbench/reidbench/results/regular"
)

// acceptConfig gives a command the flag --config. Each of its other flags is a key of the file, and
// argument stands for the arguments. What is on the command line wins.
func acceptConfig(command *cobra.Command, argument string) {
	command.Flags().String("config", "", "`file` of settings in YAML: every flag is a key, and "+argument+"; flags win")
	var fromFile []string
	validate, work := command.Args, command.RunE
	command.Args = func(c *cobra.Command, args []string) error {
		if path, _ := c.Flags().GetString("config"); path != "" {
			path, err := expandHome(path)
			var file configFile
			if err == nil {
				file, err = readConfig(path)
			}
			if err == nil {
				fromFile, err = file.apply(c, argument)
			}
			if err != nil {
				return misuse("--config: %w", err)
			}
		}
		if len(args) == 0 {
			args = fromFile
		}
		return validate(c, args)
	}
	command.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			args = fromFile
		}
		return work(c, args)
	}
}

// configFile is a file of settings.
type configFile struct {
	path     string
	settings []setting
}

// setting is a key with its values: one, or those of a list.
type setting struct {
	key    string
	values []string
	list   bool
	line   int
}

// maxConfigBytes is far beyond what anybody writes by hand.
const maxConfigBytes = 64 << 10

func readConfig(path string) (configFile, error) {
	f, err := regular.Open(path)
	if err != nil {
		return configFile{}, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err != nil {
		return configFile{}, err
	}
	return parseConfig(path, content)
}

// parseConfig reads a mapping of keys to single values or lists of them. Errors name the file and,
// as far as there is one, the line.
func parseConfig(path string, content []byte) (configFile, error) {
	c := configFile{path: path}
	if len(content) > maxConfigBytes {
		return c, fmt.Errorf("%s: larger than %d bytes", path, maxConfigBytes)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return c, nil
	case err != nil:
		return c, fmt.Errorf("%s: %w", path, err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("%s: more than one document", path)
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" { // comments only
		return c, nil
	}
	if root.Kind != yaml.MappingNode {
		return c, c.fail(root.Line, "expected lines of the form key: value")
	}
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		s := setting{key: key.Value, line: key.Line, list: value.Kind == yaml.SequenceNode}
		if !plain(key) {
			return c, c.fail(key.Line, "a key that is no plain word")
		}
		if j := slices.IndexFunc(c.settings, func(o setting) bool { return o.key == s.key }); j >= 0 {
			return c, c.fail(s.line, "%s is set in line %d already", s.key, c.settings[j].line)
		}
		items := []*yaml.Node{value}
		if s.list {
			items = value.Content
		}
		for _, item := range items {
			if !plain(item) {
				return c, c.fail(item.Line, "%s is set to something that is no single value", s.key)
			}
			s.values = append(s.values, item.Value)
		}
		c.settings = append(c.settings, s)
	}
	return c, nil
}

// plain reports whether a node is a single value.
func plain(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool"}, n.ShortTag())
}

func (c configFile) fail(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", c.path, line, fmt.Errorf(format, args...))
}

// apply sets the command's flags that are not on the command line, and returns the arguments.
func (c configFile) apply(command *cobra.Command, argument string) (args []string, err error) {
	flags := command.Flags()
	for _, s := range c.settings {
		if s.key == argument {
			args = s.values
			continue
		}
		flag := flags.Lookup(s.key)
		switch {
		case flag == nil || s.key == "config" || s.key == "help":
			return nil, c.fail(s.line, "unknown key %q: %s has no such flag", s.key, command.CommandPath())
		case flags.Changed(s.key):
		case s.list:
			several, ok := flag.Value.(interface{ Replace([]string) error })
			if !ok {
				return nil, c.fail(s.line, "%s takes one value, not a list", s.key)
			}
			if err := several.Replace(s.values); err != nil {
				return nil, c.fail(s.line, "%s: %w", s.key, err)
			}
			flag.Changed = true
		default:
			if err := flags.Set(s.key, s.values[0]); err != nil {
				return nil, c.fail(s.line, "%w", err)
			}
		}
	}
	return args, nil
}
