// Writes pcaps to measure with: make_capture KIND FILE NUMBER [CALLS]. The same arguments give the same bytes.
//   calls    NUMBER packets of CALLS concurrent G.711 calls, both directions, half a percent lost
//   udp      one call of 100 s among NUMBER flows of one UDP datagram each
//   syn      the same with NUMBER lone TCP SYNs
//   uniform  NUMBER UDP flows with random addresses and ports, five datagrams each, in turns
//   collide  the same with keys that meet in one bucket of a hash that adds or xors addresses and ports
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>

namespace {

constexpr std::uint32_t payload = 160, here = 0x0a000001, there = 0xc6336400;
constexpr std::uint64_t packet_time_us = 20'000, flood_us = 100'000'000;

void put16(std::uint8_t* at, std::uint32_t value) { at[0] = static_cast<std::uint8_t>(value >> 8), at[1] = static_cast<std::uint8_t>(value); }
void put32(std::uint8_t* at, std::uint32_t value) { put16(at, value >> 16), put16(at + 2, value); }

struct Tuple { std::uint32_t source, destination, source_port, destination_port; };

class Pcap {
 public:
  explicit Pcap(const char* name) : file_(std::fopen(name, "wbx")) {
    const std::uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65'535, 1};
    if (file_) std::fwrite(header, sizeof header, 1, file_);
  }
  bool is_open() const { return file_ != nullptr; }
  bool close() { return std::fclose(file_) == 0; }

  /// A datagram of noise behind `head` bytes that the caller has written into `content()`.
  void udp(std::uint64_t microseconds, const Tuple& tuple, std::uint8_t time_to_live, std::uint32_t head, std::uint32_t size) {
    for (std::uint32_t i = head; i < size; i += 4) {
      const auto noise = static_cast<std::uint32_t>(random_());
      std::memcpy(content() + i, &noise, 4);
    }
    std::uint8_t* const transport = ip(microseconds, tuple, time_to_live, 17, 8 + size);
    put16(transport + 4, 8 + size);
    write(8 + size);
  }
  void syn(std::uint64_t microseconds, const Tuple& tuple) {
    std::uint8_t* const transport = ip(microseconds, tuple, 64, 6, 20);
    std::memset(transport + 4, 0, 16);
    put32(transport + 4, static_cast<std::uint32_t>(random_()));
    transport[12] = 0x50, transport[13] = 2;
    write(20);
  }
  /// One packet of a call's stream; even streams leave, odd ones arrive.
  void rtp(std::uint64_t microseconds, std::uint32_t stream, std::uint32_t number) {
    const std::uint32_t call = stream / 2, far = there + call % 200, own_port = 10'000 + 2 * call % 40'000, far_port = 20'000 + 2 * call % 40'000;
    std::uint8_t* const rtp = content();
    rtp[0] = 0x80;
    rtp[1] = 0;
    put16(rtp + 2, number & 0xffff);
    put32(rtp + 4, number * payload);
    put32(rtp + 8, 0x10000 + stream);
    if (stream % 2 == 0) udp(microseconds, {here, far, own_port, far_port}, 64, 12, 12 + payload);
    else udp(microseconds, {far, here, far_port, own_port}, 55, 12, 12 + payload);
  }
  std::uint32_t random() { return static_cast<std::uint32_t>(random_()); }

 private:
  static constexpr std::size_t record = 16, ethernet = 14, ip_header = 20;
  std::uint8_t* content() { return bytes_.data() + record + ethernet + ip_header + 8; }
  std::uint8_t* ip(std::uint64_t microseconds, const Tuple& tuple, std::uint8_t time_to_live, std::uint8_t protocol, std::uint32_t size) {
    const std::uint32_t frame = ethernet + ip_header + size;
    const std::uint32_t head[4] = {static_cast<std::uint32_t>(1'700'000'000 + microseconds / 1'000'000),
                                   static_cast<std::uint32_t>(microseconds % 1'000'000), frame, frame};
    std::memcpy(bytes_.data(), head, sizeof head);
    std::uint8_t* const at = bytes_.data() + record + ethernet;
    put16(at - 2, 0x0800);
    at[0] = 0x45;
    put16(at + 2, ip_header + size);
    at[8] = time_to_live;
    at[9] = protocol;
    put32(at + 12, tuple.source);
    put32(at + 16, tuple.destination);
    put16(at + 20, tuple.source_port);
    put16(at + 22, tuple.destination_port);
    return at + ip_header;
  }
  void write(std::uint32_t size) { std::fwrite(bytes_.data(), record + ethernet + ip_header + size, 1, file_); }

  std::FILE* file_;
  std::mt19937 random_{1};
  std::array<std::uint8_t, 512> bytes_{};
};

void calls(Pcap& pcap, std::uint64_t packets, std::uint32_t streams) {
  std::uint64_t written = 0;
  for (std::uint32_t number = 0; written < packets; ++number)
    for (std::uint32_t stream = 0; stream < streams && written < packets; ++stream) {
      if (pcap.random() % 200 == 0) continue;
      pcap.rtp(number * packet_time_us + stream * packet_time_us / streams, stream, number);
      ++written;
    }
}

void flood(Pcap& pcap, std::uint64_t flows, bool syns) {
  const std::uint64_t numbers = flood_us / packet_time_us;
  std::uint64_t sent = 0;
  for (std::uint32_t number = 0; number < numbers; ++number) {
    const std::uint64_t begin = number * packet_time_us;
    for (const std::uint32_t stream : {0u, 1u}) pcap.rtp(begin, stream, number);
    for (const std::uint64_t until = flows * (number + 1) / numbers; sent < until; ++sent) {
      // The sender's number makes every flow another one.
      const Tuple tuple{0x20000000 + static_cast<std::uint32_t>(sent), here, 1024 + pcap.random() % 60'000, 1024 + pcap.random() % 60'000};
      if (syns) pcap.syn(begin + 1, tuple);
      else pcap.udp(begin + 1, tuple, 60, 0, 32);
    }
  }
}

void many_flows(Pcap& pcap, std::uint32_t flows, bool collide) {
  std::mt19937 random(2);
  for (std::uint32_t round = 0; round < 5; ++round) {
    random.seed(2);
    for (std::uint32_t i = 0; i < flows; ++i) {
      const std::uint32_t low = i % 0x8000, high = i / 0x8000;
      const std::uint32_t a = static_cast<std::uint32_t>(random()), b = static_cast<std::uint32_t>(random()), ports = static_cast<std::uint32_t>(random());
      const Tuple one = collide ? Tuple{0x0a000000 + (high << 16), 0x0b000000 - (high << 16), 1 + low, 0xffff - low} : Tuple{a, b, ports >> 16, ports & 0xffff};
      pcap.udp(round * 1'000'000ULL + i, one, 60, 0, 32);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string_view kind = argv[1];
  const std::uint64_t number = std::strtoull(argv[3], nullptr, 10);
  const std::uint32_t streams = 2 * (argc > 4 ? static_cast<std::uint32_t>(std::strtoul(argv[4], nullptr, 10)) : 1'000);
  Pcap pcap(argv[2]);
  if (!pcap.is_open() || streams == 0) return 1;
  if (kind == "calls") calls(pcap, number, streams);
  else if (kind == "udp" || kind == "syn") flood(pcap, number, kind == "syn");
  else if (kind == "uniform" || kind == "collide") many_flows(pcap, static_cast<std::uint32_t>(number), kind == "collide");
  else return 2;
  return pcap.close() ? 0 : 1;
}
