package slurm

import (
	"fmt"
	"strconv"
	"strings"
)

// Options are what a task asks of Slurm. What is empty, Slurm decides; whatever else a cluster
// wants to know (account, QOS, constraint) sbatch takes from its own SBATCH_… variables.
type Options struct {
	Partition string
	Time      string // the limit of a task, as sbatch's --time: minutes, H:MM:SS, D-HH:MM
	CPUs      int    // 0: one
	Memory    string // as sbatch's --mem: 12G
	Limit     int    // tasks of an array that run at the same time; 0: no limit
}

// notice is how many seconds before its time limit a task is told: enough to write a checkpoint.
const notice = 120

// arguments are sbatch's for an array of these tasks. logs is the folder of what they print.
func (o Options) arguments(name, logs string, indices []int, after string) []string {
	args := []string{
		"--job-name=" + name,
		"--array=" + indexList(indices, o.Limit),
		"--nodes=1", "--ntasks=1", fmt.Sprintf("--cpus-per-task=%d", max(o.CPUs, 1)),
		"--requeue", fmt.Sprintf("--signal=B:TERM@%d", notice),
		"--open-mode=append", "--output=" + strings.ReplaceAll(logs, "%", "%%") + "/%A_%a.log",
	}
	if o.Partition != "" {
		args = append(args, "--partition="+o.Partition)
	}
	if o.Time != "" {
		args = append(args, "--time="+o.Time)
	}
	if o.Memory != "" {
		args = append(args, "--mem="+o.Memory)
	}
	if after != "" {
		args = append(args, "--dependency=afterok:"+after, "--kill-on-invalid-dep=yes")
	}
	return args
}

// indexList is sbatch's way to write ascending indices: "0-3,7%2".
func indexList(indices []int, limit int) string {
	var ranges []string
	for i := 0; i < len(indices); {
		j := i
		for j+1 < len(indices) && indices[j+1] == indices[j]+1 {
			j++
		}
		part := strconv.Itoa(indices[i])
		if j > i {
			part += "-" + strconv.Itoa(indices[j])
		}
		ranges = append(ranges, part)
		i = j + 1
	}
	list := strings.Join(ranges, ",")
	if limit > 0 {
		list += fmt.Sprintf("%%%d", limit)
	}
	return list
}
