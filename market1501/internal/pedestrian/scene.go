package pedestrian

import "math/rand/v2"

type ground int

const (
	tiles ground = iota
	lawn
	asphalt
	planks
)

type backdrop int

const (
	plaster backdrop = iota
	brick
	hedge
	glass
)

// Camera is one place and one device: what all its images share.
type Camera struct {
	ground      ground
	groundColor rgb
	backdrop    backdrop
	wallColor   rgb
	horizon     float32 // where the wall meets the ground, share of the image's height; below 0: ground only
	tilt        float32
	zoom        float32
	lightX      float32
	yaw         float32 // the direction most people walk in here

	gain       rgb // of the sensor's channels: the colour cast
	brightness float32
	contrast   float32
	saturation float32
	blur       float32 // pixels
	noise      float32
	quality    int // of the JPEG files
	key        uint32
}

// Cameras is the number of different cameras.
const Cameras = 6

// sites are the six places; NewCamera varies them.
var sites = [Cameras]Camera{
	{ground: tiles, groundColor: rgb{0.66, 0.62, 0.58}, backdrop: hedge, wallColor: rgb{0.20, 0.36, 0.16},
		horizon: 0.22, tilt: 0.10, zoom: 1.00, lightX: -0.8, yaw: 0.3, gain: rgb{1.10, 1.01, 0.88}, brightness: 0.02,
		contrast: 1.03, saturation: 1.05, blur: 0.45, noise: 0.012, quality: 88},
	{ground: lawn, groundColor: rgb{0.42, 0.48, 0.32}, backdrop: plaster, wallColor: rgb{0.75, 0.72, 0.66},
		horizon: 0.10, tilt: 0.22, zoom: 0.93, lightX: 0.7, yaw: 2.8, gain: rgb{0.97, 1.04, 0.92}, brightness: 0.03,
		contrast: 0.95, saturation: 1.10, blur: 0.60, noise: 0.018, quality: 80},
	{ground: planks, groundColor: rgb{0.52, 0.54, 0.58}, backdrop: glass, wallColor: rgb{0.45, 0.55, 0.65},
		horizon: 0.38, tilt: 0.05, zoom: 1.03, lightX: 0.2, yaw: 1.5, gain: rgb{0.88, 0.99, 1.13}, brightness: -0.01,
		contrast: 0.97, saturation: 0.90, blur: 0.50, noise: 0.015, quality: 84},
	{ground: asphalt, groundColor: rgb{0.36, 0.36, 0.38}, backdrop: brick, wallColor: rgb{0.55, 0.30, 0.24},
		horizon: 0.30, tilt: 0.12, zoom: 0.97, lightX: -0.3, yaw: -1.5, gain: rgb{0.84, 0.88, 0.92}, brightness: -0.02,
		contrast: 1.09, saturation: 0.85, blur: 0.70, noise: 0.030, quality: 72},
	{ground: tiles, groundColor: rgb{0.78, 0.77, 0.74}, backdrop: plaster, wallColor: rgb{0.88, 0.86, 0.80},
		horizon: 0.33, tilt: 0.08, zoom: 1.02, lightX: 0.5, yaw: 0.0, gain: rgb{0.95, 1.08, 0.97}, brightness: 0.10,
		contrast: 0.81, saturation: 0.80, blur: 0.55, noise: 0.014, quality: 86},
	{ground: asphalt, groundColor: rgb{0.50, 0.46, 0.44}, backdrop: hedge, wallColor: rgb{0.16, 0.26, 0.14},
		horizon: -0.1, tilt: 0.28, zoom: 0.90, lightX: 0.9, yaw: 3.1, gain: rgb{1.12, 0.95, 0.99}, brightness: -0.03,
		contrast: 0.89, saturation: 1.0, blur: 0.85, noise: 0.022, quality: 68},
}

// NewCamera is camera index (0…Cameras-1), as it happens to be in this world.
func NewCamera(index int, source *rand.Rand) *Camera {
	r := random{source}
	c := sites[index]
	for i := range c.gain {
		c.gain[i] *= r.between(0.93, 1.07)
	}
	c.groundColor = r.near(c.groundColor, 0.06)
	c.wallColor = r.near(c.wallColor, 0.06)
	c.brightness += r.between(-0.03, 0.03)
	c.contrast *= r.between(0.93, 1.07)
	c.key = r.Uint32()
	return &c
}

// drawScene draws the place without anybody in it. Every image looks at another
// part of it.
func (cam *Camera) drawScene(c *canvas, r random) {
	w, h := float32(c.w), float32(c.h)
	horizon := (cam.horizon + r.between(-0.06, 0.06)) * h
	shiftX, shiftZ := r.between(0, 100), r.between(0, 100)
	c.cover(func(x, y float32) rgb {
		if y < horizon {
			return cam.wallAt(x+shiftX*w, y-horizon, h)
		}
		// The ground recedes towards a vanishing line above the wall's foot.
		z := h / (y - horizon + 0.55*h)
		return cam.groundAt((x-w/2)/w*z*3+shiftX, z*6+shiftZ, x, y)
	})
	for range 1 + r.IntN(3) {
		cam.drawClutter(c, horizon, r)
	}
}

