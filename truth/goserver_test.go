package truth

import (
	"crypto/tls"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// goEndpoints are servers of crypto/tls in this process.
var goEndpoints = []endpoint{
	{name: "go-all", what: "Go's crypto/tls from TLS 1.0 on with all its suites and X25519MLKEM768, RSA and ECDSA certificates, Go's own order", start: func(t *testing.T) *subject {
		config := &tls.Config{MinVersion: tls.VersionTLS10, CipherSuites: []uint16{}, InsecureSkipVerify: true,
			CurvePreferences: []tls.CurveID{tls.CurveP256, tls.X25519MLKEM768, tls.X25519, tls.CurveP521}}
		for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
			config.CipherSuites = append(config.CipherSuites, s.ID)
		}
		for _, spec := range []testbed.Spec{testbed.RSA2048, testbed.P256} {
			config.Certificates = append(config.Certificates, testbed.Make(t, spec).TLS)
		}
		return &subject{addr: goServer(t, config), serverName: testbed.HostName, truth: goTruth(t, config)}
	}},
}

func goServer(t *testing.T, config *tls.Config) string {
	return listen(t, func(c net.Conn) {
		s := tls.Server(c, config)
		if s.Handshake() == nil {
			io.Copy(io.Discard, s)
		}
	})
}

// listen serves every connection with serve, for ten seconds at most.
func listen(t *testing.T, serve func(net.Conn)) string {
	return testbed.Listen(t, 10*time.Second, serve)
}

// goTruth has Go's own client ask for the suites: one at a time for what is accepted, two at a time for the order.
func goTruth(t *testing.T, config *tls.Config) *picture {
	p := &picture{versions: make(map[suite.Version]list[suite.Code])}
	for _, v := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12} {
		l := list[suite.Code]{order: policy.ServerOrder, sorted: true}
		for _, id := range config.CipherSuites {
			if goTakes(config, v, id) == id {
				l.items = append(l.items, suite.Code(id))
			}
		}
		slices.SortFunc(l.items, func(a, b suite.Code) int {
			if goTakes(config, v, uint16(a), uint16(b)) == uint16(a) {
				return -1
			}
			return 1
		})
		p.versions[suite.Version(v)] = l
	}
	// In TLS 1.3 neither side's list can be set. The order is that of defaultCipherSuitesTLS13 in crypto/tls.
	p.versions[suite.TLS13] = list[suite.Code]{[]suite.Code{0x1301, 0x1302, 0x1303}, policy.ServerOrder, true}
	// The order of CurvePreferences counts for nothing: TLS 1.3 has an order of its own, hybrids first, then the curves as
	// defaultCurvePreferences has them; before it the client's counts.
	p.groups13 = list[suite.Group]{[]suite.Group{suite.X25519MLKEM768, suite.X25519, suite.Secp256r1, suite.Secp521r1}, policy.ServerOrder, true}
	p.groups12 = list[suite.Group]{[]suite.Group{suite.X25519, suite.Secp256r1, suite.Secp521r1}, policy.ClientOrder, false}
	return p
}

// goTakes is the suite that a server with this configuration takes of those, 0 if none.
func goTakes(server *tls.Config, version uint16, ids ...uint16) uint16 {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	s := server.Clone()
	s.SessionTicketsDisabled = true
	done := make(chan uint16, 1)
	go func() {
		c := tls.Server(a, s)
		if c.Handshake() != nil {
			done <- 0
			a.Close()
			return
		}
		done <- c.ConnectionState().CipherSuite
	}()
	client := tls.Client(b, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, CipherSuites: ids, ServerName: testbed.HostName})
	b.SetDeadline(time.Now().Add(10 * time.Second))
	if client.Handshake() != nil {
		b.Close()
	}
	return <-done
}
