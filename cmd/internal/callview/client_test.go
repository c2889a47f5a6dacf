package callview

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"tapdeck/controller"

	"github.com/google/go-cmp/cmp"
)

// daemon answers as the admin listener does.
func daemon(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *Client) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s, NewClient(s.Listener.Addr().String(), "open-sesame")
}

func TestClient(t *testing.T) {
	asked := ""
	_, client := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String() + " " + r.Header.Get("Authorization")
		var answer any = NewPage(someCalls(), 2)
		if uuid, one := strings.CutPrefix(r.URL.Path, "/calls/"); one {
			answer = Find(someCalls(), uuid)
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	page, err := client.Page(t.Context(), 7)
	if err != nil || len(page.Running) != 2 || len(page.Ended) != 2 || asked != "/calls?ended=7 Bearer open-sesame" {
		t.Errorf("%v, %+v after %s", err, page, asked)
	}
	now, ended, err := client.Call(t.Context(), "a")
	if err != nil || ended != nil || now.Step != "listen" || *now.LevelDBFS != -9.5 {
		t.Errorf("%v, %+v, %+v", err, now, ended)
	}
	now, ended, err = client.Call(t.Context(), "d")
	if err != nil || now != nil || ended.Result != "refused" {
		t.Errorf("%v, %+v, %+v", err, now, ended)
	}
	if _, _, _ = client.Call(t.Context(), "a/../b"); !strings.HasPrefix(asked, "/calls/a%2F..%2Fb ") {
		t.Errorf("asked for %s", asked)
	}
}

func TestClientErrors(t *testing.T) {
	var code int
	var body string
	s, client := daemon(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	})
	var wrong *Error
	for _, c := range []struct {
		code int
		body string
		say  string
	}{
		{http.StatusUnauthorized, "", "wants its admin.token"},
		{http.StatusNotFound, "<html>", "does not speak as tapdeck's admin listener: 404 Not Found"},
		{http.StatusOK, "<html>", "does not speak as tapdeck's admin listener: decode"},
	} {
		code, body = c.code, c.body
		_, err := client.Page(t.Context(), 1)
		_, _, one := client.Call(t.Context(), "a")
		for _, err := range []error{err, one} {
			if !errors.As(err, &wrong) || wrong.Code != c.code || !strings.Contains(err.Error(), c.say) {
				t.Errorf("%d %s: %v", c.code, c.body, err)
			}
		}
	}
	code, body = http.StatusNotFound, ErrNoCall.Error()
	if _, _, err := client.Call(t.Context(), "a"); !errors.Is(err, ErrNoCall) {
		t.Error(err)
	}
	s.Close()
	_, err := client.Page(t.Context(), 1)
	if !errors.As(err, &wrong) || wrong.Code != 0 || !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "no tapdeck answers at "+client.Address()+": dial tcp") {
		t.Error(err)
	}
}

func TestDialable(t *testing.T) {
	got := map[string]string{}
	want := map[string]string{
		"127.0.0.1:9084": "127.0.0.1:9084", ":9084": "127.0.0.1:9084", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "127.0.0.1:1", "host:1": "host:1", "[::1]:1": "[::1]:1",
	}
	for listen := range want {
		got[listen] = NewClient(listen, "").Address()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A call that has not begun its first step runs, too.
func TestClientOfAnEarlyCall(t *testing.T) {
	_, client := daemon(t, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(running(controller.Status{Info: controller.Info{UUID: "a"}}))
	})
	if now, ended, err := client.Call(t.Context(), "a"); err != nil || ended != nil || now == nil {
		t.Errorf("%v, %+v, %+v", err, now, ended)
	}
}
