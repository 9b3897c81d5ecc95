package machine

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestMemoryBound(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	limits := func(data, addresses string) *fstest.MapFile {
		return file("Limit                     Soft Limit           Hard Limit           Units     \n" +
			"Max data size             " + data + "            unlimited            bytes     \n" +
			"Max address space         " + addresses + "           4000000000           bytes     \n")
	}
	status := file("Name:\treidbench\nVmSize:\t   100000 kB\nVmData:\t    50000 kB\n")
	meminfo := file("MemTotal:       32768 kB\nMemFree:          10 kB\nMemAvailable:   16384 kB\n")
	system := Bound{"the system's memory", 32 << 20, 16 << 20}
	for _, test := range []struct {
		name string
		fs   fstest.MapFS
		want Bound
	}{
		{"nothing known", fstest.MapFS{}, Bound{}},
		{"no control group", fstest.MapFS{"proc/meminfo": meminfo}, system},
		{"version 2", fstest.MapFS{
			"proc/meminfo":                             meminfo,
			"proc/self/cgroup":                         file("0::/slurm/job_7\n"),
			"sys/fs/cgroup/slurm/job_7/memory.max":     file("max\n"),
			"sys/fs/cgroup/slurm/job_7/memory.current": file("1000\n"),
			"sys/fs/cgroup/slurm/memory.max":           file("9000000\n"),
			"sys/fs/cgroup/slurm/memory.current":       file("4000000\n"),
			"sys/fs/cgroup/slurm/memory.stat":          file("anon 1\ninactive_file 3000000\n"),
		}, Bound{"the limit of the control group /slurm", 9000000, 1000000}},
		{"version 2, the group is the container's topmost", fstest.MapFS{
			"proc/meminfo":                 meminfo,
			"proc/self/cgroup":             file("0::/docker/abc\n"),
			"sys/fs/cgroup/memory.max":     file("5000000\n"),
			"sys/fs/cgroup/memory.current": file("6000000\n"),
			"sys/fs/cgroup/memory.stat":    file("inactive_file 0\n"),
		}, Bound{"the limit of the control group /", 5000000, 6000000}},
		{"version 1", fstest.MapFS{
			"proc/meminfo":     meminfo,
			"proc/self/cgroup": file("12:cpuset:/a\n3:memory:/a\n"),
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": file("7000000\n"),
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes": file("3000000\n"),
			"sys/fs/cgroup/memory/a/memory.stat":           file("total_inactive_file 500000\n"),
		}, Bound{"the limit of the control group /a", 7000000, 2500000}},
		{"unlimited", fstest.MapFS{
			"proc/meminfo": meminfo, "proc/self/limits": limits("unlimited", "unlimited"), "proc/self/status": status,
		}, system},
		{"ulimit -v", fstest.MapFS{
			"proc/self/limits": limits("unlimited", "900000000"), "proc/self/status": status,
		}, Bound{"ulimit -v", 900000000, 100000<<10 + runtimeReserve}},
		{"ulimit -d", fstest.MapFS{
			"proc/self/limits": limits("800000000", "1900000000"), "proc/self/status": status,
		}, Bound{"ulimit -d", 800000000, 50000<<10 + runtimeReserve}},
		{"ulimit -v that is used up", fstest.MapFS{
			"proc/meminfo": meminfo, "proc/self/limits": limits("unlimited", "110000000"), "proc/self/status": status,
		}, Bound{"ulimit -v", 110000000, 100000<<10 + runtimeReserve}},
		{"a limit above the machine's memory", fstest.MapFS{
			"proc/meminfo":                 meminfo,
			"proc/self/cgroup":             file("0::/\n"),
			"sys/fs/cgroup/memory.max":     file("9223372036854771712\n"),
			"sys/fs/cgroup/memory.current": file("6000000\n"),
		}, system},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, known := memoryBound(test.fs)
			if diff := cmp.Diff(test.want, got); diff != "" || known != (test.want != Bound{}) {
				t.Errorf("known: %v, (-want +got):\n%s", known, diff)
			}
		})
	}
}
