package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/results/atomicfile"
)

const upper = "bytes=524288-" // the half that half leaves

func TestFetch(t *testing.T) {
	s := serve(t, whole(content, `"a"`))
	file := wanted(t, s)
	var last, total int64
	file.Progress = func(done, all int64) {
		if done < last {
			t.Errorf("progress from %d to %d", last, done)
		}
		last, total = done, all
	}
	fetched := arrives(t, hasty, file)
	if fetched.There || fetched.Verified != "name" {
		t.Errorf("fetched %+v", fetched)
	}
	if want := int64(len(content)); last != want || total != want {
		t.Errorf("progress ends at %d of %d", last, total)
	}
	if again := arrives(t, hasty, file); !again.There || again.Verified != "name" {
		t.Errorf("fetched again %+v", again)
	}
	s.wantRanges(t, "")
}

// TestGoesOn: what broke off is gone on with, where it is known to be of the same file.
func TestGoesOn(t *testing.T) {
	zeros := make([]byte, len(content))
	other := func(w http.ResponseWriter, r *http.Request) { // part than was asked for
		r.Header.Set("Range", "bytes=5-9")
		whole(content, `"a"`)(w, r)
	}
	for _, test := range []struct {
		name    string
		answers []http.HandlerFunc
		unknown bool // the digest
		ranges  []string
	}{
		{"cut off", []http.HandlerFunc{half(content, `"a"`), whole(content, `"a"`)}, false, []string{"", upper}},
		{
			"cut off, digest unknown", []http.HandlerFunc{half(content, `"a"`), whole(content, `"a"`)}, true,
			[]string{"", upper},
		},
		{
			"changed in between", []http.HandlerFunc{half(content[16:], `"a"`), whole(content, `"b"`)}, true,
			[]string{"", "bytes=524280-"},
		},
		{"no ranges", []http.HandlerFunc{half(content, `"a"`), plain(content)}, false, []string{"", upper}},
		{"nothing to know it by", []http.HandlerFunc{half(content, ""), plain(content)}, true, []string{"", ""}},
		{
			"a weak tag says nothing of bytes", []http.HandlerFunc{half(content, `W/"a"`), plain(content)}, true,
			[]string{"", ""},
		},
		{
			"another part than was asked for", []http.HandlerFunc{half(content, `"a"`), other, whole(content, `"a"`)},
			false, []string{"", upper, ""},
		},
		{
			"joined to another file", []http.HandlerFunc{half(zeros, `"a"`), whole(content, `"a"`)}, false,
			[]string{"", upper, ""},
		},
		{
			"an answer that it may have later", []http.HandlerFunc{
				status(http.StatusServiceUnavailable), status(http.StatusTooManyRequests), whole(content, `"a"`),
			}, false, []string{"", "", ""},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answers...)
			file := wanted(t, s)
			if test.unknown {
				file.SHA256 = ""
			}
			arrives(t, hasty, file)
			s.wantRanges(t, test.ranges...)
		})
	}
}

// TestNextCallGoesOn: so does another call, unless the file is fetched from elsewhere now.
func TestNextCallGoesOn(t *testing.T) {
	for _, elsewhere := range []bool{false, true} {
		s := serve(t, half(content, `"a"`), whole(content, `"a"`))
		file := wanted(t, s)
		once := Fetcher{Tries: 1}
		if _, err := once.Fetch(t.Context(), file); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
			t.Fatalf("got %v, want an unexpected EOF", err)
		}
		wantOnly(t, filepath.Dir(file.Path), ".net.pth.unfinished", ".net.pth.unfinished.json")
		want := upper
		if elsewhere {
			file.URL += "?elsewhere"
			want = ""
		}
		arrives(t, once, file)
		s.wantRanges(t, "", want)
	}
}

// TestOnlyTheNameWasMissing: all bytes were there, so the server has no more.
func TestOnlyTheNameWasMissing(t *testing.T) {
	s := serve(t, half(content, `"a"`), whole(content, `"a"`))
	file := wanted(t, s)
	if _, err := (Fetcher{Tries: 1}).Fetch(t.Context(), file); err == nil {
		t.Fatal("half a file has come")
	}
	if err := os.WriteFile(atomicfile.PartialPath(file.Path), content, 0o666); err != nil {
		t.Fatal(err)
	}
	arrives(t, Fetcher{Tries: 1}, file)
	s.wantRanges(t, "", "bytes=1048576-")
}

