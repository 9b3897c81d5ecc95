// Package fetch downloads files over HTTP: whole and checked, or not at all. What an interruption leaves is gone on
// with, as far as the server says that it still has the same file (RFC 9110, section 14: ranges; 13.1.5: If-Range).
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	_ "golang.org/x/crypto/x509roots/fallback" // for a container of nothing but the program

	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

// What can be wrong with a file, or with how it comes.
var (
	ErrDigest  = errors.New("another digest")
	ErrSize    = errors.New("another size")
	ErrStalled = errors.New("nothing came any more")
	ErrAddress = errors.New("not an address that files are fetched from")
)

// A StatusError is an answer that is no file.
type StatusError struct {
	Code   int
	Status string // as the server says it: "404 Not Found"
}

func (e *StatusError) Error() string { return "the server answers " + e.Status }

// A Fetcher says how files are fetched. The zero value is of use.
type Fetcher struct {
	Client *http.Client  // nil: one that asks the environment for proxies
	Mirror *url.URL      // takes the place of scheme and host, and comes before the path; nil: none
	Stall  time.Duration // for so long nothing may come; 0: DefaultStall
	Tries  int           // in a row that brought nothing; 0: DefaultTries
	// Pause waits before the nth of them, from 1 on; nil: seconds, twice as many each time.
	Pause func(ctx context.Context, n int) error
}

// What a Fetcher's zeros mean.
const (
	DefaultStall = 30 * time.Second
	DefaultTries = 5
)

// A File is one to be fetched.
type File struct {
	URL    string
	Path   string // where it goes
	SHA256 string // in hex, all of the digest or how it begins; "": not known
	Size   int64  // in bytes; 0: not known
	Slack  int64  // that the size may differ by
	Most   int64  // bytes that are taken where the size is not known

	// Check looks into a file that has all its bytes, under whatever name; nil: it is not looked into.
	Check func(path string) error
	// Progress is told how many bytes there are, and of how many, -1 for not known; nil: nobody is told.
	Progress func(done, total int64)
}

// Fetched is what has come of it.
type Fetched struct {
	Bytes  int64
	SHA256 string // in hex
	There  bool   // before, so that nothing was fetched
	// Verified says by what the digest is known to be right: "name" for what was asked for, "server" for what that
	// announced; "" for nothing.
	Verified string
}

// Fetch makes sure that the file is there. A file of the name with another digest, or that fails its check, is fetched
// anew. The error says what is wrong with which file; it wraps the context's where that ended, and then, as after all
// that another try may mend, the next call goes on from where this one came to.
func (f Fetcher) Fetch(ctx context.Context, file File) (Fetched, error) {
	address, err := f.address(file.URL)
	if err != nil {
		return Fetched{}, err
	}
	if there, ok, err := file.there(); ok || err != nil {
		return there, err
	}
	fetched, err := f.download(ctx, address, file)
	if err != nil {
		return Fetched{}, fmt.Errorf("fetch %s: %w", address.Redacted(), err)
	}
	return fetched, nil
}

// address is where the file is fetched from.
func (f Fetcher) address(text string) (*url.URL, error) {
	address, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	if m := f.Mirror; m != nil {
		address.Scheme, address.Host, address.User = m.Scheme, m.Host, m.User
		address.Path, address.RawPath = strings.TrimSuffix(m.Path, "/")+address.Path, ""
	}
	return address, CheckAddress(address)
}

// CheckAddress refuses what is neither http nor https.
func CheckAddress(address *url.URL) error {
	if address.Scheme != "https" && address.Scheme != "http" || address.Host == "" {
		return fmt.Errorf("%w: %s", ErrAddress, address.Redacted())
	}
	return nil
}

