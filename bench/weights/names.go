package weights

import (
	"regexp"
	"strings"

	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// wrapperPrefixes are what stands before every name of a network within another module: DataParallel or AveragedModel,
// and torch.compile's.
var wrapperPrefixes = []string{"module.", "_orig_mod."}

// trimWrappers removes these, in any order and as often as every name has one, and with them the tensors that such a
// module has of its own: n_averaged, and what thop has counted of it.
func trimWrappers(tensors []tensor.View) []tensor.View {
	for {
		prefix := wrapperPrefix(tensors)
		if prefix == "" {
			return tensors
		}
		within := tensors[:0]
		for _, t := range tensors {
			var ok bool
			if t.Name, ok = strings.CutPrefix(t.Name, prefix); ok {
				within = append(within, t)
			}
		}
		tensors = within
	}
}

// wrapperPrefix is the one that all names have, "" if there is none.
func wrapperPrefix(tensors []tensor.View) string {
	for _, prefix := range wrapperPrefixes {
		having := 0
		for _, t := range tensors {
			if strings.HasPrefix(t.Name, prefix) {
				having++
			} else if t.Name != "n_averaged" && !isCost(t.Name) {
				having = 0
				break
			}
		}
		if having > 0 {
			return prefix
		}
	}
	return ""
}

// denseLayer matches what layers of a dense block were once called: norm.1, conv.2 and so on. PyTorch 0.4 forbade dots
// in modules' names.
var denseLayer = regexp.MustCompile(`(\bdenselayer\d+\.(?:norm|conv))\.([12]\.)`)

func renameDense(tensors []tensor.View) {
	for i := range tensors {
		tensors[i].Name = denseLayer.ReplaceAllString(tensors[i].Name, "$1$2")
	}
}

// isCounter tells batch norm's counters of training steps, which no network here has.
func isCounter(name string) bool {
	return name == "num_batches_tracked" || strings.HasSuffix(name, ".num_batches_tracked")
}

// isCost tells the costs that thop keeps in the modules of a network that it has counted.
func isCost(name string) bool {
	own := name[strings.LastIndexByte(name, '.')+1:]
	return own == "total_ops" || own == "total_params"
}

// isAuxiliary tells the second classifier that torchvision's Inception v3 has for its training only.
func isAuxiliary(name string) bool { return strings.HasPrefix(name, "AuxLogits.") }
