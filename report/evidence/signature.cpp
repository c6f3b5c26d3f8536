#include "report/evidence/signature.hpp"

#include "report/evidence/files.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace callwitness::report {
namespace {

using capture::Error;
using capture::Result;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

constexpr std::size_t key_size = 32, signature_size = 64, identifier_size = 8, algorithm_size = 2;
constexpr std::string_view untrusted_comment = "untrusted comment: ", trusted_prefix = "trusted comment: ";
/// Ours, and those that minisign writes.
constexpr std::string_view known_comments[] = {"signature of a callwitness evidence bundle", "signature from minisign secret key",
                                               "signature from private key"};
constexpr std::string_view key_algorithm = "Ed", prehashed_algorithm = "ED";

Error crypto_error(const std::string& attempted) {
  return {Error::Kind::failed, attempted, "the cryptographic library refused", ""};
}

std::string encode(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> decode(std::string_view text, std::size_t expected) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 1024) return std::nullopt;
  std::string bytes(text.size(), '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0 || static_cast<std::size_t>(length) < expected) return std::nullopt;
  bytes.resize(expected);
  if (encode(bytes) != text) return std::nullopt;   // base64 has bits that decode to nothing: a change there is one, too
  return bytes;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  while (start < text.size() && lines.size() < 8) {
    const auto end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

std::string raw_public_key(EVP_PKEY* key) {
  std::string raw(key_size, '\0');
  std::size_t length = raw.size();
  EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &length);
  return raw;
}

/// minisign's 8-byte key number; ours is derived from the key, so the secret key's file needs no other field.
std::string identifier_of(const std::string& public_key) {
  const std::string hash = sha256_of(public_key);
  std::string identifier;
  for (std::size_t i = 0; i < identifier_size; ++i) {
    identifier += static_cast<char>(std::stoi(hash.substr(2 * i, 2), nullptr, 16));
  }
  return identifier;
}

std::string public_key_line(const std::string& public_key) {
  return encode(std::string(key_algorithm) + identifier_of(public_key) + public_key);
}

Result<std::string> blake2b_of_file(const std::string& path) {
  const auto content = read_file(path, std::size_t{1} << 30);
  if (!content) return content.error();
  std::string hash(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  if (EVP_Digest(content.value().data(), content.value().size(), reinterpret_cast<unsigned char*>(hash.data()), &length,
                 EVP_blake2b512(), nullptr) != 1) {
    return crypto_error("hash " + path);
  }
  hash.resize(length);
  return hash;
}

std::optional<std::string> sign(EVP_PKEY* key, std::string_view message) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(signature_size, '\0');
  std::size_t length = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                     reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1) {
    return std::nullopt;
  }
  return signature;
}

bool is_signed_by(EVP_PKEY* key, std::string_view message, std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
}

Result<Key> read_secret_key(const std::string& path) {
  const auto text = read_file(path, 65536);
  if (!text) return text.error();
  const Bio memory(BIO_new_mem_buf(text.value().data(), static_cast<int>(text.value().size())), BIO_free_all);
  Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519) {
    return Error{Error::Kind::unreadable, "read the key " + path, "it holds no Ed25519 secret key",
                 "make one with: callwitness key new FILE"};
  }
  return key;
}

Error refused(const std::string& file, const std::string& reason) {
  return {Error::Kind::verification, "check the signature of " + file, reason, ""};
}

}  // namespace

Result<std::string> make_key(const std::string& path) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* generated = nullptr;
  if (EVP_PKEY_keygen_init(context.get()) != 1 || EVP_PKEY_keygen(context.get(), &generated) != 1) {
    return crypto_error("make a key");
  }
  const Key key(generated, EVP_PKEY_free);
  const Bio memory(BIO_new(BIO_s_mem()), BIO_free_all);
  PEM_write_bio_PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long length = BIO_get_mem_data(memory.get(), &text);
  const auto secret = create_file(path, {text, static_cast<std::size_t>(length)});
  if (!secret) return secret.error();
  const std::string line = public_key_line(raw_public_key(key.get()));
  const auto shared = create_file(path + ".pub", public_key_file(line));
  if (!shared) return shared.error();
  return line;
}

