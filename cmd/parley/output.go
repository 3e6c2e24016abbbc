package main

import (
	"io"
	"os"

	"github.com/parley-tls/parley/render"
)

// styleFor colours only what goes to a terminal, and nothing where NO_COLOR is set (no-color.org).
func styleFor(w io.Writer) render.Style {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return render.Style{}
	}
	st, err := f.Stat()
	return render.Style{Colour: err == nil && st.Mode()&os.ModeCharDevice != 0}
}
