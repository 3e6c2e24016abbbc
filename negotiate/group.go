package negotiate

import (
	"slices"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// usable12 reports whether a group can be used for ECDHE before TLS 1.3.
func usable12(g suite.Group) bool {
	return g >= 1 && g <= suite.X448 // RFC 8422 and the older curves; not ffdhe, not the hybrids
}

func usable13(g suite.Group) bool {
	switch {
	case g >= suite.Secp256r1 && g <= suite.Secp521r1, g == suite.X25519, g == suite.X448:
		return true
	case g >= 31 && g <= 41, g >= 0x100: // TLS 1.3 brainpool, GOST, SM2; ffdhe, ML-KEM and the hybrids
		return true
	}
	return false
}

// classical reports whether a group is one of those that were there before post-quantum ones.
func classical(g suite.Group) bool { return usable12(g) || finite(g) }

// finite reports whether a group is one of RFC 7919, or a code that it reserves for such.
func finite(g suite.Group) bool { return g >= 0x100 && g <= 0x1FF }

// postQuantum reports whether a group withstands a quantum computer.
func postQuantum(g suite.Group) bool {
	return g >= 0x200 && g <= 0x202 || g >= 0x11EB && g <= 0x11EE || g == 0x6399 || g == 0x639A
}

// inOrder returns the two lists with the one that decides first.
func inOrder[T any](d *decision, o order, server, client []T) (first, second []T) {
	if o == byClient || o == asPolicy && d.p.Order == policy.ClientOrder {
		return client, server
	}
	return server, client
}

// firstShared returns the first group of first that is also in second and usable, or 0.
func firstShared(first, second []suite.Group, usable func(suite.Group) bool) suite.Group {
	for _, g := range first {
		if usable(g) && slices.Contains(second, g) {
			return g
		}
	}
	return 0
}

// chooseGroup12 chooses the group of ECDHE before TLS 1.3.
func (d *decision) chooseGroup12() bool {
	server := d.p.GroupsFor(d.v)
	if !d.o.HasGroups || d.rules.strangersIgnored && !slices.ContainsFunc(d.o.Groups, classical) {
		return d.chooseUnlisted(server)
	}
	if server == nil {
		d.noGroups = slices.ContainsFunc(d.o.Groups, usable12)
		return d.noGroups // the group itself is not known
	}
	if d.rules.hybridFirst && d.postQuantumGroup(server) != 0 {
		return false
	}
	first, second := inOrder(d, d.rules.groups12, server, d.o.Groups)
	d.group = firstShared(first, second, usable12)
	return d.group != 0
}

// chooseUnlisted chooses for a client without supported_groups.
func (d *decision) chooseUnlisted(server []suite.Group) bool {
	switch want := d.rules.groupWithoutList; {
	case want == noECDHE:
		return false
	case want != 0 && (server == nil || slices.Contains(server, want)):
		d.group = want
		return true
	}
	for _, g := range server {
		if usable12(g) {
			d.group = g
			return true
		}
	}
	return server == nil
}

// chooseFFDHE chooses the group of DHE before TLS 1.3. Most servers have DH parameters of their own, and a
// client cannot tell them which it accepts.
func (d *decision) chooseFFDHE() bool {
	if !d.rules.ffdheByName || !slices.ContainsFunc(d.o.Groups, finite) {
		return true
	}
	first, second := inOrder(d, d.rules.groups12, d.p.GroupsFor(d.v), d.o.Groups)
	d.group = firstShared(first, second, finite)
	return d.group != 0
}

// chooseGroup13 chooses the group of TLS 1.3, and whether another ClientHello is needed for it.
func (d *decision) chooseGroup13() bool {
	server := d.p.GroupsFor(suite.TLS13)
	if server == nil {
		d.noGroups = slices.ContainsFunc(d.o.Groups, usable13)
		return d.noGroups
	}
	order := asPolicy
	switch d.rules.groups13 {
	case clientShares:
		// Shares are taken in the client's order, but a retry asks for the server's favourite.
		if d.group = d.withShare(d.o.KeyShares, server); d.group != 0 {
			return true
		}
		order = byServer
	case postQuantum1, topOfServer:
		order = byServer
	case clientFirst:
		order = byClient
	}
	first, second := inOrder(d, order, server, d.o.Groups)
	top := firstShared(first, second, usable13)
	if top == 0 {
		return false
	}
	switch d.rules.groups13 {
	case topGroup, topOfServer:
		d.group = top
	case postQuantum1:
		if d.group = d.postQuantumGroup(server); d.group == 0 {
			d.group = d.withShare(first, second)
		}
	default:
		d.group = d.withShare(first, second)
	}
	if d.group == 0 {
		d.group = top
	}
	d.retry = !slices.Contains(d.o.KeyShares, d.group)
	return true
}

// withShare returns the first shared group for which the client sent a key share, or 0.
func (d *decision) withShare(first, second []suite.Group) suite.Group {
	for _, g := range first {
		if usable13(g) && slices.Contains(second, g) && slices.Contains(d.o.KeyShares, g) {
			return g
		}
	}
	return 0
}

// postQuantumGroup returns a shared post-quantum group, one with a key share if there is one, or 0.
func (d *decision) postQuantumGroup(server []suite.Group) suite.Group {
	shared := suite.Group(0)
	for _, g := range server {
		if !postQuantum(g) || !slices.Contains(d.o.Groups, g) {
			continue
		}
		if slices.Contains(d.o.KeyShares, g) {
			return g
		}
		if shared == 0 {
			shared = g
		}
	}
	return shared
}
