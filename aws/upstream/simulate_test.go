package upstream_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/upstream"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/simulate"
	"github.com/parley-tls/parley/testbed"
)

// startSimulation serves an account whose answers are changed by the replacements, as if AWS had another table, and opens it.
func startSimulation(t *testing.T, deny string, replacements ...string) *account.Session {
	t.Helper()
	s, err := simulate.ReadState([]byte(`{"accounts":[{"id":"111122223333","users":[{"name":"ada","access_key_id":"testing","secret_access_key":"testing","deny":[` + deny + `]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := simulate.New(s)
	if err != nil {
		t.Fatal(err)
	}
	change := strings.NewReplacer(replacements...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		cloud.ServeHTTP(rec, r)
		body := change.Replace(rec.Body.String())
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(rec.Code)
		w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	testbed.OnlyAWS(t, server.URL)
	l, err := account.Open(t.Context(), account.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l[0]
}

var all = []policy.Family{policy.AWS, policy.Classic}

// TestAskSame asks an account whose policies are those of the tables.
func TestAskSame(t *testing.T) {
	c := upstream.Ask(t.Context(), startSimulation(t, ""), all)
	for _, d := range c.Differences {
		t.Errorf("%+v", d)
	}
	for _, p := range c.Problems {
		t.Error(p)
	}
	if c.Policies < 50 || c.Attributes != len(policy.Attributes()) || len(c.Samples) != 2 {
		t.Errorf("%d policies, %d attributes, samples %v", c.Policies, c.Attributes, c.Samples)
	}
}

// TestAskChanged finds what is other in AWS's answers than in the tables.
func TestAskChanged(t *testing.T) {
	s := startSimulation(t, "",
		"<Name>ELBSecurityPolicy-TLS13-1-2-Res-2021-06</Name>", "<Name>ELBSecurityPolicy-TLS13-1-2-Res-2027-01</Name>",
		"<AttributeName>ADH-AES128-SHA</AttributeName>", "<AttributeName>ECDHE-NEW-SHA</AttributeName>",
		"<PolicyName>ELBSecurityPolicy-TLS-1-2-2017-01</PolicyName>", "<PolicyName>ELBSecurityPolicy-TLS-1-2-2027-01</PolicyName>")
	c := upstream.Ask(t.Context(), s, all)
	var got []string
	for _, d := range c.Differences {
		got = append(got, string(d.Family)+" "+string(d.Kind)+" "+d.Name)
	}
	slices.Sort(got)
	want := []string{
		"aws-classic attribute ADH-AES128-SHA",
		"aws-classic attribute ECDHE-NEW-SHA",
		"aws-classic policy-added ELBSecurityPolicy-TLS-1-2-2027-01",
		"aws-classic policy-dropped ELBSecurityPolicy-TLS-1-2-2017-01",
		"aws-elb policy-added ELBSecurityPolicy-TLS13-1-2-Res-2027-01",
		"aws-elb policy-dropped ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, p := range c.Problems {
		t.Error(p)
	}
}

// TestAskRefused says what AWS does not tell, and compares the rest.
func TestAskRefused(t *testing.T) {
	c := upstream.Ask(t.Context(), startSimulation(t, `"elasticloadbalancing:DescribeSSLPolicies","elasticloadbalancing:DescribeLoadBalancerPolicyTypes"`), all)
	if len(c.Problems) != 3 || !strings.Contains(c.Problems[0], "AccessDenied") || len(c.Differences) != 0 || c.Policies == 0 {
		t.Errorf("%+v", c)
	}
}
