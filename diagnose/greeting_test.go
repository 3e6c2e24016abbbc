package diagnose

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/testbed"
)

// TestGreeting: an FTP server that greets without saying that it is one is told from SMTP, by who grants the upgrade.
func TestGreeting(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	address := listen(t, func(c net.Conn) {
		io.WriteString(c, "220 Welcome\r\n")
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, "AUTH TLS") {
				io.WriteString(c, "234 Go on\r\n")
				tls.Server(c, &tls.Config{Certificates: []tls.Certificate{id.TLS}}).Handshake()
				return
			}
			io.WriteString(c, "530 Please log in\r\n")
		}
	})
	d := live(t, profile(t, "go-1.26"), address, testbed.HostName, nil)
	if len(d.Causes) != 1 || d.Causes[0].ID != cause.TLSOnSTARTTLSPort || !strings.Contains(d.Causes[0].Summary, "plaintext ftp first") || len(d.Fixes) != 1 || !d.Fixes[0].Proved {
		t.Errorf("%+v, %+v", d.Causes, d.Fixes)
	}
	if !strings.Contains(fmt.Sprint(d.Causes), "-starttls ftp") {
		t.Errorf("no command to repeat it: %+v", d.Causes)
	}
}