// TestRefused: nothing is left of what is wrong, and no more is asked for than may mend it.
func TestRefused(t *testing.T) {
	broken := errors.New("not a file of weights")
	fails := func(string) error { return broken }
	for _, test := range []struct {
		name     string
		answer   http.HandlerFunc
		change   func(*File)
		want     error
		requests int
	}{
		{"wrong digest", plain([]byte("something else")), func(*File) {}, ErrDigest, 1},
		{"fails its check", plain(content), func(f *File) { f.Check = fails }, broken, 1},
		{"404", status(http.StatusNotFound), func(*File) {}, &StatusError{404, "404 Not Found"}, 1},
		{"500, for ever", status(500), func(*File) {}, &StatusError{500, "500 Internal Server Error"}, 3},
		{"too large", plain(content), func(f *File) { f.Size = 1000 }, ErrSize, 1},
		{"too small", plain(content), func(f *File) { f.Size = 1 << 21 }, ErrSize, 1},
		{"larger than any", plain(content), func(f *File) { f.Most = 1000 }, ErrSize, 1},
		{"endless", endless, func(*File) {}, ErrSize, 1},
		{"endless, of a known size", endless, func(f *File) { f.Size, f.Slack = 1000, 10 }, ErrSize, 1},
		{"too small, without a length", func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.Write([]byte("x"))
		}, func(f *File) { f.Size, f.Slack = 1000, 10 }, ErrSize, 1},
		{"to another scheme", redirect("ftp://127.0.0.1/net.pth"), func(*File) {}, ErrAddress, 1},
		{"in a circle", redirect("/again"), func(*File) {}, ErrAddress, mostRedirects + 1},
		{"of another scheme", nil, func(f *File) { f.URL = "file:///etc/hostname" }, ErrAddress, 0},
		{"of no host", nil, func(f *File) { f.URL = "https:///models" }, ErrAddress, 0},
		{"of no form", nil, func(f *File) { f.URL = "http://%zz" }, ErrAddress, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			file := wanted(t, s)
			test.change(&file)
			_, err := hasty.Fetch(t.Context(), file)
			if want, ok := test.want.(*StatusError); ok {
				var got *StatusError
				if !errors.As(err, &got) || *got != *want {
					t.Errorf("got %v, want %v", err, want)
				}
			} else if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			s.Close() // so that all requests have been counted
			if len(s.ranges) != test.requests {
				t.Errorf("%d requests, want %d", len(s.ranges), test.requests)
			}
			wantOnly(t, filepath.Dir(file.Path))
		})
	}
}

// endless sends until nobody listens.
func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(content); err != nil {
			return
		}
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

func TestPackedBytesAreRefused(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(content)
	})
	if _, err := hasty.Fetch(t.Context(), wanted(t, s)); err == nil || !strings.Contains(err.Error(), "as gzip") {
		t.Errorf("got %v, want an error with the encoding", err)
	}
}

// TestNeverLessSafe: a redirect from https to http is not followed.
func TestNeverLessSafe(t *testing.T) {
	s := serve(t, whole(content, `"a"`))
	safe := httptest.NewTLSServer(redirect(s.URL))
	t.Cleanup(safe.Close)
	file := wanted(t, s)
	file.URL = safe.URL
	f := hasty
	f.Client = safe.Client()
	if _, err := f.Fetch(t.Context(), file); !errors.Is(err, ErrAddress) {
		t.Errorf("got %v, want %v", err, ErrAddress)
	}
	s.wantRanges(t)
}

