//go:build !windows

package measure

import "time"

// Now is [time.Now].
func Now() time.Time { return time.Now() }
