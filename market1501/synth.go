package market1501

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/reidbench/reidbench/market1501/internal/pedestrian"
	"github.com/reidbench/reidbench/results/atomicfile"
)

// Size of the images of Market-1501, in pixels.
const (
	imageHeight = 128
	imageWidth  = 64
)

// ErrExists is wrapped by Synthesize's error if there is something in its folder, before it begins or at its end.
var ErrExists = errors.New("exists already and is no empty folder")

// SynthConfig says what to draw. The zero value of a field that has a default
// stands for it.
type SynthConfig struct {
	Dir         string // the dataset's folder; must not exist, or be empty
	IDs         int    // identities, at least 2
	TestIDs     int    // of these are tested, not trained on; default: half, rounded down
	ImagesPerID int    // at least 4
	Distractors int    // gallery images of nobody in particular; default: half as many as TestIDs; negative: none
	Junk        int    // gallery images to be ignored; default: a quarter of TestIDs; negative: none
	Seed        uint64
	Workers     int                   // images drawn at once; default: one per CPU
	Progress    func(done, total int) // called after every image, one call at a time; may be nil
}

// Synthesize draws a dataset of pedestrians in Market-1501's layout and names:
// JPEG files of 128×64 pixels from six cameras, each identity seen by two or more
// of them. Every test identity has one query image per camera and the rest of its
// images in the gallery. The folder appears whole or not at all. What killed calls
// have left beside it goes.
//
// Seed and counts alone decide the content: on one platform the same
// configuration gives the same bytes, whatever Workers is.
func Synthesize(ctx context.Context, config SynthConfig) error {
	fail := func(err error) error { return fmt.Errorf("synthesize dataset: %w", err) }
	if err := config.complete(); err != nil {
		return fail(err)
	}
	if err := vacant(config.Dir); err != nil {
		return fail(err)
	}
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return fail(err)
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fail(err)
	}
	if err := removeAbandoned(dir); err != nil {
		return fail(err)
	}
	draft, err := newDraft(dir)
	if err != nil {
		return fail(err)
	}
	defer draft.discard()
	if err := config.drawAll(ctx, draft.dir); err != nil {
		return fail(err)
	}
	for _, folder := range splitFolders {
		if err := atomicfile.SyncFolder(filepath.Join(draft.dir, folder)); err != nil {
			return fail(err)
		}
	}
	if err := errors.Join(os.Chmod(draft.dir, 0o755), atomicfile.SyncFolder(draft.dir)); err != nil {
		return fail(err)
	}
	if err := errors.Join(place(draft.dir, dir), atomicfile.SyncFolder(parent)); err != nil {
		return fail(err)
	}
	return nil
}

// place gives a folder that was drawn its name, unless somebody was faster.
func place(temp, dir string) error {
	err := os.Remove(dir) // if it is there, it is empty
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(temp, dir)
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", dir, ErrExists)
	}
	return err
}

// vacant refuses a path at which there is something to lose.
func vacant(dir string) error {
	files, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil || len(files) > 0:
		return fmt.Errorf("%s: %w", dir, ErrExists)
	}
	return nil
}

func (c *SynthConfig) complete() error {
	if c.TestIDs == 0 {
		c.TestIDs = c.IDs / 2
	}
	if c.Distractors == 0 {
		c.Distractors = c.TestIDs / 2
	}
	if c.Junk == 0 {
		c.Junk = c.TestIDs / 4
	}
	c.Distractors, c.Junk = max(c.Distractors, 0), max(c.Junk, 0)
	c.Workers = workerCount(c.Workers)
	const most = 9999 // four digits in a file name
	switch {
	case c.Dir == "":
		return errors.New("no folder is named")
	case c.IDs < 2 || c.IDs > most || c.TestIDs < 1 || c.TestIDs >= c.IDs:
		return fmt.Errorf("%d identities, %d of them for testing: there must be 2 to %d, and some of each kind",
			c.IDs, c.TestIDs, most)
	case c.ImagesPerID < 4 || c.ImagesPerID > most:
		return fmt.Errorf("%d images per identity: 4 to %d are possible", c.ImagesPerID, most)
	case c.Distractors > most || c.Junk > most:
		return fmt.Errorf("%d distractors, %d junk images: up to %d are possible", c.Distractors, c.Junk, most)
	}
	return nil
}

