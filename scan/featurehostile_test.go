package scan

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestEveryStateIsTold: whatever an endpoint speaks, and if it speaks nothing, no feature is left without a state, and
// none without an answer is left without a reason.
func TestEveryStateIsTold(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	for name, start := range map[string]func(t *testing.T) *testbed.Server{
		"all":       func(t *testing.T) *testbed.Server { return openssl(t, id, everything...) },
		"1.3 alone": func(t *testing.T) *testbed.Server { return openssl(t, id, "-tls1_3") },
		"1.3 that cannot be read": func(t *testing.T) *testbed.Server {
			return openssl(t, id, "-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256")
		},
		"SSLv3 alone": func(t *testing.T) *testbed.Server {
			return node(t, "0.10", id, `{"secureOptions":469762048}`, "--enable-ssl3")
		},
		"anonymous": func(t *testing.T) *testbed.Server { return openssl(t, id, "-tls1_2", "-cipher", "aNULL:@SECLEVEL=0") },
		"PSK alone": func(t *testing.T) *testbed.Server {
			return openssl(t, id, "-tls1_2", "-cipher", "PSK:@SECLEVEL=0", "-psk", "aabb")
		},
		"no TLS": func(t *testing.T) *testbed.Server {
			return listener(t, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, f := scanAndLearn(t, start(t).Addr, testbed.HostName)
			for i, x := range f.all() {
				if x.State == "" || (x.State == NotApplicable || x.State == NotTested) && x.Why == "" {
					t.Errorf("feature %d: %+v", i, x)
				}
			}
			if n := countFeatures(reflect.ValueOf(f).Elem()); n != len(f.all()) {
				t.Errorf("%d features, of which %d are listed", n, len(f.all()))
			}
			if name == "no TLS" != (f.ALPN.State == NotTested && f.Connections == 0) && name != "1.3 that cannot be read" {
				t.Errorf("%+v", f)
			}
			if b, err := json.Marshal(f); err != nil || bytes.Contains(b, []byte("null")) {
				t.Errorf("%v\n%s", err, b)
			}
			if b, err := json.Marshal(Certificates(r, f, CertificateOptions{Name: testbed.HostName})); err != nil || bytes.Contains(b, []byte(":null")) {
				t.Errorf("%v\n%s", err, b)
			}
			t.Logf("SSLv3 accepted %t, %d connections", r.Versions[4].Accepted, f.Connections)
		})
	}
}

// countFeatures counts the values of type Feature in a struct, but for those in lists.
func countFeatures(v reflect.Value) int {
	if v.Type() == reflect.TypeFor[Feature]() {
		return 1
	}
	n := 0
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			n += countFeatures(v.Field(i))
		}
	}
	return n
}

// TestHostileLearning: servers that turn bad once they were scanned keep nobody long, and make nothing up.
func TestHostileLearning(t *testing.T) {
	good := openssl(t, testbed.Make(t, testbed.RSA2048))
	var p probe.Prober
	r := Full(context.Background(), &p, probe.Target{Address: good.Addr}, Options{ServerName: testbed.HostName})
	serverHello, err := (&hello.ServerHello{LegacyVersion: suite.TLS12, Random: make([]byte, 32), Suite: 0xC02F}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	record := func(kind uint8, b []byte) []byte { return hello.AppendRecords(nil, kind, suite.TLS12, b) }
	forever := func(b []byte) func(net.Conn) {
		return func(c net.Conn) {
			for {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		}
	}
	for name, serve := range map[string]func(net.Conn){
		"garbage":          func(c net.Conn) { c.Write(bytes.Repeat([]byte{0xA5}, 4096)) },
		"close":            func(net.Conn) {},
		"silence":          func(c net.Conn) { io.Copy(io.Discard, c) },
		"endless records":  forever(record(hello.RecordHandshake, nil)),
		"endless warnings": forever(hello.MarshalAlert(suite.TLS12, false, suite.AlertUnrecognizedName)),
		"endless hellos":   forever(record(hello.RecordHandshake, serverHello)),
		"endless messages": func(c net.Conn) {
			c.Write(record(hello.RecordHandshake, serverHello))
			forever(record(hello.RecordHandshake, []byte{hello.TypeCertificate, 0, 0, 3, 0, 0, 0}))(c)
		},
		"a message of 16 MB": func(c net.Conn) {
			forever(record(hello.RecordHandshake, append([]byte{hello.TypeServerHello, 0xFF, 0xFF, 0xFF}, make([]byte, 16000)...)))(c)
		},
		"drip": func(c net.Conn) {
			for _, b := range bytes.Repeat(record(hello.RecordHandshake, serverHello), 9) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(30 * time.Millisecond)
			}
		},
		"stall after the hello": func(c net.Conn) { c.Write(record(hello.RecordHandshake, serverHello)); io.Copy(io.Discard, c) },
	} {
		t.Run(name, func(t *testing.T) {
			var connections atomic.Int32
			s := listener(t, func(c net.Conn) { connections.Add(1); c.Read(make([]byte, 4096)); serve(c) })
			p := probe.Prober{Timeout: 300 * time.Millisecond}
			start := time.Now()
			f := Features(context.Background(), &p, probe.Target{Address: s.Addr}, r, Options{ServerName: testbed.HostName})
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
			t.Logf("%d connections, %v", connections.Load(), time.Since(start).Round(time.Millisecond))
			for i, x := range f.all() {
				if x.State == "" || x.State == Yes && !fromScan(f, x) {
					t.Errorf("feature %d: %+v", i, x)
				}
			}
		})
	}
}

// fromScan reports whether a feature is one that the answers of the scan before tell.
func fromScan(f *FeatureReport, x *Feature) bool {
	return x == &f.ExtendedMasterSecret || x == &f.SecureRenegotiation.Feature || x == &f.SecureRenegotiation.ByExtension
}

// TestInterrupted: a scan that is ended keeps what it has.
func TestInterrupted(t *testing.T) {
	s := openssl(t, testbed.Make(t, testbed.RSA2048))
	p := probe.Prober{Timeout: time.Second}
	r := Full(context.Background(), &p, probe.Target{Address: s.Addr}, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f := Features(ctx, &p, probe.Target{Address: s.Addr}, r, Options{})
	if expect(t, "extended master secret", f.ExtendedMasterSecret, Yes); f.ALPN.State != NotTested || f.Connections != 0 {
		t.Errorf("%+v", f.ALPN)
	}
}
