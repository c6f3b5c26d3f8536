#include "classify/ndpi/engine.hpp"

#include "classify/ndpi/labeller.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#define NDPI_LIB_COMPILATION  // shows the detection module's members: its caches have no function to clear them
#include <ndpi_api.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cctype>
#include <cstring>
#include <vector>

namespace callwitness::classify::ndpi {
namespace {

// nDPI reads past the end of some packets (tinc, empty UDP after QUIC): what it finds there is always zeros.
constexpr std::size_t slack = 4096;
// Any constant will do; nDPI compares times with each other only.
constexpr std::uint64_t time_base_milliseconds = 1'600'000'000'000;

struct FreeModule {
  void operator()(ndpi_detection_module_struct* module) const { ndpi_exit_detection_module(module); }
};

void* allocate_zeroed(std::size_t size) { return std::calloc(1, size); }

/// The library's own macro computes in a wider type than it stores.
void leave_out(NDPI_PROTOCOL_BITMASK& from, unsigned protocol) {
  from.fds_bits[protocol / NDPI_BITS] &= ~(ndpi_ndpi_mask{1} << (protocol % NDPI_BITS));
}

void drop(ndpi_lru_cache*& cache) {
  if (cache) ndpi_lru_free_cache(cache);
  cache = nullptr;  // nDPI makes a new one when it next needs it
}

std::uint32_t certainty_of(const ndpi_flow_struct& flow) {
  switch (flow.confidence) {
    case NDPI_CONFIDENCE_MATCH_BY_PORT: return static_cast<std::uint32_t>(Certainty::port);
    case NDPI_CONFIDENCE_MATCH_BY_IP: return static_cast<std::uint32_t>(Certainty::address);
    case NDPI_CONFIDENCE_DPI_CACHE:
    case NDPI_CONFIDENCE_DPI: return static_cast<std::uint32_t>(Certainty::content);
    default: return static_cast<std::uint32_t>(Certainty::none);
  }
}

}  // namespace

std::string_view library_version() { return ndpi_revision(); }

struct Engine::State {
  std::unique_ptr<ndpi_detection_module_struct, FreeModule> module;
  std::vector<std::uint8_t> flow;
  std::vector<std::uint8_t> packet = std::vector<std::uint8_t>(Labeller::payload_limit + 128 + slack);
  std::size_t used = 0;

  void forget_other_flows() {
    drop(module->ookla_cache);
    drop(module->bittorrent_cache);
    drop(module->zoom_cache);
    drop(module->stun_cache);
    drop(module->tls_cert_cache);
    drop(module->mining_cache);
    drop(module->msteams_cache);
  }

  void load(capture::Bytes bytes) {
    std::memcpy(packet.data(), bytes.data(), bytes.size());
    if (bytes.size() < used) std::memset(packet.data() + bytes.size(), 0, used - bytes.size());
    used = bytes.size();
  }
};

Engine::Engine() : state_(new State) {
  set_ndpi_malloc(allocate_zeroed);
  set_ndpi_flow_malloc(allocate_zeroed);
  state_->module.reset(ndpi_init_detection_module(ndpi_no_prefs));
  if (!state_->module) return;
  NDPI_PROTOCOL_BITMASK all;
  NDPI_BITMASK_SET_ALL(all);
  leave_out(all, NDPI_PROTOCOL_TINC);  // reads past the end, keeps a cache of its own, and is no voice
  ndpi_set_protocol_detection_bitmask2(state_->module.get(), &all);
  ndpi_finalize_initialization(state_->module.get());
  state_->flow.resize(std::max<std::size_t>(ndpi_detection_get_sizeof_ndpi_flow_struct(), sizeof(ndpi_flow_struct)));
}

Engine::~Engine() = default;
bool Engine::ok() const { return state_->module != nullptr; }

void Engine::name_protocols(Shared& shared) const {
  const auto count = std::min<std::size_t>(ndpi_get_num_supported_protocols(state_->module.get()), names_limit);
  for (std::size_t id = 1; id < count; ++id) {  // 0 is "Unknown": no name
    const char* name = ndpi_get_proto_name(state_->module.get(), static_cast<std::uint16_t>(id));
    auto& to = shared.names[id];
    for (std::size_t i = 0; name && name[i] && i + 1 < name_limit; ++i)
      to[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
}

WireAnswer Engine::ask(std::uint32_t job, capture::Bytes packets) {
  auto* module = state_->module.get();
  std::fill(state_->flow.begin(), state_->flow.end(), std::uint8_t{0});
  auto* flow = reinterpret_cast<ndpi_flow_struct*>(state_->flow.data());
  while (packets.size() >= sizeof(PacketHeader)) {
    PacketHeader header;
    std::memcpy(&header, packets.data(), sizeof header);
    packets = packets.subspan(sizeof header);
    if (header.length > packets.size() || header.length + slack > state_->packet.size()) break;
    state_->load(packets.first(header.length));
    packets = packets.subspan(header.length);
    const auto found =
        ndpi_detection_process_packet(module, flow, state_->packet.data(), static_cast<std::uint16_t>(header.length),
                                      time_base_milliseconds + header.milliseconds);
    if (found.app_protocol != NDPI_PROTOCOL_UNKNOWN && !ndpi_extra_dissection_possible(module, flow)) break;
  }
  std::uint8_t guessed = 0;
  const auto found = ndpi_detection_giveup(module, flow, 1, &guessed);
  const WireAnswer answer{job, found.master_protocol, found.app_protocol, certainty_of(*flow)};
  ndpi_free_flow_data(flow);
  state_->forget_other_flows();
  return answer;
}

}  // namespace callwitness::classify::ndpi
