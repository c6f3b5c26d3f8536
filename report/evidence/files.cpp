#include "report/evidence/files.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace callwitness::report {
namespace {

using capture::Error;
using capture::Result;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

Error system_error(Error::Kind kind, std::string attempted, std::string remedy) {
  return {kind, std::move(attempted), std::strerror(errno), std::move(remedy)};
}

struct Digest {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  Digest() { EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr); }
  void update(const void* data, std::size_t size) { EVP_DigestUpdate(context.get(), data, size); }
  std::string hexadecimal() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context.get(), hash.data(), &length);
    std::string text;
    for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", hash[i]);
    return text;
  }
};

/// Calls `use(data, size)` for each piece of the file.
template <class Use>
Result<void> read_pieces(const std::string& path, Use&& use) {
  // Not blocking: a named pipe would be waited for, and is refused below like any other device.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (file.value() < 0 || fstat(file.value(), &status) != 0) {
    return system_error(Error::Kind::unreadable, "read " + path, "check the path and its permissions");
  }
  if (!S_ISREG(status.st_mode)) return Error{Error::Kind::unreadable, "read " + path, "it is not a regular file", ""};
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = read(file.value(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(Error::Kind::unreadable, "read " + path, "");
    if (got == 0) return {};
    if (!use(buffer.data(), static_cast<std::size_t>(got))) {
      return Error{Error::Kind::unreadable, "read " + path, "it is larger than such a file can be", ""};
    }
  }
}

}  // namespace

Result<void> create_file(const std::string& path, std::string_view content) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.value() < 0) {
    return system_error(Error::Kind::failed, "create " + path,
                        errno == EEXIST ? "choose another name or remove it: nothing is overwritten" : "");
  }
  while (!content.empty()) {
    const ssize_t written = write(file.value(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(Error::Kind::failed, "write " + path, "check the free space");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  std::string content;
  const auto read = read_pieces(path, [&](const char* data, std::size_t size) {
    content.append(data, size);
    return content.size() <= limit;
  });
  if (!read) return read.error();
  return content;
}

Result<std::string> sha256_of_file(const std::string& path, std::uint64_t most) {
  Digest digest;
  const auto read = read_pieces(path, [&](const char* data, std::size_t size) {
    const auto taken = std::min<std::uint64_t>(size, most);
    digest.update(data, static_cast<std::size_t>(taken));
    most -= taken;
    return true;
  });
  if (!read) return read.error();
  return digest.hexadecimal();
}

std::string sha256_of(std::string_view content) {
  Digest digest;
  digest.update(content.data(), content.size());
  return digest.hexadecimal();
}

}  // namespace callwitness::report
