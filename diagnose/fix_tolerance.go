package diagnose

import (
	"slices"
	"strings"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/negotiate"
)

// tolerances are the words of client.Enabling for the settings by which a client accepts what it refuses as it comes.
var tolerances = map[cause.ID]string{
	cause.LegacyRenegotiationDisabled: "legacy-renegotiation",
	cause.WeakDHParameters:            "small-dh",
	cause.HandshakeSignatureRefused:   "sha1-signature",
	cause.WeakCertificateKey:          "small-rsa",
	cause.CertificateUntrusted:        "trust",
	cause.LargeHelloDropped:           "small-hello",
}

// tolerance is the setting by which the client itself lets pass what it refuses, if one is known.
func tolerance(c *ClientSide, r negotiate.Reason) (Fix, bool) {
	word := tolerances[r.Cause]
	if r.Cause == cause.WeakCertificateKey && slices.ContainsFunc(r.Server, func(s string) bool { return strings.HasPrefix(s, "signed with") }) {
		word = "sha1-certificate"
	}
	if c.Profile == nil || word == "" {
		return Fix{}, false
	}
	remedy := c.Profile.Remedy(word)
	if remedy == nil {
		return Fix{}, false
	}
	return settingFix([]client.Remedy{*remedy}), true
}
