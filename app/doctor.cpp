#include "app/commands.hpp"
#include "capture/live.hpp"
#include "classify/ndpi/labeller.hpp"
#include "report/encode.hpp"

#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

namespace callwitness::app {
namespace {

enum class State { ok, warn, fail };

struct Check {
  State state;
  std::string what, remedy;
};

std::string_view word(State state) {
  return state == State::ok ? "ok  " : state == State::warn ? "warn" : "fail";
}

bool has_capability(int capability) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("CapEff:", 0) == 0) return std::stoull(line.substr(7), nullptr, 16) >> capability & 1;
  return false;
}

Check permission() {
  if (has_capability(CAP_NET_RAW)) return {State::ok, "may capture live (given up again before the first packet is read)", ""};
  return {State::warn, "may not capture live; analysing files works",
          "sudo callwitness watch …, or once: sudo setcap cap_net_raw,cap_net_admin=eip \"$(command -v callwitness)\""};
}

Check interfaces(std::string& chosen) {
  const auto list = capture::list_interfaces();
  if (!list) return {State::fail, "interfaces can't be listed: " + list.error().reason, list.error().remedy};
  std::string names;
  for (const auto& entry : *list)
    if (entry.up && !entry.loopback && entry.name != "any") names += " " + report::for_terminal(entry.name);
  const auto standard = capture::default_interface();
  if (!standard) return {State::warn, "no interface is up", standard.error().remedy};
  chosen = *standard;
  return {State::ok, "interfaces up:" + names + "; watch takes " + report::for_terminal(chosen) + " unless told with -i", ""};
}

Check kernel() {
  utsname name{};
  uname(&name);
  return {State::ok, fmt::format("{} {} on {}", name.sysname, name.release, name.machine), ""};
}

Check clock_state() {
  timex state{};
  const int answer = adjtimex(&state);
  if (answer == TIME_ERROR || (state.status & STA_UNSYNC))
    return {State::warn, "the clock is not synchronised: times of two captures can't be compared",
            "sudo timedatectl set-ntp true, or install chrony"};
  return {State::ok, fmt::format("the clock is synchronised (error below {} ms)", state.maxerror / 1000 + 1), ""};
}

/// Frames that the card has joined look like large packets: sizes and gaps are then not those of the wire.
Check offload(const std::string& interface) {
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0 || interface.empty() || interface.size() >= IFNAMSIZ) {
    if (descriptor >= 0) close(descriptor);
    return {State::warn, "whether received packets are joined (GRO) can't be told", ""};
  }
  const auto ask = [&](unsigned command) {
    ethtool_value value{command, 0};
    ifreq request{};
    std::memcpy(request.ifr_name, interface.c_str(), interface.size());
    request.ifr_data = reinterpret_cast<char*>(&value);
    return ioctl(descriptor, SIOCETHTOOL, &request) == 0 && value.data != 0;
  };
  const bool joins = ask(ETHTOOL_GGRO);
  close(descriptor);
  if (joins)
    return {State::warn, interface + " joins received packets (GRO): TCP sizes and gaps are not those of the wire, UDP calls are hardly touched",
            "sudo ethtool -K " + interface + " gro off   (while measuring)"};
  return {State::ok, interface + " does not join received packets", ""};
}

Check ndpi_works() {
  classify::ndpi::Labeller labeller;
  static constexpr std::uint8_t query[] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e',
                                           3, 'c', 'o', 'm', 0, 0, 1, 0, 1};
  capture::Datagram datagram;
  datagram.five_tuple = {{capture::IpAddress::v4(0xc0000201), 40000}, {capture::IpAddress::v4(0xc6336401), 53}, capture::protocol::udp};
  datagram.payload = query;
  datagram.payload_length = sizeof query;
  labeller.submit(classify::FlowId{0}, datagram);
  if (labeller.drain().size() == 1) return {State::ok, "nDPI answers from its sandbox", ""};
  return {State::warn, "nDPI gives no answer: applications are recognised by our own means only",
          "sudo apt install libndpi4.2; a container must allow seccomp and fork"};
}

Check chromium() {
  for (const char* path : {"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"})
    if (access(path, X_OK) == 0) return {State::ok, std::string("PDF reports by ") + path, ""};
  return {State::warn, "no Chromium: reports are HTML, without PDF", "sudo apt install chromium"};
}

}  // namespace

capture::Result<int> doctor(const Options& options) {
  std::string interface;
  std::vector<Check> checks{{State::ok, "callwitness " CALLWITNESS_VERSION ", libpcap " + capture::libpcap_version(), ""}, kernel(), permission()};
  checks.push_back(interfaces(interface));
  checks.push_back(offload(interface));
  checks.push_back(clock_state());
  checks.push_back(ndpi_works());
  checks.push_back(chromium());
  std::string text;
  bool failed = false;
  for (const auto& check : checks) {
    text += fmt::format("{}  {}\n", word(check.state), check.what);
    if (check.state != State::ok && !check.remedy.empty()) text += fmt::format("      {}\n", check.remedy);
    failed = failed || check.state == State::fail;
  }
  const auto printed = print_text(text, options);
  if (!printed) return printed.error();
  return failed ? exit_status::failed : exit_status::done;
}

}  // namespace callwitness::app
