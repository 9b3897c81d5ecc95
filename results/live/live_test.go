package live

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// changing is a site whose version a test turns.
func changing() (*Site, *atomic.Value) {
	version := new(atomic.Value)
	version.Store("1")
	return &Site{
		Version:  func() (string, error) { return version.Load().(string), nil },
		Write:    func(w *bytes.Buffer, version string) error { w.WriteString("page " + version); return nil },
		Interval: time.Second,
	}, version
}

func get(s *Site, target string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Host = "127.0.0.1:8080"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func TestPageIsNeverStale(t *testing.T) {
	s, version := changing()
	written := 0
	write := s.Write
	s.Write = func(w *bytes.Buffer, version string) error { written++; return write(w, version) }
	for range 3 {
		w := get(s, "/", nil)
		if w.Code != http.StatusOK || w.Body.String() != "page 1" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
		}
	}
	version.Store("2")
	if w := get(s, "/", nil); w.Body.String() != "page 2" {
		t.Errorf("after a change %q", w.Body)
	}
	if written != 2 {
		t.Errorf("written %d times, want once per version", written)
	}
}

func TestHost(t *testing.T) {
	s, _ := changing()
	s.Host = "node7"
	for host, want := range map[string]int{
		"localhost:8080": http.StatusOK, "localhost": http.StatusOK, "127.0.0.1:8080": http.StatusOK,
		"[::1]:8080": http.StatusOK, "[::1]": http.StatusOK,
		"192.168.1.7": http.StatusOK, "node7:8080": http.StatusOK,
		"LOCALHOST:8080": http.StatusOK, "localhost.": http.StatusOK, "Node7.:8080": http.StatusOK,
		"": http.StatusMisdirectedRequest, "[evil]": http.StatusMisdirectedRequest,
		"evil.example": http.StatusMisdirectedRequest, "evil.example:8080": http.StatusMisdirectedRequest,
		"localhost.evil.example": http.StatusMisdirectedRequest,
		"127.0.0.1.evil.example": http.StatusMisdirectedRequest,
	} {
		for _, target := range []string{"/", "/nothing"} {
			w := get(s, target, func(r *http.Request) { r.Host = host })
			if target == "/nothing" && want == http.StatusOK {
				want = http.StatusNotFound
			}
			if w.Code != want {
				t.Errorf("%s under the name %q: %d, want %d", target, host, w.Code, want)
			}
		}
	}
	if w := get(s, "/", func(r *http.Request) { r.Method = http.MethodPost }); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestFailures(t *testing.T) {
	s, _ := changing()
	s.Write = func(*bytes.Buffer, string) error { return errors.New("the disk is gone") }
	if w := get(s, "/", nil); w.Code != http.StatusInternalServerError ||
		!strings.Contains(w.Body.String(), "the disk is gone") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// stream is a response that is read while it is written.
type stream struct {
	*httptest.ResponseRecorder
	mu sync.Mutex
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ResponseRecorder.Write(p)
}

func (s *stream) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Body.String()
}

func TestEvents(t *testing.T) {
	for name, test := range map[string]struct {
		target, last string
		first        bool // the first event comes at once
	}{
		"up to date":      {"/events?since=1", "", false},
		"behind":          {"/events?since=0", "", true},
		"coming back":     {"/events?since=0", "1", false},
		"knowing nothing": {"/events", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, version := changing()
				ctx, cancel := context.WithCancel(t.Context())
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, test.target, nil)
				r.Host = "localhost"
				if test.last != "" {
					r.Header.Set("Last-Event-ID", test.last)
				}
				w := &stream{ResponseRecorder: httptest.NewRecorder()}
				go s.Handler().ServeHTTP(w, r)
				synctest.Wait()
				if got := strings.Contains(w.text(), "event: changed\nid: 1\n"); got != test.first {
					t.Errorf("an event at once: %t, want %t: %q", got, test.first, w.text())
				}
				version.Store("2")
				time.Sleep(1500 * time.Millisecond)
				synctest.Wait()
				if n := strings.Count(w.text(), "event: changed\nid: 2\n"); n != 1 {
					t.Errorf("%d events of the change: %q", n, w.text())
				}
				time.Sleep(3 * time.Second)
				cancel()
				synctest.Wait()
				if n := strings.Count(w.text(), "event: changed"); n != 1 && !test.first || n != 2 && test.first {
					t.Errorf("%d events: %q", n, w.text())
				}
				if w.Header().Get("Content-Type") != "text/event-stream" {
					t.Errorf("%v", w.Header())
				}
			})
		})
	}
}

// TestServeEnds: a watcher is let go when the context ends, and nobody is kept waiting.
func TestServeEnds(t *testing.T) {
	s, _ := changing()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listener, s.Handler()) }()

	response, err := http.Get("http://" + listener.Addr().String() + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAtLeast(response.Body, make([]byte, 64), 10); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Errorf("the stream broke off: %v", err)
	}
}
