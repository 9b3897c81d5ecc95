package pedestrian

import "math"

// joint is a position in the body's own frame, in units of its height: to its
// left, up from the ground, and forwards.
type joint struct{ left, up, forward float32 }

// stance is how a person stands before the camera in one image.
type stance struct {
	feet     point   // on the canvas
	scale    float32 // pixels per unit of height
	tilt     float32 // how much wider the head's end appears than the feet's: the camera looks down
	yaw      float32 // 0 faces the camera, ±π/2 walks across, π turns its back
	gait     float32 // phase of the step
	stride   float32 // how far legs and arms swing, radians
	bend     float32 // of the elbows, radians
	lightX   float32 // -1 … 1: light comes from the left or the right
	lean     float32
	wrinkles uint32
}

// at projects a joint onto the canvas, without perspective but for tilt.
func (s *stance) at(j joint) point {
	across := j.left*cos(s.yaw) + j.forward*sin(s.yaw)
	across *= 1 + s.tilt*(j.up-0.5)
	return point{s.feet.x + s.scale*(across+s.lean*j.up), s.feet.y - s.scale*j.up}
}

// nearness is how far a joint stands out towards the camera.
func (s *stance) nearness(j joint) float32 { return j.forward*cos(s.yaw) - j.left*sin(s.yaw) }

// shaded darkens what is turned away from the light. across is in [-1, 1].
func (s *stance) shaded(c rgb, across float32) rgb {
	return c.scale(1 - 0.22*across*across + 0.16*across*s.lightX)
}

// limb is a tapered cylinder, lighter along its middle.
func (s *stance) limb(c *canvas, from, to joint, fromRadius, toRadius float32, colour rgb) {
	a, b := s.at(from), s.at(to)
	ra, rb := s.scale*fromRadius, s.scale*toRadius
	c.fill(capsule(a, b, ra, rb), 1, plain(colour.scale(0.78)))
	shift := s.lightX * 0.3
	a.x, b.x = a.x+shift*ra, b.x+shift*rb
	c.fill(capsule(a, b, ra*0.66, rb*0.66), 0.8, plain(colour))
}

// draw draws a person from the far side to the near one.
func (p *Person) draw(c *canvas, s *stance) {
	shadow := point{s.feet.x - 0.05*s.scale*s.lightX, s.feet.y - 0.01*s.scale}
	c.fill(ellipse(shadow, 0.17*s.scale, 0.028*s.scale), 0.45, plain(rgb{0.05, 0.05, 0.06}))
	toCamera := cos(s.yaw)
	nearSide := float32(1)
	if sin(s.yaw) > 0 {
		nearSide = -1
	}
	if p.hair == longHair && toCamera > 0 {
		p.drawHairFall(c, s)
	}
	p.drawArm(c, s, -nearSide)
	if p.bag == backpack && toCamera > 0 {
		p.drawBackpack(c, s)
	}
	if p.bagSide == -nearSide {
		p.drawHipBag(c, s)
	}
	p.drawLeg(c, s, -nearSide)
	p.drawLeg(c, s, nearSide)
	p.drawHips(c, s)
	p.drawTorso(c, s)
	if toCamera > 0.2 && p.bag == backpack {
		for _, side := range []float32{-1, 1} {
			s.limb(c, joint{side * 0.07, 0.82, 0.05}, joint{side * 0.075, 0.62, 0.05}, 0.013, 0.013, p.bagColour)
		}
	}
	p.drawHead(c, s)
	if p.hair == longHair && toCamera <= 0 {
		p.drawHairFall(c, s)
	}
	if p.bag == backpack && toCamera <= 0 {
		p.drawBackpack(c, s)
	}
	if p.bag == shoulderBag {
		s.limb(c, joint{-p.bagSide * 0.07, 0.82, 0}, joint{p.bagSide * 0.09 * p.build, 0.5, 0}, 0.011, 0.011,
			p.bagColour)
	}
	p.drawArm(c, s, nearSide)
	if p.bagSide == nearSide {
		p.drawHipBag(c, s)
	}
}

