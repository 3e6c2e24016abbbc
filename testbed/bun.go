package testbed

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/parley-tls/parley/policy"
)

// bunPath is where make peers puts Bun; "" if it did not.
func bunPath(t testing.TB) string {
	matches, _ := filepath.Glob(filepath.Join(Root(t), ".peers", "bun", "1.4.*", "bin", "bun"))
	if len(matches) == 0 {
		return ""
	}
	return matches[len(matches)-1]
}

// startBun runs server.js, written for Node.js, on Bun's own node:tls.
func startBun(t testing.TB, c *Config, port int) *Server {
	path := bunPath(t)
	if path == "" {
		Missing(t, "Bun")
	}
	vs := c.Policy.Versions
	options := map[string]any{"ciphers": c.cipherString(false), "ecdhCurve": c.groups(), "honorCipherOrder": c.Policy.Order == policy.ServerOrder,
		"minVersion": javaVersion(vs[0]), "maxVersion": javaVersion(vs[len(vs)-1]), "secureOptions": 0x4000} // SSL_OP_NO_TICKET
	if l := c.sigalgs(); l != "" {
		options["sigalgs"] = l
	}
	if l := c.Policy.ALPN.Protocols; len(l) > 0 {
		options["ALPNProtocols"], c.Policy.ALPN.Strict = l, true
	}
	input := map[string]any{"port": port, "options": options, "cert": []string{}, "key": []string{}}
	for _, id := range c.Identities {
		input["cert"] = append(input["cert"].([]string), id.Cert)
		input["key"] = append(input["key"].([]string), id.Key)
	}
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, port, nil, path, program(t, "server.js"), string(text))
}
