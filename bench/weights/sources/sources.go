// Package sources knows where the models' weights for ImageNet are published: the files that torchvision, timm and
// torchreid name in their code, as far as they fit the models here.
//
// Sizes and digests are what a library states, and left out where it states none: torchvision gives sizes, most files
// bear the beginning of their SHA-256 in their name (the convention of torch.hub), and those on Hugging Face are told
// theirs when they are fetched. timm's files on Hugging Face are at <repository>/resolve/main/model.safetensors.
package sources

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A File is public, and has weights for one or more models.
type File struct {
	Models  []string `json:"models"`            // here
	Default bool     `json:"default,omitempty"` // of its models' files the one to begin with
	Library string   `json:"library"`
	Name    string   `json:"name"` // in the library; of torchvision's, the function's with that of its weights
	URL     string   `json:"url"`
	Saved   string   `json:"file,omitempty"`   // the name under which a model's file is found; "": the address's
	SHA256  string   `json:"sha256,omitempty"` // in hex, all of it or how it begins; "": not stated
	Size    int64    `json:"size,omitempty"`   // in bytes, to within [Slack]; 0: not stated
	Licence string   `json:"licence"`
	// LicenceOf is "library" where the licence is the library's, and nothing says what the weights are under.
	LicenceOf string   `json:"licence_of,omitempty"`
	Top1      float64  `json:"top1,omitempty"` // on ImageNet, in percent, as the library has it; 0: not stated
	Also      []string `json:"also,omitempty"` // other libraries' names of the same file
	Note      string   `json:"note,omitempty"`
}

// Slack is how far a size may be from a file's own: torchvision states thousandths of a MiB.
const Slack = 1 << 10

// Qualified is the name with its library's: timm/resnet50.a1_in1k.
func (f File) Qualified() string { return f.Library + "/" + f.Name }

// FileName is the file's name in a folder of weights.
func (f File) FileName() string {
	if f.Saved != "" {
		return f.Saved
	}
	return path.Base(f.URL)
}

// Free reports whether the licence lets everybody use the file for everything.
func (f File) Free() bool {
	return slices.Contains([]string{"apache-2.0", "bsd-3-clause", "mit"}, f.Licence)
}

// The catalogue is what sources.json holds.
type catalogue struct {
	Files  []File            `json:"files"`
	Absent map[string]string `json:"absent"` // models without a file, and why
}

//go:embed sources.json
var embedded []byte

var published = sync.OnceValue(func() catalogue {
	c, err := parse(embedded)
	if err != nil {
		panic("sources: sources.json: " + err.Error())
	}
	return c
})

// Of lists the model's files, the default first, then library by library.
func Of(model string) []File {
	files := slices.DeleteFunc(slices.Clone(published().Files), func(f File) bool {
		return !slices.Contains(f.Models, model)
	})
	slices.SortStableFunc(files, func(a, b File) int {
		switch {
		case a.Default == b.Default:
			return 0
		case a.Default:
			return -1
		}
		return 1
	})
	return files
}

// Default is the model's file to begin with: the first that torchvision published of the network, since the comparison
// is older than most of the others, else what timm takes for it, else torchreid's.
func Default(model string) (File, bool) {
	if files := Of(model); len(files) > 0 {
		return files[0], true
	}
	return File{}, false
}

// Find returns the file of a qualified name.
func Find(qualified string) (File, bool) {
	files := published().Files
	i := slices.IndexFunc(files, func(f File) bool { return f.Qualified() == qualified })
	if i < 0 {
		return File{}, false
	}
	return files[i], true
}

// WhyAbsent says why a model has no file; "" for one that has.
func WhyAbsent(model string) string { return published().Absent[model] }

var (
	digest = regexp.MustCompile(`^[0-9a-f]{8,64}$`)
	plain  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*\.(pth|safetensors)$`)
)

// parse reads a catalogue and refuses one with which a file could not be named, fetched or checked.
func parse(data []byte) (catalogue, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var c catalogue
	if err := decoder.Decode(&c); err != nil {
		return c, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return c, errors.New("data after the catalogue")
	}
	names, defaults := map[string]bool{}, map[string]int{}
	for _, f := range c.Files {
		if err := f.validate(); err != nil {
			return c, fmt.Errorf("%s: %w", f.Qualified(), err)
		}
		if names[f.Qualified()] {
			return c, fmt.Errorf("%s is there twice", f.Qualified())
		}
		names[f.Qualified()] = true
		for _, model := range f.Models {
			if c.Absent[model] != "" {
				return c, fmt.Errorf("%s has %s, and is said to have no file", model, f.Qualified())
			}
			n := 0
			if f.Default {
				n = 1
			}
			defaults[model] += n
		}
	}
	for model, n := range defaults {
		if n != 1 {
			return c, fmt.Errorf("%s has %d defaults", model, n)
		}
	}
	return c, nil
}

func (f File) validate() error {
	address, err := url.Parse(f.URL)
	switch {
	case err != nil:
		return err
	case address.Scheme != "https" && address.Scheme != "http" || address.Host == "":
		return fmt.Errorf("address %q", f.URL)
	case len(f.Models) == 0 || f.Name == "" || f.Licence == "":
		return errors.New("no model, name or licence")
	case !slices.Contains([]string{"torchvision", "timm", "torchreid"}, f.Library):
		return fmt.Errorf("library %q", f.Library)
	case !plain.MatchString(f.FileName()):
		return fmt.Errorf("file name %q", f.FileName())
	case f.SHA256 != "" && !digest.MatchString(f.SHA256):
		return fmt.Errorf("digest %q", f.SHA256)
	case f.SHA256 != "" && len(f.SHA256) < 64 && !strings.Contains(path.Base(f.URL), "-"+f.SHA256+"."):
		return fmt.Errorf("digest %q, which is not in the name", f.SHA256)
	case f.Size < 0 || f.Top1 < 0 || f.Top1 > 100:
		return errors.New("size or accuracy out of range")
	}
	return nil
}
