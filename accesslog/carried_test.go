package accesslog

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestCarried reads lines of each format as syslog and containers carry them.
func TestCarried(t *testing.T) {
	quoted := func(line string) string {
		b, err := json.Marshal(map[string]string{"log": line + "\n", "stream": "stdout", "time": "2026-11-20T09:14:03.5Z"})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, wrap := range map[string]func(string) string{
		"RFC 3164":   func(s string) string { return "Nov 20 09:14:03 lb01 haproxy[1234]: " + s },
		"priority":   func(s string) string { return "<134>Nov  2 09:14:03 lb01 nginx: " + s },
		"RFC 5424":   func(s string) string { return "<134>1 2026-11-20T09:14:03Z lb01 haproxy 1234 - - " + s },
		"rsyslog":    func(s string) string { return "2026-11-20T09:14:03.123456+00:00 lb01 haproxy[1234]: " + s },
		"containers": func(s string) string { return "2026-11-20T09:14:03.123456789Z stdout F " + s },
		"Docker":     quoted,
	} {
		for format, line := range map[Format]string{ALB: sampleALB, NLB: sampleNLB, HAProxy: sampleHandshake, NginxError: sampleNginxError, JSON: sampleJSON} {
			for _, end := range []string{"\n", "\r\n"} {
				f := NewReader(Options{}).Read("x", strings.NewReader(wrap(line)+end))
				if f.TLS[format] != 1 || f.Bad != 0 {
					t.Errorf("%s, %s: %+v", name, format, f)
				}
			}
		}
	}
	if inner, ok := carried("2026-11-20T09:14:03.512334Z 203.0.113.44 51322 443 - - -"); ok {
		t.Errorf("a line of its own is taken for one that is carried: %q", inner)
	}
}
