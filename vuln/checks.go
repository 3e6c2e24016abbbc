package vuln

import "context"

// check is one row of the table.
type check struct {
	id, name, cve string
	severity      Severity
	source        string
	test          func(context.Context, *subject) answer
	// alone is true for a check that makes sense of an endpoint that speaks no TLS.
	alone bool
}

// answer is what a check has found out.
type answer struct {
	verdict  Verdict
	severity Severity // "": that of the check
	summary  string
	evidence []string
}

func (c *check) finding(ctx context.Context, s *subject) Finding {
	a := answer{verdict: NotTested, summary: "The endpoint completed no part of a TLS handshake."}
	if c.alone || len(s.versions()) > 0 {
		a = c.test(ctx, s)
	}
	f := Finding{ID: c.id, Name: c.name, CVE: c.cve, Severity: c.severity, Source: c.source, Verdict: a.verdict, Summary: a.summary, Evidence: a.evidence}
	if a.severity != "" {
		f.Severity = a.severity
	}
	return f
}

// checks are all there are, in the order in which they are reported: what gives away memory and keys first, then
// what decrypts or changes traffic, then conditions, then what some clients fail on.
var checks = []check{
	{id: "heartbleed", name: "Heartbleed", cve: "CVE-2014-0160", severity: Critical, source: "OpenSSL security advisory of 7 April 2014; RFC 6520 section 4", test: heartbleed},
	{id: "ccs-injection", name: "CCS injection", cve: "CVE-2014-0224", severity: High, source: "OpenSSL security advisory of 5 June 2014", test: earlyChangeCipherSpec},
	{id: "ticketbleed", name: "Ticketbleed", cve: "CVE-2016-9244", severity: High, source: "F5 K05121675; Valsorda: Ticketbleed (2017)", test: ticketbleed},
	{id: "robot", name: "ROBOT", cve: "CVE-2017-13099", severity: High, source: "Böck, Somorovsky, Young: Return Of Bleichenbacher's Oracle Threat (2018); RFC 5246 section 7.4.7.1", test: robot},
	{id: "drown", name: "DROWN", cve: "CVE-2016-0800", severity: High, source: "Aviram and others: DROWN (2016); RFC 6176", test: drown, alone: true},
	{id: "poodle-ssl3", name: "POODLE", cve: "CVE-2014-3566", severity: High, source: "Möller, Duong, Kotowicz: This POODLE Bites (2014); RFC 7568", test: poodleSSL3},
	{id: "poodle-tls", name: "POODLE on TLS", cve: "CVE-2014-8730", severity: High, source: "F5 K15882; RFC 5246 section 6.2.3.2", test: poodleTLS},
	{id: "freak", name: "FREAK", cve: "CVE-2015-0204", severity: High, source: "Beurdouche and others: A Messy State of the Union (2015)", test: freak},
	{id: "logjam", name: "Logjam", cve: "CVE-2015-4000", severity: High, source: "Adrian and others: Imperfect Forward Secrecy (2015); RFC 9325 section 4.5", test: logjam},
	{id: "sweet32", name: "Sweet32", cve: "CVE-2016-2183", severity: Medium, source: "Bhargavan, Leurent: On the Practical (In-)Security of 64-bit Block Ciphers (2016)", test: sweet32},
	{id: "rc4", name: "RC4", cve: "CVE-2013-2566, CVE-2015-2808", severity: Medium, source: "RFC 7465", test: rc4},
	{id: "beast", name: "BEAST", cve: "CVE-2011-3389", severity: Low, source: "Duong, Rizzo: Here Come The ⊕ Ninjas (2011); RFC 8996", test: beast},
	{id: "crime", name: "CRIME", cve: "CVE-2012-4929", severity: High, source: "Rizzo, Duong: The CRIME attack (2012); RFC 9325 section 3.3", test: crime},
	{id: "lucky13", name: "Lucky Thirteen", cve: "CVE-2013-0169", severity: Low, source: "AlFardan, Paterson: Lucky Thirteen (2013); RFC 7366", test: lucky13},
	{id: "raccoon", name: "Raccoon", cve: "CVE-2020-1968", severity: Low, source: "Merget and others: Raccoon Attack (2020); RFC 9325 section 7.4", test: raccoon},
	{id: "insecure-renegotiation", name: "Insecure renegotiation", cve: "CVE-2009-3555", severity: High, source: "RFC 5746", test: insecureRenegotiation},
	{id: "client-renegotiation", name: "Client-initiated renegotiation", cve: "CVE-2011-1473", severity: Low, source: "RFC 9325 section 3.5; CVE-2011-1473", test: clientRenegotiation},
	{id: "null-suites", name: "Suites without encryption", severity: Critical, source: "RFC 9325 section 4.1", test: nullSuites},
	{id: "anonymous-suites", name: "Suites without authentication", severity: Critical, source: "RFC 9325 section 4.1", test: anonymousSuites},
	{id: "export-suites", name: "Export suites", severity: High, source: "RFC 4346 appendix A.5; RFC 9325 section 4.1", test: exportSuites},
	{id: "fallback-scsv", name: "Version downgrade", severity: Low, source: "RFC 7507; RFC 8446 section 4.1.3", test: fallbackSCSV},
	{id: "version-intolerance", name: "Version intolerance", severity: Info, source: "RFC 5246 appendix E.1; RFC 8446 section 4.2.1", test: versionIntolerance},
	{id: "grease-intolerance", name: "GREASE intolerance", severity: Info, source: "RFC 8701 section 3", test: greaseIntolerance},
	{id: "extension-intolerance", name: "Intolerance of unknown extensions", severity: Info, source: "RFC 5246 section 7.4.1.4; RFC 8446 section 4.1.2", test: extensionIntolerance},
	{id: "size-intolerance", name: "Intolerance of large hellos", severity: Info, source: "RFC 7685 section 1; RFC 8446 section 9.3", test: sizeIntolerance},
	{id: "split-hello-intolerance", name: "Intolerance of split hellos", severity: Info, source: "RFC 8446 section 5.1; tldr.fail (2024)", test: splitIntolerance},
}
