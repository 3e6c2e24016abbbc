package client

import (
	"slices"
	"testing"

	"github.com/parley-tls/parley/hello"
)

// TestNearestKnowsItself finds every captured client by its own hello.
func TestNearestKnowsItself(t *testing.T) {
	for _, p := range All() {
		raw := p.Hello()
		if raw == nil {
			continue
		}
		h, err := hello.ParseClientHello(raw)
		if err != nil {
			t.Fatal(err)
		}
		l, ok := Nearest(h)
		if !ok || !l.Exact || l.Profile != p && !slices.Contains(l.Also, p) {
			t.Errorf("%s: nearest is %+v", p.Name, l)
		}
	}
}

func TestNearestOfAChangedClient(t *testing.T) {
	h, err := hello.ParseClientHello(ByName("openssl-3.0").Hello())
	if err != nil {
		t.Fatal(err)
	}
	h.Suites = h.Suites[1:]
	l, ok := Nearest(h)
	if !ok || l.Exact || l.Profile.Family != "openssl" && l.Profile.Library == "" || !slices.Contains(l.Differs, "cipher suites: 1 less") {
		t.Errorf("%+v %v", l, ok)
	}
	strange := &hello.ClientHello{Version: 0x0303, Random: make([]byte, 32), Suites: nil}
	if l, ok := Nearest(strange); ok {
		t.Errorf("a hello without suites is like %s", l.Profile.Name)
	}
}
