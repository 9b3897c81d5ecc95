package results

import "testing"

func TestLossText(t *testing.T) {
	for loss, want := range map[float64]string{
		0: "0.00", 3.184: "3.18", 23.32: "23.32", 99999.994: "99999.99", 1e5: "1.0e+05", 57818454.25: "5.8e+07",
	} {
		if got := LossText(loss); got != want {
			t.Errorf("%v is printed as %s, want %s", loss, got, want)
		}
	}
}
