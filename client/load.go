package client

import (
	"embed"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

//go:embed data
var dataFiles embed.FS

type registry struct {
	all    []*Profile
	byName map[string]*Profile
}

var profiles = sync.OnceValue(load)

// load reads the data files; a mistake in them is a bug that the tests find.
func load() *registry {
	r := &registry{byName: make(map[string]*Profile)}
	files, err := dataFiles.ReadDir("data")
	if err != nil {
		panic(err)
	}
	var blocks []block
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		text, err := dataFiles.ReadFile("data/" + f.Name())
		if err != nil {
			panic(err)
		}
		l, err := parse(string(text))
		if err != nil {
			panic("client data: " + f.Name() + ": " + err.Error())
		}
		blocks = append(blocks, l...)
	}
	if r.all, err = build(blocks); err != nil {
		panic("client data: " + err.Error())
	}
	for _, p := range r.all {
		if r.byName[p.Name] != nil {
			panic("client data: " + p.Name + " twice")
		}
		if err := p.check(); err != nil {
			panic("client data: " + p.Name + ": " + err.Error())
		}
		r.byName[p.Name] = p
	}
	slices.SortStableFunc(r.all, func(a, b *Profile) int {
		if a.Family != b.Family {
			return strings.Compare(a.Family, b.Family)
		}
		return strings.Compare(a.Released, b.Released)
	})
	return r
}

// All returns every profile, by family and date. The result is shared and must not be changed.
func All() []*Profile { return profiles().all }

// Names returns the names of all profiles.
func Names() []string {
	var l []string
	for _, p := range All() {
		l = append(l, p.Name)
	}
	return l
}

// Families returns the names of the families, in order.
func Families() []string {
	var l []string
	for _, p := range All() {
		if len(l) == 0 || l[len(l)-1] != p.Family {
			l = append(l, p.Family)
		}
	}
	return l
}

// Hello returns the bytes of a real hello of this client as they stood on the wire, or nil.
func (p *Profile) Hello() []byte {
	if !p.Captured {
		return nil
	}
	text, err := dataFiles.ReadFile("data/hello/" + p.Name + ".hex")
	if err != nil {
		return nil // TestProfiles demands the file
	}
	raw, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		return nil
	}
	return raw
}
