package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// badServers are what `serve NAME` starts: servers that break off, stall, flood, or lie.
var badServers = map[string]func(*net.TCPConn){
	"closes":       func(c *net.TCPConn) { hear(c) },
	"resets":       func(c *net.TCPConn) { hear(c); c.SetLinger(0) },
	"silent":       wait,
	"drips":        drip,
	"trickles":     trickle,
	"lies":         lie,
	"stalls":       answers(chooses()),
	"truncates":    func(c *net.TCPConn) { hear(c); c.Write(chooses()[:20]) },
	"garbage":      answers([]byte("\xDE\xAD\xBE\xEF\x1b[2J\x00\x00\x00")),
	"giant":        answers([]byte{22, 3, 3, 0, 4, 2, 0xFF, 0xFF, 0xFF}),
	"flood":        floods(0xDE, 0xAD),
	"records":      floods(22, 3, 3, 0, 0),
	"warnings":     floods(21, 3, 3, 0, 2, 1, 112),
	"http":         answers([]byte("HTTP/1.1 400 Bad Request\r\nServer: \x1b[31mx\r\n\r\n")),
	"ssh":          answers([]byte("SSH-2.0-OpenSSH_9.2\r\n")),
	"ldap-refuses": answers([]byte("\x30\x0C\x02\x01\x01\x78\x07\x0A\x01\x02\x04\x00\x04\x00")),
	"smtp-endless": floods([]byte("220-more\r\n")...),
	// Text that would do things to a terminal, in what a report quotes.
	"alpn-escapes": answers(chooses(0, 16, 0, 9, 0, 7, 6, 0x1B, '[', '3', '1', 'm', '\n'), []byte{22, 3, 3, 0, 4, 14, 0, 0, 0}),
	"name-escapes": func(c *net.TCPConn) { tls.Server(c, withEscapes()).Handshake() },
}

// chooses is a ServerHello with TLS 1.2 and ECDHE-RSA-AES128-GCM-SHA256, in one record.
func chooses(extensions ...byte) []byte {
	body := append(make([]byte, 34, 60), 0, 0xC0, 0x2F, 0)
	body[0], body[1] = 3, 3
	if len(extensions) > 0 {
		body = append(append(body, 0, byte(len(extensions))), extensions...)
	}
	return append([]byte{22, 3, 3, 0, byte(4 + len(body)), 2, 0, 0, byte(len(body))}, body...)
}

func hear(c *net.TCPConn) { c.Read(make([]byte, 1<<16)) }
func wait(c *net.TCPConn) { io.Copy(io.Discard, c) }

func answers(pieces ...[]byte) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		hear(c)
		c.Write(bytes.Join(pieces, nil))
		wait(c)
	}
}

func floods(unit ...byte) func(*net.TCPConn) {
	block := bytes.Repeat(unit, 4096)
	return func(c *net.TCPConn) {
		for {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}
}

// drip sends a ServerHello, a byte a second.
func drip(c *net.TCPConn) {
	for _, b := range chooses() {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// trickle sends a ServerHello at once, and its certificate at a speed at which it never comes to an end.
func trickle(c *net.TCPConn) {
	hear(c)
	c.Write(chooses())
	c.Write([]byte{22, 3, 3, 0x10, 0, 11, 0, 0x0F, 0xFC})
	for {
		if _, err := c.Write([]byte{0}); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// lie chooses a suite of each hello by chance, in the hello's own version.
func lie(c *net.TCPConn) {
	raw := make([]byte, 1<<16)
	n, _ := c.Read(raw)
	h, err := hello.ParseClientHello(raw[:n])
	if err != nil || len(h.Suites) == 0 || h.Offer().Versions[0] > suite.TLS12 {
		return
	}
	answer := chooses()
	binary.BigEndian.PutUint16(answer[9:], uint16(h.Version))
	binary.BigEndian.PutUint16(answer[len(answer)-3:], uint16(h.Suites[mathrand.IntN(len(h.Suites))]))
	c.Write(append(answer, 22, 3, 3, 0, 4, 14, 0, 0, 0))
	wait(c)
}

// withEscapes has a certificate whose names hold escape sequences, and which is expired, so that they are quoted.
var withEscapes = sync.OnceValue(func() *tls.Config {
	const text = "\x1b[2Jevil\r\nWORKS  a line of its own"
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	name := pkix.Name{CommonName: text, Organization: []string{text}}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: name, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(0, 0, -1)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
})
