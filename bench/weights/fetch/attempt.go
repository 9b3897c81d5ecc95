package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/reidbench/reidbench/results/atomicfile"
)

// mostRedirects are followed.
const mostRedirects = 10

// A download is on.
type download struct {
	Fetcher
	file    File
	address *url.URL
	partial *atomicfile.Partial
	state   state
	joined  bool // some bytes were joined to what there was
}

// attempt asks for the file, or for the rest of it, and takes what comes. An error that another attempt may mend is a
// *passingError.
func (d *download) attempt(ctx context.Context) error {
	stall := d.Stall
	if stall == 0 {
		stall = DefaultStall
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() { cancel(ErrStalled) })
	defer watch.Stop()

	request, err := d.request(ctx)
	if err != nil {
		return err
	}
	var announced string
	response, err := d.client(&announced).Do(request)
	if err != nil {
		return d.broken(ctx, stall, err)
	}
	defer response.Body.Close()
	if digest := linkedDigest(response); digest != "" {
		announced = digest
	}
	total, err := d.accept(response)
	if err != nil || total == d.partial.Size() {
		return err
	}
	if err := d.keep(response, announced); err != nil {
		return err
	}
	most := d.file.Most
	if d.file.Size > 0 {
		most = d.file.Size + d.file.Slack
	}
	d.tell(total)
	block := make([]byte, 64<<10)
	for {
		n, err := response.Body.Read(block)
		watch.Reset(stall)
		if d.partial.Size()+int64(n) > most {
			return fmt.Errorf("%w: more than %d bytes come", ErrSize, most)
		}
		if _, err := d.partial.Write(block[:n]); err != nil {
			return err
		}
		d.tell(total)
		switch {
		case errors.Is(err, io.EOF):
			return d.complete(total)
		case err != nil:
			return d.broken(ctx, stall, err)
		}
	}
}

// broken is the error for a connection that broke, or was broken off.
func (d *download) broken(ctx context.Context, stall time.Duration, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, ErrStalled) {
		return &passingError{fmt.Errorf("%w for %v, after %d bytes", ErrStalled, stall, d.partial.Size())}
	}
	var redirected *url.Error
	if errors.As(err, &redirected) {
		err = redirected.Err // the address is named already
	}
	if errors.Is(err, ErrAddress) {
		return err
	}
	return &passingError{err}
}

// complete is an error unless there are as many bytes as was said.
func (d *download) complete(total int64) error {
	if total >= 0 && d.partial.Size() != total {
		return &passingError{fmt.Errorf("%d of %d bytes came: %w", d.partial.Size(), total, io.ErrUnexpectedEOF)}
	}
	if total < 0 {
		return d.checkSize(d.partial.Size())
	}
	return nil
}

func (d *download) tell(total int64) {
	if d.file.Progress != nil {
		d.file.Progress(d.partial.Size(), total)
	}
}

// request asks for the file, or, where some of it is there and can be told to be of the same file, for the rest.
func (d *download) request(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.address.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "reidbench")
	request.Header.Set("Accept-Encoding", "identity") // the file's own bytes, which the digest is of
	validator, ok := d.resumable()
	if d.partial.Size() == 0 || !ok {
		return request, d.partial.Restart()
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.partial.Size()))
	if validator != "" {
		request.Header.Set("If-Range", validator)
	}
	return request, nil
}

// client follows redirects to where files may come from, and never from https to http. It notes the digest that one of
// the answers on the way announces.
func (d *download) client(announced *string) *http.Client {
	client := http.Client{}
	if d.Client != nil {
		client = *d.Client
	}
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if digest := linkedDigest(next.Response); digest != "" {
			*announced = digest
		}
		switch last := via[len(via)-1].URL; {
		case len(via) > mostRedirects:
			return fmt.Errorf("%w: more than %d redirects", ErrAddress, mostRedirects)
		case last.Scheme == "https" && next.URL.Scheme != "https":
			return fmt.Errorf("%w: from %s to %s", ErrAddress, last.Redacted(), next.URL.Redacted())
		}
		return CheckAddress(next.URL)
	}
	return &client
}

// linkedDigest is the SHA-256 by which Hugging Face announces the file that an answer leads to.
func linkedDigest(response *http.Response) string {
	digest := strings.Trim(response.Header.Get("X-Linked-Etag"), `"`)
	if len(digest) != 64 || strings.Trim(digest, "0123456789abcdef") != "" {
		return ""
	}
	return digest
}

// accept says of how many bytes the file is that an answer has the rest of, -1 if that is not said. If the answer is
// the whole file, what there is of it is thrown away.
func (d *download) accept(response *http.Response) (total int64, err error) {
	switch {
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		if _, length, ok := parseRange(response); ok && length == d.partial.Size() {
			return length, nil // it broke off just before it had its name
		}
		if err := d.partial.Restart(); err != nil {
			return 0, err
		}
		return 0, &passingError{&StatusError{response.StatusCode, response.Status}}
	case response.StatusCode == http.StatusPartialContent:
		start, length, ok := parseRange(response)
		if !ok || start != d.partial.Size() {
			err := fmt.Errorf("the server sends %q, not from byte %d on", response.Header.Get("Content-Range"),
				d.partial.Size())
			if err := d.partial.Restart(); err != nil {
				return 0, err
			}
			return 0, &passingError{err}
		}
		total, d.joined = length, true
	case response.StatusCode == http.StatusOK:
		if err := d.partial.Restart(); err != nil {
			return 0, err
		}
		total = response.ContentLength
	case response.StatusCode >= 500, response.StatusCode == http.StatusTooManyRequests,
		response.StatusCode == http.StatusRequestTimeout:
		return 0, &passingError{&StatusError{response.StatusCode, response.Status}}
	default:
		return 0, &StatusError{response.StatusCode, response.Status}
	}
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return 0, fmt.Errorf("the server sends the file as %s", encoding)
	}
	if total < 0 {
		return total, nil
	}
	return total, d.checkSize(total)
}

// checkSize refuses a file of another size than was expected.
func (d *download) checkSize(size int64) error {
	f := d.file
	switch {
	case f.Size > 0 && (size < f.Size-f.Slack || size > f.Size+f.Slack):
		return fmt.Errorf("%w: %d bytes, not %d", ErrSize, size, f.Size)
	case f.Size == 0 && size > f.Most:
		return fmt.Errorf("%w: %d bytes, more than the %d that a file of this network may have", ErrSize, size, f.Most)
	}
	return nil
}

// parseRange reads a Content-Range: "bytes 10-19/20", "bytes */20". A length that is not known is no good here.
func parseRange(response *http.Response) (start, length int64, ok bool) {
	text, ok := strings.CutPrefix(response.Header.Get("Content-Range"), "bytes ")
	span, size, found := strings.Cut(text, "/")
	length, err := strconv.ParseInt(size, 10, 64)
	if !ok || !found || err != nil || length < 0 {
		return 0, 0, false
	}
	if span == "*" {
		return 0, length, true
	}
	first, last, found := strings.Cut(span, "-")
	start, err = strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	return start, length, found && err == nil && err2 == nil && start >= 0 && start <= end && end < length
}
