package client

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// sharedFacts are lines that hold for several profiles: a line "for PATTERN…" begins them, where a pattern is
// a name, or the beginning of names and a star.
type sharedFacts struct {
	patterns []string
	lines    [][2]string // key, value
}

func (s sharedFacts) apply(profiles []*Profile) error {
	for _, pattern := range s.patterns {
		prefix, star := strings.CutSuffix(pattern, "*")
		used := false
		for _, p := range profiles {
			if p.Name != pattern && (!star || !strings.HasPrefix(p.Name, prefix)) {
				continue
			}
			used = true
			for _, l := range s.lines {
				if err := p.set(l[0], l[1]); err != nil {
					return fmt.Errorf("for %s: %w", pattern, err)
				}
			}
		}
		if !used {
			return fmt.Errorf("for %s: no such profile", pattern)
		}
	}
	return nil
}

// parse reads profiles: a line [NAME] begins one, then a line for each fact, a key and its value. A line
// "for PATTERN…" begins facts that several profiles share.
func parse(text string) (profiles []*Profile, shared []sharedFacts, err error) {
	var p *Profile
	var facts *sharedFacts
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' && line[len(line)-1] == ']' {
			p, facts = newProfile(line[1:len(line)-1]), nil
			profiles = append(profiles, p)
			continue
		}
		key, value, _ := strings.Cut(line, " ")
		value = strings.TrimSpace(value)
		switch {
		case key == "for":
			shared = append(shared, sharedFacts{patterns: strings.Fields(value)})
			p, facts = nil, &shared[len(shared)-1]
		case facts != nil:
			facts.lines = append(facts.lines, [2]string{key, value})
		case p == nil:
			return nil, nil, fmt.Errorf("line %d: a line [NAME] or for PATTERN comes first", n)
		default:
			if err := p.set(key, value); err != nil {
				return nil, nil, fmt.Errorf("line %d: %s: %w", n, p.Name, err)
			}
		}
	}
	return profiles, shared, nil
}

func newProfile(name string) *Profile {
	p := &Profile{Name: name, Title: name}
	p.offer.Compression = []byte{0}
	p.offer.Source = hello.Source{Kind: "profile", Name: name}
	p.offer.Accepts = hello.Rules{Known: true, ChecksName: true}
	return p
}

func (p *Profile) check() error {
	switch o := &p.offer; {
	case len(o.Versions) == 0 || len(o.Suites) == 0:
		return fmt.Errorf("versions or suites are missing")
	case p.Family == "" || p.Confidence == "" || len(p.Sources) == 0:
		return fmt.Errorf("family, confidence or source is missing")
	case len(o.KeyShares) > 0 && slices.ContainsFunc(o.KeyShares, func(g suite.Group) bool { return !slices.Contains(o.Groups, g) }):
		return fmt.Errorf("a key share for a group that is not offered")
	}
	return nil
}

// set takes one fact. What the client demands of the answer begins with "accepts-".
func (p *Profile) set(key, value string) error {
	words := strings.Fields(value)
	o := &p.offer
	switch key {
	case "title":
		p.Title = value
	case "family":
		p.Family = value
	case "vendor":
		p.Vendor = value
	case "ended":
		p.Ended = value
	case "note":
		p.Notes = append(p.Notes, value)
	case "platform":
		p.Platform = value
	case "library":
		p.Library = value
	case "released":
		p.Released = value
	case "confidence":
		p.Confidence = Confidence(value)
	case "source":
		p.Sources = append(p.Sources, value)
	case "remedy":
		return p.addRemedy(value)
	case "versions":
		return each(words, func(w string) error {
			v, err := suite.ParseVersion(w)
			o.Versions = append(o.Versions, v)
			return err
		})
	case "suites":
		return each(words, func(w string) error {
			if s := suite.ByName(w); s != nil {
				o.Suites = append(o.Suites, s.Code)
				return nil
			}
			n, err := strconv.ParseUint(w, 0, 24)
			o.Suites = append(o.Suites, suite.Code(n))
			return err
		})
	case "groups":
		o.HasGroups = true
		return groups(words, &o.Groups)
	case "key-shares":
		return groups(words, &o.KeyShares)
	case "schemes":
		o.HasSchemes = true
		return schemes(words, &o.Schemes)
	case "certificate-schemes":
		return schemes(words, &o.CertSchemes)
	case "alpn":
		o.ALPN = words
	case "extensions":
		return each(words, func(w string) error {
			n, err := strconv.ParseUint(w, 10, 16)
			o.Extensions = append(o.Extensions, uint16(n))
			p.flag(uint16(n))
			return err
		})
	case "point-formats":
		return each(words, func(w string) error {
			n, err := strconv.ParseUint(w, 10, 8)
			o.PointFormats = append(o.PointFormats, byte(n))
			return err
		})
	case "secure-renegotiation":
		o.SecureReneg = true
	case "grease":
		o.GREASE = true
	case "sslv2-format":
		o.SSLv2Format = true
	case "compression":
		o.Compression = []byte{1, 0}
	case "captured": // WIRE-SIZE, in bytes; the bytes are in data/hello/NAME.hex
		p.Captured = true
		n, err := strconv.Atoi(value)
		o.WireSize = n
		return err
	default:
		return p.setRule(key, value, words)
	}
	return nil
}

