package machine

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// AvailableMemory is how many bytes this process can take without swapping or being ended for
// it: what the system has available, or what the process's control groups or its own limits leave it where that
// is less. It is 0 where none is known, and never where one is.
func AvailableMemory() int64 { return availableMemory(os.DirFS("/")) }

func availableMemory(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	if text, err := fs.ReadFile(root, "proc/meminfo"); err == nil {
		if n := kibibytes(field(text, "MemAvailable:")); n > 0 {
			least = n
		}
	}
	least = min(least, limitedMemory(root))
	membership, _ := fs.ReadFile(root, "proc/self/cgroup") // lines of "number:controllers:path"
	for line := range strings.Lines(string(membership)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch controllers := strings.Split(parts[1], ","); {
		case parts[0] == "0" && parts[1] == "": // version 2
			least = min(least,
				groupMemory(root, "sys/fs/cgroup", parts[2], "memory.max", "memory.current", "inactive_file"))
		case len(controllers) == 1 && controllers[0] == "memory":
			least = min(least, groupMemory(root, "sys/fs/cgroup/memory", parts[2],
				"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return max(least, 1)
}

// runtimeReserve is what the runtime maps beyond what a program takes: whole arenas, stacks, tables.
const runtimeReserve = 192 << 20

// limitedMemory is what the limits of ulimit -v and ulimit -d leave the process: those that a batch system may set.
func limitedMemory(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	limits, _ := fs.ReadFile(root, "proc/self/limits")
	status, _ := fs.ReadFile(root, "proc/self/status")
	for _, l := range []struct{ limit, use string }{{"Max address space", "VmSize:"}, {"Max data size", "VmData:"}} {
		for line := range strings.Lines(string(limits)) {
			values, ok := strings.CutPrefix(line, l.limit)
			if !ok {
				continue
			}
			soft, _, _ := strings.Cut(strings.TrimSpace(values), " ")
			if limit, err := strconv.ParseInt(soft, 10, 64); err == nil { // else it is unlimited
				least = min(least, max(limit-kibibytes(field(status, l.use))-runtimeReserve, 0))
			}
		}
	}
	return least
}

// groupMemory is the least that a control group and those above it leave. A container may see its
// own group as the topmost, whatever the path says. Cached files give way, so they count as free.
func groupMemory(root fs.FS, mount, group, limitFile, usageFile, cacheField string) int64 {
	least := int64(math.MaxInt64)
	for {
		dir := path.Join(mount, group)
		limit, limited := readBytes(root, path.Join(dir, limitFile))
		used, known := readBytes(root, path.Join(dir, usageFile))
		if limited && known {
			stat, _ := fs.ReadFile(root, path.Join(dir, "memory.stat"))
			cached, _ := strconv.ParseInt(field(stat, cacheField), 10, 64)
			least = min(least, max(limit-max(used-cached, 0), 0))
		}
		if path.Join("/", group) == "/" {
			return least
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
