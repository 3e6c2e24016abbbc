package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/elbapi/query"
)

// Key is an access key.
type Key struct {
	ID      string    `json:"id"`
	Secret  string    `json:"secret"`
	Token   string    `json:"token,omitempty"`   // of temporary credentials
	Expires time.Time `json:"expires,omitzero"`  // of temporary credentials; zero: never
	Subject string    `json:"subject,omitempty"` // ARN of whom it belongs to
	Off     bool      `json:"off,omitempty"`     // made inactive
	Account string    `json:"account,omitempty"` // of 12 digits
}

// How far the time of a request may be from that of a service: 5 minutes for most, 15 for some (S3, SNS, STS), as the texts of
// their errors show.
const (
	Skew     = 5 * time.Minute
	LongSkew = 15 * time.Minute
)

// SkewOf is the one that a service allows.
func SkewOf(service string) time.Duration {
	switch service {
	case "s3", "sns", "sts":
		return LongSkew
	}
	return Skew
}

func mismatch(format string, args ...any) *query.Error {
	return &query.Error{Code: "SignatureDoesNotMatch", Message: fmt.Sprintf(format, args...), Status: http.StatusForbidden}
}

// Verify checks the signature of a request with this body at the time now; skew is Skew or LongSkew, or 0 for that of the
// service in the scope. find returns the key with an id.
func Verify(r *http.Request, body []byte, now time.Time, skew time.Duration, find func(id string) (Key, bool)) (*Signature, Key, error) {
	s, err := Parse(r)
	if err != nil {
		return nil, Key{}, err
	}
	key, ok := find(s.KeyID)
	if !ok || key.Off || !hmac.Equal([]byte(key.Token), []byte(s.Token)) {
		return s, Key{}, &query.Error{Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid.", Status: http.StatusForbidden}
	}
	if skew == 0 {
		skew = SkewOf(s.Scope.Service)
	}
	if err := s.inTime(now, skew); err != nil {
		return s, Key{}, err
	}
	canonical, err := Canonical(r, body, s)
	if err != nil {
		return s, Key{}, err
	}
	if !hmac.Equal([]byte(s.Sign(canonical, key.Secret)), []byte(s.Signature)) {
		return s, Key{}, mismatch("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if !key.Expires.IsZero() && !now.Before(key.Expires) {
		return s, Key{}, &query.Error{Code: "ExpiredToken", Message: "The security token included in the request is expired", Status: http.StatusForbidden}
	}
	return s, key, nil
}

func (s *Signature) inTime(now time.Time, skew time.Duration) error {
	now = now.UTC().Truncate(time.Second)
	show := func(t time.Time) string { return t.UTC().Format(timeFormat) }
	if latest := now.Add(skew); s.Time.After(latest) {
		return mismatch("Signature not yet current: %s is still later than %s (%s + %d min.)", show(s.Time), show(latest), show(now), skew/time.Minute)
	}
	if s.Presigned && s.Expires > 0 {
		if end := s.Time.Add(s.Expires); now.After(end) {
			return mismatch("Signature expired: %s is now earlier than %s (%s - %d min.)", show(end), show(now), show(now), 0)
		}
		return nil
	}
	if earliest := now.Add(-skew); s.Time.Before(earliest) {
		return mismatch("Signature expired: %s is now earlier than %s (%s - %d min.)", show(s.Time), show(earliest), show(now), skew/time.Minute)
	}
	return nil
}

// Sign returns the signature of a canonical request with a secret key.
func (s *Signature) Sign(canonical, secret string) string {
	scope := s.Scope.Date + "/" + s.Scope.Region + "/" + s.Scope.Service + "/" + terminator
	text := strings.Join([]string{algorithm, s.Time.UTC().Format(timeFormat), scope, sum([]byte(canonical))}, "\n")
	k := mac([]byte("AWS4"+secret), s.Scope.Date)
	for _, part := range []string{s.Scope.Region, s.Scope.Service, terminator} {
		k = mac(k, part)
	}
	return hex.EncodeToString(mac(k, text))
}

// Canonical returns the canonical request, which both sides sign.
func Canonical(r *http.Request, body []byte, s *Signature) (string, error) {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + canonicalPath(r, s.Scope.Service) + "\n")
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return "", err
	}
	payload, err := payload(r, body, s)
	if err != nil {
		return "", err
	}
	b.WriteString(query + "\n")
	for _, name := range s.Signed {
		values := r.Header.Values(name)
		if name == "host" {
			values = []string{r.Host}
		}
		if name == "content-length" && len(values) == 0 {
			values = []string{fmt.Sprint(len(body))} // net/http takes it out of the headers
		}
		if len(values) == 0 {
			return "", mismatch("The header '%s' is among the SignedHeaders but not in the request", clip(name))
		}
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.Join(strings.Fields(v), " ")
		}
		b.WriteString(name + ":" + strings.Join(trimmed, ",") + "\n")
	}
	b.WriteString("\n" + strings.Join(s.Signed, ";") + "\n" + payload)
	return b.String(), nil
}

// unsigned stands for the hash of a body that is not signed, which S3 alone takes.
const unsigned = "UNSIGNED-PAYLOAD"

// payload is the hash of the body that was signed, which must be that of the body.
func payload(r *http.Request, body []byte, s *Signature) (string, error) {
	hash := sum(body)
	said := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case s.Scope.Service == "s3" && (said == unsigned || said == "" && s.Presigned):
		return unsigned, nil
	case said != "" && said != hash:
		return "", mismatch("The value of the header x-amz-content-sha256, '%s', is not the SHA-256 of the body", clip(said))
	}
	return hash, nil
}

// canonicalPath is the path as it was sent, with "." and ".." resolved, and encoded once more: a path of "/a b", sent as
// "/a%20b", is signed as "/a%2520b". S3 leaves it as it was sent.
func canonicalPath(r *http.Request, service string) string {
	p, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(p, "/") {
		p = r.URL.EscapedPath() // no server's request, or one with a whole URL
	}
	if p == "" {
		return "/"
	}
	if service == "s3" {
		return p
	}
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	parts := strings.Split(clean, "/")
	for i, part := range parts {
		parts[i] = escape(part)
	}
	return strings.Join(parts, "/")
}

func canonicalQuery(raw string) (string, error) {
	type pair struct{ key, value string }
	var l []pair
	for text := range strings.SplitSeq(raw, "&") {
		if text == "" {
			continue
		}
		key, value, _ := strings.Cut(text, "=")
		key, err := url.QueryUnescape(key)
		if err == nil {
			value, err = url.QueryUnescape(value)
		}
		if err != nil {
			return "", query.Fail("MalformedQueryString", "The query string contains a syntax error: %s", clip(text))
		}
		if key != "X-Amz-Signature" {
			l = append(l, pair{escape(key), escape(value)})
		}
	}
	slices.SortFunc(l, func(a, b pair) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	parts := make([]string, len(l))
	for i, p := range l {
		parts[i] = p.key + "=" + p.value
	}
	return strings.Join(parts, "&"), nil
}

// escape encodes all but RFC 3986's unreserved characters.
func escape(text string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}
