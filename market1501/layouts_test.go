package market1501

import (
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/market1501/layout"
)

// entryTexts are the images of a dataset, a line each.
func entryTexts(d *Dataset) []string {
	var all []string
	for _, s := range d.Splits() {
		for _, e := range s.Entries {
			all = append(all, fmt.Sprintf("%s: %s pid %d cam %d label %d", s.Folder, e.Path, e.PID, e.CamID, e.Label))
		}
	}
	return all
}

// Every public layout opens by itself, in its own folders. In all but Market-1501's and DukeMTMC-reID's, 0 is a person.
func TestOpenLayouts(t *testing.T) {
	for _, test := range []struct {
		layout string
		dir    string // to open, below the dataset
		files  []string
		want   []string
	}{
		{"cuhk03", "cuhk03-np/labeled", []string{
			"cuhk03-np/labeled/bounding_box_train/0003_c2_10.png", "cuhk03-np/labeled/query/0000_c1_1.png",
			"cuhk03-np/labeled/bounding_box_test/0000_c2_6.png", "cuhk03-np/detected/query/0000_c1_1.png",
			"cuhk03-np/detected/bounding_box_train/0003_c2_10.png",
			"cuhk03-np/detected/bounding_box_test/0000_c2_6.png",
		}, []string{
			"bounding_box_train: bounding_box_train/0003_c2_10.png pid 3 cam 2 label 0",
			"query: query/0000_c1_1.png pid 0 cam 1 label -1",
			"bounding_box_test: bounding_box_test/0000_c2_6.png pid 0 cam 2 label -1",
		}},
		{"veri776", "", []string{
			"VeRi/image_train/0001_c001_00016450_0.jpg", "VeRi/image_query/0002_c002_00030600_0.jpg",
			"VeRi/image_test/0002_c020_00030610_1.jpg", "VeRi/name_test.txt",
		}, []string{
			"image_train: image_train/0001_c001_00016450_0.jpg pid 1 cam 1 label 0",
			"image_query: image_query/0002_c002_00030600_0.jpg pid 2 cam 2 label -1",
			"image_test: image_test/0002_c020_00030610_1.jpg pid 2 cam 20 label -1",
		}},
		{"veri776", "", []string{ // in the folders of Market-1501
			"bounding_box_train/0001_c001_00016450_0.jpg", "query/0002_c002_00030600_0.jpg",
			"bounding_box_test/0002_c020_00030610_1.jpg",
		}, []string{
			"bounding_box_train: bounding_box_train/0001_c001_00016450_0.jpg pid 1 cam 1 label 0",
			"query: query/0002_c002_00030600_0.jpg pid 2 cam 2 label -1",
			"bounding_box_test: bounding_box_test/0002_c020_00030610_1.jpg pid 2 cam 20 label -1",
		}},
		{"dukemtmc", "Occluded_Duke", []string{
			"Occluded_Duke/bounding_box_train/0001_c2_f0046182.jpg", "Occluded_Duke/query/0005_c2_f0046985.jpg",
			"Occluded_Duke/bounding_box_test/0000_c5_f0051341.jpg",
		}, []string{
			"bounding_box_train: bounding_box_train/0001_c2_f0046182.jpg pid 1 cam 2 label 0",
			"query: query/0005_c2_f0046985.jpg pid 5 cam 2 label -1",
			"bounding_box_test: bounding_box_test/0000_c5_f0051341.jpg pid 0 cam 5 label -1",
		}},
		{"msmt17", "", []string{ // in the folders of Market-1501
			"bounding_box_train/0000_000_01_0303morning_0008_0.jpg", "query/0000_001_02_0303morning_0010_1.jpg",
			"bounding_box_test/0000_002_03_0303noon_0010_1.jpg",
		}, []string{
			"bounding_box_train: bounding_box_train/0000_000_01_0303morning_0008_0.jpg pid 0 cam 1 label 0",
			"query: query/0000_001_02_0303morning_0010_1.jpg pid 0 cam 2 label -1",
			"bounding_box_test: bounding_box_test/0000_002_03_0303noon_0010_1.jpg pid 0 cam 3 label -1",
		}},
	} {
		d, err := Open(t.Context(), filepath.Join(writeDataset(t, test.files...), test.dir))
		if err != nil {
			t.Errorf("%s: %v", test.layout, err)
			continue
		}
		if diff := cmp.Diff(test.want, entryTexts(d)); diff != "" || d.Layout != test.layout {
			t.Errorf("%s is opened as %s (-want +got):\n%s", test.layout, d.Layout, diff)
		}
		if warnings := d.Warnings(); len(warnings) > 0 {
			t.Errorf("%s: %q", test.layout, warnings)
		}
	}
	both := writeDataset(t, "labeled/query/0000_c1_1.png", "labeled/bounding_box_train/0003_c2_10.png",
		"labeled/bounding_box_test/0000_c2_6.png", "detected/query/0000_c1_1.png",
		"detected/bounding_box_train/0003_c2_10.png", "detected/bounding_box_test/0000_c2_6.png")
	if _, err := Open(t.Context(), both); err == nil || !strings.Contains(err.Error(), "detected, labeled") {
		t.Errorf("both of CUHK03-NP's: %v", err)
	}
}

