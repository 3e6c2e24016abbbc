package cipherlist

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// TestAgainstOldNode compares with OpenSSL 1.0.1, which Node.js 0.10 and 0.12 have. It is no release of
// ours, but 1.0.2 only added words and static DH to it: without those, its order is the same.
func TestAgainstOldNode(t *testing.T) {
	specs := []string{"ALL", "ALL:COMPLEMENTOFALL", "DEFAULT", "HIGH", "MEDIUM", "HIGH:MEDIUM:!aNULL", "AES", "AESGCM", "kRSA", "EECDH", "kEECDH",
		"EDH", "kEDH", "aRSA", "aECDSA", "ECDH", "RC4", "3DES", "SEED", "CAMELLIA", "SHA256", "SHA384", "MD5", "eNULL", "TLSv1.2",
		"RC4-SHA:AES128-SHA", "ALL:@STRENGTH", "ALL:+RC4", "ALL:-AES:AES256", "ALL:!SHA1", "EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH",
		"ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256:HIGH:!MD5:!aNULL:!EDH", "EDH-RSA-DES-CBC3-SHA", "IDEA:SEED:!aNULL"}
	list, err := json.Marshal(specs)
	if err != nil {
		t.Fatal(err)
	}
	dh := map[suite.Code]bool{}
	for _, r := range tableOf(OpenSSL102, false).rows {
		dh[r.code] = r.kx&keyExchanges.of("DHr", "DHd") != 0
	}
	for _, version := range []string{"0.10", "0.12"} {
		t.Run(version, func(t *testing.T) {
			bins, _ := filepath.Glob("../.peers/node/" + version + ".*/bin/node")
			if len(bins) == 0 {
				missing(t, "Node.js "+version+" (make peers)")
			}
			out, err := exec.Command(bins[0], "testdata/hello.js", string(list)).Output()
			if err != nil {
				t.Fatal(err)
			}
			var answers []string
			if err := json.Unmarshal(out, &answers); err != nil {
				t.Fatalf("%v: %.200q", err, out)
			}
			for i, spec := range specs {
				offered, failure := nodeOffer(t, answers[i], nil)
				l, err := Expand(OpenSSL102, spec, Options{Supported: true})
				if err != nil {
					t.Fatal(err)
				}
				want := slices.DeleteFunc(l.Codes(), func(c suite.Code) bool { return dh[c] })
				if failure != "" || !slices.Equal(want, offered) {
					t.Errorf("%q\ngot  %v\nwant %v %s", spec, want, offered, failure)
				}
			}
		})
	}
}
