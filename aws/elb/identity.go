package elb

import (
	"strconv"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Identity is what the listener can present, as far as AWS told the keys of its certificates; nil where it told of none, or
// not of all: what one that is not known can serve would be missing.
func (l *Listener) Identity() *policy.Identity {
	id := &policy.Identity{}
	for i := range l.Certificates {
		k, ok := l.Certificates[i].key()
		if !ok {
			return nil
		}
		k.Names, k.NotAfter = l.Certificates[i].Names, l.Certificates[i].NotAfter
		id.Certificates = append(id.Certificates, k)
	}
	if len(id.Certificates) == 0 {
		return nil
	}
	return id
}

// key reads the key's kind as ACM spells it: RSA_2048, EC_prime256v1, EC_secp384r1.
// Source: CertificateSummary, KeyAlgorithm, AWS Certificate Manager API reference.
func (c *Certificate) key() (policy.Certificate, bool) {
	if bits, ok := strings.CutPrefix(c.Key, "RSA_"); ok {
		n, err := strconv.Atoi(bits)
		return policy.Certificate{KeyType: policy.RSA, Bits: n}, err == nil && n > 0
	}
	name, ok := strings.CutPrefix(c.Key, "EC_")
	if name == "prime256v1" {
		name = suite.Secp256r1.String()
	}
	g := suite.GroupByName(name)
	if !ok || g == nil {
		return policy.Certificate{}, false
	}
	return policy.Certificate{KeyType: policy.ECDSA, Bits: g.Bits, Curve: g.Code}, true
}
