package statistics

// Identities are the figures of queries, summed by identity.
type Identities struct {
	queries []float64   // of each identity, [G]
	sums    [][]float64 // of each figure over an identity's queries, [F][G]
}

// ByIdentity sums figures, each of which has a value for every query, by the query's pid. Identities are numbered as
// they first come up.
func ByIdentity(pids []int32, figures ...[]float64) Identities {
	at := make(map[int32]int)
	var ids Identities
	for _, pid := range pids {
		g, ok := at[pid]
		if !ok {
			g = len(ids.queries)
			at[pid], ids.queries = g, append(ids.queries, 0)
		}
		ids.queries[g]++
	}
	for _, values := range figures {
		sums := make([]float64, len(ids.queries))
		for q, v := range values {
			sums[at[pids[q]]] += v
		}
		ids.sums = append(ids.sums, sums)
	}
	return ids
}

// Len is the number of identities.
func (ids Identities) Len() int { return len(ids.queries) }

// Sums are those of a figure, one per identity. They are not a copy.
func (ids Identities) Sums(figure int) []float64 { return ids.sums[figure] }

// Mean is that of a figure over all queries.
func (ids Identities) Mean(figure int) float64 { return total(ids.sums[figure]) / total(ids.queries) }

func total(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum
}
