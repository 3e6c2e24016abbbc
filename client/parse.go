package client

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// block is a profile, or facts that several profiles share.
type block struct {
	name     string   // of a profile
	like     string   // the profile whose offer this one has, but for its own lines
	patterns []string // of shared facts: names, or the beginning of names and a star
	text     string   // its lines, as they stand in the file
	first    int      // the number of the first of them
}

// parse finds blocks: a line [NAME] or "for PATTERN…" begins one, then a line for each fact, a key and its
// value. Text behind # in the first column is a comment.
func parse(text string) ([]block, error) {
	var blocks []block
	n, begin, end := 0, 0, 0
	for l := range strings.Lines(text) {
		n++
		end += len(l)
		name, isName := profileName(l)
		key, value := fact(l)
		switch {
		case key == "":
			continue
		case isName:
			blocks = append(blocks, block{name: name, first: n + 1})
			begin = end
		case key == "for":
			blocks = append(blocks, block{patterns: strings.Fields(value), first: n + 1})
			begin = end
		case len(blocks) == 0:
			return nil, fmt.Errorf("line %d: a line [NAME] or for PATTERN comes first", n)
		default:
			b := &blocks[len(blocks)-1]
			b.text = text[begin:end]
			if key == "like" {
				b.like = value
			}
		}
	}
	return blocks, nil
}

// profileName reads a line [NAME].
func profileName(line string) (name string, ok bool) {
	line = strings.TrimSpace(line)
	if len(line) < 2 || line[0] != '[' || line[len(line)-1] != ']' {
		return "", false
	}
	return line[1 : len(line)-1], true
}

// fact splits a line into key and value; key is "" where there is none.
func fact(line string) (key, value string) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", ""
	}
	key, value, _ = strings.Cut(line, " ")
	return key, strings.TrimSpace(value)
}

// facts gives the facts of a block to p.
func (b *block) facts(p *Profile, of string) error {
	n := b.first - 1
	for l := range strings.Lines(b.text) {
		n++
		key, value := fact(l)
		if key == "" || key == "like" {
			continue
		}
		if err := p.set(key, value); err != nil {
			return fmt.Errorf("line %d: %s: %w", n, of, err)
		}
	}
	return nil
}

// build makes profiles of blocks: each from its own lines, on top of those of the profile that it is like,
// then the facts that it shares.
func build(blocks []block) ([]*Profile, error) {
	byName := make(map[string]*Profile)
	var all []*Profile
	waiting := blocks
	for len(waiting) > 0 {
		var later []block
		for _, b := range waiting {
			if b.patterns != nil {
				continue
			}
			base := byName[b.like]
			if b.like != "" && base == nil {
				later = append(later, b)
				continue
			}
			p, err := b.profile(base)
			if err != nil {
				return nil, err
			}
			byName[p.Name] = p
			all = append(all, p)
		}
		if len(later) == len(waiting) {
			return nil, fmt.Errorf("%s is like %s, which there is not", later[0].name, later[0].like)
		}
		waiting = later
	}
	for _, b := range blocks {
		if err := b.share(all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (b *block) profile(base *Profile) (*Profile, error) {
	p := newProfile(b.name)
	if base != nil {
		p.Family, p.Vendor, p.Library, p.Platform = base.Family, base.Vendor, base.Library, base.Platform
		p.offer = base.offer
		p.offer.Source.Name, p.offer.WireSize = b.name, 0
	}
	return p, b.facts(p, b.name)
}

// share gives the facts of a block to the profiles that it is for.
func (b *block) share(profiles []*Profile) error {
	for _, pattern := range b.patterns {
		prefix, star := strings.CutSuffix(pattern, "*")
		used := false
		for _, p := range profiles {
			if p.Name != pattern && (!star || !strings.HasPrefix(p.Name, prefix)) {
				continue
			}
			used = true
			if err := b.facts(p, "for "+pattern); err != nil {
				return err
			}
		}
		if !used {
			return fmt.Errorf("for %s: no such profile", pattern)
		}
	}
	return nil
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

// set takes one fact.
func (p *Profile) set(key, value string) error {
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
	default:
		return p.setOffer(key, value, strings.Fields(value))
	}
	return nil
}

// setOffer takes one fact of what the client proposes. What it demands of the answer begins with "accepts-".
func (p *Profile) setOffer(key, value string, words []string) error {
	o := &p.offer
	switch key {
	case "versions":
		o.Versions = nil
		return each(words, func(w string) error {
			v, err := suite.ParseVersion(w)
			o.Versions = append(o.Versions, v)
			return err
		})
	case "suites":
		l, err := suites(words)
		o.Suites = l
		return err
	case "drop-suites": // of the profile that this one is like
		l, err := suites(words)
		o.Suites = without(o.Suites, l)
		return err
	case "drop-extensions":
		l, err := numbers(words)
		o.Extensions = without(o.Extensions, l)
		return err
	case "groups":
		o.HasGroups = len(words) > 0
		return groups(words, &o.Groups)
	case "key-shares":
		return groups(words, &o.KeyShares)
	case "schemes":
		o.HasSchemes = len(words) > 0
		return schemes(words, &o.Schemes)
	case "certificate-schemes":
		return schemes(words, &o.CertSchemes)
	case "alpn":
		o.ALPN = words
	case "extensions":
		l, err := numbers(words)
		o.Extensions = l
		o.ExtendedMaster, o.EncryptThenMAC, o.SessionTicket = false, false, false
		for _, t := range l {
			p.flag(t)
		}
		return err
	case "point-formats":
		o.PointFormats = nil
		return each(words, func(w string) error {
			n, err := strconv.ParseUint(w, 10, 8)
			o.PointFormats = append(o.PointFormats, byte(n))
			return err
		})
	case "secure-renegotiation":
		o.SecureReneg = value != "no"
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
	case "accepts-curve-in-groups":
		a.CurveInGroups = true
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

// numbered reads words as names, or as numbers where there is no name.
func numbered[T ~uint16 | ~uint32](words []string, byName func(string) (T, bool)) ([]T, error) {
	l := make([]T, 0, len(words))
	for _, w := range words {
		v, ok := byName(w)
		if !ok {
			n, err := strconv.ParseUint(w, 0, 24)
			if err != nil {
				return nil, err
			}
			v = T(n)
		}
		l = append(l, v)
	}
	return l, nil
}

func suites(words []string) ([]suite.Code, error) {
	return numbered(words, func(w string) (suite.Code, bool) {
		if s := suite.ByName(w); s != nil {
			return s.Code, true
		}
		return 0, false
	})
}

func numbers(words []string) ([]uint16, error) {
	return numbered(words, func(string) (uint16, bool) { return 0, false })
}

func groups(words []string, to *[]suite.Group) error {
	l, err := numbered(words, func(w string) (suite.Group, bool) {
		if g := suite.GroupByName(w); g != nil {
			return g.Code, true
		}
		return 0, false
	})
	*to = l
	return err
}

func schemes(words []string, to *[]suite.SignatureScheme) error {
	l, err := numbered(words, func(w string) (suite.SignatureScheme, bool) {
		if s := suite.SchemeByName(w); s != nil {
			return s.Code, true
		}
		return 0, false
	})
	*to = l
	return err
}

// without returns the list less what is in drop.
func without[T comparable](l, drop []T) []T {
	return slices.DeleteFunc(slices.Clone(l), func(v T) bool { return slices.Contains(drop, v) })
}
