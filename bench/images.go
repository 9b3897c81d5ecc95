package bench

import (
	"fmt"

	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/grammar"
)

// imagesSeen is, for records, what was decoded to train on and to judge by, either nil where nothing was, and what lay
// beside that in the dataset.
func imagesSeen(
	data *dataset, trained, judged *market1501.Decoded, overlap market1501.Overlap,
) *results.Images {
	seen := &results.Images{}
	for _, part := range []struct {
		decoded *market1501.Decoded
		digest  *string
	}{{trained, &seen.Trained}, {judged, &seen.Judged}} {
		if part.decoded != nil {
			seen.Height, seen.Width = part.decoded.Height, part.decoded.Width
			*part.digest = part.decoded.Digest()
			for _, s := range part.decoded.Splits {
				seen.Splits = append(seen.Splits, data.splitSeen(s, overlap))
			}
		}
	}
	return seen
}

func (d *dataset) splitSeen(decoded market1501.DecodedSplit, overlap market1501.Overlap) results.SplitSeen {
	seen := results.SplitSeen{
		Folder: decoded.Folder, Used: decoded.Used, LeftOut: len(decoded.LeftOut), Reasons: decoded.Reasons(),
	}
	switch seen.Folder {
	case d.Query.Folder:
		seen.Trained = len(overlap.Query)
	case d.Gallery.Folder:
		seen.Trained = len(overlap.Gallery)
	}
	for _, s := range d.Splits() {
		if s.Folder == seen.Folder {
			seen.Unparsable, seen.Unread = len(s.Unparsable), s.Unread()
		}
	}
	return seen
}

// matches says how many queries count.
func (d *dataset) matches() string {
	return fmt.Sprintf("%d of %s %s a match in the gallery", d.matched,
		grammar.Count(len(d.Query.Entries), "query", "queries"), grammar.Choose(d.matched, "has", "have"))
}
