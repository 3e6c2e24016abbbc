package testbed

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// startGo serves with crypto/tls in this process.
func startGo(t testing.TB, c *Config, port int) *Server {
	p := &c.Policy
	if !contiguous(p.Versions) {
		t.Fatalf("testbed: crypto/tls takes a range of versions, not %v", p.Versions)
	}
	config := &tls.Config{MinVersion: uint16(p.Versions[0]), MaxVersion: uint16(p.Versions[len(p.Versions)-1]),
		SessionTicketsDisabled: true, NextProtos: p.ALPN.Protocols, CipherSuites: []uint16{}}
	p.ALPN.Strict = len(p.ALPN.Protocols) > 0
	for _, s := range p.Suites {
		if suite.ByCode(s).MinVersion < suite.TLS13 {
			config.CipherSuites = append(config.CipherSuites, uint16(s))
		}
	}
	for _, g := range p.Groups {
		config.CurvePreferences = append(config.CurvePreferences, tls.CurveID(g))
	}
	for _, id := range c.Identities {
		config.Certificates = append(config.Certificates, id.TLS)
	}
	if (p.SNI != policy.SNIRule{}) {
		rule, id := p.SNI, c.identity()
		config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			if rule.Required && h.ServerName == "" {
				return nil, errors.New("no server name")
			}
			if rule.RefuseUnknown && h.ServerName != "" && !negotiate.MatchesName(&id.Certificates[0], h.ServerName) {
				return nil, fmt.Errorf("unknown server name %s", h.ServerName)
			}
			return nil, nil
		}
	}
	if p.ClientAuth != policy.ClientAuthNone {
		pem, err := os.ReadFile(c.ClientCA)
		if err != nil {
			t.Fatal(err)
		}
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(pem)
		config.ClientAuth = map[policy.ClientAuth]tls.ClientAuthType{policy.ClientAuthRequired: tls.RequireAndVerifyClientCert, policy.ClientAuthRequest: tls.VerifyClientCertIfGiven}[p.ClientAuth]
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), log: &lockedBuffer{}, stop: func() { l.Close() }}
	t.Cleanup(s.stop)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(20 * time.Second))
				if err := answer(tls.Server(conn, config)); err != nil {
					fmt.Fprintln(s.log, err)
				}
			}()
		}
	}()
	return s
}

// answer completes the handshake and answers one HTTP request.
func answer(c *tls.Conn) error {
	if err := c.Handshake(); err != nil {
		return err
	}
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		if strings.TrimSpace(line) == "" {
			break
		}
	}
	if _, err := io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"); err != nil {
		return err
	}
	return c.Close()
}
