package main

import "regexp"

// released matches the versions that .ci/release builds. What Go calls a build of anything else has more to it.
var released = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-rc\.[0-9]+)?$`)

// imageOf is the container image of a version of the program; "" if it is no release.
func imageOf(version string) string {
	if !released.MatchString(version) {
		return ""
	}
	return "ghcr.io/reidbench/reidbench:" + version
}
