package negotiate

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Situation is a refusal as servers tell it apart. Several can have one cause: a server may answer a TLS 1.3
// hello without supported_groups otherwise than one that lists the wrong groups.
type Situation string

// The situations, in the order of signals.tsv.
const (
	fine                 Situation = ""
	SSLv2Hello           Situation = "sslv2-hello"           // the hello is in the SSLv2 format
	Version              Situation = "version"               // no shared version
	VersionTLS13Only     Situation = "version-tls13-only"    // the same, with a client of TLS 1.3 alone
	Fallback             Situation = "fallback"              // TLS_FALLBACK_SCSV below the server's best
	SNIMissing           Situation = "sni-missing"           // no server_name, and the server insists
	SNIUnknownName       Situation = "sni-unknown"           // a server_name that the server does not know
	EMSMissing           Situation = "ems-missing"           // no extended_master_secret, and the server insists
	RenegotiationMissing Situation = "renegotiation-missing" // no secure renegotiation, and the server insists
	ALPN                 Situation = "alpn"                  // no shared application protocol
	Cipher               Situation = "cipher"                // no shared suite
	CipherCertificate    Situation = "cipher-certificate"    // shared suites, no certificate for them
	CertificateCurve     Situation = "certificate-curve"     // the certificate's curve is not listed
	Group12              Situation = "group-tls12"           // no shared group for (EC)DHE before TLS 1.3
	Group13              Situation = "group-tls13"           // no shared group in TLS 1.3
	GroupsMissing13      Situation = "groups-missing-tls13"  // a TLS 1.3 hello without supported_groups
	Scheme12             Situation = "scheme-tls12"          // no shared signature scheme for the key
	Scheme13             Situation = "scheme-tls13"
	SchemesMissing12     Situation = "schemes-missing-tls12" // no signature_algorithms, and no SHA-1 signature
	SchemesMissing13     Situation = "schemes-missing-tls13"
)

// Cause is the cause that a situation belongs to.
func (s Situation) Cause() cause.ID {
	switch s {
	case SSLv2Hello:
		return cause.SSLv2HelloRefused
	case Version, VersionTLS13Only:
		return cause.NoCommonVersion
	case Fallback:
		return cause.InappropriateFallback
	case SNIMissing:
		return cause.SNIRequired
	case SNIUnknownName:
		return cause.SNIUnknown
	case EMSMissing:
		return cause.ExtendedMasterSecretRequired
	case RenegotiationMissing:
		return cause.LegacyRenegotiationDisabled
	case ALPN:
		return cause.NoCommonALPN
	case Cipher:
		return cause.NoCommonCipher
	case CipherCertificate:
		return cause.CipherNeedsOtherCertificate
	case CertificateCurve, Group12, Group13, GroupsMissing13:
		return cause.NoCommonGroup
	case Scheme12, Scheme13, SchemesMissing12, SchemesMissing13:
		return cause.NoCommonSignatureAlgorithm
	}
	return cause.Unknown
}

// Situations lists all situations.
var Situations = []Situation{SSLv2Hello, Version, VersionTLS13Only, Fallback, SNIMissing, SNIUnknownName, EMSMissing, RenegotiationMissing, ALPN,
	Cipher, CipherCertificate, CertificateCurve, Group12, Group13, GroupsMissing13, Scheme12, Scheme13, SchemesMissing12, SchemesMissing13}

//go:embed signals.tsv
var signalsTSV string

type signalKey struct {
	engine    policy.Engine
	situation Situation
}

var signals = sync.OnceValue(func() map[signalKey]Signal {
	m := make(map[signalKey]Signal)
	for line := range strings.Lines(signalsTSV) {
		key, signal, err := parseSignal(strings.TrimRight(line, "\n"))
		if err != nil {
			panic("signals.tsv: " + err.Error()) // the data is part of the program and a test reads all of it
		}
		if key.situation != fine {
			m[key] = signal
		}
	}
	return m
})

// parseSignal reads one line of signals.tsv; a comment gives an empty key.
func parseSignal(line string) (key signalKey, s Signal, err error) {
	if line == "" || line[0] == '#' {
		return key, s, nil
	}
	f := strings.Split(line, "\t")
	if len(f) != 4 {
		return key, s, fmt.Errorf("%q has %d fields, want 4", line, len(f))
	}
	key, s.Source = signalKey{policy.Engine(f[0]), Situation(f[1])}, f[3]
	if key.situation.Cause() == cause.Unknown {
		return key, s, fmt.Errorf("%q: unknown situation %q", line, f[1])
	}
	switch f[2] {
	case suite.AlertCloseNotify.String():
		s.CloseNotify = true
	case "close":
		s.Close = true
	case "reset":
		s.Reset = true
	default:
		for a := range suite.Alert(255) {
			if a.String() == f[2] {
				s.Alert = a
			}
		}
		if s.Alert == 0 {
			return key, s, fmt.Errorf("%q: unknown alert %q", line, f[2])
		}
	}
	return key, s, nil
}

// SignalIn returns what a server of kind e sends in a situation; the zero Signal means that it is not known.
func SignalIn(e policy.Engine, s Situation) Signal {
	switch e {
	case EngineHAProxy, EngineOpenSSL10, EngineOpenSSL35:
		e = policy.EngineOpenSSL
	}
	signal, ok := signals()[signalKey{e, s}]
	switch {
	case ok || s != VersionTLS13Only:
		return signal
	case rulesOf(e).readsLegacyVersion: // it takes the hello for one of TLS 1.2 without a suite
		return signals()[signalKey{e, Cipher}]
	}
	return signals()[signalKey{e, Version}]
}

// SignalOf returns what a server of kind e usually sends when it refuses for cause id; the zero Signal means
// that it is not known. Where one cause shows in several ways, Reason.Signal of an Outcome has the right one.
func SignalOf(e policy.Engine, id cause.ID) Signal {
	for _, s := range Situations {
		if s.Cause() == id {
			if signal := SignalIn(e, s); signal != (Signal{}) {
				return signal
			}
		}
	}
	return Signal{}
}
