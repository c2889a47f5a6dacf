package doctor

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller/flow"
)

// botServer answers as a bot may; it returns its URL.
func botServer(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http") + "/media?key=in-the-url"
}

// accept takes a WebSocket and waits for its end.
func accept(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	_, _, _ = conn.Read(r.Context())
	_ = conn.CloseNow()
}

// talking is a plan with that bot.
func talking(bot flow.Bot) []flow.Step {
	return []flow.Step{&flow.Answer{}, &flow.Stream{}, &flow.Agent{For: 10 * time.Minute, Bot: bot}}
}

func botAt(url string) flow.Bot {
	b := flow.DefaultBot()
	b.URL = url
	return b
}

// withBot is a setup whose plan bot, and another one, have that bot.
func withBot(t *testing.T, bot flow.Bot) *setup {
	l := newSetup(t)
	l.facts.Globals["temp_dir"] = t.TempDir()
	return l.plans(false, map[string][]flow.Step{"bot": talking(bot)})
}

// What a bot answers is known before a caller has to hear it, and nothing secret is told.
func TestBots(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("tell-no-one"), 0o600); err != nil {
		t.Fatal(err)
	}
	status := func(code int, location string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(code)
		}
	}
	guarded := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer tell-no-one" || r.Header.Get("X-Twilio-Signature") == "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		accept(w, r)
	}
	closed := apptest.ListenAnywhere(t)
	_ = closed.Close()
	const check = "bot of plan bot"
	for name, c := range map[string]struct {
		bot  flow.Bot
		want []amiss
	}{
		"answers": {botAt(botServer(t, accept)), nil},
		"knows the key": {func() flow.Bot {
			b := botAt(botServer(t, guarded))
			b.TokenFile, b.TwilioAuthTokenFile = token, token
			return b
		}(), nil},
		"wants a key":  {botAt(botServer(t, guarded)), []amiss{{check, Fail, "answers 403", "agent.token_file"}}},
		"wrong path":   {botAt(botServer(t, http.NotFound)), []amiss{{check, Fail, "answers 404", "path of agent.url"}}},
		"redirects":    {botAt(botServer(t, status(302, "wss://other.example/x?secret=1"))), []amiss{{check, Fail, "302 Found, to wss://other.example/x", "final address"}}},
		"a page":       {botAt(botServer(t, status(200, ""))), []amiss{{check, Fail, "answers 200", "no WebSocket"}}},
		"nobody":       {botAt("ws://" + closed.Addr().String()), []amiss{{check, Fail, "connection refused", "is the bot running"}}},
		"no such name": {botAt("ws://bot.invalid/media"), []amiss{{check, Fail, "bot.invalid", "not known to DNS"}}},
		"no TLS":       {botAt("wss" + strings.TrimPrefix(botServer(t, accept), "ws")), []amiss{{check, Fail, "", "is it ws://"}}},
		"never answers": {func() flow.Bot {
			b := botAt("ws://" + apptest.ListenAnywhere(t).Addr().String())
			b.ConnectTimeout = 50 * time.Millisecond
			return b
		}(), []amiss{{check, Fail, "deadline exceeded", "agent.connect_timeout"}}},
		"public address": {botAt("ws://192.0.2.1/media"), []amiss{{check, Fail, "not a private address", "wss://"}}},
		"no token":       {func() flow.Bot { b := botAt("ws://127.0.0.1:1"); b.TokenFile = "/no/such"; return b }(), []amiss{{check, Fail, "token_file", "read the token"}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := withBot(t, c.bot)
			l.expect(c.want...)
			if text := l.text(); strings.Contains(text, "tell-no-one") || strings.Contains(text, "in-the-url") || strings.Contains(text, "secret=") {
				t.Errorf("a secret is told:\n%s", text)
			}
		})
	}
}

// A bot of several plans is asked once, with the names of all of them.
func TestBotOfSeveralPlans(t *testing.T) {
	asked := make(chan struct{}, 10)
	bot := botAt(botServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		accept(w, r)
	}))
	l := newSetup(t).plans(true, map[string][]flow.Step{"sales": append(talking(bot), talking(bot)[2])}).plans(false, map[string][]flow.Step{"support": talking(bot)})
	l.facts.Globals["temp_dir"] = t.TempDir()
	if _, err := l.examine(t.Context()); err != nil || len(asked) != 1 || !l.has(amiss{"bot of plan sales, support", Pass, "answers after", ""}) {
		t.Errorf("%v, asked %d times:\n%s", err, len(asked), l.text())
	}
}

