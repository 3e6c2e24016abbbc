package render

import (
	"io"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// Pages are made of plain functions and not by html/template: a program that reaches its Execute calls methods by names that
// the linker does not know, so that the linker keeps every exported method of every type, AWS's whole SDK among them.
//
// Text and attributes are escaped by gomponents. g.Raw is for what is constant here: the frame of a page and its style.

const pageStart = "<!DOCTYPE html>\n<html lang=\"en\">\n"

const pageEnd = "</body>\n</html>\n"

// pageHead is all that comes before the content. Style is one of the embedded files: a page needs nothing else, no script, no
// font, no image from anywhere.
func pageHead(title, style string) g.Node {
	return g.Group{
		g.Raw(pageStart),
		h.Head(lineEnd, h.Meta(h.Charset("utf-8")), lineEnd,
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")), lineEnd,
			h.TitleEl(g.Text(title)), lineEnd,
			h.StyleEl(lineEnd, g.Raw(style)), lineEnd), lineEnd,
		g.Raw("<body>\n"),
	}
}

// writeHTML writes a page or a part of one. Control characters of a peer are shown as escapes, as in the text for people.
func writeHTML(w io.Writer, n g.Node) error {
	var b strings.Builder
	if err := n.Render(&b); err != nil {
		return err
	}
	return writeLegible(w, b.String(), Style{})
}

// lineEnd parts the rows and paragraphs of the source, for those who search or compare it.
var lineEnd = g.Text("\n")

// span is text in a class.
func span(class, text string) g.Node { return h.Span(h.Class(class), g.Text(text)) }

func dim(text string) g.Node { return span("dim", text) }

// classIf marks an element where a condition holds.
func classIf(holds bool, class string) g.Node { return g.If(holds, h.Class(class)) }

// texts are items of a list, one element each.
func texts(element func(...g.Node) g.Node, l []string) g.Node {
	return g.Map(l, func(text string) g.Node { return element(g.Text(text)) })
}
