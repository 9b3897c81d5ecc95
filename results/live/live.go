// Package live serves a page that changes while it is looked at: the report of runs under way.
package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Site is a page and where it comes from.
type Site struct {
	// Version changes whenever Write would write something else. It is asked often, and has to be cheap.
	Version func() (string, error)
	// Write makes the page of a version.
	Write func(w *bytes.Buffer, version string) error
	// Host is a name that the page may be asked for under, besides localhost and addresses; "" is none.
	Host string
	// Interval is how often Version is asked while somebody watches.
	Interval time.Duration

	mu      sync.Mutex
	version string // of page
	page    []byte
}

// Handler answers for
//
//	/         the page
//	/events   server-sent events: "changed", with the version as its ID, whenever the page has changed. The query
//	          ?since=VERSION, or the header Last-Event-ID, says which version is known already
//
// It refuses requests under a foreign name, which is how a page elsewhere would reach a local server through a name
// that changes its address (DNS rebinding).
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /events", s.serveEvents)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Security-Policy", "frame-ancestors 'none'")
		if !s.allows(r.Host) {
			http.Error(w, "this server does not answer under that name", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// allows reports whether a request's Host is one that no foreign page can have brought about.
func (s *Site) allows(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	if plain := strings.TrimSuffix(name, "."); strings.EqualFold(plain, "localhost") ||
		s.Host != "" && strings.EqualFold(plain, strings.TrimSuffix(s.Host, ".")) {
		return true
	}
	if len(name) > 1 && name[0] == '[' && name[len(name)-1] == ']' {
		name = name[1 : len(name)-1]
	}
	_, err := netip.ParseAddr(name)
	return err == nil
}

func (s *Site) servePage(w http.ResponseWriter, _ *http.Request) {
	page, err := s.current()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page) // who has gone misses nothing
}

// current is the page as of now. It is made once per version.
func (s *Site) current() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	version, err := s.Version()
	if err != nil {
		return nil, err
	}
	if s.page != nil && version == s.version {
		return s.page, nil
	}
	var page bytes.Buffer
	if err := s.Write(&page, version); err != nil {
		return nil, err
	}
	s.version, s.page = version, page.Bytes()
	return s.page, nil
}

// patience is how long a watcher may take to read an event.
const patience = 10 * time.Second

func (s *Site) serveEvents(w http.ResponseWriter, r *http.Request) {
	known := r.Header.Get("Last-Event-ID")
	if known == "" {
		known = r.URL.Query().Get("since")
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	send := func(format string, args ...any) error {
		if err := out.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return err
		}
		return out.Flush()
	}
	if send("retry: %d\n\n", s.Interval.Milliseconds()) != nil {
		return
	}
	tick := time.NewTicker(s.Interval)
	defer tick.Stop()
	for {
		event := ": still here\n\n" // keeps the connection, and finds out whether it is one
		if version, err := s.Version(); err == nil && version != known {
			known = version
			event = fmt.Sprintf("event: changed\nid: %s\ndata:\n\n", version)
		}
		if send("%s", event) != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// Serve answers requests from listener until ctx ends, and then lets those under way finish for a moment.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	watching, stop := context.WithCancel(context.Background())
	defer stop()
	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return watching },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second, // events extend theirs
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	stop() // events end
	grace, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
