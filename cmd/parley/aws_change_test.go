package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-tls/parley/simulate"
)

// TestChangeAndUndo: each kind of load balancer, there and back, by the program.
func TestChangeAndUndo(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	a.expect(0, `(?s)shop:443, ALB HTTPS in eu-west-1, account 111122223333.*ELBSecurityPolicy-2016-08 -> ELBSecurityPolicy-TLS13-1-2-2021-06.*loses \d+, no-common-version`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--dry-run")
	a.wantHas("shop", 443, "ELBSecurityPolicy-2016-08")
	a.expect(2, "there is no terminal to ask on", "set-policy", "shop:443", "TLS13-1-2-2021-06")
	if n := a.calls("ModifyListener"); n > 0 {
		t.Fatalf("%d changes before one was wanted", n)
	}
	a.expect(0, `shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 now .change [0-9a-f]{8}.`, "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	a.wantHas("shop", 443, "ELBSecurityPolicy-TLS13-1-2-2021-06")
	a.wantHas("shop", 8443, "ELBSecurityPolicy-2016-08")
	a.expect(0, "shop:443 has ELBSecurityPolicy-TLS13-1-2-2021-06 already", "set-policy", "shop:443", "TLS13-1-2-2021-06", "--yes", noProof)
	a.expect(0, "edge:443 has ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09 now", "set-policy", "edge:443", "TLS13-1-2-Res-PQ-2025-09", "--yes", noProof)

	out := a.expect(0, `legacy:443 has `+parleys+` now`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
	if !strings.Contains(out, "left for undo: ours\n") {
		t.Errorf("what is left for undo is not said:\n%s", out)
	}
	a.wantHas("legacy", 443, "sticky", parleys)
	a.wantHas("legacy", 8443, "ELBSecurityPolicy-2016-08")
	// A second change makes no second policy of the same kind.
	a.expect(0, `legacy:8443 has `+parleys+` now`, "set-policy", "legacy:8443", "TLS-1-2-2017-01", "--yes", noProof)
	if n := len(a.carries()); n != 1 {
		t.Errorf("%d policies were made, want 1", n)
	}
	a.expect(0, `(?s)applied.*applied.*applied.*applied`, "journal")

	// Back, in any order. The policy goes when no listener needs it.
	a.expect(0, `(?s)legacy:443 has ours again.*kept the policy `+parleys+`: a listener of the load balancer uses it`, "undo", "legacy:443", "--yes", noProof)
	a.wantHas("legacy", 443, "sticky", "ours")
	a.expect(0, `(?s)legacy:8443 has ELBSecurityPolicy-2016-08 again.*deleted the policy `+parleys, "undo", "legacy:8443", "--yes", noProof)
	if l := a.carries(); len(l) > 0 {
		t.Errorf("left on the load balancer: %q", l)
	}
	a.expect(0, "edge:443 has ELBSecurityPolicy-TLS-1-2-2017-01 again", "undo", "--yes", noProof)
	a.expect(0, "shop:443 has ELBSecurityPolicy-2016-08 again", "undo", "--yes", noProof)
	a.expect(1, "no such change that could be undone", "undo", "--yes")

	// What was taken back can be set again by taking that back, with the policy made anew.
	var last string
	for _, line := range strings.Split(a.expect(0, "takes back", "journal", "legacy:443"), "\n") {
		if strings.Contains(line, "takes back") {
			last, _, _ = strings.Cut(line, " ")
		}
	}
	a.expect(0, `legacy:443 has `+parleys+` again`, "undo", last, "--yes", noProof)
	a.wantHas("legacy", 443, "sticky", parleys)
	a.expect(0, "is kept for good", "undo", last, "--forget")
	a.secretless()
}

func TestCustomAndForget(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.txt", "Protocol-TLSv1.2\nECDHE-RSA-AES256-GCM-SHA384\nServer-Defined-Cipher-Order\n")
	a.expect(0, `legacy:443 has parley-custom-[0-9a-f]{6} now`, "set-policy", "legacy:443", "--custom", good, "--yes", noProof)
	a.wantHas("legacy", 443, "sticky", "parley-custom-[0-9a-f]{6}")
	// Over it a predefined one: both are Parley's, and the first is kept for undo until it is forgotten.
	a.expect(0, `left for undo: parley-custom-`, "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof)
	if n := len(a.carries()); n != 2 {
		t.Errorf("%d policies, want 2", n)
	}
	a.expect(0, `(?s)is kept for good.*deleted the policy parley-custom-`, "undo", "--forget")
	a.wantHas("legacy", 443, "sticky", parleys)

	a.expect(1, `every handshake would fail: custom has no cipher suite that the listener's RSA certificates can serve; nothing was changed, --force`, "set-policy", "legacy:443",
		"--custom", file("ecdsa.txt", "Protocol-TLSv1.2\nECDHE-ECDSA-AES256-GCM-SHA384\n"), "--yes")
	a.expect(2, `--custom .*bad.txt: line 1: a Classic Load Balancer has no attribute`, "set-policy", "legacy:443", "--custom", file("bad.txt", "Protocol-TLSv1.3\n"), "--yes")
	a.expect(2, `--custom: an ALB has predefined policies only`, "set-policy", "shop:443", "--custom", good, "--yes")
	a.wantHas("legacy", 443, "sticky", parleys)
}

// TestChangeByRole: a change that was made by a role in another account is taken back by that role, and its name is all that the journal
// has of it.
func TestChangeByRole(t *testing.T) {
	t.Parallel()
	a := newAWSAccount(t, nil)
	other, err := simulate.ReadState([]byte(`{"accounts": [{"id": "444455556666", "roles": [{"name": "deployer", "trusts": ["111122223333"]}], "regions": {"eu-north-1": {"load_balancers": [
		{"name": "legacy", "type": "classic", "zones": [{"name": "eu-north-1a"}], "listeners": [{"port": 443, "protocol": "SSL", "certificates": ["arn:aws:acm:eu-north-1:444455556666:certificate/1"], "policies": ["ELBSecurityPolicy-2016-08"]}],
		 "classic": {"policies": []}}]}}}]}`))
	if err == nil {
		err = a.cloud.Add(other)
	}
	if err != nil {
		t.Fatal(err)
	}
	const role = "arn:aws:iam::444455556666:role/deployer"
	a.expect(0, "legacy:443 has "+parleys+" now", "set-policy", "legacy:443", "TLS-1-2-2017-01", "--yes", noProof, "--role", role, "--region", "eu-north-1")
	a.wantHas("legacy", 443, "sticky", "ours") // of the own account
	out := a.expect(0, role, "journal", "--json")
	validateAs(t, "aws-journal", out)
	a.expect(2, "legacy:443 is in eu-north-1: leave --region and --all-regions out", "undo", "--yes", "--region", "eu-west-1")
	a.expect(0, `(?s)legacy:443 has ELBSecurityPolicy-2016-08 again.*deleted the policy`, "undo", "--yes", noProof)
	a.secretless()
}
