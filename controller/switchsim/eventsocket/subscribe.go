package eventsocket

import "strings"

// myEventNames are what the command of that name subscribes to.
const myEventNames = `CHANNEL_ANSWER CHANNEL_APPLICATION CHANNEL_BRIDGE CHANNEL_CREATE CHANNEL_DATA
	CHANNEL_DESTROY CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE
	CHANNEL_ORIGINATE CHANNEL_UUID CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA
	CHANNEL_STATE CHANNEL_UNBRIDGE CHANNEL_UNPARK DETECTED_SPEECH DTMF NOTALK TALK`

// otherEventNames are the events that are known besides.
const otherEventNames = `ALL API BACKGROUND_JOB CODEC CUSTOM CLONE COMMAND CALL_SECURE CALL_UPDATE CALL_DETAIL
	CHANNEL_CALLSTATE CHANNEL_HOLD CHANNEL_UNHOLD DETECTED_TONE FAILURE GENERAL HEARTBEAT INBOUND_CHAN LOG MESSAGE
	MODULE_LOAD MODULE_UNLOAD NAT NOTIFY OUTBOUND_CHAN PRIVATE_COMMAND RE_SCHEDULE ADD_SCHEDULE DEL_SCHEDULE
	EXE_SCHEDULE RELOADXML SHUTDOWN STARTUP TRAP MEDIA_BUG_START MEDIA_BUG_STOP PLAYBACK_START PLAYBACK_STOP
	RECORD_START RECORD_STOP SESSION_HEARTBEAT SOCKET_DATA TEXT`

var knownEvents = func() map[string]bool {
	known := map[string]bool{}
	for _, name := range strings.Fields(myEventNames + " " + otherEventNames) {
		known[name] = true
	}
	return known
}()

// wants says whether an event passes subscription and myevents.
func (l *Listener) wants(e *Event) bool {
	if !l.enabled || !l.events["ALL"] && !l.events[e.Name] {
		return false
	}
	if !l.events["ALL"] && e.Name == "CUSTOM" && !l.subclass[e.Subclass] {
		return false
	}
	return !l.myEvents || e.UUID == l.own || e.Owner == l.own
}

// Subscribe executes `event FORMAT NAME… CUSTOM SUBCLASS…` and returns its reply.
func (l *Listener) Subscribe(arguments string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	words := strings.Fields(arguments)
	if len(words) > 0 {
		switch strings.ToLower(words[0]) {
		case "json":
			l.json, words = true, words[1:]
		case "plain":
			l.json, words = false, words[1:]
		}
	}
	if eachName(words, func(name string) { l.events[name] = true }, func(sub string) { l.subclass[sub] = true }) == 0 {
		return NoKeywords
	}
	l.enabled = true
	if l.json {
		return "+OK event listener enabled json"
	}
	return "+OK event listener enabled plain"
}

// eachName walks event names and subclasses, and returns how many names were
// known. What follows CUSTOM is a subclass, whatever it looks like (F18).
func eachName(words []string, name, subclass func(string)) int {
	known, custom := 0, false
	for _, word := range words {
		if custom {
			subclass(word)
			continue
		}
		if word = strings.ToUpper(word); knownEvents[word] {
			known++
			name(word)
			custom = word == "CUSTOM"
		}
	}
	return known
}

// Nix executes nixevent and returns its reply.
func (l *Listener) Nix(arguments string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	nix := func(name string) {
		switch name {
		case "CUSTOM":
		case "ALL":
			clear(l.events)
		default:
			delete(l.events, name)
		}
	}
	if eachName(strings.Fields(arguments), nix, func(sub string) { delete(l.subclass, sub) }) == 0 {
		return NoKeywords
	}
	return "+OK events nixed"
}

// NoEvents executes noevents and returns its reply.
func (l *Listener) NoEvents() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.enabled {
		return "-ERR not listening for events"
	}
	l.enabled = false
	clear(l.events)
	clear(l.subclass)
	return "+OK no longer listening for events"
}

// MyEvents executes myevents [FORMAT] and returns its reply.
func (l *Listener) MyEvents(arguments string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.myEvents {
		return "-ERR aready enabled." // as FreeSWITCH spells it
	}
	for _, name := range strings.Fields(myEventNames) {
		l.events[name] = true
	}
	l.myEvents, l.enabled = true, true
	if strings.Contains(strings.ToLower(arguments), "json") {
		l.json = true
	}
	return "+OK Events Enabled"
}
