package connect

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"testing"

	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// recorded makes a connection with crypto/tls and returns what its server sent, and the key log.
func recorded(t testing.TB, id *testbed.Identity, version uint16, groups ...tls.CurveID) (wire, keyLog []byte) {
	conn, err := net.Dial("tcp", goServer(t, &tls.Config{Certificates: []tls.Certificate{id.TLS}, CurvePreferences: []tls.CurveID{tls.CurveP256}}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := &recorder{Conn: conn}
	var log bytes.Buffer
	c := tls.Client(r, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, KeyLogWriter: &log, CurvePreferences: groups})
	if err := c.HandshakeContext(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r.got, log.Bytes()
}

// TestReadFlight reads real flights, in the clear and encrypted, after a HelloRetryRequest too.
func TestReadFlight(t *testing.T) {
	for _, c := range []struct {
		spec    testbed.Spec
		version uint16
		groups  []tls.CurveID
		scheme  suite.SignatureScheme
	}{
		{testbed.RSA2048, tls.VersionTLS12, nil, suite.RSAPSSRSAESHA256},
		{testbed.RSA2048, tls.VersionTLS13, nil, suite.RSAPSSRSAESHA256},
		{testbed.P384, tls.VersionTLS13, []tls.CurveID{tls.X25519, tls.CurveP256}, suite.ECDSASecp384r1SHA384},
		{testbed.Ed25519, tls.VersionTLS12, nil, suite.Ed25519},
	} {
		id := testbed.Make(t, c.spec)
		wire, keyLog := recorded(t, id, c.version, c.groups...)
		f := readFlight(wire, keyLog)
		if f.hello == nil || f.hello.Version != suite.Version(c.version) || f.scheme != c.scheme || len(f.chain) != len(id.TLS.Certificate) || !bytes.Equal(f.chain[0], id.TLS.Certificate[0]) {
			t.Errorf("%s %x: %+v", c.spec.Name, c.version, f)
		}
		if f := readFlight(wire, nil); c.version == tls.VersionTLS13 && (f.hello == nil || f.scheme != 0 || f.chain != nil) {
			t.Errorf("%s: %+v was read without a key", c.spec.Name, f)
		}
	}
}

// FuzzReadFlight: bytes from the network break nothing.
func FuzzReadFlight(f *testing.F) {
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		wire, keyLog := recorded(f, testbed.Make(f, testbed.P256), v)
		f.Add(wire, keyLog)
		f.Add(wire[:len(wire)/2], keyLog)
	}
	f.Fuzz(func(t *testing.T, wire, keyLog []byte) {
		readFlight(wire, keyLog)
		saysGoodbye(wire)
	})
}
