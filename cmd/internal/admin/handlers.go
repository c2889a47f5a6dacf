package admin

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/callview"
)

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{
		Registry: s.Registry, MaxRequestsInFlight: 8, EnableOpenMetrics: true,
	}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /calls", s.calls)
	mux.HandleFunc("GET /calls/{uuid}", s.call)
	mux.Handle("GET /log/level", s.Level)
	mux.HandleFunc("PUT /log/level", s.setLevel)
	mux.HandleFunc("GET "+schemaPath+"{name}", s.schema)
	if s.Events != nil {
		mux.HandleFunc("GET /events", s.follow)
	}
	if s.Twilio != nil {
		mux.HandleFunc("POST "+twilioPath+"Accounts/{account}/Calls/{call}", s.hangUpCall)
	}
	if s.Pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return authorize(s.Token, mux)
}

// schemaPath is where the schemas are.
const schemaPath = "/.well-known/tapdeck/"

// schema answers with a published JSON schema.
func (s *Server) schema(w http.ResponseWriter, r *http.Request) {
	name, _ := strings.CutSuffix(r.PathValue("name"), ".schema.json")
	text, ok := s.Schemas[name]
	if !ok || name == r.PathValue("name") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/schema+json")
	_, _ = w.Write(text)
}

// isOpen says whether a path asks for no token: health checks, schemas, and what has a password of
// its own.
func isOpen(path string) bool {
	return path == "/livez" || path == "/readyz" || strings.HasPrefix(path, schemaPath) || strings.HasPrefix(path, twilioPath)
}

// authorize asks for the token, if there is one, where a path is not open.
func authorize(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !isOpen(r.URL.Path) && (!bearer || subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeText(w, http.StatusUnauthorized, "admin.token is needed: Authorization: Bearer TOKEN")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// readyz is 200 if a call would be accepted and recorded, 429 at max_calls or max_streams, else
// 503: draining, not yet ready, the disk hangs or is full.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	state, code := s.Readiness(), http.StatusServiceUnavailable
	switch state {
	case Ready:
		code = http.StatusOK
	case Full, NoStreams:
		code = http.StatusTooManyRequests
	}
	writeText(w, code, string(state))
}

// calls answers with every running call and the ended ones; ?ended=N asks for the
// latest N of these only.
func (s *Server) calls(w http.ResponseWriter, r *http.Request) {
	last := callview.MaxEnded
	if text := r.URL.Query().Get("ended"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			writeText(w, http.StatusBadRequest, "ended="+strconv.Quote(text)+": must be a number, 0 or more")
			return
		}
		last = n
	}
	writeJSON(w, callview.NewPage(s.Calls, last))
}

func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	found := callview.Find(s.Calls, r.PathValue("uuid"))
	if found == nil {
		writeText(w, http.StatusNotFound, callview.ErrNoCall.Error())
		return
	}
	writeJSON(w, found)
}

// setLevel changes the level of the log until the next change or restart.
func (s *Server) setLevel(w http.ResponseWriter, r *http.Request) {
	before := s.Level.Level()
	asked, answer := zap.NewAtomicLevelAt(before), unsent{header: w.Header(), code: http.StatusOK}
	asked.ServeHTTP(&answer, r)
	now := asked.Level()
	if now > zap.ErrorLevel { // a line of such a level ends the process
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]string{"error": fmt.Sprintf("level %q: must be debug, info, warn or error", now)})
		return
	}
	if now != before {
		s.Level.SetLevel(now)
		s.Log.Log(max(now, zap.InfoLevel), "log level changed", zap.Stringer("from", before), zap.Stringer("to", now), zap.String("peer", r.RemoteAddr))
	}
	w.WriteHeader(answer.code)
	_, _ = w.Write(answer.body.Bytes())
}

// unsent is an answer that is still to be sent.
type unsent struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (u *unsent) Header() http.Header         { return u.header }
func (u *unsent) WriteHeader(code int)        { u.code = code }
func (u *unsent) Write(b []byte) (int, error) { return u.body.Write(b) }

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text + "\n"))
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v)
}
