package truth

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// nodeEndpoints are servers of old Node.js, which hold the OpenSSL of their day.
var nodeEndpoints = []endpoint{
	{name: "node-0.10.1", what: "Node.js 0.10.1 with OpenSSL 1.0.1e: SSLv2, SSLv3, export and single DES suites, RC4, server's order", start: func(t *testing.T) *subject {
		path := filepath.Join(testbed.Root(t), ".peers", "vulnerable", "node-0.10.1", "bin", "node")
		if !exists(path) {
			testbed.Missing(t, "Node.js 0.10.1")
		}
		return node(t, path, nodeServer{versions: []string{"SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2"}, old: true})
	}},
	{name: "node-0.12", what: "Node.js 0.12 with OpenSSL 1.0.1u: SSLv3, RC4, DHE, one curve, server's order", start: func(t *testing.T) *subject {
		return node(t, testbed.NodePath(t, "0.12"), nodeServer{versions: []string{"SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2"}, flag: "--enable-ssl3", curve: suite.Secp384r1, dhe: true})
	}},
	{name: "node-8-client-order", what: "Node.js 8 with OpenSSL 1.0.2: RC4, client's order", start: func(t *testing.T) *subject {
		return node(t, testbed.NodePath(t, "8"), nodeServer{versions: []string{"TLSv1.0", "TLSv1.1", "TLSv1.2"}, curve: suite.Secp256r1, clientOrder: true})
	}},
}

// nodeServer is the configuration of a Node.js.
type nodeServer struct {
	versions []string
	flag     string
	curve    suite.Group
	dhe      bool
	// old: 0.10, which sets up neither DH parameters nor a curve, so that only the key exchange by RSA can work.
	old         bool
	clientOrder bool
}

// method is how a client in Node.js takes one version.
type method struct {
	Protocol string `json:"secureProtocol"`
	Options  int    `json:"secureOptions,omitempty"`
}

var nodeMethods = map[string]method{"SSLv2": {"SSLv2_method", 0}, "SSLv3": {"SSLv3_method", 0}, "TLSv1.0": {"TLSv1_method", 0}, "TLSv1.1": {"TLSv1_1_method", 0}, "TLSv1.2": {"TLSv1_2_method", 0}}

// Node.js 0.10 has no method for TLS 1.1 and 1.2 alone. Its OpenSSL settles the version, the highest that both have,
// before the suite, so that switching off the higher does the same: SSL_OP_NO_TLSv1_2.
var oldNodeMethods = map[string]method{"TLSv1.1": {"SSLv23_method", 0x08000000}, "TLSv1.2": {"SSLv23_method", 0}}

// node starts the server and has its own client ask for every cipher that OpenSSL ever had, one at a time.
func node(t *testing.T, path string, n nodeServer) *subject {
	id, port := testbed.Make(t, testbed.RSA2048), testbed.FreePort(t)
	names := oldNames(n.old)
	options := map[string]any{"ciphers": strings.Join(names, ":"), "honorCipherOrder": !n.clientOrder, "secureProtocol": "SSLv23_method"}
	if n.curve != 0 {
		options["ecdhCurve"] = suite.GroupByCode(n.curve).OpenSSL
	}
	methods := make(map[string]method)
	for _, v := range n.versions {
		methods[v] = nodeMethods[v]
		if m, ok := oldNodeMethods[v]; ok && n.old {
			methods[v] = m
		}
	}
	out := filepath.Join(t.TempDir(), "accepted")
	input := map[string]any{"port": port, "out": out, "cert": id.Cert, "key": id.Key, "options": options, "methods": methods, "ciphers": names}
	if n.dhe {
		input["dhparam"] = testbed.DHParameters(t, "modp_2048")
	}
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{program(t, "everything.js"), string(text)}
	if n.flag != "" {
		args = append([]string{n.flag}, args...)
	}
	s := testbed.Run(t, port, path, args...)
	order := policy.ServerOrder
	if n.clientOrder {
		order = policy.ClientOrder
	}
	p := negotiated(t, waitFor(t, out), "node", order)
	if n.curve != 0 {
		p.groups12.items = []suite.Group{n.curve}
	}
	if l, ok := p.versions[suite.SSLv2]; ok { // the client chooses among what the server lists
		l.order = policy.OrderUnknown
		p.versions[suite.SSLv2] = l
	}
	return &subject{addr: s.Addr, serverName: testbed.HostName, truth: p}
}

// oldNames are the names that OpenSSL before 1.1.0 gave, weak ones first: an order that no policy has.
func oldNames(rsaOnly bool) []string {
	var weak, others []string
	seen := make(map[string]bool)
	for _, s := range suite.All() {
		name := s.OpenSSL
		if strings.HasPrefix(name, "DHE-") && strings.Contains(name, "DES-CBC3") {
			name = strings.Replace(name, "DHE-", "EDH-", 1)
		}
		if name == "" || s.MinVersion == suite.TLS13 || seen[name] || rsaOnly && !plainRSA(&s) {
			continue
		}
		seen[name] = true
		if s.Bits < 128 || s.Encryption == "RC4" {
			weak = append(weak, name)
		} else {
			others = append(others, name)
		}
	}
	return append(weak, others...)
}

// plainRSA reports whether a suite, or a cipher kind of SSLv2, exchanges keys by RSA and has a cipher of OpenSSL 1.0.
func plainRSA(s *suite.Suite) bool {
	if s.Code > 0xFFFF {
		return true
	}
	return s.KeyExchange == suite.KXRSA && !strings.HasPrefix(s.Mode, "CCM") && s.Encryption != "ARIA" && s.Encryption != "CHACHA20" && s.Encryption != "GOST"
}
