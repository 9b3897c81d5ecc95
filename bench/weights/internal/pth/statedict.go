package pth

import (
	"fmt"
	"slices"

	"github.com/reidbench/reidbench/bench/weights/internal/pickle"
)

// wrappers are the keys under which training scripts keep a state dict, in the order of preference: averaged weights
// first, as timm.models.load_state_dict does, since those are the ones whose accuracy is published.
var wrappers = []string{
	"state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model", "net", "network", "params",
}

// stateDict sees through up to three wrappers. A dictionary is the state dict if none of the wrappers' keys holds
// another dictionary in it: a module's own state is flat.
func stateDict(root any) (state *pickle.Dict, wrapper string, err error) {
	state, ok := root.(*pickle.Dict)
	if isInert(root) {
		return nil, "", fmt.Errorf("holds a %s, which is not read, instead of a dict of tensors: "+
			"save a module's state_dict(): %w", root, pickle.ErrRefused)
	}
	if !ok {
		return nil, "", fmt.Errorf("holds a %s instead of a dict of tensors", pickle.TypeName(root))
	}
	for range 3 {
		inner, key, err := unwrap(state)
		if err != nil {
			return nil, "", err
		}
		if inner == nil {
			break
		}
		if wrapper != "" {
			wrapper += "."
		}
		state, wrapper = inner, wrapper+key
	}
	keys := state.Keys()
	if !slices.ContainsFunc(keys, func(key any) bool { v, _ := state.Get(key); return isTensor(v) }) {
		return nil, "", fmt.Errorf("no tensor among the %d keys %.200v", len(keys), fmt.Sprint(keys))
	}
	return state, wrapper, nil
}

// unwrap returns the dictionary under the first of the wrappers' keys that has one. What is inert under a key before
// that is an error: the weights that are to be preferred may be in it.
func unwrap(d *pickle.Dict) (inner *pickle.Dict, key string, err error) {
	for _, key := range wrappers {
		switch v, _ := d.Get(key); v := v.(type) {
		case *pickle.Dict:
			return v, key, nil
		case pickle.Inert:
			return nil, "", fmt.Errorf("holds a %s, which is not read, under the key %q instead of a dict of tensors: "+
				"save a module's state_dict(): %w", v, key, pickle.ErrRefused)
		}
	}
	return nil, "", nil
}

func isTensor(v any) bool {
	t, ok := v.(*stored)
	return ok && t.storage != nil
}
