package agent

// The hints about the bot, word for word.
const (
	hintTimeout  = "the bot's machine or a firewall before it drops what is sent to agent.url, or the bot is too busy to answer: look there, or raise agent.connect_timeout. Or it speaks no TLS, and agent.url must say ws://"
	hintRefused  = "nothing listens at agent.url: is the bot running, and are host and port those of its WebSocket server?"
	hintNoHost   = "the host of agent.url is not known to DNS on this machine: is it spelled right?"
	hintNoRoute  = "this machine has no route to the host of agent.url: look at its network and firewall"
	hintTLS      = "the certificate of agent.url is not one that this machine trusts for that host: give the bot a valid one, or name its authority in the daemon's environment: SSL_CERT_FILE=ca.pem"
	hintPlain    = "agent.url says wss://, but no TLS answers there: is it ws://, or another port?"
	hintNoHTTP   = "what listens at agent.url speaks no HTTP: is it another port, or wss:// instead of ws://?"
	hintSecret   = "the bot refuses who calls it, or something it was told (see err): compare agent.token_file and agent.twilio_auth_token_file with what the bot expects; Twilio's signature is made of agent.url as the plan has it, so a proxy must not change what the bot takes for its URL"
	hintPath     = "the bot's server has nothing at the path of agent.url: compare it with the bot's"
	hintRedirect = "redirects are not followed, so that the token goes nowhere else: put the final address into agent.url"
	hintNoSocket = "a web server answers at agent.url, but no WebSocket: is it the right path, and does a proxy before the bot pass upgrades on?"
	hintBroken   = "the bot or a proxy before it has an error: look at its log"
	hintCrash    = "the bot's process has ended, or a proxy before it has cut the connection: look at the log of both. If it was never reached, it may speak TLS: wss:// instead of ws://"
	hintClosed   = "the bot has closed with an error: look at its log"
	hintAddress  = "use wss://, or set agent.insecure: true if the way to the bot is safe by other means"
	hintLook     = "look at the bot's log at this time"
)

// maxSecretRun is how much of a token may be read, and maxText how much of a text is looked at, in bytes.
const (
	maxSecretRun = 12
	maxText      = 1 << 10
)
