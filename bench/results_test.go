package bench

import "testing"

// TestReplace puts a table into a text that has its section, first, in the midst and last, and into one that has not.
func TestReplace(t *testing.T) {
	table := Table{Title: "B", Intro: "new", Head: []string{"x"}, Rows: [][]string{{"1"}}}
	const section = "\n## B\n\nnew\n\n| x |\n| --- |\n| 1 |\n"
	for _, c := range []struct{ text, want string }{
		{"# R\n\n## A\n\na\n\n## B\n\nold\n\n## C\n\nc\n", "# R\n\n## A\n\na\n" + section + "\n## C\n\nc\n"},
		{"# R\n\n## B\n\nold\n\n## Ba\n\nc\n", "# R\n" + section + "\n## Ba\n\nc\n"},
		{"# R\n\n## A\n\na\n\n## B\n\nold\n", "# R\n\n## A\n\na\n" + section},
		{"# R\n\n## Ba\n\nother\n", "# R\n\n## Ba\n\nother\n" + section},
	} {
		if got := table.Replace(c.text); got != c.want {
			t.Errorf("%q in place of B gives %q, want %q", c.text, got, c.want)
		}
	}
}
