package result

// Cost is what one connection cost, and what of it was lastport's own. A user or
// system time of 0 is what the kernel's ticks found: what a tick does not find may
// still have been used. Of a run with few ticks the total alone is known.
type Cost struct {
	CPUNSPerConn       int64       `json:"cpu_ns_per_conn"`                // of all threads, both ends where both are lastport's; exact
	UserCPUNSPerConn   *int64      `json:"user_cpu_ns_per_conn,omitempty"` // what of it ticks found in user space
	SysCPUNSPerConn    *int64      `json:"sys_cpu_ns_per_conn,omitempty"`
	Generator          *CPUPerConn `json:"generator,omitempty"` // of the threads that open; absent with ends together, where each does both ends
	Listener           *CPUPerConn `json:"listener,omitempty"`  // of those that accept; likewise
	UserBytesPerConn   *int64      `json:"user_bytes_per_conn,omitempty"`
	KernelBytesPerConn *int64      `json:"kernel_bytes_per_conn,omitempty"` // growth of the whole host's kernel objects
	ToolShare          *float64    `json:"tool_share,omitempty"`            // of the processor time, what was not the kernel's work for connections
	GeneratorBusy      *float64    `json:"generator_busy,omitempty"`        // of the time, how much the threads that open ran
	HostBusy           *float64    `json:"host_busy,omitempty"`             // of the host's processors, how much lastport used
}

// CPUPerConn is the processor time of one end of one connection; 0 as in Cost.
type CPUPerConn struct {
	UserNS int64 `json:"user_ns"`
	SysNS  int64 `json:"sys_ns"`
}

// Observer is what watching the kernel cost.
type Observer struct {
	Samples     int64   `json:"samples"`
	Dumps       int64   `json:"dumps"`       // samples that listed every connection, by sock_diag and on a gateway by conntrack
	DumpNS      int64   `json:"dump_ns"`     // processor time that those lists took
	Interrupted int64   `json:"interrupted"` // lists during which a table changed, so that a connection may be missing or double
	CPUNS       int64   `json:"cpu_ns"`      // processor time of its thread
	Share       float64 `json:"share"`       // of one processor, over the run
}
