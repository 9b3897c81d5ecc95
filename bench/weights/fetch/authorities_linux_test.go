package fetch

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestAuthorities: a system without certificates has those that the program brings. They are read once in a process,
// so this takes another.
func TestAuthorities(t *testing.T) {
	const there = "REIDBENCH_TEST_NO_CERTIFICATES"
	if os.Getenv(there) != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			t.Fatal(err)
		}
		if pool.Equal(x509.NewCertPool()) {
			t.Error("nobody is trusted")
		}
		return
	}
	none := filepath.Join(t.TempDir(), "none")
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestAuthorities$")
	command.Env = append(os.Environ(), there+"=1", "SSL_CERT_FILE="+none, "SSL_CERT_DIR="+none)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
