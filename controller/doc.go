// Package controller runs calls: it takes each call that a FreeSWITCH dialplan
// hands over with its socket action, and carries out the steps of its plan, such as
// answer, tone, prompt, audio stream, listen and hangup.
//
// It owns the admission of calls, the list of those that run, and the closed list of how
// calls end (Result). The steps are controller/flow's: a call is their [flow.Channel]. One
// call is one straight function, [call.run], in the goroutine of its connection; that
// goroutine alone touches the call's state, but for the small snapshot that
// [Controller.Calls] copies. It waits in one place, [call.next], so that a hangup ends any
// step at once. The stream of a call is a state machine (stream)
// that the same goroutine moves while it waits for something else, so that a
// dropped stream is brought back in the middle of a prompt. A channel that comes back
// to tapdeck is a call of its own, which waits until the earlier one has ended.
//
// What a call plays goes through one player (voice, which is that player's switch), whatever it is: a
// bot's voice, prompts, tones. A conversation with a bot (talk) joins a session of controller/agent,
// which hears the recording's tap and speaks by the player. The session's goroutines queue audio there,
// clear it, and send events; to cut, give, break off and note what was heard is the call's goroutine's, which waits for
// both in [call.next].
//
// What is said in a call is heard by a session of controller/transcript (transcribing), if its plan says so,
// from the stream's begin to the recording's end. The call's goroutine logs, keeps and tells its words; the last
// ones are waited for once the channel is let go, within a bound.
//
// Beside those of controller/esl, and of the sessions, whose end [Controller.Serve] awaits and no call
// does, the package starts no goroutine that waits for anything. A panic in one call ends that call alone. The package never opens a
// file or a WebSocket and never imports the sink: what it needs of a recorder is
// the interface Recorder, which the command joins to the sink.
//
// F and a number, as in F26, is a fact of the switch in controller/switchsim/FACTS.md.
package controller
