package testbed

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/parley-tls/parley/cipherlist"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// HaveNode reports whether the Node.js of this release line is installed.
func HaveNode(t testing.TB, line string) bool { return nodePath(t, line) != "" }

func nodePath(t testing.TB, line string) string {
	matches, _ := filepath.Glob(filepath.Join(Root(t), ".peers", "node", line+".*", "bin", "node"))
	if len(matches) == 0 {
		return ""
	}
	return matches[len(matches)-1]
}

// The options by which OpenSSL switches versions off (SSL_OP_NO_…), the same in all releases.
var noVersion = map[suite.Version]int64{suite.SSLv3: 0x02000000, suite.TLS10: 0x04000000, suite.TLS11: 0x10000000, suite.TLS12: 0x08000000, suite.TLS13: 0x20000000}

func startNode(t testing.TB, c *Config, port int) *Server {
	path := NodePath(t, c.Node)
	r := nodeReleases[c.Node]
	options := map[string]any{"ciphers": c.cipherString(r != cipherlist.OpenSSL102), "ecdhCurve": c.groups(),
		"honorCipherOrder": c.Policy.Order == policy.ServerOrder}
	var off int64
	for v, o := range noVersion {
		if !c.accepts(v) && (v != suite.TLS13 || r != cipherlist.OpenSSL102) {
			off |= o
		}
	}
	options["secureOptions"] = off | 0x4000 // SSL_OP_NO_TICKET
	if r != cipherlist.OpenSSL102 {
		vs := c.Policy.Versions
		options["minVersion"], options["maxVersion"] = javaVersion(vs[0]), javaVersion(vs[len(vs)-1])
		if l := c.suites13(); l != "" {
			options["ciphers"] = l + ":" + c.cipherString(true)
		}
	}
	if l := c.sigalgs(); l != "" && c.Policy.Schemes != nil {
		options["sigalgs"] = l
	}
	if l := c.Policy.ALPN.Protocols; len(l) > 0 {
		options["ALPNProtocols"] = l
		// Since 20 an offer without overlap is refused (nodejs/node#44031).
		c.Policy.ALPN.Strict = c.Node == "20" || c.Node == "22" || c.Node == "24" || c.Node == "26"
	}
	if c.Policy.ClientAuth != policy.ClientAuthNone {
		options["requestCert"], options["rejectUnauthorized"] = true, c.Policy.ClientAuth == policy.ClientAuthRequired
	}
	input := map[string]any{"port": port, "options": options}
	var certs, keys []string
	for _, id := range c.Identities {
		certs, keys = append(certs, id.Cert), append(keys, id.Key)
	}
	input["cert"], input["key"] = certs, keys
	if c.ClientCA != "" {
		input["ca"] = c.ClientCA
	}
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	var args []string
	if c.accepts(suite.SSLv3) {
		args = append(args, "--enable-ssl3")
	}
	args = append(args, program(t, "server.js"), string(text))
	s := run(t, port, noConfig, path, args...)
	fmt.Fprintf(s.log, "%s\n", text)
	return s
}
