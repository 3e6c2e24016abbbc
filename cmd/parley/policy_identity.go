package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// parseIdentity reads the values of --cert: KIND or KIND:BITS, or ecdsa:CURVE. None is nil, which stands for
// an identity that is not known.
func parseIdentity(specs []string) (*policy.Identity, error) {
	if len(specs) == 0 {
		return nil, nil
	}
	id := &policy.Identity{}
	for _, spec := range specs {
		c, err := parseCertificate(spec)
		if err != nil {
			return nil, err
		}
		id.Certificates = append(id.Certificates, c)
	}
	return id, nil
}

func parseCertificate(spec string) (policy.Certificate, error) {
	kind, size, sized := strings.Cut(strings.ToLower(spec), ":")
	c := policy.Certificate{KeyType: policy.KeyType(kind)}
	bad := fmt.Errorf("--cert %q: use rsa:2048, rsa:4096, rsa-pss:2048, ecdsa:256, ecdsa:384, ecdsa:521, ed25519 or dsa:2048", spec)
	switch c.KeyType {
	case policy.ECDSA:
		if !sized {
			size = "256"
		}
		curves := map[string]suite.Group{"256": suite.Secp256r1, "384": suite.Secp384r1, "521": suite.Secp521r1}
		if g := suite.GroupByName(size); g != nil {
			c.Curve, c.Bits = g.Code, g.Bits
		} else if c.Curve = curves[strings.TrimPrefix(size, "p-")]; c.Curve != 0 {
			c.Bits = suite.GroupByCode(c.Curve).Bits
		}
		if !slices.Contains([]suite.Group{suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}, c.Curve) {
			return c, bad
		}
	case policy.RSA, policy.RSAPSS, policy.DSA:
		c.Bits = 2048
		if sized {
			n, err := strconv.ParseUint(size, 10, 16)
			if err != nil || n < 512 || n > 16384 {
				return c, bad
			}
			c.Bits = int(n)
		}
	case policy.Ed25519, policy.Ed448:
		c.Bits = map[policy.KeyType]int{policy.Ed25519: 256, policy.Ed448: 456}[c.KeyType]
		if sized {
			return c, bad
		}
	default:
		return c, bad
	}
	return c, nil
}

// keyTypes lists the kinds of the certificates of an identity; none where it is not known.
func keyTypes(id *policy.Identity) []policy.KeyType {
	var l []policy.KeyType
	if id == nil {
		return nil
	}
	for _, c := range id.Certificates {
		if !slices.Contains(l, c.KeyType) {
			l = append(l, c.KeyType)
		}
	}
	return l
}
