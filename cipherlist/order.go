package cipherlist

import (
	"slices"

	"github.com/parley-tls/parley/suite"
)

// order is the list that rules work on: every suite that no rule has removed for good, chosen or
// not, in an order that matters even for those not chosen, because they may be chosen later.
type order []entry

type entry struct {
	*row
	chosen bool
}

// action is what a rule does with the suites it selects.
type action uint8

const (
	add     action = iota // choose those not chosen yet, at the end of the list
	toEnd                 // move the chosen ones to the end
	toFront               // move the chosen ones to the front; only the order of preference needs it
	drop                  // unchoose; they go to the front, to be the first to come back
	kill                  // remove for good
)

// apply does a to every suite that selected accepts, keeping the order among them.
func (o *order) apply(a action, selected func(*row) bool) {
	var rest, moved order
	for _, e := range *o {
		acts := selected(e.row)
		switch a {
		case add:
			acts = acts && !e.chosen
		case toEnd, toFront, drop:
			acts = acts && e.chosen
		}
		if !acts {
			rest = append(rest, e)
			continue
		}
		e.chosen = a != drop
		moved = append(moved, e)
	}
	switch a {
	case add, toEnd:
		*o = append(rest, moved...)
	case toFront, drop:
		*o = append(moved, rest...)
	case kill:
		*o = rest
	}
}

// byStrength sorts the chosen suites by their bits, strongest first, equals as they stood; the
// others come before them.
func (o *order) byStrength() {
	var used []int
	for _, e := range *o {
		if e.chosen && !slices.Contains(used, e.bits) {
			used = append(used, e.bits)
		}
	}
	slices.Sort(used)
	for _, bits := range slices.Backward(used) {
		o.apply(toEnd, func(r *row) bool { return r.bits == bits })
	}
}

// arrange puts suites, which come with the highest code first, into the order in which "ALL" lists them:
// ciphers(1) promises a "sensible" order, and every release has its own.
func (b *behaviour) arrange(rows []*row) []*row {
	o := make(order, len(rows))
	for i, r := range rows {
		o[i].row = r
	}
	kx := func(names ...string) func(*row) bool {
		return intersects(keyExchanges.of(names...), func(r *row) set { return r.kx })
	}
	auth := func(names ...string) func(*row) bool {
		return intersects(authentications.of(names...), func(r *row) set { return r.auth })
	}
	enc := func(names ...string) func(*row) bool {
		return intersects(encryptions.of(names...), func(r *row) set { return r.enc })
	}
	mac := func(names ...string) func(*row) bool {
		return intersects(macs.of(names...), func(r *row) set { return r.mac })
	}
	all := func(*row) bool { return true }

	// Ephemeral ECDH first, and there ECDSA; then AES, GCM before ChaCha20 before the other modes.
	if b.preferAEAD {
		o.apply(add, both(kx("ECDHE"), auth("ECDSA")))
	}
	o.apply(add, kx("ECDHE"))
	o.apply(drop, kx("ECDHE"))
	if b.preferAEAD {
		o.apply(add, enc("AES128GCM", "AES256GCM"))
		o.apply(add, enc("CHACHA20"))
	}
	o.apply(add, enc("AES128", "AES256", "AES128GCM", "AES256GCM", "AES128CCM", "AES256CCM", "AES128CCM8", "AES256CCM8"))
	o.apply(add, all)

	// What is weak goes to the end: MD5, no authentication, no forward secrecy, RC4.
	o.apply(toEnd, mac("MD5"))
	o.apply(toEnd, auth("NULL"))
	if !b.preferAEAD {
		o.apply(toEnd, auth("ECDH"))
	}
	o.apply(toEnd, kx("RSA"))
	o.apply(toEnd, kx("PSK"))
	o.apply(toEnd, kx("KRB5"))
	o.apply(toEnd, enc("RC4"))
	o.byStrength()

	// From 1.1.0 on, forward secrecy and AEAD count more than key length.
	if b.preferAEAD {
		o.apply(toFront, func(r *row) bool { return r.min == suite.TLS12 })
		o.apply(toFront, mac("AEAD"))
		o.apply(toFront, kx("DHE", "ECDHE"))
		o.apply(toFront, both(kx("DHE", "ECDHE"), mac("AEAD")))
	}
	r := make([]*row, len(o))
	for i, e := range o {
		r[i] = e.row
	}
	return r
}

func intersects(want set, of func(*row) set) func(*row) bool {
	return func(r *row) bool { return of(r)&want != 0 }
}

func both(a, b func(*row) bool) func(*row) bool {
	return func(r *row) bool { return a(r) && b(r) }
}
