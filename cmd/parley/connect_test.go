package main

import (
	"bytes"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// liveServers are the servers of the scripts in testdata/live, by the variable that holds their address.
func liveServers(t *testing.T) map[string]string {
	rsa, ec, ours := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256), testbed.Make(t, testbed.P384)
	strict := testbed.ForPolicy(policy.ByName("TLS13-1-2-Res-2021-06"), testbed.HAProxy)
	listener := testbed.ForPolicy(policy.ByName("TLS13-1-2-2021-06"), testbed.OpenSSL)
	mutual := listener
	mutual.Policy.ClientAuth, mutual.ClientCA = policy.ClientAuthRequired, ours.CA
	old := testbed.Config{Kind: testbed.OpenSSL, Policy: policy.Policy{Versions: []suite.Version{suite.TLS12}, Suites: []suite.Code{0xC02F},
		Order: policy.ServerOrder, Schemes: []suite.SignatureScheme{suite.RSAPKCS1SHA1}}}
	for _, c := range []testbed.Config{strict, listener} {
		if name, ok := c.Installed(t); !ok {
			testbed.Missing(t, name)
		}
	}
	return map[string]string{
		"STRICT":   testbed.Start(t, strict.With(rsa)).Addr,
		"LISTENER": testbed.Start(t, listener.With(rsa)).Addr,
		"MUTUAL":   testbed.Start(t, mutual.With(ec)).Addr,
		"SHA1":     testbed.Start(t, old.With(rsa)).Addr,
		"CA":       rsa.CA, "EC_CA": ec.CA,
		"CLIENT_CERT": ours.Cert, "CLIENT_KEY": ours.Key, "OTHER_CERT": rsa.Cert, "OTHER_KEY": rsa.Key,
		"NAME": testbed.HostName,
	}
}

// TestLiveScripts runs the command-line tests in testdata/live against real servers.
func TestLiveScripts(t *testing.T) {
	servers := liveServers(t)
	testscript.Run(t, testscript.Params{Dir: "testdata/live", Setup: func(e *testscript.Env) error {
		for name, value := range servers {
			e.Setenv(name, value)
		}
		return nil
	}})
}

// TestConnectJSON validates documents of every kind of outcome against the published schema.
func TestConnectJSON(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/connect.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	servers := liveServers(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	expired := testbed.Make(t, testbed.RSAExpired)
	old, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{expired.TLS}, MaxVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	go func() {
		for c, err := old.Accept(); err == nil; c, err = old.Accept() {
			go func() { c.Read(make([]byte, 1)); c.Close() }()
		}
	}()
	for _, c := range []struct {
		args string
		want string // of the outcome
	}{
		{"$LISTENER --servername $NAME --ca-file $CA --showcerts --alpn h2", "negotiated"},
		{"$LISTENER --tls1_2 --cipher 0xC028", "negotiated"},
		{"$LISTENER --tls1_1", "refused"},
		{"$LISTENER --ca-file $EC_CA", "refused"},
		{old.Addr().String() + " --verify --servername " + testbed.HostName, "refused"},
		{"$MUTUAL", "refused"},
		{"$MUTUAL --cert $CLIENT_CERT --key $CLIENT_KEY", "negotiated"},
		{"$MUTUAL --cert $OTHER_CERT --key $OTHER_KEY", "refused"},
		{"$LISTENER --cipher PSK-AES128-CBC-SHA", "refused"},
		{"$LISTENER --starttls smtp --timeout 300ms", "refused"},
		{"127.0.0.1:1", "unreachable"},
		{silent.Addr().String() + " --timeout 100ms", "unreachable"},
		{"nosuch..invalid", "unreachable"},
	} {
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetArgs(append(append([]string{"connect"}, strings.Fields(os.Expand(c.args, func(n string) string { return servers[n] }))...), "--json"))
		_ = root.Execute() // a failure carries an exit code
		text := out.String()
		doc, err := jsonschema.UnmarshalJSON(&out)
		if err != nil {
			t.Errorf("%s: %v\n%s", c.args, err, text)
			continue
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", c.args, err)
		}
		if got := doc.(map[string]any)["outcome"]; got != c.want {
			t.Errorf("%s: outcome %v, want %s\n%s", c.args, got, c.want, text)
		}
	}
}

// TestConnectBadInput: every fault of the user's has one line that names it.
func TestConnectBadInput(t *testing.T) {
	d := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(d, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	id, other := testbed.Make(t, testbed.P256), testbed.Make(t, testbed.P384)
	empty := file("empty.pem", "")
	sealed := file("sealed.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	garbled := file("garbled.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	for _, c := range []struct{ args, want string }{
		{"", "name one endpoint"},
		{"a b", "name one endpoint"},
		{"127.0.0.1:0", "the port must be a number from 1 to 65535"},
		{"h --version TLSv1.4", `--version: unknown protocol version "TLSv1.4"`},
		{"h --version SSLv2", "a hello of it is not made here"},
		{"h -tls1_2", "options take two dashes here"},
		{"h --cipher ECDHE-RSA-AES129-SHA", `did you mean ECDHE-RSA-AES128-SHA`},
		{"h --cipher 0xC02F:AES128-SHA", "name suites either by code"},
		{"h --cipher 0xZZ", "no code of a cipher suite"},
		{"h --cipher @FOO", "after @ comes STRENGTH or SECLEVEL=n"},
		{"h --ciphersuites TLS_AES_127_GCM_SHA256", "did you mean TLS_AES_128_GCM_SHA256"},
		{"h --ciphersuites AES128-SHA", "no suite of TLS 1.3"},
		{"h --ciphersuites :", "names no suite"},
		{"h --openssl 4.0", "use one of 1.0.2, 1.1.1, 3.0, 3.5"},
		{"h --groups X25518", "did you mean x25519"},
		{"h --groups ,", "names no group"},
		{"h --sigalgs RSA+SHA255", "did you mean RSA+SHA256"},
		{"h --sigalgs ,", "names no signature scheme"},
		{"h --servername a --no-servername", "use one of them"},
		{"h --servername 10.0.0.1", "an address is no server name"},
		{"h --servername " + strings.Repeat("a", 300), "255 is the most"},
		{"h --alpn a,,b", "1 to 255 bytes"},
		{"h --timeout 0s", "use a positive duration"},
		{"127.0.0.1 --starttls smpt", "did you mean smtp"},
		{"h --ca-file " + d + "/none", "--ca-file " + d + "/none: no such file or directory"},
		{"h --ca-file " + empty, "no certificate in it"},
		{"h --key " + id.Key, "name its certificate with --cert"},
		{"h --cert " + d + "/none", "--cert " + d + "/none: no such file or directory"},
		{"h --cert " + empty, "no certificate in it"},
		{"h --cert " + id.Cert, "--cert " + id.Cert + ": no private key in it"},
		{"h --cert " + id.Cert + " --key " + d + "/none", "--key " + d + "/none: no such file or directory"},
		{"h --cert " + id.Cert + " --key " + sealed, "the key is encrypted"},
		{"h --cert " + id.Cert + " --key " + garbled, "its private key cannot be read"},
		{"h --cert " + id.Cert + " --key " + other.Key, "the key is not that of the first certificate"},
	} {
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetArgs(append([]string{"connect"}, strings.Fields(c.args)...))
		err := root.Execute()
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || out.Len() > 0 {
			t.Errorf("%s: %v, want %q\n%s", c.args, err, c.want, &out)
		}
	}
}
