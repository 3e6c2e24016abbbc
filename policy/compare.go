package policy

import (
	"slices"

	"github.com/parley-tls/parley/suite"
)

// Differences lists what changes from policy a to policy b.
type Differences struct {
	AddedVersions, DroppedVersions []suite.Version
	AddedSuites, DroppedSuites     []suite.Code
	AddedGroups, DroppedGroups     []suite.Group
	// Reordered is true where the suites that both have come in another order.
	Reordered bool
	// OrderFrom and OrderTo differ where another side decides the order.
	OrderFrom, OrderTo Order
}

// Empty reports whether nothing changes.
func (d *Differences) Empty() bool {
	return len(d.AddedVersions)+len(d.DroppedVersions)+len(d.AddedSuites)+len(d.DroppedSuites)+
		len(d.AddedGroups)+len(d.DroppedGroups) == 0 && !d.Reordered && d.OrderFrom == d.OrderTo
}

// Compare lists what a change from a to b adds, drops and reorders.
func Compare(a, b *Policy) Differences {
	d := Differences{
		AddedVersions: without(b.Versions, a.Versions), DroppedVersions: without(a.Versions, b.Versions),
		AddedSuites: without(b.Suites, a.Suites), DroppedSuites: without(a.Suites, b.Suites),
		OrderFrom: a.Order, OrderTo: b.Order,
	}
	if len(a.Groups) > 0 && len(b.Groups) > 0 {
		d.AddedGroups, d.DroppedGroups = without(b.Groups, a.Groups), without(a.Groups, b.Groups)
	}
	d.Reordered = !slices.Equal(without(a.Suites, d.DroppedSuites), without(b.Suites, d.AddedSuites))
	return d
}

// without returns the elements of a that are not in b, in a's order.
func without[T comparable](a, b []T) []T {
	return slices.DeleteFunc(slices.Clone(a), func(x T) bool { return slices.Contains(b, x) })
}
