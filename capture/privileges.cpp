#include "capture/privileges.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace callwitness::capture {
namespace {

Error failed(std::string attempted) {
  return {Error::Kind::failed, std::move(attempted), std::strerror(errno), "run it with sudo from an ordinary account, or name one with -Z"};
}

std::optional<unsigned> number(const char* text) {
  unsigned value = 0;
  if (!text) return {};
  const char* end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, value);
  return error == std::errc{} && stopped == end ? std::optional(value) : std::nullopt;
}

// Refused for good after opening. New sockets, programs and files of the kernel are of no use to reading packets that
// already come in, and are what a fault in a parser would be abused for.
constexpr int refused[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone3), SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen),
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(mount), SCMP_SYS(umount2),
    SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
    SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(setuid), SCMP_SYS(setgid),
    SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups),
    SCMP_SYS(capset), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchown),
    SCMP_SYS(fchownat), SCMP_SYS(lchown), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(symlink), SCMP_SYS(link),
    SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(memfd_create), SCMP_SYS(personality), SCMP_SYS(syslog), SCMP_SYS(acct)};

}  // namespace

Result<std::optional<User>> unprivileged_user(const std::string& wanted) {
  if (geteuid() != 0) return std::optional<User>();
  const passwd* entry = nullptr;
  bool fallback = false;
  if (!wanted.empty()) {
    entry = getpwnam(wanted.c_str());
    if (!entry)
      return Error{Error::Kind::usage, "become user " + wanted, "there is no such user", "name an existing one with -Z"};
  } else if (const auto id = number(std::getenv("SUDO_UID")); id && *id != 0) {
    entry = getpwuid(*id);
  }
  if (!entry) {
    entry = getpwnam("nobody");
    fallback = true;
  }
  constexpr unsigned overflow_id = 65534;
  if (!entry) return std::optional(User{overflow_id, overflow_id, "nobody", true});
  return std::optional(User{entry->pw_uid, entry->pw_gid, entry->pw_name, fallback});
}

Result<void> become(const User& user) {
  for (int capability = 0; cap_get_bound(capability) >= 0; ++capability) cap_drop_bound(capability);
  if (setgroups(0, nullptr) != 0 || setresgid(user.group, user.group, user.group) != 0 ||
      setresuid(user.id, user.id, user.id) != 0)
    return failed("become user " + user.name);
  return {};
}

Result<void> confine() {
  const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> none(cap_init(), cap_free);
  if (!none || cap_set_proc(none.get()) != 0) return failed("give up all capabilities");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("give up gaining privileges");
  const std::unique_ptr<void, void (*)(void*)> filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  bool ok = filter != nullptr;
  for (const int call : refused)
    ok = ok && seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
  if (!ok || seccomp_load(filter.get()) != 0) return failed("load the system-call filter");
  return {};
}

}  // namespace callwitness::capture
