package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/cipherlist"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// NoCiphersError says that a cipher string leaves an OpenSSL client nothing to offer: it fails before
// it sends a byte (cause client-lacks-cipher), as in "no ciphers available" or "no cipher match".
type NoCiphersError struct {
	Release cipherlist.Release
	Spec    string
	Suites  []suite.Code // those that the string names and this client would not offer, in any release; may be empty
	Unknown []string     // words that no release knows, with the nearest names
}

func (e *NoCiphersError) Error() string {
	switch {
	case len(e.Unknown) > 0:
		return fmt.Sprintf("cipher string %q: unknown %s", e.Spec, strings.Join(e.Unknown, ", "))
	case len(e.Suites) > 0:
		return fmt.Sprintf("cipher string %q: OpenSSL %s offers no %s", e.Spec, e.Release, strings.Join(words(e.Suites, suiteWord), ", "))
	}
	return fmt.Sprintf("cipher string %q selects nothing that OpenSSL %s offers", e.Spec, e.Release)
}

// FromCipherString returns the offer of an OpenSSL client of that release whose user asked for exactly the
// suites of spec, as `openssl s_client -cipher` does, with one difference: s_client would go on to offer
// its TLS 1.3 suites too, whatever -cipher says. Here TLS 1.3 is offered only where spec names suites of
// it (TLS_AES_128_GCM_SHA256), so that "ciphers:AES128-SHA" means what it says. IANA names of older suites
// are understood as well. Groups, signature schemes and extensions are those of that release.
//
// The error is a *NoCiphersError where the client would have nothing to offer, and cipherlist's
// *CommandError where the string can't be read.
func FromCipherString(release cipherlist.Release, spec string) (*hello.Offer, error) {
	template := ByName("openssl-" + release.String())
	if template == nil {
		return nil, fmt.Errorf("no profile of OpenSSL %s", release)
	}
	tls13, rest := splitTLS13(release, spec)
	o := *template.Offer()
	o.Source = hello.Source{Kind: "ciphers", Name: spec}
	o.WireSize = 0
	o.Versions, o.Suites = nil, nil
	if len(tls13) > 0 {
		if !slices.Contains(template.offer.Versions, suite.TLS13) {
			return nil, &NoCiphersError{Release: release, Spec: spec, Suites: tls13}
		}
		o.Versions, o.Suites = append(o.Versions, suite.TLS13), append(o.Suites, tls13...)
	}
	if rest != "" {
		if err := addOlder(&o, template, release, spec, rest); err != nil {
			return nil, err
		}
	}
	if len(o.Suites) == 0 {
		return nil, noCiphers(release, spec, nil)
	}
	trim(&o)
	return &o, nil
}

// splitTLS13 takes the suites of TLS 1.3 out of a cipher string, which does not know them, and puts
// OpenSSL's names in place of IANA's.
func splitTLS13(release cipherlist.Release, spec string) (tls13 []suite.Code, rest string) {
	var keep []string
	for word := range strings.FieldsFuncSeq(spec, func(r rune) bool { return strings.ContainsRune(":,; ", r) }) {
		s := suite.ByName(word)
		switch {
		case s != nil && s.MinVersion >= suite.TLS13:
			tls13 = append(tls13, s.Code)
			continue
		case strings.HasPrefix(word, "TLS_"):
			if name := cipherlist.StandardToOpenSSL(release, word); name != "" {
				word = name
			} else if s != nil && s.OpenSSL != "" {
				word = s.OpenSSL
			}
		}
		keep = append(keep, word)
	}
	return tls13, strings.Join(keep, ":")
}

