package results

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// seenRecord is a run that knows what it saw.
func seenRecord(t *testing.T, model, row string, seed uint64) Record {
	r := inventedRecord(t, model, row, 0.5)
	r.Seed = seed
	r.Images = &Images{Height: 256, Width: 128, Trained: "t1", Judged: "j1", Splits: []SplitSeen{
		{Folder: "bounding_box_train", Used: 24}, {Folder: "query", Used: 6}, {Folder: "bounding_box_test", Used: 18},
	}}
	return r
}

func TestRunsUnlikeTheRestAreMarked(t *testing.T) {
	taught := func(r *Record, sha256, recipe string) {
		r.Teacher = &Teacher{Model: "deit-b16", Recipe: Recipe{Name: recipe, Values: r.Recipe.Values}, SHA256: sha256}
	}
	for _, test := range []struct {
		name   string
		change func(alexnet, vgg, osnet, osnet2 *Record)
		want   map[string][]string // beginnings of notes, by model
	}{
		{"nothing", func(_, _, _, _ *Record) {}, nil},
		{"judged on others", func(_, vgg, _, _ *Record) { vgg.Images.Judged = "j2" },
			map[string][]string{"VGG16": {"Query and gallery images of this run: others"}}},
		{"one seed trained on others", func(_, _, _, osnet2 *Record) { osnet2.Images.Trained = "t2" },
			map[string][]string{"OSNet": {"Training images of seed 2: others"}}},
		{"another size", func(_, vgg, _, _ *Record) {
			vgg.Images.Height, vgg.Images.Trained, vgg.Images.Judged = 224, "t3", "j3"
		}, nil},
		{"a failed run that was never judged", func(_, vgg, _, _ *Record) {
			vgg.State, vgg.Final, vgg.Best, vgg.Reason, vgg.Images.Judged = StateFailed, nil, nil, "because", ""
		}, map[string][]string{"VGG16": {"Failed: because"}}},
		{"a record of before", func(alexnet, _, _, _ *Record) { alexnet.Images = nil }, nil},
		{"left out", func(_, _, _, osnet2 *Record) {
			osnet2.Images.Splits[2] = SplitSeen{
				Folder: "bounding_box_test", Used: 10, LeftOut: 8, Reasons: "a.jpg (torn), …",
			}
		}, map[string][]string{"OSNet": {
			"Left out of seed 2: 8 of 18 images of bounding_box_test, which cannot be decoded: a.jpg (torn), ….",
		}}},
		{"trained on the test", func(alexnet, _, _, _ *Record) { alexnet.Images.Splits[1].Trained = 3 },
			map[string][]string{"AlexNet": {
				"The figures of this run flatter: 3 images of query are training images as well."}}},
		{"one image", func(alexnet, _, _, _ *Record) {
			alexnet.Images.Splits[1].Trained, alexnet.Images.Splits[1].Unparsable = 1, 1
		}, map[string][]string{"AlexNet": {
			"Left out of this run: 1 image of query, whose name does not parse.",
			"The figures of this run flatter: 1 image of query is a training image as well.",
		}}},
		{"collapsed", func(alexnet, vgg, _, _ *Record) { alexnet.Final.Tied, vgg.Final.Tied = 0.25, 0.001 },
			map[string][]string{"AlexNet": {
				"The features of this run have collapsed: 25.0 % of the gallery's other images are exactly as far"}}},
		{"one teacher", func(alexnet, vgg, _, _ *Record) {
			taught(alexnet, "abcdef0123", "quick")
			taught(vgg, "abcdef0123", "quick")
		}, map[string][]string{
			"AlexNet": {"Teacher of this run: deit-b16, weights with the SHA-256 abcdef01…."},
			"VGG16":   {"Teacher of this run: deit-b16, weights with the SHA-256 abcdef01…."},
		}},
		{"two teachers", func(alexnet, vgg, osnet, osnet2 *Record) {
			taught(alexnet, "abcdef0123", "quick")
			taught(vgg, "abcdef0123", "quick")
			taught(osnet, "0123abcdef", "paper")
			taught(osnet2, "99", "quick") // of another seed
		}, map[string][]string{
			"AlexNet": {"Teacher of this run: deit-b16"},
			"VGG16":   {"Teacher of this run: deit-b16"},
			"OSNet": {
				"Teacher of seed 1: deit-b16, weights with the SHA-256 0123abcd…, trained under another recipe",
				"Teacher of seed 2: deit-b16, weights with the SHA-256 99…",
				"Teacher of seed 1: another than most runs with that seed had.",
			},
		}},
		{"a teacher trained anew", func(alexnet, vgg, _, _ *Record) {
			taught(alexnet, "abcdef0123", "quick")
			alexnet.Teacher.Model, vgg.Weights = "vgg16", "99"
		}, map[string][]string{"AlexNet": {
			"Teacher of this run: vgg16", "Teacher of this run: has been trained anew since, to other weights.",
		}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			records := []Record{
				seenRecord(t, "alexnet", "AlexNet", 1), seenRecord(t, "vgg16", "VGG16", 1),
				seenRecord(t, "osnet", "OSNet", 1), seenRecord(t, "osnet", "OSNet", 2),
			}
			test.change(&records[0], &records[1], &records[2], &records[3])
			report := mustReport(t, records, nil)
			for l := range report.lines {
				var notes []string // without those about seeds, in which the runs differ
				for _, n := range l.Notes {
					if !strings.HasPrefix(n, "Seed of") {
						notes = append(notes, n)
					}
				}
				for i, want := range test.want[l.Model] {
					if i < len(notes) && strings.HasPrefix(notes[i], want) {
						notes[i] = want
					}
				}
				if diff := cmp.Diff(test.want[l.Model], notes); diff != "" {
					t.Errorf("%s (-want +got):\n%s", l.Model, diff)
				}
			}
			for name, write := range map[string]func(io.Writer) error{
				"text": func(w io.Writer) error { return report.Text(w, Layout{}) },
				"markdown": func(w io.Writer) error {
					return report.Markdown(w, Layout{})
				}, "csv": report.CSV, "json": report.JSON,
			} {
				var page bytes.Buffer
				if err := write(&page); err != nil {
					t.Fatal(err)
				}
				for _, notes := range test.want {
					for _, want := range notes {
						// Text is wrapped, Markdown escaped: the beginning of a note is enough.
						first, _, _ := strings.Cut(want, ":")
						if !strings.Contains(strings.Join(strings.Fields(page.String()), " "), first+":") {
							t.Errorf("%s lacks %q", name, first)
						}
					}
				}
			}
		})
	}
}

