package simulate

import (
	"bytes"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	smithycbor "github.com/aws/smithy-go/encoding/cbor"
)

func FuzzCBOR(f *testing.F) {
	f.Add(encodeCBOR(tree{"Namespace": "AWS/ELB", "N": int64(-3), "L": []any{1.5, true, nil}, "At": time.Unix(1763630043, 0), "T": tree{"x": "y"}}))
	f.Add([]byte("\xbf\x61a\x9f\x01\x02\xff\x61b\x7f\x61x\x61y\xff\xff"))
	f.Add(bytes.Repeat([]byte{0x81}, 1000))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := decodeCBOR(b)
		if err != nil {
			return
		}
		again, err := decodeCBOR(encodeCBOR(in))
		if err != nil {
			t.Fatalf("%x is read as %v, and not once written", b, in)
		}
		if len(again) > len(in) {
			t.Fatalf("%v became %v", in, again)
		}
		if len(b) > 0 {
			if _, err := smithycbor.Decode(encodeCBOR(in)); err != nil {
				t.Fatalf("AWS's decoder does not read what is written of %v: %v", in, err)
			}
		}
	})
}

func TestHalf(t *testing.T) {
	for n, want := range map[uint16]float64{0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: math.Ldexp(1, -24), 0x7c00: math.Inf(1)} {
		if got := half(n); got != want {
			t.Errorf("%x is %v, want %v", n, got, want)
		}
	}
}

func FuzzForm(f *testing.F) {
	f.Add("Action=X&Filter.1.Name=a&Filter.1.Value.1=b&L.member.2=x&L.member.1=y&E.entry.1.key=k")
	f.Add("1=a&2=b&member=c&member.1=d&a.b=c&a=d")
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		if in, err := parseForm(form); err == nil && in == nil {
			t.Fatal("neither parameters nor an error")
		}
	})
}

func FuzzXML(f *testing.F) {
	f.Add([]byte("<R><A><member>x</member><member><B>1</B></member></A></R>"))
	f.Fuzz(func(t *testing.T, b []byte) { asEvent("", readXML(b)) })
}

// FuzzUnsigned sends whatever to the handler: without a signature nothing but an error comes back.
func FuzzUnsigned(f *testing.F) {
	f.Add("POST", "/", "AWS4-HMAC-SHA256 Credential=testing/20261120/eu-west-1/monitoring/aws4_request, SignedHeaders=host, Signature=00", "X.Y", []byte("\xa0"))
	f.Add("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", "", "", []byte{})
	c, err := New(State{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, path, authorization, target string, body []byte) {
		at, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Method, r.URL = method, at
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Target", target)
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if w.Code < 400 || w.Code >= 500 {
			t.Fatalf("status %d", w.Code)
		}
	})
}