// Both versions of MSMT17 are read by their lists, without the validation images.
func TestOpenMSMT17(t *testing.T) {
	for _, folders := range [][2]string{{"train", "test"}, {"mask_train_v2", "mask_test_v2"}} {
		const trained, asked, found = "0000/0000_000_01_0303morning_0008_0.jpg",
			"0000/0000_000_01_0303morning_0015_0.jpg", "0000/0000_004_14_0303evening_0020_0.jpg"
		root := writeDataset(t, "MSMT17_V1/"+folders[0]+"/"+trained, "MSMT17_V1/"+folders[0]+"/"+found,
			"MSMT17_V1/"+folders[1]+"/"+asked, "MSMT17_V1/"+folders[1]+"/"+found)
		inner := filepath.Join(root, "MSMT17_V1")
		for list, lines := range map[string]string{
			"list_train.txt": trained + " 0\n", "list_val.txt": found + " 0\n",
			"list_query.txt":   strings.ReplaceAll(asked, "/", `\`) + " 0\r\n\n",
			"list_gallery.txt": found + " 0\n" + asked + " 0",
		} {
			writeFile(t, filepath.Join(inner, list), []byte(lines))
		}
		d, err := Open(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"list_train.txt: " + folders[0] + "/" + trained + " pid 0 cam 1 label 0",
			"list_query.txt: " + folders[1] + "/" + asked + " pid 0 cam 1 label -1",
			"list_gallery.txt: " + folders[1] + "/" + asked + " pid 0 cam 1 label -1",
			"list_gallery.txt: " + folders[1] + "/" + found + " pid 0 cam 14 label -1",
		}
		if diff := cmp.Diff(want, entryTexts(d)); diff != "" || d.Matched() != 1 {
			t.Errorf("%d matched (-want +got):\n%s", d.Matched(), diff)
		}
		for _, bad := range []string{
			"0000_000_01_0303morning_0008_0.jpg", "0000_c1s1_000001_00.jpg 0", "../0000_000_01_x_0008_0.jpg 0",
			found + " -2", found + " x", found + " 0\n" + found + " 0",
		} {
			writeFile(t, filepath.Join(inner, "list_gallery.txt"), []byte(asked+" 0\n"+bad+"\n"))
			if _, err := Open(t.Context(), root); !errors.Is(err, ErrList) ||
				!strings.Contains(err.Error(), "list_gallery.txt:"+fmt.Sprint(2+strings.Count(bad, "\n"))+":") {
				t.Errorf("%q: error %v", bad, err)
			}
		}
	}
}

// What most names are like is what the dataset is; what is asked for overrides that.
func TestLayoutIsThatOfMostNames(t *testing.T) {
	root := writeDataset(t, "bounding_box_train/0001_c1s1_000451_03.jpg", "bounding_box_train/0002_c1s1_000451_03.jpg",
		"bounding_box_train/0009_c1_7.jpg", "query/0003_c1s1_000451_03.jpg", "query/0003_c1_1.jpg",
		"bounding_box_test/0003_c2s1_000451_03.jpg", "bounding_box_test/0003_c2_1.jpg")
	for asked, want := range map[string]string{"": "market1501", "market1501": "market1501", "cuhk03": "cuhk03"} {
		d, err := Opener{Layout: asked}.Open(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		if d.Layout != want || len(d.Query.Entries) != 1 || len(d.Query.Unparsable) != 1 {
			t.Errorf("%q: read as %s: %q", asked, d.Layout, entryTexts(d))
		}
		if warnings := strings.Join(d.Warnings(), "\n"); !strings.Contains(warnings, " not parse as "+want+" (") {
			t.Errorf("%q: warnings %s", asked, warnings)
		}
	}
	if _, err := (Opener{Layout: "prid"}).Open(t.Context(), root); !errors.Is(err, layout.ErrUnknown) {
		t.Errorf("an unknown layout: %v", err)
	}
}

// Where no layout fits, the error names all that were tried, and a name that is like none.
func TestNamesOfNoLayout(t *testing.T) {
	root := writeDataset(t, "bounding_box_train/anna-1.jpg", "query/anna-2.jpg", "bounding_box_test/anna-3.jpg")
	_, err := Open(t.Context(), root)
	if !errors.Is(err, ErrEmptySplit) {
		t.Fatalf("error %v", err)
	}
	for _, want := range append(layoutTexts(), "bounding_box_train/anna-1.jpg", ".csv") {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	_, err = Opener{Layout: "veri776"}.Open(t.Context(), root)
	if err == nil || strings.Contains(err.Error(), "market1501") {
		t.Errorf("asked for one layout: %v", err)
	}
}

func layoutTexts() []string {
	var all []string
	for _, l := range layout.All() {
		all = append(all, l.String())
	}
	return all
}

// The fingerprints of datasets whose names tell everything are what they have always been; elsewhere identities and
// cameras are in it.
func TestFingerprintKnowsWhatPathsDoNotTell(t *testing.T) {
	root := writeDataset(t, "a.jpg", "b.jpg", "c.jpg")
	fingerprints := map[string]bool{}
	for _, lines := range []string{
		"a.jpg,1,1,train\nb.jpg,2,1,query\nc.jpg,2,2,gallery\n",
		"a.jpg,1,1,train\nb.jpg,3,1,query\nc.jpg,3,2,gallery\n",
		"a.jpg,1,1,train\nb.jpg,2,1,query\nc.jpg,2,3,gallery\n",
	} {
		list := filepath.Join(root, "list.csv")
		writeFile(t, list, []byte("path,pid,camid,split\n"+lines))
		d, err := Open(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		fingerprint, err := d.Fingerprint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fingerprints[fingerprint] = true
	}
	if len(fingerprints) != 3 {
		t.Errorf("three lists have %d fingerprints", len(fingerprints))
	}

	root = writeDataset(t)
	for _, file := range []string{
		"bounding_box_train/0002_c1s1_000451_03.jpg", "query/0001_c1s1_001051_00.jpg",
		"bounding_box_test/0001_c2s1_001051_00.jpg",
	} {
		writeFile(t, filepath.Join(root, file), []byte(file))
	}
	d, err := Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	// printf '%s\0%d\n' of paths and sizes, in this order, through sha256sum
	const before = "9f4ce1f87ad5f6ff2ee2dfc9f69115ad88141c60ce473001aa38b626fb31bf6e"
	if fingerprint, err := d.Fingerprint(t.Context()); err != nil || fingerprint != before {
		t.Errorf("fingerprint %s, %v; want %s", fingerprint, err, before)
	}
}

// People have query and gallery only; to judge by them, it takes no more.
func TestOpenWithoutTrainingImages(t *testing.T) {
	files := []string{"query/0001_c1s1_000001_00.jpg", "bounding_box_test/0001_c2s1_000001_00.jpg"}
	for _, more := range [][]string{nil, {"bounding_box_train/Thumbs.db"}} {
		root := writeDataset(t, append(files[:2:2], more...)...)
		if _, err := Open(t.Context(), root); err == nil || !strings.Contains(err.Error(), "bounding_box_train") {
			t.Errorf("%v: to train on: error %v", more, err)
		}
		d, err := Opener{TestOnly: true}.Open(t.Context(), root)
		if err != nil {
			t.Errorf("%v: %v", more, err)
		} else if len(d.Train.Entries) != 0 || len(d.Query.Entries) != 1 || d.Classes != 0 {
			t.Errorf("%v: %q", more, entryTexts(d))
		}
	}
	if _, err := (Opener{TestOnly: true}).Open(t.Context(), writeDataset(t, files[0])); !errors.Is(err, ErrNotDataset) {
		t.Errorf("without a gallery: %v", err)
	}
}

// Whatever lies among the images is counted by its ending and named.
func TestOthersAreCountedAndNamed(t *testing.T) {
	root := writeDataset(t, append(tinyDataset[:len(tinyDataset):len(tinyDataset)], "query/0001_c1s1_000001_00.bmp",
		"query/0001_c1s1_000002_00.BMP", "query/readme", "query/.DS_Store", "query/0003_c1s1_000001_00.jpg/x.jpg")...)
	d, err := Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	want := []Others{
		{"hidden", 1, "query/.DS_Store"}, {".bmp", 2, "query/0001_c1s1_000001_00.bmp"},
		{"folder", 1, "query/0003_c1s1_000001_00.jpg"}, {".db", 1, "query/Thumbs.db"}, {"", 1, "query/readme"},
	}
	if diff := cmp.Diff(want, d.Query.Others); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const unread = "2 .bmp (query/0001_c1s1_000001_00.bmp), 1 folder (query/0003_c1s1_000001_00.jpg), " +
		"1 without an ending (query/readme)"
	if got := d.Query.Unread(); got != unread || !strings.Contains(strings.Join(d.Warnings(), "\n"), unread) {
		t.Errorf("unread %q, warnings %q", got, d.Warnings())
	}
	if clutter := d.Clutter(); !strings.Contains(clutter, "1 hidden (query/.DS_Store), 1 .db (query/Thumbs.db)") {
		t.Errorf("clutter: %q", clutter)
	}
}

// A link that leads nowhere is a broken image: counted, named and left out.
func TestDanglingLinkIsBroken(t *testing.T) {
	root := writeDataset(t, tinyDataset...)
	const link = "query/0001_c1s1_999999_00.jpg"
	if err := os.Symlink(filepath.Join(root, "nowhere"), filepath.Join(root, link)); err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	info, err := d.Info(t.Context(), 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	broken := info.Splits[1].Broken
	if len(broken) != 1 || broken[0].Path != link || !errors.Is(broken[0].Err, ErrImage) {
		t.Errorf("broken: %v", broken)
	}
	images, err := d.Query.Load(t.Context(), LoadConfig{Height: 8, Width: 8})
	if err != nil || images.Len() != 1 || len(images.Broken) != 1 {
		t.Errorf("loaded: %v", err)
	}
	dangling := info.Fingerprint
	writeFile(t, filepath.Join(root, "nowhere"), smallJPEG(t, color.White))
	if mended, err := d.Fingerprint(t.Context()); err != nil || mended == dangling {
		t.Errorf("mended, the fingerprint is the same; %v", err)
	}
}

func TestMatched(t *testing.T) {
	images := func(views ...[2]int32) (all []Entry) {
		for _, v := range views {
			all = append(all, Entry{PID: v[0], CamID: v[1]})
		}
		return all
	}
	for _, test := range []struct {
		query, gallery []Entry
		want           int
	}{
		{images([2]int32{1, 1}), images([2]int32{1, 2}), 1},
		{images([2]int32{1, 1}), images([2]int32{1, 1}, [2]int32{1, 1}, [2]int32{2, 2}), 0},
		{images([2]int32{1, 1}, [2]int32{1, 3}, [2]int32{0, 1}), images([2]int32{1, 1}, [2]int32{0, 2}), 2},
		{images([2]int32{1, 1}), images([2]int32{1, 1}, [2]int32{1, 2}), 1},
	} {
		d := &Dataset{Query: Split{Entries: test.query}, Gallery: Split{Entries: test.gallery}}
		if got := d.Matched(); got != test.want {
			t.Errorf("%v in %v: %d matched, want %d", test.query, test.gallery, got, test.want)
		}
	}
}
