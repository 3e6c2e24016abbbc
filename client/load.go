package client

import (
	"embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

//go:embed data
var dataFiles embed.FS

type registry struct {
	all    []*Profile
	byName map[string]*Profile
}

var profiles = sync.OnceValue(func() *registry {
	r := &registry{byName: make(map[string]*Profile)}
	files, err := dataFiles.ReadDir("data")
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		text, err := dataFiles.ReadFile("data/" + f.Name())
		if err != nil {
			panic(err)
		}
		l, err := parse(string(text))
		if err != nil {
			panic("client data: " + f.Name() + ": " + err.Error())
		}
		r.all = append(r.all, l...)
	}
	slices.SortStableFunc(r.all, func(a, b *Profile) int {
		if a.Family != b.Family {
			return strings.Compare(a.Family, b.Family)
		}
		return strings.Compare(a.Released, b.Released)
	})
	for _, p := range r.all {
		if r.byName[p.Name] != nil {
			panic("client data: " + p.Name + " twice")
		}
		r.byName[p.Name] = p
	}
	return r
})

// All returns every profile, by family and date. The result is shared and must not be changed.
func All() []*Profile { return profiles().all }

// ByName returns the profile of that name, in any case, or nil. A release line without its patch level, as
// in openssl-1.0.1, means the last profile of that line.
func ByName(name string) *Profile {
	name = strings.ToLower(strings.TrimSpace(name))
	if p := profiles().byName[name]; p != nil {
		return p
	}
	var last *Profile
	for _, p := range All() {
		rest, ok := strings.CutPrefix(p.Name, name)
		if ok && strings.Contains(name, "-") && name[len(name)-1] >= '0' && name[len(name)-1] <= '9' && (rest[0] < '0' || rest[0] > '9') {
			last = p // All is in the order of release
		}
	}
	return last
}

// Names returns the names of all profiles.
func Names() []string {
	var l []string
	for _, p := range All() {
		l = append(l, p.Name)
	}
	return l
}

// parse reads profiles: a line [NAME] begins one, then a line for each fact, a key and its value.
func parse(text string) ([]*Profile, error) {
	var l []*Profile
	var p *Profile
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' && line[len(line)-1] == ']' {
			name := line[1 : len(line)-1]
			p = &Profile{Name: name, Title: name}
			p.offer.Compression = []byte{0}
			p.offer.Source = hello.Source{Kind: "profile", Name: name}
			p.offer.Accepts = hello.Rules{Known: true, ChecksName: true}
			l = append(l, p)
			continue
		}
		if p == nil {
			return nil, fmt.Errorf("line %d: a profile begins with a line [NAME]", n)
		}
		key, value, _ := strings.Cut(line, " ")
		if err := p.set(key, strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", n, p.Name, err)
		}
	}
	for _, p := range l {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return l, nil
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
	case "hello":
		return p.setHello(value)
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
	case "accepts-any-name":
		a.ChecksName = false
	case "accepts-any-issuer":
		a.IgnoresTrust = true
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return nil
}

// addRemedy reads "WHAT | summary | command | source".
func (p *Profile) addRemedy(value string) error {
	f := strings.Split(value, " | ")
	if len(f) != 4 {
		return fmt.Errorf("remedy: want WHAT | summary | command | source, have %q", value)
	}
	command := f[2]
	if command == "-" {
		command = ""
	}
	p.Remedies = append(p.Remedies, Remedy{Enables: f[0], Summary: f[1], Command: command, Source: f[3]})
	return nil
}

// setHello reads the bytes of a real hello; the facts of the record must say the same, which a test checks.
func (p *Profile) setHello(value string) error {
	raw, err := hex.DecodeString(value)
	if err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	p.raw, p.Captured, p.offer.WireSize = raw, true, len(raw)
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
