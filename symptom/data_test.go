package symptom

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/parley-tls/parley/cause"
)

func TestData(t *testing.T) {
	d, err := readTables(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cause.All {
		if _, ok := d.place[c.ID]; !ok {
			t.Errorf("causes.tsv lacks %s", c.ID)
		}
	}
	texts := map[string]bool{}
	used := map[string]bool{}
	for _, p := range d.patterns {
		used[strings.TrimSuffix(strings.TrimPrefix(strings.Split(p.Signal, "!")[0], "+"), "@server")] = true
		if !p.listed {
			continue
		}
		if p.Text != strings.ToLower(p.Text) {
			t.Errorf("%q: patterns are written in lower case", p.Text)
		}
		folded, _ := foldLine(nil, p.Text, nil)
		if texts[string(folded)] {
			t.Errorf("%q stands twice", p.Text)
		}
		texts[string(folded)] = true
	}
	for _, name := range d.ports {
		used[name] = true
	}
	for _, name := range []string{"by-address", "plain-url", "http-on-443", "openssl-internal", "lb-unmapped"} {
		used[name] = true // given by the code
	}
	for name := range d.signals {
		if !used[strings.TrimSuffix(name, "@server")] {
			t.Errorf("signals.tsv: nothing gives %s", name)
		}
	}
	if len(texts) < 250 {
		t.Errorf("%d patterns, want 250 at least", len(texts))
	}
}

// TestPatternsFindTheirSamples: every record finds the text that it is meant for.
func TestPatternsFindTheirSamples(t *testing.T) {
	d := load()
	for _, p := range d.patterns {
		if !p.listed {
			continue
		}
		sample := p.sample
		if sample == "" {
			if sample = p.Text; strings.ContainsAny(sample, "…") || len(p.parts) > 1 || p.namesAlert() {
				t.Errorf("%q: a record with a mark needs a sample", p.Text)
				continue
			}
		}
		found := false
		d.index.find(foldText(sample), func(m match) bool {
			found = found || m.Pattern == p
			return true
		})
		if !found {
			t.Errorf("%q does not find %q", p.Text, sample)
		}
	}
}

func TestDataErrors(t *testing.T) {
	whole := fstest.MapFS{}
	entries, err := files.ReadDir("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := files.ReadFile("data/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		whole["data/"+e.Name()] = &fstest.MapFile{Data: data}
	}
	for _, c := range []struct{ file, row, want string }{
		{"causes.tsv", "no-such-cause\t1\tlocal\tw\ts\tn", "is no cause"},
		{"causes.tsv", "unknown\t1\tnowhere\tw\ts\tn", `no class "nowhere"`},
		{"causes.tsv", "unknown\t1", "2 fields, want 6"},
		{"signals.tsv", "x\terror\t-\tunknown:100\tm", "must leave something"},
		{"signals.tsv", "x\terror\t-\tunknown\tm", "no cause with a percentage"},
		{"signals.tsv", "x\tcontext\t-\tunknown\tm", "want cause*factor"},
		{"signals.tsv", "x\tpossible\t-\tunknown:1\tm", `no kind "possible"`},
		{"signals.tsv", "dns\terror\t-\tunknown:1\tm", "a second signal dns"},
		{"alerts.tsv", "no_such\tx\tunknown:1\tunknown:1\tm", "is no alert"},
		{"openssl.tsv", "ssl\t999\t-\tx\tno-such", "no signal"},
		{"openssl.tsv", "ssl\t193\t-\tx\tdns", "there twice"},
		{"functions.tsv", "XYZ\tf\tclient", "function number"},
		{"ports.tsv", "70000\tport-http\tx", "want a port"},
		{"p-curl.tsv", "some text\tno-such\tcurl\tclient\tsource", "no signal"},
		{"p-curl.tsv", "some text\tdns\tcurl\tmiddle\tsource", "no side"},
		{"p-curl.tsv", "some text\tdns\tcurl\tclient\t", "source are needed"},
		{"p-curl.tsv", "ab\tdns\tcurl\tclient\tsource", "four characters"},
		{"p-curl.tsv", "…text\tdns\tcurl\tclient\tsource", "nothing stands before"},
		{"p-curl.tsv", "alert no number\talert:#\tcurl\tclient\tsource", "# is missing"},
		{"p-curl.tsv", "some text\tside\tcurl\teither\tsource", "which side"},
	} {
		fsys := fstest.MapFS{}
		for name, f := range whole {
			fsys[name] = f
		}
		name := "data/" + c.file
		fsys[name] = &fstest.MapFile{Data: fmt.Appendf(slices.Clone(whole[name].Data), "\n%s\n", c.row)}
		if _, err := readTables(fsys); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: %v, want %q", c.file, c.row, err, c.want)
		}
	}
}
