package recogniser

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestDeepgramRefuses(t *testing.T) {
	s := &Server{Key: "simulated"}
	url := strings.Replace(start(t, s), "ws", "http", 1)
	for _, tc := range []struct {
		query, key string
		status     int
		says       string
	}{
		{"?encoding=linear16&sample_rate=8000", "Token simulated", http.StatusUpgradeRequired, ""}, // it is only that no WebSocket is asked for
		{"?encoding=linear16&sample_rate=8000", "Token other", 401, "Invalid credentials."},
		{"?encoding=linear16&sample_rate=8000", "Bearer simulated", 401, "Invalid credentials."},
		{"?encoding=linear16&sample_rate=8000", "", 401, "Invalid credentials."},
		{"?sample_rate=8000", "Token simulated", 400, "encoding"},
		{"?encoding=opus&sample_rate=8000", "token simulated", 400, "encoding"},
		{"?encoding=linear16", "Token simulated", 400, "sample_rate"},
		{"?encoding=linear16&sample_rate=many", "Token simulated", 400, "sample_rate"},
		{"?encoding=linear16&sample_rate=8000&channels=0", "Token simulated", 400, "channels"},
		{"?encoding=linear16&sample_rate=8000&multichannel=1", "Token simulated", 400, "multichannel"},
		{"?encoding=linear16&sample_rate=8000&endpointing=x", "Token simulated", 400, "endpointing"},
		{"?encoding=linear16&sample_rate=8000&utterance_end_ms=10", "Token simulated", 400, "utterance_end_ms"},
	} {
		status, header, body := get(t, url+"/any/path"+tc.query, tc.key)
		if status != tc.status {
			t.Errorf("%s with %q: %d", tc.query, tc.key, status)
		}
		if tc.says != "" {
			checkRefusal(t, body, tc.says, header)
		}
	}
	if got := connection(t, s).Report().Status; got != 400 || s.Accepted() != 12 {
		t.Errorf("first %d, %d handshakes", got, s.Accepted())
	}
}

// checkRefusal is about the answer to one that is refused.
func checkRefusal(t *testing.T, body, says string, header http.Header) {
	t.Helper()
	m := decode[struct {
		Message string `json:"err_msg"`
	}](t, body)
	if !strings.Contains(m.Message, says) || header.Get("dg-error") != m.Message {
		t.Errorf("%s does not say %s; %v", body, says, header)
	}
	id := header.Get("dg-request-id")
	if want := `{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials.","request_id":"` + id + `"}`; says == "Invalid credentials." && body != want || id == "" {
		t.Error(body)
	}
}

// get returns the answer to a request that is no handshake; redirects are not followed.
func get(t *testing.T, url, key string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", key)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func TestDeepgramWithKey(t *testing.T) {
	c := dial(t, nil, start(t, &Server{Key: "simulated"})+asked, "Token simulated")
	c.text(`{"type":"CloseStream"}`)
	if messages, end := c.rest(); len(messages) != 1 || end.Code != 1000 {
		t.Errorf("%q, %v", messages, end)
	}
}
