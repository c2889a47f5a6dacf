package config

import (
	"fmt"
	"strings"
	"testing"
)

// A password in a URL is never in an error, wherever the URL stands.
func TestPasswordsAreNotShown(t *testing.T) {
	const url = "ws://user:HUSH@host/x"
	for name, yaml := range map[string]string{
		"flat":             "plans: {default: {agent: {url: \"%s\"}}}",
		"a step":           "plans: {default: {steps: [answer, stream, {agent: \"%s\"}]}}",
		"a step's key":     "plans: {default: {steps: [answer, stream, {agent: {url: \"%s\"}}]}}",
		"no colon":         "plans: {default: {steps: [answer, stream, \"agent %s\"]}}",
		"another key":      "sink: {advertise: \"%s\"}",
		"a level too high": "plans: {default: {agent: \"%s\"}}",
		"as a key":         "plans: {default: {agent: {\"%s\": 1}}}",
	} {
		for _, value := range []string{url, "wss://u:a/HUSH@host", "wss://u:a HUSH@host", "WSS://u:a@HUSH@host", "wss://u:HUSH@", "ws:u:HUSH@host", "wss:/u:HUSH@host", "wss://" + strings.Repeat("HUSH", 100) + "@host"} {
			_, err := Parse("tapdeck.yaml", fmt.Appendf(nil, yaml, value), Options{})
			if err == nil || strings.Contains(err.Error(), "HUSH") {
				t.Errorf("%s, %s: %v", name, value, err)
			}
			if value == url && (err == nil || !strings.Contains(err.Error(), "ws://***@host/x") && name != "as a key") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Nor is it in what a call's variables are refused for.
func TestPasswordsOfCallsAreNotShown(t *testing.T) {
	l, err := Parse("tapdeck.yaml", []byte("plans: {default: {agent: {url: \"wss://bot\", url_from_call: true, permitted_hosts: [bot]}}}"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, ignored := l.ForCall(variables{agentURLVariable: "wss://user:HUSH@bot/"}, "")
	if text := fmt.Sprint(ignored); len(ignored) != 1 || strings.Contains(text, "HUSH") || !strings.Contains(text, "wss://***@bot/") {
		t.Errorf("%v", ignored)
	}
}

// What has no password is shown as it is.
func TestURLsAreShown(t *testing.T) {
	for _, text := range []string{"http://host/a@b", "wss://host/?to=a@b", "sip:1001@host", "a@b", "wss://", "http://x", "a b://c"} {
		if got := withoutUser(text); got != text {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
	for text, problem := range map[string]string{"": "empty", "bot": "WebSocket URL", "wss://u@bot": "no user", "wss://bot/#x": "no # part", "ws://0.0.0.0": "connected to"} {
		if _, err := ParseBot(map[string]any{"url": text}); err == nil || !strings.HasPrefix(err.Error(), "url: ") || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if b, err := ParseBot(map[string]any{"url": "wss://bot/x"}); err != nil || b.URL != "wss://bot/x" {
		t.Error(b, err)
	}
}
