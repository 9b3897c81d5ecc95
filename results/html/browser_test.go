package html

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browserVariable demands a browser: without it, tests that lack one are skipped.
const browserVariable = "REIDBENCH_TEST_BROWSER"

// chromium starts a browser that talks to nobody by itself.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" && os.Getenv(browserVariable) != "" {
		t.Fatalf("%s is set, but there is no Chromium", browserVariable)
	}
	if path == "" {
		t.Skip("no Chromium is installed; on Debian: apt-get install chromium")
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute),
	)
	t.Cleanup(stop)
	browser, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	return browser
}

// tab is a page in the browser. Whatever it complains of fails the test.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	requests   []string // but for the page's own
	complaints []string
}

// open loads an address in a window of that size, and in a colour scheme: "light" or "dark".
func open(t *testing.T, browser context.Context, address string, width, height int64, scheme string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	ctx, stop := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stop)
	tab := &tab{t: t, ctx: ctx}
	err := chromedp.Listen(ctx, func(event any) {
		tab.mu.Lock()
		defer tab.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if url := e.Request.URL; url != address && !strings.HasPrefix(url, "data:") {
				tab.requests = append(tab.requests, url)
			}
		case *runtime.EventExceptionThrown:
			tab.complaints = append(tab.complaints, fmt.Sprintf("%+v", e.ExceptionDetails))
		case *log.EventEntryAdded:
			tab.complaints = append(tab.complaints, e.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tab.mu.Lock()
		defer tab.mu.Unlock()
		for _, complaint := range tab.complaints {
			t.Errorf("the browser complains: %s", complaint)
		}
	})
	call(tab, network.Enable, network.EnableParams{})
	call(tab, log.Enable, cdp.Empty{})
	tab.resize(width, height)
	call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	tab.do(chromedp.Navigate(address))
	return tab
}

// call runs a command of the browser's protocol.
func call[P, R any](tab *tab, command cdp.Command[P, R], params P) {
	tab.t.Helper()
	if _, err := chromedp.Call(tab.ctx, command, params); err != nil {
		tab.t.Fatal(err)
	}
}

func (tab *tab) resize(width, height int64) {
	tab.t.Helper()
	call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600,
	})
}

func (tab *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	if err := chromedp.Do(tab.ctx, actions...); err != nil {
		tab.t.Fatal(err)
	}
}

// eval is the value of a JavaScript expression.
func eval[T any](tab *tab, expression string) T {
	tab.t.Helper()
	value, err := chromedp.Run(tab.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		tab.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// press presses a key.
func (tab *tab) press(key string) {
	tab.t.Helper()
	tab.do(chromedp.KeyEvent(key))
}

// focus moves the focus to the element that an expression finds.
func (tab *tab) focus(element string) {
	tab.t.Helper()
	eval[bool](tab, "("+element+".focus(), true)")
}

// click clicks the element that an expression finds.
func (tab *tab) click(element string) {
	tab.t.Helper()
	eval[bool](tab, "("+element+".click(), true)")
}

// wait returns once a JavaScript condition holds.
func (tab *tab) wait(condition string) {
	tab.t.Helper()
	if _, err := chromedp.Run(tab.ctx, chromedp.Poll[bool](condition)); err != nil {
		tab.t.Fatalf("waiting for %s: %v", condition, err)
	}
}

// choose sets a control of a form as a reader does.
func (tab *tab) choose(selector, value string) {
	tab.t.Helper()
	eval[bool](tab, fmt.Sprintf(`(() => {
		const control = document.querySelector(%q);
		control.type === "checkbox" ? control.checked = %q === "on" : control.value = %q;
		return control.dispatchEvent(new Event("input", { bubbles: true }));
	})()`, selector, value, value))
}

// keepShot keeps a picture of the whole page to be looked at, if that was asked for.
func (tab *tab) keepShot(name string) {
	tab.t.Helper()
	if *keep == "" {
		return
	}
	shot, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*keep, name), shot, 0o666); err != nil {
		tab.t.Fatal(err)
	}
}
