package inspect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln"
)

// Comparison is what changed since a former report of the same endpoint.
type Comparison struct {
	Since   string   `json:"since"` // when the former report was made, RFC 3339
	Worse   bool     `json:"worse"` // some change is for the worse
	Changes []Change `json:"changes"`
}

// Change is one difference.
type Change struct {
	What  string `json:"what"`
	Worse bool   `json:"worse"`
}

// Former is what a comparison needs of a report that was written as JSON before. Its fields are read leniently: a
// report of a later minor version is compared as far as it is understood.
type Former struct {
	Schema    string     `json:"schema"`
	Target    Target     `json:"target"`
	Started   string     `json:"started"`
	Depth     Depth      `json:"depth"`
	Reached   bool       `json:"reached"`
	Protocols []Protocol `json:"protocols"`
	Ciphers   []struct {
		Version suite.Version `json:"version"`
		Ciphers []struct {
			Cipher   struct{ Code string } `json:"cipher"`
			Strength suite.Strength        `json:"strength"`
		} `json:"ciphers"`
	} `json:"ciphers"`
	Groups []struct {
		Version suite.Version `json:"version"`
		Groups  []struct {
			Group    string         `json:"group"`
			Strength suite.Strength `json:"strength"`
		} `json:"groups"`
	} `json:"groups"`
	Certificates []struct {
		Subject  string `json:"subject"`
		SHA256   string `json:"sha256"`
		DaysLeft int    `json:"days_left"`
	} `json:"certificates"`
	Vulnerabilities []struct {
		ID      string       `json:"id"`
		Verdict vuln.Verdict `json:"verdict"`
	} `json:"vulnerabilities"`
	Grade *struct {
		Level Level `json:"level"`
	} `json:"grade"`
}

// Compare lists what changed from a former report to this one. For the worse are: another weak suite or group, an old
// protocol, a lower level, an expired certificate, a vulnerability, and that the endpoint is gone.
func Compare(before *Former, now *Report) *Comparison {
	c := &Comparison{Since: before.Started, Changes: []Change{}}
	add := func(worse bool, format string, args ...any) {
		c.Changes = append(c.Changes, Change{fmt.Sprintf(format, args...), worse})
		c.Worse = c.Worse || worse
	}
	switch {
	case before.Reached && !now.Reached:
		add(true, "no TLS endpoint was reached: it was before")
		return c
	case !now.Reached:
		return c
	case !before.Reached:
		add(false, "it was reached: it was not before")
	}
	compareProtocols(before, now, add)
	compareItems("cipher", before.cipherItems(), now.cipherItems(), now.Unsure, add)
	compareItems("group", before.groupItems(), now.groupItems(), now.Unsure, add)
	compareCertificates(before, now, add)
	compareFindings(before, now, add)
	if before.Grade != nil && now.Grade != nil && before.Grade.Level != now.Grade.Level {
		worse := slices.Index(Levels, now.Grade.Level) > slices.Index(Levels, before.Grade.Level)
		add(worse, "level %s, was %s", now.Grade.Level, before.Grade.Level)
	}
	return c
}

type adder func(worse bool, format string, args ...any)

// compareProtocols compares what both reports are sure of.
func compareProtocols(before *Former, now *Report, add adder) {
	for _, b := range before.Protocols {
		for _, n := range now.Protocols {
			if b.Version != n.Version || b.State == n.State {
				continue
			}
			switch {
			case n.State == Yes && b.State == No:
				add(n.Version < suite.TLS12, "%s is accepted now", n.Version)
			case n.State == No && b.State == Yes:
				add(n.Version == suite.TLS13, "%s is not accepted any more", n.Version)
			}
		}
	}
}

// item is something with a strength, by the words that name it.
type item struct {
	name     string
	strength suite.Strength
}

func (f *Former) cipherItems() []item {
	var l []item
	for _, v := range f.Ciphers {
		for _, c := range v.Ciphers {
			name := c.Cipher.Code
			if s, ok := parseCode(c.Cipher.Code); ok {
				name = s.OpenSSL()
			}
			l = append(l, item{v.Version.String() + " " + name, c.Strength})
		}
	}
	return l
}

func parseCode(text string) (suite.Code, bool) {
	var n uint32
	if _, err := fmt.Sscanf(strings.TrimPrefix(text, "0x"), "%x", &n); err != nil {
		return 0, false
	}
	return suite.Code(n), suite.ByCode(suite.Code(n)) != nil
}

func (f *Former) groupItems() []item {
	var l []item
	for _, v := range f.Groups {
		for _, g := range v.Groups {
			l = append(l, item{groupPlace(v.Version) + g.Group, g.Strength})
		}
	}
	return l
}

func (r *Report) cipherItems() []item {
	var l []item
	for _, v := range r.Ciphers {
		for _, c := range v.Ciphers {
			l = append(l, item{v.Version.String() + " " + c.Cipher.OpenSSL(), c.Strength})
		}
	}
	return l
}

func (r *Report) groupItems() []item {
	var l []item
	for _, v := range r.Groups {
		for _, g := range v.Groups {
			l = append(l, item{groupPlace(v.Version) + g.Group.String(), g.Strength})
		}
	}
	return l
}

// groupPlace tells TLS 1.3 from all versions before it, of which the newest may have changed.
func groupPlace(v suite.Version) string {
	if v == suite.TLS13 {
		return "TLSv1.3 "
	}
	return "before TLSv1.3 "
}

// compareItems compares by name and strength. What is unsure now is not gone.
func compareItems(kind string, before, now []item, unsure []string, add adder) {
	for _, n := range now {
		if !slices.Contains(before, n) {
			add(n.strength < suite.Secure, "%s %s is accepted now (%s)", kind, n.name, n.strength)
		}
	}
	for _, b := range before {
		open := slices.ContainsFunc(unsure, func(u string) bool { return strings.HasPrefix(u, b.name+":") })
		if !slices.Contains(now, b) && !open {
			add(false, "%s %s is not accepted any more (%s)", kind, b.name, b.strength)
		}
	}
}

func compareCertificates(before *Former, now *Report, add adder) {
	expired := make(map[string]bool)
	for _, c := range before.Certificates {
		expired[c.SHA256] = c.DaysLeft < 0
	}
	for _, c := range now.Certificates {
		was, same := expired[c.SHA256]
		switch {
		case !same:
			add(c.DaysLeft < 0, "another certificate: %s, valid until %s", c.Subject, c.NotAfter.Format("2006-01-02"))
		case c.DaysLeft < 0 && !was:
			add(true, "the certificate %s has expired", c.Subject)
		}
		delete(expired, c.SHA256)
	}
	for _, c := range before.Certificates {
		if _, gone := expired[c.SHA256]; gone {
			add(false, "the certificate %s is not presented any more", c.Subject)
		}
	}
}
