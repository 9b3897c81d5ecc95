package market1501

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// column is an array of one value for each image.
func column(values ...any) []byte {
	return npy(floats("<f4", fmt.Sprintf("%d, 1", len(values))), values...)
}

// writeForeign writes two queries and three gallery images into files, and returns their folder.
func writeForeign(t *testing.T) string {
	dir := t.TempDir()
	for file, content := range map[string]string{
		"query.npy":   string(column(float32(1), float32(2))),
		"gallery.npy": string(column(float32(3), float32(4), float32(5))),
		"query.txt":   "/data/query/0002_c1s1_000001_00.jpg\n/data/query/0001_c2s1_000002_00.jpg\r\n",
		"gallery.txt": "x\\0001_c3s1_000003_00.jpg\n\nx\\0000_c1s1_000004_00.jpg\nx\\0002_c2s1_000005_00.jpg\n",
		"query.csv":   "path,pid,camid\na/q2.png,2,0\na/q1.png,1,1\n",
		"gallery.csv": "camid;pid;path\n2;1;b/g1.png\n0;0;b/g0.png\n1;2;b/g2.png\n",
		"both.csv": "path,pid,camid,split\nb/g1.png,1,2,gallery\na/q2.png,2,0,query\nb/g0.png,0,0,gallery\n" +
			"b/g2.png,2,1,gallery\na/q1.png,1,1,query\nt.png,7,1,train\n",
		"embedded-query.csv":   "file,f0\nme/a/q1.png,2\n./me/a/q2.png,1\n",
		"embedded-gallery.csv": "file,f0\nme/b/g2.png,5\nme/b/g1.png,3\nme/b/g0.png,4\n",
	} {
		writeFile(t, filepath.Join(dir, file), []byte(content))
	}
	for file, value := range map[string]float32{
		"query/0002_c1s1_000001_00": 1, "query/0001_c2s1_000002_00": 2, "gallery/0001_c3s1_000003_00": 3,
		"gallery/0000_c1s1_000004_00": 4, "gallery/0002_c2s1_000005_00": 5,
	} {
		writeFile(t, filepath.Join(dir, file+".npy"), column(value))
	}
	return dir
}

func foreign(dir, query, gallery string, names ...string) ForeignFeatures {
	f := ForeignFeatures{Query: filepath.Join(dir, query), Gallery: filepath.Join(dir, gallery)}
	for _, name := range names {
		f.Names = append(f.Names, filepath.Join(dir, name))
	}
	return f
}

