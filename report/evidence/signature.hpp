// Signatures in minisign's format (https://jedisct1.github.io/minisign/): Ed25519 over BLAKE2b-512, so that the stock
// `minisign -Vm FILE -p callwitness.pub` checks them.
#pragma once

#include "capture/result.hpp"

#include <string>

namespace callwitness::report {

/// Makes `path` (the secret key, PEM, mode 0600) and `path`.pub (minisign's public key). Neither may exist.
/// Returns the public key's line.
capture::Result<std::string> make_key(const std::string& path);

/// The public key's line of a secret key.
capture::Result<std::string> public_key_of(const std::string& path);
/// The text of a public key's file, as minisign writes and reads it.
std::string public_key_file(const std::string& line);

/// Writes `file`.minisig. `trusted_comment` is signed too; line breaks in it are refused.
capture::Result<void> sign_file(const std::string& file, const std::string& key_path, const std::string& trusted_comment);

/// Checks `file` against `file`.minisig with a public key: a path of a .pub file or the key's line itself.
/// Returns the trusted comment. Error kind: verification. Any changed byte of the signature's file is refused, of the
/// untrusted comment too, which minisign itself lets pass.
capture::Result<std::string> verify_file(const std::string& file, const std::string& public_key);

}  // namespace callwitness::report
