package results

// Quantity is one figure of a line as the report prints it; what is not known is empty.
type Quantity struct {
	Title      string // "Rank-1", "Params (M)"
	Key        string // as in CSV and JSON: "rank1", "params_m"
	Ours       string // over several seeds the mean
	Deviation  string // of ours over several seeds
	Low, High  string // ends of the 95 % interval of ours
	Published  string
	Difference string // ours less the published, with its sign
	Match      bool   // all digits of ours and the published agree
	Compared   bool   // the published tables have such a column
}

// Accuracy lists the line's accuracies: percent.
func (l *Line) Accuracy() []Quantity {
	var all []Quantity
	for _, m := range metrics {
		q := m.of(l).quantity(m.title, m.key)
		q.Compared = m.published != nil
		all = append(all, q)
	}
	return all
}

// Costs lists the line's costs of one image, counted as published: millions of params, billions of MACs.
func (l *Line) Costs() []Quantity {
	return []Quantity{
		l.params().quantity("Params (M)", "params_m"),
		l.macs().quantity("MACs (G)", "macs_g"),
	}
}

func (c comparison) quantity(title, key string) Quantity {
	q := Quantity{
		Title: title, Key: key,
		Ours: orEmpty(c.ours), Deviation: orEmpty(c.deviation), Published: orEmpty(c.published),
		Low: orEmpty(c.low), High: orEmpty(c.high), Match: c.matches(), Compared: true,
	}
	if d := c.difference(); d != nil {
		q.Difference = d.Signed()
	}
	return q
}