// assignment is one photograph to be taken.
type assignment struct {
	folder  string
	pid     int
	camera  int // from 0
	number  int // among those of its pid and camera
	framing pedestrian.Framing
}

// file is the path below the dataset's folder.
func (a assignment) file() string {
	sequence, frame := 1+a.number%3, 100+a.number*25+max(a.pid, 0)*7
	pid := fmt.Sprintf("%04d", a.pid)
	if a.pid == JunkPID {
		pid = "-1"
	}
	return filepath.Join(a.folder, fmt.Sprintf("%s_c%ds%d_%06d_%02d.jpg", pid, a.camera+1, sequence, frame, 1))
}

// Every use of chance has a stream of its own, so that one does not shift another.
const (
	streamSplit = iota
	streamCamera
	streamPerson
	streamRoute
	streamPhoto
)

// chance is the stream of random numbers for one purpose.
func (c *SynthConfig) chance(stream int, keys ...int) *rand.Rand {
	key := mix(uint64(stream))
	for _, k := range keys {
		key = mix(key ^ uint64(int64(k)))
	}
	return rand.New(rand.NewPCG(c.Seed, key))
}

// plan lists all photographs in a fixed order.
func (c *SynthConfig) plan() []assignment {
	tested := make([]bool, c.IDs)
	for _, id := range c.chance(streamSplit).Perm(c.IDs)[:c.TestIDs] {
		tested[id] = true
	}
	var all []assignment
	for id := range c.IDs {
		cameras := c.route(id)
		for i := range c.ImagesPerID {
			a := assignment{folder: trainFolder, pid: id + 1, camera: cameras[i%len(cameras)], number: i / len(cameras)}
			if tested[id] {
				a.folder = galleryFolder
				if a.number == 0 {
					a.folder = queryFolder
				}
			}
			all = append(all, a)
		}
	}
	for i := range c.Distractors {
		// Every second one is a passer-by of no interest.
		a := assignment{folder: galleryFolder, pid: DistractorPID, camera: i % pedestrian.Cameras,
			number: i / pedestrian.Cameras}
		if i%2 == 0 {
			a.framing = pedestrian.Nobody
		}
		all = append(all, a)
	}
	for i := range c.Junk {
		all = append(all, assignment{folder: galleryFolder, pid: JunkPID, camera: i % pedestrian.Cameras,
			number: i / pedestrian.Cameras, framing: pedestrian.Poor})
	}
	return all
}

// route is the cameras an identity passes: at least two, and not more than can
// take two photographs each.
func (c *SynthConfig) route(id int) []int {
	r := c.chance(streamRoute, id)
	most := min(c.ImagesPerID/2, pedestrian.Cameras)
	least := min(most, 4)
	return r.Perm(pedestrian.Cameras)[:least+r.IntN(most-least+1)]
}

func (c *SynthConfig) drawAll(ctx context.Context, root string) error {
	for _, folder := range splitFolders {
		if err := os.Mkdir(filepath.Join(root, folder), 0o755); err != nil {
			return err
		}
	}
	cameras := make([]*pedestrian.Camera, pedestrian.Cameras)
	for i := range cameras {
		cameras[i] = pedestrian.NewCamera(i, c.chance(streamCamera, i))
	}
	photographers := make([]*pedestrian.Photographer, c.Workers)
	all := c.plan()
	failures := make([]error, len(all))
	count := counter{total: len(all), tell: c.Progress}
	err := inParallel(ctx, c.Workers, len(all), func(worker, i int) {
		if photographers[worker] == nil {
			photographers[worker] = pedestrian.NewPhotographer(imageWidth, imageHeight)
		}
		failures[i] = c.take(photographers[worker], cameras[all[i].camera], all[i], root)
		count.add()
	})
	return errors.Join(err, errors.Join(failures...))
}

func (c *SynthConfig) take(
	photographer *pedestrian.Photographer, camera *pedestrian.Camera, a assignment, root string,
) error {
	who := []int{a.pid}
	if a.pid <= DistractorPID { // a new face every time
		who = []int{a.pid, a.camera, a.number}
	}
	person := pedestrian.NewPerson(c.chance(streamPerson, who...))
	img, quality := photographer.Take(person, camera, a.framing, c.chance(streamPhoto, a.pid, a.camera, a.number))
	f, err := os.Create(filepath.Join(root, a.file()))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	return errors.Join(jpeg.Encode(out, img, &jpeg.Options{Quality: quality}), out.Flush(), f.Sync(), f.Close())
}