// addOlder adds the suites and versions before TLS 1.3.
func addOlder(o *hello.Offer, template *Profile, release cipherlist.Release, spec, rest string) error {
	none := ""
	options := cipherlist.Options{Ciphersuites: &none, Supported: true}
	l, err := cipherlist.Expand(release, rest, options)
	var noMatch *cipherlist.NoMatchError
	switch {
	case errors.As(err, &noMatch):
		return noCiphers(release, spec, noMatch.Ignored)
	case err != nil:
		return err
	}
	setLevel(&o.Accepts, release, l.SecurityLevel)
	for _, c := range l.Codes() {
		if s := suite.ByCode(c); s != nil && !s.Signalling {
			o.Suites = append(o.Suites, c)
		}
	}
	for _, v := range template.offer.Versions {
		if v >= suite.TLS13 || v < template.offer.Accepts.MinVersion {
			continue
		}
		options.Min, options.Max = v, v
		if l, err := cipherlist.Expand(release, rest, options); err == nil && len(l.Suites) > 0 {
			o.Versions = append(o.Versions, v)
		}
	}
	if len(o.Versions) == 0 {
		return noCiphers(release, spec, nil)
	}
	return nil
}

// setLevel applies what OpenSSL's security level demands of keys and digests (SSL_CTX_set_security_level(3),
// SSL_CTX_set_security_callback(3)): a string can change it with @SECLEVEL.
func setLevel(a *hello.Rules, release cipherlist.Release, level int) {
	if level == release.SecurityLevel() {
		return // as the profile of the release says
	}
	rsa := [...]int{0, 1024, 2048, 3072, 7680, 15360}
	ec := [...]int{0, 160, 224, 256, 384, 512}
	level = min(level, len(rsa)-1)
	a.MinRSABits, a.MinDHBits, a.MinECBits = rsa[level], max(rsa[level], 1024), ec[level] // no level takes less DH than 1024
	a.RefusedDigests, a.RefusedSigDigests = nil, nil
	if level >= 2 || level == 1 && release >= cipherlist.OpenSSL30 { // 3.0 counts SHA-1 as 63 bits
		a.RefusedDigests, a.RefusedSigDigests = []string{"MD5", "SHA1"}, []string{"MD5", "SHA1"}
	} else if level == 1 {
		a.RefusedDigests, a.RefusedSigDigests = []string{"MD5"}, []string{"MD5"}
	}
}

// noCiphers names what the string meant: suites that other releases have, or words that none knows.
func noCiphers(release cipherlist.Release, spec string, ignored []cipherlist.Word) *NoCiphersError {
	e := &NoCiphersError{Release: release, Spec: spec}
	for word := range strings.FieldsFuncSeq(spec, func(r rune) bool { return strings.ContainsRune(":,; ", r) }) {
		if s := suite.ByName(word); s != nil {
			e.Suites = append(e.Suites, s.Code)
		}
	}
	names := cipherlist.Names(release)
	for _, w := range ignored {
		if w.Reason != cipherlist.WordUnknown || suite.ByName(w.Text) != nil {
			continue
		}
		u := fmt.Sprintf("%q", w.Text)
		if near := suite.Nearest(w.Text, names, 3); len(near) > 0 {
			u += " (did you mean " + strings.Join(near, ", ") + "?)"
		}
		e.Unknown = append(e.Unknown, u)
	}
	return e
}

// trim leaves out the extensions for which OpenSSL has no use with these versions and suites.
func trim(o *hello.Offer) {
	drop := func(types ...uint16) {
		o.Extensions = slices.DeleteFunc(slices.Clone(o.Extensions), func(t uint16) bool { return slices.Contains(types, t) })
	}
	if o.Versions[0] < suite.TLS13 {
		o.KeyShares, o.PSKModes = nil, nil
		drop(hello.ExtSupportedVersions, hello.ExtPSKModes, hello.ExtKeyShare, hello.ExtSignatureAlgsCert)
	}
	if o.Versions[0] < suite.TLS12 {
		o.HasSchemes, o.Schemes = false, nil
		drop(hello.ExtSignatureAlgorithms)
	}
	if o.Versions[0] < suite.TLS13 && !slices.ContainsFunc(o.Suites, usesEC) {
		o.HasGroups, o.Groups, o.PointFormats = false, nil, nil
		drop(hello.ExtSupportedGroups, hello.ExtPointFormats)
	}
}

// usesEC reports whether a suite before TLS 1.3 needs an elliptic curve.
func usesEC(c suite.Code) bool {
	s := suite.ByCode(c)
	return s != nil && (s.KeyExchange.UsesEC() || s.Authentication == suite.AuthECDSA)
}
