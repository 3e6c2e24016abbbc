package testbed

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// DHParameters writes the parameters of a finite-field group of RFC 7919 or RFC 3526, as OpenSSL names it
// (ffdhe2048, modp_1536), to a PEM file and returns its path.
func DHParameters(t testing.TB, group string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), group+".pem")
	cmd := exec.Command(Need(t, "openssl"), "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", fmt.Sprint("group:", group), "-out", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl genpkey: %v\n%s", err, out)
	}
	return path
}
