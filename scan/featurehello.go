package scan

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan/handshake"
	"github.com/parley-tls/parley/suite"
)

// askExtensions asks for what shows in a ServerHello, for fallback and for HelloRetryRequest.
func (f *features) askExtensions() []experiment {
	var l []experiment
	if f.classic >= suite.TLS10 {
		l = append(l, ask(f.readExtensions, f.extensionQuestions()...))
	} else {
		f.noExtensions()
	}
	if f.classic == suite.SSLv3 {
		l = append(l, f.askCompressionSSLv3())
	}
	l = append(l, f.askFallback()...)
	if f.newest == suite.TLS13 {
		o := f.offer(suite.TLS13)
		o.KeyShares = nil
		l = append(l, ask(f.readRetry, inquiry(o, fragmentLength), inquiry(o)))
	} else {
		f.report.HelloRetry = HelloRetryReport{Feature: f.without13(), Completes: f.without13()}
		f.report.RecordSizeLimit = RecordSizeReport{Feature: f.without13()}
	}
	return l
}

// The extensions that are asked for, as clients send them.
var (
	fragmentLength = hello.Extension{Type: hello.ExtMaxFragmentLength, Data: []byte{4}} // 4,096 bytes (RFC 6066 section 4)
	heartbeat      = hello.Extension{Type: hello.ExtHeartbeat, Data: []byte{1}}         // RFC 6520 section 2
	nextProtocol   = hello.Extension{Type: hello.ExtNPN, Data: []byte{}}
	recordSize     = hello.Extension{Type: hello.ExtRecordSizeLimit, Data: []byte{0x40, 0x00}} // 16,384 bytes (RFC 8449 section 4)
)

// Compression methods (RFC 3749, RFC 3943).
var (
	compressions     = map[uint8]string{1: "deflate", 64: "lzs"}
	compressionOffer = []byte{1, 64, 0}
)

// extensionQuestions put all in one hello, since servers answer each by itself; if it is refused, less. Secure
// renegotiation is signalled by the SCSV, since all hellos before had the extension. Encrypt-then-MAC shows only with
// suites in CBC mode.
func (f *features) extensionQuestions() []*handshake.Question {
	o := f.offer(f.classic)
	if cbc := f.suitesWith(f.classic, func(s *suite.Suite) bool { return s.Mode == "CBC" }); len(cbc) > 0 {
		o.Suites = cbc
		o.EncryptThenMAC = true
	}
	o.Extensions = []uint16{} // without renegotiation_info
	all := o
	all.Compression = compressionOffer
	less := o
	less.EncryptThenMAC = false
	return []*handshake.Question{inquiry(all, nextProtocol, heartbeat, fragmentLength), inquiry(o, nextProtocol), inquiry(less)}
}

// askCompressionSSLv3 offers compression in SSLv3, which knows it though no extensions.
func (f *features) askCompressionSSLv3() experiment {
	o := f.offer(suite.SSLv3)
	o.Compression = compressionOffer
	return ask(f.readCompression, inquiry(o))
}

// noExtensions: the endpoint accepts no version in which these extensions exist.
func (f *features) noExtensions() {
	r := f.report
	why := f.lacking("no version from TLS 1.0 to 1.2 is accepted")
	if f.newest == suite.TLS13 {
		why = notApplicable("TLS 1.3, which has no such thing, is the only version accepted")
	}
	r.NPN.Feature, r.EncryptThenMAC, r.ExtendedMasterSecret, r.Heartbeat = why, why, why, why
	r.SecureRenegotiation = RenegotiationReport{why, why, why}
	r.Compression.Feature = why
	if f.newest != suite.TLS13 {
		r.MaxFragmentLength = why
	}
}

func (f *features) readExtensions(a *handshake.Result) {
	r := f.report
	f.readCompression(a)
	if !taken(a) {
		why := failure(a)
		r.NPN.Feature, r.EncryptThenMAC, r.Heartbeat, r.MaxFragmentLength = why, why, why, why
		r.SecureRenegotiation.BySCSV = why
		return
	}
	// answered is the state of an extension that was asked for, unless the hello that was taken had to do without.
	answered := func(t uint16) Feature {
		if !a.Asked.HasExtension(t) {
			return Feature{NotTested, "a hello with it and others is refused"}
		}
		_, ok := a.Extension(t)
		return yesNo(ok)
	}
	r.NPN.Feature = answered(hello.ExtNPN)
	if data, ok := a.Extension(hello.ExtNPN); ok {
		r.NPN.Protocols = npnProtocols(data)
	}
	r.Heartbeat, r.MaxFragmentLength = answered(hello.ExtHeartbeat), answered(hello.ExtMaxFragmentLength)
	r.EncryptThenMAC = answered(hello.ExtEncryptThenMAC)
	if suite.ByCode(a.Suite).Mode != "CBC" {
		r.EncryptThenMAC = notApplicable("no suite in CBC mode is accepted")
	}
	r.SecureRenegotiation.BySCSV = yesNo(a.Hello.SecureReneg)
}

func (f *features) readCompression(a *handshake.Result) {
	r := &f.report.Compression
	switch {
	case !taken(a):
		r.Feature = failure(a)
	case len(a.Asked.Compression) < 2:
		r.Feature = Feature{NotTested, "a hello with it and others is refused"}
	default:
		r.Feature, r.Method = yesNo(a.Hello.Compression != 0), compressions[a.Hello.Compression]
	}
}

