package results

import (
	"errors"
	"fmt"
	"strings"

	"github.com/reidbench/reidbench/results/grammar"
)

// Images is what a run saw of its dataset: the images as they decoded when it read them. Two runs on a dataset of one
// fingerprint have seen the same if these are the same.
type Images struct {
	Height  int         `json:"height"` // pixels, after resizing
	Width   int         `json:"width"`
	Trained string      `json:"trained,omitempty"` // SHA-256 of the training images: names, labels, pixels
	Judged  string      `json:"judged,omitempty"`  // of query and gallery; "" before the first evaluation
	Splits  []SplitSeen `json:"splits,omitempty"`
}

// SplitSeen is what became of the images of one split.
type SplitSeen struct {
	Folder  string `json:"folder"`
	Used    int    `json:"used"`
	LeftOut int    `json:"left_out,omitempty"` // because they cannot be decoded
	Reasons string `json:"reasons,omitempty"`  // the first few of them, and what is wrong with each
	Trained int    `json:"trained,omitempty"`  // of query or gallery: are training images as well
	// Unparsable counts images that were left out because their names do not parse; Unread says what other files lie
	// among the images, by ending.
	Unparsable int    `json:"unparsable,omitempty"`
	Unread     string `json:"unread,omitempty"`
}

// Teacher is what a distilled run learned from.
type Teacher struct {
	Model  string `json:"model"`
	Recipe Recipe `json:"recipe"`
	SHA256 string `json:"sha256"` // of its weights
}

func (m Images) validate() error {
	for _, s := range m.Splits {
		if min(s.Used, s.LeftOut, s.Trained, s.Unparsable) < 0 ||
			max(s.Used, s.LeftOut, s.Trained, s.Unparsable) > maxCount {
			return fmt.Errorf("images of %s: %d used, %d left out, %d trained on, %d unparsable",
				s.Folder, s.Used, s.LeftOut, s.Trained, s.Unparsable)
		}
	}
	if m.Height < 0 || m.Width < 0 {
		return errors.New("images of a negative size")
	}
	return nil
}

// leftOut says how many images were left out of which splits; "" if none, or if it is not known.
func (r *Record) leftOut() string {
	return r.splits(func(s SplitSeen) string {
		if s.LeftOut == 0 {
			return ""
		}
		return fmt.Sprintf("%d of %s of %s, which cannot be decoded: %s",
			s.LeftOut, grammar.Count(s.Used+s.LeftOut, "image", "images"), s.Folder, s.Reasons)
	})
}

// misnamed says how many images were left out of which splits because of their names; "" as of leftOut.
func (r *Record) misnamed() string {
	return r.splits(func(s SplitSeen) string {
		if s.Unparsable == 0 {
			return ""
		}
		return fmt.Sprintf("%s of %s, whose %s not parse", grammar.Count(s.Unparsable, "image", "images"), s.Folder,
			grammar.Choose(s.Unparsable, "name does", "names do"))
	})
}

// unread says which other files lay among the images of which splits; "" as of leftOut.
func (r *Record) unread() string {
	return r.splits(func(s SplitSeen) string { return s.Unread })
}

// leaked says how many of the images that it was judged by the run was trained on as well; "" as of leftOut.
func (r *Record) leaked() string {
	return r.splits(func(s SplitSeen) string {
		if s.Trained == 0 {
			return ""
		}
		return fmt.Sprintf("%s of %s %s as well", grammar.Count(s.Trained, "image", "images"), s.Folder,
			grammar.Choose(s.Trained, "is a training image", "are training images"))
	})
}

func (r *Record) splits(of func(SplitSeen) string) string {
	if r.Images == nil {
		return ""
	}
	var all []string
	for _, s := range r.Images.Splits {
		if text := of(s); text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

// taught names the teacher, its weights and, unless it is the run's own, its recipe; "" if there was none.
func (r *Record) taught() string {
	t := r.Teacher
	if t == nil {
		return ""
	}
	text := fmt.Sprintf("%s, weights with the SHA-256 %.8s…", t.Model, t.SHA256)
	if recipe := t.Recipe.String(); recipe != r.Recipe.String() {
		text += ", trained under another recipe, " + recipe
	}
	return text
}
