/* Shifts the wall clock of a process, as an operator or NTP sets the system's. Preloaded by tests/process.rs.
 *
 * The file that CLOCK_SHIFT names holds the shift in nanoseconds, eight bytes in the machine's order. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;

__attribute__((constructor)) static void map_shift(void) {
    const char *path = getenv("CLOCK_SHIFT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) shift = page;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && shift) {
        const int64_t second = 1000000000;
        int64_t nanos = time->tv_sec * second + time->tv_nsec + *shift;
        time->tv_sec = nanos / second;
        time->tv_nsec = nanos % second;
    }
    return result;
}
