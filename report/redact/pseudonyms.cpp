#include "report/redact/pseudonyms.hpp"

#include "classify/application.hpp"
#include "classify/nearness.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace callwitness::report {
namespace {

using capture::IpAddress;

constexpr std::size_t block_size = 16;
using Block = std::array<std::uint8_t, block_size>;
/// Pseudonyms already given are remembered up to this many, for speed only: the function itself has no state.
constexpr std::size_t remembered_limit = 100'000;

class Aes128 {
 public:
  explicit Aes128(const std::uint8_t* key) : context_(EVP_CIPHER_CTX_new()) {
    EVP_EncryptInit_ex(context_, EVP_aes_128_ecb(), nullptr, key, nullptr);
    EVP_CIPHER_CTX_set_padding(context_, 0);
  }
  ~Aes128() { EVP_CIPHER_CTX_free(context_); }
  Aes128(const Aes128&) = delete;
  Aes128& operator=(const Aes128&) = delete;
  Block encrypt(const Block& plain) const {
    Block cipher{};
    int length = 0;
    EVP_EncryptUpdate(context_, cipher.data(), &length, plain.data(), block_size);
    return cipher;
  }

 private:
  EVP_CIPHER_CTX* context_;
};

/// How many leading bits of an address say what kind it is, and must stay.
int kept_bits(const IpAddress& address) {
  const auto& b = address.bytes;
  if (address.version == 4) {
    if (b[0] == 10) return 8;
    if (b[0] == 172 && (b[1] & 0xf0) == 16) return 12;
    if (b[0] == 100 && (b[1] & 0xc0) == 64) return 10;
    return address.is_private() ? 16 : 0;   // 192.168/16, 169.254/16
  }
  if ((b[0] & 0xfe) == 0xfc) return 7;
  if (b[0] == 0xfe) return 10;
  return 3;                                 // 2000::/3 is all that is routed
}

bool stays(const IpAddress& address) {
  if (address.version == 0 || address.is_loopback() || address.is_multicast()) return true;
  if (address.version == 4) return address.bytes[0] == 0;
  return std::all_of(address.bytes.begin(), address.bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

/// The application whose published servers' addresses this is one of: asked of the recognisers, which claim a flow by its
/// address alone where they know the range.
const classify::Application* service_of(const IpAddress& address) {
  constexpr std::uint16_t relay_ports[] = {3478, 16393, 19302};
  classify::StartPacket packet;
  for (const auto port : relay_ports) {
    const capture::FiveTuple tuple{{IpAddress::v4(0x0a000001), 50000}, {address, port}, capture::protocol::udp};
    const classify::FlowStart start{tuple, {&packet, 1}};
    for (const auto* application : classify::applications()) {
      const auto claim = application->recognise != nullptr ? application->recognise(start) : classify::Claim{};
      if (claim.confidence > 0 && claim.basis == classify::Basis::name) return application;
    }
  }
  return nullptr;
}

/// A service is told by its servers' network, which names nobody.
int kept_bits_of_service(const IpAddress& address) { return address.version == 4 ? 24 : 64; }

IpAddress network_of(IpAddress address) {
  const auto kept = static_cast<std::size_t>(kept_bits_of_service(address) / 8);
  std::fill(address.bytes.begin() + static_cast<std::ptrdiff_t>(kept), address.bytes.end(), std::uint8_t{0});
  return address;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lowered;
}

}  // namespace

struct Pseudonyms::State {
  explicit State(const RedactionKey& redaction_key) : key(redaction_key), aes(key.data()) {
    Block second;
    std::copy(key.begin() + block_size, key.end(), second.begin());
    pad = aes.encrypt(second);
  }
  RedactionKey key;
  Aes128 aes;
  Block pad;                                // Crypto-PAn: the second half of the key, enciphered
  std::map<IpAddress, IpAddress> remembered;
  std::set<IpAddress> networks;             // of services, told

  /// What keeps it in its network: a service known by its addresses (who denied a name, a filter or another, is judged by
  /// that, too), or a told network; null: nothing.
  const void* keeper(const IpAddress& address) const {
    static constexpr char filter_service = 0;
    if (const auto* service = service_of(address)) return service;
    if (classify::is_filter_service(address)) return &filter_service;
    const auto told = networks.find(network_of(address));
    return told == networks.end() ? nullptr : &*told;
  }
};

Pseudonyms::Pseudonyms(const RedactionKey& key) : state_(std::make_unique<State>(key)) {}
Pseudonyms::~Pseudonyms() = default;

IpAddress Pseudonyms::prefix_preserving(const IpAddress& address) const {
  const int bits = address.version == 4 ? 32 : 128;
  IpAddress result = address;
  for (int position = 0; position < bits; ++position) {
    // The first `position` bits of the address, the rest from the pad.
    Block input = state_->pad;
    for (int byte = 0; byte < position / 8; ++byte) input[byte] = address.bytes[byte];
    if (position % 8 != 0) {
      const auto mask = static_cast<std::uint8_t>(0xff << (8 - position % 8));
      auto& mixed = input[position / 8];
      mixed = static_cast<std::uint8_t>((address.bytes[position / 8] & mask) | (mixed & ~mask));
    }
    const int flip = state_->aes.encrypt(input)[0] >> 7;
    result.bytes[position / 8] ^= static_cast<std::uint8_t>(flip << (7 - position % 8));
  }
  return result;
}

void Pseudonyms::keep_network(const IpAddress& address) {
  if (address.is_routable() && !stays(address)) state_->networks.insert(network_of(address));
}

IpAddress Pseudonyms::address(const IpAddress& address) {
  if (stays(address)) return address;
  if (const auto found = state_->remembered.find(address); found != state_->remembered.end()) return found->second;
  IpAddress result = address;
  const auto* service = state_->keeper(address);
  const int kept = service != nullptr ? kept_bits_of_service(address) : kept_bits(address);
  const bool routable = address.is_routable();
  // Walking the permutation until the kind fits keeps it one-to-one; it ends at the latest at the address itself.
  do {
    const IpAddress next = prefix_preserving(result);
    for (int bit = 0; bit < (address.version == 4 ? 32 : 128); ++bit) {
      if (bit < kept) continue;
      const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
      result.bytes[bit / 8] = static_cast<std::uint8_t>((result.bytes[bit / 8] & ~mask) | (next.bytes[bit / 8] & mask));
    }
  } while ((result.is_routable() != routable || state_->keeper(result) != service) && result != address);
  if (state_->remembered.size() < remembered_limit) state_->remembered.emplace(address, result);
  return result;
}

void Pseudonyms::digest(std::span<const std::uint8_t> bytes, std::span<std::uint8_t> out) const {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), state_->key.data(), static_cast<int>(state_->key.size()), bytes.data(), bytes.size(), hash.data(),
       &length);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = hash[i % 32];
}