// swing is the angle of a leg, forwards; the arm on its side swings the other way.
func (s *stance) swing(side float32) float32 { return s.stride * sin(s.gait) * side }

func (p *Person) drawLeg(c *canvas, s *stance, side float32) {
	angle := s.swing(side)
	flex := s.stride * max(-side*cos(s.gait), 0) // the leg that comes forward is bent
	hip := joint{side * 0.045 * p.build, 0.49, 0}
	knee := joint{hip.left, hip.up - 0.23*cos(angle+flex*0.5), 0.23 * sin(angle+flex*0.5)}
	ankle := joint{side * 0.04, knee.up - 0.22*cos(angle-flex), knee.forward + 0.22*sin(angle-flex)}
	toe := joint{side * 0.05, ankle.up - 0.025, ankle.forward + 0.07}

	s.limb(c, joint{ankle.left, ankle.up - 0.018, ankle.forward - 0.01}, toe, 0.025, 0.02, p.shoes)
	thigh, calf := 0.052*p.build, 0.037*p.build
	upper, lower := p.bottomColour, p.bottomColour
	switch p.bottom {
	case shorts:
		lower, calf = p.skin, 0.03*p.build
	case skirt, dress:
		upper, lower, thigh, calf = p.skin, p.skin, 0.04*p.build, 0.028*p.build
	}
	if p.bottom == trousers {
		s.limb(c, knee, joint{ankle.left, ankle.up - 0.008, ankle.forward}, calf, 0.031*p.build, lower)
	} else {
		s.limb(c, knee, ankle, calf, 0.02*p.build, lower)
	}
	s.limb(c, hip, knee, thigh, calf+0.006, upper)
}

func (p *Person) drawArm(c *canvas, s *stance, side float32) {
	angle := -s.swing(side) * 0.8
	shoulder := joint{side * 0.105 * p.build, 0.805, 0}
	elbow := joint{shoulder.left + side*0.028, shoulder.up - 0.165*cos(angle), 0.165 * sin(angle)}
	wrist := joint{elbow.left, elbow.up - 0.14*cos(angle+s.bend), elbow.forward + 0.14*sin(angle+s.bend)}
	hand := joint{wrist.left, wrist.up - 0.015, wrist.forward}

	sleeve := p.fabric(0.9, 0.75, true)
	if p.pattern == jacket || p.pattern == hoops || p.pattern == checks {
		sleeve = p.top
	}
	lower := p.skin
	if p.longSleeves {
		lower = sleeve
	}
	s.limb(c, wrist, hand, 0.02, 0.018, p.skin)
	s.limb(c, elbow, wrist, 0.026*p.build, 0.02, lower)
	if p.longSleeves {
		s.limb(c, shoulder, elbow, 0.036*p.build, 0.028*p.build, sleeve)
	} else {
		s.limb(c, shoulder, elbow, 0.03*p.build, 0.026*p.build, p.skin)
		half := joint{(shoulder.left + elbow.left) / 2, (shoulder.up + elbow.up) / 2, elbow.forward / 2}
		s.limb(c, shoulder, half, 0.037*p.build, 0.036*p.build, sleeve)
	}
	if p.bag == handbag && side == p.bagSide {
		center := s.at(joint{hand.left, hand.up - 0.085, hand.forward})
		c.fill(box(center, 0.055*s.scale, 0.05*s.scale), 1, plain(p.bagColour.scale(0.8)))
		c.fill(box(center, 0.043*s.scale, 0.04*s.scale), 1, plain(p.bagColour))
		s.limb(c, hand, joint{hand.left, hand.up - 0.04, hand.forward}, 0.008, 0.03, p.bagColour.scale(0.8))
	}
}

// halfWidth is the half width of a body that is wide to its left and right and
// deep to front and back, as it is seen.
func (s *stance) halfWidth(wide, deep float32) float32 {
	return hypot(wide*cos(s.yaw), deep*sin(s.yaw))
}

