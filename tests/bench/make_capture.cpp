// Writes a pcap of many concurrent G.711 calls, both directions: make_capture FILE [PACKETS] [CALLS].
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {
constexpr std::uint32_t payload = 160, udp_length = 8 + 12 + payload, ip_length = 20 + udp_length, frame = 14 + ip_length;

void put16(std::uint8_t* at, std::uint32_t value) { at[0] = static_cast<std::uint8_t>(value >> 8), at[1] = static_cast<std::uint8_t>(value); }
void put32(std::uint8_t* at, std::uint32_t value) { put16(at, value >> 16), put16(at + 2, value); }

void fill(std::array<std::uint8_t, 16 + frame>& record, std::uint64_t microseconds, std::uint32_t stream, std::uint32_t number) {
  const std::uint32_t head[4] = {static_cast<std::uint32_t>(1'700'000'000 + microseconds / 1'000'000),
                                 static_cast<std::uint32_t>(microseconds % 1'000'000), frame, frame};
  std::memcpy(record.data(), head, sizeof head);
  std::uint8_t* ip = record.data() + 16 + 14;
  const std::uint32_t call = stream / 2, here = 0x0a000001, there = 0xc6336400 + call % 200;
  const std::uint32_t own_port = 10'000 + 2 * call, far_port = 20'000 + 2 * call;
  const bool out = stream % 2 == 0;
  put16(ip - 2, 0x0800);
  ip[0] = 0x45;
  put16(ip + 2, ip_length);
  ip[8] = out ? 64 : 55;
  ip[9] = 17;
  put32(ip + 12, out ? here : there);
  put32(ip + 16, out ? there : here);
  put16(ip + 20, out ? own_port : far_port);
  put16(ip + 22, out ? far_port : own_port);
  put16(ip + 24, udp_length);
  std::uint8_t* rtp = ip + 28;
  rtp[0] = 0x80;
  rtp[1] = 0;
  put16(rtp + 2, number & 0xffff);
  put32(rtp + 4, number * 160);
  put32(rtp + 8, 0x10000 + stream);
}
}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::uint64_t packets = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10'000'000;
  const std::uint32_t streams = 2 * (argc > 3 ? static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10)) : 1'000);
  std::FILE* file = std::fopen(argv[1], "wbx");
  if (!file || streams == 0) return 1;
  const std::uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65'535, 1};
  std::fwrite(header, sizeof header, 1, file);
  std::mt19937 random(1);
  std::array<std::uint8_t, 16 + frame> record{};
  std::uint64_t written = 0;
  for (std::uint32_t number = 0; written < packets; ++number)
    for (std::uint32_t stream = 0; stream < streams && written < packets; ++stream) {
      if (random() % 200 == 0) continue;                       // half a percent is lost
      fill(record, number * 20'000ULL + stream * 20'000ULL / streams, stream, number);
      for (std::uint32_t i = 0; i < payload; i += 4) {
        const auto noise = static_cast<std::uint32_t>(random());
        std::memcpy(record.data() + 16 + 14 + 40 + i, &noise, 4);
      }
      std::fwrite(record.data(), record.size(), 1, file);
      ++written;
    }
  return std::fclose(file) == 0 ? 0 : 1;
}