// How a bot's voice gets into a call is looked at if there is a bot.
func TestPlayer(t *testing.T) {
	url := botServer(t, accept)
	shared := t.TempDir()
	files := func(l *setup) { l.loaded.Config.Player.Directory = shared }
	for name, c := range map[string]struct {
		change func(*setup)
		want   []amiss
		passes string // a part of what is seen
	}{
		"temp folder": {func(*setup) {}, nil, "room for"},
		"little room": {func(l *setup) {
			l.plans(false, map[string][]flow.Step{"long": {&flow.Answer{}, &flow.Stream{}, &flow.Agent{For: 1 << 62, Bot: botAt(url)}}})
		}, []amiss{{"player", Warn, "room for 0 calls", "player.directory"}}, ""},
		"temp folder gone":   {func(l *setup) { l.facts.Globals["temp_dir"] = "/no/such" }, []amiss{{"player", Unknown, "can't be seen from here", "container"}}, ""},
		"on another machine": {func(l *setup) { l.facts.Globals["hostname"] = "elsewhere" }, []amiss{{"FreeSWITCH's machine", Unknown, "", ""}, {"sink address", Unknown, "", ""}, {"player", Unknown, "can't be seen from here", "FreeSWITCH's machine"}}, ""},
		"files":              {func(l *setup) { files(l); l.facts.Files = func(string) bool { return true } }, nil, "sees what is written into player.directory " + shared},
		"other files": {func(l *setup) {
			files(l)
			l.facts.Files = func(path string) bool { return !strings.HasPrefix(path, shared) }
		}, []amiss{{"player", Fail, "does not see", "same path"}}, ""},
		"no folder": {func(l *setup) { l.loaded.Config.Player = config.Player{Method: "files", Directory: "/no/such"} }, []amiss{{"player", Fail, "can't be written to", "as tapdeck's user"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := withBot(t, botAt(url))
			c.change(l)
			l.expect(c.want...)
			if c.passes != "" && !l.has(amiss{"player", Pass, c.passes, ""}) {
				t.Errorf("no %q in\n%s", c.passes, l.text())
			}
			if left, _ := os.ReadDir(shared); len(left) > 0 {
				t.Errorf("left in player.directory: %v", left)
			}
		})
	}
}

// The caller of a test call speaks with the file that was written for FreeSWITCH, and the record
// says whether the bot was heard.
func TestCallWithABot(t *testing.T) {
	recording := write(t, 8000, 4*time.Second, pattern(0.1, 0.25))
	const talk = `"agent":{"connects":%d,"utterances":[%s]}`
	for name, c := range map[string]struct {
		agent string
		want  []amiss
	}{
		"heard":       {fmt.Sprintf(talk, 1, `{"from_ms":1,"to_ms":2}`), nil},
		"silent":      {fmt.Sprintf(talk, 1, ""), []amiss{{"test conversation", Warn, "said nothing", "greets"}}},
		"not reached": {fmt.Sprintf(talk, 0, ""), []amiss{{"test conversation", Fail, "not reached", ""}}},
		"not so far":  {`"metadata":[]`, []amiss{{"test conversation", Warn, "did not come so far", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			l, p := placed(t, "+OK 3f0c\n", over(fmt.Sprintf(`"result":"completed","plan":"bot","mix":"mono","wav":%q,"timeline":{"stream_connected":500,"stop":4510},%s`, filepath.Base(recording), c.agent)))
			l.loaded.Config.Sink.Directory, l.loaded.Config.Player.Directory = filepath.Dir(recording), t.TempDir()
			l.plans(false, map[string][]flow.Step{"bot": talking(botAt(botServer(t, accept)))})
			l.expect(append([]amiss{{playbackCheck, Unknown, "did not reach the doctor's own", "must reach ports"}}, c.want...)...)
			if file := asked1(p, "endless_playback:([^ ]+) inline"); !strings.HasPrefix(file, l.loaded.Config.Player.Directory+"/tapdeck-doctor-") || !strings.HasSuffix(file, ".r8") {
				t.Errorf("the caller says %q", file)
			}
		})
	}
	l, _ := placed(t, "+OK 3f0c\n", over(`"result":"agent_failed","err":"the bot did not answer","plan":"bot"`))
	l.expect(amiss{"test call", Fail, "agent_failed: the bot did not answer", "the check of the plan's bot"})
}