// TestForeignFeatures: in whatever form they come, the features of the same images are the same.
func TestForeignFeatures(t *testing.T) {
	dir := writeForeign(t)
	for _, test := range []struct {
		files  ForeignFeatures
		layout string
		want   []string // value, pid and camera of each image in order of the values
		name   string   // of the image with the value 3
	}{
		{foreign(dir, "query.npy", "gallery.npy", "query.txt", "gallery.txt"), "market1501", []string{
			"1 pid 2 cam 1", "2 pid 1 cam 2", "3 pid 1 cam 3", "4 pid 0 cam 1", "5 pid 2 cam 2",
		}, "x/0001_c3s1_000003_00.jpg"},
		{foreign(dir, "query", "gallery"), "market1501", []string{
			"1 pid 2 cam 1", "2 pid 1 cam 2", "3 pid 1 cam 3", "4 pid 0 cam 1", "5 pid 2 cam 2",
		}, "0001_c3s1_000003_00.jpg"},
		{foreign(dir, "query", "gallery.npy", "query.txt", "gallery.txt"), "market1501", []string{
			"1 pid 2 cam 1", "2 pid 1 cam 2", "3 pid 1 cam 3", "4 pid 0 cam 1", "5 pid 2 cam 2",
		}, "x/0001_c3s1_000003_00.jpg"},
		{foreign(dir, "query.npy", "gallery.npy", "query.csv", "gallery.csv"), CSVLayout, []string{
			"1 pid 2 cam 0", "2 pid 1 cam 1", "3 pid 1 cam 2", "4 pid 0 cam 0", "5 pid 2 cam 1",
		}, "b/g1.png"},
		{foreign(dir, "query.npy", "gallery.npy", "both.csv"), CSVLayout, []string{
			"1 pid 2 cam 0", "2 pid 1 cam 1", "3 pid 1 cam 2", "4 pid 0 cam 0", "5 pid 2 cam 1",
		}, "b/g1.png"},
		{foreign(dir, "embedded-query.csv", "embedded-gallery.csv", "both.csv"), CSVLayout, []string{
			"1 pid 2 cam 0", "2 pid 1 cam 1", "3 pid 1 cam 2", "4 pid 0 cam 0", "5 pid 2 cam 1",
		}, "b/g1.png"},
	} {
		what := fmt.Sprint(filepath.Base(test.files.Query), " ", len(test.files.Names))
		f, err := test.files.Read(t.Context())
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		got, name := make([]string, 5), ""
		for _, set := range []*Features{f.Query, f.Gallery} {
			for i := range set.Len() {
				value := set.Row(i)[0]
				got[int(value)-1] = fmt.Sprint(value, " pid ", set.PIDs[i], " cam ", set.CamIDs[i])
				if value == 3 {
					name = set.Names[i]
				}
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" || name != test.name || f.Layout != test.layout {
			t.Errorf("%s: %s of layout %s (-want +got):\n%s", what, name, f.Layout, diff)
		}
	}
}

// TestForeignFeaturesLeftOut: junk, and queries of no identity, have no part in the protocol.
func TestForeignFeaturesLeftOut(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"q.npy": string(column(float32(1), float32(2), float32(3))), "g.npy": string(column(float32(4), float32(5))),
		"q.txt": "-1_c1s1_000001_00.jpg\n0000_c1s1_000002_00.jpg\n0007_c1s1_000003_00.jpg\n",
		"g.txt": "0000_c1s1_000004_00.jpg\n-1_c1s1_000005_00.jpg\n",
	} {
		writeFile(t, filepath.Join(dir, name), []byte(content))
	}
	f, err := foreign(dir, "q.npy", "g.npy", "q.txt", "g.txt").Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := &Foreign{Layout: "market1501", Junk: 2, NoQueries: 1,
		Query: &Features{Dim: 1, Values: []float32{3}, PIDs: []int32{7}, CamIDs: []int32{1},
			Names: []string{"0007_c1s1_000003_00.jpg"}},
		Gallery: &Features{Dim: 1, Values: []float32{4}, PIDs: []int32{0}, CamIDs: []int32{1},
			Names: []string{"0000_c1s1_000004_00.jpg"}}}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestForeignFeaturesRefuse(t *testing.T) {
	dir := writeForeign(t)
	for file, content := range map[string]string{
		"short.npy":     string(column(float32(3), float32(4))),
		"wide.npy":      string(npy(floats("<f4", "3, 2"), make([]float32, 6))),
		"nan.npy":       string(column(float32(3), float32(math.NaN()), float32(5))),
		"torch.pt":      "PK\x03\x04 and so on",
		"pickle.pkl":    "\x80\x04 and so on",
		"table.csv":     "image,f0\na.jpg,1\n",
		"empty.csv":     "file,f0\n",
		"twice.csv":     "file,f0\nb/g1.png,1\nme/b/g1.png,1\n",
		"unknown.csv":   "file,f0\nb/g1.png,1\nb/g9.png,1\n",
		"infinite.csv":  "file,f0\nb/g1.png,1\nb/g2.png,Inf\n",
		"holiday.txt":   "beach.jpg\nsun.jpg\n",
		"odd.txt":       "0002_c1s1_000001_00.jpg\nsun.jpg\n",
		"same.txt":      "0002_c1s1_000001_00.jpg\n\n0002_c1s1_000001_00.jpg\n",
		"pid.csv":       "path,pid,camid\na/q2.png,2,0\na/q1.png,one,1\n",
		"junk.csv":      "path,pid,camid\na/q2.png,-1,0\na/q1.png,-1,1\n",
		"split.csv":     "path,pid,camid,split\nb/g1.png,1,2,probe\n",
		"two/a.npy":     string(column(float32(3), float32(4))),
		"unlike/a.npy":  string(column(float32(3))),
		"unlike/b.npy":  string(npy(floats("<f4", "1, 2"), float32(0), float32(0))),
		"none/read.txt": "",
		"ambiguous.csv": "path,pid,camid\na/q.png,1,1\nb/q.png,1,2\n",
		"q.csv":         "file,f0\nq.png,1\n",
	} {
		writeFile(t, filepath.Join(dir, file), []byte(content))
	}
	with := func(gallery string, names ...string) ForeignFeatures {
		return foreign(dir, "query.npy", gallery, names...)
	}
	for _, test := range []struct {
		files ForeignFeatures
		want  string
	}{
		{with("absent.npy"), "absent.npy"},
		{with("gallery.npy"), "query.npy does not say whose its rows are"},
		{with("short.npy", "both.csv"), "short.npy has 2 rows, ∕both.csv, gallery names 3 images"},
		{with("gallery.npy", "gallery.txt", "query.txt"), "query.npy has 2 rows, ∕gallery.txt names 3"},
		{with("wide.npy", "both.csv"), "1 values per image, ∕wide.npy has 2"},
		{with("nan.npy", "both.csv"), "nan.npy: unusable features: row 1 (from 0): b/g0.png: value 0 is NaN"},
		{with("torch.pt", "both.csv"), "torch.pt: unusable features: an archive or a pickle"},
		{with("pickle.pkl", "both.csv"), "an archive or a pickle"},
		{with("table.csv", "both.csv"), "columns don't begin with file"},
		{with("empty.csv", "both.csv"), "no image in it"},
		{with("twice.csv", "both.csv"), "row 1 (from 0): me/b/g1.png: the same image as row 0"},
		{with("unknown.csv", "both.csv"), "row 1 (from 0): b/g9.png: ∕both.csv, gallery does not name it"},
		{with("infinite.csv", "both.csv"), "row 1 (from 0): b/g2.png: value 0 is +Inf"},
		{with("gallery.npy", "query.txt"), "query.txt: unusable list of images: not CSV"},
		{with("gallery.npy", "query.txt", "gallery.csv"), "one is CSV"},
		{with("gallery.npy", "holiday.txt", "holiday.txt"), `"beach.jpg", and all other names`},
		{with("gallery.npy", "odd.txt", "gallery.txt"), `odd.txt:2: unusable list of images: "sun.jpg"`},
		{with("gallery.npy", "same.txt", "gallery.txt"), "same.txt:3: unusable list of images"},
		{with("gallery.npy", "pid.csv", "gallery.csv"), `pid.csv:3: unusable list of images: pid is "one"`},
		{with("gallery.npy", "junk.csv", "gallery.csv"), "query.npy: empty split"},
		{with("gallery.npy", "split.csv"), `split.csv:2: unusable list of images: split is "probe"`},
		{with("gallery.npy", "absent.csv"), "absent.csv"},
		{with("gallery.npy", "a", "b", "c"), "3 files of names"},
		{foreign(dir, "two", "gallery.npy", "both.csv"), "a.npy: unusable features: 2 rows"},
		{foreign(dir, "unlike", "gallery.npy", "both.csv"), "b.npy: append features"},
		{foreign(dir, "none", "gallery.npy", "both.csv"), "no .npy file in the folder"},
		{foreign(dir, "q.csv", "gallery.npy", "ambiguous.csv", "gallery.csv"), "names several: a/q.png, b/q.png"},
		{foreign(dir, "embedded-query.csv", "embedded-gallery.csv"), "of no layout that is known"},
		{ForeignFeatures{Query: filepath.Join(dir, "query.npy")}, "query.npy: unusable features"},
	} {
		f, err := test.files.Read(t.Context())
		want := strings.ReplaceAll(test.want, "∕", dir+string(filepath.Separator))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, %v, not one that says %q", test.files, f, err, want)
		}
	}
}

