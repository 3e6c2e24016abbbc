package truth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// picture is what an endpoint accepts: as it was configured, or as a scanner saw it.
type picture struct {
	versions map[suite.Version]list[suite.Code] // the accepted ones
	groups13 list[suite.Group]
	groups12 list[suite.Group] // of the versions before TLS 1.3
	// unsure are the versions and items that the scanner says it could not find out, as it words them.
	unsure []string
	silent []string // of what it says that it never asks
}

// list is what is accepted, and whose order counts.
type list[T comparable] struct {
	items  []T
	order  policy.Order
	sorted bool // items are in the endpoint's order
}

// mistake is one thing that a scanner got wrong, in words that begin with its place: "TLSv1.2 suites missing: …".
type mistake string

// compare lists what is wrong with what was seen. Where the network is lossy, what is missing may be called unsure.
func compare(want, seen *picture, lossy bool) []mistake {
	var m []mistake
	add := func(format string, args ...any) { m = append(m, mistake(fmt.Sprintf(format, args...))) }
	for _, v := range slices.Backward(suite.Versions) {
		truth, accepted := want.versions[v]
		found, told := seen.versions[v]
		switch {
		case accepted && !told && !(lossy && seen.doubts(v.String())):
			add("%v missing%s", v, seen.excuse(v.String()))
		case !accepted && told:
			add("%v invented: %s", v, suiteNames(found.items))
		}
		if accepted && told {
			m = append(m, compareLists(v.String(), "suites", truth, found, seen, lossy)...)
		}
	}
	for _, g := range []struct {
		place       string
		truth, seen list[suite.Group]
	}{{suite.TLS13.String(), want.groups13, seen.groups13}, {"before TLSv1.3", want.groups12, seen.groups12}} {
		m = append(m, compareLists(g.place, "groups", g.truth, g.seen, seen, lossy)...)
	}
	if !lossy {
		for _, u := range seen.unsure {
			add("unsure of %s", u)
		}
	}
	return m
}

// compareLists compares the sets, and the order of what both have.
func compareLists[T comparable](place, what string, want, seen list[T], p *picture, lossy bool) []mistake {
	var m []mistake
	missing := without(want.items, seen.items)
	if lossy {
		missing = slices.DeleteFunc(missing, func(x T) bool { return p.doubts(place + " " + nameOf(x)) })
	}
	if len(missing) > 0 {
		m = append(m, mistake(fmt.Sprintf("%s %s missing: %s%s", place, what, names(missing), p.excuse(what+" "+strings.ToLower(place)))))
	}
	if invented := without(seen.items, want.items); len(invented) > 0 {
		m = append(m, mistake(fmt.Sprintf("%s %s invented: %s", place, what, names(invented))))
	}
	return append(m, compareOrder(place, what, want, seen)...)
}

// compareOrder looks at whose order counts, and where that is the endpoint's, at the order itself.
func compareOrder[T comparable](place, what string, want, seen list[T]) []mistake {
	truth, found := common(want.items, seen.items), common(seen.items, want.items)
	switch {
	case len(truth) < 2 || want.order == policy.OrderUnknown || want.order == "":
		return nil
	case seen.order != want.order:
		return []mistake{mistake(fmt.Sprintf("%s %s: order is %q, want %q", place, what, seen.order, want.order))}
	case want.order == policy.ServerOrder && !seen.sorted:
		return []mistake{mistake(fmt.Sprintf("%s %s: order is not proven", place, what))}
	case want.order == policy.ServerOrder && !slices.Equal(truth, found):
		i := 0
		for truth[i] == found[i] {
			i++
		}
		return []mistake{mistake(fmt.Sprintf("%s %s: in place %d of the order is %s, want %s", place, what, i+1, nameOf(found[i]), nameOf(truth[i])))}
	}
	return nil
}

// doubts reports whether the scanner says that it could not find this out.
func (p *picture) doubts(what string) bool {
	return slices.ContainsFunc(p.unsure, func(u string) bool { return u == what || strings.HasPrefix(u, what+":") })
}

// excuse is what the scanner says of something that it did not look for.
func (p *picture) excuse(what string) string {
	for _, s := range p.silent {
		if strings.HasPrefix(strings.ToLower(s), strings.ToLower(what)) {
			return " (it says so: " + s + ")"
		}
	}
	return ""
}

// without lists what is in a and not in b.
func without[T comparable](a, b []T) []T {
	return slices.DeleteFunc(slices.Clone(a), func(x T) bool { return slices.Contains(b, x) })
}

// common lists what is in both, in the order of a.
func common[T comparable](a, b []T) []T {
	return slices.DeleteFunc(slices.Clone(a), func(x T) bool { return !slices.Contains(b, x) })
}

func nameOf[T any](x T) string {
	switch x := any(x).(type) {
	case suite.Code:
		return x.OpenSSL()
	case suite.Group:
		return x.String()
	}
	return fmt.Sprint(x)
}

func names[T any](l []T) string {
	var s []string
	for _, x := range l {
		s = append(s, nameOf(x))
	}
	return strings.Join(s, ", ")
}

func suiteNames(l []suite.Code) string { return names(l) }

// pairs counts the pairs of version and suite.
func (p *picture) pairs() int {
	n := 0
	for _, l := range p.versions {
		n += len(l.items)
	}
	return n
}
