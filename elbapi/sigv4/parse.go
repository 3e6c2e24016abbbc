// Package sigv4 checks requests that are signed with AWS Signature Version 4, in the Authorization header or in the
// query string (presigned). It reads no clock and keeps nothing.
//
// Source: AWS General Reference, "Signing AWS API requests", and the signing test suite of AWS.
package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-tls/parley/elbapi/query"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
	terminator = "aws4_request"
	maxHeader  = 16 << 10
	maxSigned  = 100 // signed headers
)

// Scope is what a signature holds for.
type Scope struct {
	Date    string // 20060102
	Region  string
	Service string
}

// Signature is what a request says of its own signature.
type Signature struct {
	KeyID     string
	Scope     Scope
	Time      time.Time
	Signed    []string // header names in lower case, sorted
	Signature string   // 64 hexadecimal digits
	Token     string   // session token, if any
	Presigned bool
	Expires   time.Duration // of a presigned request
}

func incomplete(format string, args ...any) *query.Error {
	e := query.Fail("IncompleteSignature", format, args...)
	e.Status = http.StatusForbidden
	return e
}

// Parse finds the signature of a request.
func Parse(r *http.Request) (*Signature, error) {
	header := r.Header.Values("Authorization")
	inQuery := strings.Contains(r.URL.RawQuery, "X-Amz-Algorithm=")
	switch {
	case len(header) == 0 && !inQuery:
		return nil, &query.Error{Code: "MissingAuthenticationToken", Message: "Request is missing Authentication Token", Status: http.StatusForbidden}
	case len(header) > 1 || len(header) == 1 && inQuery:
		return nil, incomplete("A request has one signature, in the Authorization header or in the query string")
	case inQuery:
		return parseQuery(r.URL.RawQuery)
	}
	s, err := ParseHeader(header[0])
	if err != nil {
		return nil, err
	}
	s.Token = r.Header.Get("X-Amz-Security-Token")
	if text := r.Header.Get("X-Amz-Date"); text != "" {
		s.Time, err = time.Parse(timeFormat, text)
	} else if text = r.Header.Get("Date"); text != "" {
		if s.Time, err = time.Parse(timeFormat, text); err != nil {
			s.Time, err = http.ParseTime(text)
		}
	} else {
		return nil, incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if err != nil {
		return nil, incomplete("Date must be in ISO-8601 'basic format'. Got '%s'.", clip(r.Header.Get("X-Amz-Date")+r.Header.Get("Date")))
	}
	return s, s.check()
}

// ParseHeader reads the value of an Authorization header; the time and the token are in other headers.
func ParseHeader(text string) (*Signature, error) {
	if len(text) > maxHeader {
		return nil, incomplete("The Authorization header is longer than %d bytes", maxHeader)
	}
	name, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	if name != algorithm {
		return nil, incomplete("Unsupported AWS 'algorithm': '%s'", clip(name))
	}
	fields := make(map[string]string)
	for part := range strings.SplitSeq(rest, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || fields[key] != "" {
			return nil, incomplete("'%s' not a valid key=value pair (missing equal-sign) in Authorization header", clip(part))
		}
		fields[key] = value
	}
	for _, key := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields[key] == "" {
			return nil, incomplete("Authorization header requires '%s' parameter.", key)
		}
	}
	return parseFields(fields["Credential"], fields["SignedHeaders"], fields["Signature"])
}

func parseFields(credential, signed, signature string) (*Signature, error) {
	// A key id holds no slash, but be exact about what is what: the scope is the last four parts.
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || slices.Contains(parts, "") || parts[4] != terminator {
		return nil, incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/%s, got '%s'", terminator, clip(credential))
	}
	if _, err := time.Parse(dateFormat, parts[1]); err != nil || len(parts[1]) != len(dateFormat) {
		return nil, incomplete("Date in Credential scope is not a date: '%s'", clip(parts[1]))
	}
	s := &Signature{KeyID: parts[0], Scope: Scope{Date: parts[1], Region: parts[2], Service: parts[3]}, Signature: signature, Signed: strings.Split(signed, ";")}
	if len(s.Signed) > maxSigned || !slices.IsSorted(s.Signed) || signed != strings.ToLower(signed) || slices.Contains(s.Signed, "") || len(slices.Compact(slices.Clone(s.Signed))) != len(s.Signed) {
		return nil, incomplete("SignedHeaders must be names in lower case, sorted, each once: '%s'", clip(signed))
	}
	return s, nil
}

func parseQuery(raw string) (*Signature, error) {
	if len(raw) > query.MaxBody {
		return nil, incomplete("The query string is longer than %d bytes", query.MaxBody)
	}
	fields := make(map[string]string)
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(key, "X-Amz-") {
			continue
		}
		value, err := url.QueryUnescape(value)
		if _, twice := fields[key]; err != nil || twice {
			return nil, incomplete("The query-string parameter '%s' is given twice or is not well encoded", clip(key))
		}
		fields[key] = value
	}
	if fields["X-Amz-Algorithm"] != algorithm {
		return nil, incomplete("Unsupported AWS 'algorithm': '%s'", clip(fields["X-Amz-Algorithm"]))
	}
	for _, key := range []string{"X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"} {
		if fields[key] == "" {
			return nil, incomplete("AWS query-string parameters must include '%s'.", key)
		}
	}
	s, err := parseFields(fields["X-Amz-Credential"], fields["X-Amz-SignedHeaders"], fields["X-Amz-Signature"])
	if err != nil {
		return nil, err
	}
	s.Presigned, s.Token = true, fields["X-Amz-Security-Token"]
	if s.Time, err = time.Parse(timeFormat, fields["X-Amz-Date"]); err != nil {
		return nil, incomplete("Date must be in ISO-8601 'basic format'. Got '%s'.", clip(fields["X-Amz-Date"]))
	}
	if text, ok := fields["X-Amz-Expires"]; ok {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 1 || seconds > 7*24*3600 {
			return nil, incomplete("X-Amz-Expires must be a number of seconds between 1 and 604800, not '%s'", clip(text))
		}
		s.Expires = time.Duration(seconds) * time.Second
	}
	return s, s.check()
}

func (s *Signature) check() error {
	if s.Time.UTC().Format(dateFormat) != s.Scope.Date {
		return mismatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			s.Scope.Date, s.Time.UTC().Format(dateFormat), s.Time.UTC().Format(timeFormat))
	}
	if !slices.Contains(s.Signed, "host") {
		return mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return nil
}

func clip(text string) string {
	if len(text) > 80 {
		return text[:80] + "..."
	}
	return text
}