Result<std::string> public_key_of(const std::string& path) {
  const auto key = read_secret_key(path);
  if (!key) return key.error();
  return public_key_line(raw_public_key(key.value().get()));
}

std::string public_key_file(const std::string& line) { return std::string(untrusted_comment) + "callwitness public key\n" + line + "\n"; }

Result<void> sign_file(const std::string& file, const std::string& key_path, const std::string& trusted_comment) {
  if (trusted_comment.find_first_of("\r\n") != std::string::npos) {
    return Error{Error::Kind::failed, "sign " + file, "the comment has a line break", ""};
  }
  const auto key = read_secret_key(key_path);
  if (!key) return key.error();
  const auto hash = blake2b_of_file(file);
  if (!hash) return hash.error();
  const auto signature = sign(key.value().get(), hash.value());
  const auto whole = signature ? sign(key.value().get(), *signature + trusted_comment) : std::nullopt;
  if (!whole) return crypto_error("sign " + file);
  const std::string identifier = identifier_of(raw_public_key(key.value().get()));
  return create_file(file + ".minisig", std::string(untrusted_comment) + std::string(known_comments[0]) + "\n" +
                                            encode(std::string(prehashed_algorithm) + identifier + *signature) + "\n" +
                                            std::string(trusted_prefix) + trusted_comment + "\n" + encode(*whole) + "\n");
}

Result<std::string> verify_file(const std::string& file, const std::string& public_key) {
  std::string line = public_key;
  if (const auto key_file = read_file(public_key, 4096)) {
    const auto lines = lines_of(key_file.value());
    if (lines.size() < 2) return refused(file, "the public key's file is not minisign's");
    line = lines[1];
  }
  const auto key_bytes = decode(line, algorithm_size + identifier_size + key_size);
  if (!key_bytes || !key_bytes->starts_with(key_algorithm)) return refused(file, "the public key is not minisign's");
  const auto signature_text = read_file(file + ".minisig", 8192);
  if (!signature_text) return signature_text.error();
  const auto lines = lines_of(signature_text.value());
  if (lines.size() != 4 || !lines[2].starts_with(trusted_prefix) || signature_text.value().back() != '\n')
    return refused(file, "the signature's file is not minisign's");
  if (std::none_of(std::begin(known_comments), std::end(known_comments), [&](std::string_view known) { return lines[0] == std::string(untrusted_comment) + std::string(known); }))
    return refused(file, "the untrusted comment of the signature's file was changed");
  const auto signature = decode(lines[1], algorithm_size + identifier_size + signature_size);
  const auto whole = decode(lines[3], signature_size);
  if (!signature || !whole || !signature->starts_with(prehashed_algorithm)) {
    return refused(file, "the signature is damaged or of a kind that is not supported");
  }
  if (signature->substr(algorithm_size, identifier_size) != key_bytes->substr(algorithm_size, identifier_size)) {
    return refused(file, "it was made with another key");
  }
  const std::string raw = key_bytes->substr(algorithm_size + identifier_size);
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                            reinterpret_cast<const unsigned char*>(raw.data()), raw.size()), EVP_PKEY_free);
  const auto hash = blake2b_of_file(file);
  if (!hash) return hash.error();
  const std::string bare = signature->substr(algorithm_size + identifier_size);
  const std::string comment = lines[2].substr(trusted_prefix.size());
  if (!key || !is_signed_by(key.get(), hash.value(), bare)) return refused(file, "the file is not what was signed");
  if (!is_signed_by(key.get(), bare + comment, *whole)) return refused(file, "the signature's comment was changed");
  return comment;
}

}  // namespace callwitness::report
