package testbed

import (
	"embed"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

//go:embed programs
var programs embed.FS

// program writes one of the embedded programs to disk, once per process.
func program(t testing.TB, name string) string {
	t.Helper()
	base, err := dir()
	if err != nil {
		t.Fatal(err)
	}
	programsMu.Lock()
	defer programsMu.Unlock()
	path := filepath.Join(base, name)
	if !written[path] {
		text, err := programs.ReadFile("programs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, string(text))
		written[path] = true
	}
	return path
}

var (
	programsMu sync.Mutex
	written    = make(map[string]bool)
	compiled   = sync.OnceValues(func() (string, error) { // the source's folder is set by javaClasses
		cmd := exec.Command("javac", "-d", filepath.Dir(javaSource), javaSource)
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("javac: %w\n%s", err, out)
		}
		return filepath.Dir(javaSource), err
	})
	javaSource string
)

// javaClasses compiles Peer.java and returns the folder with its class.
func javaClasses(t testing.TB) string {
	t.Helper()
	Need(t, "java")
	Need(t, "javac")
	source := program(t, "Peer.java")
	programsMu.Lock()
	javaSource = source
	programsMu.Unlock()
	path, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// javaProperties writes a security properties file that replaces those lines of java.security, and returns
// the arguments of java before the class name. An empty value switches everything on.
func javaArguments(t testing.TB, name string, security map[string]string, groups string) []string {
	t.Helper()
	classes := javaClasses(t)
	var b strings.Builder
	for k, v := range security {
		fmt.Fprintf(&b, "%s=%s\n", k, v)
	}
	path := writeFile(t, filepath.Join(classes, name+".properties"), b.String())
	// A short life needs no optimising compiler.
	args := []string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Djava.security.properties=" + path, "-cp", classes}
	if groups != "" {
		args = append(args, "-Djdk.tls.namedGroups="+groups)
	}
	return args
}

// javaEverything switches on what java.security switches off.
var javaEverything = map[string]string{"jdk.tls.disabledAlgorithms": "", "jdk.certpath.disabledAlgorithms": "", "jdk.tls.legacyAlgorithms": ""}

func startJava(t testing.TB, c *Config, port int) *Server {
	var versions, suites, groups []string
	for _, v := range c.Policy.Versions {
		versions = append(versions, javaVersion(v))
	}
	for _, s := range c.Policy.Suites {
		suites = append(suites, s.Name())
	}
	named := c.Policy.Groups
	if len(c.JavaGroups) > 0 {
		named = c.JavaGroups
	}
	for _, g := range named {
		groups = append(groups, g.String())
	}
	alpn, auth, ca := "-", "-", "-"
	if l := c.Policy.ALPN.Protocols; len(l) > 0 {
		alpn, c.Policy.ALPN.Strict = strings.Join(l, ","), true
	}
	if c.Policy.ClientAuth != policy.ClientAuthNone {
		auth, ca = string(c.Policy.ClientAuth), c.ClientCA
	}
	args := append(javaArguments(t, fmt.Sprint("server-", port), javaEverything, strings.Join(groups, ",")), "-Djdk.tls.ephemeralDHKeySize=2048",
		"-Djdk.tls.server.enableSessionTicketExtension=false", "Peer", "server", fmt.Sprint(port), strings.Join(versions, ","),
		strings.Join(suites, ","), string(c.Policy.Order), alpn, auth, ca)
	c.Policy.DHBits = 2048
	for _, id := range c.Identities {
		algorithm := map[policy.KeyType]string{policy.RSA: "RSA", policy.ECDSA: "EC", policy.Ed25519: "Ed25519"}[id.Describe.KeyType]
		args = append(args, algorithm, id.Cert, id.Key)
	}
	return run(t, port, nil, Need(t, "java"), args...)
}

// javaVersion is JSSE's name of a version: SSLv3, TLSv1, TLSv1.1 …
func javaVersion(v suite.Version) string { return strings.TrimSuffix(v.String(), ".0") }
