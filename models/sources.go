package models

import (
	"slices"
	"strings"
)

// A Source is another implementation of a model, whose files name the tensors otherwise or take other things for
// granted.
type Source struct {
	Name    string // torchvision, timm, torchreid or whose code it is
	Modules Modules

	// Files are patterns, as of path.Match, of its files' names in lower case and without their ending. They tell its
	// files where their tensors don't; otherwise a model's first source that fits is taken.
	Files []string
	// Head is the module of the last linear layer there, where that alone tells the source's files from another's.
	Head string
	// Leaves are tensors that its network has and the one here has no place for.
	Leaves []string
	// Tokens is how many there are before those of the patches; 0: as here.
	Tokens int

	Conventions
}

// Modules maps the path of a module, or the name of a tensor, in another implementation's files
// to the path or name here.
type Modules map[string]string

// Rename returns the name here of a tensor of the other implementation. The longest listed path
// that its name begins with is replaced by ours; a name with no listed path stays as it is.
func (m Modules) Rename(tensor string) string {
	for path, rest := tensor, ""; ; {
		if ours, ok := m[path]; ok {
			return ours + rest
		}
		dot := strings.LastIndexByte(path, '.')
		if dot < 0 {
			return tensor
		}
		path, rest = tensor[:dot], tensor[dot:]
	}
}

// add lists a module's children: pairs of their names there and here.
func (m Modules) add(theirs, ours string, children ...string) {
	for i := 0; i < len(children); i += 2 {
		m[theirs+"."+children[i]] = ours + "." + children[i+1]
	}
}

// WeightsNames are the names that a file of published weights for the model goes by, lower-case
// and without an ending: the model's own and, for a distilled row, those of the same network
// without its teacher and those of DeiT's own distilled one.
func (m Model) WeightsNames() []string {
	names := append(m.names(), m.Files...)
	if m.Distill == NoDistillation {
		return names
	}
	plain, err := Lookup(strings.TrimSuffix(m.Name, "-distiled-"+string(m.Distill)))
	if err == nil && plain.Name != m.Name {
		names = append(names, plain.names()...)
	}
	return names
}

// SourceNames lists the names of all models' sources, in alphabetical order.
func SourceNames() []string {
	var names []string
	for _, m := range All() {
		for _, source := range m.Sources {
			names = append(names, source.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
