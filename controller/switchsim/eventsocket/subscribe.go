package switchsim

import "strings"

// myEventNames are what the command of that name subscribes to.
func myEventNames() []string {
	return strings.Fields(`CHANNEL_ANSWER CHANNEL_APPLICATION CHANNEL_BRIDGE CHANNEL_CREATE CHANNEL_DATA
	CHANNEL_DESTROY CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE
	CHANNEL_ORIGINATE CHANNEL_UUID CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA
	CHANNEL_STATE CHANNEL_UNBRIDGE CHANNEL_UNPARK DETECTED_SPEECH DTMF NOTALK TALK`)
}

// knownEvent tells whether an event has that name, in any case.
func knownEvent(name string) (string, bool) {
	name = strings.ToUpper(name)
	switch name {
	case "ALL", "API", "BACKGROUND_JOB", "CODEC", "CUSTOM", "CLONE", "COMMAND", "CALL_SECURE", "CALL_UPDATE",
		"CALL_DETAIL", "DTMF", "DETECTED_SPEECH", "DETECTED_TONE", "FAILURE", "GENERAL", "HEARTBEAT", "INBOUND_CHAN",
		"LOG", "MESSAGE", "MODULE_LOAD", "MODULE_UNLOAD", "NAT", "NOTALK", "NOTIFY", "OUTBOUND_CHAN", "PRIVATE_COMMAND",
		"RE_SCHEDULE", "ADD_SCHEDULE", "DEL_SCHEDULE", "EXE_SCHEDULE", "RELOADXML", "SHUTDOWN", "STARTUP", "TALK", "TRAP",
		"MEDIA_BUG_START", "MEDIA_BUG_STOP", "PLAYBACK_START", "PLAYBACK_STOP", "RECORD_START", "RECORD_STOP",
		"SESSION_HEARTBEAT", "SOCKET_DATA", "TEXT":
		return name, true
	}
	rest, isChannel := strings.CutPrefix(name, "CHANNEL_")
	if !isChannel {
		return name, false
	}
	switch rest {
	case "ANSWER", "APPLICATION", "BRIDGE", "CALLSTATE", "CREATE", "DATA", "DESTROY", "EXECUTE", "EXECUTE_COMPLETE",
		"HANGUP", "HANGUP_COMPLETE", "HOLD", "ORIGINATE", "OUTGOING", "PARK", "PROGRESS", "PROGRESS_MEDIA", "STATE",
		"UNBRIDGE", "UNHOLD", "UNPARK", "UUID":
		return name, true
	}
	return name, false
}

// subscribe executes `event FORMAT NAME… CUSTOM SUBCLASS…`: what follows
// CUSTOM is a subclass, whatever it looks like.
func (l *listener) subscribe(rest string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	words := strings.Fields(rest)
	if len(words) > 0 {
		switch strings.ToLower(words[0]) {
		case "json":
			l.format, words = formatJSON, words[1:]
		case "plain":
			l.format, words = formatPlain, words[1:]
		}
	}
	if l.each(words, func(name string) { l.events[name] = true }, func(sub string) { l.subclass[sub] = true }) == 0 {
		return replyKeywords
	}
	l.enabled = true
	return "+OK event listener enabled " + l.format.String()
}

// each walks event names and subclasses and returns how many names were known.
func (l *listener) each(words []string, name, subclass func(string)) int {
	known, custom := 0, false
	for _, w := range words {
		if custom {
			subclass(w)
			continue
		}
		if n, ok := knownEvent(w); ok {
			known++
			name(n)
			custom = n == "CUSTOM"
		}
	}
	return known
}

func (l *listener) nix(rest string) string {
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
	if l.each(strings.Fields(rest), nix, func(sub string) { delete(l.subclass, sub) }) == 0 {
		return replyKeywords
	}
	return "+OK events nixed"
}

func (l *listener) noEvents() string {
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

// mine executes myevents [format].
func (l *listener) mine(rest string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.myEvents {
		return "-ERR aready enabled." // as FreeSWITCH spells it
	}
	for _, name := range myEventNames() {
		l.events[name] = true
	}
	l.myEvents, l.enabled = true, true
	if strings.Contains(strings.ToLower(rest), "json") {
		l.format = formatJSON
	}
	return "+OK Events Enabled"
}

// filter executes filter [add|delete] NAME VALUE.
func (l *listener) filter(rest string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	name, value, _ := strings.Cut(rest, " ")
	if strings.EqualFold(name, "delete") && value != "" {
		name, value, _ = strings.Cut(value, " ")
		l.unfilter(name, value)
		return "+OK filter deleted. [" + name + "][" + value + "]"
	}
	if value == "" {
		return "-ERR invalid syntax"
	}
	if strings.EqualFold(name, "add") {
		name, value, _ = strings.Cut(value, " ")
	}
	l.filters = append(l.filters, header{name, value})
	return "+OK filter added. [" + name + "]=[" + value + "]"
}

func (l *listener) unfilter(name, value string) {
	kept := l.filters[:0]
	for _, f := range l.filters {
		gone := strings.EqualFold(name, "all") || strings.EqualFold(f.name, name) && (value == "" || f.value == value)
		if !gone {
			kept = append(kept, f)
		}
	}
	l.filters = kept
}
