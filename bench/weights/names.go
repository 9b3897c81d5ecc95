package weights

import (
	"regexp"
	"strings"

	"github.com/reidbench/reidbench/bench/weights/internal/tensor"
)

// trimModule removes what DataParallel puts before every name, as often as every name has it.
func trimModule(tensors []tensor.View) {
	const prefix = "module."
	for len(tensors) > 0 {
		for _, t := range tensors {
			if !strings.HasPrefix(t.Name, prefix) {
				return
			}
		}
		for i := range tensors {
			tensors[i].Name = tensors[i].Name[len(prefix):]
		}
	}
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
