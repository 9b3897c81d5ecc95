package market1501

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOpenCSV(t *testing.T) {
	root := writeDataset(t, "own/a/1.jpg", "own/a/2, \"\".png", "elsewhere/3.jpg")
	absolute := filepath.Join(root, "elsewhere", "3.jpg")
	list := filepath.Join(root, "own", "Images.CSV")
	writeFile(t, list, []byte("\ufeffcamid, note ,path,split,pid\r\n"+
		"0,,\"./a/2, \"\"\"\".png\",query,0\r\n"+
		"2,\"one, two\","+absolute+",gallery,0\r\n"+
		"3,,../elsewhere/3.jpg,gallery,-1\n"+
		"1,x,a/1.jpg, train ,500\n"))
	d, err := Open(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"train: a/1.jpg pid 500 cam 1 label 0", "query: a/2, \"\".png pid 0 cam 0 label -1",
		"gallery: " + filepath.ToSlash(absolute) + " pid 0 cam 2 label -1",
	}
	if diff := cmp.Diff(want, entryTexts(d)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d.Layout != CSVLayout || d.Name != "Images.CSV" || d.Gallery.Junk != 1 || d.Matched() != 1 {
		t.Errorf("%s of layout %s, %d junk, %d matched", d.Name, d.Layout, d.Gallery.Junk, d.Matched())
	}
	images, err := d.Gallery.Load(t.Context(), LoadConfig{Height: 8, Width: 8})
	if err != nil || images.Len() != 1 {
		t.Errorf("an absolute path is not loaded: %v", err)
	}
	if _, err := d.Picture(t.Context(), d.Gallery.Entries[0].Path); err != nil {
		t.Errorf("an absolute path is not shown: %v", err)
	}
}

// Spreadsheets write semicolons where a comma is the decimal point, and tabs to what is copied from them. Scripts name
// columns as they like, and on Windows have backslashes between folders.
func TestOpenCSVAsItIsWritten(t *testing.T) {
	want := []string{"query: in/a,b.jpg pid 1 cam 1 label -1", "gallery: in/c.jpg pid 1 cam 2 label -1"}
	for name, content := range map[string]string{
		"semicolons":   "\ufeffpath;pid;camid;split\r\nin/a,b.jpg;1;1;query\r\nin/c.jpg;1;2;gallery\r\n",
		"tabs":         "path\tpid\tcamid\tsplit\nin/a,b.jpg\t1\t1\tquery\nin/c.jpg\t1\t2\tgallery\n",
		"capitals":     "Path,PID, CamID ,Split\n\"in/a,b.jpg\",1,1,Query\nin/c.jpg,1,2,GALLERY\n",
		"backslashes":  "path,pid,camid,split\n\"in\\a,b.jpg\",1,1,query\n.\\in\\c.jpg,1,2,gallery\n",
		"all together": "PATH\tpid\tCamId\tsplit\nin\\a,b.jpg\t1\t1\tquery\nin\\c.jpg\t1\t2\tgallery\n",
	} {
		list := filepath.Join(t.TempDir(), "list.csv")
		writeFile(t, list, []byte(content))
		d, err := Opener{TestOnly: true}.Open(t.Context(), list)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, entryTexts(d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What a list names and is not there is counted as broken by [Dataset.Info], and no image that can be left out
// elsewhere.
func TestListedAndAbsentIsBroken(t *testing.T) {
	csv := writeDataset(t, "a.jpg", "b.jpg", "c.jpg")
	writeFile(t, filepath.Join(csv, "list.csv"), []byte("path,pid,camid,split\na.jpg,1,1,train\n"+
		"b.jpg,2,1,query\nc.jpg,2,2,gallery\naway.jpg,2,2,gallery\nc.jpg/away.jpg,2,2,gallery\n"))
	msmt17 := writeDataset(t, "train/0000_000_01_x_0008_0.jpg", "test/0000_001_01_x_0008_0.jpg",
		"test/0000_002_02_x_0008_0.jpg")
	for list, line := range map[string]string{
		"list_train.txt": "0000_000_01_x_0008_0.jpg 0", "list_query.txt": "0000_001_01_x_0008_0.jpg 0",
		"list_gallery.txt": "0000_002_02_x_0008_0.jpg 0\n0001_000_02_x_0008_0.jpg 1",
	} {
		writeFile(t, filepath.Join(msmt17, list), []byte(line+"\n"))
	}
	for _, test := range []struct {
		data, source string
		absent       []string
	}{
		{filepath.Join(csv, "list.csv"), filepath.Join(csv, "list.csv"), []string{"away.jpg", "c.jpg/away.jpg"}},
		{msmt17, msmt17, []string{"test/0001_000_02_x_0008_0.jpg"}},
	} {
		d, err := Open(t.Context(), test.data)
		if err != nil {
			t.Fatal(err)
		}
		info, err := d.Info(t.Context(), 2, nil)
		if err != nil {
			t.Errorf("%s: %v", test.source, err)
			continue
		}
		var broken []string
		for _, b := range info.Splits[2].Broken {
			broken = append(broken, b.Path)
			if !errors.Is(b.Err, ErrImage) {
				t.Errorf("%s: %v", b.Path, b.Err)
			}
		}
		if diff := cmp.Diff(test.absent, broken); diff != "" || info.Splits[2].Images != 1 {
			t.Errorf("%s (-want +got):\n%s", test.source, diff)
		}
		if info.Source != test.source || info.Fingerprint == "" {
			t.Errorf("%s, fingerprint %q; want %s", info.Source, info.Fingerprint, test.source)
		}
		if _, err := d.Gallery.Load(t.Context(), LoadConfig{Height: 8, Width: 8}); !errors.Is(err, ErrNotGiven) {
			t.Errorf("%s: loaded with error %v", test.source, err)
		}
		if _, err := d.Fingerprint(t.Context()); !errors.Is(err, ErrNotGiven) {
			t.Errorf("%s: a fingerprint with error %v", test.source, err)
		}
	}
}

func TestOpenCSVRefuses(t *testing.T) {
	const header = "path,pid,camid,split\n"
	for content, want := range map[string]string{
		"":                              "list.csv:1: ",
		"a.jpg,1,1,train\n":             "no column is called path",
		"path,pid,camid\n":              "no column is called split",
		"path,pid,camid,split,PID\n":    "two columns are called pid",
		"path|pid|camid|split\n":        "between commas, semicolons or tabs",
		header:                          "train: no image",
		header + "a.jpg,1,1\n":          "record on line 2",
		header + "\na.jpg,x,1,train\n":  `list.csv:3: unusable list of images: pid is "x"`,
		header + "a.jpg,-2,1,train\n":   `pid is "-2"`,
		header + "a.jpg,1,-1,train\n":   `camid is "-1", not a number from 0`,
		header + "a.jpg,1,1,test\n":     `list.csv:2: unusable list of images: split is "test"`,
		header + ",1,1,train\n":         "no path",
		header + "\"a\nb\",1,1,train\n": "control character",
		header + "a.jpg,1,1,train\n./a.jpg,2,1,train\n": `list.csv:3: unusable list of images: "a.jpg" stands in`,
		header + "a.jpg,4294967297,1,train\n":           "pid",
	} {
		list := filepath.Join(t.TempDir(), "list.csv")
		writeFile(t, list, []byte(content))
		_, err := Open(t.Context(), list)
		if !errors.Is(err, ErrList) && !errors.Is(err, ErrEmptySplit) {
			t.Errorf("%q: error %v", content, err)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: no %q in %v", content, want, err)
		}
	}
	list := filepath.Join(t.TempDir(), "list.csv")
	writeFile(t, list, []byte(header))
	_, err := Opener{Layout: "cuhk03"}.Open(t.Context(), list)
	if err == nil || !strings.Contains(err.Error(), "for folders") {
		t.Errorf("a layout of a list: %v", err)
	}
}

// Whatever a list holds, it is refused with its name, or every image of it is within bounds and once in its split.
func FuzzCSVList(f *testing.F) {
	f.Add([]byte("path,pid,camid,split\na.jpg,1,1,train\n\"b.png\",0,0,query\n/d,2,2,gallery\n"))
	f.Add([]byte("\ufeffpid,path,split,camid,x\r\n-1,a,train,3,\r\n"))
	f.Add([]byte("path,pid,camid,split\n\"a"))
	f.Fuzz(func(t *testing.T, content []byte) {
		d := &Dataset{}
		if err := d.readCSV(t.Context(), "list.csv", content); err != nil {
			if !errors.Is(err, ErrList) || !strings.Contains(err.Error(), "list.csv") {
				t.Fatalf("%q: %v", content, err)
			}
			return
		}
		for _, s := range d.Splits() {
			paths := map[string]bool{}
			for _, e := range s.Entries {
				if e.PID < 0 || e.CamID < 0 || e.Path == "" || paths[e.Path] ||
					strings.ContainsAny(e.Path, "\x00\n") {
					t.Fatalf("%q: %+v", content, e)
				}
				paths[e.Path] = true
			}
		}
	})
}

func FuzzMSMT17List(f *testing.F) {
	f.Add([]byte("0000/0000_000_01_0303morning_0008_0.jpg 0\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		s := Split{place: "list_train.txt"}
		if err := s.readMSMT17List(t.Context(), content, "train"); err != nil {
			if !errors.Is(err, ErrList) {
				t.Fatalf("%q: %v", content, err)
			}
			return
		}
		for _, e := range s.Entries {
			if e.PID < 0 || e.CamID < 1 || !strings.HasPrefix(e.Path, "train/") {
				t.Fatalf("%q: %+v", content, e)
			}
		}
	})
}
