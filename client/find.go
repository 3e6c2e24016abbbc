package client

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/suite"
)

// ByName returns the profile of that name, in any case, or nil. A release line without its patch level, as
// in openssl-1.0.1, means the last profile of that line.
func ByName(name string) *Profile {
	name = strings.ToLower(strings.TrimSpace(name))
	if p := profiles().byName[name]; p != nil {
		return p
	}
	var last *Profile
	for _, p := range All() {
		rest, ok := strings.CutPrefix(p.Name, name)
		if ok && strings.Contains(name, "-") && isDigit(name[len(name)-1]) && !isDigit(rest[0]) {
			last = p // All is in the order of release
		}
	}
	return last
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// Find returns the profile that a person means by name. The error names the nearest ones.
func Find(name string) (*Profile, error) {
	p, _, err := Resolve(name)
	return p, err
}

// Resolve is Find, and says why this profile where it has another name: a release line, a common name of
// the client (node-18, jdk-17, curl), or a release between two that are known.
func Resolve(name string) (p *Profile, why string, err error) {
	asked := strings.ToLower(strings.TrimSpace(name))
	if p := profiles().byName[asked]; p != nil {
		return p, "", nil
	}
	full := spellOut(asked)
	switch {
	case profiles().byName[full] != nil:
		return profiles().byName[full], "the same client by another name", nil
	case ByName(full) != nil:
		return ByName(full), "the newest profile of that line", nil
	case slices.Contains(Families(), full):
		return newest(full), "the newest profile of that client", nil
	}
	if p := before(full); p != nil {
		return p, "the nearest release before it that is known", nil
	}
	if near := suite.Nearest(full, Names(), 3); len(near) > 0 {
		return nil, "", fmt.Errorf("unknown client %q: did you mean %s?", name, strings.Join(near, ", "))
	}
	return nil, "", fmt.Errorf("unknown client %q: see parley client list, or use ciphers:STRING or a file with a ClientHello", name)
}

// synonyms are names of clients that people type, and those of the profiles.
var synonyms = map[string]string{
	"node": "nodejs", "node.js": "nodejs", "jdk": "java", "jre": "java", "openjdk": "java", "golang": "go",
	"internet-explorer": "ie", "msie": "ie", "awscli": "aws-cli", "requests": "python-requests", "ios": "safari-ios",
	"windows-xp": "ie8-winxp", "windows-vista": "ie7-vista", "windows-7": "ie11-win7", "windows-8.1": "ie11-win8.1", "windows-10": "ie11-win10",
}

// versioned takes a name apart: letters, perhaps a hyphen or space, and a version.
var versioned = regexp.MustCompile(`^([a-z][a-z.-]*?)[- ]?([0-9].*)$`)

// spellOut writes a name as the profiles do: java8 is java-8, node-18 is nodejs-18.
func spellOut(name string) string {
	if s, ok := synonyms[name]; ok {
		return s
	}
	m := versioned.FindStringSubmatch(name)
	if m == nil {
		return name
	}
	client := m[1]
	if s, ok := synonyms[client]; ok {
		client = s
	}
	if client == "ie" {
		return client + m[2] // ie11-win7
	}
	return client + "-" + m[2]
}

// newest is the last profile of a family.
func newest(family string) *Profile {
	var last *Profile
	for _, p := range All() {
		if p.Family == family {
			last = p
		}
	}
	return last
}

// before is the last release of the same client below the one named, if there is also one above: beyond the
// newest nothing is known.
func before(name string) *Profile {
	m := versioned.FindStringSubmatch(name)
	if m == nil {
		return nil
	}
	want, ok := numbersOf(m[2])
	if !ok {
		return nil
	}
	var below *Profile
	var belowAt []int
	above := false
	for _, p := range All() {
		rest, isOf := strings.CutPrefix(p.Name, m[1]+"-")
		at, numeric := numbersOf(rest)
		if !isOf || !numeric {
			continue
		}
		switch c := slices.Compare(at, want); {
		case c > 0:
			above = true
		case below == nil || slices.Compare(at, belowAt) >= 0:
			below, belowAt = p, at
		}
	}
	if !above {
		return nil
	}
	return below
}

// numbersOf reads a version that is made of numbers alone, as in 3.12.
func numbersOf(version string) ([]int, bool) {
	var l []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, false
		}
		l = append(l, n)
	}
	return l, true
}
