package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/bench/weights/fetch"
	"github.com/reidbench/reidbench/bench/weights/sources"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results/visible"
)

// fetchFormat names the layout of the JSON of weights fetch.
const fetchFormat = "reidbench-weights-fetch/1"

func newWeightsFetchCommand() *cobra.Command {
	var (
		out, mirror string
		json        bool
	)
	command := &cobra.Command{
		Use:   "fetch all|MODEL|LIBRARY/FILE...",
		Short: "Download public files of weights to begin with",
		Long: `Fetch downloads the file to begin with of every model, as "weights sources" lists them,
or a listed file by its library and name. In the folder it has a name by which "run
--weights FOLDER" finds it.

A file has its name once it is whole. Its SHA-256 is held against the part of it in the
file's name, or against what the server announces, and the file must be one of weights.
What breaks off is gone on with, by the same command too. What is there and right is not
fetched again.

Proxies are those of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY). --mirror takes
the place of scheme and host in all addresses: with https://mirror.example/weights the
file https://download.pytorch.org/models/NAME is asked for as
https://mirror.example/weights/models/NAME.`,
		Example: `  # the files for all rows; what nobody publishes is named
  reidbench weights fetch all --out pretrained
  reidbench run all --weights pretrained --data Market-1501-v15.09.15 --recipe paper

  # two models, and another file than the one to begin with
  reidbench weights fetch osnet resnet50
  reidbench weights fetch timm/resnet50.a1_in1k --out others`,
		ValidArgsFunction: completeRows,
		Args:              cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			wanted, err := wantedFiles(args)
			if err != nil {
				return err
			}
			fetcher := fetch.Fetcher{}
			if mirror != "" {
				if fetcher.Mirror, err = url.Parse(mirror); err == nil {
					err = fetch.CheckAddress(fetcher.Mirror)
				}
				if err != nil {
					return misuse("mirror: %w", err)
				}
			}
			if err := os.MkdirAll(out, 0o777); err != nil {
				return err
			}
			say := c.OutOrStdout()
			if json {
				say = io.Discard
			}
			outcome, err := wanted.fetch(c.Context(), fetcher, out, say, c.ErrOrStderr())
			if json {
				return errors.Join(writeJSON(c.OutOrStdout(), outcome), err)
			}
			return err
		},
	}
	flags := command.Flags()
	flags.StringVar(&out, "out", "pretrained", "`folder` for the files")
	flags.StringVar(&mirror, "mirror", "", "`address` that files are fetched from in place of their own hosts")
	flags.BoolVar(&json, "json", false, "write JSON")
	return command
}

// A wantedFile is to be fetched for some of the models that it fits.
type wantedFile struct {
	sources.File
	models []string
	most   int64 // bytes, where the size is not stated
}

// wantedWeights are what a command line asks for.
type wantedWeights struct {
	files   []wantedFile
	without []models.Model // models without a file
	named   bool           // one of those was named, not only all rows
}

// wantedFiles takes the models' files to begin with, and those that are named themselves.
func wantedFiles(args []string) (wantedWeights, error) {
	var wanted wantedWeights
	var patterns []string
	for _, arg := range args {
		if !strings.Contains(arg, "/") {
			patterns = append(patterns, arg)
			continue
		}
		f, ok := sources.Find(arg)
		if !ok {
			return wanted, misuse(`no file is called %q; "reidbench weights sources MODEL" lists a model's`, arg)
		}
		if err := wanted.add(f, f.Models...); err != nil {
			return wanted, err
		}
	}
	list, err := models.Match(patterns...)
	if err != nil {
		return wanted, err
	}
	for _, m := range list {
		f, ok := sources.Default(m.Name)
		if !ok {
			wanted.without = append(wanted.without, m)
			wanted.named = wanted.named || !slices.Contains(patterns, "all") || m.Row == ""
			continue
		}
		if err := wanted.add(f, m.Name); err != nil {
			return wanted, err
		}
	}
	return wanted, nil
}

func (w *wantedWeights) add(f sources.File, names ...string) error {
	i := slices.IndexFunc(w.files, func(other wantedFile) bool { return other.FileName() == f.FileName() })
	if i < 0 {
		most, err := mostBytes(f.Models[0])
		if err != nil {
			return err
		}
		i, w.files = len(w.files), append(w.files, wantedFile{File: f, most: most})
	}
	for _, name := range names {
		if !slices.Contains(w.files[i].models, name) {
			w.files[i].models = append(w.files[i].models, name)
		}
	}
	return nil
}

// mostClasses is how many a public classifier has at most: ImageNet-21k's.
const mostClasses = 21843

// mostBytes is what a file of the model's weights may have: twice the network in float32, as with moving averages.
func mostBytes(model string) (int64, error) {
	m, err := models.Lookup(model)
	if err != nil {
		return 0, err
	}
	described, err := describe(m)
	if err != nil {
		return 0, err
	}
	return 2 * 4 * (described.Params + int64(described.FeatureDim+1)*(mostClasses+flops.IdentityCount)), nil
}

// fetchedJSON is what --json writes.
type fetchedJSON struct {
	Format  string            `json:"format"`
	Folder  string            `json:"folder"`
	Files   []fetchedFileJSON `json:"files"`
	Without []withoutJSON     `json:"without"` // models that nobody publishes weights for
}

