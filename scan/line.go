package scan

import (
	"slices"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
)

// line learns one list of an endpoint, round by round: which of a universe of things it accepts, in which order,
// and whose order counts. The things are the cipher suites of one version and kind of certificate, or groups.
type line[T comparable] struct {
	pref  *preference[T]
	guess []T            // what the endpoint is expected to accept, in its order; may be wrong, or nil
	kind  func(T) string // things of one kind tend to be accepted together, or refused
	rare  func(T) bool   // things that are seldom accepted, and then hardly all of a kind; nil: none are
	build func([]T) hello.Offer
	read  func(*probe.Observation) (T, bool) // what was taken
	last  func(T) bool                       // what never leads a list of several; nil: anything may
	ahead func(T) bool                       // what leads a list that is turned round; nil: anything may
	fits  func(T) bool                       // whether a question that this is expected to answer may share a hello; nil: none may
	limit int                                // of a question's list; 0: none
	once  bool                               // ends after the first question: only whether anything is accepted counts

	eager     bool  // asks what it foresees together with the first question
	ends      [][]T // asked before anything else of the order, since they may settle it
	stage     stage
	batches   []batch[T]    // of what is open, see narrow
	unfolding bool          // set and order are asked for in one
	left      int           // that were open when they were last
	turned    bool          // the question that tells whose order counts was asked
	proven    *int          // how much of the order was, when it was last asked for; nil before
	led       bool          // the question that what never leads does lead was asked
	leads     bool          // what never leads is taken where it does lead
	waiting   []question[T] // asked in this round
	again     []question[T] // to be asked again
	unsure    []question[T] // met network failures too often
}

// question is one list to offer, in this order.
type question[T comparable] struct {
	list    []T
	leading bool // what else never leads does: the answer says nothing of the order of the others
	shares  bool // may be asked in one hello with a question of another line
	apart   bool // was, and has to be asked by itself
	tries   int
}

type stage int

const (
	first     stage = iota // everything at once
	foresee                // what the guess says, without one more of its beginning each
	narrowing              // what is still open, in parts
	sorting                // the order of what is accepted
	done
)

// maxTries is how often a question is asked that meets a reset, silence or a refused connection.
const maxTries = 5

// next returns the offers of the next round, none when the line has come to its end.
func (l *line[T]) next() []hello.Offer {
	l.waiting, l.again = l.again, nil
	for len(l.waiting) == 0 && l.stage < done {
		l.waiting = l.questions()
		if l.stage == first && len(l.guess) > 0 && l.eager { // no need to wait for the first answer
			l.stage = foresee
			l.waiting = append(l.waiting, l.foreseen()...)
		}
		switch {
		case l.once:
			l.stage = done
		case len(l.waiting) == 0 || l.stage < narrowing:
			l.stage++
		}
	}
	offers := make([]hello.Offer, len(l.waiting))
	for i, q := range l.waiting {
		offers[i] = l.build(q.list)
	}
	return offers
}

// finished reports whether the line has no question left.
func (l *line[T]) finished() bool { return l.stage == done && len(l.waiting)+len(l.again) == 0 }

// questions are those of the present stage.
func (l *line[T]) questions() []question[T] {
	p := l.pref
	if l.stage > first && l.ends == nil && len(p.accepted()) == 0 {
		l.stage = done - 1 // all was refused at once
		return nil
	}
	switch l.stage {
	case first:
		if l.limit > 0 {
			return l.limited([][]T{l.backwards(p.universe)})
		}
		return []question[T]{{list: l.backwards(p.universe), shares: l.fits != nil && !l.eager}}
	case foresee:
		return l.foreseen()
	case narrowing:
		return l.narrow()
	case sorting:
		return l.sort()
	}
	return nil
}

// limited makes questions of lists, none of them longer than the endpoint takes.
func (l *line[T]) limited(lists [][]T) []question[T] {
	if l.limit == 0 {
		return asQuestions(lists)
	}
	var parts [][]T
	for _, list := range lists {
		parts = slices.AppendSeq(parts, slices.Chunk(list, l.limit))
	}
	return asQuestions(parts)
}

// foreseen offers everything without one more of the guess at a time. If the guess is right, the answers prove the set
// and its order at once, the first question's included: each takes the next of the guess, and the last is a refusal.
// All is offered backwards, so that an endpoint that leaves the order to the client shows it.
func (l *line[T]) foreseen() []question[T] {
	if l.limit > 0 {
		return nil
	}
	var qs []question[T]
	for i := range l.guess {
		out, left := l.guess[:i+1], l.guess[i+1:]
		list := l.backwards(l.pref.filter(func(x T) bool { return !slices.Contains(out, x) }))
		if len(list) > 0 && !l.pref.implied(list) {
			qs = append(qs, question[T]{list: list, shares: l.fits != nil && len(left) > 0 && l.fits(left[0])})
		}
	}
	if len(l.guess) > 1 && slices.Equal(l.guess, shared(l.backwards(l.pref.universe), l.guess)) {
		l.turned = true
		qs = append(qs, question[T]{list: l.pref.universe})
	}
	return append(qs, l.lead(l.guess)...)
}

