package market1501

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// SplitInfo counts one split.
type SplitInfo struct {
	Folder      string
	Images      int      // used: parsed, neither junk nor broken
	IDs         int      // identities among them, without distractors
	Cameras     int      // cameras among them
	Junk        int      // images of pid -1, left out
	Distractors int      // images of pid 0
	Others      []Others // what else lies in the folder
	Unparsable  []string
	Broken      []BrokenImage
}

// Info counts a dataset, every image of it decoded once.
type Info struct {
	Source      string // [Dataset.Source]
	Root        string
	Layout      string
	Fingerprint string       // [Dataset.Fingerprint]; the size of a file that is not there is -1
	Queries     int          // by their names, whether broken or not
	Matched     int          // queries with a match in the gallery
	Splits      [3]SplitInfo // train, query, gallery
	Overlap     Overlap      // of query and gallery with the training images
}

// Info checks every image by decoding it, workers at once (0: one per CPU). What a list
// names and is not there is broken.
// progress, which may be nil, is told of every image, one call at a time.
func (d *Dataset) Info(ctx context.Context, workers int, progress func(done, total int)) (*Info, error) {
	fingerprint, err := d.fingerprint(ctx, func(file string) (int64, error) {
		size, err := fileSize(file)
		if isAbsent(err) {
			return -1, nil
		}
		return size, err
	})
	if err != nil {
		return nil, err
	}
	info := &Info{
		Source: d.Source, Root: d.Root, Layout: d.Layout, Fingerprint: fingerprint,
		Queries: len(d.Query.Entries), Matched: d.Matched(),
	}
	var digests [3][]fileDigest
	before, total := 0, len(d.Train.Entries)+len(d.Query.Entries)+len(d.Gallery.Entries)
	for i, s := range d.Splits() {
		var report func(done, _ int)
		if progress != nil {
			report = func(done, _ int) { progress(before+done, total) }
		}
		var failures []error
		if digests[i], failures, err = s.check(ctx, workers, report); err != nil {
			return nil, fmt.Errorf("check %s: %w", s.Folder, err)
		}
		info.Splits[i] = s.count(failures)
		before += len(s.Entries)
	}
	info.Overlap = Overlap{
		Query:   d.Query.among(digests[1], digests[0]).paths(),
		Gallery: d.Gallery.among(digests[2], digests[0]).paths(),
	}
	return info, nil
}

// check decodes every image, and returns the digest of its file, or what is wrong with it.
func (s *Split) check(ctx context.Context, workers int, progress func(done, total int)) (
	digests []fileDigest, failures []error, err error) {
	digests = make([]fileDigest, len(s.Entries))
	failures, err = s.eachFile(ctx, workers, progress, func(ctx context.Context, _, i int, file string) error {
		content, err := readFile(file)
		if isAbsent(err) {
			return fmt.Errorf("%w: there is no such file", ErrImage)
		}
		if err == nil {
			_, err = decode(ctx, content)
		}
		if err == nil {
			digests[i] = sha256.Sum256(content)
		}
		return err
	})
	return digests, failures, err
}

// isAbsent reports whether an error says that there is no file of that name.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// OtherFiles is [Split.OtherFiles].
func (s SplitInfo) OtherFiles() int { return countOthers(s.Others) }

func (s *Split) count(failures []error) SplitInfo {
	info := SplitInfo{
		Folder:      s.Folder,
		Junk:        s.Junk,
		Distractors: s.Distractors,
		Others:      s.Others,
		Unparsable:  s.Unparsable,
	}
	ids, cameras := map[int32]bool{}, map[int32]bool{}
	for i, e := range s.Entries {
		if failures[i] != nil {
			info.Broken = append(info.Broken, BrokenImage{Path: e.Path, Err: failures[i]})
			continue
		}
		info.Images++
		cameras[e.CamID] = true
		if e.PID != DistractorPID || s.Distractors == 0 {
			ids[e.PID] = true
		}
	}
	info.IDs, info.Cameras = len(ids), len(cameras)
	return info
}
