package server

import "bytes"

// What a byte from a client means. All others are thrown away.
const (
	byteClose   = 0    // close, please: to a listener that closes first
	byteRequest = 1    // a request; its answer is the same byte, over UDP with the answerBit
	byteOpen    = 2    // over UDP: the first datagram from a port; its answer has the answerBit
	answerBit   = 0x80 // an answer over UDP is nothing that any listener would answer
)

// understand tells how many requests the data holds, and whether they are
// followed by the wish for a close, if the client may have it. What comes after
// that wish is nothing any more.
func understand(data []byte, mayAsk bool) (requests int, asked bool) {
	if mayAsk {
		data, _, asked = bytes.Cut(data, []byte{byteClose})
	}
	return bytes.Count(data, []byte{byteRequest}), asked
}

// answers returns as many answers as there are requests in buf, which they
// overwrite.
func answers(buf []byte, requests int) []byte {
	buf = buf[:requests]
	for i := range buf {
		buf[i] = byteRequest
	}
	return buf
}
