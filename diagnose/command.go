package diagnose

import (
	"fmt"
	"net"
	"strings"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// sClient is the openssl s_client command that offers nearly what a hello offers: its versions, suites,
// groups and name. It is "" where OpenSSL has no such option or suite.
func sClient(t probe.Target, h *hello.ClientHello) string {
	if h == nil || h.SSLv2Format {
		return ""
	}
	o := h.Offer()
	return sClientOffer(t, &o)
}

func sClientOffer(t probe.Target, o *hello.Offer) string {
	host, port, err := net.SplitHostPort(t.Address)
	if err != nil {
		return ""
	}
	b := []string{"openssl s_client -connect", net.JoinHostPort(host, port)}
	if t.StartTLS != "" {
		b = append(b, "-starttls", string(t.StartTLS))
	}
	if o.ServerName != "" {
		b = append(b, "-servername", quote(o.ServerName))
	} else {
		b = append(b, "-noservername")
	}
	flags := map[suite.Version]string{suite.TLS13: "-tls1_3", suite.TLS12: "-tls1_2", suite.TLS11: "-tls1_1", suite.TLS10: "-tls1"}
	if len(o.Versions) > 0 {
		// A hello before TLS 1.3 offers everything below its version: forcing that version asks the same.
		f, ok := flags[o.Versions[0]]
		switch {
		case !ok:
			return ""
		case o.Versions[0] < suite.TLS13 || len(o.Versions) == 1:
			b = append(b, f)
		}
	}
	var old, new13 []string
	for _, c := range o.Suites {
		s := suite.ByCode(c)
		switch {
		case s == nil || s.OpenSSL == "":
		case s.MinVersion == suite.TLS13:
			new13 = append(new13, s.OpenSSL)
		default:
			old = append(old, s.OpenSSL)
		}
	}
	const most = 12 // a longer list is no help to type
	if len(old) > 0 && len(old) <= most {
		b = append(b, "-cipher", "'"+strings.Join(old, ":")+":@SECLEVEL=0'")
	} else if len(old) > 0 {
		b = append(b, "-cipher", "'ALL:@SECLEVEL=0'")
	}
	if len(new13) > 0 && len(new13) < 3 {
		b = append(b, "-ciphersuites", strings.Join(new13, ":"))
	}
	var groups []string
	for _, g := range o.Groups {
		if i := suite.GroupByCode(g); i != nil && i.OpenSSL != "" && i.Kind == "ec" && i.Bits >= 224 {
			groups = append(groups, i.OpenSSL)
		}
	}
	if len(groups) > 0 && len(groups) <= 6 {
		b = append(b, "-groups", strings.Join(groups, ":"))
	}
	return strings.Join(b, " ") + " </dev/null"
}

// quote makes a word one for a shell to take literally: names come from captures and certificates, and a command
// in a report is there to be pasted.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:/-", r)
	}
	if word != "" && word[0] != '-' && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// answerWords says how an endpoint answered.
func answerWords(o *probe.Observation) string {
	switch o.Answer {
	case probe.ServerHello:
		text := fmt.Sprintf("ServerHello with %s %s", o.Version, o.Suite.OpenSSL())
		if !o.Complete {
			text += ", then nothing more"
		}
		return text
	case probe.HelloRetry:
		return fmt.Sprintf("HelloRetryRequest for %s", o.Group)
	case probe.Alerted:
		return fmt.Sprintf("alert %s (%d)", o.Alert, uint8(o.Alert))
	case probe.Closed:
		return "a close without an alert"
	case probe.Reset:
		return "a reset"
	case probe.Silent:
		return "silence until the time limit"
	case probe.NotTLS:
		return fmt.Sprintf("bytes that are no TLS (%s): %q", o.Kind, o.Raw[:min(len(o.Raw), 32)])
	case probe.Malformed:
		return "TLS that breaks the protocol"
	case probe.Refused:
		return "connection refused"
	case probe.ConnectTimeout:
		return "no answer to SYN"
	}
	if o.Err != nil {
		return o.Err.Error()
	}
	return string(o.Answer)
}
