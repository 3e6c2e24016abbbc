package scan

import (
	"fmt"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan/handshake"
	"github.com/parley-tls/parley/suite"
)

// askSessions completes handshakes, since only then tickets are issued and sessions kept, and resumes what they gave.
func (f *features) askSessions() []experiment {
	var l []experiment
	if q, why := f.finishing(f.classic); q != nil {
		tickets := *q
		tickets.Offer.SessionTicket = true
		l = append(l, ask(f.readTicket, &tickets))
		if f.issuesIDs() {
			l = append(l, ask(f.readID, q))
		} else {
			f.report.SessionIDs = SessionIDReport{Feature: Feature{State: No}, Resumes: notApplicable("no session id is issued")}
		}
	} else {
		f.report.SessionTickets = TicketReport{Feature: why, Resumes: why}
		f.report.SessionIDs = SessionIDReport{Feature: why, Resumes: why}
	}
	if f.newest != suite.TLS13 {
		why := f.without13()
		f.report.PSK = PSKReport{Feature: why, Resumes: why}
		f.report.EarlyData = EarlyDataReport{Feature: why, Accepted: why}
		return l
	}
	q := f.completed(inquiry(f.offer(suite.TLS13), recordSize))
	plain := f.completed(inquiry(f.offer(suite.TLS13)))
	return append(l, ask(func(a *handshake.Result) {
		f.readRequired(a)
		f.readRecordSize(a)
		if a.Finished && len(a.Tickets) == 0 && f.t.StartTLS == "" {
			f.further = append(f.further, ask(f.readPSK, f.talkative()))
			return
		}
		f.readPSK(a)
	}, q, plain))
}

// finishing is a question that completes a handshake of a version before TLS 1.3, or nil and why there is none.
func (f *features) finishing(v suite.Version) (*handshake.Question, Feature) {
	switch v {
	case 0:
		return nil, f.lacking("no version before TLS 1.3 is accepted")
	case suite.SSLv3:
		return nil, Feature{NotTested, "handshakes of SSLv3 are not completed here"}
	}
	suites := f.suitesWith(v, func(s *suite.Suite) bool { return handshake.CanFinish(s.Code, v) })
	if len(suites) == 0 {
		return nil, Feature{NotTested, "no suite is accepted with which a handshake can be completed here"}
	}
	o := f.offer(v)
	o.Suites = suites
	return f.completed(inquiry(o)), Feature{}
}

// completed makes a question one that completes the handshake, as the client that the scan stands for.
func (f *features) completed(q *handshake.Question) *handshake.Question {
	q.Finish, q.Certificate = true, f.certificate
	return q
}

// issuesIDs reports whether the endpoint named a session in any answer to a hello that offered none.
func (f *features) issuesIDs() bool {
	issues := false
	f.replies(func(o *probe.Observation) {
		issues = issues || o.Version < suite.TLS13 && len(o.Hello.SessionID) > 0
	})
	return issues
}

func (f *features) readTicket(a *handshake.Result) {
	r := &f.report.SessionTickets
	f.readRequired(a)
	if !a.Finished {
		r.Feature = failure(a)
		r.Resumes = r.Feature
		return
	}
	if r.Feature = yesNo(len(a.Tickets) > 0); r.State == No {
		r.Resumes = notApplicable("no ticket is issued")
		return
	}
	t := &a.Tickets[len(a.Tickets)-1]
	r.LifetimeSeconds, r.Bytes = int(t.Lifetime.Seconds()), len(t.Ticket)
	f.resume(a, t, &r.Resumes, nil)
}

func (f *features) readID(a *handshake.Result) {
	r := &f.report.SessionIDs
	s := a.ByID()
	switch {
	case !a.Finished:
		r.Feature = failure(a)
		r.Resumes = r.Feature
	case s == nil:
		r.Feature, r.Resumes = Feature{State: No}, notApplicable("no session id is issued")
	default:
		r.Feature = Feature{State: Yes}
		f.resume(a, s, &r.Resumes, nil)
	}
}

// readPSK reads what a handshake of TLS 1.3 issued.
func (f *features) readPSK(a *handshake.Result) {
	r, early := &f.report.PSK, &f.report.EarlyData
	if !a.Finished {
		r.Feature = failure(a)
		r.Resumes, early.Feature, early.Accepted = r.Feature, r.Feature, r.Feature
		return
	}
	r.Tickets = len(a.Tickets)
	if r.Feature = yesNo(r.Tickets > 0); r.State == No {
		why := notApplicable("no ticket is issued")
		r.Resumes, early.Feature, early.Accepted = why, Feature{State: No}, why
		return
	}
	t := &a.Tickets[len(a.Tickets)-1]
	r.LifetimeSeconds, r.Bytes = int(t.Lifetime.Seconds()), len(t.Ticket)
	early.Feature, early.MaxBytes = yesNo(t.MaxEarlyData > 0), t.MaxEarlyData
	if early.State == No {
		early.Accepted = notApplicable("no ticket allows early data")
	}
	f.resume(a, t, &r.Resumes, func(again *handshake.Result) {
		if early.State != Yes {
			return
		}
		if !again.Resumed {
			early.Accepted = Feature{NotTested, "the session is not resumed"}
			return
		}
		_, ok := again.Extension(hello.ExtEarlyData)
		early.Accepted = yesNo(ok)
	})
}

