package fetch

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// A silence is a server that never says anything, but for the parts that it has.
type silence struct{ parts [][]byte }

func (s *silence) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(s.parts) == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	part := s.parts[0]
	s.parts = s.parts[1:]
	response := &http.Response{
		StatusCode: http.StatusOK, ContentLength: int64(len(content)), Header: http.Header{"Etag": {`"a"`}},
		Body: io.NopCloser(io.MultiReader(bytes.NewReader(part), untilDone{r})),
	}
	if r.Header.Get("Range") == upper {
		response.StatusCode = http.StatusPartialContent
		response.Header.Set("Content-Range", "bytes 524288-1048575/1048576")
		response.Body = io.NopCloser(bytes.NewReader(part))
	}
	return response, nil
}

// untilDone brings nothing until a request is given up.
type untilDone struct{ *http.Request }

func (r untilDone) Read([]byte) (int, error) {
	<-r.Context().Done()
	return 0, r.Context().Err()
}

// TestStalls: a server that falls silent is asked again for the rest, and given up in the end.
func TestStalls(t *testing.T) {
	const givenUp = DefaultTries*DefaultStall + (1+2+4+8)*time.Second
	middle := len(content) / 2
	for _, test := range []struct {
		name  string
		parts [][]byte
		err   error
		lasts time.Duration
	}{
		{"and comes back", [][]byte{content[:middle], content[middle:]}, nil, DefaultStall + 1*time.Second},
		{"from the first", nil, ErrStalled, givenUp},
		{"from the middle on", [][]byte{content[:middle]}, ErrStalled, givenUp},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				file := File{
					URL: "https://host.invalid/net.pth", Path: filepath.Join(t.TempDir(), "net.pth"), Most: 1 << 24,
					SHA256: digestOf(content),
				}
				begin := time.Now()
				_, err := Fetcher{Client: &http.Client{Transport: &silence{test.parts}}}.Fetch(t.Context(), file)
				if !errors.Is(err, test.err) {
					t.Errorf("got %v, want %v", err, test.err)
				}
				if took := time.Since(begin); took != test.lasts {
					t.Errorf("it took %v, want %v", took, test.lasts)
				}
			})
		})
	}
}

// slowly brings a file in parts, each after nearly as long as nothing may come.
type slowly struct {
	parts   [][]byte
	request *http.Request
}

func (s *slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	s.request = r
	return &http.Response{
		StatusCode: http.StatusOK, ContentLength: int64(len(content)), Header: http.Header{}, Body: io.NopCloser(s),
	}, nil
}

func (s *slowly) Read(p []byte) (int, error) {
	if len(s.parts) == 0 {
		return 0, io.EOF
	}
	time.Sleep(DefaultStall - time.Second)
	if err := s.request.Context().Err(); err != nil {
		return 0, err
	}
	n := copy(p, s.parts[0])
	if s.parts[0] = s.parts[0][n:]; len(s.parts[0]) == 0 {
		s.parts = s.parts[1:]
	}
	return n, nil
}

// TestSlow: a server may be slow for as long as something comes.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := File{
			URL: "https://host.invalid/net.pth", Path: filepath.Join(t.TempDir(), "net.pth"), Most: 1 << 24,
			SHA256: digestOf(content),
		}
		f := Fetcher{Client: &http.Client{Transport: &slowly{parts: [][]byte{content[:100], content[100:]}}}, Tries: 1}
		if _, err := f.Fetch(t.Context(), file); err != nil {
			t.Error(err)
		}
	})
}
