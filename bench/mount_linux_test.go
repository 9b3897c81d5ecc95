package bench

import "syscall"

// mount mounts a tmpfs on dir, or makes the one that is there read-only.
func mount(dir, options string, readOnly bool) error {
	if readOnly {
		return syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, options)
	}
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, options)
}

func unmount(dir string) error { return syscall.Unmount(dir, 0) }
