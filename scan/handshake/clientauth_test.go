package handshake

import (
	"fmt"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestClientCertificate presents certificates of several kinds to openssl s_server, which refuses a handshake without a
// valid one.
func TestClientCertificate(t *testing.T) {
	for _, spec := range []testbed.Spec{testbed.RSA2048, testbed.P256, testbed.P384, testbed.Ed25519} {
		client := testbed.Make(t, spec)
		s := sServer(t, testbed.Make(t, testbed.RSA2048), "-cipher", "ALL:@SECLEVEL=0", "-Verify", "3", "-verify_return_error", "-CAfile", client.CA)
		for v, code := range map[suite.Version]suite.Code{suite.TLS10: 0xC013, suite.TLS11: 0x002F, suite.TLS12: 0xC02F, suite.TLS13: 0x1302} {
			q := Question{Offer: offer(v, code), Finish: true}
			if r := ask(t, s.Addr, q); r.Finished || r.Presented || r.End != probe.Alerted {
				t.Errorf("%s without a certificate: %+v", v, r)
			}
			q.Certificate = &client.TLS
			r := ask(t, s.Addr, q)
			if old := v < suite.TLS12 && spec.Key == policy.Ed25519; old { // no such signature before TLS 1.2
				if r.Presented || r.Finished {
					t.Errorf("%s with %s: %+v", v, spec.Name, r)
				}
				continue
			}
			if !r.Presented || !r.Finished || r.Alert != 0 {
				t.Errorf("%s with %s: presented %t, finished %t, %s %s %v", v, spec.Name, r.Presented, r.Finished, r.End, r.Alert, r.Err)
			}
		}
		other := testbed.Make(t, testbed.RSAIntermediate)
		for v, code := range map[suite.Version]suite.Code{suite.TLS12: 0xC02F, suite.TLS13: 0x1302} {
			if r := ask(t, s.Addr, Question{Offer: offer(v, code), Finish: true, Certificate: &other.TLS}); !r.Presented || r.Finished || r.End != probe.Alerted {
				t.Errorf("%s with another's: %+v", v, r)
			}
		}
	}
}

// TestClientCertificateServers presents one to servers of other kinds.
func TestClientCertificateServers(t *testing.T) {
	id, client := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256)
	for _, kind := range []testbed.Kind{testbed.Nginx, testbed.HAProxy, testbed.Go, testbed.GnuTLS, testbed.Java} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			c := testbed.Config{Kind: kind, ClientCA: client.CA, Policy: policy.Policy{Versions: []suite.Version{suite.TLS12, suite.TLS13},
				Order: policy.ServerOrder, Suites: []suite.Code{0x1301, 0xC02F}, ClientAuth: policy.ClientAuthRequired}}
			if name, ok := c.Installed(t); !ok {
				testbed.Missing(t, name)
			}
			s := testbed.Start(t, c.With(id))
			for v, code := range map[suite.Version]suite.Code{suite.TLS12: 0xC02F, suite.TLS13: 0x1301} {
				r := ask(t, s.Addr, Question{Offer: offer(v, code), Finish: true, Certificate: &client.TLS})
				if !r.Presented || !r.Finished {
					t.Errorf("%s: presented %t, finished %t, %s %s %v", v, r.Presented, r.Finished, r.End, r.Alert, r.Err)
				}
			}
		})
	}
}
