package measure

import (
	"cmp"
	"slices"
	"time"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models/graph"
)

// A Simulation is how fast a step would be with other numbers of threads, by the times of its tasks: see
// [parallel.Makespan]. Serial work, outside of the pool's jobs, is one thread's.
type Simulation struct {
	Seconds   float64            `json:"seconds"`        // of the step on one thread
	AllSerial float64            `json:"serial_seconds"` // of all serial parts
	Threads   []SimulatedThreads `json:"threads"`
	Serial    []SimulatedKernel  `json:"serial"` // what has the longest serial parts, the longest first
	Idle      []SimulatedKernel  `json:"idle"`   // what leaves the most time of the most threads unused, that first
}

// SimulatedThreads is a step with a number of threads.
type SimulatedThreads struct {
	Threads    int     `json:"threads"`
	Seconds    float64 `json:"seconds"`
	Efficiency float64 `json:"efficiency"` // the time on one thread, by threads times this one
}

// SimulatedKernel is a phase of a layer in a simulated step.
type SimulatedKernel struct {
	Layer   string  `json:"layer"` // "" for what belongs to none
	Op      string  `json:"op"`
	Phase   string  `json:"phase"`
	Tasks   int     `json:"tasks"`   // of its longest job
	Longest float64 `json:"longest"` // seconds of its longest task
	Serial  float64 `json:"serial"`  // seconds outside of jobs, and in jobs of one task
	Alone   float64 `json:"alone"`   // seconds on one thread
	Seconds float64 `json:"seconds"` // with the most threads
	Idle    float64 `json:"idle"`    // what its unused threads are of all threads' time in the step, with the most
}

// simulatedPiece is what a step does for a phase of a layer.
type simulatedPiece struct {
	layer, op, phase string
	serial           time.Duration     // outside of jobs
	jobs             [][]time.Duration // the times of their tasks
}

// simulatedRuns is how many steps are recorded. The shortest time of each task counts: other work on the machine makes
// it longer.
const simulatedRuns = 3

// record records a program's steps on one thread, as they are cut for those of the pool.
func record(p *train.Program, pool *parallel.Pool, step func()) []simulatedPiece {
	step() // touches all memory for the first time
	var pieces []simulatedPiece
	for run := range simulatedRuns {
		recorded := recordStep(p, pool, step)
		if run == 0 {
			pieces = recorded
			continue
		}
		for i, r := range recorded { // every step does the same
			pieces[i].serial = min(pieces[i].serial, r.serial)
			for j, job := range r.jobs {
				for task, took := range job {
					pieces[i].jobs[j][task] = min(pieces[i].jobs[j][task], took)
				}
			}
		}
	}
	return pieces
}

// recordStep runs a step. A phase of a layer that is run for several micro-batches is one piece. What is not of the
// program's list comes last: the loss and, in training, Adam.
func recordStep(p *train.Program, pool *parallel.Pool, step func()) []simulatedPiece {
	recording := pool.StartRecording()
	trace := p.StartTrace(recording)
	start := time.Now()
	step()
	rest := simulatedPiece{op: "loss, Adam", serial: time.Since(start)}
	p.StopTrace()
	pool.StopRecording()
	type phaseOf struct {
		node  *graph.Node
		phase train.Phase
	}
	var pieces []simulatedPiece
	at := map[phaseOf]int{}
	for _, s := range trace.Steps {
		piece := simulatedPiece{
			layer: s.Node.Name, op: s.Node.Op.String(), phase: s.Phase.String(), serial: s.Time, jobs: s.Jobs,
		}.lessJobs()
		rest.serial -= s.Time
		if i, ok := at[phaseOf{s.Node, s.Phase}]; ok {
			pieces[i].serial, pieces[i].jobs = pieces[i].serial+piece.serial, append(pieces[i].jobs, piece.jobs...)
			continue
		}
		at[phaseOf{s.Node, s.Phase}] = len(pieces)
		pieces = append(pieces, piece)
	}
	rest.jobs = trace.Between
	return append(pieces, rest.lessJobs())
}

// lessJobs takes the time of the jobs out of the serial time.
func (p simulatedPiece) lessJobs() simulatedPiece {
	for _, job := range p.jobs {
		p.serial -= total(job)
	}
	p.serial = max(p.serial, 0)
	return p
}

func total(times []time.Duration) time.Duration {
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	return sum
}

// with is the piece's time with a number of threads.
func (p simulatedPiece) with(threads int) time.Duration {
	sum := p.serial
	for _, job := range p.jobs {
		sum += parallel.Makespan(job, threads)
	}
	return sum
}

// simulate computes how long a step takes with numbers of threads. of returns the pieces as they are cut for so many,
// which come one after the other.
func simulate(threads []int, of func(threads int) ([]simulatedPiece, error)) (*Simulation, error) {
	step := func(pieces []simulatedPiece, threads int) (seconds float64) {
		for _, p := range pieces {
			seconds += p.with(threads).Seconds()
		}
		return seconds
	}
	alone, err := of(1)
	if err != nil {
		return nil, err
	}
	s := &Simulation{Seconds: step(alone, 1)}
	most, cutForMost := 1, alone
	for _, n := range threads {
		pieces := alone
		if n > 1 {
			if pieces, err = of(n); err != nil {
				return nil, err
			}
		}
		seconds := step(pieces, n)
		s.Threads = append(s.Threads, SimulatedThreads{n, seconds, s.Seconds / (float64(n) * seconds)})
		if n > most {
			most, cutForMost = n, pieces
		}
	}
	all := float64(most) * step(cutForMost, most)
	for _, p := range cutForMost {
		k := p.kernel(most)
		s.AllSerial += k.Serial
		k.Idle = (float64(most)*k.Seconds - k.Alone) / all
		s.Serial, s.Idle = append(s.Serial, k), append(s.Idle, k)
	}
	slices.SortStableFunc(s.Serial, func(a, b SimulatedKernel) int { return cmp.Compare(b.Serial, a.Serial) })
	slices.SortStableFunc(s.Idle, func(a, b SimulatedKernel) int { return cmp.Compare(b.Idle, a.Idle) })
	return s, nil
}

// kernel describes the piece, without its share of idle time.
func (p simulatedPiece) kernel(threads int) SimulatedKernel {
	k := SimulatedKernel{
		Layer: p.layer, Op: p.op, Phase: p.phase, Serial: p.serial.Seconds(),
		Alone: p.with(1).Seconds(), Seconds: p.with(threads).Seconds(),
	}
	var longest time.Duration
	for _, job := range p.jobs {
		if len(job) == 1 {
			k.Serial += job[0].Seconds()
		}
		if took := parallel.Makespan(job, threads); took > longest {
			longest, k.Tasks = took, len(job)
		}
		if len(job) > 0 {
			k.Longest = max(k.Longest, slices.Max(job).Seconds())
		}
	}
	return k
}
