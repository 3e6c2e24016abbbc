package main

import (
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/testbed"
)

// following is the address of an endpoint that behaves as the policy that a listener has had for so long: two real servers behind
// one port.
func (a *awsAccount) following(name string, lag time.Duration, servers map[string]string) string {
	var mu sync.Mutex
	last, since := a.has(name, 443), time.Now().Add(-lag)
	serves := last
	return testbed.Listen(a.t, 0, func(c net.Conn) {
		mu.Lock()
		now := a.has(name, 443)
		if !slices.Equal(now, last) {
			last, since = now, time.Now()
		}
		if time.Since(since) >= lag {
			serves = last
		}
		upstream := ""
		for pattern, addr := range servers {
			if slices.ContainsFunc(serves, func(n string) bool { return strings.HasPrefix(n, pattern) }) {
				upstream = addr
			}
		}
		mu.Unlock()
		to, err := net.Dial("tcp", upstream)
		if err != nil {
			return
		}
		defer to.Close()
		go func() { io.Copy(to, c); to.(*net.TCPConn).CloseWrite() }()
		io.Copy(c, to)
	})
}

// TestProve: the change is proven at real servers that follow the API, slowly, or never, or cannot be reached.
func TestProve(t *testing.T) {
	server := func(p *policy.Policy) string {
		return testbed.Start(t, testbed.ForPolicy(p, testbed.Nginx).With(testbed.Make(t, testbed.RSA2048))).Addr
	}
	modern := map[string]string{"ELBSecurityPolicy-2016-08": server(policy.ByName("2016-08")), "ELBSecurityPolicy-TLS13-1-2-2021-06": server(policy.ByName("TLS13-1-2-2021-06"))}
	_, ours, _ := simulatedPolicy()
	classic := map[string]string{"ours": server(ours), "parley-TLS-1-2-2017-01": server(policy.ByName("classic/TLS-1-2-2017-01"))}
	t.Run("ALB", func(t *testing.T) {
		a := newAWSAccount(t, nil)
		at := a.following("shop", 3*time.Second, modern)
		out := a.expect(0, `"verdict": "proven"`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", "--connect", at, "--json")
		validateAs(t, "aws-change", out)
		a.expect(0, `proven: `+regexp.QuoteMeta(at)+` behaves as ELBSecurityPolicy-2016-08, seen after \d+s`, "undo", "--yes", "--connect", at)
		a.expect(0, "undone +proven +by [0-9a-f]{8}\n.* applied +proven +takes back", "journal")
		a.expect(0, "consistent: .* behaves as ELBSecurityPolicy-2015-05, which from outside does not differ", "set-policy", "shop:443", "2015-05", "--yes", "--connect", modern["ELBSecurityPolicy-2016-08"])
	})
	t.Run("Classic", func(t *testing.T) {
		a := newAWSAccount(t, nil)
		at := a.following("legacy", 3*time.Second, classic)
		a.expect(0, `proven: .* behaves as ELBSecurityPolicy-TLS-1-2-2017-01`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", "--connect", at)
		a.expect(0, `proven: .* behaves as ours`, "undo", "--yes", "--connect", at)
	})
	t.Run("still the old one", func(t *testing.T) {
		a := newAWSAccount(t, nil)
		a.expect(1, `(?s)still the old one: .* does not behave as ELBSecurityPolicy-TLS13-1-2-2021-06 after [34]s, though the API shows it.*lacks TLSv1.3.*to take it back: parley aws undo [0-9a-f]{8}`,
			"set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", "--wait", "3s", "--connect", modern["ELBSecurityPolicy-2016-08"])
	})
	t.Run("neither", func(t *testing.T) {
		a := newAWSAccount(t, nil)
		a.expect(1, `neither: .* behaves neither as`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", "--wait", "1s", "--connect", classic["ours"])
	})
	t.Run("not reachable", func(t *testing.T) {
		a := newAWSAccount(t, nil)
		out := a.expect(3, `not reachable from here: no connection to`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", "--connect", "127.0.0.1:1")
		if !strings.Contains(out, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now") {
			t.Errorf("that it was made is not said:\n%s", out)
		}
		a.expect(0, "applied +not-reachable", "journal")
	})
}

// simulatedPolicy is the Classic policy "ours" of the account.
func simulatedPolicy() (name string, p *policy.Policy, err error) {
	l, err := policy.ParseClassicCustom([]byte("Protocol-TLSv1\nProtocol-TLSv1.2\nAES128-SHA\nECDHE-RSA-AES128-GCM-SHA256\nServer-Defined-Cipher-Order\n"))
	if err != nil {
		return "", nil, err
	}
	return "ours", l[0], nil
}
