package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// content is what is fetched: longer than what a connection holds back, and no two parts alike.
var content = func() []byte {
	data := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(data)
	return data
}()

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// A server answers the requests one after the other by its answers, the last of them again and again, and keeps what
// was asked.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	ranges  []string // of each request
	paths   []string
	answers []http.HandlerFunc
}

func serve(t *testing.T, answers ...http.HandlerFunc) *server {
	t.Helper()
	s := &server{answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer := s.answers[min(len(s.ranges), len(s.answers)-1)]
	s.ranges, s.paths = append(s.ranges, r.Header.Get("Range")), append(s.paths, r.URL.Path)
	s.mu.Unlock()
	answer(w, r)
}

// whole serves data with ranges, under an entity tag.
func whole(data []byte, tag string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// half begins to send all of data and breaks off.
func half(data []byte, tag string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		sendHalf(w, data, tag)
		panic(http.ErrAbortHandler)
	}
}

func sendHalf(w http.ResponseWriter, data []byte, tag string) {
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Write(data[:len(data)/2])
	w.(http.Flusher).Flush()
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// plain sends all of data, whatever part is asked for, and nothing to know it again by.
func plain(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(data) }
}

// hasty tries a few times and does not wait.
var hasty = Fetcher{Tries: 3, Pause: func(context.Context, int) error { return nil }}

// wanted is a file of the server that is known by its digest.
func wanted(t *testing.T, s *server) File {
	t.Helper()
	return File{
		URL: s.URL + "/models/net-" + digestOf(content)[:8] + ".pth", Path: filepath.Join(t.TempDir(), "net.pth"),
		SHA256: digestOf(content)[:8], Most: 1 << 24,
	}
}

// arrives fetches and wants the content, alone in its folder.
func arrives(t *testing.T, f Fetcher, file File) Fetched {
	t.Helper()
	fetched, err := f.Fetch(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, content) || fetched.Bytes != int64(len(content)) || fetched.SHA256 != digestOf(content) {
		t.Errorf("%d bytes, said to be %d with SHA-256 %s", len(got), fetched.Bytes, fetched.SHA256)
	}
	wantOnly(t, filepath.Dir(file.Path), filepath.Base(file.Path))
	return fetched
}

func wantOnly(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(want, got) {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

// wantRanges wants the requests to have asked for these parts.
func (s *server) wantRanges(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.ranges); diff != "" {
		t.Errorf("ranges (-want +got):\n%s", diff)
	}
}
