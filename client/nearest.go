package client

import (
	"fmt"
	"slices"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Likeness is how near a hello comes to a known client.
type Likeness struct {
	Profile *Profile
	Also    []*Profile // others whose hellos are just as near: they differ in nothing that a hello shows
	Exact   bool       // all that negotiation depends on is the same
	Score   float64    // 0 to 1; 1 for an exact likeness
	Differs []string   // in what it is not the same: "offers 2 cipher suites less" …
}

// leastLikeness is the score below which no client is named.
const leastLikeness = 0.6

// Nearest names the known client whose hello comes nearest to h, and false if none comes near. What changes between
// connections of one client does not count: the name, resumption, padding, the order of extensions.
func Nearest(h *hello.ClientHello) (Likeness, bool) {
	o := h.Offer()
	mine := steady(o.Extensions)
	var best Likeness
	for _, p := range All() {
		l := likeness(p, &o, mine)
		switch {
		case l.Score > best.Score+1e-9:
			best = l
		case l.Score > best.Score-1e-9 && best.Profile != nil:
			best.Also = append(best.Also, p)
		}
	}
	if best.Score < leastLikeness {
		return Likeness{}, false
	}
	return best, true
}

// likeness compares what a hello shows. Suites weigh most: they are what clients differ in.
func likeness(p *Profile, o *hello.Offer, extensions []uint16) Likeness {
	l := Likeness{Profile: p}
	t := p.Offer()
	add := func(weight float64, what string, same float64, more, less int) {
		l.Score += weight * same
		if same < 1 {
			l.Differs = append(l.Differs, difference(what, more, less))
		}
	}
	score := func(weight float64, what string, same float64, more, less int, ordered bool) {
		if same == 1 && !ordered {
			same, what = 0.9, "order of "+what
		}
		add(weight, what, same, more, less)
	}
	same, more, less := overlap(o.Suites, t.Suites)
	score(0.5, "cipher suites", same, more, less, slices.Equal(o.Suites, t.Suites))
	same, more, less = overlap(extensions, steady(t.Extensions))
	add(0.15, "extensions", same, more, less)
	same, more, less = overlap(o.Groups, t.Groups)
	score(0.1, "groups", same, more, less, slices.Equal(o.Groups, t.Groups))
	same, more, less = overlap(o.Schemes, t.Schemes)
	score(0.1, "signature schemes", same, more, less, slices.Equal(o.Schemes, t.Schemes))
	same, more, less = overlap(o.ALPN, t.ALPN)
	score(0.05, "application protocols", same, more, less, slices.Equal(o.ALPN, t.ALPN))
	same, more, less = overlap(shown(o), shown(t))
	add(0.1, "versions", same, more, less)
	if o.SSLv2Format != t.SSLv2Format {
		l.Score -= 0.05
		l.Differs = append(l.Differs, "record format of the hello")
	}
	l.Exact = len(l.Differs) == 0
	return l
}

func difference(what string, more, less int) string {
	switch {
	case more > 0 && less > 0:
		return fmt.Sprintf("%s: %d more, %d less", what, more, less)
	case more > 0:
		return fmt.Sprintf("%s: %d more", what, more)
	case less > 0:
		return fmt.Sprintf("%s: %d less", what, less)
	}
	return what
}

// overlap is the share of two lists' members that both have, and how many a has that b lacks, and the other way round.
func overlap[T comparable](a, b []T) (same float64, more, less int) {
	for _, v := range a {
		if !slices.Contains(b, v) {
			more++
		}
	}
	for _, v := range b {
		if !slices.Contains(a, v) {
			less++
		}
	}
	common := len(a) - more
	if total := common + more + less; total > 0 {
		return float64(common) / float64(total), more, less
	}
	return 1, 0, 0
}

// shown are the versions that a hello shows: without supported_versions the highest alone, since the floor of a
// profile is its own.
func shown(o *hello.Offer) []suite.Version {
	if len(o.Versions) == 0 || slices.Contains(o.Extensions, hello.ExtSupportedVersions) {
		return o.Versions
	}
	return o.Versions[:1]
}

// steady are the extensions that a client sends on each connection.
func steady(l []uint16) []uint16 {
	return slices.DeleteFunc(slices.Clone(l), func(e uint16) bool {
		switch e {
		case hello.ExtServerName, hello.ExtPreSharedKey, hello.ExtEarlyData, hello.ExtPadding, hello.ExtCookie:
			return true
		}
		return false
	})
}
