package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/parley-tls/parley/watch"
)

// TestWatchCountsWhatIsLeftOut: with --failed-only, only those that fail are left out.
func TestWatchCountsWhatIsLeftOut(t *testing.T) {
	r := &watch.Report{Source: "c.pcap"}
	for i := range 100 {
		g := watch.Group{Server: fmt.Sprintf("198.51.100.%d:443", i), Negotiations: 1}
		if i < maxGroupsShown+1 {
			g.Failed = 1
		}
		r.Groups = append(r.Groups, g)
	}
	for failedOnly, want := range map[bool]string{true: "… and 1 more group (--json has them)\n", false: "… and 40 more groups (--json has them)\n"} {
		var b strings.Builder
		if err := Watch(&b, r, failedOnly, Style{}); err != nil || !strings.HasSuffix(b.String(), want) {
			t.Errorf("failed only %v: no %q at the end of\n%s", failedOnly, want, b.String())
		}
	}
}