func (cam *Camera) groundAt(u, v, x, y float32) rgb {
	grain := 0.9 + 0.2*texture(cam.key, x*0.9+u*31, y*0.9+v*17)
	patches := 0.88 + 0.24*texture(cam.key+1, u*1.3, v*0.7)
	colour := cam.groundColor.scale(grain * patches)
	joint := func(a float32) bool { return a-floor(a) < 0.07 }
	switch cam.ground {
	case tiles:
		if joint(u*2) || joint(v) {
			return colour.scale(0.72)
		}
		if (int(floor(u*2))+int(floor(v)))%2 == 0 {
			return colour.scale(0.93)
		}
	case lawn:
		blade := texture(cam.key+2, x*1.7+u*50, y*0.8)
		return blend(colour, rgb{0.18, 0.32, 0.10}, 0.5*blade)
	case asphalt:
		stripe := abs(u*0.35 - floor(u*0.35) - 0.5) // 0 in its middle
		return blend(colour, rgb{0.92, 0.92, 0.88}, min(max((0.04-stripe)*60, 0), 0.8))
	case planks:
		if joint(v * 1.6) {
			return colour.scale(0.7)
		}
	}
	return colour
}

func (cam *Camera) wallAt(x, y, h float32) rgb {
	colour := cam.wallColor.scale(0.9 + 0.2*texture(cam.key+3, x*0.05, y*0.05))
	switch cam.backdrop {
	case brick:
		row := floor(y / 4)
		brickX := (x + 5*row) / 10
		if y/4-row < 0.22 || brickX-floor(brickX) < 0.1 {
			return blend(colour, rgb{0.75, 0.70, 0.65}, 0.6)
		}
		return colour.scale(0.85 + 0.3*speckle(cam.key, int32(floor(brickX)), int32(row)))
	case hedge:
		leaves := texture(cam.key+4, x*0.45, y*0.45)
		return colour.scale(0.5 + leaves)
	case glass:
		pane := x / 22
		if pane-floor(pane) < 0.09 {
			return rgb{0.25, 0.26, 0.28}
		}
		return blend(colour, rgb{0.85, 0.92, 0.98}, 0.5*texture(cam.key+5, x*0.08, y*0.03))
	}
	if y > -0.03*h {
		return colour.scale(0.7)
	}
	return colour
}

// drawClutter draws something that stands about behind the person.
func (cam *Camera) drawClutter(c *canvas, horizon float32, r random) {
	w, h := float32(c.w), float32(c.h)
	x, foot := r.between(0, w), max(horizon, 0)+r.between(0.02, 0.35)*h
	switch r.IntN(6) {
	case 0: // a pole
		c.fill(box(point{x, foot / 2}, r.between(1, 2.5), foot/2), 1, plain(r.near(rgb{0.45, 0.45, 0.46}, 0.15)))
	case 1: // a bush
		for range 6 {
			at := point{x + r.between(-8, 8), foot + r.between(-14, 0)}
			c.fill(ellipse(at, r.between(4, 8), r.between(4, 7)), 0.9, plain(r.near(rgb{0.20, 0.36, 0.15}, 0.08)))
		}
	case 2: // a stall or a box
		colour := pick(r, tops...)
		half := r.between(6, 14)
		c.fill(box(point{x, foot - half}, half, half), 1, plain(colour.scale(0.8)))
		c.fill(box(point{x, foot - 2*half}, half*1.15, half*0.3), 1, plain(colour))
	case 3: // a sign on the wall
		c.fill(box(point{x, foot * 0.5}, r.between(4, 9), r.between(3, 8)), 1, plain(pick(r, tops...)))
	case 4: // a parked car
		colour := pick(r, tops...)
		c.fill(rounded(point{x, foot - 8}, 26, 8), 1, plain(colour))
		c.fill(rounded(point{x, foot - 17}, 16, 6), 1, plain(blend(colour, rgb{0.2, 0.25, 0.3}, 0.7)))
		for _, wheel := range []float32{-15, 15} {
			c.fill(ellipse(point{x + wheel, foot}, 5, 5), 1, plain(rgb{0.06, 0.06, 0.06}))
		}
	default: // somebody further away
		far := stance{feet: point{x, foot}, scale: r.between(0.3, 0.5) * h, yaw: r.between(-3.1, 3.1),
			gait: r.between(0, 6.3), stride: 0.4, lightX: cam.lightX}
		NewPerson(r.Rand).draw(c, &far)
	}
}
