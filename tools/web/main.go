// Command web bundles the pages and the browser SDK into the folder that
// internal/web embeds:
//
//	index.html, demo.html    the pages; they name their scripts and styles by hash
//	assets/NAME-HASH.*       scripts and styles of the pages, immutable
//	sdk/offhook.js           the SDK as an ES module
//	sdk/offhook.iife.js      the SDK for a plain script tag, as global "offhook"
//	docs.html, docs/*.html   the manual, of the Markdown files that docs/site lists
//	icon.svg                 the page icon
//
// Run it from the root of the repository, after "npm ci" in web/:
//
//	go run ./tools/web
//	go run ./tools/web -tests DIR   bundles web/**/*.test.ts into DIR for "node --test"
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	src := flag.String("src", "web", "folder with the sources")
	docs := flag.String("docs", "docs", "folder with the manual")
	out := flag.String("out", "internal/web/dist", "folder to fill; what an earlier run left there is removed")
	tests := flag.String("tests", "", "bundle the tests into this folder instead of the pages")
	flag.Parse()

	var err error
	if *tests != "" {
		err = bundleTests(*src, *tests)
	} else {
		err = bundlePages(*src, *docs, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}
