package slurm

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/grammar"
	"github.com/reidbench/reidbench/results/regular"
)

// A batch is what one array can take: jobs whose numbers begin at first, a multiple of the largest array's size, and
// that wait for the same task; the zero task is none.
type batch struct {
	after Task
	first int
}

func (b batch) compare(other batch) int {
	return cmp.Or(b.after.compare(other.after), cmp.Compare(b.first, other.first))
}

// submit hands these jobs to Slurm, students after all others: one array for each task that jobs have
// to wait for, and one for those that have none to wait for; more where one would be too large. A teacher that has
// failed lets its students begin, so that they record what they lack, as they would without Slurm.
func (r *run) submit(ctx context.Context, s *Submission, states map[Task]TaskState, jobs []*job) error {
	if len(jobs) == 0 {
		return nil
	}
	program, err := r.copyProgram()
	if err != nil {
		return err
	}
	size := arraySize(ctx)
	for _, students := range []bool{false, true} {
		arrays := map[batch][]*job{}
		for _, j := range jobs {
			if (j.Teacher != "") != students {
				continue
			}
			_, teacher := s.place(j.Teacher)
			if !states[teacher].active() {
				teacher = Task{}
			}
			b := batch{teacher, j.number / size * size}
			arrays[b] = append(arrays[b], j)
		}
		for _, b := range slices.SortedFunc(maps.Keys(arrays), batch.compare) {
			id, err := r.submitArray(ctx, s, program, arrays[b], b)
			if err != nil {
				return err
			}
			for _, j := range arrays[b] {
				j.seen, j.started, j.tries = true, false, j.tries+1
				j.inSlurm = TaskState{State: "PENDING"}
				states[Task{id, j.number - b.first}] = j.inSlurm
			}
		}
	}
	return nil
}

// compare orders tasks as they were submitted.
func (t Task) compare(other Task) int {
	return cmp.Or(cmp.Compare(t.Array, other.Array), cmp.Compare(t.Index, other.Index))
}

// submitArray calls sbatch. The submission names the array before Slurm knows of it: if this process
// ends in between, or Slurm's answer says nothing, the next one looks for an array of that name.
func (r *run) submitArray(
	ctx context.Context, s *Submission, program string, jobs []*job, b batch,
) (id int, err error) {
	array := Array{
		Name: "reidbench-" + strings.ToLower(rand.Text()[:10]), Submitted: time.Now().UTC().Truncate(time.Second),
		Program: program, Flags: r.Flags,
	}
	if b.after != (Task{}) {
		array.After = b.after.String()
	}
	var indices []int
	for _, j := range jobs {
		index := j.number - b.first
		indices = append(indices, index)
		array.Tasks = append(array.Tasks, ArrayTask{index, j.name()})
	}
	s.Arrays = append(s.Arrays, array)
	if err := s.write(r.config.Out); err != nil {
		return 0, err
	}
	args := []string{"run"}
	for _, m := range r.config.Models {
		args = append(args, m.Name)
	}
	id, err = submit(ctx, script(program, append(args, r.Flags...), b.first),
		r.Options.arguments(array.Name, r.logs, indices, array.After))
	if mayBeSubmitted(err) {
		named, namedErr := namedArray(ctx, array.Name)
		if namedErr != nil || named == 0 {
			return 0, fmt.Errorf("%w; if Slurm has the array %s all the same, the same command finds it",
				err, array.Name)
		}
		id, err = named, nil
	}
	if err != nil {
		s.Arrays = s.Arrays[:len(s.Arrays)-1]
		return 0, errors.Join(err, s.write(r.config.Out))
	}
	s.Arrays[len(s.Arrays)-1].ID = id
	text := fmt.Sprintf("submitted %s as array %d", grammar.Count(len(jobs), "job", "jobs"), id)
	if array.After != "" {
		text += ", which waits for task " + array.After
	}
	r.note("", "%s", text)
	return id, s.write(r.config.Out)
}

// adopt completes arrays whose id was not noted because the process that submitted them was killed.
func (s *Submission) adopt(ctx context.Context) error {
	for i := range s.Arrays {
		if s.Arrays[i].ID == 0 {
			id, err := namedArray(ctx, s.Arrays[i].Name)
			if err != nil {
				return err
			}
			s.Arrays[i].ID = id
		}
	}
	s.Arrays = slices.DeleteFunc(s.Arrays, func(a Array) bool { return a.ID == 0 })
	return nil
}

// copyProgram puts the program into the shared folder under a name that is its content's, so that
// nodes find it there, and tasks under way keep theirs when the program is built anew.
func (r *run) copyProgram() (string, error) {
	f, err := regular.Open(r.Program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, f); err != nil {
		return "", fmt.Errorf("read %s: %w", r.Program, err)
	}
	folder, err := filepath.Abs(r.logs)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, fmt.Sprintf("reidbench-%x", digest.Sum(nil)[:6]))
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, errors.Join(err, makeExecutable(path))
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	err = atomicfile.Write(path, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
	if err != nil {
		return "", err
	}
	return path, makeExecutable(path)
}

// makeExecutable lets those run a file who may read it.
func makeExecutable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	mode := info.Mode().Perm()
	return os.Chmod(path, mode|mode&0o444>>2)
}
