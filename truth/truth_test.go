package truth

import (
	"context"
	"flag"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/testbed"
)

var (
	results  = flag.String("results", "", "run the other scanners too, and write the comparison to this file")
	with     = flag.String("tools", "sslscan,nmap,testssl", "the other scanners to run")
	check    = flag.Bool("verify", false, "check by s_client that OpenSSL's configurations mean what they were read as")
	parallel = flag.Int("endpoints", 3, "how many endpoints are scanned at once")
	only     = flag.String("only", "", "only endpoints whose name contains this")
)

// endpoint is a server that can be started.
type endpoint struct {
	name string
	what string // what it is and why it is here
	// start starts it and says what it accepts; it skips or fails the test where a program is missing.
	start func(t *testing.T) *subject
	// lossy: its network fails now and then, so that a scanner may be unsure.
	lossy bool
}

// subject is a running endpoint and what it accepts.
type subject struct {
	addr       string
	serverName string
	truth      *picture
	parts      []*subject // of a program with several
	openssl    *openSSL   // what s_client can check the truth of; nil for other servers
}

func TestMain(m *testing.M) {
	// Debian's configurations forbid what is tested here.
	os.Setenv("OPENSSL_CONF", os.DevNull)
	os.Setenv("GNUTLS_SYSTEM_PRIORITY_FILE", os.DevNull)
	os.Exit(m.Run())
}

// endpoints lists all that is scanned.
func endpoints() []endpoint {
	var l []endpoint
	for _, part := range [][]endpoint{openSSLEndpoints, gnuTLSEndpoints, javaEndpoints, nodeEndpoints, goEndpoints, proxyEndpoints, frontEndpoints} {
		for _, e := range part {
			if strings.Contains(e.name, *only) {
				l = append(l, e)
			}
		}
	}
	return l
}

// TestTruth scans every endpoint and holds what was found against what it was configured to be. Mistakes that are
// known are told, and it fails when they do not happen any more.
func TestTruth(t *testing.T) {
	var report report
	shared.t = t
	slots := make(chan struct{}, *parallel)
	t.Run("endpoints", func(t *testing.T) {
		for _, e := range endpoints() {
			t.Run(e.name, func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				s := e.start(t)
				begin := time.Now()
				found, r := scanned(context.Background(), s)
				took := time.Since(begin)
				wrong := compare(s.truth, found, e.lossy)
				t.Logf("%d pairs of version and suite, %d connections, %v", s.truth.pairs(), r.Connections, took.Round(time.Millisecond))
				expect(t, e.name, wrong)
				if *check && s.openssl != nil {
					s.openssl.verify(t, s)
				}
				if *results != "" {
					report.add(t, e, s, found, took)
				}
			})
		}
	})
	if *results != "" {
		if err := os.WriteFile(*results, []byte(report.text()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// expect fails the test for each mistake that is not known, and for each known one that is not made.
func expect(t *testing.T, name string, wrong []mistake) {
	t.Helper()
	made := make(map[string]bool)
	for _, m := range wrong {
		if k := known(name, m); k != "" {
			made[k] = true
			t.Logf("known: %s", m)
			continue
		}
		t.Errorf("%s", m)
	}
	for _, k := range knownMistakes[name] {
		if !made[k] {
			t.Errorf("%q is not wrong any more: take it out of knownMistakes", k)
		}
	}
}

// shared holds servers that several endpoints use.
var shared struct {
	t  *testing.T // lives as long as all endpoints
	mu sync.Mutex
	m  map[string]*subject
}

// once starts a server for several endpoints, the first time that it is wanted. The programs are what it needs.
func once(t *testing.T, name string, start func(t *testing.T) *subject, programs ...string) *subject {
	for _, p := range programs {
		testbed.Need(t, p)
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.m == nil {
		shared.m = make(map[string]*subject)
	}
	if shared.m[name] == nil {
		shared.m[name] = start(shared.t)
	}
	return shared.m[name]
}

// pair are the files of an identity.
func pair(id *testbed.Identity) [2]string { return [2]string{id.Cert, id.Key} }
