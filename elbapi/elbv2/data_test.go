package elbv2

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-tls/parley/elbapi/store"
)

// TestData reads every record of the data files against the others.
func TestData(t *testing.T) {
	kinds := map[string][]string{
		"loadbalancer": {store.Application, store.Network, store.Gateway},
		"listener":     {"HTTP", "HTTPS", "TCP", "GENEVE"},
		"targetgroup":  {store.Application, store.Network, store.Gateway},
	}
	key := regexp.MustCompile(`\A[a-z0-9_.]+\z`)
	seen := make(map[string]bool)
	for _, s := range settings() {
		if title[s.resource] == "" || !key.MatchString(s.key) {
			t.Errorf("attribute %+v", s)
		}
		for _, kind := range s.kinds {
			if id := s.resource + " " + kind + " " + s.key; seen[id] || !slices.Contains(kinds[s.resource], kind) {
				t.Errorf("attribute %s is there twice, or there is no such kind", id)
			} else {
				seen[id] = true
			}
		}
		if ok, want := s.allows(s.normal); !ok {
			t.Errorf("attribute %s: the default %q is not %s", s.key, s.normal, want)
		}
		if low, high, ok := strings.Cut(s.values, "-"); ok && !strings.Contains(s.values, "|") {
			a, err1 := strconv.Atoi(low)
			b, err2 := strconv.Atoi(high)
			if err1 != nil || err2 != nil || a >= b {
				t.Errorf("attribute %s: values %s", s.key, s.values)
			}
		}
	}
	if len(seen) < 80 {
		t.Errorf("%d attributes", len(seen))
	}
	names := make(map[string]bool)
	for _, l := range limits() {
		if n, err := strconv.Atoi(l.Max); err != nil || n < 1 || names[l.Name] || !regexp.MustCompile(`\A[a-z-]+\z`).MatchString(l.Name) {
			t.Errorf("quota %+v", l)
		}
		names[l.Name] = true
	}
	for line := range strings.Lines(zoneData) {
		if line[0] == '#' {
			continue
		}
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) != 3 || protocols[f[1]] == nil || !regexp.MustCompile(`\AZ[A-Z0-9]{10,}\z`).MatchString(f[2]) || seen[f[0]+f[1]] {
			t.Errorf("zone %q", line)
		} else {
			seen[f[0]+f[1]] = true
		}
	}
	for _, protocol := range append(append(slices.Clone(protocols[store.Application]), protocols[store.Network]...), protocols[store.Gateway]...) {
		if targets[protocol] == nil {
			t.Errorf("no target group fits a listener with protocol %s", protocol)
		}
	}
	if !slices.ContainsFunc(sslPolicies(), func(p SslPolicy) bool { return p.Name == defaultPolicy }) {
		t.Errorf("the default policy %s is not known", defaultPolicy)
	}
}
