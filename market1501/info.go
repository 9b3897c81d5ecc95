package market1501

import (
	"context"
	"fmt"
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
	Root        string
	Layout      string
	Fingerprint string
	Queries     int          // by their names, whether broken or not
	Matched     int          // queries with a match in the gallery
	Splits      [3]SplitInfo // train, query, gallery
	Overlap     Overlap      // of query and gallery with the training images
}

// Info checks every image by decoding it, workers at once (0: one per CPU).
// progress, which may be nil, is told of every image, one call at a time.
func (d *Dataset) Info(ctx context.Context, workers int, progress func(done, total int)) (*Info, error) {
	fingerprint, err := d.Fingerprint(ctx)
	if err != nil {
		return nil, err
	}
	info := &Info{
		Root: d.Root, Layout: d.Layout, Fingerprint: fingerprint, Queries: len(d.Query.Entries), Matched: d.Matched(),
	}
	before, total := 0, len(d.Train.Entries)+len(d.Query.Entries)+len(d.Gallery.Entries)
	for i, s := range d.Splits() {
		var report func(done, _ int)
		if progress != nil {
			report = func(done, _ int) { progress(before+done, total) }
		}
		failures, err := s.eachImage(ctx, workers, report, func(int, int, bitmap) {})
		if err != nil {
			return nil, fmt.Errorf("check %s: %w", s.Folder, err)
		}
		info.Splits[i] = s.count(failures)
		before += len(s.Entries)
	}
	info.Overlap, err = d.Overlap(ctx, workers)
	return info, err
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
