// What the rewriters of text protocols (SIP, MGCP, SDP) share.
#pragma once

#include "report/redact/payload.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace callwitness::report {

std::string lower(std::string_view text);
/// 200 parts at most.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trimmed(std::string_view text);

/// A description (RFC 8866) with what measuring needs: media lines, formats, directions, replaced addresses.
std::string rewrite_sdp(std::string_view body, const PayloadContext& context);

/// `headers`, a filler and `rest`, `size` bytes in all. Empty: they don't fit.
std::string padded(std::string headers, std::string_view rest, std::size_t size);

}  // namespace callwitness::report
