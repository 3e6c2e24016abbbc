package suite_test

import (
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestAgainstOldOpenSSL asks the OpenSSL inside old Node.js for every suite by its name there, and reads off
// the wire which code it means. 1.0.1 and 1.0.2 have names that later releases dropped or changed.
func TestAgainstOldOpenSSL(t *testing.T) {
	for _, n := range []struct {
		version, openssl string
		least            int // suites that its hellos must show
	}{{"0.10", "1.0.1", 60}, {"8", "1.0.2", 75}, {"10", "1.1.1", 25}, {"18", "3.0", 25}, {"24", "3.5", 25}} {
		t.Run(n.version, func(t *testing.T) {
			bins, _ := filepath.Glob(filepath.Join(testbed.Root(t), ".peers/node", n.version+".*", "bin/node"))
			if len(bins) == 0 {
				testbed.Missing(t, "Node.js "+n.version)
			}
			node := bins[len(bins)-1]
			var names []string
			ask(t, &names, node, "-e", "console.log(JSON.stringify(require('tls').getCiphers()))")
			var specs []string
			for _, name := range names {
				if suite.ByName(name) == nil {
					t.Errorf("OpenSSL %s has %s, which is unknown here", n.openssl, name)
				}
				spec := strings.ToUpper(name)
				if n.openssl > "1.1" {
					spec += ":@SECLEVEL=0"
				}
				specs = append(specs, spec)
			}
			list, err := json.Marshal(specs)
			if err != nil {
				t.Fatal(err)
			}
			var answers []string
			ask(t, &answers, node, filepath.Join(testbed.Root(t), "cipherlist/testdata/hello.js"), string(list))
			seen := 0
			for i, name := range names {
				offered := offeredSuites(t, answers[i])
				if len(offered) == 0 { // PSK and SRP need a secret, static DH is no client's
					continue
				}
				seen++
				if s := suite.ByName(name); s != nil && (len(offered) != 1 || offered[0] != s.Code) {
					t.Errorf("%s: OpenSSL %s offers %v, ours is %s", name, n.openssl, offered, s.Code)
				}
			}
			t.Logf("OpenSSL %s: %d names, %d of them seen on the wire", n.openssl, len(names), seen)
			if seen < n.least {
				t.Errorf("%d suites seen on the wire, want %d", seen, n.least)
			}
		})
	}
}

// ask runs a program that prints JSON.
func ask(t *testing.T, answer any, program string, args ...string) {
	t.Helper()
	out, err := exec.Command(program, args...).Output()
	if err == nil {
		err = json.Unmarshal(out, answer)
	}
	if err != nil {
		t.Fatalf("%s: %v: %.200q", program, err, out)
	}
}

// offeredSuites reads the suites before TLS 1.3 off a hello in hex; none where there was no hello.
func offeredSuites(t *testing.T, answer string) []suite.Code {
	t.Helper()
	raw, err := hex.DecodeString(answer)
	if err != nil {
		return nil
	}
	h, err := hello.ParseClientHello(raw)
	if err != nil {
		t.Fatal(err)
	}
	var l []suite.Code
	for _, c := range h.Offer().Suites {
		if s := suite.ByCode(c); s == nil || s.MinVersion < suite.TLS13 {
			l = append(l, c)
		}
	}
	return l
}
