package scan

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/testbed"
)

// TestFeaturesOfMail learns through the preamble of SMTP (RFC 3207), which every connection speaks first.
func TestFeaturesOfMail(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	config := &tls.Config{Certificates: []tls.Certificate{id.TLS}, NextProtos: []string{"imap"}}
	s := listener(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		fmt.Fprint(c, "220 mx.example.com ESMTP\r\n")
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			switch strings.ToUpper(strings.Fields(line + " x")[0]) {
			case "EHLO":
				fmt.Fprint(c, "250-mx.example.com\r\n250 STARTTLS\r\n")
			case "STARTTLS":
				fmt.Fprint(c, "220 go ahead\r\n")
				server := tls.Server(c, config)
				if server.Handshake() == nil {
					io.Copy(io.Discard, server)
				}
				server.Close()
				return
			default:
				fmt.Fprint(c, "502 no\r\n")
			}
		}
	})
	p, target := probe.Prober{Timeout: 10 * time.Second}, probe.Target{Address: s.Addr, ServerName: testbed.HostName, StartTLS: probe.SMTP}
	r := Full(context.Background(), &p, target, Options{ServerName: testbed.HostName})
	f := Features(context.Background(), &p, target, r, Options{ServerName: testbed.HostName})
	expect(t, "PSK resumes", f.PSK.Resumes, Yes)
	expect(t, "tickets resume", f.SessionTickets.Resumes, Yes)
	if expect(t, "ALPN", f.ALPN.Feature, Yes); len(f.ALPN.Protocols) != 1 || f.ALPN.Protocols[0] != "imap" {
		t.Errorf("%+v", f.ALPN)
	}
	if l := Certificates(r, f, CertificateOptions{Name: testbed.HostName}); len(l) != 1 || !l[0].Verdict.Good {
		t.Errorf("%+v", l)
	}
}