// lead asks, once, whether what never leads is taken where it does, of an endpoint that prefers something else.
func (l *line[T]) lead(order []T) []question[T] {
	if l.last == nil || l.led {
		return nil
	}
	i := slices.IndexFunc(order, l.last)
	if i < 1 {
		return nil
	}
	l.led = true
	list := append([]T{order[i]}, order[:i]...)
	return []question[T]{{list: append(list, order[i+1:]...), leading: true}}
}

// sort asks for what is open in the order, and once for whose order it is if nothing has shown that.
func (l *line[T]) sort() []question[T] {
	if ends := l.ends; len(ends) > 0 {
		l.ends = nil
		return asQuestions(ends)
	}
	var qs []question[T]
	accepted := l.pref.accepted()
	switch l.pref.decider() {
	case policy.ClientOrder:
		return nil
	case policy.OrderUnknown:
		if len(accepted) > 1 && !l.turned { // what was asked until now was asked backwards
			l.turned = true
			qs = append(qs, question[T]{list: accepted})
		}
	}
	known, rest := l.pref.order()
	steps := l.pref.steps(l.guess)
	if l.proven != nil { // the order that was expected last was wrong, and beyond where it was the answers tell little
		steps = steps[:min(len(steps), max(leastSteps, 2*(len(known)-*l.proven)))]
	}
	proven := len(known)
	l.proven = &proven
	qs = slices.Concat(asQuestions(steps), qs, l.lead(slices.Concat(known, rest)))
	return slices.DeleteFunc(qs, func(q question[T]) bool { return l.limit > 0 && len(q.list) > l.limit })
}

// backwards turns a list round, but for what must lead it or must not.
func (l *line[T]) backwards(list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	if l.last != nil {
		slices.SortStableFunc(list, func(a, b T) int { return l.place(a) - l.place(b) })
	}
	return list
}

func (l *line[T]) place(x T) int {
	switch {
	case l.ahead != nil && l.ahead(x):
		return 0
	case l.last(x):
		return 2
	}
	return 1
}

// take draws the conclusions from the answers to the offers of the round, in their order. One that is nil says nothing
// of this line: the question shared a hello with another line's, and has to be asked by itself.
func (l *line[T]) take(answers []*probe.Observation) {
	for i, o := range answers {
		q := l.waiting[i]
		q.shares = false
		if q.apart = o == nil; q.apart {
			l.again = append(l.again, q)
			continue
		}
		taken, ok := l.read(o)
		switch {
		case ok && brokenOff(o) && slices.Contains(q.list, taken):
			l.withdrawn(q, taken)
		case ok && q.leading && taken == q.list[0]:
			l.leads = true
		case ok && slices.Contains(q.list, taken):
			l.pref.took(q.list, taken)
		case o.Answer.Refusal() || o.Answer.Accepted(): // accepted, but not as asked: another version
			l.pref.refused(q.list)
		default:
			if q.tries++; q.tries < triesFor(o.Answer) {
				l.again = append(l.again, q)
			} else {
				l.unsure = append(l.unsure, q)
				l.pref.failed(q.list)
			}
		}
	}
	l.waiting = nil
}

// brokenOff reports whether the endpoint chose something and then refused to go on: JSSE does that where its key cannot
// sign for the suite that it chose.
func brokenOff(o *probe.Observation) bool {
	return o.Answer == probe.ServerHello && !o.Complete && o.End == probe.Alerted
}

// withdrawn notes that the endpoint cannot use what it takes, and asks for the others of the question again.
func (l *line[T]) withdrawn(q question[T], taken T) {
	l.pref.refused([]T{taken})
	q.list = slices.DeleteFunc(slices.Clone(q.list), func(x T) bool { return l.pref.rejected[x] })
	if len(q.list) > 0 {
		l.again = append(l.again, q)
	}
}

// understands reports whether an answer to question i of the round takes something of its list.
func (l *line[T]) understands(i int, o *probe.Observation) bool {
	taken, ok := l.read(o)
	return ok && slices.Contains(l.waiting[i].list, taken)
}

// shares reports whether question i of the round may share its hello with another line's.
func (l *line[T]) shares(i int) bool { return l.waiting[i].shares }

// result is what the line has learnt: the accepted in the endpoint's order, whose order counts, and whether the
// endpoint's order is proven to the end.
func (l *line[T]) result() (accepted []T, order policy.Order, sorted bool) {
	order = l.pref.decider()
	if order == policy.ClientOrder {
		return l.pref.accepted(), order, false
	}
	known, rest := l.pref.order()
	return slices.Concat(known, rest), order, len(rest) == 0
}

// batch is some of what is open, as it was asked for.
type batch[T comparable] struct {
	list []T
	late bool // a member was accepted before, and then the others were asked for together
}

