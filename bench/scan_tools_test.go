package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// accepted is a suite that an endpoint accepts in a version.
type accepted struct {
	version suite.Version
	suite   suite.Code
}

// acceptance is what an endpoint accepts.
type acceptance map[accepted]bool

func (p acceptance) add(version, name string) {
	v, err := suite.ParseVersion(version)
	if s := suite.ByName(name); err == nil && s != nil {
		p[accepted{v, s.Code}] = true
	}
}

// scanTool is a program that lists what an endpoint accepts.
type scanTool struct {
	name    string
	program string // as exec.LookPath takes it; "": parley, which the benchmark builds
	args    func(host, port string) []string
	read    func(output string) acceptance // what it says is accepted; everything else of it is ignored
}

var (
	parleyBasic = scanTool{name: "parley scan --basic", args: parleyArgs("--basic"), read: readParley}
	parleyFull  = scanTool{name: "parley scan", args: parleyArgs(), read: readParley}
	sslscan     = scanTool{"sslscan", "sslscan", func(host, port string) []string {
		return []string{"--no-colour", "--sni-name=" + testbed.HostName, net.JoinHostPort(host, port)}
	}, readSSLScan}
	nmap = scanTool{"nmap ssl-enum-ciphers", "nmap", func(host, port string) []string {
		return []string{"-Pn", "-n", "--script", "ssl-enum-ciphers", "--script-args", "tls.servername=" + testbed.HostName, "-p", port, host}
	}, readNmap}
	testssl = scanTool{"testssl -E", "testssl", func(host, port string) []string {
		return []string{"-E", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", net.JoinHostPort(host, port)}
	}, readTestSSL}
)

func parleyArgs(flags ...string) func(host, port string) []string {
	return func(host, port string) []string {
		return append([]string{"scan", net.JoinHostPort(host, port), "--sni", testbed.HostName, "--json"}, flags...)
	}
}

// hasBasic is whether this Parley has a scan of what sslscan reports; before it had, the full scan stands for it.
var hasBasic = sync.OnceValue(func() bool {
	path, err := builtParley()
	if err != nil {
		return false
	}
	help, err := exec.Command(path, "scan", "--help").Output()
	return err == nil && bytes.Contains(help, []byte("--basic"))
})

// path is the program to run; the benchmark is skipped where it is missing.
func (t *scanTool) path(b *testing.B) string {
	if t.program == "" {
		if t.name == parleyBasic.name && !hasBasic() {
			b.Skipf("there is no %s yet", t.name)
		}
		return parley(b)
	}
	return need(b, t.program)
}

// maxScan is how long a scan of one endpoint may take before it is given up.
const maxScan = 3 * time.Minute

// scan runs the tool once and returns what it took and found.
func (t *scanTool) scan(b *testing.B, addr string) (wall, processor time.Duration, found acceptance) {
	b.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), maxScan)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.path(b), t.args(host, port)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second
	start := time.Now()
	if err := cmd.Run(); err != nil && (!exited(err) || ctx.Err() != nil) {
		b.Fatalf("%s: %v\n%s", t.name, err, &errs)
	}
	wall = time.Since(start)
	found = t.read(out.String())
	if len(found) == 0 {
		b.Errorf("%s found nothing: exit code %d\n%.300s\n%.300s", t.name, cmd.ProcessState.ExitCode(), &out, &errs)
	}
	return wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), found
}

// readParley reads a document of `parley scan --json`.
func readParley(output string) acceptance {
	var r struct {
		Ciphers []struct {
			Version string
			Ciphers []struct{ Cipher struct{ IANA string } }
		}
	}
	if json.Unmarshal([]byte(output), &r) != nil {
		return nil
	}
	p := make(acceptance)
	for _, l := range r.Ciphers {
		for _, c := range l.Ciphers {
			p.add(l.Version, c.Cipher.IANA)
		}
	}
	return p
}

var sslscanLine = regexp.MustCompile(`(?m)^(?:Preferred|Accepted)\s+(\S+)\s+\d+ bits\s+(\S+)`)

func readSSLScan(output string) acceptance {
	p := make(acceptance)
	for _, m := range sslscanLine.FindAllStringSubmatch(output, -1) {
		p.add(m[1], m[2])
	}
	return p
}

var nmapLine = regexp.MustCompile(`(?m)^\|[ _]+(?:(TLSv1\.\d|SSLv3): *$|(TLS_\w+))`)

// readNmap knows that nmap has names of its own for the suites of TLS 1.3: TLS_AKE_WITH_AES_128_GCM_SHA256.
func readNmap(output string) acceptance {
	p := make(acceptance)
	version := ""
	for _, m := range nmapLine.FindAllStringSubmatch(output, -1) {
		if m[1] != "" {
			version = m[1]
		} else {
			p.add(version, strings.Replace(m[2], "TLS_AKE_WITH_", "TLS_", 1))
		}
	}
	return p
}

var testsslLine = regexp.MustCompile(`(?m)^(?:(SSLv3|TLS 1(?:\.\d)?)\b| x[0-9a-f]+ .* ((?:TLS|SSL)_\w+) *$)`)

func readTestSSL(output string) acceptance {
	p := make(acceptance)
	version := ""
	for _, m := range testsslLine.FindAllStringSubmatch(output, -1) {
		if m[1] != "" {
			version = strings.Replace(m[1], "TLS ", "TLSv", 1)
			if version == "TLSv1" {
				version = suite.TLS10.String()
			}
		} else {
			p.add(version, m[2])
		}
	}
	return p
}
