package sigv4

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/parley-tls/parley/elbapi/query"
)

//go:embed testdata/aws-suite.txt
var suite string

var (
	suiteTime = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	suiteKey  = Key{ID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
)

func only(keys ...Key) func(string) (Key, bool) {
	return func(id string) (Key, bool) {
		for _, k := range keys {
			if k.ID == id {
				return k, true
			}
		}
		return Key{}, false
	}
}

// requests are the requests of the suite, by name.
func requests(t testing.TB) map[string]string {
	t.Helper()
	m := make(map[string]string)
	name := ""
	for line := range strings.Lines(suite) {
		if n, ok := strings.CutPrefix(line, "== "); ok {
			name = strings.TrimSpace(n)
		} else if name != "" {
			m[name] += line
		}
	}
	return m
}

func read(text string) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text + "\n")))
	if err != nil {
		return nil, nil, err
	}
	_, after, _ := strings.Cut(text, "\n\n")
	return r, []byte(strings.TrimSuffix(after, "\n")), nil
}

func TestSuite(t *testing.T) {
	n := 0
	for name, text := range requests(t) {
		name, token, _ := strings.Cut(name, " token=")
		switch {
		case strings.HasPrefix(name, "get-space-normalized"): // no request of HTTP: its path has a space
			continue
		case name == "post-sts-header-after query": // the token is not signed, which only IoT takes
			continue
		}
		r, body, err := read(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		key := suiteKey
		key.Token = token
		if _, _, err := Verify(r, body, suiteTime, 0, only(key)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		n++
		// Any change of what is signed is found.
		r.Header.Set("X-Amz-Date", "20150830T123601Z")
		if s, _ := Parse(r); s == nil || !s.Presigned {
			if _, _, err := Verify(r, body, suiteTime, 0, only(key)); codeOf(err) != "SignatureDoesNotMatch" {
				t.Errorf("%s: another date: %v", name, err)
			}
		}
		r.Header.Set("X-Amz-Date", "20150830T123600Z")
		r.Method = "PUT"
		if _, _, err := Verify(r, body, suiteTime, 0, only(key)); codeOf(err) != "SignatureDoesNotMatch" {
			t.Errorf("%s: another method: %v", name, err)
		}
	}
	if n != 59 {
		t.Errorf("%d requests", n)
	}
}

func codeOf(err error) string {
	var e *query.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

// TestSDK has AWS's own signer sign all kinds of requests, which reach a real server.
func TestSDK(t *testing.T) {
	key := Key{ID: "ASIAEXAMPLE", Secret: "secret", Token: "a+token/with=signs"}
	plain := Key{ID: "AKIAPLAIN", Secret: "other secret"}
	var got error
	var body []byte
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		_, _, got = Verify(r, body, time.Now(), 0, only(key, plain))
	}))
	defer h.Close()
	for _, k := range []Key{key, plain} {
		credentials := aws.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret, SessionToken: k.Token}
		for _, path := range []string{"", "/", "/a/b", "/a%20b/c+d", "/ü/"} { // it does not resolve "..", as the suite has it
			for _, q := range []string{"", "Action=Describe&Version=1", "b=2&a=1&a=0", "x=%20&y=%2B&z=a%2Fb", "empty=&also", "ü=ö", "Marker=a~b-c._d"} {
				for _, text := range []string{"", "Action=X&Names.member.1=%C3%BC"} {
					for _, presign := range []bool{false, true} {
						target := h.URL + path
						if q != "" {
							target += "?" + q
						}
						r, err := http.NewRequest("POST", target, strings.NewReader(text))
						if err != nil {
							t.Fatal(err)
						}
						r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
						signer := v4.NewSigner()
						if presign {
							u, header, err := signer.PresignHTTP(context.Background(), credentials, r, sum([]byte(text)), "elasticloadbalancing", "eu-west-1", time.Now())
							if err != nil {
								t.Fatal(err)
							}
							if r, err = http.NewRequest("POST", u, strings.NewReader(text)); err != nil {
								t.Fatal(err)
							}
							r.Header = header
						} else if err := signer.SignHTTP(context.Background(), credentials, r, sum([]byte(text)), "elasticloadbalancing", "eu-west-1", time.Now()); err != nil {
							t.Fatal(err)
						}
						answer, err := http.DefaultClient.Do(r)
						if err != nil {
							t.Fatal(err)
						}
						answer.Body.Close()
						if got != nil {
							t.Errorf("%s presigned %v with body %q: %v", target, presign, body, got)
						}
					}
				}
			}
		}
	}
}

