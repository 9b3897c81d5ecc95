package market1501

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// smallJPEG is an 8×16 image in one colour.
func smallJPEG(t testing.TB, c color.Color) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 8, 16))
	for i := range 8 * 16 {
		img.Set(i%8, i/8, c)
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// writeDataset makes a folder of images with the given paths; other files get
// the path as their content.
func writeDataset(t testing.TB, paths ...string) string {
	t.Helper()
	root := t.TempDir()
	for i, p := range paths {
		content := []byte(p)
		if strings.HasSuffix(p, ".jpg") {
			content = smallJPEG(t, color.RGBA{uint8(40 * i), 100, 200, 255})
		}
		writeFile(t, filepath.Join(root, p), content)
	}
	return root
}

func writeFile(t testing.TB, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

var tinyDataset = []string{
	"bounding_box_train/0007_c2s1_000001_01.jpg",
	"bounding_box_train/0002_c1s1_000451_03.jpg",
	"bounding_box_train/0002_c3s1_000451_03.jpg",
	"bounding_box_train/-1_c1s1_000401_03.jpg",
	"bounding_box_train/0000_c1s1_000401_03.jpg",
	"bounding_box_train/Thumbs.db",
	"bounding_box_train/._0002_c1s1_000451_03.jpg",
	"query/0001_c1s1_001051_00.jpg",
	"query/holiday.jpg",
	"query/Thumbs.db",
	"bounding_box_test/-1_c1s1_000401_03.jpg",
	"bounding_box_test/0000_c3s2_107228_04.jpg",
	"bounding_box_test/0001_c2s1_001051_00.jpg",
	"gt_bbox/0001_c2s1_001051_00.jpg",
	"readme.txt",
}

func TestOpenListsSplits(t *testing.T) {
	root := writeDataset(t, tinyDataset...)
	got, err := Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	want := &Dataset{
		Source:  root,
		Root:    root,
		Name:    filepath.Base(root),
		Layout:  "market1501",
		Classes: 2,
		Train: Split{
			Folder: trainFolder,
			Entries: []Entry{
				{Path: "bounding_box_train/0002_c1s1_000451_03.jpg", PID: 2, CamID: 1, Label: 0},
				{Path: "bounding_box_train/0002_c3s1_000451_03.jpg", PID: 2, CamID: 3, Label: 0},
				{Path: "bounding_box_train/0007_c2s1_000001_01.jpg", PID: 7, CamID: 2, Label: 1},
			},
			Junk: 1, Distractors: 1,
			Others: []Others{
				{"hidden", 1, "bounding_box_train/._0002_c1s1_000451_03.jpg"},
				{".db", 1, "bounding_box_train/Thumbs.db"},
			},
		},
		Query: Split{
			Folder:  queryFolder,
			Entries: []Entry{{Path: "query/0001_c1s1_001051_00.jpg", PID: 1, CamID: 1, Label: -1}},
			Others:  []Others{{".db", 1, "query/Thumbs.db"}}, Unparsable: []string{"query/holiday.jpg"},
		},
		Gallery: Split{
			Folder: galleryFolder,
			Entries: []Entry{
				{Path: "bounding_box_test/0000_c3s2_107228_04.jpg", PID: 0, CamID: 3, Label: -1},
				{Path: "bounding_box_test/0001_c2s1_001051_00.jpg", PID: 1, CamID: 2, Label: -1},
			},
			Junk: 1, Distractors: 1,
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Split{})); diff != "" {
		t.Error(diff)
	}
	warnings := strings.Join(got.Warnings(), "\n")
	for _, word := range []string{"holiday.jpg", "pid 0"} {
		if !strings.Contains(warnings, word) {
			t.Errorf("warnings do not mention %q:\n%s", word, warnings)
		}
	}
}

func TestOpenFindsOuterFolder(t *testing.T) {
	for _, inner := range []string{"Market-1501-v15.09.15", "market1501", "Market-1501"} {
		paths := []string{"__MACOSX/notes.txt", "readme.txt"}
		for _, p := range tinyDataset {
			paths = append(paths, inner+"/"+p)
		}
		root := writeDataset(t, paths...)
		d, err := Open(t.Context(), root)
		if err != nil {
			t.Errorf("%s: %v", inner, err)
		} else if d.Root != filepath.Join(root, inner) {
			t.Errorf("root is %s", d.Root)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	two := []string{}
	for _, p := range tinyDataset {
		two = append(two, "a/"+p, "b/"+p)
	}
	for _, test := range []struct {
		name    string
		dir     string
		want    error
		mention string
	}{
		{"missing folder", filepath.Join(t.TempDir(), "nowhere"), fs.ErrNotExist, "nowhere"},
		{"a file", filepath.Join(writeDataset(t, "data.zip"), "data.zip"), ErrNotDataset, "data.zip"},
		{"unrelated folder", writeDataset(t, "photos/cat.jpg"), ErrNotDataset, "bounding_box_train"},
		{"half a dataset", writeDataset(t, "bounding_box_train/0002_c1s1_000451_03.jpg"), ErrNotDataset,
			"query, bounding_box_test"},
		{"two datasets", writeDataset(t, two...), ErrNotDataset, "a, b"},
		{"empty split", writeDataset(t, "bounding_box_train/0002_c1s1_000451_03.jpg", "query/Thumbs.db",
			"bounding_box_test/0002_c1s1_000451_03.jpg"), ErrEmptySplit, "query"},
		{"only junk", writeDataset(t, "bounding_box_train/-1_c1s1_000451_03.jpg", "query/0001_c1s1_000451_03.jpg",
			"bounding_box_test/0002_c1s1_000451_03.jpg"), ErrEmptySplit, "bounding_box_train"},
		{"only unparsable", writeDataset(t, "bounding_box_train/0001_c1s1_000451_03.jpg",
			"query/0001_c1s1_000451_03.jpg", "bounding_box_test/cat.jpg"), ErrEmptySplit, "cat.jpg"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(t.Context(), test.dir)
			if !errors.Is(err, test.want) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
			if !strings.Contains(err.Error(), test.mention) {
				t.Errorf("error does not mention %q: %v", test.mention, err)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	root := writeDataset(t, tinyDataset...)
	d, err := Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	take := func() string {
		t.Helper()
		fingerprint, err := d.Fingerprint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return fingerprint
	}
	before := take()
	if again := take(); again != before {
		t.Errorf("fingerprint changed by itself: %s, %s", before, again)
	}
	writeFile(t, filepath.Join(root, "query/Thumbs.db"), []byte("no image"))
	if after := take(); after != before {
		t.Error("fingerprint depends on an ignored file")
	}
	image := filepath.Join(root, "query/0001_c1s1_001051_00.jpg")
	content, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-3] ^= 1
	writeFile(t, image, content)
	if after := take(); after != before {
		t.Error("fingerprint depends on content, which is not read")
	}
	writeFile(t, image, append(content, 0))
	if after := take(); after == before {
		t.Error("fingerprint does not depend on file sizes")
	}
}

func TestInfo(t *testing.T) {
	root := writeDataset(t, tinyDataset...)
	whole := smallJPEG(t, color.White)
	writeFile(t, filepath.Join(root, "bounding_box_test/0009_c2s1_000001_01.jpg"), whole[:len(whole)/2])
	d, err := Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	reports := 0
	info, err := d.Info(context.Background(), 3, func(done, total int) {
		reports++
		if done != reports || total != 7 {
			t.Errorf("progress %d of %d, want %d of 7", done, total, reports)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if reports != 7 {
		t.Errorf("%d progress reports, want 7", reports)
	}
	want := [3]SplitInfo{
		{Folder: trainFolder, Images: 3, IDs: 2, Cameras: 3, Junk: 1, Distractors: 1,
			Others: d.Train.Others},
		{Folder: queryFolder, Images: 1, IDs: 1, Cameras: 1, Others: d.Query.Others,
			Unparsable: []string{"query/holiday.jpg"}},
		{Folder: galleryFolder, Images: 2, IDs: 1, Cameras: 2, Junk: 1, Distractors: 1,
			Broken: []BrokenImage{{Path: "bounding_box_test/0009_c2s1_000001_01.jpg"}}},
	}
	onlyPaths := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Err" }, cmp.Ignore())
	if diff := cmp.Diff(want, info.Splits, onlyPaths); diff != "" {
		t.Error(diff)
	}
	if err := info.Splits[2].Broken[0].Err; !errors.Is(err, ErrImage) {
		t.Errorf("truncated image: %v, want ErrImage", err)
	}
}

// ended is a context that ends when it has been asked some times.
type ended struct {
	context.Context
	after int
}

func (e *ended) Err() error {
	if e.after--; e.after < 0 {
		return context.Canceled
	}
	return nil
}

// However far opening has come, and whatever is opened, it stops with its context.
func TestOpenStops(t *testing.T) {
	around := t.TempDir()
	folder := filepath.Join(around, "data")
	for _, name := range tinyDataset {
		writeFile(t, filepath.Join(folder, name), nil)
	}
	list := filepath.Join(folder, "list.csv")
	writeFile(t, list, []byte("path,pid,camid,split\na.jpg,1,1,train\nb.jpg,2,1,query\nc.jpg,2,2,gallery\n"))
	msmt17 := t.TempDir()
	for name, line := range map[string]string{
		"list_train.txt":   "0000/0000_000_01_0303morning_0008_0.jpg 0\n",
		"list_query.txt":   "0001/0001_000_01_0303morning_0008_0.jpg 1\n",
		"list_gallery.txt": "0001/0001_001_02_0303morning_0008_0.jpg 1\n",
		"train/x":          "", "test/x": "",
	} {
		writeFile(t, filepath.Join(msmt17, name), []byte(line))
	}
	for what, dir := range map[string]string{
		"folder": folder, "folder around one": around, "CSV": list, "MSMT17": msmt17,
	} {
		stops := 0
		for ; ; stops++ {
			_, err := Open(&ended{t.Context(), stops}, dir)
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%s, asked %d times: %v", what, stops, err)
			}
		}
		if stops < 3 { // once for each split at least
			t.Errorf("%s: the context is asked %d times", what, stops)
		}
	}
	d, err := Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Fingerprint(&ended{t.Context(), 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("fingerprint: %v", err)
	}
}
