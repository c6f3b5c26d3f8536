#include "capture/sha256.hpp"

#include <openssl/evp.h>

namespace callwitness::capture {

struct Sha256::Context {
  Context() : context(EVP_MD_CTX_new()) {}
  ~Context() { EVP_MD_CTX_free(context); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  EVP_MD_CTX* get() { return context; }
  EVP_MD_CTX* context;
};

Sha256::~Sha256() = default;

Sha256::Sha256() : context_(new Context) { EVP_DigestInit_ex(context_->get(), EVP_sha256(), nullptr); }

void Sha256::add(const std::uint8_t* data, std::size_t size) { EVP_DigestUpdate(context_->get(), data, size); }

std::string Sha256::hex() {
  std::uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(context_->get(), digest, &size);
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += digits[digest[i] >> 4];
    text += digits[digest[i] & 15];
  }
  return text;
}

}  // namespace callwitness::capture