// signed is a request that is signed well.
func signed(change func(*http.Request), key Key, at time.Time) *http.Request {
	r := httptest.NewRequest("POST", "http://elasticloadbalancing.eu-west-1.amazonaws.com/", nil)
	credentials := aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret, SessionToken: key.Token}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, r, sum(nil), "elasticloadbalancing", "eu-west-1", at); err != nil {
		panic(err)
	}
	if change != nil {
		change(r)
	}
	return r
}

func TestErrors(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	key := Key{ID: "AKIDEXAMPLE", Secret: "secret"}
	temporary := Key{ID: "ASIAEXAMPLE", Secret: "secret", Token: "token", Expires: now.Add(time.Minute)}
	off := Key{ID: "AKIDOFF", Secret: "secret", Off: true}
	keys := only(key, temporary, off)
	header := func(f func(string) string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", f(r.Header.Get("Authorization"))) }
	}
	replace := func(old, new string) func(*http.Request) {
		return header(func(s string) string { return strings.Replace(s, old, new, 1) })
	}
	const wrong = "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided."
	for _, c := range []struct {
		name string
		r    *http.Request
		at   time.Time
		want string
	}{
		{"good", signed(nil, key, now), now, ""},
		{"good with a token", signed(nil, temporary, now), now, ""},
		{"five minutes late", signed(nil, key, now), now.Add(5 * time.Minute), ""},
		{"five minutes early", signed(nil, key, now), now.Add(-5 * time.Minute), ""},
		{"later", signed(nil, key, now), now.Add(5*time.Minute + time.Second), "SignatureDoesNotMatch: Signature expired: 20261128T120000Z is now earlier than 20261128T120001Z (20261128T120501Z - 5 min.)"},
		{"earlier", signed(nil, key, now), now.Add(-5*time.Minute - time.Second), "SignatureDoesNotMatch: Signature not yet current: 20261128T120000Z is still later than 20261128T115959Z (20261128T115459Z + 5 min.)"},
		{"expired", signed(nil, temporary, now), now.Add(time.Minute), "ExpiredToken: The security token included in the request is expired"},
		{"none", signed(func(r *http.Request) { r.Header.Del("Authorization") }, key, now), now, "MissingAuthenticationToken: "},
		{"two", signed(func(r *http.Request) { r.Header.Add("Authorization", "x") }, key, now), now, "IncompleteSignature: "},
		{"unknown", signed(nil, Key{ID: "NOBODY", Secret: "secret"}, now), now, "InvalidClientTokenId: The security token included in the request is invalid."},
		{"inactive", signed(nil, off, now), now, "InvalidClientTokenId: "},
		{"no token", signed(func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") }, temporary, now), now, "InvalidClientTokenId: "},
		{"a token too many", signed(nil, Key{ID: key.ID, Secret: key.Secret, Token: "x"}, now), now, "InvalidClientTokenId: "},
		{"secret", signed(nil, Key{ID: key.ID, Secret: "Secret"}, now), now, wrong},
		{"body", signed(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("x")) }, key, now), now, wrong},
		{"host", signed(func(r *http.Request) { r.Host = "example.com" }, key, now), now, wrong},
		{"region", signed(replace("eu-west-1", "us-east-1"), key, now), now, wrong},
		{"service", signed(replace("elasticloadbalancing/aws4", "ec2/aws4"), key, now), now, wrong},
		{"short signature", signed(header(func(s string) string { return s[:len(s)-1] }), key, now), now, wrong},
		{"date of the scope", signed(replace("20261128", "20261127"), key, now), now, "SignatureDoesNotMatch: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261127' != '20261128'"},
		{"algorithm", signed(replace("AWS4-HMAC-SHA256", "AWS4-HMAC-MD5"), key, now), now, "IncompleteSignature: Unsupported AWS 'algorithm'"},
		{"scope", signed(replace("/aws4_request", ""), key, now), now, "IncompleteSignature: Credential must have exactly 5 slash-delimited elements"},
		{"terminator", signed(replace("/aws4_request", "/aws5_request"), key, now), now, "IncompleteSignature: "},
		{"no signature", signed(header(func(s string) string { return s[:strings.Index(s, ", Signature")] }), key, now), now, "IncompleteSignature: Authorization header requires 'Signature' parameter."},
		{"host not signed", signed(replace("host;", ""), key, now), now, "SignatureDoesNotMatch: 'Host' or ':authority' must be a 'SignedHeader'"},
		{"header that is not there", signed(replace("host;", "accept;host;"), key, now), now, "SignatureDoesNotMatch: The header 'accept' is among the SignedHeaders but not in the request"},
		{"headers out of order", signed(replace("host;x-amz-date", "x-amz-date;host"), key, now), now, "IncompleteSignature: SignedHeaders must be"},
		{"no date", signed(func(r *http.Request) { r.Header.Del("X-Amz-Date") }, key, now), now, "IncompleteSignature: Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{"bad date", signed(func(r *http.Request) { r.Header.Set("X-Amz-Date", "2026-11-28") }, key, now), now, "IncompleteSignature: Date must be in ISO-8601 'basic format'. Got '2026-11-28'."},
		{"hash of another body", signed(func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", sum([]byte("x"))) }, key, now), now, "SignatureDoesNotMatch: The value of the header x-amz-content-sha256"},
	} {
		body, _ := io.ReadAll(c.r.Body)
		_, k, err := Verify(c.r, body, c.at, 0, keys)
		if c.want == "" {
			if err != nil || k.ID == "" {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || k.ID != "" {
			t.Errorf("%s: %v (key %q), want %s", c.name, err, k.ID, c.want)
			continue
		}
		if status := query.AsError(err).HTTPStatus(); status != http.StatusForbidden {
			t.Errorf("%s: status %d", c.name, status)
		}
	}
}

func TestPresignedExpires(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	key := Key{ID: "AKIDEXAMPLE", Secret: "secret"}
	r := httptest.NewRequest("GET", "http://example.com/?Action=X&X-Amz-Expires=60", nil)
	u, _, err := v4.NewSigner().PresignHTTP(context.Background(), aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret}, r, sum(nil), "elasticloadbalancing", "eu-west-1", now)
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]string{0: "<nil>", time.Minute: "<nil>", time.Minute + time.Second: "SignatureDoesNotMatch", -6 * time.Minute: "SignatureDoesNotMatch"} {
		if _, _, err := Verify(httptest.NewRequest("GET", u, nil), nil, now.Add(after), 0, only(key)); codeOf(err) != want {
			t.Errorf("after %v: %v, want %s", after, err, want)
		}
	}
	twice := u + "&X-Amz-Date=20261128T120000Z"
	if _, _, err := Verify(httptest.NewRequest("GET", twice, nil), nil, now, 0, only(key)); codeOf(err) != "IncompleteSignature" {
		t.Errorf("two dates: %v", err)
	}
}

// FuzzVerify feeds headers and query strings: nothing but a good signature is taken, and nothing panics.
func FuzzVerify(f *testing.F) {
	for _, text := range requests(f) {
		if r, _, err := read(text); err == nil {
			f.Add(r.Header.Get("Authorization"), r.Header.Get("X-Amz-Date"), r.URL.RawQuery)
		}
	}
	f.Add("AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request,SignedHeaders=host,Signature=x", "Sun, 06 Nov 1994 08:49:37 GMT", "")
	f.Fuzz(func(t *testing.T, authorization, date, raw string) {
		r := &http.Request{Method: "GET", Host: "example.com", Header: http.Header{}, URL: &url.URL{Path: "/", RawQuery: raw}}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		if date != "" {
			r.Header.Set("X-Amz-Date", date)
		}
		key := Key{ID: "AKIDEXAMPLE", Secret: "nobody knows it"}
		s, k, err := Verify(r, nil, suiteTime, 0, func(string) (Key, bool) { return key, true })
		if err == nil || k.ID != "" {
			t.Fatalf("%q %q %q was taken: %+v", authorization, date, raw, s)
		}
		if e := query.AsError(err); e.HTTPStatus() >= 500 {
			t.Fatalf("%q %q %q: %v", authorization, date, raw, err)
		}
	})
}