// narrow asks for what is open: kind by kind first, the rare ones together. Where a few things are accepted that the endpoint
// chooses among, set and order are then asked for in one; else what is left of each kind.
func (l *line[T]) narrow() []question[T] {
	open := l.pref.open()
	chooses := l.rare != nil && l.limit == 0 && len(l.pref.accepted()) <= few && l.pref.decider() != policy.ClientOrder
	switch {
	case len(open) == 0 || l.unfolding && len(open) == l.left: // or asked for in vain
		return nil
	case l.unfolding && !chooses: // there are more than were to be expected
		l.unfolding, l.batches = false, l.spread(open)
	case l.batches == nil:
		l.batches = l.byKind(open)
	case chooses:
		l.unfolding, l.left = true, len(open)
		return l.unfold(open)
	default:
		l.batches = l.split(open)
	}
	if l.limit > 0 {
		var chunks []batch[T]
		for _, p := range l.batches {
			for list := range slices.Chunk(p.list, l.limit) {
				chunks = append(chunks, batch[T]{list, p.late})
			}
		}
		l.batches = chunks
	}
	qs := make([]question[T], len(l.batches))
	for i, p := range l.batches {
		qs[i].list = p.list
	}
	return qs
}

// byKind makes a batch of each kind, and one of all that are rare.
func (l *line[T]) byKind(open []T) (batches []batch[T]) {
	var rest []T
	for _, list := range groupBy(open, l.kind) {
		if l.rare != nil && l.rare(list[0]) {
			rest = append(rest, list...)
		} else {
			batches = append(batches, batch[T]{list: list})
		}
	}
	if len(rest) > 0 {
		batches = append(batches, batch[T]{list: rest})
	}
	return batches
}

// split takes what is left of the batches of which something was accepted: one by one, since the whole kind is likely to be;
// if it is rare, kind by kind, then together, and then in halves.
func (l *line[T]) split(open []T) (batches []batch[T]) {
	add := func(late bool, lists ...[]T) {
		for _, list := range lists {
			batches = append(batches, batch[T]{list, late})
		}
	}
	for _, p := range l.batches {
		left := shared(p.list, open)
		kinds := groupBy(left, l.kind)
		switch {
		case len(left) == 0 || len(left) == len(p.list): // refused, or given up
		case len(kinds) > 1 && !p.late:
			add(false, kinds...)
		case l.rare == nil || !l.rare(left[0]):
			add(false, singles(left)...)
		case !p.late || len(left) == 1:
			add(true, left)
		default:
			add(true, left[:len(left)/2], left[len(left)/2:])
		}
	}
	return batches
}

// spread makes batches of all that is open: single ones of a kind of which something was accepted and that is not rare.
func (l *line[T]) spread(open []T) (batches []batch[T]) {
	accepted := l.pref.accepted()
	for _, list := range groupBy(open, l.kind) {
		begun := l.hasKind(accepted, list[0])
		if !begun || l.rare(list[0]) {
			batches = append(batches, batch[T]{list, begun})
			continue
		}
		for _, x := range list {
			batches = append(batches, batch[T]{list: []T{x}})
		}
	}
	return batches
}

// hasKind reports whether one of list is of the kind of x.
func (l *line[T]) hasKind(list []T, x T) bool {
	return slices.ContainsFunc(list, func(y T) bool { return l.kind(y) == l.kind(x) })
}

// few things are learnt together with their order.
const few = 16

// unfold asks for what is open and for the order in one: for everything but what is refused, without one more each time of
// what is accepted, as it is expected to be preferred. The last has nothing but what is open, and its refusal closes the list.
// What is left of a kind of which something was accepted is asked for besides, so that more is known the next time.
func (l *line[T]) unfold(open []T) []question[T] {
	r := l.pref.ranking()
	order := r.estimate(arrange(r.items, l.guess))
	var qs []question[T]
	for i := range order {
		list := l.backwards(l.pref.filter(func(x T) bool { return !l.pref.rejected[x] && !slices.Contains(order[:i+1], x) }))
		if !l.pref.implied(list) {
			qs = append(qs, question[T]{list: list})
		}
	}
	for _, kind := range groupBy(open, l.kind) {
		if !l.hasKind(order, kind[0]) || len(kind) == len(open) {
			continue
		}
		parts := [][]T{kind}
		if !l.rare(kind[0]) && len(kind) > 2 {
			parts = [][]T{kind[:len(kind)/2], kind[len(kind)/2:]}
		}
		qs = append(qs, asQuestions(parts)...)
	}
	return qs
}

// leastSteps is how many questions about an order go out at once at least.
const leastSteps = 4

// asQuestions makes plain questions of lists.
func asQuestions[T comparable](lists [][]T) []question[T] {
	var qs []question[T]
	for _, list := range lists {
		if len(list) > 0 {
			qs = append(qs, question[T]{list: list})
		}
	}
	return qs
}

// groupBy parts a list by kind, in the order in which kinds come up.
func groupBy[T comparable](l []T, kind func(T) string) [][]T {
	var names []string
	parts := make(map[string][]T)
	for _, x := range l {
		k := kind(x)
		if parts[k] == nil {
			names = append(names, k)
		}
		parts[k] = append(parts[k], x)
	}
	out := make([][]T, len(names))
	for i, n := range names {
		out[i] = parts[n]
	}
	return out
}

func singles[T any](l []T) [][]T {
	out := make([][]T, len(l))
	for i, x := range l {
		out[i] = []T{x}
	}
	return out
}