// section is the body's half width at one height.
type section struct{ up, half float32 }

// trunk is the outline of a body of the given sections, from the top downwards.
func (s *stance) trunk(sections []section) []point {
	outline := make([]point, 2*len(sections))
	for i, section := range sections {
		center := s.at(joint{up: section.up})
		half := section.half * s.scale * (1 + s.tilt*(section.up-0.5))
		outline[i] = point{center.x + half, center.y}
		outline[len(outline)-1-i] = point{center.x - half, center.y}
	}
	return outline
}

func (p *Person) drawTorso(c *canvas, s *stance) {
	width := func(wide, deep float32) float32 { return s.halfWidth(wide*p.build, deep*p.build) }
	hem := float32(0.475)
	sections := []section{
		{0.862, width(0.040, 0.035)}, {0.845, width(0.070, 0.045)}, {0.825, width(0.108, 0.058)},
		{0.79, width(0.122, 0.068)}, {0.70, width(0.112, 0.076)}, {0.60, width(0.096, 0.072)},
		{0.53, width(0.098, 0.072)}, {hem, width(0.105, 0.074)},
	}
	if p.bottom == dress {
		sections = append(sections, section{0.37, width(0.13, 0.11)}, section{0.29, width(0.145, 0.125)})
	}
	fromFront := cos(s.yaw) > -0.15
	turned := sin(s.yaw)
	c.fill(s.trunk(sections), 1, smooth(func(x, y float32) rgb {
		up := (s.feet.y - y) / s.scale
		across := (x - s.feet.x - s.lean*s.scale*up) / (s.scale * width(0.12, 0.08))
		colour := p.fabric(across-turned*0.5, up, fromFront)
		fold := texture(s.wrinkles, x/s.scale*18, y/s.scale*12)
		return s.shaded(colour, across).scale(0.9 + 0.2*fold)
	}))
	s.limb(c, joint{0, 0.875, 0}, joint{0, 0.85, 0.005}, 0.03, 0.032, p.skin.scale(0.88))
}

// drawHips draws what closes trousers at the top, or the skirt.
func (p *Person) drawHips(c *canvas, s *stance) {
	if p.bottom == dress {
		return
	}
	width := func(wide, deep float32) float32 { return s.halfWidth(wide*p.build, deep*p.build) }
	sections := []section{{0.54, width(0.094, 0.07)}, {0.48, width(0.102, 0.074)}, {0.44, width(0.098, 0.07)}}
	if p.bottom == skirt {
		sections = append(sections, section{0.36, width(0.125, 0.11)}, section{0.30, width(0.14, 0.125)})
	}
	c.fill(s.trunk(sections), 1, func(x, y float32) rgb {
		across := (x - s.feet.x) / (s.scale * width(0.12, 0.09))
		fold := texture(s.wrinkles+1, x/s.scale*25, y/s.scale*8)
		return s.shaded(p.bottomColour, across).scale(0.88 + 0.2*fold)
	})
}

func (p *Person) drawHead(c *canvas, s *stance) {
	const rx, ry = 0.052, 0.068
	middle := joint{0, 0.932, 0.012}
	center := s.at(middle)
	wide := s.scale * (1 + s.tilt*0.45)
	oval := func(at joint, rx, ry float32, colour rgb) {
		c.fill(ellipse(s.at(at), rx*wide, ry*s.scale), 1, func(x, _ float32) rgb {
			return s.shaded(colour, (x-center.x)/(rx*wide))
		})
	}
	crown := p.hairColour
	switch p.hair {
	case bald:
		crown = p.skin
	case capped:
		crown = p.capColour
	}
	facing := cos(s.yaw)
	oval(middle, rx+0.003, ry+0.004, crown)
	if p.hair == capped || p.hair == bald { // hair or skin shows below the cap
		below := p.hairColour
		if p.hair == bald {
			below = p.skin
		}
		oval(joint{0, 0.918, 0.012}, rx, ry*0.8, below)
	}
	if facing > -0.45 {
		oval(joint{0, 0.918, 0.032}, rx*(0.62+0.24*facing), ry*0.84, p.skin)
		p.drawFace(c, s, facing)
	}
	if p.hair == capped {
		c.fill(ellipse(s.at(joint{0, 0.965, 0.012}), (rx+0.004)*wide, ry*0.55*s.scale), 1, plain(crown))
		s.limb(c, joint{0, 0.957, 0.03}, joint{0, 0.95, 0.095}, 0.014, 0.01, crown.scale(0.85))
	}
	if p.hair == ponytail {
		s.limb(c, joint{0, 0.95, -0.05}, joint{0, 0.83, -0.09}, 0.022, 0.012, p.hairColour)
	}
}

