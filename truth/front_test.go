package truth

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// frontEndpoints are real servers behind what stands in front of some: middleboxes and habits that no server on this
// machine has. A front reads the hello, and passes the bytes on or not.
var frontEndpoints = []endpoint{
	{name: "front-16-suites-alert", what: "a front that refuses hellos with more than 16 suites by an alert, before nginx", start: func(t *testing.T) *subject {
		return front(t, behind(t), func(h *hello.ClientHello) verdict { return tooMany(h, refuse) })
	}},
	{name: "front-16-suites-close", what: "the same, closing without an alert", start: func(t *testing.T) *subject {
		return front(t, behind(t), func(h *hello.ClientHello) verdict { return tooMany(h, closeCleanly) })
	}},
	{name: "front-rate-limit", what: "a front that resets what is above 20 connections a second, before nginx", lossy: true, start: func(t *testing.T) *subject {
		return admit(t, behind(t), perSecond(20))
	}},
	{name: "front-resets-3-of-69", what: "a front that resets 3 connections in 69, before nginx", lossy: true, start: func(t *testing.T) *subject {
		return admit(t, behind(t), func(n int) bool { return n%69 != 5 && n%69 != 23 && n%69 != 47 })
	}},
	{name: "front-closes-unknown-versions", what: "a front that closes on versions that the server lacks, where others send an alert", start: func(t *testing.T) *subject {
		s := once(t, "old nginx", func(t *testing.T) *subject {
			o := proxyPolicy(t, policy.RSA)
			o.versions = []suite.Version{suite.TLS11, suite.TLS12}
			return nginx(t, o, "", testbed.RSA2048)
		}, "nginx", "openssl")
		return front(t, s, func(h *hello.ClientHello) verdict {
			known := func(v suite.Version) bool { _, ok := s.truth.versions[v]; return ok }
			if slices.ContainsFunc(h.Offer().Versions, known) {
				return pass
			}
			return closeCleanly
		})
	}},
	{name: "front-closes-without-suite", what: "a front that closes where the server sends an alert, as s2n does if no suite is shared", start: func(t *testing.T) *subject {
		return front(t, behind(t), func(*hello.ClientHello) verdict { return passNoAlert })
	}},
}

// behind is the server behind the fronts.
func behind(t *testing.T) *subject {
	return once(t, "nginx", func(t *testing.T) *subject { return nginx(t, proxyPolicy(t, policy.RSA), "", testbed.RSA2048) }, "nginx", "openssl")
}

// verdict is what a front does with a hello.
type verdict int

const (
	pass         verdict = iota
	passNoAlert          // but close where the server answers with an alert
	refuse               // with an alert
	closeCleanly         // without one
)

const mostSuites = 16

func tooMany(h *hello.ClientHello, otherwise verdict) verdict {
	n := 0
	for _, c := range h.Suites {
		if c != suite.EmptyRenegotiationInfoSCSV && c != suite.FallbackSCSV {
			n++
		}
	}
	if n > mostSuites {
		return otherwise
	}
	return pass
}

// front relays to a server what judge lets pass. Its truth is the server's.
func front(t *testing.T, s *subject, judge func(*hello.ClientHello) verdict) *subject {
	address := listen(t, func(c net.Conn) {
		first, h := readHello(c)
		if h == nil { // no TLS, or a hello of SSLv2
			return
		}
		switch v := judge(h); v {
		case refuse:
			c.Write(hello.MarshalAlert(suite.TLS12, true, suite.AlertHandshakeFailure))
		case closeCleanly:
		default:
			relay(c, s.addr, first, v == passNoAlert)
		}
	})
	return &subject{addr: address, serverName: s.serverName, truth: s.truth}
}

// readHello reads until what came is a whole ClientHello.
func readHello(c net.Conn) ([]byte, *hello.ClientHello) {
	var all []byte
	buf := make([]byte, 16<<10)
	for len(all) < 1<<16 {
		n, err := c.Read(buf)
		all = append(all, buf[:n]...)
		if h, bad := hello.ParseClientHello(all); bad == nil {
			return all, h
		}
		if err != nil {
			break
		}
	}
	return nil, nil
}

// relay passes bytes on both ways, after those that were read already.
func relay(c net.Conn, upstream string, first []byte, noAlert bool) {
	u, err := net.Dial("tcp", upstream)
	if err != nil {
		return
	}
	defer u.Close()
	if _, err := u.Write(first); err != nil {
		return
	}
	go func() {
		io.Copy(u, c)
		u.(*net.TCPConn).CloseWrite()
	}()
	if noAlert {
		head := make([]byte, 1)
		if _, err := io.ReadFull(u, head); err != nil || head[0] == hello.RecordAlert {
			return
		}
		c.Write(head)
	}
	io.Copy(c, u)
}

// admit relays the connections that ok lets through, counted from 1, and resets the others.
func admit(t *testing.T, s *subject, ok func(n int) bool) *subject {
	var mu sync.Mutex
	n := 0
	address := listen(t, func(c net.Conn) {
		mu.Lock()
		n++
		admitted := ok(n)
		mu.Unlock()
		if !admitted {
			c.(*net.TCPConn).SetLinger(0)
			return
		}
		relay(c, s.addr, nil, false)
	})
	return &subject{addr: address, serverName: s.serverName, truth: s.truth}
}

// perSecond admits as many in any second.
func perSecond(most int) func(int) bool {
	var times []time.Time
	return func(int) bool {
		now := time.Now()
		times = slices.DeleteFunc(times, func(x time.Time) bool { return now.Sub(x) > time.Second })
		if len(times) >= most {
			return false
		}
		times = append(times, now)
		return true
	}
}
