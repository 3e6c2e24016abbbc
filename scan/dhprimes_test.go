package scan

import (
	"encoding/pem"
	"fmt"
	"math/big"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/parley-tls/parley/testbed"
)

// TestKnownPrimes: each is what it says: a prime of its own; those of the RFCs are made of the digits of pi and e
// again, and those of RFC 5114 are OpenSSL's.
func TestKnownPrimes(t *testing.T) {
	want := standardPrimes()
	for i, group := range []string{"dh_1024_160", "dh_2048_224", "dh_2048_256"} {
		want[fmt.Sprintf("RFC 5114 section 2.%d (%s-bit subgroup)", i+1, group[strings.LastIndex(group, "_")+1:])] = opensslPrime(t, group)
	}
	seen, names, weak := make(map[string]string), make(map[string]int), 0
	for _, k := range knownPrimes() {
		p := new(big.Int).SetBytes(k.prime)
		names[k.name]++
		if p.BitLen() <= 1024 {
			weak++
		}
		if len(k.prime)*8 != p.BitLen() {
			t.Errorf("%s: leading zeros", k.name)
		}
		if k.name == "" || names[k.name] > 1 || k.source == "" || p.BitLen()%256 != 0 || p.BitLen() < 512 || p.BitLen() <= 2048 && !p.ProbablyPrime(10) {
			t.Errorf("%+v", k)
		}
		if other := seen[p.String()]; other != "" {
			t.Errorf("%s and %s are the same", k.name, other)
		}
		seen[p.String()] = k.name
		if w := want[k.name]; w != nil && w.Cmp(p) != 0 {
			t.Errorf("%s: %X, want %X", k.name, p, w)
		}
		delete(want, k.name)
		if PrimeName(append([]byte{0}, k.prime...)) != k.name {
			t.Errorf("%s is not found", k.name)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	if weak < 14 {
		t.Errorf("%d primes of up to 1024 bits", weak)
	}
	for _, name := range []string{"RFC 2409 group 1", "RFC 2409 group 2"} { // safe primes
		i := slices.IndexFunc(knownPrimes(), func(k knownPrime) bool { return k.name == name })
		if half := new(big.Int).Rsh(new(big.Int).SetBytes(knownPrimes()[i].prime), 1); !half.ProbablyPrime(20) {
			t.Errorf("%s is no safe prime", name)
		}
	}
	if n := PrimeName([]byte{7}); n != "" {
		t.Errorf("7 is %s", n)
	}
}

// standardPrimes are the primes of RFC 2409 and 3526, and of RFC 7919, by their formulas:
// 2^n - 2^(n-64) + {[2^(n-130) x] + c} 2^64 - 1, where x is pi or e.
func standardPrimes() map[string]*big.Int {
	one := big.NewInt(1)
	make64 := func(n uint, x *big.Int, c int64) *big.Int {
		digits := new(big.Int).Rsh(x, 8192+64-(n-130))
		p := new(big.Int).Lsh(digits.Add(digits, big.NewInt(c)), 64)
		p.Add(p, new(big.Int).Lsh(one, n))
		p.Sub(p, new(big.Int).Lsh(one, n-64))
		return p.Sub(p, one)
	}
	pi, e := piDigits(8192+64), eDigits(8192+64)
	m := map[string]*big.Int{"RFC 2409 group 1": make64(768, pi, 149686), "RFC 2409 group 2": make64(1024, pi, 129093)}
	for group, x := range map[int][2]int64{5: {1536, 741804}, 14: {2048, 124476}, 15: {3072, 1690314}, 16: {4096, 240904}, 17: {6144, 929484}, 18: {8192, 4743158}} {
		m[fmt.Sprint("RFC 3526 group ", group)] = make64(uint(x[0]), pi, x[1])
	}
	for bits, c := range map[int]int64{2048: 560316, 3072: 2625351, 4096: 5736041, 6144: 15705020, 8192: 10965728} {
		m[fmt.Sprint("ffdhe", bits)] = make64(uint(bits), e, c)
	}
	return m
}

// piDigits is floor(pi 2^bits), by Machin's formula.
func piDigits(bits uint) *big.Int {
	const guard = 64
	arctan := func(x int64) *big.Int { // of 1/x
		term := new(big.Int).Lsh(big.NewInt(1), bits+guard)
		term.Quo(term, big.NewInt(x))
		sum := new(big.Int)
		for n, square := int64(1), big.NewInt(x*x); term.Sign() > 0; n += 2 {
			part := new(big.Int).Quo(term, big.NewInt(n))
			if n%4 == 3 {
				part.Neg(part)
			}
			sum.Add(sum, part)
			term.Quo(term, square)
		}
		return sum
	}
	pi := new(big.Int).Mul(arctan(5), big.NewInt(16))
	pi.Sub(pi, new(big.Int).Mul(arctan(239), big.NewInt(4)))
	return pi.Rsh(pi, guard)
}

// eDigits is floor(e 2^bits).
func eDigits(bits uint) *big.Int {
	const guard = 64
	term := new(big.Int).Lsh(big.NewInt(1), bits+guard)
	sum := new(big.Int)
	for n := int64(1); term.Sign() > 0; n++ {
		sum.Add(sum, term)
		term.Quo(term, big.NewInt(n))
	}
	return sum.Rsh(sum, guard)
}

// opensslPrime is the prime of a group as OpenSSL knows it.
func opensslPrime(t *testing.T, group string) *big.Int {
	t.Helper()
	out, err := exec.Command(testbed.Need(t, "openssl"), "genpkey", "-genparam", "-algorithm", "DHX", "-pkeyopt", "group:"+group).Output()
	if err != nil {
		t.Fatalf("%s: %v", group, err)
	}
	block, _ := pem.Decode(out)
	if block == nil {
		t.Fatalf("%s: no PEM in\n%s", group, out)
	}
	var sequence cryptobyte.String
	p, der := new(big.Int), cryptobyte.String(block.Bytes)
	if !der.ReadASN1(&sequence, asn1.SEQUENCE) || !sequence.ReadASN1Integer(p) {
		t.Fatalf("%s: no parameters in\n%s", group, out)
	}
	return p
}