// talkative completes a handshake and asks for something, as a client of HTTP does: some servers send their tickets
// along with their first answer. Who speaks another protocol has an answer to that as well.
func (f *features) talkative() *handshake.Question {
	q := f.completed(inquiry(f.offer(suite.TLS13)))
	q.Say = fmt.Appendf(nil, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", f.name)
	return q
}

// resumeTries is how often a session is offered: behind one address there may be servers that do not share theirs.
const resumeTries = 3

// resume offers the session of a completed handshake on connections of their own, and notes whether it is taken. then,
// if there is one, gets the last answer.
func (f *features) resume(a *handshake.Result, s *handshake.Session, state *Feature, then func(*handshake.Result)) {
	o := f.offer(a.Version)
	if a.Version < suite.TLS13 {
		q, _ := f.finishing(a.Version)
		o = q.Offer
		o.SessionTicket = s.Ticket != nil
	}
	f.further = append(f.further, &resumption{question: &handshake.Question{Offer: o, Resume: s, EarlyData: s.MaxEarlyData > 0}, state: state, then: then})
}

// resumption offers a session until it is taken, or often enough.
type resumption struct {
	question *handshake.Question
	state    *Feature
	then     func(*handshake.Result)
	tries    int
	ended    bool
}

func (x *resumption) next() []*handshake.Question {
	if x.ended {
		return nil
	}
	return []*handshake.Question{x.question}
}

func (x *resumption) take(l []*handshake.Result) {
	a := l[0]
	x.tries++
	if !a.Resumed && x.tries < resumeTries {
		return
	}
	x.ended = true
	switch {
	case a.Resumed && x.tries > 1:
		*x.state = Feature{Yes, fmt.Sprintf("at the %d. try", x.tries)}
	case a.Resumed:
		*x.state = Feature{State: Yes}
	case taken(a):
		*x.state = Feature{State: No}
	default:
		*x.state = failure(a)
	}
	if x.then != nil {
		x.then(a)
	}
}

// askRequired completes a handshake without the client certificate, where the others have it.
func (f *features) askRequired() []experiment {
	var q *handshake.Question
	switch {
	case f.certificate == nil:
		return nil
	case f.newest == suite.TLS13:
		q = inquiry(f.offer(suite.TLS13))
	default:
		if q, _ = f.finishing(f.classic); q == nil {
			return nil
		}
	}
	q.Finish, q.Certificate = true, nil
	return []experiment{ask(f.readRequired, q)}
}

// readAccepted notes whether a handshake with the client certificate was completed.
func (f *features) readAccepted(a *handshake.Result) {
	c := &f.report.ClientCertificate
	if c.Accepted != nil && c.Accepted.State == Yes {
		return
	}
	state := failure(a)
	switch {
	case a.Finished:
		state = Feature{State: Yes}
	case refused(a) || a.Complete && (a.End == probe.Alerted || a.End == probe.Closed):
		state = Feature{State: No}
	}
	c.Accepted = &state
}

// readRequired notes whether a handshake without a client certificate was completed.
func (f *features) readRequired(a *handshake.Result) {
	c := &f.report.ClientCertificate
	switch {
	case a.Presented:
		f.readAccepted(a)
	case !a.ClientAuth || c.Required.State != "":
	case a.Finished:
		c.Required = Feature{State: No}
	case refused(a) || a.Complete && (a.End == probe.Alerted || a.End == probe.Closed):
		c.Required = Feature{State: Yes}
	}
}

func (f *features) readRecordSize(a *handshake.Result) {
	r := &f.report.RecordSizeLimit
	if !taken(a) {
		r.Feature = failure(a)
		return
	}
	if !a.Asked.HasExtension(hello.ExtRecordSizeLimit) {
		r.Feature = Feature{NotTested, "a hello with it is refused"}
		return
	}
	data, ok := a.Extension(hello.ExtRecordSizeLimit)
	r.Feature = yesNo(ok)
	if len(data) == 2 {
		r.Limit = int(data[0])<<8 | int(data[1])
	}
}

// clientCertificateTypes are ClientCertificateType (RFC 5246 section 7.4.4, RFC 8422 section 5.5).
var clientCertificateTypes = map[byte]string{1: "rsa_sign", 2: "dss_sign", 3: "rsa_fixed_dh", 4: "dss_fixed_dh", 5: "rsa_ephemeral_dh",
	6: "dss_ephemeral_dh", 20: "fortezza_dms", 64: "ecdsa_sign", 65: "rsa_fixed_ecdh", 66: "ecdsa_fixed_ecdh", 67: "gost_sign256", 68: "gost_sign512"}

// concludeClientCertificate reads what was asked of the client, in the newest version in which it was.
func (f *features) concludeClientCertificate() {
	c := &f.report.ClientCertificate
	if f.certificate != nil && c.Accepted == nil {
		c.Accepted = &Feature{NotTested, "no handshake asked for one that its key can sign for"}
	}
	if f.newest == 0 {
		c.Feature = Feature{NotTested, "no version is accepted in which a request can be read"}
		c.Required = c.Feature
		return
	}
	var seen *probe.Observation
	f.replies(func(o *probe.Observation) {
		if o.ClientAuth && (seen == nil || o.Version > seen.Version) {
			seen = o
		}
	})
	if c.Feature = yesNo(seen != nil); c.State == No {
		c.Required = notApplicable("none is asked for")
		return
	}
	if c.Required.State == "" {
		c.Required = Feature{NotTested, "no handshake could be completed"}
	}
	c.Version = &seen.Version
	if seen.Request == nil {
		return
	}
	c.Schemes = seen.Request.Schemes
	for _, t := range seen.Request.Types {
		name := clientCertificateTypes[t]
		if name == "" {
			name = fmt.Sprint(t)
		}
		c.Types = append(c.Types, name)
	}
	for _, der := range seen.Request.Names {
		c.Authorities = append(c.Authorities, distinguishedName(der))
	}
}
