package scan

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/parley-tls/parley/testbed"
)

// TestBoringSSL: Bun serves with BoringSSL, which has a clock in its random and whose tickets come with its first
// answer.
func TestBoringSSL(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	programs, _ := filepath.Glob(filepath.Join(testbed.Root(t), ".peers", "bun", "*", "bin", "bun"))
	if len(programs) == 0 {
		t.Skip("Bun is missing: its program goes to .peers/bun/<version>/bin/bun")
	}
	for _, bun := range programs {
		t.Run(filepath.Base(filepath.Dir(filepath.Dir(bun))), func(t *testing.T) {
			port := testbed.FreePort(t)
			script := filepath.Join(t.TempDir(), "server.mjs")
			text := fmt.Sprintf(`import fs from "node:fs";
Bun.serve({port: %d, hostname: "127.0.0.1", tls: {key: fs.readFileSync(%q), cert: fs.readFileSync(%q)}, fetch() { return new Response("ok"); }});`, port, id.Key, id.Cert)
			if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			f := learnt(t, testbed.Run(t, port, bun, "run", script))
			expect(t, "PSK", f.PSK.Feature, Yes)
			expect(t, "PSK resumes", f.PSK.Resumes, Yes)
			expect(t, "tickets", f.SessionTickets.Feature, Yes)
			if expect(t, "clock", f.Clock.Feature, Yes); f.Clock.SkewSeconds < -2 || f.Clock.SkewSeconds > 2 {
				t.Errorf("%+v", f.Clock)
			}
		})
	}
}
