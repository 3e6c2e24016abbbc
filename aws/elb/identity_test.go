package elb

import (
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

func TestCertified(t *testing.T) {
	of := func(keys ...string) *policy.Identity {
		var l Listener
		for _, k := range keys {
			l.Certificates = append(l.Certificates, Certificate{Key: k})
		}
		return l.Certified()
	}
	id := of("RSA_2048", "EC_prime256v1", "EC_secp521r1")
	if id == nil || len(id.Certificates) != 3 {
		t.Fatalf("%+v", id)
	}
	for i, want := range []policy.Certificate{{KeyType: policy.RSA, Bits: 2048}, {KeyType: policy.ECDSA, Bits: 256, Curve: suite.Secp256r1},
		{KeyType: policy.ECDSA, Bits: 521, Curve: suite.Secp521r1}} {
		if got := id.Certificates[i]; got.KeyType != want.KeyType || got.Bits != want.Bits || got.Curve != want.Curve {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	for _, keys := range [][]string{{}, {""}, {"RSA_2048", ""}, {"RSA_x"}, {"EC_"}, {"ML_DSA_44"}} {
		if id := of(keys...); id != nil {
			t.Errorf("%q: %+v, though not all is known", keys, id)
		}
	}
}