func TestRecordsOfOtherVersions(t *testing.T) {
	before := inventedRecord(t, "alexnet", "AlexNet", 0.5)
	data := encode(t, before)
	if bytes.Contains(data, []byte(`"images":`)) || bytes.Contains(data, []byte(`"teacher":`)) {
		t.Fatalf("this is no record of before: %s", data)
	}
	if got, err := parseRecord(bytes.NewReader(data)); err != nil {
		t.Errorf("a record of before: %v", err)
	} else if diff := cmp.Diff(before, got); diff != "" {
		t.Errorf("a record of before has changed:\n%s", diff)
	}
	var newer map[string]any
	if err := json.Unmarshal(data, &newer); err != nil {
		t.Fatal(err)
	}
	newer["from_the_future"] = true
	if data, err := json.Marshal(newer); err != nil {
		t.Fatal(err)
	} else if _, err := parseRecord(bytes.NewReader(data)); err == nil ||
		!strings.Contains(err.Error(), `"from_the_future"; a newer version`) {
		t.Errorf("a newer record: error %v, want one that names the field", err)
	}
}

// TestNotesOfManyRowsFitTheirWidth: the distilled rows have one teacher, and one note that names all of them.
func TestNotesOfManyRowsFitTheirWidth(t *testing.T) {
	var records []Record
	for _, row := range []string{"DeiT-T16-Distiled-Hard", "DeiT-S16-Distiled-Hard", "DeiT-B16-Distiled-Hard"} {
		r := inventedRecord(t, strings.ToLower(row), row, 0.5)
		r.Teacher = &Teacher{Model: "resnet50", Recipe: r.Recipe, SHA256: "abcdef0123"}
		records = append(records, r)
	}
	const width = 60
	var page bytes.Buffer
	if err := mustReport(t, records, nil).Text(&page, Layout{Width: width}); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(strings.Fields(page.String()), " "); !strings.Contains(text,
		"DeiT-S16-Distiled-Hard, DeiT-B16-Distiled-Hard: Teacher of this run: resnet50") {
		t.Errorf("no note names the rows:\n%s", &page)
	}
	for line := range strings.Lines(page.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
}
