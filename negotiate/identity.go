package negotiate

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
)

// CheckIdentity says why a client that negotiated successfully would still refuse the certificate. It
// applies the client's own rules (o.Accepts); a client whose rules are not known refuses nothing here.
// name is what the client asked for, "" if it checks no name. Whether the chain leads to a root that the
// client trusts cannot be decided from the certificate alone and is not asked here.
func CheckIdentity(o *hello.Offer, c *policy.Certificate, name string, now time.Time) []Reason {
	a := &o.Accepts
	if !a.Known {
		return nil
	}
	var l []Reason
	refuse := func(id cause.ID, client, server string) {
		l = append(l, Reason{Cause: id, By: "client", Client: []string{client}, Server: []string{server}})
	}
	switch c.KeyType {
	case policy.RSA, policy.RSAPSS:
		if c.Bits > 0 && c.Bits < a.MinRSABits {
			refuse(cause.WeakCertificateKey, fmt.Sprintf("RSA %d or more", a.MinRSABits), KeyName(c))
		} else if c.MinChainBits > 0 && c.MinChainBits < a.MinRSABits {
			refuse(cause.WeakCertificateKey, fmt.Sprintf("RSA %d or more", a.MinRSABits), fmt.Sprintf("RSA %d in the chain", c.MinChainBits))
		}
	case policy.ECDSA:
		if c.Bits > 0 && c.Bits < a.MinECBits {
			refuse(cause.WeakCertificateKey, fmt.Sprintf("EC %d or more", a.MinECBits), KeyName(c))
		}
		if len(a.CertificateCurves) > 0 && c.Curve != 0 && !slices.Contains(a.CertificateCurves, c.Curve) {
			refuse(cause.WeakCertificateKey, strings.Join(groupNames(a.CertificateCurves), ", "), KeyName(c))
		}
	}
	if slices.Contains(a.RefusedDigests, c.SignatureDigest) {
		refuse(cause.WeakCertificateKey, "no "+c.SignatureDigest+" signature in the chain", "signed with "+c.SignatureDigest)
	}
	if !c.NotAfter.IsZero() && now.After(c.NotAfter) {
		refuse(cause.CertificateExpired, now.UTC().Format(time.DateOnly), "expired on "+c.NotAfter.UTC().Format(time.DateOnly))
	} else if now.Before(c.NotBefore) {
		refuse(cause.CertificateExpired, now.UTC().Format(time.DateOnly), "not valid before "+c.NotBefore.UTC().Format(time.DateOnly))
	}
	if a.ChecksName && name != "" && len(c.Names) > 0 && !MatchesName(c, name) {
		l = append(l, Reason{Cause: cause.CertificateNameMismatch, By: "client", Client: []string{name}, Server: slices.Clone(c.Names)})
	}
	return l
}

// checkDH applies the client's limits to the size of a DHE group.
func checkDH(a *hello.Rules, bits int) (Reason, bool) {
	r := Reason{Cause: cause.WeakDHParameters, By: "client", Server: []string{fmt.Sprintf("DH %d", bits)}}
	switch {
	case bits < a.MinDHBits:
		r.Client = []string{fmt.Sprintf("DH %d or more", a.MinDHBits)}
		return r, true
	case a.MaxDHBits > 0 && bits > a.MaxDHBits:
		r.Client = []string{fmt.Sprintf("DH %d at most", a.MaxDHBits)}
		return r, true
	}
	return r, false
}

// MatchesName reports whether a certificate is for name: an exact name, an address, or a wildcard that
// stands for the whole leftmost label (RFC 9525 section 6.3).
func MatchesName(c *policy.Certificate, name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return slices.ContainsFunc(c.Names, func(n string) bool {
			a, err := netip.ParseAddr(n)
			return err == nil && a == addr
		})
	}
	_, parent, hasParent := strings.Cut(name, ".")
	return slices.ContainsFunc(c.Names, func(n string) bool {
		n = strings.ToLower(n)
		if rest, ok := strings.CutPrefix(n, "*."); ok {
			return hasParent && rest == parent
		}
		return n == name
	})
}
