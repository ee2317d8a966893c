package diag

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Query says which sockets to list. The kernel leaves out the others, so that
// they cost no copy.
type Query struct {
	Family uint8 // AF_INET or AF_INET6
	UDP    bool  // else TCP
	States States
	Ports  Ports // a socket has one of them, at its own end or the other
}

// Ports are the ports from Low to High, both included. The zero value is all.
type Ports struct{ Low, High uint16 }

// Each calls f for every socket that the query is about, in the network
// namespace of the calling thread. f must not keep the pointer. ErrInterrupted
// comes after the last call of f.
func (q Query) Each(f func(*Socket)) error { return list(q.bytes(), f) }

// bytes writes the query as the kernel reads it: a struct inet_diag_req_v2, and
// as an attribute the filter.
func (q Query) bytes() []byte {
	protocol := uint8(unix.IPPROTO_TCP)
	if q.UDP {
		protocol = unix.IPPROTO_UDP
		if q.States&Of(BoundInactive) != 0 {
			q.States |= Of(Closed) // as udp_diag asks for them
		}
	}
	filter := q.Ports.bytecode()
	size := unix.SizeofNlMsghdr + reqSize
	if filter != nil {
		size += unix.SizeofNlAttr + len(filter)
	}
	b := make([]byte, unix.SizeofNlMsghdr+reqSize, size)
	ne := binary.NativeEndian
	ne.PutUint32(b[0:], uint32(size))
	ne.PutUint16(b[4:], sockDiagByFamily)
	ne.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	req := b[unix.SizeofNlMsghdr:]
	req[0] = q.Family
	req[1] = protocol
	ne.PutUint32(req[4:], uint32(q.States))
	if filter != nil {
		b = ne.AppendUint16(b, uint16(unix.SizeofNlAttr+len(filter)))
		b = ne.AppendUint16(b, reqBytecode)
		b = append(b, filter...)
	}
	return b
}

// reqBytecode is INET_DIAG_REQ_BYTECODE of include/uapi/linux/inet_diag.h, and
// so are the codes below.
const reqBytecode = 1

const (
	codeJump        = 1 // INET_DIAG_BC_JMP
	codeLocalFrom   = 2 // _S_GE
	codeLocalUpTo   = 3 // _S_LE
	codeRemoteFrom  = 4 // _D_GE
	codeRemoteUpTo  = 5 // _D_LE
	bytecodeSize    = 36
	bytecodeSecond  = 20               // where the test of the local port begins
	bytecodeRefused = bytecodeSize + 4 // a jump beyond the end by 4 refuses a socket, one to the end takes it
)

// bytecode writes the ports as a program that the kernel runs for each socket
// (inet_diag_bc_run of net/ipv4/inet_diag.c): is the remote port among them, or
// else the local one? Jumps are counted from their own instruction; a port
// stands in the instruction after the one that compares with it. nil is no
// filter.
func (p Ports) bytecode() []byte {
	if p == (Ports{}) {
		return nil
	}
	b := make([]byte, 0, bytecodeSize)
	compare := func(code uint8, port uint16, otherwise int) {
		b = instruction(b, code, 8, otherwise-len(b))
		b = instruction(b, 0, 0, int(port))
	}
	compare(codeRemoteFrom, p.Low, bytecodeSecond)
	compare(codeRemoteUpTo, p.High, bytecodeSecond)
	b = instruction(b, codeJump, 4, bytecodeSize-len(b))
	compare(codeLocalFrom, p.Low, bytecodeRefused)
	compare(codeLocalUpTo, p.High, bytecodeRefused)
	return b
}

// instruction appends a struct inet_diag_bc_op: yes and no are how far to go on
// if it holds and if it does not.
func instruction(b []byte, code, yes uint8, no int) []byte {
	return binary.NativeEndian.AppendUint16(append(b, code, yes), uint16(no))
}