// there reports whether the file is there already.
func (file File) there() (Fetched, bool, error) {
	switch err := regular.Check(file.Path); {
	case errors.Is(err, fs.ErrNotExist):
		return Fetched{}, false, nil
	case err != nil:
		return Fetched{}, false, err
	}
	fetched, err := file.examine(file.Path, "")
	if errors.Is(err, errWrong) {
		return Fetched{}, false, nil
	}
	fetched.There = true
	return fetched, err == nil, err
}

// errWrong is wrapped by errors about what a file holds.
var errWrong = errors.New("not what it should be")

// examine looks at a file that has all its bytes. The digest that a server announced may be "".
func (file File) examine(path, announced string) (Fetched, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Fetched{}, err
	}
	fetched := Fetched{Bytes: info.Size()}
	if fetched.SHA256, err = regular.SHA256(path); err != nil {
		return Fetched{}, err
	}
	for _, known := range []struct{ by, digest string }{{"server", announced}, {"name", file.SHA256}} {
		if known.digest == "" {
			continue
		}
		if !strings.HasPrefix(fetched.SHA256, strings.ToLower(known.digest)) {
			return fetched, wrong(fmt.Errorf("%w: SHA-256 begins with %s, not with %s: not the file that was asked for",
				ErrDigest, fetched.SHA256[:min(16, len(known.digest))], known.digest[:min(16, len(known.digest))]))
		}
		fetched.Verified = known.by
	}
	if file.Check != nil {
		if err := file.Check(path); err != nil {
			return fetched, wrong(err)
		}
	}
	return fetched, nil
}

// wrong marks an error as one about what a file holds.
func wrong(err error) error { return &wrongError{err} }

type wrongError struct{ error }

func (e *wrongError) Unwrap() []error { return []error{e.error, errWrong} }

// download tries until the file is there.
func (f Fetcher) download(ctx context.Context, address *url.URL, file File) (Fetched, error) {
	partial, err := atomicfile.OpenPartial(file.Path)
	if err != nil {
		return Fetched{}, err
	}
	d := &download{Fetcher: f, file: file, address: address, partial: partial}
	d.remember()
	fetched, err := d.untilRight(ctx)
	if err == nil {
		if err := partial.Finish(); err != nil {
			return Fetched{}, err
		}
		return fetched, d.forget()
	}
	if partial.Size() == 0 || errors.Is(err, errWrong) || errors.Is(err, ErrSize) {
		return Fetched{}, errors.Join(err, partial.Discard(), d.forget())
	}
	partial.Close() // the first error is the one that matters
	return Fetched{}, err
}

// untilRight gets all bytes, and if some of them were joined to what there was, which is wrong then, gets all anew.
func (d *download) untilRight(ctx context.Context) (Fetched, error) {
	for {
		if err := d.untilWhole(ctx); err != nil {
			return Fetched{}, err
		}
		fetched, err := d.file.examine(atomicfile.PartialPath(d.file.Path), d.state.Announced)
		if !errors.Is(err, errWrong) || !d.joined {
			return fetched, err
		}
		d.joined = false
		if err := d.partial.Restart(); err != nil {
			return Fetched{}, err
		}
	}
}

// untilWhole tries until all bytes have come, or the tries that brought nothing are too many.
func (d *download) untilWhole(ctx context.Context) error {
	for vain := 0; ; {
		before := d.partial.Size()
		err := d.attempt(ctx)
		var brief *passingError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.As(err, &brief):
			return err
		}
		if vain++; d.partial.Size() > before {
			vain = 1
		}
		if vain >= d.tries() {
			return err
		}
		if err := d.pause(ctx, vain); err != nil {
			return err
		}
	}
}

func (f Fetcher) tries() int {
	if f.Tries == 0 {
		return DefaultTries
	}
	return f.Tries
}

func (f Fetcher) pause(ctx context.Context, n int) error {
	if f.Pause != nil {
		return f.Pause(ctx, n)
	}
	select {
	case <-time.After(time.Second << (n - 1)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A passingError may not come up again.
type passingError struct{ error }

func (e *passingError) Unwrap() error { return e.error }