// TestAnnouncedDigest: a redirect tells the digest of where it leads to.
func TestAnnouncedDigest(t *testing.T) {
	for _, test := range []struct {
		name, announced string
		right           bool
	}{
		{"right", `"` + digestOf(content) + `"`, true},
		{"wrong", `"` + digestOf(nil) + `"`, false},
		{"no digest", `"0123"`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Linked-Etag", test.announced)
				http.Redirect(w, r, "/store", http.StatusTemporaryRedirect)
			}, whole(content, `"a"`))
			file := wanted(t, s)
			file.SHA256 = ""
			if !test.right {
				if _, err := hasty.Fetch(t.Context(), file); !errors.Is(err, ErrDigest) {
					t.Errorf("got %v, want %v", err, ErrDigest)
				}
				wantOnly(t, filepath.Dir(file.Path))
				return
			}
			want := map[string]string{"right": "server"}[test.name]
			if fetched := arrives(t, hasty, file); fetched.Verified != want {
				t.Errorf("verified by %q, want %q", fetched.Verified, want)
			}
		})
	}
}

// TestAnnouncedBefore: an answer that is the rest of a file need not say its digest again.
func TestAnnouncedBefore(t *testing.T) {
	for _, digest := range []string{digestOf(content), digestOf(nil)} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Linked-Etag", `"`+digest+`"`)
			half(content, `"a"`)(w, r)
		}, whole(content, `"a"`))
		file := wanted(t, s)
		file.SHA256 = ""
		if digest != digestOf(content) {
			// what was joined is wrong, so all comes anew, and this time nothing is announced
			if fetched := arrives(t, hasty, file); fetched.Verified != "" {
				t.Errorf("verified by %q", fetched.Verified)
			}
			s.wantRanges(t, "", upper, "")
			continue
		}
		if fetched := arrives(t, hasty, file); fetched.Verified != "server" {
			t.Errorf("verified by %q", fetched.Verified)
		}
		s.wantRanges(t, "", upper)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sendHalf(w, content, `"a"`)
		<-r.Context().Done()
	}, whole(content, `"a"`))
	file := wanted(t, s)
	file.Progress = func(done, _ int64) {
		if done == int64(len(content)/2) {
			cancel()
		}
	}
	if _, err := hasty.Fetch(ctx, file); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	file.Progress = nil
	arrives(t, hasty, file)
	s.wantRanges(t, "", upper)
}

// TestWhatIsThere: a file of the name stays if it is right, and is replaced if it isn't.
func TestWhatIsThere(t *testing.T) {
	s := serve(t, whole(content, `"a"`))
	file := wanted(t, s)
	if err := os.WriteFile(file.Path, []byte("cut off by another program"), 0o666); err != nil {
		t.Fatal(err)
	}
	if fetched := arrives(t, hasty, file); fetched.There {
		t.Error("a wrong file is taken for the right one")
	}
	file.SHA256 = ""
	file.Check = func(string) error { return nil }
	if fetched := arrives(t, hasty, file); !fetched.There || fetched.Verified != "" {
		t.Errorf("fetched %+v", fetched)
	}
	s.wantRanges(t, "")
	folder := file
	folder.Path = filepath.Dir(file.Path)
	if _, err := hasty.Fetch(t.Context(), folder); err == nil {
		t.Error("a folder is replaced")
	}
}

func TestNowhereToWrite(t *testing.T) {
	s := serve(t, whole(content, `"a"`))
	file := wanted(t, s)
	file.Path = filepath.Join(filepath.Dir(file.Path), "missing", "net.pth")
	if _, err := hasty.Fetch(t.Context(), file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
	s.wantRanges(t)
}

// TestMirror: the path is kept, what comes before it is not, and a password is never shown.
func TestMirror(t *testing.T) {
	s := serve(t, whole(content, `"a"`))
	file := wanted(t, s)
	file.URL = "https://download.invalid/models/net.pth"
	f := hasty
	var err error
	if f.Mirror, err = url.Parse(strings.Replace(s.URL, "://", "://me:secret@", 1) + "/copies/"); err != nil {
		t.Fatal(err)
	}
	arrives(t, f, file)
	if diff := cmp.Diff([]string{"/copies/models/net.pth"}, s.paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	file.Path += "2"
	file.SHA256 = strings.Repeat("0", 64)
	if _, err = f.Fetch(t.Context(), file); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}