func (p *Person) drawFace(c *canvas, s *stance, facing float32) {
	for _, side := range []float32{-1, 1} {
		eye := joint{side * 0.021, 0.932, 0.055}
		if s.nearness(eye) > 0.005 {
			c.fill(ellipse(s.at(eye), 0.008*s.scale, 0.006*s.scale), 0.75, plain(rgb{0.1, 0.07, 0.06}))
		}
	}
	if facing > 0 {
		c.fill(ellipse(s.at(joint{0, 0.885, 0.052}), 0.014*s.scale, 0.005*s.scale), 0.5, plain(rgb{0.55, 0.2, 0.18}))
		c.fill(ellipse(s.at(joint{0, 0.910, 0.064}), 0.006*s.scale, 0.01*s.scale), 0.3, plain(p.skin.scale(0.6)))
	}
}

func (p *Person) drawHairFall(c *canvas, s *stance) {
	half := s.halfWidth(0.062, 0.05)
	back := -0.03 * sin(s.yaw) * s.scale
	outline := s.trunk([]section{{0.97, half * 0.8}, {0.92, half}, {0.82, half * 1.05}, {0.765, half * 0.8}})
	for i := range outline {
		outline[i].x += back
	}
	c.fill(outline, 1, func(x, y float32) rgb {
		return p.hairColour.scale(0.85 + 0.4*texture(s.wrinkles+2, x/s.scale*60, y/s.scale*8))
	})
}

func (p *Person) drawBackpack(c *canvas, s *stance) {
	center := s.at(joint{0, 0.70, -0.115})
	half := (abs(0.085*cos(s.yaw)) + abs(0.05*sin(s.yaw))) * s.scale
	c.fill(rounded(center, half, 0.125*s.scale), 1, func(x, _ float32) rgb {
		return s.shaded(p.bagColour, (x-center.x)/half)
	})
	pocket := point{center.x, center.y + 0.05*s.scale}
	c.fill(rounded(pocket, half*0.7, 0.05*s.scale), 1, plain(p.bagColour.scale(0.72)))
}

// drawHipBag draws the bag at the end of a shoulder strap.
func (p *Person) drawHipBag(c *canvas, s *stance) {
	if p.bag != shoulderBag {
		return
	}
	center := s.at(joint{p.bagSide * 0.125 * p.build, 0.46, 0})
	half := (0.04 + 0.035*abs(sin(s.yaw))) * s.scale
	c.fill(rounded(center, half, 0.06*s.scale), 1, plain(p.bagColour.scale(0.8)))
	c.fill(rounded(point{center.x, center.y - 0.015*s.scale}, half*0.8, 0.035*s.scale), 1, plain(p.bagColour))
}

// rounded is a rectangle whose corners are cut round.
func rounded(center point, halfWidth, halfHeight float32) []point {
	const corners = 24
	outline := make([]point, corners)
	for i := range outline {
		angle := 2 * math.Pi * float32(i) / corners
		x, y := cos(angle), sin(angle)
		bulge := 1 / float32(math.Pow(math.Pow(float64(abs(x)), 4)+math.Pow(float64(abs(y)), 4), 0.25))
		outline[i] = point{center.x + halfWidth*x*bulge, center.y + halfHeight*y*bulge}
	}
	return outline
}
