package main

import (
	"context"
	"net"

	"github.com/parley-tls/parley/inspect"
)

// maxLookups is how many names are looked up at once, and so how many targets wait with their addresses at most.
const maxLookups = 32

// address is a target with the address to scan it at. Without one, lookupErr says why the name has none.
type address struct {
	inspect.Target
	lookupErr error
}

// lookedUp is what a target came to: one address of it, or several where all were asked for.
type lookedUp struct {
	addresses []address
	err       error // the target cannot be read
}

// feed looks the names of targets up, some at once and ahead of the scanning, and hands each target to take in the order
// in which they were named. What cannot be read goes to complain.
func (s *scanner) feed(ctx context.Context, take func(address), complain func(error)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pending := make(chan chan lookedUp, maxLookups-1) // one more is held by who waits for room
	go s.lookUpAll(ctx, pending)
	for result := range pending {
		found := <-result
		if ctx.Err() != nil {
			return
		}
		if found.err != nil {
			complain(found.err)
		}
		for _, a := range found.addresses {
			take(a)
		}
	}
}

// lookUpAll begins a look-up for each target, as long as there is room for another.
func (s *scanner) lookUpAll(ctx context.Context, pending chan<- chan lookedUp) {
	defer close(pending)
	for {
		n, err := s.targets.next()
		if err == errNoMore {
			return
		}
		result := make(chan lookedUp, 1)
		select {
		case pending <- result:
		case <-ctx.Done():
			return
		}
		if err != nil {
			result <- lookedUp{err: err}
			continue
		}
		go func() { result <- s.lookUp(ctx, n) }()
	}
}

// lookUp reads a target and looks its name up, unless a proxy does that.
func (s *scanner) lookUp(ctx context.Context, n named) lookedUp {
	e, err := parseScanEndpoint(n.name, s.flags)
	if err != nil {
		return lookedUp{err: n.wrap(err)}
	}
	x := address{Target: inspect.Target{Name: n.name, Host: e.Host, Port: e.Port, ServerName: e.ServerName, StartTLS: string(e.StartTLS)}}
	if s.flags.proxy != "" && len(e.Addresses) == 0 {
		e.Addresses = []string{e.Host}
	}
	if len(e.Addresses) == 0 {
		if s.flags.lookupTimeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, s.flags.lookupTimeout)
			defer cancel()
		}
		lookUpHost(ctx, e)
	}
	if len(e.Addresses) == 0 {
		x.lookupErr = e.LookupErr
		return lookedUp{addresses: []address{x}}
	}
	if !s.flags.allAddresses {
		e.Addresses = e.Addresses[:1]
	}
	var l lookedUp
	for _, a := range e.Addresses {
		x.Address = net.JoinHostPort(a, e.Port)
		l.addresses = append(l.addresses, x)
	}
	return l
}
