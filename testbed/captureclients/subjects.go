package main

import (
	"path/filepath"
	"strings"
)

// The rules of OpenSSL's default security level 1 (2 in Debian's builds): keys below 1024 (2048) bits and,
// in Debian's, SHA-1 are refused (SSL_CTX_set_security_level(3)).
const (
	level1 = "accepts-min-rsa 1024\naccepts-min-dh 1024\naccepts-min-ec 160\n"
	level2 = "accepts-min-version TLSv1.2\naccepts-min-rsa 2048\naccepts-min-dh 2048\naccepts-min-ec 224\naccepts-no-digest MD5 SHA1\naccepts-only-secure-renegotiation\n"
)

// nodes are the releases of Node.js: the release line, when it came out, its OpenSSL, and the rules of its
// default security level and minimum version.
var nodes = []struct{ line, released, library, rules string }{
	{"0.10", "2013-03", "OpenSSL 1.0.1", ""},
	{"0.12", "2015-02", "OpenSSL 1.0.1", ""},
	{"4", "2015-09", "OpenSSL 1.0.2", "accepts-min-dh 768\n"},
	{"6", "2016-04", "OpenSSL 1.0.2", "accepts-min-dh 1024\n"},
	{"8", "2017-05", "OpenSSL 1.0.2", "accepts-min-dh 1024\n"},
	{"10", "2018-04", "OpenSSL 1.1.1", "accepts-min-version TLSv1.0\n" + level1},
	{"12", "2019-04", "OpenSSL 1.1.1", "accepts-min-version TLSv1.2\n" + level1},
	{"14", "2020-04", "OpenSSL 1.1.1", "accepts-min-version TLSv1.2\n" + level1},
	{"16", "2021-04", "OpenSSL 1.1.1", "accepts-min-version TLSv1.2\n" + level1},
	{"18", "2022-04", "OpenSSL 3.0", "accepts-min-version TLSv1.2\naccepts-only-secure-renegotiation\n" + level1},
	{"20", "2023-04", "OpenSSL 3.0", "accepts-min-version TLSv1.2\naccepts-only-secure-renegotiation\n" + level1},
	{"22", "2024-04", "OpenSSL 3.0", "accepts-min-version TLSv1.2\naccepts-only-secure-renegotiation\n" + level1},
	{"24", "2025-05", "OpenSSL 3.5", "accepts-min-version TLSv1.2\naccepts-only-secure-renegotiation\naccepts-min-rsa 2048\naccepts-min-dh 2048\naccepts-min-ec 224\naccepts-no-digest MD5 SHA1\n"},
	{"26", "2026-04", "OpenSSL 3.5", "accepts-min-version TLSv1.2\naccepts-only-secure-renegotiation\naccepts-min-rsa 2048\naccepts-min-dh 2048\naccepts-min-ec 224\naccepts-no-digest MD5 SHA1\n"},
}

// golangs are releases of Go that its toolchain switch can fetch.
var golangs = []struct{ version, released, rules string }{
	{"1.21.13", "2023-08", "accepts-min-version TLSv1.2\naccepts-no-digest MD5 SHA1\n"},
	{"1.22.12", "2024-02", "accepts-min-version TLSv1.2\naccepts-no-digest MD5 SHA1\n"},
	{"1.23.12", "2024-08", "accepts-min-version TLSv1.2\naccepts-no-digest MD5 SHA1\n"},
	{"1.24.13", "2025-02", "accepts-min-version TLSv1.2\naccepts-no-digest MD5 SHA1\naccepts-min-rsa 1024\n"},
}

const nodeScript = "var s=require('tls').connect({port:PORT,host:'HOST',servername:'NAME',rejectUnauthorized:false});s.on('error',function(){})"

