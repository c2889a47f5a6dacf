// Package switchsim is a simulated FreeSWITCH with mod_audio_stream, for
// tests, demonstrations and load. It is not a telephone switch: no SIP and no
// RTP, only what a controller and an audio server see of one, over real
// sockets. What it says and when it says it follows a real switch: FACTS.md has
// the facts, which comments cite by number, and package capture the frames.
//
// It owns the calls: the dialplan's socket action with its outbound event socket
// (Switch.Dial), the applications and the API commands. The rest has packages below:
//
//	audio        what is heard: the caller, tones, files, and their mix
//	audiostream  mod_audio_stream: the WebSocket client and its frames
//	eventsocket  commands, subscriptions and the order of what leaves a socket
//	capture      the headers of every event, from two captured calls
//	inbound      the inbound event socket and what the switch says of itself
//	fault        how a call goes wrong on request
//	load         many calls at a rate, and what they came to
//	bot          bots that a call talks with, over WebSockets of their own
//
// They import each other and nothing else of the module: code that was shared with
// what it tests would share its errors.
//
// Each call has one goroutine for its channel and one that reads its event
// socket; each stream has one that reads its WebSocket; each bgapi job has one
// while it runs, and each socket that lingers one that ends it. One goroutine per Switch, alive while streams are, is the
// media clock that sends the audio of all streams. Call.Wait returns when
// every goroutine of that call has ended, Switch.Wait when all have.
//
// Times: audio, tones, prompts, sleeps, the caller's hangup and the times in
// Faults are media time, which Config.Speed accelerates. Timers of the
// protocols (the one second that the module gives an upgrade and a close, the
// seconds of linger, scheduled tasks) are real time.
//
// Audio: the caller speaks from the moment media flows (the answer, or an
// earlier pre-answer), in frames of 20 ms. What a stream has carried is in
// its StreamReport, whose PCM method gives the very bytes again.
//
// The caller hears what the switch plays: tones, prompts (a quiet sine of their length), and
// files of this machine, sample by sample. Call.Heard and Report.Heard have it with its time, which
// is that of the session's 20 ms frames: two playbacks that are queued are heard without a gap,
// however late this process is, and the caller is sent in each frame what was written in the one
// before. Call.Say makes him speak at any moment. Files of streamAudio are in
// Config.TempDir, or in memory, and go with their stream. To a call's event socket the application
// endless_playback, which a break does not end, is unknown, since no controller should use it (F91); the caller
// of an originate has it.
package switchsim
