package weights

import (
	"slices"
	"strings"
)

// classifierNote is why an archive's classifier is of no use to the network, "" if it is of use. It was trained for
// other classes if a tensor of it has another shape; whoever publishes embeddings leaves all of it or its bias out.
func classifierNote(a *Archive, n Network) string {
	var odd []string
	absent, wanted := 0, 0
	for _, name := range n.Classifier {
		if !slices.Contains(n.Names, name) {
			continue
		}
		wanted++
		if v, ok := a.find(name); !ok {
			absent++
			odd = append(odd, name+" (not in the file)")
		} else if !sameShape(v.Shape, n.Shape(name)) {
			odd = append(odd, describe(v, n.Shape(name)))
		}
	}
	if wanted > 0 && absent == wanted {
		return "no classifier in the file"
	}
	if len(odd) > 0 {
		return "classifier left out: " + strings.Join(odd, ", ")
	}
	return ""
}

// lacksNeck reports whether the network has a batch norm before its classifier and the archive has nothing of it.
func lacksNeck(a *Archive, n Network) bool {
	return len(n.Neck) > 0 && !slices.ContainsFunc(n.Neck, a.Has)
}

// isBiasOf reports whether a tensor is the bias of a classifier that has the weight alone.
func isBiasOf(classifier []string, name string) bool {
	module, ok := strings.CutSuffix(name, ".bias")
	return ok && len(classifier) == 1 && classifier[0] == module+".weight"
}
