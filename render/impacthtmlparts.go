package render

import (
	"fmt"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// document is the whole page.
func (page *matrix) document() g.Node {
	return g.Group{
		pageHead(page.Title, impactStyle),
		h.Article(lineEnd,
			h.H1(g.Text(page.Title)), lineEnd,
			page.paragraphs("", page.Lead),
			page.key(), lineEnd,
			page.table(), lineEnd,
			page.leftOut(),
			g.Map(page.Details, matrixDetails.section),
			page.paragraphs("dim", page.Warnings),
		), lineEnd,
		g.Raw(pageEnd),
	}
}

// paragraphs are lines of text one by one, in a class where one is given.
func (page *matrix) paragraphs(class string, l []string) g.Node {
	return g.Map(l, func(text string) g.Node { return g.Group{h.P(classIf(class != "", class), g.Text(text)), lineEnd} })
}

// key explains the signs in the cells.
func (page *matrix) key() g.Node {
	return h.Ul(h.Class("key"), g.Map(page.Key, func(c matrixCell) g.Node {
		return h.Li(h.B(h.Class(string(c.Verdict)), g.Text(c.Sign)), g.Text(" "+c.Words))
	}))
}

func (page *matrix) table() g.Node {
	return scrolled(h.Table(lineEnd,
		page.tableHead(), lineEnd,
		h.TBody(lineEnd, g.Map(page.Rows, func(row matrixRow) g.Node { return g.Group{row.line(page.One), lineEnd} })), lineEnd,
		page.tableFoot(), lineEnd,
	))
}

func (page *matrix) tableHead() g.Node {
	return h.THead(h.Tr(
		texts(h.Th, []string{"client", "seen", "share", "sources"}),
		g.Map(page.Columns, func(c matrixColumn) g.Node {
			class := "policy"
			if c.Best {
				class = "policy best"
			}
			return h.Th(h.Class(class), h.Title(c.Full), g.Text(c.Name))
		}),
		g.If(page.One, h.Th(g.Text("what becomes of it"))),
	))
}

// line is what becomes of one client; where the page is about one policy, in words too.
func (row matrixRow) line(one bool) g.Node {
	number := func(text string) g.Node { return h.Td(h.Class("number"), g.Text(text)) }
	return h.Tr(
		h.Td(h.Class("name"), g.Text(row.Name), g.If(row.Note != "", g.Group{h.Br(), dim(row.Note)})),
		number(fmt.Sprint(row.Seen)), number(row.Share), number(fmt.Sprint(row.Sources)),
		g.Map(row.Cells, func(c matrixCell) g.Node {
			return h.Td(h.Class("cell "+string(c.Verdict)), h.Title(c.Why), g.Text(c.Sign))
		}),
		g.If(one, h.Td(h.Class("what"), texts(h.Div, row.Lines))),
	)
}

// tableFoot is the shares that each policy breaks, and may break.
func (page *matrix) tableFoot() g.Node {
	sums := func(title string, share func(matrixColumn) string) g.Node {
		return h.Tr(texts(h.Td, []string{title, "", "", ""}), g.Map(page.Columns, func(c matrixColumn) g.Node {
			return h.Td(h.Class("cell"), g.Text(share(c)))
		}))
	}
	return h.TFoot(lineEnd,
		sums("breaks", func(c matrixColumn) string { return c.Breaks }), lineEnd,
		sums("may break", func(c matrixColumn) string { return c.AtRisk }), lineEnd,
	)
}

// leftOut says how many clients there was no room for.
func (page *matrix) leftOut() g.Node {
	if page.Left == 0 {
		return nil
	}
	which := "those that were seen less often"
	if page.One {
		which = "the last of these"
	}
	return g.Group{h.P(h.Class("dim"), g.Textf("%d clients are left out: %s.", page.Left, which)), lineEnd}
}

// section is whom a policy costs something, folded one by one.
func (d matrixDetails) section() g.Node {
	return g.Group{h.H2(g.Text(d.Policy)), lineEnd, g.Map(d.Clients, func(c matrixClient) g.Node {
		return g.Group{h.Details(
			h.Summary(span(string(c.Verdict), c.Words), g.Text(": "+c.Name+" "), dim(c.Weight)),
			texts(h.P, c.Lines),
		), lineEnd}
	})}
}
