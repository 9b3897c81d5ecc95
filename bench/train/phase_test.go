package train

import "testing"

// TestPhaseNames: profiles tell phases apart by what they print.
func TestPhaseNames(t *testing.T) {
	seen := map[string]Phase{}
	for p := range TurnBack + 1 {
		name := p.String()
		if other, ok := seen[name]; ok || name == "" {
			t.Errorf("phase %d is called %q, as is %d", p, name, other)
		}
		seen[name] = p
	}
	if got := (TurnBack + 1).String(); got != "Phase(14)" {
		t.Errorf("a phase that there is not is called %q", got)
	}
}
