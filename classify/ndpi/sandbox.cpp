#include "classify/ndpi/sandbox.hpp"

#include "classify/ndpi/engine.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

namespace callwitness::classify::ndpi {
namespace {

constexpr int socket_place = 3;
constexpr rlim_t address_space_limit = rlim_t{1} << 30;
// A successor is forked in a millisecond; a stranger who sends thousands of killers gets unlabelled flows instead.
constexpr std::uint32_t crash_limit = 1000, hang_limit = 20;

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  setrlimit(static_cast<__rlimit_resource_t>(resource), &both);
}

/// A program with file capabilities has them without being root.
void drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
  syscall(SYS_capset, &header, none);
}

/// Leaves everything of the parent behind: files, terminal, signals, privileges.
void detach(int socket, int parent) {
  dup2(socket, socket_place);
  close_range(socket_place + 1, ~0U, 0);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard = 0; null >= 0 && standard < socket_place; ++standard) dup2(null, standard);
  if (null > socket_place) close(null);
  setsid();  // a Ctrl-C at the terminal is the parent's to handle
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_IGN);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGCHLD, SIGPROF}) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (geteuid() == 0) {
    constexpr unsigned nobody = 65534;
    if (setgroups(0, nullptr) != 0 || setresgid(nobody, nobody, nobody) != 0 || setresuid(nobody, nobody, nobody) != 0)
      (void)nobody;  // not allowed to: the system-call filter below confines it all the same
  }
  drop_capabilities();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
#ifndef __SANITIZE_ADDRESS__  // its shadow alone takes terabytes of address space
  limit(RLIMIT_AS, address_space_limit);
#endif
}

/// With TZ set, no later call of localtime or mktime looks at a file. UTC, so that no zone changes an answer.
void warm_up_time() {
  setenv("TZ", "UTC0", 1);
  tzset();
  const std::time_t some_time = 1'600'000'000;
  std::tm parts{};
  localtime_r(&some_time, &parts);
  (void)mktime(&parts);
}

bool load_filter(std::initializer_list<int> allowed, bool may_fork) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter) return false;
  bool ok = true;
  for (const int call : allowed) ok = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0 && ok;
  if (!may_fork)
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
      ok = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                            scmp_arg_cmp{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}) == 0 && ok;
  ok = ok && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return ok;
}

bool confine_warden() {
  return load_filter({SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(clone),
                      SCMP_SYS(wait4), SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(getppid), SCMP_SYS(getpid),
                      SCMP_SYS(gettid), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(rt_sigprocmask),
                      SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn), SCMP_SYS(setitimer), SCMP_SYS(futex),
                      SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk),
                      SCMP_SYS(madvise), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
                      SCMP_SYS(getrandom), SCMP_SYS(sched_yield), SCMP_SYS(sigaltstack)},
                     true);
}

bool confine_worker() {
  return load_filter({SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(setitimer),
                      SCMP_SYS(rt_sigreturn), SCMP_SYS(futex), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk),
                      SCMP_SYS(madvise), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
                      SCMP_SYS(getrandom), SCMP_SYS(sched_yield)},
                     false);
}

/// The kernel ends a worker whose job takes too much CPU time, however busy the machine is.
void arm_watch() {
  itimerval watch{};
  watch.it_value = {hang_milliseconds / 1000, hang_milliseconds % 1000 * 1000};
  setitimer(ITIMER_PROF, &watch, nullptr);
}

[[noreturn]] void run_worker(Engine& engine, Shared& shared, std::uint32_t generation, int warden) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != warden || !confine_worker()) _exit(1);
  std::vector<std::uint8_t> batch(batch_limit);
  std::vector<std::uint8_t> reply;
  for (;;) {
    const auto got = read(socket_place, batch.data(), batch.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) _exit(0);
    capture::Bytes rest(batch.data(), static_cast<std::size_t>(got));
    BatchHeader header{};
    if (rest.size() < sizeof header) continue;
    std::memcpy(&header, rest.data(), sizeof header);
    if (header.generation != generation) continue;
    rest = rest.subspan(sizeof header);
    reply.assign(sizeof(ReplyHeader), 0);
    std::uint32_t count = 0;
    for (; count < header.jobs && rest.size() >= sizeof(JobHeader); ++count) {
      JobHeader job;
      std::memcpy(&job, rest.data(), sizeof job);
      rest = rest.subspan(sizeof job);
      if (job.bytes > rest.size()) break;
      shared.current_job.store(job.number, std::memory_order_relaxed);
      arm_watch();
      const auto answer = engine.ask(job.number, rest.first(job.bytes));
      shared.current_job.store(0, std::memory_order_relaxed);
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(&answer);
      reply.insert(reply.end(), bytes, bytes + sizeof answer);
      rest = rest.subspan(job.bytes);
    }
    const ReplyHeader told{Kind::answers, generation, count, 0};
    std::memcpy(reply.data(), &told, sizeof told);
    if (write(socket_place, reply.data(), reply.size()) < 0) _exit(0);
  }
}

}  // namespace

void run_warden(int socket, Shared& shared, int parent) {
  detach(socket, parent);
  warm_up_time();
  Engine engine;
  if (!engine.ok()) _exit(1);
  engine.name_protocols(shared);
  if (!confine_warden()) _exit(1);
  const ReplyHeader ready{Kind::ready, 0, 0, 0};
  if (write(socket_place, &ready, sizeof ready) < 0) _exit(0);
  const int warden = getpid();
  std::uint32_t crashes = 0, hangs = 0;
  for (std::uint32_t generation = 1;; ++generation) {
    shared.current_job.store(0);
    const int worker = fork();
    if (worker == 0) run_worker(engine, shared, generation, warden);
    int status = 0;
    while (worker > 0 && waitpid(worker, &status, 0) < 0 && errno == EINTR) {}
    if (worker < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) _exit(0);
    const ReplyHeader died{Kind::died, generation, shared.current_job.load(), status};
    if (write(socket_place, &died, sizeof died) < 0) _exit(0);
    ++(WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF ? hangs : crashes);
    if (crashes > crash_limit || hangs > hang_limit) _exit(1);
  }
}

}  // namespace callwitness::classify::ndpi
