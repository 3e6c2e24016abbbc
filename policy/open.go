package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/suite"
)

// maxFile bounds a policy file: the largest real one, all policies of an account, is under 200 KB.
const maxFile = 1 << 20

var errTooLarge = fmt.Errorf("larger than %d MB: that is no policy file", maxFile>>20)

// Load reads the policies in a file, in whichever of these formats it is:
//   - Parley's own (docs/policies.md), in which a line [NAME] begins a policy,
//   - the answer of `aws elbv2 describe-ssl-policies`,
//   - what ParseClassicCustom reads.
//
// Policies out of AWS answers that have the name of a predefined one get from it what the answer lacks:
// groups, order rule and engine.
func Load(data []byte) ([]*Policy, error) {
	if len(data) > maxFile {
		return nil, errTooLarge
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return nil, errors.New("a binary file, no policy: use Parley's own format, AWS's JSON or lines of attribute names")
	}
	text := bytes.TrimSpace(data)
	switch {
	case len(text) == 0:
		return nil, errors.New("an empty file, no policy")
	case text[0] == '{' && bytes.Contains(text, []byte(`"SslPolicies"`)):
		return parseDescribe(text)
	case text[0] == '{', text[0] == '[' && isJSON(text):
		return ParseClassicCustom(text)
	case ownFormat(string(data)):
		return Parse(string(data))
	}
	return ParseClassicCustom(data)
}

// isJSON tells a JSON list from a line [NAME].
func isJSON(text []byte) bool {
	inner := bytes.TrimSpace(text[1:])
	return len(inner) == 0 || inner[0] == '{' || inner[0] == '"' || inner[0] == ']'
}

// ownFormat reports whether some line is a heading of Parley's own format.
func ownFormat(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "[") || strings.HasPrefix(line, "list ") {
			return true
		}
	}
	return false
}

// Description is a policy as DescribeSSLPolicies tells of it, in the API's spelling.
type Description struct {
	Name                       string
	SslProtocols               []string
	SupportedLoadBalancerTypes []string
	Ciphers                    []DescribedCipher
}

// DescribedCipher is a cipher of a Description; 1 is the priority of the first.
type DescribedCipher struct {
	Name     string
	Priority int
}

// parseDescribe reads the answer of DescribeSSLPolicies.
func parseDescribe(data []byte) ([]*Policy, error) {
	var answer struct{ SslPolicies []Description }
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, jsonError(err)
	}
	var l []*Policy
	for _, d := range answer.SslPolicies {
		p, err := Described(d)
		if err != nil {
			return nil, err
		}
		l = append(l, p)
	}
	if len(l) == 0 {
		return nil, errors.New("SslPolicies is empty: no such policy, or no permission to see it")
	}
	return l, nil
}

// Described makes a policy of a description. One that has the name of a predefined policy gets from it what the API
// does not tell: groups, signature schemes and the like.
func Described(d Description) (*Policy, error) {
	p := &Policy{Name: d.Name, Family: AWS, Order: ServerOrder, Engine: EngineS2N, Confidence: High, OrderConf: High,
		LoadBalancers: d.SupportedLoadBalancerTypes, Status: "described"}
	if known := ByName(string(AWS) + "/" + d.Name); known != nil {
		p.Groups, p.GroupsConf, p.Schemes = known.Groups, known.GroupsConf, known.Schemes
		p.Kind, p.FIPS, p.Status, p.DefaultFor = known.Kind, known.FIPS, known.Status, known.DefaultFor
	}
	ciphers := slices.Clone(d.Ciphers)
	slices.SortStableFunc(ciphers, func(a, b DescribedCipher) int { return cmp.Compare(a.Priority, b.Priority) })
	err := collect(d.SslProtocols, &p.Versions, suite.ParseVersion)
	for _, c := range ciphers {
		if err != nil {
			break
		}
		var code suite.Code
		// The guides of 2023 spell TLS 1.3 suites with hyphens.
		if code, err = parseSuite(c.Name); err != nil && strings.HasPrefix(c.Name, "TLS-") {
			code, err = parseSuite(strings.ReplaceAll(c.Name, "-", "_"))
		}
		if err == nil && slices.Contains(p.Suites, code) {
			err = fmt.Errorf("%s twice", c.Name)
		}
		p.Suites = append(p.Suites, code)
	}
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return nil, fmt.Errorf("policy %q: %w", d.Name, err)
	}
	return p, nil
}

// jsonError says where JSON stops being JSON.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: not JSON: %v", syntax.Offset, syntax)
	case errors.As(err, &kind):
		return fmt.Errorf("byte %d: %s is a %s, want the shape that the AWS command prints", kind.Offset, kind.Field, kind.Value)
	}
	return err
}