func subjects(root string) []subject {
	var l []subject
	for _, n := range nodes {
		matches, _ := filepath.Glob(filepath.Join(root, ".peers", "node", n.line+".*", "bin", "node"))
		path := "node of " + n.line
		if len(matches) > 0 {
			path = matches[len(matches)-1]
		}
		l = append(l, subject{name: "nodejs-" + n.line, title: "Node.js " + n.line, family: "nodejs", library: n.library,
			released: n.released, command: []string{path, "-e", nodeScript}, rules: n.rules})
	}
	for _, g := range golangs {
		minor := g.version[:strings.LastIndex(g.version, ".")]
		l = append(l, subject{name: "go-" + minor, title: "Go " + minor, family: "go", library: "crypto/tls", released: g.released,
			command: []string{"go", "run", "DIR/goclient/main.go", "ADDR", "NAME"}, env: []string{"GOTOOLCHAIN=go" + g.version}, rules: g.rules})
	}
	return append(l,
		subject{name: "go-1.26", title: "Go 1.26", family: "go", library: "crypto/tls", released: "2026-02",
			command: []string{"go", "run", "DIR/goclient/main.go", "ADDR", "NAME"}, env: []string{"GOTOOLCHAIN=local"},
			rules: "accepts-min-version TLSv1.2\naccepts-no-digest MD5 SHA1\naccepts-min-rsa 1024\n"},
		subject{name: "openssl-3.0-debian12", title: "OpenSSL 3.0 (Debian 12)", family: "openssl", library: "OpenSSL 3.0", released: "2023-06",
			command: []string{"openssl", "s_client", "-connect", "ADDR", "-servername", "NAME"}, rules: level2},
		subject{name: "curl-7.88-debian12", title: "curl 7.88 (Debian 12, OpenSSL 3.0)", family: "curl", library: "OpenSSL 3.0", released: "2023-06",
			command: []string{"curl", "-sk", "--max-time", "5", "--resolve", "NAME:PORT:HOST", "https://NAME:PORT/"}, rules: level2},
		subject{name: "wget-1.21-debian12", title: "wget 1.21 (Debian 12, GnuTLS 3.7)", family: "wget", library: "GnuTLS 3.7", released: "2023-06",
			command: []string{"wget", "-q", "-O", "-", "--no-check-certificate", "--tries=1", "--timeout=5", "https://localhost:PORT/"},
			rules:   "accepts-min-version TLSv1.2\naccepts-min-rsa 2048\naccepts-no-digest MD5 SHA1\n"},
		subject{name: "gnutls-3.7", title: "GnuTLS 3.7 (NORMAL)", family: "gnutls", library: "GnuTLS 3.7", released: "2021-03",
			command: []string{"gnutls-cli", "--insecure", "--sni-hostname", "NAME", "-p", "PORT", "HOST"},
			rules:   "accepts-min-version TLSv1.2\naccepts-min-rsa 2048\naccepts-no-digest MD5 SHA1\n"},
		subject{name: "gnutls-legacy", title: "GnuTLS 3.7 (priority LEGACY)", family: "gnutls-legacy", library: "GnuTLS 3.7", released: "2021-03",
			command: []string{"gnutls-cli", "--insecure", "--sni-hostname", "NAME", "--priority", "LEGACY", "-p", "PORT", "HOST"}},
		subject{name: "python-3.11", title: "Python 3.11 (ssl)", family: "python", library: "OpenSSL", released: "2022-10",
			command: []string{"python3", "-c", pythonScript}, rules: "accepts-min-version TLSv1.2\naccepts-only-secure-renegotiation\naccepts-min-rsa 2048\naccepts-min-dh 2048\naccepts-no-digest MD5 SHA1\n"},
		subject{name: "java-17", title: "OpenJDK 17", family: "java", library: "JSSE", released: "2025-04",
			command: []string{"java", "DIR/JavaClient.java", "HOST", "PORT", "NAME"}, rules: "accepts-min-version TLSv1.2\naccepts-min-rsa 1024\naccepts-min-dh 1024\naccepts-min-ec 224\naccepts-no-digest MD5 SHA1\n"},
	)
}

const pythonScript = `
import socket, ssl
c = ssl.create_default_context()
c.wrap_socket(socket.create_connection(("HOST", PORT)), server_hostname="NAME")
`
