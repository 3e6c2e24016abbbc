package scan

import (
	"slices"

	"github.com/parley-tls/parley/policy"
)

// preference is what the answers so far say about a list of things to choose from (the cipher suites of one
// version and kind of certificate, or the groups): which of them an endpoint accepts, in which order it prefers
// them, and whether its order counts at all or the client's. It only draws conclusions; what to ask is decided
// elsewhere.
type preference[T comparable] struct {
	universe  []T // all there is to ask for, in the order in which it is offered unless a choice says otherwise
	choices   []choice[T]
	rejected  map[T]bool
	fruitless [][]T // lists of several that gave no choice, whatever they were asked for
}

// choice is one answer: of these, offered in this order, the endpoint took one.
type choice[T comparable] struct {
	offered []T
	taken   T
}

func newPreference[T comparable](universe []T) *preference[T] {
	return &preference[T]{universe: universe, rejected: make(map[T]bool)}
}

// took notes that the endpoint took one of those offered.
func (p *preference[T]) took(offered []T, taken T) {
	p.choices = append(p.choices, choice[T]{offered, taken})
}

// refused notes that the endpoint took none of those offered.
func (p *preference[T]) refused(offered []T) {
	for _, x := range offered {
		p.rejected[x] = true
	}
	p.failed(offered)
}

// failed notes that a list gave no choice: to offer it again is of no use, even if all of it was accepted before.
func (p *preference[T]) failed(offered []T) {
	if len(offered) > 1 {
		p.fruitless = append(p.fruitless, offered)
	}
}

// accepted lists what was taken at least once, in the order of the universe.
func (p *preference[T]) accepted() []T {
	taken := make(map[T]bool)
	for _, c := range p.choices {
		taken[c.taken] = true
	}
	return p.filter(func(x T) bool { return taken[x] })
}

// open lists what no answer has settled.
func (p *preference[T]) open() []T {
	accepted := p.accepted()
	return p.filter(func(x T) bool { return !p.rejected[x] && !slices.Contains(accepted, x) })
}

func (p *preference[T]) filter(keep func(T) bool) []T {
	var l []T
	for _, x := range p.universe {
		if keep(x) {
			l = append(l, x)
		}
	}
	return l
}

// order puts the accepted elements into the endpoint's order as far as the answers prove it: known is the proven
// beginning, rest what follows in an order that is open. Of a rest of one there is nothing left to prove.
func (p *preference[T]) order() (known, rest []T) {
	r := p.ranking()
	rest = slices.Clone(r.items)
	for len(rest) > 1 {
		next, ok := r.foremost(rest)
		if !ok {
			return known, rest
		}
		known = append(known, next)
		rest = slices.DeleteFunc(rest, func(x T) bool { return x == next })
	}
	return append(known, rest...), nil
}

// ranking is what is proven of the order of the accepted elements, pair by pair.
type ranking[T comparable] struct {
	items []T
	index map[T]int
	above [][]bool // above[i][j]: item i is preferred to item j
}

// ranking compares all pairs: one element is preferred to another if it was taken where both were offered, or if
// there is a third between the two.
func (p *preference[T]) ranking() *ranking[T] {
	r := &ranking[T]{items: p.accepted(), index: make(map[T]int)}
	for i, x := range r.items {
		r.index[x] = i
		r.above = append(r.above, make([]bool, len(r.items)))
	}
	for _, c := range p.choices {
		taken := r.index[c.taken]
		for _, x := range c.offered {
			if i, ok := r.index[x]; ok && i != taken {
				r.above[taken][i] = true
			}
		}
	}
	for between := range r.items { // Warshall's transitive closure
		for a := range r.items {
			if !r.above[a][between] {
				continue
			}
			for b := range r.items {
				r.above[a][b] = r.above[a][b] || r.above[between][b]
			}
		}
	}
	return r
}

// prefers reports whether a is proven to be preferred to b.
func (r *ranking[T]) prefers(a, b T) bool { return r.above[r.index[a]][r.index[b]] }

// foremost is the element of l that is preferred to all others of l, if that is proven.
func (r *ranking[T]) foremost(l []T) (T, bool) {
	for _, x := range l {
		if !slices.ContainsFunc(l, func(y T) bool { return y != x && !r.prefers(x, y) }) {
			return x, true
		}
	}
	var none T
	return none, false
}

// estimate sorts l so that nothing proven contradicts it: what the answers leave open stays as it is.
func (r *ranking[T]) estimate(l []T) []T {
	l = slices.Clone(l)
	out := make([]T, 0, len(l))
	for len(l) > 0 {
		next := max(0, slices.IndexFunc(l, func(x T) bool {
			return !slices.ContainsFunc(l, func(y T) bool { return y != x && r.prefers(y, x) })
		}))
		out = append(out, l[next])
		l = slices.Delete(l, next, next+1)
	}
	return out
}

// agrees reports whether an endpoint that accepts these, in this order, would have answered all that was asked as
// this one did.
func (p *preference[T]) agrees(expected []T) bool {
	for _, c := range p.choices {
		i := slices.IndexFunc(expected, func(x T) bool { return slices.Contains(c.offered, x) })
		if i < 0 || expected[i] != c.taken {
			return false
		}
	}
	return !slices.ContainsFunc(expected, func(x T) bool { return p.rejected[x] })
}

// implied reports whether it is known what the endpoint would take of these: what it took of a longer list, or
// nothing.
func (p *preference[T]) implied(offered []T) bool {
	if !slices.ContainsFunc(offered, func(x T) bool { return !p.rejected[x] }) {
		return true
	}
	return slices.ContainsFunc(p.choices, func(c choice[T]) bool {
		return slices.Contains(offered, c.taken) && len(shared(offered, c.offered)) == len(offered)
	})
}

// decider says whose order counts: the endpoint's if it passed over something acceptable that was offered before
// what it took; the client's if of two things it took now the one, now the other.
func (p *preference[T]) decider() policy.Order {
	accepted := p.accepted()
	for i, c := range p.choices {
		for _, d := range p.choices[:i] {
			if c.taken != d.taken && slices.Contains(c.offered, d.taken) && slices.Contains(d.offered, c.taken) {
				return policy.ClientOrder
			}
		}
	}
	for _, c := range p.choices {
		if slices.ContainsFunc(c.offered[:slices.Index(c.offered, c.taken)], func(x T) bool { return slices.Contains(accepted, x) }) {
			return policy.ServerOrder
		}
	}
	return policy.OrderUnknown
}

// steps are the lists to offer to prove that the endpoint prefers the accepted elements in this order, or to learn
// how it does: what is open in the order, without one more of its beginning each. guess orders the rest.
func (p *preference[T]) steps(guess []T) [][]T {
	r := p.ranking()
	_, rest := p.order()
	rest = r.estimate(arrange(rest, guess))
	var lists [][]T
	for i := 0; i < len(rest)-1; i++ {
		left := rest[i:]
		if _, ok := r.foremost(left); ok {
			continue
		}
		list := p.filter(func(x T) bool { return slices.Contains(left, x) })
		if !slices.ContainsFunc(p.fruitless, func(l []T) bool { return sameSet(l, list) }) {
			lists = append(lists, list)
		}
	}
	return lists
}

// arrange sorts l as far as guess has its elements; the others follow as they stand.
func arrange[T comparable](l, guess []T) []T {
	out := make([]T, 0, len(l))
	for _, x := range guess {
		if slices.Contains(l, x) && !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	for _, x := range l {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}
