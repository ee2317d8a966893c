// fill: opens connections to one listener, one after the other, until no port of the range is left.
//
//   fill connect|range [LOW HIGH]
//
// connect: the kernel chooses from ip_local_port_range, which is to be LOW to HIGH.
// range: the same ports, asked for on the socket by IP_LOCAL_PORT_RANGE.
// The range must fit the descriptor limit: nothing is closed.
#define _GNU_SOURCE
#include "limit.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 // linux/in.h, Linux 6.3
#endif

int main(int argc, char **argv)
{
	unsigned low = (unsigned)number(argc, argv, 2, 40000), high = (unsigned)number(argc, argv, 3, 57999);
	unsigned ports = high << 16 | low;
	int by_range = argc > 1 && !strcmp(argv[1], "range");
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(FIRST_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	long n = 0;

	if (!by_range && (argc < 2 || strcmp(argv[1], "connect"))) {
		fprintf(stderr, "usage: fill connect|range [LOW HIGH]\n");
		return 2;
	}
	listener(0, 0, 0);
	uint64_t start = now_ns();
	for (;; n++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0) die("socket");
		if (by_range && setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &ports, sizeof ports)) die("IP_LOCAL_PORT_RANGE");
		if (connect(fd, (struct sockaddr *)&to, sizeof to)) break;
	}
	if (errno != EADDRNOTAVAIL) die("connect");
	report(n, start);
	return 0;
}
