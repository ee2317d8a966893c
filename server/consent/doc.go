// Package consent is how a generator and a server of another machine agree on a
// load: each proves to the other that it has the token, on the first connection,
// and only then may load begin.
//
// A proof is four lines of JSON. The generator says hello with a nonce and the
// address that it has dialled; the server answers by a nonce of its own; the
// generator proves the token and says what its run needs; the server proves the
// token and consents, or says why not. A proof is an HMAC-SHA256 (RFC 2104) with
// the token as its key over the role of who proves, the version of the protocol,
// all lines before, and the line itself. So no proof serves for the other
// role, another connection, another address or another wish; a server that
// echoes proves nothing. The generator proves first: who only finds a server gets
// nothing of it that a token could be guessed by.
//
// The connection stays open as long as the run. It is the lease: when it ends
// the consent ends. Meanwhile each line on it is proven likewise, and numbered.
//
// What a run is, sockets, files and who may be let in do not belong here. No
// clock but that of deadlines, which is monotonic, takes part.
package consent
