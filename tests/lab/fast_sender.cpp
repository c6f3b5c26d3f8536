// Sends RTP as fast as asked, faster than a script can: fast_sender ADDRESS PORT PACKETS PACKETS_A_SECOND [STREAMS].
// Prints how many were handed to the kernel and how many a second.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t batch = 32, packet_size = 12 + 160;   // G.711, 20 ms

void put(std::uint8_t* to, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to[i] = static_cast<std::uint8_t>(value >> 8 * (bytes - 1 - i));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
  if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) return 2;
  const auto wanted = std::strtoull(argv[3], nullptr, 10), rate = std::strtoull(argv[4], nullptr, 10);
  const auto streams = argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 1;
  std::vector<int> sockets(streams);
  for (int& descriptor : sockets)
    if (descriptor = socket(AF_INET, SOCK_DGRAM, 0); descriptor < 0 || connect(descriptor, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) return 1;
  static std::array<std::array<std::uint8_t, packet_size>, batch> packets{};
  std::array<iovec, batch> vectors{};
  std::array<mmsghdr, batch> messages{};
  for (std::size_t i = 0; i < batch; ++i) {
    packets[i][0] = 0x80;
    vectors[i] = {packets[i].data(), packet_size};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  std::vector<std::uint32_t> sequence(streams);
  unsigned long long sent = 0, refused = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t stream = 0; sent < wanted; stream = (stream + 1) % streams) {
    const auto count = static_cast<unsigned>(std::min<unsigned long long>(batch, wanted - sent));
    for (unsigned i = 0; i < count; ++i) {
      put(&packets[i][2], sequence[stream], 2);
      put(&packets[i][4], sequence[stream]++ * 160, 4);
      put(&packets[i][8], 0x1000 + static_cast<std::uint32_t>(stream), 4);
    }
    for (unsigned done = 0; done < count;) {
      const int now = sendmmsg(sockets[stream], &messages[done], count - done, 0);
      if (now > 0) done += static_cast<unsigned>(now);
      else if (++refused > wanted) return 1;   // the receiver's ICMP complaints come back as refusals; the packet is sent anew
    }
    sent += count;
    std::this_thread::sleep_until(begin + std::chrono::nanoseconds(sent * 1'000'000'000 / rate));
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%llu %.0f\n", sent, static_cast<double>(sent) / seconds);
}
