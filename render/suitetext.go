package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Text writes a page for one entry, and a table for each kind where there are more.
func (l *Suites) Text(w io.Writer, st Style) error {
	if len(l.Entries) == 1 {
		return l.Entries[0].page(w, st)
	}
	tables := map[suite.Kind][][]string{}
	for i := range l.Entries {
		e := &l.Entries[i]
		tables[e.Kind] = append(tables[e.Kind], e.row(st))
	}
	first := true
	for _, k := range suiteTables {
		rows := tables[k.kind]
		if len(rows) == 0 {
			continue
		}
		if len(tables) > 1 {
			if !first {
				fmt.Fprintln(w)
			}
			fmt.Fprintln(w, st.Bold(k.title))
		}
		first = false
		if err := Table(w, k.columns, rows); err != nil {
			return err
		}
	}
	return nil
}

// suiteTables are the kinds in the order of their tables.
var suiteTables = []struct {
	kind    suite.Kind
	title   string
	columns []string
}{
	{suite.KindSuite, "Cipher suites", []string{"code", "suite", "OpenSSL", "protocols", "strength"}},
	{suite.KindGroup, "Groups", []string{"code", "group", "OpenSSL", "GnuTLS", "kind", "bits", "protocols", "strength"}},
	{suite.KindScheme, "Signature schemes", []string{"code", "scheme", "OpenSSL", "GnuTLS", "key", "digest", "protocols", "strength"}},
	{suite.KindGREASE, "GREASE values", []string{"code", "value", "IANA"}},
}

func (e *SuiteEntry) row(st Style) []string {
	row := []string{e.Code, e.Name}
	switch e.Kind {
	case suite.KindSuite:
		row = append(row, dash(e.OpenSSL))
	case suite.KindGroup:
		row = append(row, dash(e.OpenSSL), dash(e.GnuTLS), e.Group.Kind, fmt.Sprint(e.Group.Bits))
	case suite.KindScheme:
		row = append(row, dash(e.OpenSSL), dash(e.GnuTLS), e.Scheme.Key, e.Scheme.Digest)
	case suite.KindGREASE:
		return append(row, "reserved")
	}
	return append(row, versionRange(e.Versions), mark(st, *e.Strength))
}

// dash stands for a name that does not exist.
func dash(name string) string {
	if name == "" {
		return "-"
	}
	return name
}

func (e *SuiteEntry) page(w io.Writer, st Style) error {
	fmt.Fprintln(w, st.Bold(e.Name))
	fmt.Fprintln(w, st.Dim(e.kindWords()))
	fmt.Fprintln(w)
	facts := [][]string{}
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, []string{name, value})
		}
	}
	if e.Strength != nil {
		add("Strength", mark(st, *e.Strength))
	}
	add("Code", e.Code+"  "+e.codeWords())
	add("OpenSSL", e.OpenSSL)
	add("GnuTLS", e.GnuTLS)
	add("Also called", strings.Join(e.OtherNames, " "))
	for _, c := range e.SharesName {
		add("Same name", "OpenSSL gave it to "+c.String()+" "+c.Name()+" too")
	}
	add("Protocols", join(e.Versions, " "))
	facts = append(facts, e.parts()...)
	add("IANA", recommendedWords(e.Recommended))
	add("References", strings.Join(e.References, ", "))
	wrapFacts(facts)
	if err := Table(w, nil, facts); err != nil {
		return err
	}
	if e.Strength != nil {
		var why []string
		for _, r := range e.Reasons {
			why = append(why, r.Text+" ("+r.Source+")")
		}
		section(w, st, "Why "+e.Strength.String(), why)
	}
	if err := e.writePolicies(w, st); err != nil {
		return err
	}
	return e.writeClients(w, st)
}

func (e *SuiteEntry) kindWords() string {
	switch {
	case e.Kind == suite.KindGroup:
		return "group"
	case e.Kind == suite.KindScheme:
		return "signature scheme"
	case e.Kind == suite.KindGREASE:
		return "meaningless value of suites, groups, schemes and extensions; servers must ignore it and never choose it"
	case e.Suite.Signalling:
		return "signalling value in the list of suites"
	}
	return "cipher suite"
}

// codeWords writes the code by bytes and in decimal, as other tables have it.
func (e *SuiteEntry) codeWords() string {
	n := uint32(e.code)
	if n > 0xFFFF {
		return fmt.Sprintf("0x%02X,0x%02X,0x%02X", n>>16, n>>8&0xFF, n&0xFF)
	}
	return fmt.Sprintf("0x%02X,0x%02X  %d", n>>8, n&0xFF, n)
}

