package bench

import (
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

// imagesSeen is, for records, what was decoded to train on and to judge by; either is nil where nothing was.
func imagesSeen(trained, judged *market1501.Decoded, overlap market1501.Overlap) *results.Images {
	seen := &results.Images{}
	for _, part := range []struct {
		decoded *market1501.Decoded
		digest  *string
	}{{trained, &seen.Trained}, {judged, &seen.Judged}} {
		if part.decoded != nil {
			seen.Height, seen.Width = part.decoded.Height, part.decoded.Width
			*part.digest = part.decoded.Digest()
			seen.Splits = append(seen.Splits, splitsSeen(part.decoded)...)
		}
	}
	for i := range seen.Splits {
		seen.Splits[i].Trained = overlap.In(seen.Splits[i].Folder)
	}
	return seen
}

func splitsSeen(d *market1501.Decoded) []results.SplitSeen {
	var all []results.SplitSeen
	for _, s := range d.Splits {
		all = append(all, results.SplitSeen{
			Folder: s.Folder, Used: s.Used, LeftOut: len(s.LeftOut), Reasons: s.Reasons(),
		})
	}
	return all
}
