package config

import (
	"strings"
	"testing"
)

// values has, for every setting, texts that are taken and texts that are not,
// the latter with a part of what the error has to say.
func values() map[string]struct {
	good []string
	bad  map[string]string
} {
	type list = struct {
		good []string
		bad  map[string]string
	}
	listen := list{
		good: []string{"127.0.0.1:7000", ":7000", "[::1]:0", "0.0.0.0:65535", "fs-1.example.com:1", "localhost:7000", "[fe80::1%eth0]:80"},
		bad: map[string]string{
			"": "must be host:port", "8084": "such as 127.0.0.1:8084", "127.0.0.1": "such as 127.0.0.1:8084", "::1": "or [::1]:8084",
			"127.0.0.1:http": "the port must be a number", "127.0.0.1:65536": "to 65535", "127.0.0.1:-1": "the port", "127.0.0.1:080": "the port",
			"1.2.3:80": "host", "a b:80": "host", "-a:80": "host", "a..b:80": "host", "ws://h:80": "must be host:port", "300.1.1.1:80": "host",
		},
	}
	allow := list{
		good: []string{"127.0.0.0/8,::1", "10.1.2.3", "0.0.0.0/0, ::/0", "2001:db8::/32"},
		bad: map[string]string{
			"": "must not be empty", "localhost": "names are not looked up", "10.1.2.3/8": "write 10.0.0.0/8 for the network or 10.1.2.3",
			"10.0.0.0/33": "network", "127.0.0.1:80": "without a port", "::ffff:10.0.0.1": "IP address", "fe80::1%eth0": "without a port or zone", "10.0.0.1,": "network",
		},
	}
	file := list{
		good: []string{"", "cert.pem", "/etc/tapdeck/my key.pem"},
		bad:  map[string]string{"a\nb": "one line", " a": "blank", strings.Repeat("a", 4097): "at most 4096"},
	}
	timeout := list{
		good: []string{"100ms", "3s", "1m"},
		bad:  map[string]string{"99ms": "must be 100ms to 1m", "61s": "must be 100ms to 1m", "3": "write 3s", "0s": "must be"},
	}
	return map[string]list{
		"instance": {
			good: []string{"", "fs1", "FS_1-b", "fs1.example.com", "7", strings.Repeat("x", 64)},
			bad: map[string]string{
				strings.Repeat("x", 65): "at most 64", "a b": "such as fs1", "a/b": "letters and digits of ASCII", "a*": "single dots", ">": "letters", "ä": "ASCII",
				".": "single dots", "..": "single dots", ".a": "single dots", "a.": "single dots", "a..b": "single dots", "a%20": "letters",
			},
		},
		"record.variables": {
			good: []string{"", "sip_call_id", "sip_h_X-Account,sip_call_id", "a.b", strings.TrimSuffix(strings.Repeat("x,", 50), ",")},
			bad: map[string]string{
				"a b": "such as sip_call_id", "a*": "the name of a channel variable", "a,,b": "the name of a channel variable", "ä": "ASCII", "${x}": "letters", "a:b": "letters",
				strings.Repeat("x", 129): "at most 128", strings.TrimSuffix(strings.Repeat("x,", 51), ","): "has 51 values, and may have at most 50",
			},
		},
		"esl.listen":           listen,
		"sink.listen":          listen,
		"admin.listen":         {good: []string{"127.0.0.1:1", "[::1]:1", "localhost:1", "127.9.9.9:1"}, bad: map[string]string{"0.0.0.0:1": "admin.token", ":1": "admin.token", "10.0.0.1:1": "admin.token", "host:1": "admin.token"}},
		"esl.allow":            allow,
		"sink.allow":           allow,
		"sink.tls.certificate": {good: []string{""}, bad: file.bad},
		"sink.tls.key":         {good: []string{""}, bad: file.bad},
		"esl.max_calls":        {good: []string{"1", "100000"}, bad: map[string]string{"0": "must be 1 to 100000 calls", "100001": "must be", "1e3": "plain decimal", "-1": "must be", "010": "plain decimal", "1_000": "plain decimal", "+5": "plain decimal", "": "plain decimal", "99999999999999999999": "1 to 100000 calls"}},
		"sink.max_streams":     {good: []string{"0", "10"}, bad: map[string]string{"-1": "must be 0 to 100000 streams", "ten": "whole number"}},
		"sink.advertise": {
			good: []string{"ws://127.0.0.1:8080", "wss://sink.example.com", "ws://host", "ws://my-host.:80", "wss://Sink-1.example:443"},
			bad: map[string]string{
				"": "must be ws:// or wss://", "127.0.0.1:8080": "such as ws://127.0.0.1:8080", "http://h:1": "must be ws://", "https://h": "must be ws://", "WS://h": "must be ws://",
				"ws://h:8080/": "nothing behind", "ws://h/": "nothing behind", "ws://h:8080/x": "nothing behind", "ws://h?x=1": "nothing behind", "ws://h#x": "nothing behind", "ws://u@h": "no user",
				"ws://": "host", "ws://:8080": "host", "ws://h:": "port", "ws://h:0": "port", "ws://h:99999": "port", "ws://0.0.0.0:80": "can connect to", "ws://[::]:80": "can connect to",
				"ws://::1:80": "such as ws://127.0.0.1:8080", "ws://[1.2.3.4]:80": "such as ws://127.0.0.1:8080", "ws://[::1": "",
				"ws://[::1]:8080": "mod_audio_stream refuses", "wss://[2001:db8::1]": "write an IPv4 address", "ws://my_host:8080": "mod_audio_stream refuses", "ws://a.b_c.example": "has an _", "ws://a b": "host", "ws://h\r\nX: y": "", "ftp://h": "must be ws://",
			},
		},
		"sink.directory":     {good: []string{".", "recordings", "/var/lib/tap deck", "ä"}, bad: map[string]string{"": "must not be empty", "a\x00b": "one line", "a ": "blank", "a\xff": "UTF-8"}},
		"sink.min_free":      {good: []string{"0", "0B", "1GiB", "500MB", "3kB", "1000TiB"}, bad: map[string]string{"1024": "and a unit", "1G": "such as 1GiB", "1gb": "GB, TB (1000s)", "1 GiB": "such as 1GiB", "-1GiB": "whole number", "1.5GiB": "such as", "GiB": "whole number", "": "whole number", "2000TiB": "must be 0 to 1000TiB", "9999999999999TiB": "too large", "99999999999999999999B": "whole number"}},
		"sink.max_duration":  {good: []string{"1s", "4h", "168h"}, bad: map[string]string{"999ms": "must be 1s to 168h", "169h": "must be", "4": "write 4s", "1d": "such as 500ms", "-4h": "negative"}},
		"sink.cue_points":    {good: []string{"true", "false"}, bad: map[string]string{"no": "true or false", "0": "true or false"}},
		"sink.idle_timeout":  {good: []string{"2s", "1h"}, bad: map[string]string{"1s": "must be 2s to 1h", "30": "write 30s"}},
		"sink.read_interval": {good: []string{"0", "0s", "1s"}, bad: map[string]string{"1001ms": "must be 0s to 1s", "200": "; write 200ms", "1.5ms": "whole number of milliseconds"}},
		"sink.sync_interval": {good: []string{"0s", "1s", "5s", "1h"}, bad: map[string]string{"999ms": "must be 0s or 1s to 1h", "61m": "must be", "5": "write 5s"}},
		"admin.token":        {good: []string{"", "s3cret!", strings.Repeat("x", 256)}, bad: map[string]string{"two words": "without blanks", "ä": "printable ASCII", strings.Repeat("x", 257): "at most 256"}},
		"admin.pprof":        {good: []string{"true", "false"}, bad: map[string]string{"yes": "true or false", "1": "true or false", "": "true or false", "TRUE": "true or false"}},
		"drain_timeout":      {good: []string{"0s", "24h"}, bad: map[string]string{"25h": "must be 0s to 24h", "60": "write 60s"}},
		"log.level":          {good: []string{"debug", "info", "warn", "error"}, bad: map[string]string{"warning": "the nearest known is warn", "INFO": "the nearest known is info", "": "must be debug, info, warn or error", "trace": "must be"}},
		"log.format":         {good: []string{"json", "console"}, bad: map[string]string{"text": "json or console", "JSON": "the nearest known is json"}},
		"log.transcripts":    {good: []string{"true", "false"}, bad: map[string]string{"no": "true or false", "": "true or false"}},

		"plans.default.answer_pause":           {good: []string{"0", "500ms", "1m"}, bad: map[string]string{"500": "; write 500ms", "5": "write 5s or 5ms", "5s5": "such as 500ms", "99999999": "needs a unit, and must be 0s to 1m", "-1ms": "negative", "61s": "must be 0s to 1m", "5 s": "such as", "5S": "such as", "5sec": "such as", "": "such as", "1e3s": "such as", ".": "such as"}},
		"plans.default.tone.frequency":         {good: []string{"20", "3400"}, bad: map[string]string{"19": "must be 20 to 3400 Hz", "3401": "must be", "800Hz": "plain decimal digits: 20 to 3400 Hz", "800 hz": "whole number", "440.5": "whole number", "-5": "must be"}},
		"plans.default.tone.duration":          {good: []string{"0s", "20ms", "1m"}, bad: map[string]string{"19ms": "must be 0s or 20ms to 1m", "61s": "must be 0s or", "500": "; write 500ms"}},
		"plans.default.stream.mix":             {good: []string{"mono", "mixed", "stereo"}, bad: map[string]string{"both": "must be mono, mixed or stereo", "Mono": "the nearest known is mono", "": "must be"}},
		"plans.default.stream.sample_rate":     {good: []string{"8000", "16000"}, bad: map[string]string{"8k": "plain decimal digits: 8000 or 16000; in Hz", "16k": "8000 or 16000", "8 kHz": "8000 or 16000", "8000Hz": "8000 or 16000", "8": "must be 8000 or 16000; in Hz", "11025": "must be 8000 or 16000", "44100": "must be 8000 or 16000", "24000": "stretches the audio", "48000": "stretch", "0": "socket left open", "-8000": "socket left open", "garbage": "socket left open", "": "socket left open", "08000": "plain decimal digits"}},
		"plans.default.stream.buffer":          {good: []string{"20ms", "100ms", "1s"}, bad: map[string]string{"30ms": "must be a multiple of 20ms", "10ms": "must be 20ms to 1s", "0s": "must be 20ms to 1s", "1020ms": "must be", "20": "; write 20ms"}},
		"plans.default.stream.connect_timeout": timeout,
		"plans.default.stream.stop_timeout":    timeout,
		"plans.default.stream.restarts":        {good: []string{"0", "100"}, bad: map[string]string{"101": "must be 0 to 100 times", "-1": "must be", "many": "whole number"}},
		"plans.default.prompt":                 {good: []string{"", "ivr/x.wav", "/var/my prompts/ä.wav", "file_string://a.wav!b.wav", "tone_stream://%(500,0,800)", "$name.wav"}, bad: map[string]string{"a\r\nb": "one line", "a\nb": "one line", "a\x00": "one line", "${system rm}": "FreeSWITCH would expand", "$${x}": "expand", "{loops=2}a.wav": "parameters", "[x]a": "parameters", " a": "blank", strings.Repeat("a", 1025): "at most 1024", "a\xffb": "UTF-8"}},
		"plans.default.listen":                 {good: []string{"0s", "15s", "1h30m", "24h", "1.5s"}, bad: map[string]string{"15": "a duration needs a unit; write 15s", "1.5": "write 1.5s", "-15s": "negative", "-15": "negative", "25h": "must be 0s to 24h", "soon": "such as 500ms", "1ns": "milliseconds", "NaN": "such as", "9999999999h": "such as"}},
		"plans.default.finish_on":              {good: []string{"", "#", "*#", "0123456789ABCD*#"}, bad: map[string]string{"1,2": "DTMF digits", "x": "DTMF digits", "a": "of 0-9 A-D", "11": "each at most once", "# ": "blank", "0123456789ABCD*#0": "at most 16"}},
		"plans.default.until_said":             {good: []string{""}, bad: map[string]string{"stop": "needs transcribe: there are no words without it; write transcribe.url", "stop, thank you": "needs transcribe", "a.b": "must be words of letters", "stop,": "must be words of letters", ", a": "must be words of letters", "-": "must be words", "' '": "must be words", "a\tb": "one line", strings.Repeat("a", 129): "at most 128", manyNames(51): "has 51 values, and may have at most 50"}},
		"plans.default.silence":                {good: []string{"0s", "100ms", "10s"}, bad: map[string]string{"99ms": "must be 0s or 100ms to 1h", "2": "write 2s", "-2s": "negative"}},
		"plans.default.stop_on":                {good: []string{"", "#", "*#"}, bad: map[string]string{"1,2": "any one of them is enough", "x": "DTMF digits", "0123456789ABCD*#0": "at most 16"}},
		"plans.default.silence_level":          {good: []string{"auto", "-40", "-90", "-10"}, bad: map[string]string{"-91": "must be auto or -90 to -10", "40": "a level in dB of full scale", "-9": "must be", "-40dB": "must be", "AUTO": "must be", "": "must be", "-040": "must be"}},
		"plans.default.no_input":               {good: []string{"0s", "100ms", "1h"}, bad: map[string]string{"99ms": "must be 0s or 100ms to 1h", "8": "write 8s"}},
		"plans.default.typeahead":              {good: []string{"true", "false"}, bad: map[string]string{"on": "true or false", "": "true or false"}},
		"plans.default.dtmf":                   {good: []string{"", "inband"}, bad: map[string]string{"rfc2833": "must be inband, or empty", "INBAND": "must be inband"}},
		"player.method":                        {good: []string{"auto", "stream"}, bad: map[string]string{"files": "needs player.directory; name a folder", "socket": "must be auto, stream or files", "": "must be"}},
		"player.directory":                     {good: []string{"", "/", "/tmp"}, bad: map[string]string{"chunks": "must be an absolute path: FreeSWITCH", "/dev/null": "is no folder", "/no/such": "no such file or directory; make the folder", "/${x}": "FreeSWITCH takes", "/a\nb": "one line", "/a@@8000": "FreeSWITCH takes `@@`", "/a!b": "`!`", `/a"b`: "for itself", "/a'b": "for itself", "/a`b": "for itself", `/a\b`: "for itself", "/a;b": "`;`", "/a|b": "`|`", "/tmp ": "blank", " /tmp": "blank"}},
		"player.lead":                          {good: []string{"0s", "200ms", "1s"}, bad: map[string]string{"1001ms": "must be 0s to 1s", "-1s": "negative", "200": "write 200"}},
		"player.limit":                         {good: []string{"1s", "120s", "1h"}, bad: map[string]string{"0s": "must be 1s to 1h", "61m": "must be", "120": "write 120s"}},
		"plans.default.agent.url": {
			good: []string{"", "wss://bot.example/media", "wss://bot.example:8443/a/b?x=1&y=%20", "ws://127.0.0.1:8000/ws", "ws://[::1]:8000", "ws://localhost", "ws://bot:8000/ws", "ws://10.1.2.3/", "ws://100.64.0.1", "ws://[fd00::1]/x", "wss://1.2.3.4/ws"},
			bad: map[string]string{
				"http://bot.example": "such as wss://bot.example/media", "bot.example": "must be a WebSocket URL", "wss:bot.example": "must be a WebSocket URL", "WSS//x": "must be", "wss://": "must name a host", "wss://:80": "must name a host",
				"wss://user:secret@bot.example": "no password, which would be shown; write the token into a file", "wss://u@bot": "no user", "wss://bot/#x": "no # part", "wss://bot/#": "no # part",
				"wss://bot:0/": "the port", "wss://bot:/": "the port", "wss://bot:65536/": "the port", "wss://a b/": "must be", "wss://bot/a b": "must be", "wss://bot/\r\nX: y": "one line", "wss://bot/{caller}": "must be", "wss://a..b": "host",
				"ws://0.0.0.0": "can be connected to", "wss://[::]/": "can be connected to", "ws://1.2.3.4/ws": "everyone on the way could listen; write wss://, or insecure: true", "ws://[2001:db8::1]/": "private addresses", "ws://[::ffff:1.2.3.4]/": "private addresses",
				"wss://" + strings.Repeat("a", 2048): "at most 2048",
			},
		},
		"plans.default.agent.format":                 {good: []string{"twilio", "pcm"}, bad: map[string]string{"Twilio": "the nearest known is twilio", "": "must be twilio or pcm"}},
		"plans.default.agent.token_file":             {good: file.good, bad: file.bad},
		"plans.default.agent.twilio_auth_token_file": {good: file.good, bad: file.bad},
		"plans.default.agent.token_env":              {good: []string{"", "BOT_TOKEN", "_x1"}, bad: map[string]string{"1x": "no digit at its begin", "A B": "the name of an environment variable", "TAPDECK_X": "choose another name, such as SERVICE_KEY", "A=b": "letters, digits"}},
		"plans.default.agent.twilio_auth_token_env":  {good: []string{"", "BOT_TOKEN"}, bad: map[string]string{"1x": "no digit at its begin", "TAPDECK_X": "choose another name"}},
		"plans.default.agent.account_sid":            {good: []string{"", "AC0123456789abcdef0123456789ABCDEF"}, bad: map[string]string{"AC123": "32 hexadecimal digits", "CA0123456789abcdef0123456789abcdef": "must be AC", "AC0123456789abcdef0123456789abcdeg": "hexadecimal"}},
		"plans.default.agent.parameters": {
			good: []string{"", "{}", `from: "{caller}"`, `{from: "{caller}", to: "{destination}",all: "{call}/{plan}@{instance}", text: "a=b, c", 1: 2}`},
			bad: map[string]string{
				"[from]": "must be names with a value each; such as {from", "from=x": "1 to 64 letters", "{a: b}{": "must be names with a value each", "a: b}, {c: d": "must be names with a value each", `from: "{callr}"`: "the nearest known is caller", `x: "{"`: "braces must hold",
				`x: "}"`: "braces must hold", `x: "{{caller}}"`: "braces must hold", `x: "{zzzzzz}"`: "known are {caller}, {destination}", "x: {caller}": "must be one value",
				"a b: x": "1 to 64 letters", strings.Repeat("n", 65) + ": x": "1 to 64 letters", "x: " + strings.Repeat("v", 1025): "at most 1024", `x: "a\nb"`: "one line", "x: true": "in quotes",
			},
		},
		"plans.default.agent.connect_timeout": timeout,
		"plans.default.agent.reconnect":       {good: []string{"0", "2", "100"}, bad: map[string]string{"101": "must be 0 to 100 times", "-1": "must be", "two": "whole number"}},
		"plans.default.agent.barge_in":        {good: []string{"bot", "auto"}, bad: map[string]string{"on": "must be bot or auto", "Auto": "the nearest known is auto"}},
		"plans.default.agent.on_close":        {good: []string{"hangup", "continue", "dialplan"}, bad: map[string]string{"hang up": "the nearest known is hangup", "": "must be hangup, continue or dialplan"}},
		"plans.default.agent.on_failure":      {good: []string{"hangup", "continue", "dialplan"}, bad: map[string]string{"dialpan": "the nearest known is dialplan", "": "must be"}},
		"plans.default.agent.insecure":        {good: []string{"true", "false"}, bad: map[string]string{"yes": "true or false"}},
		"plans.default.agent.url_from_call":   {good: []string{"true", "false"}, bad: map[string]string{"yes": "true or false"}},
		"plans.default.agent.permitted_hosts": {
			good: []string{"", "bots.example", "*.bots.example, 10.1.2.3,::1", "localhost"},
			bad:  map[string]string{"*": "*.NAME for all names", "bots.example:80": "without a port", "wss://bots.example": "a host's name", "*.1.2.3.4": "a host's name", "a.*": "a host's name", "*.": "a host's name"},
		},
		"plans.default.transcribe.url": {
			good: []string{"", "wss://api.deepgram.com/v1/listen", "wss://api.deepgram.com/v1/listen?keyterm=a&keyterm=b%20c&punctuate=true", "ws://127.0.0.1:2700", "ws://vosk:2700/", "ws://10.1.2.3", "ws://[fd00::1]:2700/x", "wss://1.2.3.4"},
			bad: map[string]string{
				"https://api.deepgram.com": "such as wss://api.deepgram.com/v1/listen", "api.deepgram.com": "must be a WebSocket URL", "wss://": "must name a host", "wss://key:secret@api.deepgram.com": "no password, which would be shown; write the key into a file and name it by key_file",
				"wss://u@h": "no user", "wss://h/#x": "no # part", "wss://h:0": "the port", "wss://h/a b": "must be a WebSocket URL", "wss://h?a=%zz": "NAME=VALUE, with & between", "wss://h?a=1;b=2": "NAME=VALUE, with & between", "wss://h/\r\nX: y": "one line",
				"ws://0.0.0.0": "can be connected to", "ws://1.2.3.4": "everyone on the way could listen; write wss://, or insecure: true", "ws://[2001:db8::1]:2700": "private addresses",
				"wss://h?encoding=mulaw": "the query's encoding is sent by tapdeck itself", "wss://h?model=nova-3": "write transcribe.model", "wss://h?%6Dodel=x": "the query's model", "wss://h?x=1&sample%5Frate=1": "the query's sample_rate", "wss://" + strings.Repeat("a", 2048): "at most 2048",
			},
		},
		"plans.default.transcribe.format":   {good: []string{"deepgram", "vosk"}, bad: map[string]string{"Vosk": "the nearest known is vosk", "": "must be deepgram or vosk", "google": "must be deepgram or vosk"}},
		"plans.default.transcribe.key_file": {good: file.good, bad: file.bad},
		"plans.default.transcribe.key_env":  {good: []string{"", "DEEPGRAM_API_KEY"}, bad: map[string]string{"1x": "no digit at its begin", "TAPDECK_X": "choose another name, such as SERVICE_KEY"}},
		"plans.default.transcribe.model":    {good: []string{"", "nova-3", "/models/my model"}, bad: map[string]string{strings.Repeat("m", 257): "at most 256", "a\nb": "one line", " a": "blank"}},
		"plans.default.transcribe.language": {good: []string{"", "en", "de-CH", "no", "multi", "es-419", "zh-Hant-TW"}, bad: map[string]string{"d e": "must be a language's tag: letters and digits, with - between; such as en, en-US or multi", "en_US": "must be a language's tag", "en-": "must be", "-": "must be", "en,de": "must be", "dé": "must be", strings.Repeat("l", 65): "at most 64", "a\nb": "one line"}},
		"plans.default.transcribe.interim":  {good: []string{"true", "false"}, bad: map[string]string{"yes": "true or false"}},
		"plans.default.transcribe.parameters": {
			good: []string{"", "{}", "punctuate: \"true\"", "endpointing: 300, keyterm: \"a, b {c}\"", "encoding: x"}, // there is no service yet
			bad: map[string]string{
				"[a]": "must be names with a value each; such as {punctuate: \"true\"}", "a b: x": "1 to 64 letters", "punctuate: true": "in quotes", "x: [a]": "must be one value", "x: " + strings.Repeat("v", 1025): "at most 1024", `x: "a\nb"`: "one line",
			},
		},
		"plans.default.transcribe.connect_timeout": timeout,
		"plans.default.transcribe.reconnect":       {good: []string{"0", "5", "100"}, bad: map[string]string{"101": "must be 0 to 100 times", "-1": "must be"}},
		"plans.default.transcribe.buffer":          {good: []string{"1s", "5m"}, bad: map[string]string{"999ms": "must be 1s to 5m", "301s": "must be", "30": "write 30s"}},
		"plans.default.transcribe.final_timeout":   {good: []string{"0s", "30s"}, bad: map[string]string{"31s": "must be 0s to 30s", "5": "write 5s"}},
		"plans.default.transcribe.insecure":        {good: []string{"true", "false"}, bad: map[string]string{"1": "true or false"}},
		"plans.default.steps": {
			good: []string{"answer", "[answer, hangup]", "answer, pause: 500ms, hangup: USER_BUSY", "- answer\n- play: {file: [a.wav, b.wav], stop_on: '#'}", "  - answer\n  - hangup\n", "\n  - answer\n  - hangup", " [answer,\n hangup] # both", "answer # now"},
			bad: map[string]string{
				"": "must not be empty; write the steps", "[]": "must not be empty", "answr": "the nearest known is answer", "{": "must be a list of steps in YAML",
				"a: [": "in YAML; such as [answer", "answer, hangup, pause: 1s": "nothing can follow hangup", "\x00": "in YAML",
				"[answer, hangup], stream": "something follows", "answer], [hangup": "something follows", "answer]": "something follows", "[answer] hangup": "something follows",
				"[answer]\n[hangup]": "something follows", "[answer]\n...\nfoo": "something follows", "- answer\n---\n- hangup": "something follows", "[answer": "in YAML",
			},
		},
		"plans.default.on_stream_failure": {good: []string{"hangup", "continue", "dialplan"}, bad: map[string]string{"hang up": "the nearest known is hangup", "": "must be hangup, continue or dialplan"}},
	}
}

func TestRules(t *testing.T) {
	table := values()
	for _, key := range defaultKeys() {
		c, ok := table[key]
		if !ok || len(c.good) == 0 || len(c.bad) == 0 {
			t.Errorf("%s has no test values", key)
			continue
		}
		t.Run(key, func(t *testing.T) {
			for _, text := range c.good {
				if _, err := Parse("", nil, Options{Flags: map[string]string{key: text}}); err != nil {
					t.Errorf("refused: %v", err)
				}
			}
			for text, want := range c.bad {
				checkRefused(t, key, text, want)
			}
		})
	}
}

func checkRefused(t *testing.T, key, text, want string) {
	t.Helper()
	_, err := Parse("", nil, Options{Flags: map[string]string{key: text}})
	got := messages(err)
	if len(got) != 1 {
		t.Errorf("%q: want one error, have %q", text, got)
		return
	}
	if !strings.HasPrefix(got[0], "flag -s "+key+": "+key) || !strings.Contains(got[0], want) {
		t.Errorf("%q: %s; want it to say %q", text, got[0], want)
	}
}
