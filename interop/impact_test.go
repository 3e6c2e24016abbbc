package interop

import (
	"reflect"
	"slices"
	"testing"

	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/impact"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/testbed"
)

// soundCertificates are those that no client refuses for their own sake: what a change of policy does is to be seen
// alone.
var soundCertificates = []testbed.Spec{testbed.RSA2048, testbed.RSA4096, testbed.P256, testbed.P384}

// impact holds what impact says of a change against what happened: what was seen of a client under one policy is the
// evidence, what the same client did under another is the truth.
func (m *matrix) impact(t *testing.T) {
	verdicts := make(map[impact.Verdict]int)
	for _, client := range m.clients {
		for _, from := range m.servers {
			for _, to := range m.servers {
				before, after := m.cells[client.Name+"/"+from.name], m.cells[client.Name+"/"+to.name]
				if from == to || before == nil || after == nil || before.seen.Hello == nil || after.seen.Hello == nil || !from.sound() || !to.sound() {
					continue
				}
				if !before.result.OK && !reflect.DeepEqual(from.specs, to.specs) {
					continue // it may be the certificate
				}
				verdicts[before.foretell(t, after, true)]++
			}
		}
	}
	t.Logf("impact, by hellos: %v", verdicts)
}

// unlikely counts the clients of which impact says that they very likely connect as today, and that do not.
const unlikely impact.Verdict = "not what was likely"

// foretell has impact say what becomes of the client of c under the policy of after, by what c showed, and compares. Of
// an observation without a hello it knows the choice alone.
func (c *cell) foretell(t *testing.T, after *cell, withHello bool) impact.Verdict {
	t.Helper()
	e := c.predict(c.connection(withHello), after)
	wrong := after.contradicts(&e)
	if d := negotiate.Decide(&after.offer, after.pair.Policy, after.pair.Identity); wrong != "" && e.Verdict == impact.Likely && !d.OK {
		t.Logf("%s, %s → %s: it is not so that %s", c.client.Name, c.server.name, after.server.name, e.Assumes)
		return unlikely
	}
	if wrong != "" {
		t.Errorf("%s, %s → %s: impact says %s (%s): %s; before: %s", c.client.Name, c.server.name, after.server.name, e.Verdict, e.Reason, wrong, c.reality())
	}
	return e.Verdict
}

// changed are policies of one load balancer, one after the other.
var changed = []string{"2016-08", "TLS-1-2-2017-01", "FS-1-2-Res-2020-10", "TLS13-1-2-2021-06", "TLS13-1-2-Ext2-2021-06", "TLS13-1-3-2021-06"}

// TestImpactOnOneLoadBalancer changes the policy of one kind of server with the same certificate. By that even a log tells
// something.
func TestImpactOnOneLoadBalancer(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: hundreds of real connections")
	}
	m := &matrix{clients: realClients(t), cells: make(map[string]*cell)}
	for _, name := range changed {
		s := subject{name: name, config: aws(t, name, testbed.Nginx, ""), specs: []testbed.Spec{testbed.RSA2048}}
		if missing, ok := s.config.Installed(t); !ok {
			t.Skipf("%s is missing: make peers installs it", missing)
		}
		m.servers = append(m.servers, &server{subject: s, Server: s.start(t)})
	}
	without := predictors
	predictors = nil // what they say of pairs is the matrix's
	m.run(t)
	predictors = without
	verdicts := map[bool]map[impact.Verdict]int{true: {}, false: {}}
	for _, client := range m.clients {
		for _, from := range m.servers {
			for _, to := range m.servers {
				before, after := m.cells[client.Name+"/"+from.name], m.cells[client.Name+"/"+to.name]
				if from == to || before.seen.Hello == nil || after.seen.Hello == nil {
					continue
				}
				for withHello, counts := range verdicts {
					counts[before.foretell(t, after, withHello)]++
				}
			}
		}
	}
	t.Logf("by hellos: %v\nby logs: %v", verdicts[true], verdicts[false])
	logs := verdicts[false]
	if n := logs[unlikely]; n*25 > logs[impact.Keeps]+logs[impact.Likely] { // the test-bed has more odd clients than the world
		t.Errorf("%d of what is kept by logs was said to be likely and was not so: more than one in 25 is too many", n)
	}
}

func (s *subject) sound() bool {
	return !slices.ContainsFunc(s.specs, func(c testbed.Spec) bool {
		return !slices.ContainsFunc(soundCertificates, func(s testbed.Spec) bool { return s.Name == c.Name })
	})
}

// connection is what was seen, as a capture has it or as a log.
func (c *cell) connection(withHello bool) *evidence.Connection {
	x := &evidence.Connection{Outcome: evidence.Outcome{Result: evidence.Failed}}
	if c.result.OK {
		x.Outcome = evidence.Outcome{Result: evidence.Established, Version: c.seen.Version(), Suite: c.seen.Suite(), Group: c.seen.Group}
	}
	if withHello {
		x.Hello = c.seen.Hello
	} else {
		x.UserAgent, x.Outcome.Group = c.client.Name, 0
	}
	return x
}

func (c *cell) predict(seen *evidence.Connection, after *cell) impact.Effect {
	var tally evidence.Tally
	tally.Add(seen)
	return impact.Assess(tally.Clients(), c.pair.Policy, after.pair.Policy, after.pair.Identity).Effects[0]
}

// contradicts says in what an effect is not what happened, "" if in nothing.
func (c *cell) contradicts(e *impact.Effect) string {
	connects := e.Verdict == impact.Keeps || e.Verdict == impact.Likely || e.Verdict == impact.Changes || e.Verdict == impact.Gains
	switch {
	case e.Verdict == impact.Unknown:
		return ""
	case connects != c.result.OK:
		return "really " + c.reality()
	case e.Client.Hello != nil && connects && (e.After.Version != c.seen.Version() || e.After.Suite != c.seen.Suite()):
		return "really " + c.reality()
	}
	return ""
}
