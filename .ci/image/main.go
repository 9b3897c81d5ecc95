// Image writes the container image of a release as an OCI image layout: nothing but the program, for each of its
// architectures, and a /tmp. What it is called and when it was made it takes from what Go has stamped into the program.
//
//	go run . FOLDER PROGRAM...
package main

import (
	"archive/tar"
	"bytes"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is whom the program runs as: nobody of the machine's.
const user = 65532

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: image FOLDER PROGRAM...")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// write writes the layout of one image of several architectures into a folder.
func write(folder string, programs []string) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	version := ""
	for _, program := range programs {
		b, err := readBuild(program)
		if err != nil {
			return fmt.Errorf("%s: %w", program, err)
		}
		image, err := b.image(program)
		if err != nil {
			return fmt.Errorf("%s: %w", program, err)
		}
		version = b.version
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: b.os, Architecture: b.arch}},
		})
	}
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	return path.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": version}))
}

// A build is what Go says about a program.
type build struct {
	os, arch, version, revision string
	time                        time.Time // of the revision
}

func readBuild(program string) (build, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return build{}, err
	}
	b := build{version: info.Main.Version}
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS":
			b.os = s.Value
		case "GOARCH":
			b.arch = s.Value
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.time":
			if b.time, err = time.Parse(time.RFC3339, s.Value); err != nil {
				return build{}, err
			}
		}
	}
	if b.revision == "" {
		return build{}, fmt.Errorf("it does not say of which revision it is")
	}
	return b, nil
}

// image is the program's image for its architecture.
func (b build) image(program string) (v1.Image, error) {
	text, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	files, err := b.files(text)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.Append(base, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: b.time}, CreatedBy: "reidbench " + b.version},
	})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config.OS, config.Architecture, config.Created = b.os, b.arch, v1.Time{Time: b.time}
	config.Config = v1.Config{
		User:       fmt.Sprintf("%d:%d", user, user),
		Env:        []string{"PATH=/"},
		Entrypoint: []string{"reidbench"},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "reidbench",
			"org.opencontainers.image.licenses": "MIT",
			"org.opencontainers.image.source":   "https://github.com/reidbench/reidbench",
			"org.opencontainers.image.version":  b.version,
			"org.opencontainers.image.revision": b.revision,
		},
	}
	return mutate.ConfigFile(image, config)
}

// files is a tar archive with all that is in the image.
func (b build) files(program []byte) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{
		Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777, ModTime: b.time,
	}); err != nil {
		return nil, err
	}
	if err := w.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: "reidbench", Mode: 0o755, Size: int64(len(program)), ModTime: b.time,
	}); err != nil {
		return nil, err
	}
	if _, err := w.Write(program); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
