// Files of a report and a bundle: made new, never followed through links, readable by their owner only.
#pragma once

#include "capture/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace callwitness::report {

/// Creates `path` (O_EXCL, O_NOFOLLOW, 0600) with `content`.
capture::Result<void> create_file(const std::string& path, std::string_view content);
/// Reads a whole regular file of at most `limit` bytes.
capture::Result<std::string> read_file(const std::string& path, std::size_t limit = 64u << 20);
/// Lower-case hexadecimal SHA-256 of a file's bytes, or of its first `most`, read in pieces.
capture::Result<std::string> sha256_of_file(const std::string& path, std::uint64_t most = ~std::uint64_t{});
std::string sha256_of(std::string_view content);

}  // namespace callwitness::report
