package render

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

var update = flag.Bool("update", false, "write the golden files again")

// report is a diagnosis with everything that a report can hold.
func report() *diagnose.Diagnosis {
	return &diagnose.Diagnosis{
		Target:  diagnose.Target{Name: "lb.example.com", Kind: "endpoint", Address: "192.0.2.10:443", ServerName: "lb.example.com"},
		Client:  diagnose.Client{Name: "java-7u25", Kind: "profile", Confidence: "medium"},
		Outcome: diagnose.Refused,
		Causes: []diagnose.Cause{{ID: cause.NoCommonVersion, Confidence: 0.98, Stage: cause.Hello, Summary: "java-7u25 offers TLS 1.0 at most; the listener accepts TLS 1.2 and TLS 1.3",
			ClientSet: []string{"TLSv1.0", "SSLv3"}, ServerSet: []string{"TLSv1.2"},
			Evidence: []diagnose.Evidence{{Fact: "the endpoint answers the client's hello with: alert protocol_version (70)", Command: "openssl s_client -connect 192.0.2.10:443 -tls1 </dev/null"}}}},
		Findings: []diagnose.Finding{{ID: "addresses-alike", Summary: "2 addresses behind the name, all alike"}},
		Fixes: []diagnose.Fix{
			{Side: diagnose.SideClient, Summary: "Enable TLS 1.2", Commands: []string{"java -Djdk.tls.client.protocols=TLSv1.2"}, Proved: true},
			{Side: diagnose.SideLoadBalancer, Summary: "Change the policy to ELBSecurityPolicy-2016-08", Policy: "ELBSecurityPolicy-2016-08", Commands: []string{"aws elbv2 modify-listener"},
				Price: &diagnose.Price{AddsVersions: []suite.Version{suite.TLS10, suite.TLS11}, AddsSuites: []suite.Code{0x002F}, DropsSuites: []suite.Code{0x1301, 0x1302},
					Weakest: "weak", WeakestNow: "recommended", GainsClients: []string{"java-7u25"}}},
		},
		PolicyMatch: []diagnose.PolicyMatch{{Name: "ELBSecurityPolicy-TLS13-1-2-2021-06", Family: policy.AWS, Missing: []string{"AES128-SHA"}, Extra: []string{"TLSv1.1", "AES256-SHA"}}},
		Repeat: &diagnose.Repeat{Summary: "17 % of connections with the client's hello are reset, 0 % of the same without the post-quantum groups: the difference is real (p = 7.3e-06)",
			A: diagnose.Series{Variant: "the client's hello", Tries: 100, Failures: 17, Rate: 0.17, Low: 0.11, High: 0.26},
			B: diagnose.Series{Variant: "the same without the post-quantum groups", Tries: 100, High: 0.04}},
		Connections: 29, RoundTrips: 8,
	}
}

// TestWhy holds the text of a report, and that it fits one screen.
func TestWhy(t *testing.T) {
	var b strings.Builder
	if err := Why(&b, report(), Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/why.txt", b.String())
	for i, line := range strings.Split(b.String(), "\n") {
		if len(line) > reportWidth+20 && !strings.Contains(line, "$ ") {
			t.Errorf("line %d has %d bytes", i+1, len(line))
		}
	}
	if n := strings.Count(b.String(), "\n"); n > 45 {
		t.Errorf("%d lines are more than a screen", n)
	}
}

// TestWhyOrder: the parts come in the order in which a reader needs them.
func TestWhyOrder(t *testing.T) {
	var b strings.Builder
	Why(&b, report(), Style{})
	at := 0
	for _, part := range []string{"FAILS", "Cause", "client   server", "Policy", "Fix", "client         Enable", "load-balancer", "Evidence", "openssl s_client"} {
		i := strings.Index(b.String()[at:], part)
		if i < 0 {
			t.Fatalf("%q is missing, or comes before what must precede it:\n%s", part, b.String())
		}
		at += i
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs (go test ./render -update writes it again):\n%s", path, got)
	}
}
