// Package server is the bundled listener: the other end of a run's connections.
// It accepts at very high rates, holds more connections than one descriptor
// table can, closes first or second, by FIN or RST, and counts what it saw.
//
// There is no goroutine a connection and, but for strangers, no package net. It works in one of
// two ways. Apart, threads of its own accept; each has a descriptor table of
// its own, and one accepts at a time until its table is full and the next takes
// its turn. Together, an [End] accepts on the thread that opens connections.
//
// What clients say is one byte at a time: 1 is a request, answered by a 1, and 0
// asks a listener that closes first to do so now. All else is thrown away. Over
// UDP there are no connections: a datagram of one byte 2 opens, and is answered
// by a 2, so that open means a round trip.
//
// A [Guard] lets nobody but its tenants in, and hands the connections of all
// others over to who asks them for a proof: package door.
//
// Opening connections, knowing what a run is for, and proving who may connect
// do not belong here.
package server
