package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/parley-tls/parley/connect"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/suite"
)

// Connect writes the report of one connection for people: what was negotiated, how far the handshake came,
// the certificates; where it failed, the cause as Why puts it.
func Connect(w io.Writer, r *connect.Report, st Style) error {
	var b strings.Builder
	connectHeadline(&b, r, st)
	if d := r.Failure; d != nil {
		for i, c := range d.Causes[:min(len(d.Causes), 3)] {
			causeText(&b, c, causeTitle(i, false), st)
		}
	}
	if r.Negotiated != nil {
		b.WriteByte('\n')
		for _, row := range connectRows(r, st) {
			fmt.Fprintln(&b, wrapped(fmt.Sprintf("%-20s", row[0]), row[1]))
		}
	}
	chainText(&b, r, st)
	if d := r.Failure; d != nil {
		matchText(&b, d, st)
		fixText(&b, d, st)
		quiet := *d
		quiet.Connections = 0 // the report counts its own
		evidenceText(&b, &quiet, st)
	}
	if len(r.Notes) > 0 {
		b.WriteByte('\n')
		for _, n := range r.Notes {
			fmt.Fprintf(&b, "%s\n", st.Warn(n))
		}
	}
	if r.Connections > 0 {
		fmt.Fprintf(&b, "\n%s\n", st.Dim(fmt.Sprintf("%s, %s", plural(r.Connections, "connection"), plural(r.RoundTrips, "round trip"))))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func connectHeadline(b *strings.Builder, r *connect.Report, st Style) {
	target := r.Target.Name
	if a := r.Target.Address; a != "" && a != target {
		target += " (" + a + ")"
	}
	switch n := r.Negotiated; {
	case r.Outcome == diagnose.Negotiated:
		fmt.Fprintf(b, "%s  %s: %s", st.Good("WORKS"), target, agreementWords(&n.Agreement))
		if !r.Handshake.Completed {
			b.WriteString(", accepted but not completed")
		}
	case r.Outcome == diagnose.Unreachable:
		fmt.Fprintf(b, "%s  %s: no TLS endpoint was reached", st.Bad("FAILS"), target)
	case r.Connections == 0:
		fmt.Fprintf(b, "%s  %s: no connection was made", st.Bad("FAILS"), target)
	case n != nil:
		fmt.Fprintf(b, "%s  %s: the hello was accepted, the connection failed", st.Bad("FAILS"), target)
	default:
		fmt.Fprintf(b, "%s  %s: refused", st.Bad("FAILS"), target)
	}
	b.WriteByte('\n')
}

func agreementWords(a *diagnose.Agreement) string {
	s := a.Version.String() + " " + a.Cipher.OpenSSL()
	if a.Group != 0 {
		s += ", " + a.Group.String()
	}
	if a.ALPN != "" {
		s += ", ALPN " + a.ALPN
	}
	return s
}

// connectRows are the lines on what was negotiated.
func connectRows(r *connect.Report, st Style) [][2]string {
	n := r.Negotiated
	var rows [][2]string
	row := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	row("Protocol", protocolWords(n.Version, st))
	row("Cipher", cipherWords(n, st))
	row("Key exchange", keyExchangeWords(n, st))
	row("Signature", schemeWords(n.Scheme, st))
	row("ALPN", alpnWords(r))
	row("Handshake", handshakeWords(r.Handshake, n, st))
	row("Session", sessionWords(r.Session))
	row("Renegotiation", renegotiationWords(n, st))
	if m := n.ExtendedMaster; m != nil {
		row("Master secret", map[bool]string{true: "extended (RFC 7627)", false: "not extended (RFC 7627 missing)"}[*m])
	}
	row("Client certificate", clientAuthWords(r.ClientAuth))
	row("OCSP staple", stapleWords(r, st))
	return rows
}

func protocolWords(v suite.Version, st Style) string {
	switch {
	case v < suite.TLS10:
		return v.String() + ", " + st.Bad("insecure") + ": forbidden by RFC 7568"
	case v < suite.TLS12:
		return v.String() + ", " + st.Warn("weak") + ": deprecated by RFC 8996"
	}
	return v.String()
}

func cipherWords(n *connect.Negotiated, st Style) string {
	s := fmt.Sprintf("%s (%s)", n.Cipher.OpenSSL(), n.Cipher)
	info := suite.ByCode(n.Cipher)
	if info == nil {
		return s
	}
	if info.IANA != n.Cipher.OpenSSL() {
		s += ", " + info.IANA
	}
	s += fmt.Sprintf(", %d bits, %s", n.Bits, strengthWord(n.Strength, st))
	if a := suite.Assess(info); a.Strength < suite.Secure {
		s += ": " + a.Reasons[0].Text
	}
	return s
}

func strengthWord(s suite.Strength, st Style) string {
	switch {
	case s == suite.Insecure:
		return st.Bad(s.String())
	case s == suite.Weak:
		return st.Warn(s.String())
	}
	return st.Good(s.String())
}

func keyExchangeWords(n *connect.Negotiated, st Style) string {
	var s string
	switch {
	case n.Group != 0:
		s = n.Group.String()
		if g := suite.GroupByCode(n.Group); g != nil {
			s += ", " + strengthWord(suite.AssessGroup(g).Strength, st)
		}
	case n.DHBits != 0:
		s = fmt.Sprintf("DH, %d bits", n.DHBits)
	default:
		if info := suite.ByCode(n.Cipher); info != nil && info.KeyExchange != suite.KXAny {
			s = info.KeyExchange.String()
		}
	}
	if n.HelloRetry {
		s += ", after a HelloRetryRequest"
	}
	return s
}

func schemeWords(c suite.SignatureScheme, st Style) string {
	switch s := suite.SchemeByCode(c); {
	case c == 0:
		return ""
	case s == nil:
		return c.String()
	default:
		return c.String() + ", " + strengthWord(suite.AssessScheme(s).Strength, st)
	}
}

func alpnWords(r *connect.Report) string {
	switch {
	case r.Negotiated.ALPN != "":
		return r.Negotiated.ALPN
	case len(r.Offered.ALPN) == 0:
		return ""
	case !r.Handshake.Completed && r.Negotiated.Version == suite.TLS13:
		return "not seen"
	}
	return "none: the endpoint chose nothing of " + strings.Join(r.Offered.ALPN, ", ")
}

func handshakeWords(h *connect.Handshake, n *connect.Negotiated, st Style) string {
	switch {
	case !h.Completed:
		return st.Warn("stopped ") + h.Stopped
	case h.With == nil:
		return "completed"
	}
	var other []string
	if h.With.Cipher != n.Cipher {
		other = append(other, h.With.Cipher.OpenSSL())
	}
	if h.With.Group != n.Group && h.With.Group != 0 {
		other = append(other, h.With.Group.String())
	}
	if h.With.Scheme != n.Scheme && h.With.Scheme != 0 {
		other = append(other, h.With.Scheme.String())
	}
	return fmt.Sprintf("completed with %s instead: what is above was accepted as far as the ServerHello, and Go's crypto/tls cannot be held to it", strings.Join(other, ", "))
}

func sessionWords(s *connect.Session) string {
	switch {
	case s == nil:
		return ""
	case s.Problem != "":
		return s.Problem
	case !s.Tested:
		return "cannot be resumed: neither a ticket nor a session id was given"
	}
	by := map[string]string{"ticket": "by ticket", "session-id": "by session id"}[s.By]
	if s.Tickets > 1 {
		by += fmt.Sprintf(" (%d came)", s.Tickets)
	}
	switch {
	case s.Resumed && s.Partly:
		return "resumed " + by + ", seen as far as the ServerHello"
	case s.Resumed:
		return "resumed " + by
	}
	return "not resumed, though it was offered " + by
}

func renegotiationWords(n *connect.Negotiated, st Style) string {
	switch {
	case n.SecureReneg == nil:
		return ""
	case *n.SecureReneg:
		return "secure (RFC 5746)"
	}
	return st.Bad("insecure") + ": the endpoint does not know RFC 5746"
}

func clientAuthWords(c *connect.ClientAuth) string {
	if c == nil {
		return ""
	}
	s := map[string]string{
		connect.AuthNotRequested: "not requested",
		connect.AuthNotNeeded:    "requested, but the handshake goes through without one (an HTTP server may still demand it)",
		connect.AuthAccepted:     "requested; sent " + c.Sent + ", and the handshake goes through (an HTTP server may still refuse it)",
		connect.AuthRequired:     "required; none was sent",
		connect.AuthRejected:     "requested; refused: " + c.Sent,
	}[c.Outcome]
	if s == "" {
		s = map[bool]string{true: "requested; the handshake did not come that far", false: "not known: the handshake did not come that far"}[c.Requested]
	}
	if len(c.Authorities) > 0 {
		s += "; issuers that are asked for: " + strings.Join(c.Authorities, "; ")
	}
	return s
}

func stapleWords(r *connect.Report, st Style) string {
	s := r.Staple
	switch {
	case s == nil && r.Handshake.Completed:
		return "none"
	case s == nil:
		return ""
	}
	text := s.Status
	if s.Status == "revoked" {
		text = st.Bad(text)
	}
	if !s.NextUpdate.IsZero() {
		text += " until " + s.NextUpdate.Format("2006-01-02 15:04")
	}
	if s.Problem != "" {
		text += ", " + st.Warn(s.Problem)
	}
	return text
}

func chainText(b *strings.Builder, r *connect.Report, st Style) {
	if len(r.Certificates) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", st.Bold("Certificates"))
	for i, c := range r.Certificates {
		fmt.Fprintf(b, "  %d %s\n", i, c.Subject)
		rows := [][]string{{"   ", "issuer", c.Issuer}, {"", "key", c.Key}, {"", "signature", c.Signature},
			{"", "valid", c.NotBefore.Format("2006-01-02") + " to " + c.NotAfter.Format("2006-01-02")}}
		if len(c.Names) > 0 {
			rows = append(rows, []string{"", "names", strings.Join(c.Names, ", ")})
		}
		rows = append(rows, []string{"", "SHA-256", c.SHA256})
		Table(b, nil, rows)
		b.WriteString(c.PEM)
	}
	v := r.Verification
	checked := "no name was given to check"
	if v.Name != "" {
		checked = "name " + v.Name
	}
	fmt.Fprintf(b, "\n%s  ", st.Bold("Verification"))
	if v.OK {
		fmt.Fprintf(b, "%s: roots of %s, %s\n", st.Good("good"), v.Roots, checked)
		return
	}
	fmt.Fprintf(b, "%s: roots of %s, %s\n", st.Bad("fails"), v.Roots, checked)
	for _, p := range v.Problems {
		fmt.Fprintf(b, "%s\n", wrapped("  ", p.Summary+" ("+string(p.Cause)+")"))
	}
}
