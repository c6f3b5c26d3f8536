#include "capture/live_handle.hpp"

#include "capture/address.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <charconv>
#include <fstream>
#include <sstream>

namespace callwitness::capture {
namespace {

struct ClosePcap {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};
struct FreeDevices {
  void operator()(pcap_if_t* devices) const { pcap_freealldevs(devices); }
};
using Devices = std::unique_ptr<pcap_if_t, FreeDevices>;

Result<Devices> devices() {
  char reason[PCAP_ERRBUF_SIZE] = "";
  pcap_if_t* all = nullptr;
  if (pcap_findalldevs(&all, reason) != 0)
    return Error{Error::Kind::unreadable, "list the interfaces", reason, "run `callwitness doctor`"};
  return Devices(all);
}

std::string address_text(const sockaddr* address) {
  if (!address) return {};
  IpAddress value;
  const auto* raw = reinterpret_cast<const std::uint8_t*>(address);
  if (address->sa_family == 2) {  // AF_INET: port, then the address
    value.version = 4;
    std::copy_n(raw + 4, 4, value.bytes.begin());
  } else if (address->sa_family == 10) {  // AF_INET6: port, flow, then the address
    value.version = 6;
    std::copy_n(raw + 8, 16, value.bytes.begin());
  } else {
    return {};
  }
  return value.text();
}

Error cannot_open(const std::string& name, int code, const std::string& detail) {
  Error error{Error::Kind::unreadable, "capture on " + name, detail, "list the interfaces with `callwitness watch -D`"};
  if (code == PCAP_ERROR_PERM_DENIED || code == PCAP_ERROR_PROMISC_PERM_DENIED) {
    error.reason = "no permission to capture";
    error.remedy = "run it with sudo, or once: sudo setcap cap_net_raw,cap_net_admin=eip \"$(command -v callwitness)\"";
  } else if (code == PCAP_ERROR_NO_SUCH_DEVICE) {
    error.reason = "there is no such interface";
  } else if (code == PCAP_ERROR_IFACE_NOT_UP) {
    error.reason = "the interface is down";
    error.remedy = "sudo ip link set " + name + " up";
  }
  return error;
}

}  // namespace

struct LiveHandle::State {
  std::unique_ptr<pcap_t, ClosePcap> pcap;
  std::string name;
  LinkType link_type{};
  std::uint64_t received = 0, dropped = 0, dropped_by_interface = 0;
};

LiveHandle::LiveHandle(std::unique_ptr<State> state) : state_(std::move(state)) {}
LiveHandle::LiveHandle(LiveHandle&&) noexcept = default;
LiveHandle& LiveHandle::operator=(LiveHandle&&) noexcept = default;
LiveHandle::~LiveHandle() = default;

Result<LiveHandle> LiveHandle::open(const LiveOptions& options) {
  std::string name = options.interface;
  unsigned number = 0;  // tcpdump takes the numbers of -D too
  if (const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
      error == std::errc{} && end == name.data() + name.size() && number > 0) {
    auto all = devices();
    if (!all) return all.error();
    const pcap_if_t* device = all->get();
    for (; device && number > 1; --number) device = device->next;
    if (device) name = device->name;
  }
  char reason[PCAP_ERRBUF_SIZE] = "";
  auto state = std::make_unique<State>();
  state->name = name;
  state->pcap.reset(pcap_create(name.c_str(), reason));
  pcap_t* pcap = state->pcap.get();
  if (!pcap) return cannot_open(name, 0, reason);
  pcap_set_snaplen(pcap, static_cast<int>(std::min<std::uint32_t>(options.snap_length, 262'144)));
  pcap_set_promisc(pcap, options.promiscuous);
  pcap_set_timeout(pcap, static_cast<int>(block_age.count()));
  pcap_set_buffer_size(pcap, static_cast<int>(std::min<std::uint64_t>(std::uint64_t{options.buffer_kib} * 1024, INT32_MAX)));
  pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
  if (const int code = pcap_activate(pcap); code < 0) return cannot_open(name, code, pcap_geterr(pcap));
  if (pcap_setnonblock(pcap, 1, reason) != 0) return cannot_open(name, 0, reason);
  if (!options.filter.empty()) {
    bpf_program program{};
    const bool good = pcap_compile(pcap, &program, options.filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0;
    const bool set = good && pcap_setfilter(pcap, &program) == 0;
    if (good) pcap_freecode(&program);
    if (!set)
      return Error{Error::Kind::usage, "use the filter '" + options.filter + "'", pcap_geterr(pcap), "see pcap-filter(7)"};
  }
  state->link_type = static_cast<LinkType>(pcap_datalink(pcap));
  // DLT_RAW has its own number on each system; files hold LINKTYPE_RAW.
  constexpr int linktype_raw = 101;
  if (pcap_datalink(pcap) == DLT_RAW) state->link_type = static_cast<LinkType>(linktype_raw);
  return LiveHandle(std::move(state));
}

int LiveHandle::descriptor() const { return pcap_get_selectable_fd(state_->pcap.get()); }
LinkType LiveHandle::link_type() const { return state_->link_type; }
const std::string& LiveHandle::name() const { return state_->name; }
std::string LiveHandle::error() const { return pcap_geterr(state_->pcap.get()); }

RecordedInterface LiveHandle::recorded_interface(const LiveOptions& options) const {
  return {state_->link_type, static_cast<std::uint32_t>(pcap_snapshot(state_->pcap.get())), state_->name, options.filter, ""};
}

int LiveHandle::read(int most, const std::function<bool(const Packet&)>& take) {
  struct Context {
    State& state;
    const std::function<bool(const Packet&)>& take;
  } context{*state_, take};
  const auto callback = [](unsigned char* user, const pcap_pkthdr* header, const unsigned char* bytes) {
    auto& [state, sink] = *reinterpret_cast<Context*>(user);
    const Packet packet{Time(std::chrono::seconds(header->ts.tv_sec) + Duration(header->ts.tv_usec)),
                        Bytes(bytes, header->caplen), header->len, state.link_type, LinkDirection::unknown, 0};
    if (!sink(packet)) pcap_breakloop(state.pcap.get());
  };
  const int got = pcap_dispatch(state_->pcap.get(), most, callback, reinterpret_cast<unsigned char*>(&context));
  return got == PCAP_ERROR_BREAK ? 0 : got;
}

void LiveHandle::wait(std::chrono::milliseconds longest) const {
  pollfd descriptor_to_read{descriptor(), POLLIN, 0};   // -1, where libpcap has none, is ignored
  static_cast<void>(::poll(&descriptor_to_read, 1, static_cast<int>(longest.count())));
}

std::optional<bool> LiveHandle::running() const {
  ifreq request{};
  if (state_->name.size() >= sizeof request.ifr_name) return {};
  std::copy(state_->name.begin(), state_->name.end(), request.ifr_name);
  if (ioctl(pcap_fileno(state_->pcap.get()), SIOCGIFFLAGS, &request) != 0) return {};   // "any" is no device
  return (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}

std::optional<InterfaceStatistics> LiveHandle::statistics() {
  pcap_stat counters{};
  if (pcap_stats(state_->pcap.get(), &counters) != 0) return {};
  // libpcap counts in 32 bits, which a day at 50,000 packets a second overruns.
  const auto go_on = [](std::uint64_t& total, unsigned now) { return total += static_cast<std::uint32_t>(now - static_cast<std::uint32_t>(total)); };
  InterfaceStatistics statistics;
  statistics.received = go_on(state_->received, counters.ps_recv);
  statistics.dropped_by_system = go_on(state_->dropped, counters.ps_drop);
  statistics.dropped_by_interface = go_on(state_->dropped_by_interface, counters.ps_ifdrop);
  return statistics;
}

Result<std::vector<LiveInterface>> list_interfaces() {
  auto all = devices();
  if (!all) return all.error();
  std::vector<LiveInterface> list;
  for (const pcap_if_t* device = all->get(); device; device = device->next) {
    LiveInterface entry;
    entry.name = device->name;
    if (device->description) entry.description = device->description;
    entry.up = device->flags & PCAP_IF_UP;
    entry.loopback = device->flags & PCAP_IF_LOOPBACK;
    for (const pcap_addr* address = device->addresses; address; address = address->next)
      if (const auto text = address_text(address->addr); !text.empty())
        entry.addresses += (entry.addresses.empty() ? "" : " ") + text;
    list.push_back(std::move(entry));
  }
  return list;
}

Result<std::string> default_interface() {
  std::ifstream routes("/proc/net/route");  // Iface Destination …, in hexadecimal
  for (std::string line; std::getline(routes, line);) {
    std::istringstream fields(line);
    std::string name, destination;
    if (fields >> name >> destination && destination == "00000000") return name;
  }
  auto all = list_interfaces();
  if (!all) return all.error();
  for (const auto& entry : *all)
    if (entry.up && !entry.loopback && entry.name != "any") return entry.name;
  return Error{Error::Kind::unreadable, "choose an interface", "none is up", "name one with -i (`callwitness watch -D` lists them)"};
}

std::string libpcap_version() {
  const std::string text = pcap_lib_version();  // "libpcap version 1.10.3 (with TPACKET_V3)"
  const auto begin = text.find_first_of("0123456789");
  return begin == std::string::npos ? text : text.substr(begin, text.find(' ', begin) - begin);
}

}  // namespace callwitness::capture
