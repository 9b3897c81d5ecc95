package machine

import (
	"bufio"
	"bytes"
	"cmp"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Bound is what limits the memory that this process can take without swapping or being ended for it.
type Bound struct {
	Of    string // whose limit it is, as in "ulimit -v is 2 GiB"
	Limit int64  // bytes
	Taken int64  // those that are in use, by whomever the limit is about; may be more than the limit
}

// Left is how many bytes the process can take.
func (b Bound) Left() int64 { return max(b.Limit-b.Taken, 0) }

// MemoryBound is the tightest bound: of what the system has, or of the process's control groups or its own limits
// where they leave less. It is not known everywhere.
func MemoryBound() (b Bound, known bool) { return memoryBound(os.DirFS("/")) }

func memoryBound(root fs.FS) (Bound, bool) {
	bounds := slices.Concat(systemBound(root), limitBounds(root), groupBounds(root))
	if len(bounds) == 0 {
		return Bound{}, false
	}
	return slices.MinFunc(bounds, func(a, b Bound) int { return cmp.Compare(a.Limit-a.Taken, b.Limit-b.Taken) }), true
}

// systemBound is the memory that the machine has, if it is known.
func systemBound(root fs.FS) []Bound {
	text, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return nil
	}
	total, available := kibibytes(field(text, "MemTotal:")), kibibytes(field(text, "MemAvailable:"))
	if available <= 0 {
		return nil
	}
	return []Bound{{"the system's memory", total, total - available}}
}

// runtimeReserve is what the runtime maps beyond what a program takes: whole arenas, stacks, tables.
const runtimeReserve = 192 << 20

// limitBounds are the limits of ulimit -v and ulimit -d: those that a batch system may set.
func limitBounds(root fs.FS) []Bound {
	var bounds []Bound
	limits, _ := fs.ReadFile(root, "proc/self/limits")
	status, _ := fs.ReadFile(root, "proc/self/status")
	for _, l := range []struct{ of, limit, use string }{
		{"ulimit -v", "Max address space", "VmSize:"},
		{"ulimit -d", "Max data size", "VmData:"},
	} {
		for line := range strings.Lines(string(limits)) {
			values, ok := strings.CutPrefix(line, l.limit)
			if !ok {
				continue
			}
			soft, _, _ := strings.Cut(strings.TrimSpace(values), " ")
			if limit, err := strconv.ParseInt(soft, 10, 64); err == nil { // else it is unlimited
				bounds = append(bounds, Bound{l.of, limit, kibibytes(field(status, l.use)) + runtimeReserve})
			}
		}
	}
	return bounds
}

// groupBounds are those of the process's control groups.
func groupBounds(root fs.FS) []Bound {
	var bounds []Bound
	membership, _ := fs.ReadFile(root, "proc/self/cgroup") // lines of "number:controllers:path"
	for line := range strings.Lines(string(membership)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch controllers := strings.Split(parts[1], ","); {
		case parts[0] == "0" && parts[1] == "": // version 2
			bounds = append(bounds,
				groupsFrom(root, "sys/fs/cgroup", parts[2], "memory.max", "memory.current", "inactive_file")...)
		case len(controllers) == 1 && controllers[0] == "memory":
			bounds = append(bounds, groupsFrom(root, "sys/fs/cgroup/memory", parts[2],
				"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")...)
		}
	}
	return bounds
}

// groupsFrom are the bounds of a control group and of those above it. A container may see its own group as the topmost,
// whatever the path says. Cached files give way, so they count as free.
func groupsFrom(root fs.FS, mount, group, limitFile, usageFile, cacheField string) []Bound {
	var bounds []Bound
	for {
		dir := path.Join(mount, group)
		limit, limited := readBytes(root, path.Join(dir, limitFile))
		used, known := readBytes(root, path.Join(dir, usageFile))
		if limited && known {
			stat, _ := fs.ReadFile(root, path.Join(dir, "memory.stat"))
			cached, _ := strconv.ParseInt(field(stat, cacheField), 10, 64)
			name := "the limit of the control group " + path.Join("/", group)
			bounds = append(bounds, Bound{name, limit, max(used-cached, 0)})
		}
		if path.Join("/", group) == "/" {
			return bounds
		}
		group = path.Dir(path.Join("/", group))
	}
}

// readBytes reads a file of one number; "max" is none.
func readBytes(root fs.FS, name string) (n int64, ok bool) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// field returns what follows name on the first line that begins with it, "" if none does.
func field(text []byte, name string) string {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == name {
			return strings.Join(words[1:], " ")
		}
	}
	return ""
}
