package market1501

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// Sampler says which images make up the batches of an epoch of training.
type Sampler int

// The zero value is the published setting.
const (
	Shuffled   Sampler = iota // all images, in an order of the epoch's
	Identities                // ImagesOfIdentity images of each of some people, as many as a batch has room for
)

// ImagesOfIdentity is how many images of one person a batch of [Identities] has.
const ImagesOfIdentity = 4

var samplerNames = [...]string{Shuffled: "shuffled", Identities: "pk"}

func (s Sampler) String() string {
	if s < 0 || int(s) >= len(samplerNames) {
		return fmt.Sprintf("Sampler(%d)", int(s))
	}
	return samplerNames[s]
}

// MarshalText is [Sampler.String].
func (s Sampler) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of [Sampler.String].
func (s *Sampler) UnmarshalText(text []byte) error {
	i := slices.Index(samplerNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("there is no sampler %q, only shuffled and pk", text)
	}
	*s = Sampler(i)
	return nil
}

// Batches is the number of batches of size images in an epoch over entries. The last one of [Shuffled] may be smaller;
// it is dropped only if it would be a single image, from which batch norm has no statistics. Those of [Identities] are
// whole: as many as there can be if every person is in as many of them as they have ImagesOfIdentity images, and in
// one at least. That there are none means that a batch has room for more people than there are.
func (s Sampler) Batches(entries []Entry, size int) int {
	if s == Shuffled {
		return (len(entries) + size - 2) / size
	}
	return mostBatches(groupsOf(membersOf(entries)), size/ImagesOfIdentity)
}

// membersOf lists the images of every class.
func membersOf(entries []Entry) [][]int32 {
	var members [][]int32
	for i, e := range entries {
		if more := int(e.Label) + 1 - len(members); more > 0 {
			members = append(members, make([][]int32, more)...)
		}
		members[e.Label] = append(members[e.Label], int32(i))
	}
	return slices.DeleteFunc(members, func(m []int32) bool { return len(m) == 0 }) // of broken images
}

// groupsOf is the number of batches that each class has images for, one at least.
func groupsOf(members [][]int32) []int {
	groups := make([]int, len(members))
	for i, m := range members {
		groups[i] = max(len(m)/ImagesOfIdentity, 1)
	}
	return groups
}

// mostBatches is the largest number of batches of people, each of whom is in a batch once, and in groups at most.
func mostBatches(groups []int, people int) int {
	batches := 0
	for people > 0 {
		places := 0
		for _, g := range groups {
			places += min(g, batches+1)
		}
		if places < people*(batches+1) {
			break
		}
		batches++
	}
	return batches
}

// identitySampler draws the epochs of [Identities] (P×K sampling: Hermans et al. 2017, "In Defense of the Triplet Loss
// for Person Re-Identification", §2).
type identitySampler struct {
	members [][]int32 // images by class
	groups  []int     // batches that each class is in
	people  int       // of a batch
	batches int

	// Of the epoch that is being drawn.
	images  []int32 // of a class, shuffled
	classes []int32 // in the order in which they choose their batches
	columns []int32 // batches, in the order in which they get their next person
}

// newIdentitySampler refuses batches that hold no two people, or more people than there are.
func newIdentitySampler(entries []Entry, size int) (*identitySampler, error) {
	if size%ImagesOfIdentity != 0 || size < 2*ImagesOfIdentity {
		return nil, fmt.Errorf("a batch of %d images is not some of at least two people, %d of each",
			size, ImagesOfIdentity)
	}
	s := &identitySampler{members: membersOf(entries), people: size / ImagesOfIdentity}
	s.groups = groupsOf(s.members)
	if s.batches = mostBatches(s.groups, s.people); s.batches == 0 {
		return nil, fmt.Errorf("a batch of %d images has room for %d people, and there are %d",
			size, s.people, len(s.members))
	}
	most := 0
	for i, m := range s.members {
		s.groups[i] = min(s.groups[i], s.batches)
		most = max(most, len(m))
	}
	s.images = make([]int32, 0, most)
	s.classes, s.columns = make([]int32, len(s.members)), make([]int32, s.batches)
	return s, nil
}

// draw fills order, [batches, people, ImagesOfIdentity], with the images of an epoch. People choose batches one after
// the other, each among those that have the fewest people, so that all of them end up full.
func (s *identitySampler) draw(order []int32, random *rand.PCG) {
	permute(s.classes, random)
	permute(s.columns, random)
	at, row := 0, 0 // of the next place: in the row-th of all batches' places, the column at
	for _, class := range s.classes {
		members, groups := s.members[class], s.groups[class]
		s.images = append(s.images[:0], members...)
		mingle(s.images, random)
		for group := range groups {
			if at == len(s.columns) {
				if row++; row == s.people {
					return
				}
				// Those that the class has chosen already are the last of this row, and not the next of the new one.
				mingle(s.columns[:len(s.columns)-group], random)
				mingle(s.columns[groups-group:], random)
				at = 0
			}
			place := (int(s.columns[at])*s.people + row) * ImagesOfIdentity
			for i := range ImagesOfIdentity {
				order[place+i] = s.images[(group*ImagesOfIdentity+i)%len(s.images)]
			}
			at++
		}
	}
}

// permute fills order with a permutation of its indices.
func permute(order []int32, random *rand.PCG) {
	for i := range order {
		order[i] = int32(i)
	}
	mingle(order, random)
}

// mingle changes the order, by Fisher and Yates.
func mingle(order []int32, random *rand.PCG) {
	for i := len(order) - 1; i > 0; i-- {
		j, _ := bits.Mul64(random.Uint64(), uint64(i+1)) // in [0, i]
		order[i], order[j] = order[j], order[i]
	}
}
