package truth

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// scanned is what `parley scan` says of an endpoint, and what that took.
func scanned(ctx context.Context, s *subject) (*picture, *inspect.Report) {
	host, port, _ := net.SplitHostPort(s.addr)
	t := inspect.Target{Name: s.addr, Host: host, Port: port, Address: s.addr, ServerName: s.serverName}
	r := inspect.Run(ctx, &probe.Prober{}, t, inspect.Options{Now: time.Now()})
	return fromReport(r), r
}

func fromReport(r *inspect.Report) *picture {
	p := &picture{versions: make(map[suite.Version]list[suite.Code])}
	for _, x := range r.Protocols {
		switch x.State {
		case inspect.Yes:
			p.versions[x.Version] = list[suite.Code]{}
		case inspect.NotTested:
			p.silent = append(p.silent, x.Version.String()+" is not tested")
		}
	}
	for _, l := range r.Ciphers {
		found := list[suite.Code]{order: l.Order, sorted: l.Sorted}
		for _, c := range l.Ciphers {
			found.items = append(found.items, c.Cipher)
		}
		p.versions[l.Version] = found
	}
	for _, l := range r.Groups {
		found := list[suite.Group]{order: l.Order, sorted: l.Sorted}
		for _, g := range l.Groups {
			found.items = append(found.items, g.Group)
		}
		if l.Version == suite.TLS13 {
			p.groups13 = found
		} else {
			p.groups12 = found
		}
	}
	for _, u := range r.Unsure {
		// What it is of stands before the colon.
		what, _, _ := strings.Cut(u, ":")
		p.unsure = append(p.unsure, what)
	}
	p.silent = append(p.silent, r.NotTested...)
	return p
}
