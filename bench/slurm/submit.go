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
)

// submit hands these jobs to Slurm, students after all others: one array for each task that jobs have
// to wait for, and one for those that have none to wait for. A teacher that has failed lets its
// students begin, so that they record what they lack, as they would without Slurm.
func (r *run) submit(ctx context.Context, s *Submission, states map[Task]TaskState, jobs []*job) error {
	if len(jobs) == 0 {
		return nil
	}
	program, err := r.copyProgram()
	if err != nil {
		return err
	}
	for _, students := range []bool{false, true} {
		arrays := map[Task][]*job{} // by the teacher's task; the zero task is none
		for _, j := range jobs {
			if (j.Teacher != "") != students {
				continue
			}
			_, teacher := s.place(j.Teacher)
			if !states[teacher].Active() {
				teacher = Task{}
			}
			arrays[teacher] = append(arrays[teacher], j)
		}
		for _, teacher := range slices.SortedFunc(maps.Keys(arrays), Task.compare) {
			id, err := r.submitArray(ctx, s, program, arrays[teacher], teacher)
			if err != nil {
				return err
			}
			for _, j := range arrays[teacher] {
				j.seen, j.started, j.tries = true, false, j.tries+1
				j.inSlurm = TaskState{State: "PENDING"}
				states[Task{id, j.index}] = j.inSlurm
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
// ends in between, the next one looks for an array of that name.
func (r *run) submitArray(
	ctx context.Context, s *Submission, program string, jobs []*job, after Task,
) (id int, err error) {
	array := Array{
		Name: "reidbench-" + strings.ToLower(rand.Text()[:10]), Submitted: time.Now().UTC().Truncate(time.Second),
		Program: program, Flags: r.Flags,
	}
	if after != (Task{}) {
		array.After = after.String()
	}
	var indices []int
	for _, j := range jobs {
		indices = append(indices, j.index)
		array.Tasks = append(array.Tasks, ArrayTask{j.index, j.name()})
	}
	s.Arrays = append(s.Arrays, array)
	if err := s.write(r.config.Out); err != nil {
		return 0, err
	}
	args := []string{"run"}
	for _, m := range r.config.Models {
		args = append(args, m.Name)
	}
	last := &s.Arrays[len(s.Arrays)-1]
	last.ID, err = submit(ctx, script(program, append(args, r.Flags...)),
		r.Options.arguments(array.Name, r.logs, indices, array.After))
	if err != nil {
		s.Arrays = s.Arrays[:len(s.Arrays)-1]
		return 0, errors.Join(err, s.write(r.config.Out))
	}
	text := fmt.Sprintf("submitted %s as array %d", count(len(jobs), "job"), last.ID)
	if array.After != "" {
		text += ", which waits for task " + array.After
	}
	r.note("", "%s", text)
	return last.ID, s.write(r.config.Out)
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
	f, err := os.Open(r.Program)
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

// count is "1 job" or "3 jobs".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
