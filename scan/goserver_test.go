package scan

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/parley-tls/parley/testbed"
)

// goServer serves with crypto/tls in this process, from TLS 1.0 on and with every suite that it has. change, where
// there is one, alters the configuration.
func goServer(t *testing.T, id *testbed.Identity, change func(*tls.Config)) *testbed.Server {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{id.TLS}, MinVersion: tls.VersionTLS10, CipherSuites: []uint16{}}
	for _, l := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, s := range l {
			config.CipherSuites = append(config.CipherSuites, s.ID)
		}
	}
	if change != nil {
		change(config)
	}
	return listener(t, func(c net.Conn) {
		s := tls.Server(c, config)
		if s.Handshake() == nil {
			io.Copy(io.Discard, s)
		}
		s.Close()
	})
}

// listener serves every connection with serve, for ten seconds at most.
func listener(t *testing.T, serve func(net.Conn)) *testbed.Server {
	t.Helper()
	return &testbed.Server{Addr: testbed.Listen(t, 10*time.Second, serve)}
}