void Pseudonyms::mac(std::span<std::uint8_t> six_bytes) const {
  if (std::all_of(six_bytes.begin(), six_bytes.end(), [](std::uint8_t b) { return b == 0xff; })) return;
  if (std::all_of(six_bytes.begin(), six_bytes.end(), [](std::uint8_t b) { return b == 0; })) return;
  const std::uint8_t kind = six_bytes[0] & 3;
  std::array<std::uint8_t, 6> replaced{};
  digest(six_bytes, replaced);
  std::copy(replaced.begin(), replaced.end(), six_bytes.begin());
  six_bytes[0] = static_cast<std::uint8_t>((six_bytes[0] & ~3) | kind);
}

std::string Pseudonyms::word(std::string_view text) const {
  static constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz234567";
  const std::string lowered = lower(text);
  std::array<std::uint8_t, 32> hash{};
  digest({reinterpret_cast<const std::uint8_t*>(lowered.data()), lowered.size()}, hash);
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) result += letters[hash[i % hash.size()] % letters.size()];
  if (!result.empty()) result[0] = 'x';     // a label may not look like a number, and shows that it was replaced
  return result;
}

std::size_t Pseudonyms::public_suffix_length(std::string_view name) const {
  const std::string lowered = lower(name);
  std::size_t longest = 0;
  for (const auto* application : classify::applications()) {
    for (const std::string_view domain : application->domains) {
      const bool ends = lowered.size() >= domain.size() && lowered.ends_with(domain);
      const bool whole = lowered.size() == domain.size() || (ends && lowered[lowered.size() - domain.size() - 1] == '.');
      if (ends && whole) longest = std::max(longest, domain.size());
    }
  }
  return longest;
}

std::string Pseudonyms::host_name(std::string_view name) const {
  const std::size_t suffix = public_suffix_length(name);
  const std::string_view replaceable = name.substr(0, name.size() - suffix);
  std::string result;
  std::size_t start = 0;
  while (start <= replaceable.size()) {
    const std::size_t dot = std::min(replaceable.find('.', start), replaceable.size());
    result += word(replaceable.substr(start, dot - start));
    if (dot == replaceable.size()) break;
    result += '.';
    start = dot + 1;
  }
  return result + std::string(name.substr(name.size() - suffix));
}

}  // namespace callwitness::report
