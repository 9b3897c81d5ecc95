package pedestrian

import "math/rand/v2"

// random draws what the drawing needs.
type random struct{ *rand.Rand }

func (r random) between(low, high float32) float32 { return low + (high-low)*r.Float32() }
func (r random) chance(p float32) bool             { return r.Float32() < p }

func pick[T any](r random, from ...T) T { return from[r.IntN(len(from))] }

// near is c with every channel moved a little.
func (r random) near(c rgb, by float32) rgb {
	for i := range c {
		c[i] = min(max(c[i]+r.between(-by, by), 0.02), 0.98)
	}
	return c
}

type hairStyle int

const (
	shortHair hairStyle = iota
	longHair
	ponytail
	bald
	capped
)

type topPattern int

const (
	plainTop topPattern = iota
	hoops               // horizontal stripes
	pinstripes
	twoTone // upper half and lower half
	checks
	printed // a print on the chest
	jacket  // open over a shirt of the second colour
)

type bottomKind int

const (
	trousers bottomKind = iota
	shorts
	skirt
	dress // a skirt in the colours of the top
)

type bagKind int

const (
	noBag bagKind = iota
	backpack
	shoulderBag
	handbag
)

// Person is an identity: everything about a pedestrian that stays the same from
// camera to camera.
type Person struct {
	height, build float32 // relative to the average
	skin          rgb
	hair          hairStyle
	hairColour    rgb
	capColour     rgb

	pattern      topPattern
	top, second  rgb // the second colour of the pattern
	stripes      float32
	longSleeves  bool
	bottom       bottomKind
	bottomColour rgb
	shoes        rgb

	bag       bagKind
	bagColour rgb
	bagSide   float32 // -1 or 1
}

var (
	skins = []rgb{
		{0.96, 0.80, 0.69}, {0.91, 0.72, 0.58}, {0.82, 0.62, 0.46}, {0.68, 0.47, 0.33}, {0.48, 0.32, 0.22},
		{0.34, 0.22, 0.16},
	}
	hairs = []rgb{
		{0.06, 0.05, 0.05}, {0.06, 0.05, 0.05}, {0.18, 0.11, 0.07}, {0.33, 0.20, 0.11}, {0.75, 0.58, 0.30},
		{0.55, 0.54, 0.53}, {0.48, 0.20, 0.10},
	}
	tops = []rgb{
		{0.93, 0.93, 0.92}, {0.08, 0.08, 0.09}, {0.50, 0.51, 0.53}, {0.80, 0.12, 0.13}, {0.45, 0.08, 0.14},
		{0.93, 0.48, 0.10}, {0.95, 0.82, 0.20}, {0.20, 0.55, 0.22}, {0.38, 0.40, 0.18}, {0.12, 0.55, 0.55},
		{0.18, 0.36, 0.80}, {0.10, 0.14, 0.36}, {0.45, 0.22, 0.60}, {0.95, 0.60, 0.70}, {0.82, 0.72, 0.55},
		{0.42, 0.26, 0.15}, {0.55, 0.75, 0.92},
	}
	bottoms = []rgb{
		{0.08, 0.08, 0.09}, {0.13, 0.17, 0.33}, {0.30, 0.42, 0.62}, {0.55, 0.66, 0.80}, {0.45, 0.45, 0.46},
		{0.66, 0.56, 0.38}, {0.88, 0.87, 0.84}, {0.35, 0.22, 0.14}, {0.35, 0.37, 0.22}, {0.62, 0.16, 0.20},
	}
	shoeColours = []rgb{
		{0.07, 0.07, 0.08}, {0.90, 0.90, 0.90}, {0.38, 0.22, 0.12}, {0.75, 0.15, 0.15}, {0.20, 0.30, 0.60},
		{0.50, 0.50, 0.50},
	}
	bagColours = []rgb{
		{0.08, 0.08, 0.09}, {0.15, 0.22, 0.50}, {0.70, 0.13, 0.15}, {0.45, 0.28, 0.15}, {0.20, 0.45, 0.25},
		{0.85, 0.65, 0.20}, {0.60, 0.60, 0.62}, {0.85, 0.40, 0.55},
	}
)

// NewPerson makes up an identity.
func NewPerson(source *rand.Rand) *Person {
	r := random{source}
	p := &Person{
		height:     r.between(0.93, 1.05),
		build:      r.between(0.86, 1.18),
		skin:       r.near(pick(r, skins...), 0.02),
		hair:       pick(r, shortHair, shortHair, shortHair, longHair, longHair, ponytail, bald, capped),
		hairColour: pick(r, hairs...),
		capColour:  pick(r, bagColours...),
		pattern: pick(r, plainTop, plainTop, plainTop, hoops, pinstripes, twoTone, checks, printed, printed,
			jacket),
		top:          r.near(pick(r, tops...), 0.04),
		stripes:      r.between(5, 8),
		longSleeves:  r.chance(0.45),
		bottom:       pick(r, trousers, trousers, trousers, trousers, shorts, shorts, skirt, dress),
		bottomColour: r.near(pick(r, bottoms...), 0.03),
		shoes:        pick(r, shoeColours...),
		bag:          pick(r, noBag, noBag, backpack, backpack, shoulderBag, handbag),
		bagColour:    r.near(pick(r, bagColours...), 0.03),
		bagSide:      pick[float32](r, -1, 1),
	}
	for {
		p.second = r.near(pick(r, tops...), 0.04)
		if contrast(p.top, p.second) > 0.35 {
			break
		}
	}
	if p.pattern == jacket {
		p.longSleeves = true
	}
	return p
}

func contrast(a, b rgb) float32 {
	return max(abs(a[0]-b[0]), abs(a[1]-b[1]), abs(a[2]-b[2]))
}

// fabric is the colour of the top at a place on the body: across in [-1, 1] from
// edge to edge, up the body in units of its height. fromFront tells chest from
// back.
func (p *Person) fabric(across, up float32, fromFront bool) rgb {
	odd := func(x float32) bool { return x-floor(x) < 0.5 }
	switch p.pattern {
	case hoops:
		if odd(up * 2.2 * p.stripes) {
			return p.second
		}
	case pinstripes:
		if odd(across * p.stripes * 0.3) {
			return p.second
		}
	case twoTone:
		if up < 0.665 {
			return p.second
		}
	case checks:
		switch x, y := odd(across*p.stripes*0.3), odd(up*2.2*p.stripes); {
		case x && y:
			return p.second
		case x != y:
			return blend(p.top, p.second, 0.5)
		}
	case printed:
		if size := p.stripes / 20; fromFront && abs(across) < size+0.1 && abs(up-0.70) < size*0.13 {
			return p.second
		}
	case jacket:
		if fromFront && abs(across) < 0.1+(up-0.5)*0.8 {
			return p.second
		}
	}
	return p.top
}
