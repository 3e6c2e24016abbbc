package hello

import (
	"crypto/rand"
	"testing"

	"github.com/parley-tls/parley/suite"
)

func BenchmarkParseClientHello(b *testing.B) {
	for _, name := range []string{"openssl-3.0-default", "nodejs-24", "java-17-sslv2-format"} {
		raw := corpus(b)[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseClientHello(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOffer(b *testing.B) {
	h := recorded(b, "openssl-3.0-default")
	b.ReportAllocs()
	for b.Loop() {
		h.Offer()
	}
}

func BenchmarkMarshal(b *testing.B) {
	h := recorded(b, "openssl-3.0-default")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Marshal(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJA4(b *testing.B) {
	h := recorded(b, "openssl-3.0-default")
	for b.Loop() {
		h.JA4()
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, g := range []suite.Group{suite.X25519, suite.X25519MLKEM768} {
		o := browser()
		o.Groups, o.KeyShares = []suite.Group{g}, []suite.Group{g}
		b.Run(g.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := Build(o, rand.Reader); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