// flag sets what the presence of an extension says.
func (p *Profile) flag(t uint16) {
	switch t {
	case hello.ExtExtendedMasterSecret:
		p.offer.ExtendedMaster = true
	case hello.ExtEncryptThenMAC:
		p.offer.EncryptThenMAC = true
	case hello.ExtSessionTicket:
		p.offer.SessionTicket = true
	case hello.ExtRenegotiationInfo:
		p.offer.SecureReneg = true
	}
}

func (p *Profile) setRule(key, value string, words []string) error {
	a := &p.offer.Accepts
	number := func(n *int) error {
		v, err := strconv.Atoi(value)
		*n = v
		return err
	}
	switch key {
	case "accepts-min-version":
		v, err := suite.ParseVersion(value)
		a.MinVersion = v
		return err
	case "accepts-min-rsa":
		return number(&a.MinRSABits)
	case "accepts-min-ec":
		return number(&a.MinECBits)
	case "accepts-min-dh":
		return number(&a.MinDHBits)
	case "accepts-max-dh":
		return number(&a.MaxDHBits)
	case "accepts-no-digest":
		a.RefusedDigests = words
	case "accepts-no-signature":
		a.RefusedSigDigests = words
	case "accepts-only-secure-renegotiation":
		a.RequiresSecureReneg = true
	case "accepts-only-extended-master-secret":
		a.RequiresExtendedMS = true
	case "accepts-only-alpn":
		a.RequiresALPN = true
	case "accepts-certificate-curves":
		return groups(words, &a.CertificateCurves)
	case "accepts-any-name":
		a.ChecksName = false
	case "accepts-any-issuer":
		a.IgnoresTrust = true
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return nil
}

// addRemedy reads "WHAT… | summary | command ; command | source"; a command - means none.
func (p *Profile) addRemedy(value string) error {
	f := strings.Split(value, " | ")
	if len(f) != 4 {
		return fmt.Errorf("remedy: want WHAT | summary | commands | source, have %q", value)
	}
	r := Remedy{Enables: strings.Fields(f[0]), Summary: f[1], Source: f[3]}
	if f[2] != "-" {
		r.Commands = strings.Split(f[2], " ; ")
	}
	p.Remedies = append(p.Remedies, r)
	return nil
}

func each(words []string, use func(string) error) error {
	for _, w := range words {
		if err := use(w); err != nil {
			return err
		}
	}
	return nil
}

func groups(words []string, l *[]suite.Group) error {
	return each(words, func(w string) error {
		if g := suite.GroupByName(w); g != nil {
			*l = append(*l, g.Code)
			return nil
		}
		n, err := strconv.ParseUint(w, 0, 16)
		*l = append(*l, suite.Group(n))
		return err
	})
}

func schemes(words []string, l *[]suite.SignatureScheme) error {
	return each(words, func(w string) error {
		if s := suite.SchemeByName(w); s != nil {
			*l = append(*l, s.Code)
			return nil
		}
		n, err := strconv.ParseUint(w, 0, 16)
		*l = append(*l, suite.SignatureScheme(n))
		return err
	})
}
