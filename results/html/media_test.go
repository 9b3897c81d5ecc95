package html

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// contrast is the least contrast (WCAG 2.2, section 1.4.3) of several colours on the page's.
const contrast = `(() => {
	const style = getComputedStyle(document.documentElement);
	const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
	const luminance = (name) => {
		const hex = style.getPropertyValue(name).trim();
		const [r, g, b] = [1, 3, 5].map((i) => linear(parseInt(hex.slice(i, i + 2), 16) / 255));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
	const colours = ["--ink", "--soft", "--published", "--ours", "--good", "--bad"];
	return Math.min(...colours.map((name) => ratio(luminance(name), luminance("--paper"))));
})()`

func testColours(t *testing.T, browser context.Context, address string) {
	for scheme, dark := range map[string]bool{"light": false, "dark": true} {
		tab := open(t, browser, address, 1280, 900, scheme)
		tab.keepShot(scheme + ".png")
		background := eval[[]int](tab,
			`getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g).map(Number)`)
		if (background[0] < 64) != dark {
			t.Errorf("%s: the background is %v", scheme, background)
		}
		if got := eval[float64](tab, contrast); got < 4.5 { // what WCAG asks of text
			t.Errorf("%s: a contrast of %.2f", scheme, got)
		}
	}
}

func testPhone(t *testing.T, browser context.Context, address string) {
	for _, width := range []int64{390, 320} {
		tab := open(t, browser, address, width, 844, "light")
		tab.keepShot(fmt.Sprintf("phone%d.png", width))
		if got := eval[int64](tab, `document.scrollingElement.scrollWidth`); got > width {
			wide := eval[[]string](tab, fmt.Sprintf(`[...document.querySelectorAll("body *")]
				.filter((e) => e.getBoundingClientRect().right > %d && !e.closest(".scroll, .list, .hidden"))
				.map((e) => e.tagName + "." + e.className.toString()).slice(0, 9)`, width))
			t.Errorf("the page is %d pixels wide on a screen of %d: %v", got, width, wide)
		}
	}
}

func testPrint(t *testing.T, browser context.Context, address string) {
	tab := open(t, browser, address, 1280, 900, "light")
	document, err := chromedp.Run(tab.ctx,
		chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(document, []byte("%PDF-")) || len(document) < 50_000 {
		t.Errorf("a document of %d bytes", len(document))
	}
	if *keep != "" {
		if err := os.WriteFile(filepath.Join(*keep, "print.pdf"), document, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	tab.resize(1030, 728) // A4 across, less its margins
	if eval[bool](tab, `[...document.querySelectorAll("nav, #filter, .axes")].some((e) => e.offsetParent !== null)`) {
		t.Error("controls are printed")
	}
	wide := eval[[]string](tab, `[...document.querySelectorAll("table, svg, ol")]
		.filter((e) => e.getBoundingClientRect().right > innerWidth)
		.map((e) => e.tagName + " in " + e.closest("section")?.id)`)
	if len(wide) > 0 {
		t.Errorf("cut off in print: %v", wide)
	}
}
