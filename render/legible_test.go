package render

import (
	"strings"
	"testing"
)

// TestLegible: escape sequences, controls and marks that turn text around are shown, not obeyed.
func TestLegible(t *testing.T) {
	const hostile = "a\x1b[2Jb\x1b]0;t\x07c\rd\x00e\x7f\xfff\u202eg\u0085 … é\n"
	const shown = `a\x1b[2Jb\x1b]0;t\x07c\x0dd\x00e\x7f\xfff\u202eg\u0085 … é` + "\n"
	for _, st := range []Style{{}, {Colour: true}} {
		var b strings.Builder
		if err := writeLegible(&b, st.Bad("FAILS")+hostile, st); err != nil || b.String() != st.Bad("FAILS")+shown {
			t.Errorf("%q, %v", b.String(), err)
		}
	}
	var b strings.Builder
	if writeLegible(&b, "\x1b[31mred", Style{}); b.String() != `\x1b[31mred` {
		t.Errorf("a colour of a peer's: %q", b.String())
	}
}