type fetchedFileJSON struct {
	Models   []string `json:"models"`
	Library  string   `json:"library"`
	Name     string   `json:"name"`
	File     string   `json:"file"`
	State    string   `json:"state"` // "fetched", "there", "failed"
	Bytes    int64    `json:"bytes,omitempty"`
	SHA256   string   `json:"sha256,omitempty"`
	Verified string   `json:"verified_by,omitempty"` // "name" or "server"; absent: no digest is known
	Licence  string   `json:"licence"`
	Error    string   `json:"error,omitempty"`
}

type withoutJSON struct {
	Model  string `json:"model"`
	Reason string `json:"reason"`
}

// fetch gets one file after the other. What fails is told of, and the others go on.
func (w wantedWeights) fetch(
	ctx context.Context, f fetch.Fetcher, out string, say, progress io.Writer,
) (fetchedJSON, error) {
	outcome := fetchedJSON{fetchFormat, out, []fetchedFileJSON{}, []withoutJSON{}}
	var failed []error
	for _, file := range w.files {
		path := filepath.Join(out, file.FileName())
		tell, stop := newByteCounter(progress, file.FileName())
		fetched, err := f.Fetch(ctx, fetch.File{
			URL: file.URL, Path: path, SHA256: file.SHA256, Size: file.Size, Slack: sources.Slack, Most: file.most,
			Check: checkWeights, Progress: tell,
		})
		stop()
		if ctx.Err() != nil {
			return outcome, fmt.Errorf("%w; the same command goes on with what is in %s", bench.ErrInterrupted, out)
		}
		entry := fetchedFileJSON{
			Models: file.models, Library: file.Library, Name: file.Name, File: file.FileName(), State: "fetched",
			Bytes: fetched.Bytes, SHA256: fetched.SHA256, Verified: fetched.Verified, Licence: file.Licence,
		}
		switch {
		case err != nil:
			entry.State, entry.Error = "failed", err.Error()
			failed = append(failed, fmt.Errorf("%s: %w", strings.Join(file.models, ", "), err))
		case fetched.There:
			entry.State = "there"
		}
		outcome.Files = append(outcome.Files, entry)
		if err == nil {
			fmt.Fprintln(say, entry.line(file.Free()))
		}
	}
	for _, m := range w.without {
		why := sources.WhyAbsent(m.Name)
		outcome.Without = append(outcome.Without, withoutJSON{m.Name, why})
		fmt.Fprintf(say, "%s: no file: %s\n", m.Name, why)
	}
	if len(failed) > 0 {
		return outcome, quietly(errFound, errors.Join(failed...))
	}
	if w.named {
		return outcome, quietly(errFound, errors.New("not all of the models have public weights"))
	}
	fmt.Fprintf(say, "To begin with them: reidbench run %s\n", visible.Line(w.runArguments(out)))
	return outcome, nil
}

// runArguments are what run takes to begin with the files: their folder where it finds them by their names, else each.
func (w wantedWeights) runArguments(out string) string {
	const most = 4 // models that are named
	var names, each []string
	var list []models.Model
	for _, file := range w.files {
		names = append(names, file.models...)
		for _, name := range file.models {
			if m, err := models.Lookup(name); err == nil {
				list = append(list, m)
			}
			each = append(each, "--weights "+name+"="+filepath.Join(out, file.FileName()))
		}
	}
	text := strings.Join(names, " ")
	switch {
	case len(names)+len(w.without) == len(models.Rows()):
		text = "all"
	case len(names) > most:
		text = "MODEL..."
	}
	if _, err := (bench.WeightsFiles{out}).For(list); err != nil && len(names) <= most {
		return text + " " + strings.Join(each, " ")
	}
	return text + " --weights " + out
}

func (e fetchedFileJSON) line(free bool) string {
	right := map[string]string{
		"name": "SHA-256 as its name says", "server": "SHA-256 as the server says",
		"": "no SHA-256 is known to check it by",
	}[e.Verified]
	verb := ""
	if e.State == "there" {
		verb = "is there, "
	}
	if !free {
		right += ", licence " + e.Licence
	}
	return fmt.Sprintf("%s: %s%.1f MB, %s", e.File, verb, megabytes(e.Bytes), right)
}

// checkWeights is an error unless the file is one of weights.
func checkWeights(path string) error {
	archive, err := weights.Open(path)
	if err != nil {
		return err
	}
	return archive.Close()
}

// newByteCounter shows how far a file has come. The second function clears it.
func newByteCounter(w io.Writer, file string) (progress func(done, total int64), stop func()) {
	show, stop := newStatusLine(w)
	begun, first := time.Now(), int64(-1)
	return func(done, total int64) {
		if first < 0 {
			begun, first = time.Now(), done
		}
		show(func() string {
			of := ""
			if total > 0 {
				of = fmt.Sprintf(" of %.1f", megabytes(total))
			}
			rate := megabytes(done-first) / max(time.Since(begun).Seconds(), 1e-3)
			return fmt.Sprintf("%s: %.1f%s MB, %.1f MB/s", file, megabytes(done), of, rate)
		})
	}, stop
}