// npnProtocols reads the server's list (draft-agl-tls-nextprotoneg-04 section 3).
func npnProtocols(data []byte) []string {
	var l []string
	for len(data) > 0 {
		n := int(data[0])
		if n == 0 || len(data) < 1+n {
			return l
		}
		l, data = append(l, string(data[1:1+n])), data[1+n:]
	}
	return l
}

// askFallback pretends to have been refused with the newest version.
func (f *features) askFallback() []experiment {
	var lower suite.Version
	for _, v := range slices.Backward(suite.Versions) {
		if v < f.top() && v >= suite.SSLv3 && f.accepts(v) {
			lower = v
			break
		}
	}
	if lower == 0 {
		f.report.FallbackSCSV.Feature = f.lacking("only one version is accepted")
		return nil
	}
	plain := f.offer(lower)
	o := plain
	o.FallbackSCSV = true
	r := &f.report.FallbackSCSV
	r.Version = &lower
	return []experiment{ask(func(a *handshake.Result) {
		if r.Feature = yesNo(refused(a)); !settled(a) {
			r.Feature = failure(a)
		}
		if a.Answer == probe.Alerted {
			r.Alert = &a.Alert
		}
		if refused(a) && (a.Answer != probe.Alerted || a.Alert != suite.AlertInappropriateFallback) {
			f.further = append(f.further, ask(func(control *handshake.Result) { // is it for the SCSV that it refuses?
				if !taken(control) {
					r.Feature = Feature{NotTested, "the same hello without it is refused too"}
				}
			}, &handshake.Question{Offer: plain}))
		}
	}, &handshake.Question{Offer: o})}
}

func (f *features) readRetry(a *handshake.Result) {
	r := HelloRetryReport{Feature: yesNo(a.Retry != nil), Completes: yesNo(taken(a))}
	if !settled(a) {
		r.Completes = failure(a)
	}
	if a.Retry == nil && (!settled(a) || !f.took(suite.TLS13)) {
		r.Completes = failure(a)
		r.Feature = r.Completes
	}
	if a.Retry != nil {
		if a.Retry.Group != 0 {
			r.Group = &a.Retry.Group
		}
		_, r.Cookie = a.Retry.Extension(hello.ExtCookie)
		r.SessionIDEchoed = bytes.Equal(a.Retry.SessionID, a.Asked.SessionID)
	}
	f.report.HelloRetry = r
	if f.classic < suite.TLS10 && taken(a) {
		_, ok := a.Extension(hello.ExtMaxFragmentLength)
		f.report.MaxFragmentLength = yesNo(ok)
		if !a.Asked.HasExtension(hello.ExtMaxFragmentLength) {
			f.report.MaxFragmentLength = Feature{NotTested, "a hello with it is refused"}
		}
	}
}

// took reports whether a question was accepted in version v: what is refused then is refused for its own sake.
func (f *features) took(v suite.Version) bool {
	return slices.ContainsFunc(f.heard, func(a answered) bool { return taken(a.Result) && a.Version == v })
}

// concludeHellos reads what all hellos so far asked for.
func (f *features) concludeHellos() {
	if f.classic == 0 {
		return
	}
	hellos, masters, secure, scsv := 0, 0, 0, 0
	f.replies(func(o *probe.Observation) {
		switch {
		case o.Version == suite.SSLv3 && o.Hello.SecureReneg:
			scsv++
		case o.Version >= suite.TLS10 && o.Version < suite.TLS13:
			hellos++
			if o.Hello.ExtendedMaster {
				masters++
			}
			if o.Hello.SecureReneg {
				secure++
			}
		}
	})
	r := f.report
	renegotiation := &r.SecureRenegotiation
	if f.classic == suite.SSLv3 {
		renegotiation.BySCSV = yesNo(scsv > 0)
		renegotiation.Feature = renegotiation.BySCSV
		return
	}
	r.ExtendedMasterSecret = yesNo(masters > 0)
	renegotiation.ByExtension = yesNo(secure > 0)
	renegotiation.Feature = yesNo(secure > 0 || renegotiation.BySCSV.State == Yes)
	if hellos == 0 {
		why := Feature{NotTested, "no hello was answered"}
		r.ExtendedMasterSecret, renegotiation.ByExtension, renegotiation.Feature = why, why, why
	}
}

// plausibleSkew is how far a clock may be off. A constant in place of a random is taken for none.
const plausibleSkew = 2 * 365 * 24 * time.Hour

// concludeClock compares the first four bytes of the server's randoms with the time at which they came. One that is
// near proves little; several that run as a clock does are one.
func (f *features) concludeClock() {
	if f.classic == 0 {
		f.report.Clock.Feature = f.lacking("the random of TLS 1.3 has no time in it")
		return
	}
	var skews []time.Duration
	for _, a := range f.heard {
		if a.Hello == nil || a.Version >= suite.TLS13 || len(a.Hello.Random) < 4 {
			continue
		}
		server := time.Unix(int64(binary.BigEndian.Uint32(a.Hello.Random)), 0)
		skews = append(skews, server.Sub(a.Time.Truncate(time.Second)))
	}
	c := &f.report.Clock
	if c.Samples = len(skews); c.Samples < 3 {
		c.Feature = Feature{NotTested, "too few answers before TLS 1.3"}
		return
	}
	slices.Sort(skews)
	middle := skews[len(skews)/2]
	c.Feature = yesNo(skews[len(skews)-1]-skews[0] <= 3*time.Second && middle.Abs() < plausibleSkew)
	if c.State == Yes {
		c.SkewSeconds = int(middle.Seconds())
	}
}
