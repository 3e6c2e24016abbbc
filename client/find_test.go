package client

import (
	"strings"
	"testing"
)

// TestResolve: what people type, and which profile it stands for.
func TestResolve(t *testing.T) {
	for _, c := range []struct{ name, want, why string }{
		{"java-7u25", "java-7u25", ""},
		{"Chrome-137", "chrome-137", ""},
		{"java-8", "java-8", ""},
		{"ie11-win7", "ie11-win7", ""},
		{"openssl-1.0.1", "openssl-1.0.1l", "line"},
		{"openssl-1.1.1", "openssl-1.1.1w", "line"},
		{"openssl-3.0", "openssl-3.0.20", "line"},
		{"curl-8", "curl-8.23", "line"},
		{"aws-cli-2", "aws-cli-2.23", "line"},
		{"gnutls-3.7", "gnutls-3.7.9", "line"},
		{"java8", "java-8", "another name"},
		{"jdk-17", "java-17", "another name"},
		{"node 18", "nodejs-18", "another name"},
		{"openssl 1.1.1", "openssl-1.1.1w", "line"},
		{"Windows-XP", "ie8-winxp", "another name"},
		{"java", "java-25", "newest profile of that client"},
		{"node", "nodejs-26", "newest profile of that client"},
		{"python-3.12", "python-3.11", "nearest"},
		{"nodejs-21", "nodejs-20", "nearest"},
	} {
		p, why, err := Resolve(c.name)
		if err != nil || p.Name != c.want || why == "" != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("Resolve(%q) = %v, %q, %v; want %s, %q", c.name, p, why, err, c.want, c.why)
		}
	}
	for name, near := range map[string]string{"java-7u26": "java-7u25", "curl-99": "", "nodejs-99": "", "opensl-1.0.1": "openssl-1.0.1", "": "", "-": "", "9": ""} {
		if p, _, err := Resolve(name); err == nil || !strings.Contains(err.Error(), near) {
			t.Errorf("Resolve(%q) = %v, %v; want an error that names %s", name, p, err, near)
		}
	}
}
