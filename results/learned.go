package results

import "strconv"

// leastPowered is the least loss printed as a power of ten: that of an untrained network whose activations grow.
const leastPowered = 1e5

// LossText is a loss as it is printed.
func LossText(loss float64) string {
	if loss >= leastPowered {
		return strconv.FormatFloat(loss, 'e', 1, 64)
	}
	return strconv.FormatFloat(loss, 'f', 2, 64)
}

// Loss is the mean of the first and of the last losses of the line's runs that are done; nil: not known of all.
func (l *Line) Loss() *LossRange {
	var first, last []float64
	for _, r := range l.done() {
		if r.Loss == nil {
			return nil
		}
		first, last = append(first, r.Loss.First), append(last, r.Loss.Last)
	}
	if len(first) == 0 {
		return nil
	}
	return &LossRange{mean(first), mean(last)}
}

// InitialMAP is the mean of the mAPs before training, in percent, as it is printed; "": not known of all runs that are
// done.
func (l *Line) InitialMAP() string { return orEmpty(l.initialMAP()) }

// initialMAP is InitialMAP as a number; nil: not known.
func (l *Line) initialMAP() *decimal {
	var all []float64
	for _, r := range l.done() {
		if r.Initial == nil {
			return nil
		}
		all = append(all, r.Initial.MAP)
	}
	if len(all) == 0 {
		return nil
	}
	d := percent(mean(all))
	return &d
}
