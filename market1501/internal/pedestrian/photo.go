// Package pedestrian draws small photographs of people who walk past cameras, to
// train and test person re-identification where no dataset is at hand. A
// [Person] keeps body, clothes and bag; a [Camera] keeps place, light and colour
// cast; what differs from photograph to photograph is drawn by chance.
package pedestrian

import (
	"image"
	"math"
	"math/rand/v2"
)

// Framing is how well the detector that cut out the image has done.
type Framing int

const (
	Whole  Framing = iota // the person, nearly centred
	Poor                  // a part of the person, far off the centre
	Nobody                // the place alone, or a scrap of somebody
)

// Photographer takes photographs of one size, one after the other.
type Photographer struct {
	canvas  *canvas
	scratch []rgb
	out     *image.RGBA
}

// NewPhotographer returns a photographer whose images have width × height pixels.
func NewPhotographer(width, height int) *Photographer {
	return &Photographer{
		canvas:  newCanvas(width, height),
		scratch: make([]rgb, width*height),
		out:     image.NewRGBA(image.Rect(0, 0, width, height)),
	}
}

// Take photographs a person. Everything that is left to chance comes from
// source. It returns the image, valid until the next call, and the JPEG quality
// of the camera.
func (ph *Photographer) Take(
	p *Person, cam *Camera, framing Framing, source *rand.Rand,
) (img image.Image, quality int) {
	r := random{source}
	c := ph.canvas
	cam.drawScene(c, r)
	s := cam.stance(c, p, r)
	switch framing {
	case Poor:
		s.scale *= r.between(1.2, 1.9)
		s.feet.x += pick[float32](r, -1, 1) * r.between(0.3, 0.55) * float32(c.w)
		s.feet.y += r.between(-0.1, 0.7) * float32(c.h)
	case Nobody:
		s.feet.x += pick[float32](r, -1, 1) * r.between(0.75, 1.1) * float32(c.w)
	}
	p.draw(c, s)
	if framing == Whole && r.chance(0.14) {
		cam.occlude(c, s, r)
	}
	ph.develop(cam, r)
	return ph.out, cam.quality + r.IntN(9) - 4
}

// stance places a person so that it fills the image about as a detector's box is
// filled.
func (cam *Camera) stance(c *canvas, p *Person, r random) *stance {
	w, h := float32(c.w), float32(c.h)
	scale := h * 0.92 * cam.zoom * p.height * r.between(0.93, 1.05)
	yaw := cam.yaw + r.between(-0.6, 0.6)
	if r.chance(0.3) {
		yaw += math.Pi
	}
	if r.chance(0.2) {
		yaw += math.Pi / 2
	}
	return &stance{
		feet:     point{w*0.5 + w*r.between(-0.08, 0.08), h*0.5 + scale*0.5 + h*r.between(-0.025, 0.035)},
		scale:    scale,
		tilt:     cam.tilt,
		yaw:      yaw,
		gait:     r.between(0, 2*math.Pi),
		stride:   r.between(0.15, 0.5),
		bend:     r.between(0.1, 0.9),
		lightX:   cam.lightX,
		lean:     r.between(-0.03, 0.03),
		wrinkles: r.Uint32(),
	}
}

// occlude puts something between camera and person.
func (cam *Camera) occlude(c *canvas, s *stance, r random) {
	w, h := float32(c.w), float32(c.h)
	side := pick[float32](r, -1, 1)
	switch r.IntN(4) {
	case 0: // a post
		c.fill(box(point{w/2 + side*r.between(4, 14), h / 2}, r.between(2, 4), h), 1,
			plain(r.near(rgb{0.4, 0.4, 0.42}, 0.2)))
	case 1: // a low wall or a car's bonnet
		top := h * r.between(0.72, 0.88)
		c.fill(box(point{w / 2, top + h/2}, w, h/2), 1, plain(r.near(pick(r, tops...), 0.1)))
	case 2: // a bicycle's wheels
		for _, x := range []float32{-14, 14} {
			at := point{w/2 + side*8 + x, h * 0.86}
			c.fill(ellipse(at, 11, 11), 0.9, plain(rgb{0.08, 0.08, 0.08}))
			c.fill(ellipse(at, 9, 9), 0.75, plain(cam.groundColor))
		}
	default: // somebody else
		other := *s
		other.feet.x += side * r.between(0.36, 0.5) * w
		other.yaw, other.gait = r.between(-3.1, 3.1), r.between(0, 6.3)
		NewPerson(r.Rand).draw(c, &other)
	}
}

// develop turns the drawing into what the camera records: lens, light, sensor.
func (ph *Photographer) develop(cam *Camera, r random) {
	c := ph.canvas
	ph.blur(cam.blur * r.between(0.8, 1.5))
	exposure := r.between(0.88, 1.12)
	for i, colour := range c.pix {
		x, y := float32(i%c.w)/float32(c.w)-0.5, float32(i/c.w)/float32(c.h)-0.5
		light := exposure * (1 + 0.22*cam.lightX*x - 0.12*y)
		gray := 0.3*colour[0] + 0.59*colour[1] + 0.11*colour[2]
		for k, v := range colour {
			v = (gray + (v-gray)*cam.saturation) * cam.gain[k] * light
			v = (v-0.5)*cam.contrast + 0.5 + cam.brightness
			v += cam.noise * float32(r.NormFloat64())
			ph.out.Pix[i*4+k] = uint8(min(max(v, 0), 1)*255 + 0.5)
		}
		ph.out.Pix[i*4+3] = 255
	}
}

// blur convolves with a Gaussian, rows then columns, edges repeated.
func (ph *Photographer) blur(sigma float32) {
	const radius = 3
	var weights [2*radius + 1]float32
	sum := float32(0)
	for i := range weights {
		d := float64(i - radius)
		weights[i] = float32(math.Exp(-d * d / (2 * float64(sigma) * float64(sigma))))
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	w, h := ph.canvas.w, ph.canvas.h
	pass := func(dst, src []rgb, stepX, stepY int) {
		for y := range h {
			for x := range w {
				var out rgb
				for i, weight := range weights {
					fromX := min(max(x+(i-radius)*stepX, 0), w-1)
					fromY := min(max(y+(i-radius)*stepY, 0), h-1)
					from := &src[fromY*w+fromX]
					for k := range out {
						out[k] += weight * from[k]
					}
				}
				dst[y*w+x] = out
			}
		}
	}
	pass(ph.scratch, ph.canvas.pix, 1, 0)
	pass(ph.canvas.pix, ph.scratch, 0, 1)
}