func recommendedWords(column string) string {
	switch column {
	case "Y":
		return "Recommended: Y"
	case "N":
		return "Recommended: N (the IETF says nothing for or against it)"
	case "D":
		return "Recommended: D (discouraged)"
	}
	return "never registered"
}

// parts are the lines that only one kind has.
func (e *SuiteEntry) parts() [][]string {
	switch {
	case e.Suite != nil && !e.Suite.Signalling:
		return e.Suite.facts(slices.Contains(e.Versions, suite.TLS11) && slices.Contains(e.Versions, suite.TLS12))
	case e.Group != nil:
		return [][]string{{"Kind", groupWords(e.Group)}}
	case e.Scheme != nil:
		facts := [][]string{{"Key", e.Scheme.Key}, {"Digest", e.Scheme.Digest}}
		if e.Scheme.Curve != "" {
			facts = append(facts, []string{"Curve", e.Scheme.Curve + " in TLS 1.3, any before"})
		}
		if e.Scheme.ClientOnly {
			facts = append(facts, []string{"Signer", "the client alone"})
		}
		return facts
	}
	return nil
}

// facts writes the parts; old says that the suite may be used both in TLS 1.2 and before, where the PRF differs.
func (s *SuiteParts) facts(old bool) [][]string {
	exchange, auth := s.KeyExchange.String(), s.Authentication.String()
	switch {
	case s.KeyExchange == suite.KXAny:
		exchange, auth = "as the group says, with forward secrecy", "as the signature scheme says"
	case s.ForwardSecret:
		exchange += ", with forward secrecy"
	default:
		exchange += ", without forward secrecy"
	}
	prf := s.PRF
	if old && strings.HasPrefix(prf, "SHA") { // GOST and SM suites have one of their own
		prf += ", MD5 with SHA-1 before TLS 1.2"
	}
	encryption := "none: plaintext"
	if s.Encryption != "NULL" {
		encryption = fmt.Sprintf("%s, %s, %d bits", s.Encryption, s.Mode, s.Bits)
	}
	if s.Export {
		encryption += ", export grade"
	}
	return [][]string{{"Key exchange", exchange}, {"Authentication", auth}, {"Encryption", encryption}, {"MAC", s.MAC}, {"PRF", prf}}
}

func groupWords(g *GroupParts) string {
	switch g.Kind {
	case "ff":
		return fmt.Sprintf("finite field, %d bits", g.Bits)
	case "pq":
		return fmt.Sprintf("post-quantum, %d bits of strength", g.Bits)
	case "hybrid":
		return fmt.Sprintf("hybrid of a curve of %d bits and a post-quantum half", g.Bits)
	}
	if g.Bits == 0 {
		return "any elliptic curve that the other side describes"
	}
	return fmt.Sprintf("elliptic curve, %d bits", g.Bits)
}

// writePolicies writes which predefined policies accept the entry, by family, with the names that AWS's tables use.
func (e *SuiteEntry) writePolicies(w io.Writer, st Style) error {
	if e.Policies == nil {
		return nil
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, st.Bold(e.policyWords()))
	families := map[policy.Family][]string{}
	for _, full := range e.Policies.Names {
		family, name, _ := strings.Cut(full, "/")
		f := policy.Family(family)
		families[f] = append(families[f], strings.TrimPrefix(name, "ELBSecurityPolicy-"))
	}
	var rows [][]string
	for _, f := range policy.Families() {
		if len(families[f]) > 0 {
			rows = append(rows, []string{string(f), strings.Join(families[f], " ")})
		}
	}
	wrapFacts(rows)
	return Table(w, nil, rows)
}

func (e *SuiteEntry) policyWords() string {
	known := map[suite.Kind]string{suite.KindGroup: " whose groups are known", suite.KindScheme: " whose schemes are known"}[e.Kind]
	return fmt.Sprintf("%d of %d predefined policies%s accept it", len(e.Policies.Names), e.Policies.Of, known)
}

// writeClients writes which known clients offer the entry.
func (e *SuiteEntry) writeClients(w io.Writer, st Style) error {
	if e.Clients == nil {
		return nil
	}
	what := "it"
	if e.Kind == suite.KindGREASE {
		what = "GREASE values"
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, st.Bold(fmt.Sprintf("%d of %d known clients offer %s", len(e.Clients.Names), e.Clients.Of, what)))
	if len(e.Clients.Names) == 0 {
		return nil
	}
	_, err := fmt.Fprintln(w, strings.Join(wrap(strings.Join(e.Clients.Names, " "), 100), "\n"))
	return err
}