// FuzzNames: lists of any bytes are refused or say of each image once who is on it.
func FuzzNames(f *testing.F) {
	f.Add([]byte("query/0002_c1s1_000001_00.jpg\n"), []byte("x\\0001_c3s1_000003_00.jpg\n"))
	f.Add([]byte("path,pid,camid\na.png,2,0\n"), []byte("camid;pid;path\n2;1;b/g1.png\n"))
	f.Fuzz(func(t *testing.T, query, gallery []byte) {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "q"), query)
		writeFile(t, filepath.Join(dir, "g"), gallery)
		n, err := readNames(t.Context(), []string{filepath.Join(dir, "q"), filepath.Join(dir, "g")}, "")
		if err != nil {
			return
		}
		for _, l := range []nameList{n.query, n.gallery} {
			seen := map[string]bool{}
			for _, image := range l.images {
				if image.path == "" || seen[image.path] || image.PID < JunkPID || image.CamID < 0 {
					t.Errorf("%+v", image)
				}
				seen[image.path] = true
			}
		}
	})
}

// FuzzEmbeddings: CSV of any bytes is refused or has as many values as it says.
func FuzzEmbeddings(f *testing.F) {
	f.Add("file,f0,f1\na.jpg,0.5,1\nb.jpg,NaN,2\n")
	f.Fuzz(func(t *testing.T, content string) {
		set, err := parseEmbeddings(strings.NewReader(content))
		if err == nil && (set.Len() == 0 || len(set.Values) != set.Len()*set.Dim || len(set.Names) != set.Len()) {
			t.Errorf("%d values of %d images, %d each", len(set.Values), set.Len(), set.Dim)
		}
	})
}
